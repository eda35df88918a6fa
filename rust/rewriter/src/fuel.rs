//! The bodies of functions, with the counter in them.
//!
//! The fuel is in a global. A function with loops keeps it in a local, which the engine can hold in a register, and
//! writes it to the global wherever others may read it: before calls, and where the function ends. After a call, and
//! where an exception was caught, the function reads the global again. The head of a loop takes off what one turn
//! costs: a unit for each instruction, so that fuel stands for time, whatever the loop does.
//!
//! An instruction that fills or copies a long range of memory takes off what its length costs, and leaves the look to the
//! next loop or function. The runtime takes all fuel away when imports have taken long.
//!
//! A small innermost loop takes several turns for each look at the counter. Its body is repeated, and each copy but the
//! last one is in a block, at whose end the next turn begins:
//!
//! ```wat
//! block $exit
//!   loop $loop
//!     (take off what four turns cost)
//!     block $next (body) br $exit end   ;; a branch to the loop becomes a branch to $next
//!     block $next (body) br $exit end
//!     block $next (body) br $exit end
//!     (body)
//!   end
//! end
//! ```

use crate::body::{Body, Event, Kind, Ranges};
use crate::cycles::{Calls, MOST};
use crate::instruction::Instruction;
use crate::loops::{Blocks, Loop};
use crate::read::Module;
use crate::{Error, Statistics};
use std::ops::Range;
use wasm_encoder::Encode;
use wasmparser::{BinaryReader, BrTable, Operator, OperatorsReader};

/// Turns of a small loop for each look at the counter.
const TURNS: u32 = 4;
/// A bulk instruction moves so many bytes in the time of one instruction, as a power of two.
const BYTES_SHIFT: i32 = 2;
/// What engines allow: <https://webassembly.github.io/spec/js-api/#limits>
const MOST_LOCALS: u32 = 50_000;
const LARGEST_BODY: usize = 7_654_321;

/// The numbers of what the rewriter adds, in the rewritten module.
#[derive(Clone, Copy)]
pub(crate) struct Added {
    /// The global that holds the fuel.
    pub fuel: u32,
    /// The function that is called when there is none left.
    pub refuel: u32,
}

/// A body as it is in the code section, without its size.
pub(crate) struct Written {
    pub code: Vec<u8>,
    /// Where the instructions `if` are whose condition mostly fails.
    pub unlikely: Vec<u32>,
}

pub(crate) struct Writer<'m> {
    pub module: &'m Module<'m>,
    pub calls: &'m Calls,
    pub added: Added,
}

impl Writer<'_> {
    /// The body of a defined function.
    pub(crate) fn body(&self, function: usize, statistics: &mut Statistics) -> Result<Written, Error> {
        let body = &self.module.bodies[function];
        let entry = self.calls.entries[function];
        let counts = body.has_loops || entry.is_some();
        let added = u32::from(counts) + u32::from(body.has_bulk);
        let first = if added > 0 { self.new_local(function, added)? } else { 0 };
        let mut code = Code {
            writer: self,
            body,
            local: counts.then_some(first),
            length: body.has_bulk.then_some(first + u32::from(counts)),
            keeps: body.has_loops,
            blocks: Blocks::of(self.module, self.calls, body)?,
            output: Vec::with_capacity(body.bytes.len() * 3 / 2),
            labels: Vec::new(),
            is_written: true,
            unlikely: Vec::new(),
            statistics,
        };
        code.declare_locals(added);
        code.begin(entry);
        code.events(0..body.events.len(), body.code, None)?;
        if code.output.len() > LARGEST_BODY {
            return Err(too_large("instructions"));
        }
        code.statistics.functions += 1;
        Ok(Written { code: code.output, unlikely: code.unlikely })
    }

    /// The number of the first local that a function gets: it comes after all others.
    fn new_local(&self, function: usize, count: u32) -> Result<u32, Error> {
        let parameters = self.module.parameters(function)?;
        let local = parameters.checked_add(self.module.bodies[function].locals);
        local.filter(|&local| local.saturating_add(count) <= MOST_LOCALS).ok_or_else(|| too_large("locals"))
    }
}

/// The number of a function in the rewritten module: one more import comes before those that are not imported.
pub(crate) fn renumber(module: &Module<'_>, function: u32) -> u32 {
    function.saturating_add(u32::from(function >= module.imported_functions))
}

