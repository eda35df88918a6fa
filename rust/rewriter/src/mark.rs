//! The custom section of a rewritten module. It keeps a module from being rewritten twice.

use crate::{Error, Options};
use sha2::{Digest, Sha256};
use wasm_encoder::{CustomSection, Encode, SectionId};

/// The name of the section.
pub const SECTION: &str = "unpanic.rewritten";
/// Grows when the rewritten code needs something else from the runtime.
pub const VERSION: u8 = 1;

const DEADLINES: u8 = 1;
const ROLLBACK: u8 = 2;
const PLAIN: u8 = 4;
const NONE: u32 = u32::MAX;

/// A call of the hash function takes this much at once. An engine replaces the code of a function by an optimised one
/// when it is called again.
const CHUNK: usize = 8192;

/// SHA-256 of a file.
pub(crate) fn hash(bytes: &[u8]) -> [u8; 32] {
    bytes.chunks(CHUNK).fold(Sha256::new(), Sha256::chain_update).finalize().into()
}

/// What a runtime has to know of a module that tracks what it writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tracked {
    /// The global that points to the end of the Rust stack. Stores into frames carry no mark.
    pub stack_pointer: Option<u32>,
    /// How many bytes the table of cards has.
    pub table_bytes: u32,
    /// The size of a new instance's memory in the original, in pages of Wasm. The table comes after it.
    pub pages: u32,
}

/// What the section holds: one byte for the version, one for the options, and the hash of the original; if it can roll
/// back, also three numbers of four bytes, the first byte being the lowest: the stack pointer, or `0xffffffff` for
/// none; the size of the table; the pages of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    pub version: u8,
    pub options: Options,
    /// SHA-256 of the file before it was rewritten.
    pub original: [u8; 32],
    /// Of a module with [`Options::rollback`].
    pub tracked: Option<Tracked>,
}

impl Mark {
    pub(crate) fn of(original: [u8; 32], options: Options, tracked: Option<Tracked>) -> Self {
        Mark { version: VERSION, options, original, tracked }
    }

    /// Adds the section to a module.
    pub(crate) fn append_to(self, module: &mut Vec<u8>) {
        let section = CustomSection { name: SECTION.into(), data: self.to_bytes().into() };
        module.push(SectionId::Custom.into());
        section.encode(module);
    }

    fn to_bytes(self) -> Vec<u8> {
        let deadlines = if self.options.deadlines { DEADLINES } else { 0 };
        let rollback = if self.options.rollback { ROLLBACK } else { 0 };
        let plain = if self.options.plain { PLAIN } else { 0 };
        let mut bytes = vec![self.version, deadlines | rollback | plain];
        bytes.extend_from_slice(&self.original);
        if let Some(tracked) = self.tracked {
            for number in [tracked.stack_pointer.unwrap_or(NONE), tracked.table_bytes, tracked.pages] {
                bytes.extend_from_slice(&number.to_le_bytes());
            }
        }
        bytes
    }

    fn parse(data: &[u8]) -> Result<Self, Error> {
        let unreadable = || Error::Refused(format!("its section {SECTION} cannot be read"));
        let (&[version, flags], rest) = data.split_first_chunk().ok_or_else(unreadable)?;
        let (&original, rest) = rest.split_first_chunk().ok_or_else(unreadable)?;
        let rollback = flags & ROLLBACK != 0;
        let tracked = if rollback { Some(Tracked::parse(rest).ok_or_else(unreadable)?) } else { None };
        if !rollback && !rest.is_empty() {
            return Err(unreadable());
        }
        Ok(Mark {
            version,
            options: Options { deadlines: flags & DEADLINES != 0, rollback, plain: flags & PLAIN != 0 },
            original,
            tracked,
        })
    }

    /// Checks that a module with this mark is what rewriting with these options would give.
    pub(crate) fn check(&self, options: Options) -> Result<(), Error> {
        if self.version != VERSION {
            let version = self.version;
            return Err(Error::Refused(format!(
                "it was rewritten in format {version}, and this is format {VERSION}; rewrite the original again"
            )));
        }
        if self.options != options {
            return Err(Error::Refused("it was rewritten with other options; rewrite the original".to_owned()));
        }
        Ok(())
    }
}

impl Tracked {
    fn parse(data: &[u8]) -> Option<Self> {
        let numbers: [u8; 12] = data.try_into().ok()?;
        let number = |at: usize| u32::from_le_bytes([numbers[at], numbers[at + 1], numbers[at + 2], numbers[at + 3]]);
        let stack_pointer = Some(number(0)).filter(|&global| global != NONE);
        Some(Tracked { stack_pointer, table_bytes: number(4), pages: number(8) })
    }
}

/// The mark of a module, if it has one.
///
/// # Errors
///
/// [`Error::Malformed`] if it is not a Wasm module.
pub fn find_mark(wasm: &[u8]) -> Result<Option<Mark>, Error> {
    for payload in wasmparser::Parser::new(0).parse_all(wasm) {
        if let wasmparser::Payload::CustomSection(section) = payload? {
            if section.name() == SECTION {
                return Mark::parse(section.data()).map(Some);
            }
        }
    }
    Ok(None)
}
