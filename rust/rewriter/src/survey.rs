//! A first look at all code of a module: what cannot be tracked is refused, by its name.

use crate::body::{next_operator, refuse_unknown};
use crate::polls::is_poll;
use crate::read::Module;
use crate::returned::Returned;
use crate::stack::{find_prologue, is_odd, Step};
use crate::Error;
use wasmparser::{ExternalKind, FunctionBody, Operator, RefType, ValType};

#[derive(Default)]
pub(crate) struct Survey {
    /// For each global: how often it is used as a function uses the stack pointer to make its frame.
    pub prologues: Vec<u32>,
    /// Slots of tables of references to JavaScript values, or to functions, are overwritten.
    pub writes_externref: bool,
    pub writes_funcref: bool,
    /// Code uses what each instance has for itself: references to its functions, data that is not placed.
    pub has_own: bool,
    /// The functions that are called by their number, and those to which references are made.
    pub called: Vec<bool>,
    /// The defined functions that set a global otherwise than the stack pointer is mostly set.
    pub odd: Vec<usize>,
    /// The type and the table of calls that may poll a future, if the module polls any.
    pub polls: Option<(u32, u32)>,
    /// For each defined function: if it has a single result, that is its first parameter.
    pub returns_first: Vec<bool>,
}

impl Survey {
    pub(crate) fn of(module: &Module<'_>) -> Result<Self, Error> {
        refuse_declarations(module)?;
        let mut survey = Survey {
            prologues: vec![0; module.globals.len()],
            called: vec![false; module.signatures.len()],
            ..Survey::default()
        };
        for &function in &module.taken {
            survey.note_call(function);
        }
        for (function, body) in module.code.iter().enumerate() {
            survey.body(module, function, body)?;
        }
        survey.polls = survey.polls.filter(|_| module.awaits);
        Ok(survey)
    }

    /// A function of its own, because engines optimise what is called often.
    #[inline(never)]
    fn body(&mut self, module: &Module<'_>, function: usize, body: &FunctionBody<'_>) -> Result<(), Error> {
        let mut last = [None, None];
        let mut returned = Returned::default();
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            let operator = next_operator(&mut operators)?;
            self.take(module, &operator)?;
            if let Some(count) = find_prologue(&last, &operator).and_then(|at| self.prologues.get_mut(at as usize)) {
                *count += 1;
            }
            if is_odd(&last, &operator) && self.odd.last() != Some(&function) {
                self.odd.push(function);
            }
            last = [last[1], Step::of(&operator)];
            returned.take(&operator);
        }
        self.returns_first.push(returned.is_first());
        operators.finish()?;
        Ok(())
    }

    pub(crate) fn returns_first(&self, module: &Module<'_>, function: u32) -> bool {
        let defined = module.defined(function);
        defined.and_then(|at| self.returns_first.get(at)).is_some_and(|&returns_first| returns_first)
    }

    /// May that call poll a future?
    pub(crate) fn may_poll(&self, module: &Module<'_>, kind: u32, table: u32) -> bool {
        self.polls.is_some_and(|(_, known)| table == known) && is_poll(module, kind)
    }

    fn note_call(&mut self, function: u32) {
        if let Some(called) = self.called.get_mut(function as usize) {
            *called = true;
        }
    }

    fn take(&mut self, module: &Module<'_>, operator: &Operator<'_>) -> Result<(), Error> {
        self.has_own |= match *operator {
            Operator::RefFunc { .. } | Operator::MemoryInit { .. } => true,
            Operator::TableGrow { table } => {
                module.tables.get(table as usize).is_some_and(|table| table.kind.element_type == RefType::FUNCREF)
            }
            _ => false,
        };
        match *operator {
            Operator::Call { function_index }
            | Operator::ReturnCall { function_index }
            | Operator::RefFunc { function_index } => self.note_call(function_index),
            Operator::TableSet { table }
            | Operator::TableFill { table }
            | Operator::TableInit { table, .. }
            | Operator::TableCopy { dst_table: table, .. } => self.write_table(module, table)?,
            Operator::CallIndirect { type_index, table_index } if self.polls.is_none() => {
                self.polls = is_poll(module, type_index).then_some((type_index, table_index));
            }
            Operator::DataDrop { .. } => return refuse("it gives up data (the instruction data.drop)"),
            Operator::ElemDrop { .. } => return refuse("it gives up elements of tables (the instruction elem.drop)"),
            ref other => refuse_unknown(other)?,
        }
        Ok(())
    }

    fn write_table(&mut self, module: &Module<'_>, index: u32) -> Result<(), Error> {
        let table = module.tables.get(index as usize);
        let table = table.ok_or_else(|| Error::Malformed(format!("there is no table {index}")))?;
        if table.is_imported {
            return refuse("it writes into a table that it imports");
        }
        if table.kind.table64 {
            return refuse("it uses memory64 (it writes into a table with 64-bit indices)");
        }
        match table.kind.element_type {
            RefType::EXTERNREF => self.writes_externref = true,
            RefType::FUNCREF => self.writes_funcref = true,
            other => return refuse(&format!("it writes into a table of {other}")),
        }
        Ok(())
    }
}

fn refuse<T>(what: &str) -> Result<T, Error> {
    Err(Error::Refused(what.to_owned()))
}

fn refuse_declarations(module: &Module<'_>) -> Result<(), Error> {
    if module.functions.is_empty() {
        return refuse("it has no functions, so nothing can be tracked");
    }
    if module.imported_memories > 0 {
        return refuse("it imports its memory");
    }
    match module.memories.as_slice() {
        [] => return refuse("it has no memory, so nothing can be tracked"),
        [memory] if memory.memory64 => return refuse("it uses memory64 (a memory with 64-bit addresses)"),
        [memory] if memory.page_size_log2.is_some() => return refuse("it uses a memory with pages of a custom size"),
        [_] => {}
        _ => return refuse("it has several memories"),
    }
    if !module.exports.iter().any(|export| export.kind == ExternalKind::Memory) {
        return refuse("it does not export its memory");
    }
    for global in module.globals.iter().filter(|global| global.kind.mutable) {
        if global.is_imported {
            return refuse("it imports a global that it can change");
        }
        match global.kind.content_type {
            ValType::I32 | ValType::I64 | ValType::F32 | ValType::F64 | ValType::EXTERNREF | ValType::FUNCREF => {}
            other => return refuse(&format!("it has a global of {other} that can change")),
        }
    }
    Ok(())
}
