//! A function for each kind of value that is no number, and for numbers inside of others.

use js_sys::{Array, Date, Function, Map, Promise, Uint8Array};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
#[derive(Clone, Copy, PartialEq)]
pub enum Shift {
    Down = -1,
    Up = 1,
}

/// How loud it is.
#[wasm_bindgen]
#[derive(Clone, Copy)]
pub enum Volume {
    Low = "low",
    High = "high",
}

macro_rules! echo {
    ($($name:ident: $type:ty),* $(,)?) => { $(
        #[wasm_bindgen]
        pub fn $name(v: $type) -> $type {
            v
        }
    )* };
}

echo! {
    vec_u8: Vec<u8>, vec_i8: Vec<i8>, vec_u16: Vec<u16>, vec_i16: Vec<i16>, vec_u32: Vec<u32>, vec_i32: Vec<i32>,
    vec_u64: Vec<u64>, vec_i64: Vec<i64>, vec_f32: Vec<f32>, vec_f64: Vec<f64>, vec_text: Vec<String>,
    vec_value: Vec<JsValue>, box_u8: Box<[u8]>, box_f32: Box<[f32]>, maybe_vec: Option<Vec<u8>>,
    maybe_bool: Option<bool>, maybe_u128: Option<u128>, maybe_i128: Option<i128>, maybe_usize: Option<usize>,
    maybe_isize: Option<isize>, maybe_f64: Option<f64>, text: String, maybe_text: Option<String>, shift: Shift,
    maybe_shift: Option<Shift>, volume: Volume, maybe_volume: Option<Volume>, value: JsValue, array: Array, date: Date,
    map: Map, bytes: Uint8Array, maybe_array: Option<Array>,
}

#[wasm_bindgen]
pub fn length(text: &str) -> usize {
    text.chars().count()
}

#[wasm_bindgen]
pub fn sum(numbers: &[u16]) -> u32 {
    numbers.iter().copied().map(u32::from).sum()
}

/// Doubles each number where it is.
#[wasm_bindgen]
pub fn double(numbers: &mut [u8]) {
    for number in numbers {
        *number = number.wrapping_mul(2);
    }
}

#[wasm_bindgen]
pub fn apply(function: &Function, n: u8) -> Result<JsValue, JsValue> {
    function.call1(&JsValue::NULL, &n.into())
}

/// A closure of Rust's.
#[wasm_bindgen]
pub fn adder(first: u8) -> JsValue {
    Closure::<dyn Fn(u8) -> u16>::new(move |second: u8| u16::from(first) + u16::from(second)).into_js_value()
}

#[wasm_bindgen]
pub fn settled(n: u8) -> Promise {
    Promise::resolve(&JsValue::from(n))
}

#[wasm_bindgen]
pub async fn fails_later(n: u8) -> Result<u8, JsError> {
    (n != 13).then_some(n).ok_or_else(|| JsError::new("unlucky"))
}

/// Divides one by the other.
#[wasm_bindgen(js_name = divideBy, return_description = "How often it fits.")]
pub fn divide(
    #[wasm_bindgen(param_description = "What is divided.")] all: u32,
    #[wasm_bindgen(js_name = partSize, param_description = "By what.")] part: Option<u16>,
) -> f64 {
    f64::from(all) / f64::from(part.unwrap_or(1))
}

#[wasm_bindgen(unchecked_return_type = "Level")]
pub fn level_of(
    #[wasm_bindgen(unchecked_optional_param_type = "Level")] n: Option<u8>,
) -> u8 {
    n.unwrap_or(2)
}

/// The types of this are the author's.
#[wasm_bindgen(skip_typescript)]
pub fn untyped(n: u8) -> u8 {
    n
}

/// A point on a map.
#[wasm_bindgen]
#[derive(Clone, Copy)]
pub struct Point {
    pub x: i16,
    pub y: Option<u8>,
    pub weight: f32,
    #[wasm_bindgen(readonly)]
    pub id: u64,
    #[wasm_bindgen(js_name = zoomLevel)]
    pub zoom: i8,
    pub shift: Shift,
    pub mark: char,
}

#[wasm_bindgen]
impl Point {
    /// Makes one.
    #[wasm_bindgen(constructor)]
    pub fn new(x: i16, y: Option<u8>) -> Point {
        Point { x, y, weight: 1.0, id: 1 << 63, zoom: 0, shift: Shift::Up, mark: '.' }
    }

    /// The one at the beginning.
    pub fn origin() -> Point {
        Point::new(0, None)
    }

    /// How far it is.
    #[wasm_bindgen(getter, js_name = farAway)]
    pub fn far(&self) -> u32 {
        u32::from(self.x.unsigned_abs())
    }

    #[wasm_bindgen(setter, js_name = farAway)]
    pub fn set_far(&mut self, far: u8) {
        self.x = far.into();
    }

    pub fn checked(x: i8) -> Result<Point, JsError> {
        if x == 13 { Err(JsError::new("unlucky")) } else { Ok(Point::new(x.into(), None)) }
    }

    pub async fn later(&self, n: u8) -> u16 {
        u16::from(n)
    }

    pub fn consume(self) -> i16 {
        self.x
    }
}

#[wasm_bindgen]
pub fn moved(point: Point, by: i8) -> Point {
    Point { x: point.x + i16::from(by), ..point }
}

#[wasm_bindgen]
pub fn mark_of(point: &Point) -> char {
    point.mark
}

#[wasm_bindgen]
pub fn push_right(point: &mut Point, by: u8) {
    point.x += i16::from(by);
}

#[wasm_bindgen]
pub fn points(xs: &[i16]) -> Vec<Point> {
    xs.iter().map(|&x| Point::new(x, None)).collect()
}

#[wasm_bindgen]
pub fn maybe_point(point: Option<Point>) -> Option<Point> {
    point
}

/// In a namespace.
#[wasm_bindgen(js_namespace = tools)]
pub fn in_tools(n: u8) -> u8 {
    n
}

/// A closure with more parameters.
#[wasm_bindgen]
pub fn joiner() -> JsValue {
    Closure::<dyn Fn(u64, Option<i16>, JsValue) -> String>::new(|a, b, c| format!("{a} {b:?} {c:?}")).into_js_value()
}
