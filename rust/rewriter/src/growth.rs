//! The size of memory. The table of cards comes after the memory of a new instance, and the program does not see it.
//!
//! As long as nothing has grown, `memory.size` is what it was in the original. Allocators that begin with the memory
//! between `__heap_base` and `memory.size` therefore leave the table alone. Growth is real: `memory.grow` returns the
//! place where the new memory begins, behind the table, and from then on `memory.size` is where it ends.
//!
//! There are allocators that do not look at what `memory.grow` returns, and take for granted that the new memory begins
//! where the old one ended; they would overwrite the table. So modules are refused in which a result of `memory.grow`
//! is dropped, or only compared with -1, the sign of a failure.

use crate::instruction::{function, Instruction};
use crate::read::Module;
use crate::write::NewFunction;
use crate::Error;
use wasm_encoder::ValType;

/// The pages that the table takes.
pub(crate) const TABLE_PAGES: u64 = 16;
/// No memory reaches up to the end of 4 GiB: stores of a stack that has overflowed, below address 0, go there.
const MOST_PAGES: u64 = 65_536 - TABLE_PAGES;

/// The memory with room for the table.
pub(crate) fn with_room(module: &Module<'_>) -> Result<wasm_encoder::MemoryType, Error> {
    let memory = module.memories[0];
    let minimum = memory.initial + TABLE_PAGES;
    if minimum > MOST_PAGES {
        return Err(Error::Refused(format!("its memory begins with {} pages, which leaves no room", memory.initial)));
    }
    let maximum = memory.maximum.map_or(MOST_PAGES, |maximum| (maximum + TABLE_PAGES).min(MOST_PAGES));
    Ok(wasm_encoder::MemoryType {
        minimum,
        maximum: Some(maximum),
        memory64: false,
        shared: false,
        page_size_log2: None,
    })
}

/// `memory.size`, as the program sees it.
pub(crate) fn size(first: u32) -> NewFunction {
    NewFunction {
        name: "unpanic.size".to_owned(),
        signature: (vec![], vec![ValType::I32]),
        code: function(
            &[],
            &[
                Instruction::I32Const(first.cast_signed()),
                Instruction::MemorySize,
                Instruction::MemorySize,
                Instruction::I32Const((first + TABLE_PAGES as u32).cast_signed()),
                Instruction::I32Eq,
                Instruction::Select,
            ],
        ),
    }
}

/// `memory.grow`: by nothing, it tells the size.
pub(crate) fn grow(size: u32) -> NewFunction {
    NewFunction {
        name: "unpanic.grow".to_owned(),
        signature: (vec![ValType::I32], vec![ValType::I32]),
        code: function(
            &[],
            &[
                Instruction::LocalGet(0),
                Instruction::I32Eqz,
                Instruction::If,
                Instruction::Call(size),
                Instruction::Return,
                Instruction::End,
                Instruction::LocalGet(0),
                Instruction::MemoryGrow,
            ],
        ),
    }
}
