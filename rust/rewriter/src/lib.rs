//! Rewrites a Wasm module so that a call into it can be ended from outside, or undone.
//!
//! **Deadlines.** Nobody can stop Wasm that runs on a page's main thread: no timer fires and no message arrives while it
//! computes. So the module itself has to ask. [`rewrite`] adds a counter, called *fuel*. Loops use it up, and so do
//! functions that call themselves, directly or through others. When it is used up, the code calls the import
//! `unpanic.refuel`, which returns the fuel that the code may use next. If that is zero or less, the call ends by the
//! instruction `unreachable`: no Rust code can catch a trap, not even in a build that unwinds.
//!
//! **Rollback.** The module tells which parts of its memory a call wrote: next to a store, it marks the *card* of 4 KiB
//! that the address is in. It also hands out what it overwrites in tables, and exports its globals and tables. So a
//! runtime that has a copy of the memory from before a failed call can bring all of that back.
//!
//! What the module computes stays the same. Function indices grow by the number of new imports, because imported
//! functions come first. With both options the module is tracked first; the counter then counts the marks, too.
//!
//! | file | idea |
//! | --- | --- |
//! | `read` | what the rewriter has to know of a module, and what it refuses |
//! | `body` | the instructions of a function that matter to the counter; a function's locals |
//! | `deadlines` | the module with a counter |
//! | `cycles` | which functions look at the counter when they begin, and which use no fuel |
//! | `loops` | what the loops of a function cost, and which are unrolled |
//! | `fuel` | the bodies of functions, with the counter in them |
//! | `tracking` | the module that tracks what it writes |
//! | `survey` | a first look at all its code, and what cannot be tracked |
//! | `cards` | the bodies of functions, with marks |
//! | `values` | what is known of the values in locals and on the stack |
//! | `bases` | which stores a mark covers |
//! | `stack`, `returned` | which stores are into frames, and need no mark |
//! | `growth` | the size of memory, which has the table of cards behind it |
//! | `polls` | what lets a runtime put itself around each poll of a future |
//! | `tables` | what hands out the slots of tables that are overwritten |
//! | `instruction` | the instructions that are added |
//! | `write` | the module put together again |
//! | `mark` | the section that says what was done, and how it is found |
//! | `abi` | how JavaScript and Python call this crate |

mod abi;
mod bases;
mod body;
mod cards;
mod cycles;
mod deadlines;
mod error;
mod fuel;
mod growth;
mod instruction;
mod loops;
mod mark;
mod polls;
mod read;
mod returned;
mod stack;
mod survey;
mod tables;
mod tracking;
mod values;
mod write;

use std::borrow::Cow;

pub use error::Error;
pub use mark::{find_mark, Mark, Tracked, SECTION, VERSION};

/// The module that has what a rewritten module imports.
pub const IMPORTS: &str = "unpanic";
/// The module and the name of the function that is asked for fuel: `() -> i32`.
pub const REFUEL: (&str, &str) = (IMPORTS, "refuel");

/// What a module can do after it was rewritten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Loops and recursion can be stopped.
    pub deadlines: bool,
    /// What a call wrote can be undone.
    pub rollback: bool,
    /// With `rollback`: the same module without marks, on the state of an instance of the tracked one.
    pub plain: bool,
}

/// What was added, and how much the module has grown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    pub functions: u32,
    pub loops: u32,
    /// Loops that turn several times between two looks at the counter.
    pub unrolled: u32,
    /// Functions that look at the counter when they begin.
    pub entries: u32,
    /// Stores into memory, and those with a mark of their own.
    pub stores: u32,
    pub marks: u32,
    /// Stores without a mark: they write into the frame of their function.
    pub frame_stores: u32,
    pub bytes_before: u32,
    pub bytes_after: u32,
}

/// A module that was rewritten.
#[derive(Clone, Debug)]
pub struct Rewritten {
    pub wasm: Vec<u8>,
    pub statistics: Statistics,
}

/// Rewrites a module.
///
/// A module that was rewritten with the same options is returned as it is.
///
/// # Errors
///
/// [`Error::Malformed`] if it is not a Wasm module; [`Error::Refused`] if it uses something that the rewriter does not
/// know, or was rewritten with other options or by another version.
///
/// # Example
///
/// ```
/// let wasm = wat::parse_str("(module (func (export \"spin\") (loop (br 0))))").unwrap();
/// let options = unpanic_rewriter::Options { deadlines: true, ..Default::default() };
/// let rewritten = unpanic_rewriter::rewrite(&wasm, options).unwrap();
/// assert_eq!(rewritten.statistics.loops, 1);
/// ```
pub fn rewrite(wasm: &[u8], options: Options) -> Result<Rewritten, Error> {
    rewrite_hashed(wasm, options, None)
}

/// Rewrites a module whose hash (SHA-256) may be known: to compute it takes as long as all the rest, as long as an
/// engine has not optimised the code.
///
/// # Errors
///
/// As [`rewrite`].
pub fn rewrite_hashed(wasm: &[u8], options: Options, hash: Option<[u8; 32]>) -> Result<Rewritten, Error> {
    let size = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let mut statistics = Statistics { bytes_before: size(wasm), bytes_after: size(wasm), ..Statistics::default() };
    if let Some(mark) = find_mark(wasm)? {
        mark.check(options)?;
        return Ok(Rewritten { wasm: wasm.to_vec(), statistics });
    }
    let mut output = Cow::Borrowed(wasm);
    let mut tracked = None;
    if options.rollback {
        let (wasm, facts) = tracking::add_tracking(wasm, options.plain, &mut statistics)?;
        output = Cow::Owned(wasm);
        tracked = Some(facts);
    }
    if options.deadlines {
        output = Cow::Owned(deadlines::add_deadlines(&output, options.plain, &mut statistics)?);
    } else if !options.rollback {
        read::Module::read(wasm)?.read_bodies()?;
    }
    let mut output = output.into_owned();
    Mark::of(hash.unwrap_or_else(|| mark::hash(wasm)), options, tracked).append_to(&mut output);
    statistics.bytes_after = size(&output);
    Ok(Rewritten { wasm: output, statistics })
}
