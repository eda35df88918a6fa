//! The instructions that the rewriter adds. The type of wasm-encoder has all instructions of Wasm; its code would be a
//! third of the file that a page downloads.

use wasm_encoder::Encode;

#[derive(Clone, Copy)]
pub(crate) enum Instruction {
    Unreachable,
    /// A block without a value.
    Block,
    /// A loop without a value.
    Loop,
    /// An `if` without a value.
    If,
    Else,
    End,
    Br(u32),
    BrIf(u32),
    Return,
    Call(u32),
    ReturnCall(u32),
    /// Of a type, through a table.
    CallIndirect(u32, u32),
    RefFunc(u32),
    Select,
    LocalGet(u32),
    LocalSet(u32),
    LocalTee(u32),
    GlobalGet(u32),
    GlobalSet(u32),
    TableGet(u32),
    TableSet(u32),
    TableSize(u32),
    TableFill(u32),
    /// To the first table, from the second one.
    TableCopy(u32, u32),
    /// Of a table, from a segment.
    TableInit(u32, u32),
    /// One byte, in memory 0, at an offset.
    I32Store8(u32),
    MemorySize,
    MemoryGrow,
    MemoryFill,
    I32Const(i32),
    I64Const(i64),
    I32Eqz,
    I32Eq,
    I32LtS,
    I32LtU,
    I32LeS,
    I32Add,
    I32Sub,
    I32ShrU,
    I32WrapI64,
    I64ExtendI32U,
    I64Add,
    I64ShrU,
    I64GtU,
}

const EMPTY: u8 = 0x40;
const MEMORY_0: u8 = 0;
/// The alignment of bytes, as a power of two.
const BYTES: u8 = 0;

impl Encode for Instruction {
    fn encode(&self, output: &mut Vec<u8>) {
        let plain: &[u8] = match *self {
            Instruction::Br(depth) => return numbered(output, 0x0c, depth),
            Instruction::BrIf(depth) => return numbered(output, 0x0d, depth),
            Instruction::Call(function) => return numbered(output, 0x10, function),
            Instruction::ReturnCall(function) => return numbered(output, 0x12, function),
            Instruction::CallIndirect(kind, table) => {
                numbered(output, 0x11, kind);
                return table.encode(output);
            }
            Instruction::LocalGet(local) => return numbered(output, 0x20, local),
            Instruction::LocalSet(local) => return numbered(output, 0x21, local),
            Instruction::LocalTee(local) => return numbered(output, 0x22, local),
            Instruction::GlobalGet(global) => return numbered(output, 0x23, global),
            Instruction::GlobalSet(global) => return numbered(output, 0x24, global),
            Instruction::TableGet(table) => return numbered(output, 0x25, table),
            Instruction::TableSet(table) => return numbered(output, 0x26, table),
            Instruction::RefFunc(function) => return numbered(output, 0xd2, function),
            Instruction::TableSize(table) => return table_instruction(output, 16, &[table]),
            Instruction::TableFill(table) => return table_instruction(output, 17, &[table]),
            Instruction::TableCopy(to, from) => return table_instruction(output, 14, &[to, from]),
            Instruction::TableInit(table, segment) => return table_instruction(output, 12, &[segment, table]),
            Instruction::I32Store8(offset) => {
                output.extend([0x3a, BYTES]);
                return offset.encode(output);
            }
            Instruction::I32Const(value) => {
                output.push(0x41);
                return value.encode(output);
            }
            Instruction::I64Const(value) => {
                output.push(0x42);
                return value.encode(output);
            }
            Instruction::Unreachable => &[0x00],
            Instruction::Block => &[0x02, EMPTY],
            Instruction::Loop => &[0x03, EMPTY],
            Instruction::If => &[0x04, EMPTY],
            Instruction::Else => &[0x05],
            Instruction::End => &[0x0b],
            Instruction::Return => &[0x0f],
            Instruction::Select => &[0x1b],
            Instruction::MemorySize => &[0x3f, MEMORY_0],
            Instruction::MemoryGrow => &[0x40, MEMORY_0],
            Instruction::MemoryFill => &[0xfc, 11, MEMORY_0],
            Instruction::I32Eqz => &[0x45],
            Instruction::I32Eq => &[0x46],
            Instruction::I32LtS => &[0x48],
            Instruction::I32LtU => &[0x49],
            Instruction::I32LeS => &[0x4c],
            Instruction::I64GtU => &[0x56],
            Instruction::I32Add => &[0x6a],
            Instruction::I32Sub => &[0x6b],
            Instruction::I32ShrU => &[0x76],
            Instruction::I64Add => &[0x7c],
            Instruction::I64ShrU => &[0x88],
            Instruction::I32WrapI64 => &[0xa7],
            Instruction::I64ExtendI32U => &[0xad],
        };
        output.extend_from_slice(plain);
    }
}

fn numbered(output: &mut Vec<u8>, opcode: u8, number: u32) {
    output.push(opcode);
    number.encode(output);
}

fn table_instruction(output: &mut Vec<u8>, opcode: u8, numbers: &[u32]) {
    output.extend([0xfc, opcode]);
    for number in numbers {
        number.encode(output);
    }
}

/// A body without locals besides its parameters, or with some of one type.
pub(crate) fn function(locals: &[(u32, wasm_encoder::ValType)], instructions: &[Instruction]) -> Vec<u8> {
    let mut body = Vec::new();
    locals.len().encode(&mut body);
    for (count, kind) in locals {
        count.encode(&mut body);
        kind.encode(&mut body);
    }
    for instruction in instructions {
        instruction.encode(&mut body);
    }
    Instruction::End.encode(&mut body);
    body
}
