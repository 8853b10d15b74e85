//! shell
#![allow(missing_docs)]
pub mod expand;
pub mod pattern;
pub mod syntax;
