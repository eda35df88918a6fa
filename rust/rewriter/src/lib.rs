//! Rewrites a Wasm module so that a call into it can be ended from outside.
//!
//! Nobody can stop Wasm that runs on a page's main thread: no timer fires and no message arrives while it computes. So
//! the module itself has to ask. [`rewrite`] adds a counter, called *fuel*. Loops use it up, and so do functions that
//! call themselves, directly or through others. When it is used up, the code calls the import `unpanic.refuel`, which
//! returns the fuel that the code may use next. If that is zero or less, the call ends by the instruction
//! `unreachable`: no Rust code can catch a trap, not even in a build that unwinds.
//!
//! What the module computes stays the same. Function indices grow by one, because imported functions come first.
//!
//! | file | idea |
//! | --- | --- |
//! | `read` | what the rewriter has to know of a module, and what it refuses |
//! | `body` | the instructions of a function that matter to the rewriter |
//! | `cycles` | which functions look at the counter when they begin, and which use no fuel |
//! | `loops` | what the loops of a function cost, and which are unrolled |
//! | `fuel` | the bodies of functions, with the counter in them |
//! | `instruction` | the instructions that are added |
//! | `write` | the module put together again |
//! | `mark` | the section that says what was done, and how it is found |
//! | `abi` | how JavaScript and Python call this crate |

mod abi;
mod body;
mod cycles;
mod error;
mod fuel;
mod instruction;
mod loops;
mod mark;
mod read;
mod write;

pub use error::Error;
pub use mark::{find_mark, Mark, SECTION, VERSION};

/// The module and the name of the function that a rewritten module imports: `() -> i32`.
pub const REFUEL: (&str, &str) = ("unpanic", "refuel");

/// What a module can do after it was rewritten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Loops and recursion can be stopped.
    pub deadlines: bool,
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
/// let options = unpanic_rewriter::Options { deadlines: true };
/// let rewritten = unpanic_rewriter::rewrite(&wasm, options).unwrap();
/// assert_eq!(rewritten.statistics.loops, 1);
/// ```
pub fn rewrite(wasm: &[u8], options: Options) -> Result<Rewritten, Error> {
    let size = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let mut statistics = Statistics { bytes_before: size(wasm), bytes_after: size(wasm), ..Statistics::default() };
    if let Some(mark) = find_mark(wasm)? {
        mark.check(options)?;
        return Ok(Rewritten { wasm: wasm.to_vec(), statistics });
    }
    let module = read::Module::read(wasm)?;
    let output = write::write(&module, wasm, options, &mut statistics)?;
    statistics.bytes_after = size(&output);
    Ok(Rewritten { wasm: output, statistics })
}
