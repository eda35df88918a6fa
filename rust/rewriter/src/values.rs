//! What is known of the values on the stack and in the locals while the instructions of a function are read in order.
//!
//! A value has a *name*, which stands for one number that was computed at one place, and a distance from it. Two values
//! with the same name and distance are equal. Where ways join, a local that was set on one of them gets a new name.
//!
//! What happened on the way to an instruction is a log: locals that were set, and addresses whose cards were marked.
//! The next way from the same branch begins where the log is taken back to the branch. What holds where ways join is
//! what they have in common, the beginning of the log; so a label notes the shortest and the longest log that arrived.

use std::ops::Range;
use wasmparser::Operator;

/// A number modulo 2^32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    pub name: u32,
    /// What is added to what the name stands for.
    pub delta: i32,
    /// A local that held the value when it was pushed.
    pub local: u32,
}

/// The name of values of which nothing is known. Two of them need not be equal.
pub(crate) const UNKNOWN: u32 = 0;
/// The name of the number 0: a constant is at its value's distance from it.
pub(crate) const ZERO: u32 = 1;
/// The name of what the stack pointer is at most when the function begins. Values with this name may be below what
/// their distance says, and never above.
pub(crate) const FRAME: u32 = 2;
const FIRST_NAME: u32 = 3;
const NO_LOCAL: u32 = u32::MAX;
/// No mark.
const NONE: u32 = u32::MAX;
/// Frames are smaller: a value farther away than this is not taken for one in a frame.
const LARGEST_FRAME: i32 = 1 << 20;

impl Value {
    pub(crate) const UNKNOWN: Value = Value { name: UNKNOWN, delta: 0, local: NO_LOCAL };
    /// What the stack pointer is at most.
    pub(crate) const FRAME: Value = Value { name: FRAME, delta: 0, local: NO_LOCAL };

    pub(crate) fn constant(value: i32) -> Self {
        Value { name: ZERO, delta: value, local: NO_LOCAL }
    }

    /// The value of a constant.
    pub(crate) fn as_constant(self) -> Option<i32> {
        (self.name == ZERO).then_some(self.delta)
    }

    fn plus(self, distance: i32) -> Self {
        let sum = Value { delta: self.delta.wrapping_add(distance), ..self };
        match self.name {
            UNKNOWN => Value::UNKNOWN,
            FRAME => match self.delta.checked_add(distance) {
                Some(delta) if (-LARGEST_FRAME..=LARGEST_FRAME).contains(&delta) => sum,
                _ => Value::UNKNOWN,
            },
            _ => sum,
        }
    }
}

