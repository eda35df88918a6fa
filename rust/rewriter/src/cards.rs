//! The bodies of functions, with marks.
//!
//! Memory is divided into cards of 4 KiB, and a table has a byte for each. Beside a store, the code writes 1 to the byte
//! of the address's card: it shifts the address, and stores; it does not ask whether that was done before. A mark stands
//! for its card *and the beginning of the next one*. So a store across the border of two cards needs no second mark, and
//! stores at fixed distances from an address can share one (`bases`).
//!
//! The table has a byte for each card of 4 GiB, whatever the size of memory: so a mark for any address is inside the
//! table, and code may mark before it stores, and before the store traps.

use crate::bases::{decide, Mark, REACH};
use crate::body::{check_size, depth_of, next_operator, Locals};
use crate::instruction::{function, Instruction};
use crate::read::Module;
use crate::stack::makes_room;
use crate::survey::Survey;
use crate::tables::Write;
use crate::values::{Block, Value, Values, FRAME};
use crate::write::{renumber, NewFunction};
use crate::{Error, Statistics};
use wasm_encoder::{Encode, ValType};
use wasmparser::{FunctionBody, Operator};

/// The size of a card is two to the power of this.
pub(crate) const SHIFT: u32 = 12;
pub(crate) const CARD_BYTES: u32 = 1 << SHIFT;
/// One byte for each card of 4 GiB.
pub(crate) const TABLE_BYTES: u32 = 1 << (32 - SHIFT);
const LAST_CARD: i64 = TABLE_BYTES as i64 - 1;

/// The numbers of functions that are added, in the rewritten module.
#[derive(Clone, Copy)]
pub(crate) struct Added {
    pub imports: u32,
    pub mark: u32,
    pub size: u32,
    pub grow: u32,
    /// What takes the place of calls that may poll a future, if the module polls any.
    pub poll: Option<u32>,
    /// The first of those in [`Tracker::writes`].
    pub writes: u32,
}

/// `(address, length)`: marks all cards that the bytes are in.
pub(crate) fn mark(table: u32) -> NewFunction {
    let body = [
        Instruction::LocalGet(1),
        Instruction::I32Eqz,
        Instruction::If,
        Instruction::Return,
        Instruction::End,
        // The last card. Bytes beyond 4 GiB have none.
        Instruction::LocalGet(0),
        Instruction::I64ExtendI32U,
        Instruction::LocalGet(1),
        Instruction::I64ExtendI32U,
        Instruction::I64Add,
        Instruction::I64Const(-1),
        Instruction::I64Add,
        Instruction::I64Const(SHIFT.into()),
        Instruction::I64ShrU,
        Instruction::LocalSet(2),
        Instruction::I64Const(LAST_CARD),
        Instruction::LocalGet(2),
        Instruction::LocalGet(2),
        Instruction::I64Const(LAST_CARD),
        Instruction::I64GtU,
        Instruction::Select,
        Instruction::I32WrapI64,
        // How many there are from the first one to it.
        Instruction::LocalGet(0),
        Instruction::I32Const(SHIFT.cast_signed()),
        Instruction::I32ShrU,
        Instruction::LocalTee(0),
        Instruction::I32Sub,
        Instruction::I32Const(1),
        Instruction::I32Add,
        Instruction::LocalSet(1),
        Instruction::LocalGet(0),
        Instruction::I32Const(table.cast_signed()),
        Instruction::I32Add,
        Instruction::I32Const(1),
        Instruction::LocalGet(1),
        Instruction::MemoryFill,
    ];
    NewFunction {
        name: "unpanic.mark".to_owned(),
        signature: (vec![ValType::I32; 2], vec![]),
        code: function(&[(1, ValType::I64)], &body),
    }
}

