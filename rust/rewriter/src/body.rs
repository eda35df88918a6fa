//! The body of a function: the instructions that matter to the rewriter. It copies the bytes between them.

use crate::Error;
use wasm_encoder::{Encode, ValType};
use wasmparser::{BinaryReaderError, BlockType, Catch, FunctionBody, Operator, OperatorsReader};

/// An instruction that matters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    /// Where its bytes begin and end in [`Body::bytes`].
    pub start: usize,
    pub end: usize,
    /// How many other instructions there are between the previous event and this one.
    pub plain: u32,
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Loop(BlockType),
    Block,
    If,
    /// `try` or `try_table`, of the first and of the second proposal of exception handling.
    Try,
    Else,
    /// `catch` or `catch_all` of the first proposal.
    Catch,
    /// `end`, or `delegate`.
    Close,
    Branch {
        depth: u32,
        opcode: u8,
    },
    /// `br_table`, whose targets are read again when they are needed.
    Table,
    /// `return`, `throw`, `throw_ref`.
    Leave,
    /// `rethrow` of the first proposal, which names the `try` that caught.
    Rethrow {
        depth: u32,
    },
    Call {
        function: u32,
        is_tail: bool,
    },
    CallIndirect {
        is_tail: bool,
    },
    Reference {
        function: u32,
    },
    /// An instruction that fills or copies a range: it takes as long as the range is.
    Bulk(Ranges),
}

/// Where the ranges of a bulk instruction are. The length has 64 bits if all of them are in memories or tables of 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ranges {
    Memories(u32, u32),
    Tables(u32, u32),
    Segment,
}

/// Shorter constant lengths take no time worth counting.
const LONG: i32 = 4096;

pub(crate) struct Body<'a> {
    pub bytes: &'a [u8],
    pub locals: Locals,
    pub events: Vec<Event>,
    /// Where a `try_table` continues after an exception: the number of its event, and the depth of a block around it.
    pub handlers: Vec<(usize, u32)>,
    /// Functions to which this one makes references.
    pub taken: Vec<u32>,
    pub has_loops: bool,
    /// It has an instruction that throws.
    pub throws: bool,
    /// It has an instruction that takes as long as it is told.
    pub has_bulk: bool,
    /// How many instructions it has.
    pub size: u32,
}

/// The beginning of a body: its locals.
#[derive(Clone, Copy)]
pub(crate) struct Locals {
    /// How many locals it has besides its parameters.
    pub count: u32,
    /// How many declarations of locals there are, and where they begin, after that number.
    pub declaration_count: u32,
    pub declarations: usize,
    /// Where the instructions begin.
    pub code: usize,
}

/// What engines allow: <https://webassembly.github.io/spec/js-api/#limits>
const MOST_LOCALS: u32 = 50_000;
const LARGEST_BODY: usize = 7_654_321;

impl Locals {
    pub(crate) fn read(body: &FunctionBody<'_>) -> Result<Self, Error> {
        let origin = body.range().start;
        let here = |position: u64| usize::try_from(position - origin).unwrap_or(usize::MAX);
        let mut reader = body.get_locals_reader()?;
        let declaration_count = reader.get_count();
        let declarations = here(reader.original_position());
        let mut locals = 0u32;
        for _ in 0..declaration_count {
            let (count, _) = reader.read()?;
            locals = locals.checked_add(count).ok_or_else(too_many_locals)?;
        }
        let code = here(body.get_operators_reader()?.original_position());
        Ok(Locals { count: locals, declaration_count, declarations, code })
    }

    /// Writes the declarations, and one for each local that is added.
    pub(crate) fn declare(&self, bytes: &[u8], added: &[ValType], output: &mut Vec<u8>) {
        (self.declaration_count + added.len() as u32).encode(output);
        output.extend_from_slice(&bytes[self.declarations..self.code]);
        for kind in added {
            1u32.encode(output);
            kind.encode(output);
        }
    }

    /// The number of the first local that is added to a function: it comes after all others.
    pub(crate) fn first_new(&self, parameters: u32, added: u32) -> Result<u32, Error> {
        let all = parameters.checked_add(self.count);
        all.filter(|all| all.checked_add(added).is_some_and(|all| all <= MOST_LOCALS))
            .ok_or_else(|| Error::Refused("a function has too many locals".to_owned()))
    }
}

/// Refuses a body that engines would not take any more.
pub(crate) fn check_size(body: &[u8]) -> Result<(), Error> {
    if body.len() > LARGEST_BODY {
        return Err(Error::Refused("a function has too many instructions".to_owned()));
    }
    Ok(())
}

impl<'a> Body<'a> {
    pub(crate) fn read(body: &FunctionBody<'a>) -> Result<Self, Error> {
        let origin = body.range().start;
        let here = |position: u64| usize::try_from(position - origin).unwrap_or(usize::MAX);
        let mut operators = body.get_operators_reader()?;
        let mut read = Body {
            bytes: body.as_bytes(),
            locals: Locals::read(body)?,
            events: Vec::new(),
            handlers: Vec::new(),
            taken: Vec::new(),
            has_loops: false,
            throws: false,
            has_bulk: false,
            size: 0,
        };
        let mut plain = 0;
        let mut constant = None;
        while !operators.eof() {
            let start = here(operators.original_position());
            let operator = next_operator(&mut operators)?;
            read.size += 1;
            let is_short = matches!(constant, Some(0..=LONG));
            constant = if let Operator::I32Const { value } = operator { Some(value) } else { None };
            match read.kind(&operator)? {
                Some(Kind::Bulk(_)) if is_short => plain += 1,
                Some(kind) => {
                    read.has_bulk |= matches!(kind, Kind::Bulk(_));
                    let end = here(operators.original_position());
                    read.events.push(Event { start, end, plain, kind });
                    plain = 0;
                }
                None => plain += 1,
            }
        }
        operators.finish()?;
        Ok(read)
    }

