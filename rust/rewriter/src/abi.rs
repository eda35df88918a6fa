//! How JavaScript and Python call this crate: functions that take and return numbers only, without wasm-bindgen.
//!
//! The caller asks for memory by [`allocate`], writes the module there, and calls [`rewrite_module`]. The result is at
//! [`result_address`] and has [`result_length`] bytes. An instance rewrites one module and is thrown away. A caller that
//! knows the module's hash writes it to [`hash_address`].

#![allow(unsafe_code)]

use crate::{rewrite_hashed, Error, Options};
use std::cell::RefCell;

thread_local! {
    static INPUT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static HASH: RefCell<[u8; 32]> = const { RefCell::new([0; 32]) };
    static OUTPUT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// How much memory a module takes while it is rewritten, in multiples of its size.
const MEMORY: usize = 10;

/// Makes room for a module; returns its address.
#[no_mangle]
pub extern "C" fn allocate(length: usize) -> *mut u8 {
    // Engines take about 0.1 ms to grow a memory, and the allocator grows it by a page of Wasm at a time. So all that
    // will be needed is claimed at once, and given back to the allocator. If there is not as much, less may do.
    let mut room = Vec::<u8>::new();
    drop(room.try_reserve_exact(length.saturating_mul(MEMORY)));
    drop(room);
    INPUT.with_borrow_mut(|input| {
        *input = vec![0; length];
        input.as_mut_ptr()
    })
}

/// Where the caller can write the module's SHA-256, in 32 bytes.
#[no_mangle]
pub extern "C" fn hash_address() -> *mut u8 {
    HASH.with_borrow_mut(|hash| hash.as_mut_ptr())
}

/// Rewrites the module that the caller wrote; `flags` has 1 for deadlines, 2 for rollback, and 4 if the hash was written.
///
/// Returns 0 if the result is the rewritten module. Otherwise the result is a text, the reason: 1 if the module is
/// malformed, 2 if it is refused.
#[no_mangle]
pub extern "C" fn rewrite_module(flags: u32) -> u32 {
    let options = Options { deadlines: flags & 1 != 0, rollback: flags & 2 != 0, plain: flags & 4 != 0 };
    let hash = (flags & 8 != 0).then(|| HASH.take());
    let input = INPUT.take();
    let (code, output) = match rewrite_hashed(&input, options, hash) {
        Ok(rewritten) => (0, rewritten.wasm),
        Err(error) => (code_of(&error), error.to_string().into_bytes()),
    };
    OUTPUT.set(output);
    code
}

fn code_of(error: &Error) -> u32 {
    match error {
        Error::Malformed(_) => 1,
        Error::Refused(_) => 2,
    }
}

/// Where the result is.
#[no_mangle]
pub extern "C" fn result_address() -> *const u8 {
    OUTPUT.with_borrow(|output| output.as_ptr())
}

/// How many bytes the result has.
#[no_mangle]
pub extern "C" fn result_length() -> usize {
    OUTPUT.with_borrow(Vec::len)
}
