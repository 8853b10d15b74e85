//! YAML to tree and back as kubectl does it: the scalars of YAML 1.1, non-string keys made strings,
//! merge keys, the last of equal keys wins, errors in go-yaml's words.
//! Models sigs.k8s.io/yaml, go.yaml.in/yaml/v2 and k8s.io/apimachinery/pkg/util/yaml.

mod build;
mod emit;
mod events;
mod kyaml;
mod resolve;
mod stream;

use std::collections::BTreeMap;
use std::fmt;

use crate::Value;

pub use emit::{to_string, to_string_all};
pub use kyaml::to_kyaml;
pub use stream::{decode_stream, parse_all, parse_all_v3, parse_all_with_positions};

/// One document of a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its content; never null.
    pub value: Value,
    /// The line of the stream its content begins at, from 1.
    pub line: usize,
    /// Where its nodes stand; filled by `parse_all_with_positions` only.
    pub positions: Positions,
    /// What a strict reader says of keys that stand twice in a map:
    /// `line 11: key "foo" already set in map`.
    pub repeated: Vec<String>,
}

/// Lines and columns of the nodes of a document, by path: `spec.steps[0].checks`. A key of a map
/// stands for the place of its value's key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Positions(BTreeMap<String, (usize, usize)>);

impl Positions {
    /// Line and column, from 1, of the node at a path, or of the nearest node around it.
    pub fn find(&self, path: &str) -> (usize, usize) {
        let mut path = path;
        loop {
            if let Some(place) = self.0.get(path) {
                return *place;
            }
            match path.rfind(['.', '[']) {
                Some(cut) => path = &path[..cut],
                None if path.is_empty() => return (1, 1),
                None => path = "",
            }
        }
    }
}

/// Why a text is no YAML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Line of the stream, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// go-yaml's sentence, which counts lines its own way, from the start of the document:
    /// `line 6: did not find expected key`.
    pub message: String,
}

impl fmt::Display for Error {
    /// `yaml: line 6: did not find expected key`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "yaml: {}", self.message)
    }
}
