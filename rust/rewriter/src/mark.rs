//! The custom section of a rewritten module. It keeps a module from being rewritten twice.

use crate::{Error, Options};
use sha2::{Digest, Sha256};

/// The name of the section.
pub const SECTION: &str = "unpanic.rewritten";
/// Grows when the rewritten code needs something else from the runtime.
pub const VERSION: u8 = 1;

const DEADLINES: u8 = 1;

/// What the section holds: one byte for the version, one for the options, and the hash of the original.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    pub version: u8,
    pub options: Options,
    /// SHA-256 of the file before it was rewritten.
    pub original: [u8; 32],
}

impl Mark {
    pub(crate) fn of(original: &[u8], options: Options) -> Self {
        Mark { version: VERSION, options, original: Sha256::digest(original).into() }
    }

    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let flags = if self.options.deadlines { DEADLINES } else { 0 };
        let mut bytes = vec![self.version, flags];
        bytes.extend_from_slice(&self.original);
        bytes
    }

    fn parse(data: &[u8]) -> Result<Self, Error> {
        let unreadable = || Error::Refused(format!("its section {SECTION} cannot be read"));
        let (&[version, flags], hash) = data.split_first_chunk().ok_or_else(unreadable)?;
        Ok(Mark {
            version,
            options: Options { deadlines: flags & DEADLINES != 0 },
            original: hash.try_into().map_err(|_| unreadable())?,
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