/// A store: how many bytes it writes, and what it takes from the stack.
fn store_of(operator: &Operator<'_>) -> Option<(u64, u64, ValType)> {
    use Operator as O;
    Some(match operator {
        O::I32Store { memarg } => (memarg.offset, 4, ValType::I32),
        O::I64Store { memarg } => (memarg.offset, 8, ValType::I64),
        O::F32Store { memarg } => (memarg.offset, 4, ValType::F32),
        O::F64Store { memarg } => (memarg.offset, 8, ValType::F64),
        O::I32Store8 { memarg } => (memarg.offset, 1, ValType::I32),
        O::I32Store16 { memarg } => (memarg.offset, 2, ValType::I32),
        O::I64Store8 { memarg } => (memarg.offset, 1, ValType::I64),
        O::I64Store16 { memarg } => (memarg.offset, 2, ValType::I64),
        O::I64Store32 { memarg } => (memarg.offset, 4, ValType::I64),
        O::V128Store { memarg } => (memarg.offset, 16, ValType::V128),
        O::V128Store8Lane { memarg, .. } => (memarg.offset, 1, ValType::V128),
        O::V128Store16Lane { memarg, .. } => (memarg.offset, 2, ValType::V128),
        O::V128Store32Lane { memarg, .. } => (memarg.offset, 4, ValType::V128),
        O::V128Store64Lane { memarg, .. } => (memarg.offset, 8, ValType::V128),
        _ => return None,
    })
}

/// Defines `arity_of`: how many values an instruction takes from the stack and leaves there, if that is always the same.
macro_rules! define_arity {
    ($( @$proposal:ident $operator:ident $({ $($argument:ident: $kind:ty),* })? => $visit:ident ($($arity:tt)*) )*) => {
        fn arity_of(operator: &Operator<'_>) -> Option<(u8, u8)> {
            match operator {
                $( Operator::$operator $({ $($argument: _),* })? => fixed_arity!($($arity)*), )*
                _ => None,
            }
        }
    };
}
macro_rules! fixed_arity {
    (arity memarg $taken:literal -> $left:literal) => {
        Some(($taken, $left))
    };
    (arity $taken:literal -> $left:literal) => {
        Some(($taken, $left))
    };
    (arity custom) => {
        None
    };
}
wasmparser::for_each_operator!(define_arity);

/// What a local that is added is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Address,
    Value,
    Length,
}

/// Marks the functions of a module, one after the other.
pub(crate) struct Tracker<'m> {
    pub module: &'m Module<'m>,
    pub survey: &'m Survey,
    /// Taken to be the stack pointer, until a function shows that it is not.
    pub stack_pointer: Option<u32>,
    /// Whether it marks anything: a plain does not.
    pub marks: bool,
    pub is_unsure: bool,
    /// Where the table is in memory.
    pub table: u32,
    pub added: Added,
    /// The writes into tables that become calls, in the order of their functions.
    pub writes: Vec<Write>,
    pub statistics: Statistics,
    values: Values,
    /// Room for the instructions of a function, and where each one begins.
    operators: Vec<(Operator<'m>, usize)>,
}

impl<'m> Tracker<'m> {
    pub(crate) fn new(
        module: &'m Module<'m>,
        survey: &'m Survey,
        stack_pointer: Option<u32>,
        table: u32,
        added: Added,
    ) -> Self {
        Tracker {
            module,
            survey,
            stack_pointer,
            marks: true,
            is_unsure: false,
            table,
            added,
            writes: Vec::new(),
            statistics: Statistics::default(),
            values: Values::default(),
            operators: Vec::new(),
        }
    }

    /// The body of a defined function.
    pub(crate) fn body(&mut self, function: usize) -> Result<Vec<u8>, Error> {
        let body = &self.module.code[function];
        let locals = Locals::read(body)?;
        let kind = self.module.function_type(self.module.functions[function])?;
        let mut operators = std::mem::take(&mut self.operators);
        operators.clear();
        read_operators(body, &mut operators)?;
        let parameters = kind.params().len() as u32;
        let first_new = locals.first_new(parameters, 0)?;
        let results = kind.results().len();
        self.values.begin(&operators, parameters as usize, first_new as usize, results, self.stack_pointer);
        let bytes = body.as_bytes();
        let mut code = Code {
            tracker: self,
            bytes,
            copied: locals.code,
            output: Vec::with_capacity(bytes.len() * 5 / 4),
            first_new,
            new: Vec::new(),
            grown: Vec::new(),
            may_move_stack: false,
        };
        code.may_move_stack = code.may_move_stack(function, &operators);
        for (at, (operator, start)) in operators.iter().enumerate() {
            let end = operators.get(at + 1).map_or(bytes.len(), |&(_, next)| next);
            code.take(operator, *start, end)?;
        }
        let (instructions, new) = code.finish()?;
        self.operators = operators;
        locals.first_new(parameters, new.len() as u32)?;
        let mut output = Vec::with_capacity(instructions.len() + locals.code + 2 * new.len() + 5);
        locals.declare(bytes, &new, &mut output);
        output.extend_from_slice(&instructions);
        check_size(&output)?;
        Ok(output)
    }

