//! The shell: reads the bash language, expands it, runs it, and talks to a person.
//!
//! **Invariant:** it knows no command. Builtins change the shell itself; everything else is found
//! on the machine's disk and runs as a process.

mod backtrack;
mod builtins;
pub mod complete;
pub mod date;
pub mod echo;
pub mod edit;
mod eval;
pub mod expand;
mod interactive;
pub mod pattern;
pub mod printf;
mod program;
mod prompt;
pub mod quote;
pub mod raw;
pub mod regex;
mod state;
pub mod syntax;
mod vars;
pub mod width;

pub use program::{ash, bash, dash, script};

/// Whether the expression of `test` (its words without `test` or brackets) holds; the error is
/// worded for behind the name of the command.
///
/// # Errors
/// For an expression that is none.
pub fn test(sys: &mut machine::Sys<'_>, words: &[std::rc::Rc<str>]) -> Result<bool, String> {
    builtins::evaluate_test(None, sys, words)
}