/// The turn of an unrolled loop that is being written.
#[derive(Clone, Copy)]
struct Turn {
    /// How many labels there are around the loop's body, that of the loop included.
    outside: usize,
    /// How many blocks more there are around it than in the original.
    more: u32,
}

/// An open block of the original.
#[derive(Clone, Copy)]
struct Label {
    kind: Kind,
    /// An exception that a `try_table` caught continues here, with fuel that is in the global alone. So all other ways
    /// to here write the global too.
    is_landing: bool,
    /// Whether the global was up to date where the block began.
    at_open: bool,
    /// Whether it is up to date on all ways that lead from inside the block to its end, as far as they were seen.
    arriving: bool,
}

struct Code<'w> {
    writer: &'w Writer<'w>,
    body: &'w Body<'w>,
    /// The local that is added for the fuel, if one is.
    local: Option<u32>,
    /// The local that is added for the lengths of bulk instructions, if there are any.
    length: Option<u32>,
    /// The local holds the fuel in the whole function, and not only at its beginning.
    keeps: bool,
    blocks: Blocks,
    output: Vec<u8>,
    labels: Vec<Label>,
    /// The global is up to date here: on every way to here, it was written or read after the last look at the counter.
    is_written: bool,
    unlikely: Vec<u32>,
    statistics: &'w mut Statistics,
}

/// The counter.
impl Code<'_> {
    fn put(&mut self, instructions: &[Instruction]) {
        for instruction in instructions {
            instruction.encode(&mut self.output);
        }
    }

    fn declare_locals(&mut self, added: u32) {
        let more = u32::from(added > 0);
        (self.body.declaration_count + more).encode(&mut self.output);
        self.output.extend_from_slice(&self.body.bytes[self.body.declarations..self.body.code]);
        if added > 0 {
            added.encode(&mut self.output);
            wasm_encoder::ValType::I32.encode(&mut self.output);
        }
    }

    fn begin(&mut self, entry: Option<u32>) {
        let Some(local) = self.local else { return };
        self.put(&[Instruction::GlobalGet(self.writer.added.fuel)]);
        let Some(cost) = entry else { return self.put(&[Instruction::LocalSet(local)]) };
        self.statistics.entries += 1;
        self.take_off(local, cost);
        if !self.keeps {
            self.write();
        }
    }

    /// The look at the counter at the head of a loop.
    fn head(&mut self, cost: u32, is_landing: bool) {
        if let Some(local) = self.local {
            let fuel = self.writer.added.fuel;
            self.put(&[if is_landing { Instruction::GlobalGet(fuel) } else { Instruction::LocalGet(local) }]);
            self.take_off(local, cost.max(1));
        }
    }

    /// Takes a cost off the fuel on the stack, puts the rest into the local, and asks for more if it is below zero.
    fn take_off(&mut self, local: u32, cost: u32) {
        let cost = i32::try_from(cost).unwrap_or(i32::MAX);
        self.put(&[
            Instruction::I32Const(cost),
            Instruction::I32Sub,
            Instruction::LocalTee(local),
            Instruction::I32Const(0),
            Instruction::I32LtS,
        ]);
        self.unlikely.push(u32::try_from(self.output.len()).unwrap_or(u32::MAX));
        self.put(&[
            Instruction::If,
            Instruction::Call(self.writer.added.refuel),
            Instruction::LocalSet(local),
            Instruction::End,
        ]);
        self.is_written = false;
    }

    /// Takes off what a bulk instruction costs, whose length is on the stack. A length of 64 bits is not looked at:
    /// wasm-bindgen makes no such modules.
    fn charge_bulk(&mut self, ranges: Ranges) {
        let Some(length) = self.length else { return };
        let fuel = self.writer.added.fuel;
        let local = self.local.filter(|_| self.keeps);
        let get = local.map_or(Instruction::GlobalGet(fuel), Instruction::LocalGet);
        if self.writer.module.has_wide_length(ranges) {
            self.put(&[get, Instruction::I32Const(i32::try_from(MOST).unwrap_or(i32::MAX))]);
        } else {
            let shift = Instruction::I32Const(BYTES_SHIFT);
            self.put(&[Instruction::LocalTee(length), get, Instruction::LocalGet(length), shift, Instruction::I32ShrU]);
        }
        let set = local.map_or(Instruction::GlobalSet(fuel), Instruction::LocalSet);
        self.put(&[Instruction::I32Sub, set]);
        self.is_written &= local.is_none();
    }

    /// Writes the local to the global, unless it is up to date.
    fn write(&mut self) {
        if let (Some(local), false) = (self.local, self.is_written) {
            self.put(&[Instruction::LocalGet(local), Instruction::GlobalSet(self.writer.added.fuel)]);
            self.is_written = true;
        }
    }

    /// Reads the local from the global, which somebody else may have changed.
    fn read(&mut self) {
        if let (Some(local), true) = (self.local, self.keeps) {
            self.put(&[Instruction::GlobalGet(self.writer.added.fuel), Instruction::LocalSet(local)]);
            self.is_written = true;
        }
    }

    /// Lets others see the fuel.
    fn share(&mut self) {
        if self.keeps {
            self.write();
        }
    }
}