enum Change {
    /// A local was set; it had this value before.
    Local { local: u32, old: Value },
    /// The card of a value was marked; the name's mark before was made by that change.
    Mark { name: u32, delta: i32, previous: u32 },
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Block {
    Plain,
    Loop,
    If,
    Try,
}

struct Label {
    block: Block,
    /// No way leads to its beginning.
    is_dead: bool,
    /// How many values there are on the stack below those of the block.
    height: usize,
    parameters: usize,
    results: usize,
    /// How long the log was where it began.
    opened: usize,
    /// Its part of [`Values::assigned`].
    assigned: Range<usize>,
    /// Some way leads to its end.
    is_reached: bool,
    /// How long the logs were that arrived at its end.
    shortest: usize,
    longest: usize,
    /// A part of one of these logs was taken back since.
    is_cut: bool,
    /// The locals that are in the frame on all ways that arrived, and how far from its end at most.
    frame: Vec<(usize, i32)>,
}

impl Label {
    /// A way with a log of some length arrives.
    fn arrive(&mut self, length: usize) {
        self.is_reached = true;
        self.shortest = self.shortest.min(length);
        self.longest = self.longest.max(length);
    }
}

#[derive(Default)]
pub(crate) struct Values {
    stack: Vec<Value>,
    /// The last one is the stack pointer.
    locals: Vec<Value>,
    log: Vec<Change>,
    /// For each name: the change that marked it last.
    marks: Vec<u32>,
    labels: Vec<Label>,
    /// No way leads here.
    pub is_dead: bool,
    /// The locals that are set, in the order of the instructions.
    assigned: Vec<usize>,
    /// For each instruction that opens a block: which of them are set inside.
    ranges: Vec<Range<usize>>,
    /// How many blocks were opened.
    opened: usize,
    /// The locals that were in the frame somewhere before.
    in_frame: Vec<usize>,
}

/// Reading a function.
impl Values {
    /// Begins a function.
    pub(crate) fn begin(
        &mut self,
        operators: &[(Operator<'_>, usize)],
        parameters: usize,
        locals: usize,
        results: usize,
        stack_pointer: Option<u32>,
    ) {
        self.stack.clear();
        self.log.clear();
        self.labels.clear();
        self.marks.clear();
        self.marks.resize(FIRST_NAME as usize, NONE);
        self.in_frame.clear();
        self.locals.clear();
        for local in 0..parameters {
            let name = self.new_name();
            self.locals.push(Value { name, delta: 0, local: local as u32 });
        }
        self.locals.resize(locals, Value::constant(0));
        self.locals.push(Value::FRAME);
        self.is_dead = false;
        self.opened = 0;
        self.find_assigned(operators, stack_pointer);
        let assigned = 0..self.assigned.len();
        self.push_label(Block::Plain, 0, results, assigned);
    }

    fn find_assigned(&mut self, operators: &[(Operator<'_>, usize)], stack_pointer: Option<u32>) {
        self.assigned.clear();
        self.ranges.clear();
        let mut open = Vec::new();
        for (operator, _) in operators {
            match operator {
                Operator::Block { .. }
                | Operator::Loop { .. }
                | Operator::If { .. }
                | Operator::Try { .. }
                | Operator::TryTable { .. } => {
                    open.push(self.ranges.len());
                    self.ranges.push(self.assigned.len()..self.assigned.len());
                }
                Operator::End | Operator::Delegate { .. } => {
                    if let Some(at) = open.pop() {
                        self.ranges[at].end = self.assigned.len();
                    }
                }
                Operator::LocalSet { local_index } | Operator::LocalTee { local_index } => {
                    self.assigned.push((*local_index as usize).min(self.locals.len() - 1));
                }
                Operator::GlobalSet { global_index } if Some(*global_index) == stack_pointer => {
                    self.assigned.push(self.locals.len() - 1);
                }
                _ => {}
            }
        }
    }
}

/// Values.
impl Values {
    fn new_name(&mut self) -> u32 {
        self.marks.push(NONE);
        self.marks.len() as u32 - 1
    }

    /// Pushes a value that is known to be the same wherever it comes from here.
    pub(crate) fn push_named(&mut self) -> u32 {
        let name = self.new_name();
        self.push(Value { name, delta: 0, local: NO_LOCAL });
        name
    }

    /// Whether a value with one of some names is on the stack.
    pub(crate) fn has_on_stack(&self, name: u32) -> bool {
        self.stack.iter().any(|value| value.name == name)
    }

    pub(crate) fn is_in_local(&self, name: u32) -> bool {
        self.locals.iter().any(|value| value.name == name)
    }

    pub(crate) fn push(&mut self, value: Value) {
        self.stack.push(value);
    }

    pub(crate) fn push_unknown(&mut self, count: usize) {
        self.stack.resize(self.stack.len() + count, Value::UNKNOWN);
    }

    pub(crate) fn pop(&mut self) -> Value {
        let lowest = self.labels.last().map_or(0, |label| label.height);
        if self.stack.len() > lowest {
            self.stack.pop().unwrap_or(Value::UNKNOWN)
        } else {
            Value::UNKNOWN
        }
    }

    pub(crate) fn pop_many(&mut self, count: usize) {
        let lowest = self.labels.last().map_or(0, |label| label.height);
        self.stack.truncate(self.stack.len().saturating_sub(count).max(lowest));
    }

    /// The value below so many others on the stack.
    pub(crate) fn below(&self, others: usize) -> Value {
        let lowest = self.labels.last().map_or(0, |label| label.height);
        let at = self.stack.len().checked_sub(1 + others).filter(|&at| at >= lowest);
        at.map_or(Value::UNKNOWN, |at| self.stack[at])
    }

    /// The value of a local, as it can be pushed.
    pub(crate) fn local(&self, local: u32) -> Value {
        let value = self.locals.get(local as usize).copied().unwrap_or(Value::UNKNOWN);
        Value { local, ..value }
    }

    pub(crate) fn stack_pointer(&self) -> Value {
        self.locals.last().copied().unwrap_or(Value::FRAME)
    }

    pub(crate) fn set_stack_pointer(&mut self, value: Value) {
        self.set(self.locals.len() - 1, value);
    }

    /// Sets a local, and returns what it holds now: a value of which nothing was known gets a name.
    pub(crate) fn set_local(&mut self, local: u32, value: Value) -> Value {
        let value = if value.name == UNKNOWN { Value { name: self.new_name(), delta: 0, local } } else { value };
        if (local as usize) + 1 < self.locals.len() {
            self.set(local as usize, value);
        }
        Value { local, ..value }
    }

    fn set(&mut self, at: usize, value: Value) {
        self.log.push(Change::Local { local: at as u32, old: self.locals[at] });
        self.locals[at] = value;
        if value.name == FRAME && !self.in_frame.contains(&at) {
            self.in_frame.push(at);
        }
    }

    /// A local that may hold one of several values.
    fn forget(&mut self, at: usize) {
        let is_stack_pointer = at + 1 == self.locals.len();
        let value =
            if is_stack_pointer { Value::FRAME } else { Value { name: self.new_name(), delta: 0, local: at as u32 } };
        self.set(at, value);
    }

    pub(crate) fn add(&mut self) {
        let (right, left) = (self.pop(), self.pop());
        self.push(match (left.as_constant(), right.as_constant()) {
            (_, Some(distance)) => left.plus(distance),
            (Some(distance), None) => right.plus(distance),
            (None, None) => Value::UNKNOWN,
        });
    }

    pub(crate) fn subtract(&mut self) {
        let (right, left) = (self.pop(), self.pop());
        let distance = right.as_constant().filter(|&distance| distance != i32::MIN);
        self.push(distance.map_or(Value::UNKNOWN, |distance| left.plus(-distance)));
    }

    /// Bits that are taken away from the stack pointer do not bring it up.
    pub(crate) fn and(&mut self) {
        let (right, left) = (self.pop(), self.pop());
        let is_aligned = left.name == FRAME && right.as_constant().is_some();
        self.push(if is_aligned { left } else { Value::UNKNOWN });
    }
}

/// Marks.
impl Values {
    /// The marks that a name has on the way to here, as distances from what it stands for.
    pub(crate) fn marks(&self, name: u32) -> impl Iterator<Item = i32> + '_ {
        let mut next = self.marks[name as usize];
        std::iter::from_fn(move || match self.log.get(next as usize)? {
            Change::Mark { delta, previous, .. } => {
                next = *previous;
                Some(*delta)
            }
            Change::Local { .. } => None,
        })
    }

    pub(crate) fn note_mark(&mut self, name: u32, delta: i32) {
        if name == UNKNOWN || name == FRAME {
            return;
        }
        let previous = std::mem::replace(&mut self.marks[name as usize], self.log.len() as u32);
        self.log.push(Change::Mark { name, delta, previous });
    }
}

/// Blocks.
impl Values {
    fn push_label(&mut self, block: Block, parameters: usize, results: usize, assigned: Range<usize>) {
        let height = self.stack.len();
        self.labels.push(Label {
            block,
            is_dead: self.is_dead,
            height,
            parameters,
            results,
            opened: self.log.len(),
            assigned,
            is_reached: false,
            shortest: usize::MAX,
            longest: 0,
            is_cut: false,
            frame: Vec::new(),
        });
    }

    pub(crate) fn open(&mut self, block: Block, (parameters, results): (usize, usize)) {
        let assigned = self.ranges.get(self.opened).cloned().unwrap_or(0..0);
        self.opened += 1;
        if self.is_dead {
            return self.push_label(block, parameters, results, assigned);
        }
        self.pop_many(parameters);
        if block == Block::Loop {
            // Each turn brings other values.
            self.forget_assigned(assigned.clone());
        }
        self.push_label(block, parameters, results, assigned);
        self.push_unknown(parameters);
    }

    fn forget_assigned(&mut self, range: Range<usize>) {
        let first_new = self.marks.len() as u32;
        for at in range {
            let local = self.assigned[at];
            let is_new = self.locals[local].name >= first_new;
            let is_unchanged = local + 1 == self.locals.len() && self.locals[local] == Value::FRAME;
            if !is_new && !is_unchanged {
                self.forget(local);
            }
        }
    }

    /// The way that was read leads to the end of a block.
    fn arrive(&mut self, label: usize) {
        let label = &mut self.labels[label];
        let locals = &self.locals;
        let distance = |at: usize| Some(locals[at]).filter(|value| value.name == FRAME).map(|value| value.delta);
        if label.is_reached {
            label.frame.retain_mut(|(at, most)| {
                distance(*at).is_some_and(|delta| {
                    *most = (*most).max(delta);
                    true
                })
            });
        } else {
            label.frame = self.in_frame.iter().filter_map(|&at| Some((at, distance(at)?))).collect();
        }
        label.arrive(self.log.len());
    }

    /// A branch to a depth.
    pub(crate) fn branch(&mut self, depth: u32) {
        if let Some(label) = self.labels.len().checked_sub(1 + depth as usize) {
            // What a loop sets was forgotten where it began.
            if self.labels[label].block != Block::Loop {
                self.arrive(label);
            }
        }
    }

    /// An exception from somewhere in a block that begins here continues at a depth.
    pub(crate) fn land(&mut self, depth: u32) {
        if let Some(label) = self.labels.len().checked_sub(1 + depth as usize) {
            self.branch(depth);
            self.labels[label].is_cut = true;
            self.labels[label].frame.clear();
        }
    }

    /// No way leads on.
    pub(crate) fn leave(&mut self) {
        self.is_dead = true;
    }

    /// Takes the log back to a length.
    fn take_back(&mut self, length: usize) {
        if self.log.len() <= length {
            return;
        }
        for label in &mut self.labels {
            if label.is_reached && label.longest > length {
                label.is_cut = true;
                label.shortest = label.shortest.min(length);
            }
        }
        while self.log.len() > length {
            match self.log.pop() {
                Some(Change::Local { local, old }) => self.locals[local as usize] = old,
                Some(Change::Mark { name, previous, .. }) => self.marks[name as usize] = previous,
                None => {}
            }
        }
    }

    /// `else`, or `catch`: what comes before goes on at the end of the block.
    pub(crate) fn divide(&mut self) {
        let Some(at) = self.labels.len().checked_sub(1) else { return };
        if self.labels[at].is_dead {
            return;
        }
        if !self.is_dead {
            self.arrive(at);
        }
        self.take_back(self.labels[at].opened);
        let label = &mut self.labels[at];
        let (height, parameters, assigned) = (label.height, label.parameters, label.assigned.clone());
        let is_if = label.block == Block::If;
        if is_if {
            label.block = Block::Plain;
        }
        self.is_dead = false;
        self.stack.truncate(height);
        if is_if {
            self.push_unknown(parameters);
        } else {
            self.forget_assigned(assigned);
        }
    }

    /// The end of a block.
    pub(crate) fn close(&mut self) {
        let Some(at) = self.labels.len().checked_sub(1) else { return };
        if !self.labels[at].is_dead {
            if self.labels[at].block == Block::If {
                // There is no `else`: the condition may have failed.
                self.divide();
            }
            if self.labels[at].is_reached {
                if !self.is_dead {
                    self.arrive(at);
                }
                self.join(at);
            }
        }
        let Some(label) = self.labels.pop() else { return };
        self.stack.truncate(label.height);
        self.push_unknown(label.results);
    }

    fn join(&mut self, at: usize) {
        let Label { shortest, longest, is_cut, .. } = self.labels[at];
        let frame = std::mem::take(&mut self.labels[at].frame);
        self.is_dead = false;
        if is_cut {
            let assigned = self.labels[at].assigned.clone();
            self.take_back(shortest);
            self.forget_assigned(assigned);
        } else {
            self.forget_since(shortest, longest);
        }
        for (local, delta) in frame {
            if self.locals[local].name != FRAME || self.locals[local].delta != delta {
                self.set(local, Value { delta, ..Value::FRAME });
            }
        }
    }

    /// Takes the log back to a length. What it said further on holds on some ways only.
    fn forget_since(&mut self, length: usize, longest: usize) {
        let set: Vec<usize> = self.log[length.min(longest)..longest]
            .iter()
            .filter_map(|change| match change {
                Change::Local { local, .. } => Some(*local as usize),
                Change::Mark { .. } => None,
            })
            .collect();
        self.take_back(length);
        let first_new = self.marks.len() as u32;
        for local in set {
            if self.locals[local].name < first_new {
                self.forget(local);
            }
        }
    }
}
