//! What a first crate has: a number, a range, and a panic.

use std::cell::Cell;
use wasm_bindgen::prelude::*;

thread_local! {
    static COUNT: Cell<u32> = const { Cell::new(0) };
}

/// Adds two numbers.
#[wasm_bindgen]
pub fn add(a: i32, b: i32) -> i32 {
    a + b
}

#[wasm_bindgen]
pub fn small(n: u8) -> u8 {
    n
}

/// Counts its own calls; a crash in it leaves the count raised.
#[wasm_bindgen]
pub fn count(crash: bool) -> u32 {
    COUNT.set(COUNT.get() + 1);
    assert!(!crash, "counted too far");
    COUNT.get()
}