/// The instructions of the original.
impl Code<'_> {
    fn copy(&mut self, bytes: Range<usize>) {
        let body = self.body;
        self.output.extend_from_slice(&body.bytes[bytes]);
    }

    /// Writes events, and the instructions before each of them from a place on.
    fn events(&mut self, numbers: Range<usize>, from: usize, turn: Option<Turn>) -> Result<(), Error> {
        let body = self.body;
        let (mut number, mut from) = (numbers.start, from);
        while number < numbers.end {
            let event = body.events[number];
            self.copy(from..event.start);
            match self.blocks.loop_at(number) {
                Some(found) if found.can_be_unrolled && turn.is_none() => {
                    self.unroll(number, found)?;
                    number = found.close;
                }
                _ => self.event(number, event, turn)?,
            }
            from = body.events[number].end;
            number += 1;
        }
        // After the last event comes the end of the body, or the event that closes the loop.
        let rest = body.events.get(number).map_or(body.bytes.len(), |event| event.start);
        self.copy(from..rest);
        Ok(())
    }

    fn event(&mut self, number: usize, event: Event, turn: Option<Turn>) -> Result<(), Error> {
        let own = event.start..event.end;
        match event.kind {
            Kind::Loop(_) | Kind::Block | Kind::If | Kind::Try => self.open(number, event),
            Kind::Else | Kind::Catch => self.divide(event),
            Kind::Close => self.close(own),
            Kind::Branch { depth, opcode } => {
                self.arrive(&[depth]);
                self.output.push(opcode);
                self.target(depth, turn).encode(&mut self.output);
            }
            Kind::Table => self.table(event, turn)?,
            Kind::Leave => {
                self.share();
                self.copy(own);
            }
            Kind::Rethrow { depth } => {
                self.share();
                self.output.push(0x09); // rethrow
                self.target(depth, turn).encode(&mut self.output);
            }
            Kind::Call { function, is_tail } => self.call(function, is_tail),
            Kind::CallIndirect { is_tail } => {
                self.share();
                self.copy(own);
                if !is_tail {
                    self.read();
                }
            }
            Kind::Bulk(ranges) => {
                self.charge_bulk(ranges);
                self.copy(own);
            }
            Kind::Reference { function } => {
                self.put(&[Instruction::RefFunc(renumber(self.writer.module, function))]);
            }
        }
        Ok(())
    }

    fn open(&mut self, number: usize, event: Event) {
        let is_landing = self.blocks.is_landing(number);
        let is_loop = matches!(event.kind, Kind::Loop(_));
        if is_loop && is_landing {
            self.share();
        }
        self.copy(event.start..event.end);
        self.labels.push(Label { kind: event.kind, is_landing, at_open: self.is_written, arriving: true });
        if is_loop {
            self.statistics.loops += 1;
            self.head(self.blocks.loop_at(number).map_or(1, |found| found.cost), is_landing);
        }
    }

    /// `else` and `catch`: what comes before goes on at the end of the block.
    fn divide(&mut self, event: Event) {
        if self.labels.last().is_some_and(|label| label.is_landing) {
            self.share();
        }
        self.copy(event.start..event.end);
        if let Some(label) = self.labels.last_mut() {
            label.arriving &= self.is_written;
            label.kind = event.kind;
            self.is_written = label.at_open;
        }
        if event.kind == Kind::Catch {
            self.read();
        }
    }

    fn close(&mut self, own: Range<usize>) {
        let Some(label) = self.labels.pop() else {
            // The function's own block.
            self.share();
            return self.copy(own);
        };
        let is_loop = matches!(label.kind, Kind::Loop(_));
        if label.is_landing && !is_loop {
            self.share();
        }
        self.copy(own);
        match label.kind {
            // Branches to a loop do not come to its end.
            Kind::Loop(_) => {}
            // The condition may have failed.
            Kind::If => self.is_written &= label.arriving && label.at_open,
            _ => self.is_written &= label.arriving,
        }
        if label.is_landing && !is_loop {
            self.read();
        }
    }

    fn call(&mut self, function: u32, is_tail: bool) {
        let module = self.writer.module;
        let callee = renumber(module, function);
        let is_quiet = module.defined(function).is_some_and(|at| self.writer.calls.quiet[at].is_some());
        if is_tail || !is_quiet {
            self.share();
        }
        self.put(&[if is_tail { Instruction::ReturnCall(callee) } else { Instruction::Call(callee) }]);
        if !is_tail && !is_quiet {
            self.read();
        }
    }

    /// The label at a depth; none is the function's own block.
    fn label(&mut self, depth: u32) -> Option<&mut Label> {
        let place = self.labels.len().checked_sub(1 + depth as usize)?;
        self.labels.get_mut(place)
    }

    /// Before a branch to some depths. A branch to the function's own block is a return.
    fn arrive(&mut self, depths: &[u32]) {
        if depths.iter().any(|&depth| self.label(depth).is_none_or(|label| label.is_landing)) {
            self.share();
        }
        let is_written = self.is_written;
        for &depth in depths {
            if let Some(label) = self.label(depth) {
                label.arriving &= is_written;
            }
        }
    }

    /// The depth of a branch in the rewritten code. Blocks inside an unrolled body stay, and so does the loop itself,
    /// or the block `$next` in its place; what is around it is deeper by the blocks that were added.
    fn target(&self, depth: u32, turn: Option<Turn>) -> u32 {
        match turn {
            Some(turn) if depth as usize > self.labels.len() - turn.outside => depth.saturating_add(turn.more),
            _ => depth,
        }
    }

    fn table(&mut self, event: Event, turn: Option<Turn>) -> Result<(), Error> {
        let body = self.body;
        let targets = read_table(&body.bytes[event.start..event.end])?;
        let mut depths = targets.targets().collect::<Result<Vec<u32>, _>>()?;
        depths.push(targets.default());
        self.arrive(&depths);
        self.output.push(0x0e); // br_table
        targets.len().encode(&mut self.output);
        for depth in depths {
            self.target(depth, turn).encode(&mut self.output);
        }
        Ok(())
    }

    /// Writes a loop that takes several turns for each look at the counter.
    fn unroll(&mut self, number: usize, found: Loop) -> Result<(), Error> {
        let body = self.body;
        let opening = body.events[number];
        let kind = opening.start + 1..opening.end;
        self.statistics.loops += 1;
        self.statistics.unrolled += 1;
        self.output.push(0x02); // block
        self.copy(kind.clone());
        self.output.push(0x03); // loop
        self.copy(kind);
        self.labels.push(Label { kind: opening.kind, is_landing: false, at_open: false, arriving: true });
        self.head(found.cost.saturating_mul(TURNS).min(MOST), false);
        let outside = self.labels.len();
        for turn in 1..=TURNS {
            let is_last = turn == TURNS;
            if !is_last {
                self.put(&[Instruction::Block]);
            }
            let more = if is_last { 1 } else { 2 };
            self.events(number + 1..found.close, opening.end, Some(Turn { outside, more }))?;
            if !is_last {
                self.put(&[Instruction::Br(2), Instruction::End]);
            }
            self.is_written = false;
        }
        self.put(&[Instruction::End, Instruction::End]);
        self.labels.pop();
        Ok(())
    }
}

fn read_table(bytes: &[u8]) -> Result<BrTable<'_>, Error> {
    match OperatorsReader::new(BinaryReader::new(bytes, 0)).read()? {
        Operator::BrTable { targets } => Ok(targets),
        _ => Err(Error::Malformed("a br_table cannot be read twice".to_owned())),
    }
}

fn too_large(what: &str) -> Error {
    Error::Refused(format!("a function has too many {what}"))
}
