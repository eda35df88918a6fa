//! The stack pointer: the global that tells where the free part of the Rust stack ends.
//!
//! Stores into the frame of a function need no mark if they are below what the stack pointer was when the outermost
//! call began: nothing there has to come back, because a call from outside begins with an empty stack. That can be
//! known of a store if every function leaves the stack pointer where it was, or lower, and if below its first value
//! there is nothing but the stack. So this is only taken for sure of modules
//!
//! - with a global that is used as compilers use a stack pointer: they take it, subtract a number, and set it again;
//! - in which every function sets it to what it was, or lower; one may set it otherwise, the function that glue calls
//!   to make room for results, and which nothing else calls: glue gives back what it took;
//! - whose data is above its first value. A stack that overflows then ends at address 0, and further stores trap,
//!   instead of overwriting data that nobody marked.
//!
//! In all others, stores into frames are marked like any other.

use crate::read::Module;
use crate::survey::Survey;
use wasmparser::{Operator, ValType};

/// The global that can be the stack pointer, before the functions were looked at.
pub(crate) fn find_candidate(module: &Module<'_>, survey: &Survey) -> Option<u32> {
    let is_used = |&global: &u32| survey.prologues.get(global as usize).is_some_and(|&count| count > 0);
    let most_used = || {
        let counts = survey.prologues.iter().zip(0u32..);
        counts.max_by_key(|&(&count, global)| (count, std::cmp::Reverse(global))).map(|(_, global)| global)
    };
    let candidate = module.named_stack_pointer.or_else(most_used).filter(is_used)?;
    let global = module.globals.get(candidate as usize)?;
    let is_plain = global.kind.mutable && global.kind.content_type == ValType::I32;
    let first = global.first?.cast_unsigned();
    let has_room = first > 0 && module.first_data.is_some_and(|data| data >= first);
    (is_plain && has_room).then_some(candidate)
}

/// Whether instructions are `global.get n; i32.const k; i32.sub`, with which a function makes its frame.
pub(crate) fn find_prologue(last: &[Option<Step>; 2], operator: &Operator<'_>) -> Option<u32> {
    match (last, operator) {
        ([Some(Step::Global(global)), Some(Step::Constant)], Operator::I32Sub) => Some(*global),
        _ => None,
    }
}

/// An instruction of such a beginning, or of the end where the frame is given back.
#[derive(Clone, Copy)]
pub(crate) enum Step {
    Global(u32),
    Constant,
    Sum,
    Tee,
}

impl Step {
    pub(crate) fn of(operator: &Operator<'_>) -> Option<Self> {
        match operator {
            Operator::GlobalGet { global_index } => Some(Step::Global(*global_index)),
            Operator::I32Const { .. } => Some(Step::Constant),
            Operator::I32Add | Operator::I32Sub => Some(Step::Sum),
            Operator::LocalTee { .. } => Some(Step::Tee),
            _ => None,
        }
    }
}

/// Whether an instruction sets a global otherwise than functions set the stack pointer where they begin and end. Those
/// that do are looked at first: they show soonest that it is not sure.
pub(crate) fn is_odd(last: &[Option<Step>; 2], operator: &Operator<'_>) -> bool {
    let is_usual = matches!(last, [_, Some(Step::Tee)] | [Some(Step::Constant), Some(Step::Sum)]);
    matches!(operator, Operator::GlobalSet { .. }) && !is_usual
}

/// Whether a function makes room on the stack for glue: it adds its parameter to the stack pointer, and returns that.
pub(crate) fn makes_room(operators: &[(Operator<'_>, usize)], stack_pointer: u32) -> bool {
    let [(first, _), (second, _), (Operator::I32Add, _), (Operator::GlobalSet { global_index: set }, _), rest @ ..] =
        operators
    else {
        return false;
    };
    let taken = match (first, second) {
        (Operator::GlobalGet { global_index }, Operator::LocalGet { local_index: 0 })
        | (Operator::LocalGet { local_index: 0 }, Operator::GlobalGet { global_index }) => global_index,
        _ => return false,
    };
    let returns = match rest {
        [(Operator::GlobalGet { global_index }, _), (Operator::End, _)] => *global_index == stack_pointer,
        _ => false,
    };
    returns && *taken == stack_pointer && *set == stack_pointer
}
