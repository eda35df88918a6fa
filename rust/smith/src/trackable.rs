//! Makes a random module one that can track what it writes, and one whose stores hit.
//!
//! Globals of types that JavaScript cannot read do not change any more, and nothing is dropped: such modules are refused.
//! Random addresses are outside of a small memory. So constants and what is put into locals become small numbers, and
//! memories have a few pages. All globals are exported: whoever undoes a call by brute force needs them.

use std::convert::Infallible;
use wasm_encoder::reencode::{utils, Error, Reencode};
use wasm_encoder::{
    CodeSection, ExportKind, ExportSection, Function, FunctionSection, GlobalSection, Instruction, MemoryType,
    TypeSection,
};
use wasmparser::{CompositeInnerType, FunctionBody, Operator, ValType};

/// What is left of a number: a little less than a page of Wasm.
const MASK: i32 = 0xffff;
/// The least that a memory begins with, in pages, and by how many it can grow at least.
const LEAST: u64 = 4;
const GROWTH: u64 = 2;
/// The export of the global that was added last: it counts turns.
const TURNS: &str = "turns left";

type Failure = Error<Infallible>;

/// The module made trackable; none if that fails.
pub fn make_trackable(wasm: &[u8]) -> Option<Vec<u8>> {
    let mut module = wasm_encoder::Module::new();
    Rewriter::default().parse_core_module(&mut module, wasmparser::Parser::new(0), wasm).ok()?;
    Some(module.finish())
}

#[derive(Default)]
struct Rewriter {
    parameters: Vec<Vec<ValType>>,
    /// The types of the functions that have bodies, those that come next last.
    functions: Vec<u32>,
    /// For each global: it does not change any more.
    frozen: Vec<bool>,
}

fn is_readable(kind: ValType) -> bool {
    matches!(kind, ValType::I32 | ValType::I64 | ValType::F32 | ValType::F64 | ValType::EXTERNREF | ValType::FUNCREF)
}

impl Reencode for Rewriter {
    type Error = Infallible;

    fn parse_type_section(
        &mut self,
        types: &mut TypeSection,
        section: wasmparser::TypeSectionReader<'_>,
    ) -> Result<(), Failure> {
        for group in section.clone() {
            self.parameters.extend(group?.into_types().map(|kind| match kind.composite_type.inner {
                CompositeInnerType::Func(function) => function.params().to_vec(),
                _ => Vec::new(),
            }));
        }
        utils::parse_type_section(self, types, section)
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: wasmparser::FunctionSectionReader<'_>,
    ) -> Result<(), Failure> {
        self.functions = section.clone().into_iter().collect::<Result<_, _>>()?;
        self.functions.reverse();
        utils::parse_function_section(self, functions, section)
    }

    fn parse_global(&mut self, globals: &mut GlobalSection, global: wasmparser::Global<'_>) -> Result<(), Failure> {
        let freezes = global.ty.mutable && !is_readable(global.ty.content_type);
        self.frozen.push(freezes);
        let mut kind = self.global_type(global.ty)?;
        kind.mutable &= !freezes;
        globals.global(kind, &self.const_expr(global.init_expr)?);
        Ok(())
    }

    fn memory_type(&mut self, memory: wasmparser::MemoryType) -> Result<MemoryType, Failure> {
        let mut memory = utils::memory_type(self, memory);
        memory.minimum = memory.minimum.max(LEAST);
        memory.maximum = memory.maximum.map(|maximum| maximum.max(memory.minimum + GROWTH));
        Ok(memory)
    }

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: wasmparser::ExportSectionReader<'_>,
    ) -> Result<(), Failure> {
        utils::parse_export_section(self, exports, section)?;
        if let Some(last) = self.frozen.len().checked_sub(1) {
            exports.export(TURNS, ExportKind::Global, last as u32);
        }
        Ok(())
    }

    fn parse_function_body(&mut self, code: &mut CodeSection, body: FunctionBody<'_>) -> Result<(), Failure> {
        let kind = self.functions.pop().unwrap_or(0);
        let mut locals = self.parameters.get(kind as usize).cloned().unwrap_or_default();
        let mut declared = Vec::new();
        for local in body.get_locals_reader()? {
            let (count, kind) = local?;
            locals.resize(locals.len() + count as usize, kind);
            declared.push((count, self.val_type(kind)?));
        }
        let mut function = Function::new(declared);
        let is_number = |local: u32| locals.get(local as usize) == Some(&ValType::I32);
        for operator in body.get_operators_reader()? {
            let operator = operator?;
            match operator {
                Operator::GlobalSet { global_index } if self.frozen.get(global_index as usize) == Some(&true) => {
                    function.instruction(&Instruction::Drop);
                    continue;
                }
                Operator::DataDrop { .. } | Operator::ElemDrop { .. } => continue,
                Operator::I32Const { value } => {
                    function.instruction(&Instruction::I32Const(value & MASK));
                    continue;
                }
                Operator::LocalSet { local_index } | Operator::LocalTee { local_index } if is_number(local_index) => {
                    function.instruction(&Instruction::I32Const(MASK)).instruction(&Instruction::I32And);
                }
                _ => {}
            }
            function.instruction(&self.instruction(operator)?);
        }
        code.function(&function);
        Ok(())
    }
}
