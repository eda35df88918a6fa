//! Why a module was not rewritten.

use std::fmt;

/// Why a module was not rewritten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// It is no Wasm module, or a part of it cannot be read.
    Malformed(String),
    /// It uses what the rewriter does not know: the name of that, as the Wasm proposals have it.
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
