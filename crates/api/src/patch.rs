//! The three kinds of patches: applying them, and making them as kubectl does. Server-side apply is
//! no patch in this sense and lives elsewhere.

mod json_patch;
mod merge;
mod strategic;

use std::fmt;

use crate::field::FieldError;
use crate::status::{self, Reason, Status};

pub use json_patch::{apply_json_patch, json_patch_strict_errors};
pub use merge::{apply_merge_patch, create_merge_patch, three_way_merge_patch};
pub use strategic::{
    apply_strategic_patch, create_strategic_patch, spent_strategic_patch, three_way_strategic_patch,
};

/// The answer when the patched object does not decode: `patch: Invalid value: "<shown>": <error>`.
/// Shown is what is left of a strategic patch, as `go::plain` prints it; of the others the JSON of
/// the patched object.
pub fn undecodable(shown: &str, error: &str) -> Status {
    status::invalid("", "", "", &[FieldError::invalid("patch", shown, error)])
}

/// Why a patch cannot be applied or made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatchError {
    /// The patch is malformed.
    BadRequest(String),
    /// The patch is well formed but does not fit the object.
    Unprocessable(String),
    /// The patch has too many operations.
    TooLarge(String),
    /// What upstream reports without a reason.
    Server(String),
}

impl PatchError {
    /// The answer of the API server.
    pub fn status(&self) -> Status {
        match self {
            PatchError::BadRequest(message) => status::bad_request(message),
            // Upstream keeps the sentence about the patch to itself here.
            PatchError::Unprocessable(message) => {
                let status = status::generic(422, "", "", "", "", message);
                Status {
                    details: crate::object! {},
                    ..status
                }
            }
            PatchError::TooLarge(message) => status::too_large(message),
            PatchError::Server(message) => Status::new(500, Reason::Unknown, message),
        }
    }
}

impl fmt::Display for PatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PatchError::BadRequest(message)
            | PatchError::Unprocessable(message)
            | PatchError::TooLarge(message)
            | PatchError::Server(message) => f.write_str(message),
        }
    }
}
