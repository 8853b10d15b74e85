//! What is wrong with a text, in bash's words.

use std::fmt;

/// A text that is not a command.
#[derive(Debug, Clone, PartialEq)]
pub struct SyntaxError {
    /// 1-based line in the source.
    pub line: u32,
    /// What is wrong.
    pub kind: SyntaxErrorKind,
    /// The line it stands on, which bash prints after some errors.
    pub source_line: String,
}

/// The ways a text can fail to be a command.
#[derive(Debug, Clone, PartialEq)]
pub enum SyntaxErrorKind {
    /// A token that cannot stand where it stands.
    Unexpected(String),
    /// The text ends inside a command.
    EndOfFile,
    /// The text ends inside quotes or brackets that this character closes.
    Unmatched(char),
    /// The text ends inside a here-document; the word that would end it.
    HereDoc(String),
    /// Anything else, said as is.
    Other(String),
}

impl SyntaxError {
    /// Whether more text could make it a command.
    pub fn incomplete(&self) -> bool {
        matches!(
            self.kind,
            SyntaxErrorKind::EndOfFile
                | SyntaxErrorKind::Unmatched(_)
                | SyntaxErrorKind::HereDoc(_)
        )
    }

    /// Whether bash shows the offending line after the message.
    pub fn shows_line(&self) -> bool {
        matches!(self.kind, SyntaxErrorKind::Unexpected(_))
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            SyntaxErrorKind::Unexpected(token) => {
                write!(f, "syntax error near unexpected token `{token}'")
            }
            SyntaxErrorKind::EndOfFile => f.write_str("syntax error: unexpected end of file"),
            SyntaxErrorKind::Unmatched(close) => {
                write!(f, "unexpected EOF while looking for matching `{close}'")
            }
            SyntaxErrorKind::HereDoc(end) => {
                write!(f, "here-document delimited by end-of-file (wanted `{end}')")
            }
            SyntaxErrorKind::Other(message) => f.write_str(message),
        }
    }
}
