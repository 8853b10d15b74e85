//! JSON text to tree and back, with the error sentences and the escapes of Go's encoding/json.
//! Numbers that fit an `i64` stay exact, all others become floats.
//! Models encoding/json and k8s.io/apimachinery/pkg/util/json.

mod parse;
mod print;

pub use parse::{Parsed, parse_strict};
pub use print::{quote, write_quoted};

use crate::Value;

/// What is wrong with a JSON text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Bytes before the place.
    pub offset: usize,
    /// Go's sentence, such as `unexpected end of JSON input`.
    pub message: String,
}

impl std::fmt::Display for JsonError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl Value {
    /// Reads one JSON value. Of equal keys the last one wins.
    pub fn from_json(text: &[u8]) -> Result<Value, JsonError> {
        parse::parse(text)
    }

    /// Reads the JSON value a text begins with, as of a stream; also the number of bytes it took.
    pub fn from_json_prefix(text: &[u8]) -> Result<(Value, usize), JsonError> {
        parse::parse_prefix(text)
    }

    /// Compact JSON, keys sorted, `<`, `>` and `&` escaped as Go does.
    pub fn to_json(&self) -> String {
        let mut out = String::with_capacity(256);
        print::compact(self, &mut out);
        out
    }

    /// JSON indented by four spaces, as `kubectl -o json` prints it, without a final line break.
    pub fn to_json_pretty(&self) -> String {
        self.to_json_indented("    ")
    }

    /// JSON indented by `indent` per level, without a final line break.
    pub fn to_json_indented(&self, indent: &str) -> String {
        let mut out = String::with_capacity(1024);
        print::pretty(self, indent, 0, &mut out);
        out
    }

    /// The length of `to_json()` in bytes.
    pub fn json_len(&self) -> usize {
        print::length(self)
    }
}