    fn write_function(&mut self, write: Write) -> u32 {
        let at = self.writes.iter().position(|&known| known == write).unwrap_or_else(|| {
            self.writes.push(write);
            self.writes.len() - 1
        });
        self.added.writes + at as u32
    }
}

fn read_operators<'a>(body: &FunctionBody<'a>, operators: &mut Vec<(Operator<'a>, usize)>) -> Result<(), Error> {
    let origin = body.range().start;
    let mut reader = body.get_operators_reader()?;
    while !reader.eof() {
        let start = usize::try_from(reader.original_position() - origin).unwrap_or(usize::MAX);
        operators.push((next_operator(&mut reader)?, start));
    }
    Ok(())
}

struct Code<'c, 'm> {
    tracker: &'c mut Tracker<'m>,
    bytes: &'c [u8],
    /// The bytes up to here are in the output, or replaced there.
    copied: usize,
    output: Vec<u8>,
    /// The locals that are added: the number of the first one, and what they are for.
    first_new: u32,
    new: Vec<(ValType, Purpose)>,
    /// What `memory.grow` returned, and whether it is used for more than to see whether it failed.
    grown: Vec<(u32, bool)>,
    /// It is the function that makes room on the stack for glue.
    may_move_stack: bool,
}

/// Writing.
impl Code<'_, '_> {
    fn put(&mut self, instructions: &[Instruction]) {
        for instruction in instructions {
            instruction.encode(&mut self.output);
        }
    }

    /// Copies the instructions of the original up to a place.
    fn copy_to(&mut self, place: usize) {
        self.output.extend_from_slice(&self.bytes[self.copied..place]);
        self.copied = place;
    }

    /// Writes other instructions in place of one of the original.
    fn replace(&mut self, start: usize, end: usize, instructions: &[Instruction]) {
        self.copy_to(start);
        self.put(instructions);
        self.copied = end;
    }

    fn new_local(&mut self, kind: ValType, purpose: Purpose) -> u32 {
        let at = self.new.iter().position(|&known| known == (kind, purpose)).unwrap_or_else(|| {
            self.new.push((kind, purpose));
            self.new.len() - 1
        });
        self.first_new.saturating_add(at as u32)
    }

    fn finish(mut self) -> Result<(Vec<u8>, Vec<ValType>), Error> {
        self.copy_to(self.bytes.len());
        if self.grown.iter().any(|&(_, is_used)| !is_used) {
            return Err(Error::Refused(
                "it grows its memory and does not look where the new memory begins (it uses what memory.grow returns \
                 for nothing but to see whether it failed)"
                    .to_owned(),
            ));
        }
        Ok((self.output, self.new.iter().map(|&(kind, _)| kind).collect()))
    }

    /// Marks the card of an address in a local, at a distance.
    fn mark_local(&mut self, local: u32, distance: i32) {
        self.put(&[Instruction::LocalGet(local)]);
        if distance != 0 {
            self.put(&[Instruction::I32Const(distance), Instruction::I32Add]);
        }
        self.put(&[
            Instruction::I32Const(SHIFT.cast_signed()),
            Instruction::I32ShrU,
            Instruction::I32Const(1),
            Instruction::I32Store8(self.tracker.table),
        ]);
        self.tracker.statistics.marks += 1;
    }

    fn mark_card(&mut self, card: u32) {
        self.put(&[
            Instruction::I32Const(0),
            Instruction::I32Const(1),
            Instruction::I32Store8(self.tracker.table + card),
        ]);
        self.tracker.statistics.marks += 1;
    }
}

