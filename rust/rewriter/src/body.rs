//! The body of a function as the instructions that matter to the rewriter. The bytes between them are copied.

use crate::Error;
use wasmparser::{BlockType, FunctionBody, Operator};

/// An instruction that matters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    /// Where its bytes begin and end in [`Body::bytes`].
    pub start: usize,
    pub end: usize,
    /// How many instructions that do not matter stand before it, after the event before.
    pub plain: u32,
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Loop(BlockType),
    /// `block`, `if`, or a `try` of either proposal.
    Open {
        is_try: bool,
    },
    /// `else`: another way to what follows.
    Else,
    /// `catch` or `catch_all` of the first proposal of exception handling.
    Catch,
    /// `end`, or `delegate`.
    Close,
    Branch {
        depth: u32,
        opcode: u8,
    },
    /// `br_table`, whose targets are read again when they are needed; the deepest one.
    Table {
        deepest: u32,
    },
    /// `return`, `throw`, `rethrow`, `throw_ref`.
    Leave,
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
}

pub(crate) struct Body<'a> {
    pub bytes: &'a [u8],
    /// How many locals there are besides the parameters.
    pub locals: u32,
    /// Where the declarations of locals begin, after their count, and where the instructions begin.
    pub declarations: usize,
    pub code: usize,
    pub declaration_count: u32,
    pub events: Vec<Event>,
    /// Functions to which this one makes references.
    pub taken: Vec<u32>,
    pub has_loops: bool,
    /// All its instructions.
    pub size: u32,
}

impl<'a> Body<'a> {
    pub(crate) fn read(body: &FunctionBody<'a>) -> Result<Self, Error> {
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
        let mut operators = body.get_operators_reader()?;
        let mut read = Body {
            bytes: body.as_bytes(),
            locals,
            declarations,
            code: here(operators.original_position()),
            declaration_count,
            events: Vec::new(),
            taken: Vec::new(),
            has_loops: false,
            size: 0,
        };
        let mut plain = 0;
        while !operators.eof() {
            let start = here(operators.original_position());
            let operator = operators.read()?;
            read.size += 1;
            match read.kind(&operator)? {
                Some(kind) => {
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
            Operator::Block { .. } | Operator::If { .. } => Kind::Open { is_try: false },
            Operator::Try { .. } | Operator::TryTable { .. } => Kind::Open { is_try: true },
            Operator::Else => Kind::Else,
            Operator::Catch { .. } | Operator::CatchAll => Kind::Catch,
            Operator::End | Operator::Delegate { .. } => Kind::Close,
            Operator::Br { relative_depth: depth } => Kind::Branch { depth: *depth, opcode: 0x0c },
            Operator::BrIf { relative_depth: depth } => Kind::Branch { depth: *depth, opcode: 0x0d },
            Operator::BrTable { targets } => {
                let mut deepest = targets.default();
                for target in targets.targets() {
                    deepest = deepest.max(target?);
                }
                Kind::Table { deepest }
            }
            Operator::Return | Operator::Throw { .. } | Operator::Rethrow { .. } | Operator::ThrowRef => Kind::Leave,
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
                return Ok(None);
            }
        };
        Ok(Some(kind))
    }
}

fn too_many_locals() -> Error {
    Error::Malformed("a function has more than 2^32 locals".to_owned())
}

/// Which proposal brought an instruction, and its name.
macro_rules! define_origin {
    ($( @$proposal:ident $operator:ident $({ $($argument:ident: $kind:ty),* })? => $visit:ident ($($arity:tt)*) )*) => {
        fn origin(operator: &Operator<'_>) -> (&'static str, &'static str) {
            match operator {
                $( Operator::$operator $({ $($argument: _),* })? => (stringify!($proposal), stringify!($operator)), )*
                _ => ("unknown", ""),
            }
        }
    };
}
wasmparser::for_each_operator!(define_origin);

/// An instruction whose meaning for control flow and calls the rewriter does not know must not be copied.
fn refuse_unknown(operator: &Operator<'_>) -> Result<(), Error> {
    match origin(operator) {
        (
            "mvp"
            | "sign_extension"
            | "saturating_float_to_int"
            | "bulk_memory"
            | "reference_types"
            | "tail_call"
            | "simd"
            | "relaxed_simd"
            | "exceptions"
            | "legacy_exceptions"
            | "wide_arithmetic",
            _,
        ) => Ok(()),
        (proposal, instruction) => {
            let name = proposal.replace('_', " ");
            Err(Error::Refused(format!("it uses {name} (the instruction {instruction})")))
        }
    }
}
