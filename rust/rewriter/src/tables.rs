//! Tables: before a slot is overwritten, its old value is handed out.
//!
//! Each instruction that writes becomes a call of a function that is added, one for each kind of instruction and each
//! table. Growth is left as it is: whoever goes back compares the sizes.

use crate::instruction::{function, Instruction};
use crate::write::{NewFunction, Signature};
use wasm_encoder::ValType;

/// The imports that get the old values: `(table, index, value)`.
pub(crate) const KEEP_EXTERNREF: &str = "keep_externref";
pub(crate) const KEEP_FUNCREF: &str = "keep_funcref";

pub(crate) fn keep_signature(element: ValType) -> Signature {
    (vec![ValType::I32, ValType::I32, element], vec![])
}

/// An instruction that writes into a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    Set { table: u32 },
    Fill { table: u32 },
    Copy { table: u32, from: u32 },
    Init { table: u32, segment: u32 },
}

impl Write {
    pub(crate) fn table(self) -> u32 {
        match self {
            Write::Set { table } | Write::Fill { table } | Write::Copy { table, .. } | Write::Init { table, .. } => {
                table
            }
        }
    }

    /// The function that hands out what is overwritten, and writes.
    ///
    /// `keep` is the number of the import for tables of `element`.
    pub(crate) fn function(self, element: ValType, keep: u32) -> NewFunction {
        const I32: ValType = ValType::I32;
        let (name, parameters, instruction) = match self {
            Write::Set { table } => ("set", vec![I32, element], Instruction::TableSet(table)),
            Write::Fill { table } => ("fill", vec![I32, element, I32], Instruction::TableFill(table)),
            Write::Copy { table, from } => ("copy", vec![I32; 3], Instruction::TableCopy(table, from)),
            Write::Init { table, segment } => ("init", vec![I32; 3], Instruction::TableInit(table, segment)),
        };
        let table = self.table();
        let count = parameters.len() as u32;
        let mut body = match self {
            Write::Set { .. } => keep_slot(table, 0, keep).to_vec(),
            _ => keep_slots(table, count, keep),
        };
        body.extend((0..count).map(Instruction::LocalGet));
        body.push(instruction);
        NewFunction {
            name: format!("unpanic.table_{name}_{table}"),
            signature: (parameters, vec![]),
            code: function(&[(2, I32)], &body),
        }
    }
}

/// Hands out the value at the index in a local; traps if there is no such slot, as writing there does.
fn keep_slot(table: u32, index: u32, keep: u32) -> [Instruction; 5] {
    [
        Instruction::I32Const(table.cast_signed()),
        Instruction::LocalGet(index),
        Instruction::LocalGet(index),
        Instruction::TableGet(table),
        Instruction::Call(keep),
    ]
}

/// Hands out the values from the index in local 0 on, as many as local 2 says. If there are not as many, none: the
/// instruction will trap, and writes nothing.
fn keep_slots(table: u32, parameters: u32, keep: u32) -> Vec<Instruction> {
    let (index, left) = (parameters, parameters + 1);
    let mut body = vec![
        Instruction::Block,
        Instruction::LocalGet(0),
        Instruction::LocalSet(index),
        Instruction::LocalGet(2),
        Instruction::LocalTee(left),
        Instruction::I32Eqz,
        Instruction::BrIf(0),
        Instruction::LocalGet(0),
        Instruction::I64ExtendI32U,
        Instruction::LocalGet(2),
        Instruction::I64ExtendI32U,
        Instruction::I64Add,
        Instruction::TableSize(table),
        Instruction::I64ExtendI32U,
        Instruction::I64GtU,
        Instruction::BrIf(0),
        Instruction::Loop,
    ];
    body.extend(keep_slot(table, index, keep));
    body.extend([
        Instruction::LocalGet(index),
        Instruction::I32Const(1),
        Instruction::I32Add,
        Instruction::LocalSet(index),
        Instruction::LocalGet(left),
        Instruction::I32Const(1),
        Instruction::I32Sub,
        Instruction::LocalTee(left),
        Instruction::BrIf(0),
        Instruction::End,
        Instruction::End,
    ]);
    body
}