/// Reading.
impl Code<'_, '_> {
    fn take(&mut self, operator: &Operator<'_>, start: usize, end: usize) -> Result<(), Error> {
        if let Operator::Call { function_index: function }
        | Operator::ReturnCall { function_index: function }
        | Operator::RefFunc { function_index: function } = *operator
        {
            self.renumber(operator, function, start, end);
        }
        if !self.tracker.marks {
            self.replace_special(operator, start, end);
            return Ok(());
        }
        if self.take_block(operator)? || self.tracker.values.is_dead {
            return Ok(());
        }
        self.note_use_of_growth(operator);
        if let Some((offset, size, kind)) = store_of(operator) {
            self.store(offset, size, kind, start, end);
            self.tracker.values.pop_many(2);
            return Ok(());
        }
        match *operator {
            Operator::MemoryCopy { .. } | Operator::MemoryFill { .. } | Operator::MemoryInit { .. } => {
                self.range(start, end);
            }
            Operator::MemoryGrow { .. } => {
                self.replace_special(operator, start, end);
                self.tracker.values.pop();
                let name = self.tracker.values.push_named();
                self.grown.push((name, false));
                return Ok(());
            }
            _ => self.replace_special(operator, start, end),
        }
        self.follow(operator)
    }

    /// Has the size of memory, and writes into tables, done by functions that are added.
    fn replace_special(&mut self, operator: &Operator<'_>, start: usize, end: usize) {
        let Added { size, grow, .. } = self.tracker.added;
        match *operator {
            Operator::MemorySize { .. } => self.replace(start, end, &[Instruction::Call(size)]),
            Operator::MemoryGrow { .. } => self.replace(start, end, &[Instruction::Call(grow)]),
            Operator::CallIndirect { type_index, table_index } => {
                let may_poll = self.tracker.survey.may_poll(self.tracker.module, type_index, table_index);
                if let Some(poll) = self.tracker.added.poll.filter(|_| may_poll) {
                    self.replace(start, end, &[Instruction::Call(poll)]);
                }
            }
            Operator::TableSet { table } => self.write_table(Write::Set { table }, start, end),
            Operator::TableFill { table } => self.write_table(Write::Fill { table }, start, end),
            Operator::TableCopy { dst_table: table, src_table: from } => {
                self.write_table(Write::Copy { table, from }, start, end);
            }
            Operator::TableInit { table, elem_index: segment } => {
                self.write_table(Write::Init { table, segment }, start, end);
            }
            _ => {}
        }
    }

    /// Blocks and branches; returns whether the instruction is one.
    fn take_block(&mut self, operator: &Operator<'_>) -> Result<bool, Error> {
        let module = self.tracker.module;
        let held = if self.grown.is_empty() { Vec::new() } else { self.held_growth() };
        let values = &mut self.tracker.values;
        match operator {
            Operator::Block { blockty } => values.open(Block::Plain, module.block_arity(*blockty)?),
            Operator::Loop { blockty } => values.open(Block::Loop, module.block_arity(*blockty)?),
            Operator::If { blockty } => {
                if !values.is_dead {
                    values.pop();
                }
                values.open(Block::If, module.block_arity(*blockty)?);
            }
            Operator::Try { blockty } => values.open(Block::Try, module.block_arity(*blockty)?),
            Operator::TryTable { try_table } => {
                if !values.is_dead {
                    for catch in &try_table.catches {
                        values.land(depth_of(catch));
                    }
                }
                values.open(Block::Try, module.block_arity(try_table.ty)?);
            }
            Operator::Else | Operator::Catch { .. } | Operator::CatchAll => values.divide(),
            Operator::End | Operator::Delegate { .. } => values.close(),
            _ => return Ok(false),
        }
        self.lose_growth(&held);
        Ok(true)
    }

