//! The instructions that the rewriter adds. The type of wasm-encoder has all instructions of Wasm; its code would be a
//! third of the file that a page downloads.

use wasm_encoder::Encode;

#[derive(Clone, Copy)]
pub(crate) enum Instruction {
    Unreachable,
    /// A block without a value.
    Block,
    /// An `if` without a value.
    If,
    End,
    Br(u32),
    Call(u32),
    ReturnCall(u32),
    RefFunc(u32),
    LocalGet(u32),
    LocalSet(u32),
    LocalTee(u32),
    GlobalGet(u32),
    GlobalSet(u32),
    I32Const(i32),
    I32Sub,
    I32ShrU,
    I32LtS,
    I32LeS,
}

const EMPTY: u8 = 0x40;

impl Encode for Instruction {
    fn encode(&self, output: &mut Vec<u8>) {
        let mut numbered = |opcode: u8, number: u32| {
            output.push(opcode);
            number.encode(output);
        };
        match *self {
            Instruction::Br(depth) => numbered(0x0c, depth),
            Instruction::Call(function) => numbered(0x10, function),
            Instruction::ReturnCall(function) => numbered(0x12, function),
            Instruction::LocalGet(local) => numbered(0x20, local),
            Instruction::LocalSet(local) => numbered(0x21, local),
            Instruction::LocalTee(local) => numbered(0x22, local),
            Instruction::GlobalGet(global) => numbered(0x23, global),
            Instruction::GlobalSet(global) => numbered(0x24, global),
            Instruction::RefFunc(function) => numbered(0xd2, function),
            Instruction::I32Const(value) => {
                output.push(0x41);
                value.encode(output);
            }
            Instruction::Unreachable => output.push(0x00),
            Instruction::Block => output.extend([0x02, EMPTY]),
            Instruction::If => output.extend([0x04, EMPTY]),
            Instruction::End => output.push(0x0b),
            Instruction::I32LtS => output.push(0x48),
            Instruction::I32LeS => output.push(0x4c),
            Instruction::I32Sub => output.push(0x6b),
            Instruction::I32ShrU => output.push(0x76),
        }
    }
}
