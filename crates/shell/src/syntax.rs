//! Reads the shell language: text in, one complete command at a time out, as bash does, so that
//! an alias defined on one line holds on the next and what stands before a mistake still runs.
//!
//! Deliberately not here: running anything, expanding anything. A grammar of our own rather than
//! brush-parser, because that one answers "end of input" for a stray `}` or `done` (a terminal
//! could not tell a mistake from an unfinished line), panics on `99999999999999>x`, and has no
//! place to expand an alias.
//!
//! Models bash 5.2 parse.y.

mod command;
mod compound;
mod dollar;
mod error;
pub mod ir;
mod lex;
mod token;
mod word;

use std::collections::BTreeMap;
use std::rc::Rc;

pub(crate) use compound::UNARY;
pub(crate) use dollar::name_length;
pub use error::{SyntaxError, SyntaxErrorKind};
pub use word::unescape_ansi;

/// Alias names and what they stand for.
pub type Aliases = BTreeMap<Rc<str>, Rc<str>>;

/// How deep commands, substitutions and expansions may nest in each other.
const MAX_DEPTH: u32 = 120;

/// A complete command and where the text goes on after it.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The command; `None` when only blanks and comments were left.
    pub list: Option<Rc<ir::List>>,
    /// The text as it stands now: aliases are expanded in place.
    pub text: Rc<str>,
    /// Where the next command begins.
    pub pos: usize,
    /// The line there.
    pub line: u32,
    /// The source of this command, without the newline that ends it.
    pub source: Rc<str>,
    /// Said on the standard error before it runs.
    pub warnings: Vec<String>,
}

/// Reads the next complete command of `text` from byte `pos`, which is on line `line`.
///
/// With `more` a text that ends too early is an error marked incomplete even where bash would make
/// do (a here-document without its end), because the rest may still be typed.
pub fn parse_command(
    text: &Rc<str>,
    pos: usize,
    line: u32,
    aliases: &Aliases,
    more: bool,
) -> Result<Parsed, SyntaxError> {
    let mut parser = lex::Parser::new(text.clone(), pos, line, aliases);
    parser.more = more;
    parser.complete_command()
}

/// Reads a word as it would stand inside double quotes, as prompts are.
pub fn parse_quoted(text: &str) -> Result<ir::Word, SyntaxError> {
    let aliases = Aliases::new();
    lex::Parser::new(text.into(), 0, 1, &aliases).quoted_text()
}

/// The words of a command line as typed so far, for completion: every word before `cursor` with
/// quotes removed, and the byte where the last one (perhaps empty) begins. Words of the simple
/// command the cursor is in, not of those before a `|` or `;`.
pub fn words_before(text: &str, cursor: usize) -> (Vec<String>, usize) {
    token::words_before(text, cursor)
}

#[cfg(test)]
mod tests;
