//! Functions that return their first parameter, as `memcpy` and `memset` do. Compilers go on with what these return
//! instead of what they passed; so the result is the same value.

use wasmparser::Operator;

/// Looks at the instructions of a function, one after the other.
#[derive(Default)]
pub(crate) struct Returned {
    /// How many blocks are open.
    depth: u32,
    /// The last instruction took the first parameter.
    has_first: bool,
    /// It returns something else somewhere, or may do so.
    is_other: bool,
    is_finished: bool,
}

impl Returned {
    pub(crate) fn take(&mut self, operator: &Operator<'_>) {
        let has_first =
            std::mem::replace(&mut self.has_first, matches!(operator, Operator::LocalGet { local_index: 0 }));
        match operator {
            Operator::LocalSet { local_index: 0 } | Operator::LocalTee { local_index: 0 } => self.is_other = true,
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => self.depth += 1,
            Operator::End if self.depth == 0 => {
                self.is_finished = true;
                self.is_other |= !has_first;
            }
            Operator::End => self.depth -= 1,
            Operator::Return => self.is_other |= !has_first,
            Operator::Br { relative_depth } if *relative_depth >= self.depth => self.is_other |= !has_first,
            Operator::BrIf { relative_depth } => self.is_other |= *relative_depth >= self.depth,
            Operator::BrTable { .. }
            | Operator::Try { .. }
            | Operator::TryTable { .. }
            | Operator::ReturnCall { .. }
            | Operator::ReturnCallIndirect { .. } => self.is_other = true,
            _ => {}
        }
    }

    /// Whether the function, if it has a single result, returns its first parameter.
    pub(crate) fn is_first(&self) -> bool {
        self.is_finished && !self.is_other
    }
}
