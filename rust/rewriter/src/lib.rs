//! Rewrites a Wasm module so that a call into it can be ended from outside.
//!
//! Nobody can stop Wasm that runs on a page's main thread: no timer fires and no message arrives while it computes. So
//! the module itself has to ask. [`rewrite`] adds a counter, which the program calls its *fuel*: loops and functions
//! that call themselves use it up, and where there is none left the code calls the import `unpanic.refuel`. That returns
//! how much comes next; zero or less ends the call by the instruction `unreachable`. A trap is the one end that no Rust
//! code can catch, in builds that unwind neither.
//!
//! What the module computes stays the same. Function indices grow by one, because imported functions come first.
//!
//! | file | idea |
//! | --- | --- |
//! | `read` | what of a module decides how it is rewritten; what is refused |
//! | `body` | the instructions of a function that matter here, with the bytes between them left alone |
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

/// What a rewritten module is able to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Loops and recursion can be stopped.
    pub deadlines: bool,
}

/// How often something was written into the code, and how much it grew.
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
/// A module that has been rewritten with the same options comes back as it is.
///
/// # Errors
///
/// [`Error::Malformed`] for what is no Wasm module, [`Error::Refused`] for one that uses what the rewriter does not
/// know, or that was rewritten with other options or by another version.
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