    /// What an instruction does with the values on the stack.
    fn follow(&mut self, operator: &Operator<'_>) -> Result<(), Error> {
        let module = self.tracker.module;
        let stack_pointer = self.tracker.stack_pointer;
        let values = &mut self.tracker.values;
        match operator {
            Operator::LocalGet { local_index } => values.push(values.local(*local_index)),
            Operator::LocalSet { local_index } => {
                let value = values.pop();
                values.set_local(*local_index, value);
            }
            Operator::LocalTee { local_index } => {
                let value = values.pop();
                let value = values.set_local(*local_index, value);
                values.push(value);
            }
            Operator::I32Const { value } => values.push(Value::constant(*value)),
            Operator::I32Add => values.add(),
            Operator::I32Sub => values.subtract(),
            Operator::I32And => values.and(),
            Operator::GlobalGet { global_index } if Some(*global_index) == stack_pointer => {
                values.push(values.stack_pointer());
            }
            Operator::GlobalSet { global_index } if Some(*global_index) == stack_pointer => {
                let value = values.pop();
                let is_lower = value.name == FRAME && value.delta <= 0;
                values.set_stack_pointer(if is_lower { value } else { Value::FRAME });
                self.tracker.is_unsure |= !is_lower && !self.may_move_stack;
            }
            Operator::Br { relative_depth } => {
                values.branch(*relative_depth);
                values.leave();
            }
            Operator::BrIf { relative_depth } => {
                values.pop();
                values.branch(*relative_depth);
            }
            Operator::BrTable { targets } => {
                for target in targets.targets() {
                    values.branch(target?);
                }
                values.branch(targets.default());
                values.leave();
            }
            Operator::Return
            | Operator::Throw { .. }
            | Operator::ThrowRef
            | Operator::Rethrow { .. }
            | Operator::Unreachable
            | Operator::ReturnCall { .. }
            | Operator::ReturnCallIndirect { .. } => values.leave(),
            Operator::Call { function_index } => {
                let kind = module.signature(*function_index)?;
                let count = kind.params().len();
                let first = count.checked_sub(1).map(|others| values.below(others));
                values.pop_many(count);
                let returns_first = self.tracker.survey.returns_first(module, *function_index);
                match first {
                    Some(first) if returns_first && kind.results().len() == 1 => values.push(first),
                    _ => values.push_unknown(kind.results().len()),
                }
            }
            Operator::CallIndirect { type_index, .. } => {
                let kind = module.function_type(*type_index)?;
                values.pop_many(kind.params().len() + 1);
                values.push_unknown(kind.results().len());
            }
            other => {
                let (taken, left) =
                    arity_of(other).ok_or_else(|| Error::Malformed("an instruction is unknown".to_owned()))?;
                values.pop_many(taken.into());
                values.push_unknown(left.into());
            }
        }
        Ok(())
    }

    fn renumber(&mut self, operator: &Operator<'_>, function: u32, start: usize, end: usize) {
        let imports = self.tracker.added.imports;
        if imports == 0 {
            return;
        }
        let function = renumber(self.tracker.module, imports, function);
        let instruction = match operator {
            Operator::Call { .. } => Instruction::Call(function),
            Operator::ReturnCall { .. } => Instruction::ReturnCall(function),
            _ => Instruction::RefFunc(function),
        };
        self.replace(start, end, &[instruction]);
    }

    fn store(&mut self, offset: u64, size: u64, kind: ValType, start: usize, end: usize) {
        self.tracker.statistics.stores += 1;
        let address = self.tracker.values.below(1);
        match decide(&mut self.tracker.values, address, offset, size) {
            Mark::Frame => self.tracker.statistics.frame_stores += 1,
            Mark::Covered => {}
            Mark::Card(card) => {
                self.copy_to(start);
                self.mark_card(card);
            }
            Mark::Local { local, distance } => {
                self.copy_to(start);
                self.mark_local(local, distance);
            }
            Mark::Operand { distance } => {
                let value = self.new_local(kind, Purpose::Value);
                let address = self.new_local(ValType::I32, Purpose::Address);
                self.copy_to(start);
                self.put(&[Instruction::LocalSet(value), Instruction::LocalTee(address), Instruction::LocalGet(value)]);
                self.copy_to(end);
                self.mark_local(address, distance);
            }
        }
    }

