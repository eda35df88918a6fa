//! Why a module was not rewritten.

use std::fmt;

/// Why a module was not rewritten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// It is not a Wasm module, or a part of it cannot be read.
    Malformed(String),
    /// It uses something that the rewriter does not know. The text names that as the Wasm proposals do.
    Refused(String),
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Malformed(reason) => write!(formatter, "this is not a Wasm module: {reason}"),
            Error::Refused(what) => write!(formatter, "the module cannot be rewritten: {what}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<wasmparser::BinaryReaderError> for Error {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        Error::Malformed(error.to_string())
    }
}

impl From<wasm_encoder::reencode::Error> for Error {
    fn from(error: wasm_encoder::reencode::Error) -> Self {
        Error::Malformed(error.to_string())
    }
}
