//! What a function's loops cost, which of them are unrolled, and where its exception handlers are.

use crate::body::{Body, Event, Kind};
use crate::cycles::{Calls, MOST};
use crate::read::Module;
use crate::Error;

/// Larger loops are not unrolled: a look at the counter is a small part of what they do.
const LARGEST_UNROLLED: u32 = 60;

#[derive(Clone, Copy)]
pub(crate) struct Loop {
    /// The number of the event that closes it.
    pub close: usize,
    /// What a turn costs: its instructions and those of quiet callees, without those of loops in it.
    pub cost: u32,
    pub can_be_unrolled: bool,
}

/// What is known of the blocks of a function, by the numbers of the events that open them.
#[derive(Default)]
pub(crate) struct Blocks {
    loops: Vec<Option<Loop>>,
    landings: Vec<bool>,
}

impl Blocks {
    pub(crate) fn of(module: &Module<'_>, calls: &Calls, body: &Body<'_>) -> Result<Self, Error> {
        if !body.has_loops {
            return Ok(Blocks::default());
        }
        let mut survey = Survey { module, calls, body, blocks: Blocks::default(), open: Vec::new(), loops: Vec::new() };
        survey.blocks.loops.resize(body.events.len(), None);
        survey.blocks.landings.resize(if body.handlers.is_empty() { 0 } else { body.events.len() }, false);
        for (number, event) in body.events.iter().enumerate() {
            survey.charge(event);
            survey.take(number, event);
        }
        if !survey.loops.is_empty() {
            return Err(Error::Malformed("a loop has no end".to_owned()));
        }
        Ok(survey.blocks)
    }

    /// The loop that an event opens.
    pub(crate) fn loop_at(&self, event: usize) -> Option<Loop> {
        self.loops.get(event).copied().flatten()
    }

    /// Does an exception that a `try_table` catches continue at the block that an event opens?
    pub(crate) fn is_landing(&self, event: usize) -> bool {
        self.landings.get(event).copied().unwrap_or(false)
    }
}

struct Survey<'s> {
    module: &'s Module<'s>,
    calls: &'s Calls,
    body: &'s Body<'s>,
    blocks: Blocks,
    /// The events that opened the blocks around the current one, and those of the loops among these.
    open: Vec<usize>,
    loops: Vec<usize>,
}

impl Survey<'_> {
    /// Charges an event, and the instructions before it, to the innermost loop around it.
    fn charge(&mut self, event: &Event) {
        let mut cost = event.plain + 1;
        let mut stays_small = true;
        match event.kind {
            Kind::Call { function, .. } => match self.module.defined(function).and_then(|at| self.calls.quiet[at]) {
                Some(callee) => cost = cost.saturating_add(callee),
                None => stays_small = false,
            },
            Kind::CallIndirect { .. } | Kind::Bulk(_) | Kind::Catch | Kind::Try | Kind::Loop(_) => {
                stays_small = false;
            }
            _ => {}
        }
        if let Some(found) = self.loops.last().and_then(|&at| self.blocks.loops[at].as_mut()) {
            found.cost = found.cost.saturating_add(cost).min(MOST);
            found.can_be_unrolled &= stays_small;
        }
    }

    fn take(&mut self, number: usize, event: &Event) {
        match event.kind {
            Kind::Loop(kind) => {
                let can_be_unrolled = !self.module.takes_values(kind);
                self.blocks.loops[number] = Some(Loop { close: number, cost: 0, can_be_unrolled });
                self.open.push(number);
                self.loops.push(number);
            }
            Kind::Block | Kind::If => self.open.push(number),
            Kind::Try => {
                self.land(number);
                self.open.push(number);
            }
            Kind::Close => self.close(number),
            _ => {}
        }
    }

    /// Notes the blocks at which a `try_table` continues. A depth beyond them is the function's own block: a return.
    fn land(&mut self, number: usize) {
        let handlers = &self.body.handlers;
        let first = handlers.partition_point(|&(event, _)| event < number);
        for &(_, depth) in handlers[first..].iter().take_while(|&&(event, _)| event == number) {
            if let Some(place) = self.open.len().checked_sub(1 + depth as usize) {
                self.blocks.landings[self.open[place]] = true;
            }
        }
    }

    fn close(&mut self, number: usize) {
        let Some(opener) = self.open.pop() else { return };
        if let Some(found) = self.blocks.loops[opener].as_mut() {
            found.close = number;
            found.can_be_unrolled &= found.cost <= LARGEST_UNROLLED;
            self.loops.pop();
        }
    }
}
