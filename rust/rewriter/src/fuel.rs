//! The bodies of functions, with the counter in them.
//!
//! The fuel is in a global. A function with loops keeps it in a local, which the engine can hold in a register, and
//! writes it back where somebody else could look: around calls, and where the function ends. At the head of a loop the
//! cost of one turn is taken off; a turn costs as many as it has instructions, so that fuel stands for time whatever the
//! loop does. What is thrown through a function takes its count along no further than to the last call.
//!
//! A small innermost loop turns several times for each look at the counter: its body is repeated, each time in a block of
//! its own, whose end is where the next turn begins.
//!
//! ```wat
//! block $exit              ;; a branch to the loop's end leaves here
//!   loop $loop
//!     (take the cost of four turns off)
//!     block (body) br $exit end   ;; a branch to the loop goes to the end of this block: the next turn
//!     block (body) br $exit end
//!     block (body) br $exit end
//!     (body)
//!   end
//! end
//! ```

use crate::body::{Body, Event, Kind};
use crate::cycles::{Calls, MOST};
use crate::instruction::Instruction;
use crate::read::Module;
use crate::{Error, Statistics};
use std::ops::Range;
use wasm_encoder::Encode;
use wasmparser::{BinaryReader, Operator, OperatorsReader};

/// Turns of a small loop for each look at the counter.
const TURNS: u32 = 4;
/// Larger loops are not unrolled: a look is a small part of what they do.
const LARGEST_UNROLLED: u32 = 60;

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
        let counts = self.calls.counts[function];
        let parameters = self.module.parameters(function)?;
        let local = parameters.checked_add(body.locals).ok_or_else(|| too_large("locals"))?;
        let mut code = Code {
            writer: self,
            body,
            local: (body.has_loops || counts).then_some(local),
            keeps: body.has_loops,
            loops: measure(self, body)?,
            output: Vec::with_capacity(body.bytes.len() * 3 / 2),
            depth: 0,
            is_written: true,
            unlikely: Vec::new(),
            statistics,
        };
        code.declare_locals();
        code.begin(counts);
        code.events(0..body.events.len(), body.code, None)?;
        code.statistics.functions += 1;
        Ok(Written { code: code.output, unlikely: code.unlikely })
    }

    /// The number of a function in the rewritten module: one more import comes before those that are not imported.
    pub(crate) fn renumber(&self, function: u32) -> u32 {
        renumber(self.module, function)
    }
}

pub(crate) fn renumber(module: &Module<'_>, function: u32) -> u32 {
    function.saturating_add(u32::from(function >= module.imported_functions))
}

/// A loop as it was measured.
#[derive(Clone, Copy)]
struct Loop {
    /// The number of the event that closes it.
    close: usize,
    /// What a turn costs: its instructions, without those of loops in it.
    cost: u32,
    can_be_unrolled: bool,
}

/// Measures the loops of a body; the places are those of their events.
fn measure(writer: &Writer<'_>, body: &Body<'_>) -> Result<Vec<Option<Loop>>, Error> {
    let mut loops = Vec::new();
    if !body.has_loops {
        return Ok(loops);
    }
    loops.resize(body.events.len(), None);
    // The open blocks, and the open loops by their places among them.
    let mut blocks: Vec<Option<usize>> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    for (number, event) in body.events.iter().enumerate() {
        let mut cost = event.plain + 1;
        let mut stays_small = true;
        match event.kind {
            Kind::Call { function, .. } => {
                match writer.module.defined(function).and_then(|at| writer.calls.quiet[at]) {
                    Some(callee) => cost = cost.saturating_add(callee),
                    None => stays_small = false,
                }
            }
            Kind::CallIndirect { .. } | Kind::Catch | Kind::Open { is_try: true } => stays_small = false,
            _ => {}
        }
        // What stands before a loop, and its own instruction, belong to what is around it.
        if let Some(found) = open.last().and_then(|&at| loops[at].as_mut()) {
            found.cost = found.cost.saturating_add(cost).min(MOST);
            found.can_be_unrolled &= stays_small && !matches!(event.kind, Kind::Loop(_));
        }
        match event.kind {
            Kind::Loop(kind) => {
                let can_be_unrolled = !writer.module.takes_values(kind);
                loops[number] = Some(Loop { close: number, cost: 0, can_be_unrolled });
                blocks.push(Some(number));
                open.push(number);
            }
            Kind::Open { .. } => blocks.push(None),
            Kind::Close => {
                if let Some(Some(at)) = blocks.pop() {
                    open.pop();
                    if let Some(found) = loops[at].as_mut() {
                        found.close = number;
                        found.can_be_unrolled &= found.cost <= LARGEST_UNROLLED;
                    }
                }
            }
            _ => {}
        }
    }
    if !open.is_empty() {
        return Err(Error::Malformed("a loop has no end".to_owned()));
    }
    Ok(loops)
}

