//! Kubernetes objects as one shared tree, and what can be said about them without a server: wire
//! forms, kinds, selectors, quantities, validation, patches, Status errors. Knows nothing of I/O.

pub mod base64;
pub mod cel;
pub mod csr;
pub mod field;
pub mod go;
pub mod json;
pub mod jsonpath;
pub mod kinds;
pub mod managed;
pub mod names;
pub mod patch;
pub mod quantity;
pub mod schema;
pub mod selector;
pub mod status;
pub mod time;
pub mod yaml;

mod float;
mod intern;
mod map;
mod str;
mod value;
mod wire;

pub use field::{FieldError, Path};
pub use float::Float;
pub use intern::Interner;
pub use map::Map;
pub use quantity::Quantity;
pub use schema::Schemas;
pub use status::Status;
pub use str::Str;
pub use value::{NULL, Value};
pub use wire::{Measured, body, body_value, shared_value};
