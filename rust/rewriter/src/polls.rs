//! Polls: a runtime can put itself around each poll of a future, so that one which crashes is undone alone.
//!
//! The executor of `wasm-bindgen-futures` calls `poll` through the function table, as it calls much else of the same
//! type. So all these calls go through a function that is added. While the global `unpanic.watching` is set, it has the
//! import `poll` make the call. JavaScript sets the global before it calls Rust in a turn of the event loop, and looks
//! at the arguments to see whether it is a poll. Only in modules that wait for JavaScript's promises or microtasks is
//! there such an executor; in all others nothing is added.

use crate::instruction::{function, Instruction};
use crate::read::Module;
use crate::write::{NewFunction, Signature};
use wasm_encoder::ValType;

/// The import that makes the call: `(future, context, slot) -> i32`.
pub(crate) const POLL: &str = "poll";
pub(crate) const WATCHING: &str = "unpanic.watching";

/// How the imports begin with which an executor has itself called later.
const SCHEDULES: [&str; 2] = ["__wbg_then_", "__wbg_queueMicrotask_"];

/// Does a module with that import have itself called later?
pub(crate) fn schedules(import: &str) -> bool {
    SCHEDULES.iter().any(|prefix| import.starts_with(prefix))
}

/// Can a function of that type poll a future?
pub(crate) fn is_poll(module: &Module<'_>, kind: u32) -> bool {
    use wasmparser::ValType::I32;
    let kind = module.types.get(kind as usize);
    kind.is_some_and(|kind| kind.params() == [I32, I32] && kind.results() == [I32])
}

pub(crate) fn signature() -> Signature {
    (vec![ValType::I32; 3], vec![ValType::I32])
}

/// Calls the function in a slot, or has the import do so.
pub(crate) fn call(kind: u32, table: u32, watching: u32, import: u32) -> NewFunction {
    let body = [
        Instruction::LocalGet(0),
        Instruction::LocalGet(1),
        Instruction::LocalGet(2),
        Instruction::GlobalGet(watching),
        Instruction::If,
        Instruction::LocalGet(0),
        Instruction::LocalGet(1),
        Instruction::LocalGet(2),
        Instruction::Call(import),
        Instruction::Return,
        Instruction::End,
        Instruction::CallIndirect(kind, table),
    ];
    NewFunction { name: "unpanic.poll".to_owned(), signature: signature(), code: function(&[], &body) }
}
