//! A function for each type of a number, and what else the build hook has to carry.

mod kinds;

use std::cell::Cell;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = "export type Level = 0 | 1 | 2;";

thread_local! {
    static COUNT: Cell<u32> = const { Cell::new(0) };
}

macro_rules! echo {
    ($($name:ident: $type:ty),*) => { $(
        #[wasm_bindgen]
        pub fn $name(n: $type) -> $type {
            n
        }
    )* };
}

echo! {
    take_i8: i8, take_u8: u8, take_i16: i16, take_u16: u16, take_i32: i32, take_u32: u32, take_i64: i64, take_u64: u64,
    take_i128: i128, take_u128: u128, take_isize: isize, take_usize: usize, take_f32: f32, take_f64: f64,
    take_char: char, take_bool: bool,
    maybe_i8: Option<i8>, maybe_u8: Option<u8>, maybe_i16: Option<i16>, maybe_u16: Option<u16>, maybe_i32: Option<i32>,
    maybe_u32: Option<u32>, maybe_i64: Option<i64>, maybe_u64: Option<u64>, maybe_f32: Option<f32>,
    maybe_char: Option<char>
}

/// Adds two small numbers.
///
/// Their sum is larger.
///
/// @param first - The first one.
#[wasm_bindgen(js_name = addSmall)]
pub fn add_small(first: u8, second: Option<u8>) -> u16 {
    u16::from(first) + u16::from(second.unwrap_or(1))
}

/// The author's type is narrower than Rust's.
#[wasm_bindgen]
pub fn set_level(#[wasm_bindgen(unchecked_param_type = "Level")] level: u8) -> u8 {
    level
}

/// The author's type is wider than Rust's.
#[wasm_bindgen]
pub fn wider(#[wasm_bindgen(unchecked_param_type = "u32")] n: u8) -> u8 {
    n
}

#[wasm_bindgen]
pub fn check(n: u16) -> Result<u16, JsError> {
    (n != 13).then_some(n).ok_or_else(|| JsError::new("unlucky"))
}

#[wasm_bindgen]
pub async fn later(n: u16) -> u16 {
    n
}

/// Counts its own calls; a crash in it leaves the count raised.
#[wasm_bindgen]
pub fn count(crash: bool) -> u32 {
    COUNT.set(COUNT.get() + 1);
    assert!(!crash, "counted too far");
    COUNT.get()
}

/// Fails in a function that it calls.
#[wasm_bindgen]
pub fn fail_inside(n: u32) -> u32 {
    inside(n) + 1 // the outer line
}

#[inline(never)]
fn inside(n: u32) -> u32 {
    assert!(n < 3, "too large"); // the inner line
    n
}

/// Fails in a function that is called through a table, after so many turns of a loop.
#[wasm_bindgen]
pub fn fail_later(turns: u32, n: u32) -> u32 {
    let sum = (0..turns).fold(0, |sum, turn| sum ^ std::hint::black_box(turn));
    let function: &dyn Fn(u32) -> u32 = std::hint::black_box(&|n| inside(n)); // the closure's line
    function(n).min(sum) // the line of the table
}

#[wasm_bindgen]
pub enum Color {
    Red,
    Green = 5,
}

/// A thing with a number of each kind.
#[wasm_bindgen]
pub struct Thing {
    /// How wide it is.
    pub width: u8,
    pub height: Option<i16>,
    level: u16,
}

#[wasm_bindgen]
impl Thing {
    #[wasm_bindgen(constructor)]
    pub fn create(width: u8) -> Thing {
        Thing { width, height: None, level: 0 }
    }

    /// Not the constructor, which takes another number.
    pub fn new(width: u16) -> u16 {
        width
    }

    /// Paints a part of it.
    pub fn paint(&self, color: Color, part: u8, points: &[u16]) -> u32 {
        color as u32 + u32::from(part) + u32::from(self.width) + points.len() as u32
    }

    #[wasm_bindgen(getter)]
    pub fn level(&self) -> u16 {
        self.level
    }

    #[wasm_bindgen(setter)]
    pub fn set_level(&mut self, level: u16) {
        self.level = level;
    }

    #[wasm_bindgen(js_name = fromOther)]
    pub fn from_other(other: &Thing, width: i8) -> Thing {
        Thing { width: width as u8, ..Thing::create(other.width) }
    }
}

#[cfg(feature = "extra")]
#[wasm_bindgen]
pub fn extra() -> String {
    "extra".to_owned()
}