    fn kind(&mut self, operator: &Operator<'a>) -> Result<Option<Kind>, Error> {
        let kind = match operator {
            Operator::Loop { blockty } => {
                self.has_loops = true;
                Kind::Loop(*blockty)
            }
            Operator::Block { .. } => Kind::Block,
            Operator::If { .. } => Kind::If,
            Operator::Try { .. } => Kind::Try,
            Operator::TryTable { try_table } => {
                let number = self.events.len();
                self.handlers.extend(try_table.catches.iter().map(|catch| (number, depth_of(catch))));
                Kind::Try
            }
            Operator::Else => Kind::Else,
            Operator::Catch { .. } | Operator::CatchAll => Kind::Catch,
            Operator::End | Operator::Delegate { .. } => Kind::Close,
            Operator::Br { relative_depth: depth } => Kind::Branch { depth: *depth, opcode: 0x0c },
            Operator::BrIf { relative_depth: depth } => Kind::Branch { depth: *depth, opcode: 0x0d },
            Operator::BrTable { .. } => Kind::Table,
            Operator::Return => Kind::Leave,
            Operator::Throw { .. } | Operator::ThrowRef => {
                self.throws = true;
                Kind::Leave
            }
            Operator::Rethrow { relative_depth } => {
                self.throws = true;
                Kind::Rethrow { depth: *relative_depth }
            }
            Operator::Call { function_index: function } => Kind::Call { function: *function, is_tail: false },
            Operator::ReturnCall { function_index: function } => Kind::Call { function: *function, is_tail: true },
            Operator::CallIndirect { .. } => Kind::CallIndirect { is_tail: false },
            Operator::ReturnCallIndirect { .. } => Kind::CallIndirect { is_tail: true },
            Operator::RefFunc { function_index: function } => {
                self.taken.push(*function);
                Kind::Reference { function: *function }
            }
            other => {
                refuse_unknown(other)?;
                let Some(ranges) = ranges_of(other) else { return Ok(None) };
                Kind::Bulk(ranges)
            }
        };
        Ok(Some(kind))
    }
}

fn ranges_of(operator: &Operator<'_>) -> Option<Ranges> {
    match *operator {
        Operator::MemoryFill { mem } => Some(Ranges::Memories(mem, mem)),
        Operator::MemoryCopy { dst_mem, src_mem } => Some(Ranges::Memories(dst_mem, src_mem)),
        Operator::TableFill { table } => Some(Ranges::Tables(table, table)),
        Operator::TableCopy { dst_table, src_table } => Some(Ranges::Tables(dst_table, src_table)),
        Operator::MemoryInit { .. } | Operator::TableInit { .. } => Some(Ranges::Segment),
        _ => None,
    }
}

/// Reads an instruction. The code for that is large, so there is one copy of it.
#[inline(never)]
pub(crate) fn next_operator<'a>(operators: &mut OperatorsReader<'a>) -> Result<Operator<'a>, BinaryReaderError> {
    operators.read()
}

pub(crate) fn depth_of(catch: &Catch) -> u32 {
    match *catch {
        Catch::One { label, .. } | Catch::OneRef { label, .. } | Catch::All { label } | Catch::AllRef { label } => {
            label
        }
    }
}

fn too_many_locals() -> Error {
    Error::Malformed("a function has more than 2^32 locals".to_owned())
}

/// The proposals whose instructions do what the rewriter takes for granted, and the others.
const PROPOSALS: [&str; 19] = [
    "mvp",
    "sign_extension",
    "saturating_float_to_int",
    "bulk_memory",
    "reference_types",
    "tail_call",
    "simd",
    "relaxed_simd",
    "exceptions",
    "legacy_exceptions",
    "wide_arithmetic",
    "acquire_release_atomics",
    "custom_descriptors",
    "function_references",
    "gc",
    "memory_control",
    "shared_everything_threads",
    "stack_switching",
    "threads",
];
const KNOWN: u8 = 11;

/// Defines `proposal_of`, which tells the proposal that an instruction comes from, and `name_of`.
macro_rules! define_origin {
    ($( @$proposal:ident $operator:ident $({ $($argument:ident: $kind:ty),* })? => $visit:ident ($($arity:tt)*) )*) => {
        fn proposal_of(operator: &Operator<'_>) -> u8 {
            match operator {
                $( Operator::$operator $({ $($argument: _),* })? => const { number_of(stringify!($proposal)) }, )*
                _ => u8::MAX,
            }
        }

        #[cold]
        fn name_of(operator: &Operator<'_>) -> &'static str {
            match operator {
                $( Operator::$operator $({ $($argument: _),* })? => stringify!($operator), )*
                _ => "",
            }
        }
    };
}
wasmparser::for_each_operator!(define_origin);

const fn number_of(proposal: &str) -> u8 {
    let mut at = 0;
    while !is_same(PROPOSALS[at].as_bytes(), proposal.as_bytes()) {
        at += 1;
    }
    at as u8
}

const fn is_same(one: &[u8], other: &[u8]) -> bool {
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

/// Refuses instructions of proposals that the rewriter does not know: they may branch or call, and nothing would count.
pub(crate) fn refuse_unknown(operator: &Operator<'_>) -> Result<(), Error> {
    let proposal = proposal_of(operator);
    if proposal < KNOWN {
        return Ok(());
    }
    let name = PROPOSALS.get(usize::from(proposal)).unwrap_or(&"something unknown").replace('_', " ");
    Err(Error::Refused(format!("it uses {name} (the instruction {})", name_of(operator))))
}