    /// An instruction that writes many bytes: `address value length`. If it traps, nothing is marked.
    fn range(&mut self, start: usize, end: usize) {
        self.tracker.statistics.stores += 1;
        let (address, length) = (self.tracker.values.below(2), self.tracker.values.below(0));
        let length = length.as_constant().map(i32::cast_unsigned).filter(|&length| length <= REACH);
        match length {
            Some(0) => {}
            // What one mark does not cover is left to the function, and so is what is not in a local.
            Some(length) if address.name == FRAME || self.is_in_local(address) => {
                match decide(&mut self.tracker.values, address, 0, length.into()) {
                    Mark::Frame => self.tracker.statistics.frame_stores += 1,
                    Mark::Local { local, distance } => {
                        self.copy_to(start);
                        self.mark_local(local, distance);
                    }
                    Mark::Card(card) => {
                        self.copy_to(start);
                        self.mark_card(card);
                    }
                    Mark::Covered => {}
                    Mark::Operand { .. } => self.mark_range(start, end),
                }
            }
            _ => self.mark_range(start, end),
        }
    }

    fn is_in_local(&self, address: Value) -> bool {
        self.tracker.values.local(address.local).name == address.name
    }

    fn mark_range(&mut self, start: usize, end: usize) {
        let [address, value, length] =
            [Purpose::Address, Purpose::Value, Purpose::Length].map(|purpose| self.new_local(ValType::I32, purpose));
        let mark = self.tracker.added.mark;
        self.copy_to(start);
        self.put(&[
            Instruction::LocalSet(length),
            Instruction::LocalSet(value),
            Instruction::LocalTee(address),
            Instruction::LocalGet(value),
            Instruction::LocalGet(length),
        ]);
        self.copy_to(end);
        self.put(&[
            Instruction::LocalGet(length),
            Instruction::I32Const(1),
            Instruction::I32Sub,
            Instruction::I32Const(REACH.cast_signed()),
            Instruction::I32LtU,
            Instruction::If,
        ]);
        self.mark_local(address, 0);
        self.put(&[
            Instruction::Else,
            Instruction::LocalGet(address),
            Instruction::LocalGet(length),
            Instruction::Call(mark),
            Instruction::End,
        ]);
    }

    fn write_table(&mut self, write: Write, start: usize, end: usize) {
        let function = self.tracker.write_function(write);
        self.replace(start, end, &[Instruction::Call(function)]);
    }

    /// Whether the function is the one that makes room on the stack for glue: nothing in the module calls it.
    fn may_move_stack(&self, function: usize, operators: &[(Operator<'_>, usize)]) -> bool {
        let number = self.tracker.module.imported_functions + function as u32;
        let is_called = self.tracker.survey.called.get(number as usize).copied().unwrap_or(true);
        self.tracker.stack_pointer.is_some_and(|global| !is_called && makes_room(operators, global))
    }
}

/// What becomes of the results of `memory.grow` (`growth` says why).
impl Code<'_, '_> {
    fn note_use_of_growth(&mut self, operator: &Operator<'_>) {
        let is_harmless = matches!(
            operator,
            Operator::Drop | Operator::LocalGet { .. } | Operator::LocalSet { .. } | Operator::LocalTee { .. }
        );
        if self.grown.iter().all(|&(_, is_used)| is_used) || is_harmless {
            return;
        }
        let values = &self.tracker.values;
        let is_comparison = matches!(operator, Operator::I32Eq | Operator::I32Ne);
        if is_comparison && (0..2).any(|others| values.below(others).as_constant() == Some(-1)) {
            return;
        }
        let taken = arity_of(operator).map(|(taken, _)| usize::from(taken));
        for (name, is_used) in &mut self.grown {
            *is_used |= match taken {
                Some(taken) => (0..taken).any(|others| values.below(others).name == *name),
                // Calls, and branches that take values along.
                None => values.has_on_stack(*name),
            };
        }
    }

    fn held_growth(&self) -> Vec<u32> {
        let values = &self.tracker.values;
        let held = |name: &u32| values.is_in_local(*name) || values.has_on_stack(*name);
        self.grown.iter().map(|&(name, _)| name).filter(held).collect()
    }

    /// What was there, and is lost where ways join, may be used.
    fn lose_growth(&mut self, held: &[u32]) {
        let rest = self.held_growth();
        for (name, is_used) in &mut self.grown {
            *is_used |= held.contains(name) && !rest.contains(name);
        }
    }
}