/// The turn of an unrolled loop that is being written.
#[derive(Clone, Copy)]
struct Turn {
    /// How many blocks are open outside of the loop's body, the function's own and the loop included.
    outside: u32,
    /// How many blocks more there are around it than in the original.
    more: u32,
}

struct Code<'w> {
    writer: &'w Writer<'w>,
    body: &'w Body<'w>,
    /// The local that is added, if one is.
    local: Option<u32>,
    /// The fuel is in the local, not only at the beginning.
    keeps: bool,
    loops: Vec<Option<Loop>>,
    output: Vec<u8>,
    /// How many blocks of the original are open, without the function's own.
    depth: u32,
    /// The global has what the local has, on every way to here.
    is_written: bool,
    unlikely: Vec<u32>,
    statistics: &'w mut Statistics,
}

impl Code<'_> {
    fn put(&mut self, instructions: &[Instruction]) {
        for instruction in instructions {
            instruction.encode(&mut self.output);
        }
    }

    fn declare_locals(&mut self) {
        let more = u32::from(self.local.is_some());
        (self.body.declaration_count + more).encode(&mut self.output);
        self.output.extend_from_slice(&self.body.bytes[self.body.declarations..self.body.code]);
        if self.local.is_some() {
            1u32.encode(&mut self.output);
            wasm_encoder::ValType::I32.encode(&mut self.output);
        }
    }

    fn begin(&mut self, counts: bool) {
        let Some(local) = self.local else { return };
        self.put(&[Instruction::GlobalGet(self.writer.added.fuel)]);
        if counts {
            self.take_off(local, self.body.size.min(MOST));
            self.is_written = false;
            self.statistics.entries += 1;
            if !self.keeps {
                self.write();
            }
        } else {
            self.put(&[Instruction::LocalSet(local)]);
        }
    }

    /// Takes a cost off the number on the stack, and asks for more if there is none left; it is in the local then.
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
    }

    /// Writes the local to the global.
    fn write(&mut self) {
        if let (Some(local), false) = (self.local, self.is_written) {
            self.put(&[Instruction::LocalGet(local), Instruction::GlobalSet(self.writer.added.fuel)]);
        }
    }

    /// Reads the local from the global.
    fn read(&mut self) {
        if let (Some(local), true) = (self.local, self.keeps) {
            self.put(&[Instruction::GlobalGet(self.writer.added.fuel), Instruction::LocalSet(local)]);
            self.is_written = true;
        }
    }

    /// Before what others see of the fuel.
    fn share(&mut self) {
        if self.keeps {
            self.write();
        }
    }

    fn copy(&mut self, bytes: Range<usize>) {
        let body = self.body;
        self.output.extend_from_slice(&body.bytes[bytes]);
    }

    /// Writes events and what stands before them, from a place on.
    fn events(&mut self, numbers: Range<usize>, from: usize, turn: Option<Turn>) -> Result<(), Error> {
        let body = self.body;
        let (mut number, mut from) = (numbers.start, from);
        while number < numbers.end {
            let event = body.events[number];
            self.copy(from..event.start);
            let unrolled = match self.loops.get(number).copied().flatten() {
                Some(found) if found.can_be_unrolled && turn.is_none() => Some(found),
                _ => None,
            };
            if let Some(found) = unrolled {
                self.unroll(number, found)?;
                number = found.close;
            } else {
                self.event(number, event, turn)?;
            }
            from = body.events[number].end;
            number += 1;
        }
        // What is behind the last one is the body's rest, or belongs to the event that ends a turn.
        let rest = body.events.get(number).map_or(body.bytes.len(), |event| event.start);
        self.copy(from..rest);
        Ok(())
    }

    fn event(&mut self, number: usize, event: Event, turn: Option<Turn>) -> Result<(), Error> {
        let own = event.start..event.end;
        match event.kind {
            Kind::Loop(_) => {
                self.copy(own);
                self.depth += 1;
                self.statistics.loops += 1;
                let cost = self.loops[number].map_or(1, |found| found.cost);
                self.head(cost);
            }
            Kind::Open { .. } => {
                self.copy(own);
                self.depth += 1;
            }
            Kind::Else => {
                self.copy(own);
                self.is_written = false;
            }
            Kind::Catch => {
                self.copy(own);
                self.read();
            }
            Kind::Close => {
                if self.depth == 0 {
                    self.share();
                }
                self.copy(own);
                self.depth = self.depth.saturating_sub(1);
                self.is_written = false;
            }
            Kind::Branch { depth, opcode } => {
                self.share_if_outermost(depth);
                self.output.push(opcode);
                self.target(depth, turn).encode(&mut self.output);
            }
            Kind::Table { deepest } => {
                self.share_if_outermost(deepest);
                self.table(event, turn)?;
            }
            Kind::Leave => {
                self.share();
                self.copy(own);
            }
            Kind::Call { function, is_tail } => {
                let callee = self.writer.renumber(function);
                let module = self.writer.module;
                let is_quiet = module.defined(function).is_some_and(|at| self.writer.calls.quiet[at].is_some());
                if is_tail || !is_quiet {
                    self.share();
                }
                self.put(&[if is_tail { Instruction::ReturnCall(callee) } else { Instruction::Call(callee) }]);
                if !is_tail && !is_quiet {
                    self.read();
                }
            }
            Kind::CallIndirect { is_tail } => {
                self.share();
                self.copy(own);
                if !is_tail {
                    self.read();
                }
            }
            Kind::Reference { function } => self.put(&[Instruction::RefFunc(self.writer.renumber(function))]),
        }
        Ok(())
    }

    /// The look at the counter at the head of a loop.
    fn head(&mut self, cost: u32) {
        if let Some(local) = self.local {
            self.put(&[Instruction::LocalGet(local)]);
            self.take_off(local, cost.max(1));
            self.is_written = false;
        }
    }

    /// A branch to the function's own block is a return.
    fn share_if_outermost(&mut self, depth: u32) {
        if depth >= self.depth {
            self.share();
        }
    }

    /// The depth of a branch, when the loop around it is being unrolled.
    fn target(&self, depth: u32, turn: Option<Turn>) -> u32 {
        match turn {
            // The blocks in the loop's body stay, and so does the loop itself, or what stands for it.
            Some(turn) if depth > self.depth - turn.outside => depth.saturating_add(turn.more),
            _ => depth,
        }
    }

    fn table(&mut self, event: Event, turn: Option<Turn>) -> Result<(), Error> {
        let body = self.body;
        let reader = BinaryReader::new(&body.bytes[event.start..event.end], 0);
        let Operator::BrTable { targets } = OperatorsReader::new(reader).read()? else {
            return Err(Error::Malformed("a br_table cannot be read twice".to_owned()));
        };
        let mut depths = Vec::new();
        for depth in targets.targets() {
            depths.push(self.target(depth?, turn));
        }
        let default = self.target(targets.default(), turn);
        self.output.push(0x0e);
        depths.as_slice().encode(&mut self.output);
        default.encode(&mut self.output);
        Ok(())
    }

    /// Writes a loop whose body turns several times for each look at the counter.
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
        self.depth += 1;
        self.head(found.cost.saturating_mul(TURNS).min(MOST));
        let outside = self.depth;
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
        self.depth -= 1;
        Ok(())
    }
}

fn too_large(what: &str) -> Error {
    Error::Refused(format!("a function has too many {what}"))
}
