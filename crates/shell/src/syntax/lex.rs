//! The parser's state and its tokens: operators, words, newlines, and the here-documents a newline
//! brings. Knows no grammar beyond that.

use std::cell::OnceCell;
use std::rc::Rc;

use super::ir::{Part, Word};
use super::{Aliases, MAX_DEPTH, SyntaxError, SyntaxErrorKind};

/// Reads one text. Nested constructs are read by the same parser, so positions stay true.
pub(super) struct Parser<'a> {
    pub(super) text: Rc<str>,
    pub(super) pos: usize,
    pub(super) line: u32,
    pub(super) aliases: &'a Aliases,
    /// Aliases that must not expand again before a position: their own text.
    pub(super) guards: Vec<(Rc<str>, usize)>,
    /// A word starting here is looked up as an alias too: the alias before ended in a blank.
    pub(super) alias_at: Option<usize>,
    pub(super) peeked: Option<Token>,
    pub(super) here_docs: Vec<HereDoc>,
    pub(super) warnings: Vec<String>,
    pub(super) depth: u32,
    /// More text may follow, so an unfinished here-document is incomplete rather than finished.
    pub(super) more: bool,
}

/// A here-document whose body has not been met yet.
pub(super) struct HereDoc {
    pub(super) end: String,
    pub(super) quoted: bool,
    pub(super) strip_tabs: bool,
    pub(super) line: u32,
    pub(super) body: Rc<OnceCell<Word>>,
}

/// A token and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) kind: Tok,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) line: u32,
}

impl Token {
    /// The end of the text ends its last line too, and some errors are about that.
    pub(super) fn or_newline(self) -> Token {
        let kind = if self.kind == Tok::Eof {
            Tok::Newline
        } else {
            self.kind
        };
        Token { kind, ..self }
    }
}

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tok {
    Word(Word),
    /// Digits directly before `<` or `>`.
    Number(u32),
    Op(&'static str),
    Newline,
    Eof,
}

/// Longest first.
const OPERATORS: &[&str] = &[
    "&>>", "<<<", "<<-", ";;&", "&&", "||", ";;", ";&", "<<", ">>", "<&", ">&", "<>", ">|", "&>",
    "|&", "|", "&", ";", "<", ">", "(", ")",
];

impl<'a> Parser<'a> {
    pub(super) fn new(text: Rc<str>, pos: usize, line: u32, aliases: &'a Aliases) -> Parser<'a> {
        Parser {
            text,
            pos,
            line,
            aliases,
            guards: Vec::new(),
            alias_at: None,
            peeked: None,
            here_docs: Vec::new(),
            warnings: Vec::new(),
            depth: 0,
            more: false,
        }
    }

    /// The byte at `pos + ahead`, 0 at the end.
    pub(super) fn byte(&self, ahead: usize) -> u8 {
        self.text
            .as_bytes()
            .get(self.pos + ahead)
            .copied()
            .unwrap_or(0)
    }

    pub(super) fn at_end(&self) -> bool {
        self.pos >= self.text.len()
    }

    pub(super) fn rest(&self) -> &str {
        &self.text[self.pos..]
    }

    /// Takes one character, counting lines.
    pub(super) fn bump(&mut self) -> Option<char> {
        let c = self.rest().chars().next()?;
        self.pos += c.len_utf8();
        if c == '\n' {
            self.line += 1;
        }
        Some(c)
    }

    /// Takes `prefix` if the text goes on with it.
    pub(super) fn eat(&mut self, prefix: &str) -> bool {
        let found = self.rest().starts_with(prefix);
        if found {
            self.line += prefix.matches('\n').count() as u32;
            self.pos += prefix.len();
        }
        found
    }

    pub(super) fn error<T>(&self, line: u32, kind: SyntaxErrorKind) -> Result<T, SyntaxError> {
        let at = self.pos.min(self.text.len());
        let mut start = self.text[..at].rfind('\n').map_or(0, |i| i + 1);
        // A newline just taken belongs to the line it ends.
        if start == at && at > 0 {
            start = self.text[..at - 1].rfind('\n').map_or(0, |i| i + 1);
        }
        let source_line = self.text[start..].lines().next().unwrap_or("").to_owned();
        Err(SyntaxError {
            line,
            kind,
            source_line,
        })
    }

    /// One level deeper, refused beyond the limit so that no input overflows the stack.
    pub(super) fn enter(&mut self) -> Result<(), SyntaxError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let message = format!("nested deeper than {MAX_DEPTH} levels");
            return self.error(self.line, SyntaxErrorKind::Other(message));
        }
        Ok(())
    }

    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Blanks, escaped newlines and a comment.
    pub(super) fn skip_blanks(&mut self) {
        loop {
            match self.byte(0) {
                b' ' | b'\t' | b'\r' => self.pos += 1,
                b'\\' if self.byte(1) == b'\n' => {
                    self.pos += 2;
                    self.line += 1;
                }
                b'#' => self.pos += self.rest().find('\n').unwrap_or(self.rest().len()),
                _ => return,
            }
        }
    }

    pub(super) fn peek(&mut self) -> Result<&Token, SyntaxError> {
        if self.peeked.is_none() {
            let token = self.read_token()?;
            self.peeked = Some(token);
        }
        Ok(self.peeked.as_ref().expect("just filled"))
    }

    pub(super) fn next(&mut self) -> Result<Token, SyntaxError> {
        self.peek()?;
        Ok(self.peeked.take().expect("just filled"))
    }

    /// Takes back a peeked word or operator, so that the text can be read another way.
    pub(super) fn unread(&mut self) {
        if let Some(token) = self.peeked.take() {
            self.pos = token.start;
            self.line = token.line;
        }
    }

    pub(super) fn peek_op(&mut self) -> Result<&'static str, SyntaxError> {
        Ok(match self.peek()?.kind {
            Tok::Op(op) => op,
            _ => "",
        })
    }

    pub(super) fn eat_op(&mut self, op: &str) -> Result<bool, SyntaxError> {
        let found = self.peek_op()? == op;
        if found {
            self.peeked = None;
        }
        Ok(found)
    }

    /// The peeked token as text of an unquoted word: what reserved words are compared with.
    pub(super) fn peek_literal(&mut self) -> Result<&str, SyntaxError> {
        Ok(match &self.peek()?.kind {
            Tok::Word(word) => word.as_literal().unwrap_or(""),
            _ => "",
        })
    }

    fn read_token(&mut self) -> Result<Token, SyntaxError> {
        self.skip_blanks();
        let (start, line) = (self.pos, self.line);
        let kind = if self.at_end() {
            if !self.here_docs.is_empty() {
                self.read_here_docs()?;
            }
            Tok::Eof
        } else if self.eat("\n") {
            self.read_here_docs()?;
            Tok::Newline
        } else if let Some(number) = self.io_number() {
            Tok::Number(number)
        } else if matches!(self.byte(0), b'<' | b'>') && self.byte(1) == b'(' {
            Tok::Word(self.word()?)
        } else if let Some(op) = OPERATORS.iter().find(|op| self.rest().starts_with(**op)) {
            self.pos += op.len();
            Tok::Op(op)
        } else {
            Tok::Word(self.word()?)
        };
        Ok(Token {
            kind,
            start,
            end: self.pos,
            line,
        })
    }

    /// Digits directly before a redirection; too large a number is an ordinary word, as in bash.
    fn io_number(&mut self) -> Option<u32> {
        let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 || !matches!(self.byte(digits), b'<' | b'>') {
            return None;
        }
        let number = self.rest()[..digits]
            .parse::<u32>()
            .ok()
            .filter(|n| *n < 1 << 20)?;
        self.pos += digits;
        Some(number)
    }

    /// The bodies of the here-documents announced on the line just ended.
    fn read_here_docs(&mut self) -> Result<(), SyntaxError> {
        for doc in std::mem::take(&mut self.here_docs) {
            let mut body = String::new();
            loop {
                if self.at_end() {
                    let kind = SyntaxErrorKind::HereDoc(doc.end.clone());
                    if self.more {
                        return self.error(self.line, kind);
                    }
                    self.warnings.push(format!(
                        "warning: here-document at line {} delimited by end-of-file (wanted `{}')",
                        doc.line, doc.end
                    ));
                    break;
                }
                let length = self.rest().find('\n').map_or(self.rest().len(), |i| i + 1);
                let raw = self.rest()[..length].to_owned();
                self.pos += length;
                self.line += u32::from(raw.ends_with('\n'));
                let text = if doc.strip_tabs {
                    raw.trim_start_matches('\t')
                } else {
                    &raw
                };
                if text.strip_suffix('\n').unwrap_or(text) == doc.end {
                    break;
                }
                body.push_str(text);
                if self.at_end() && !text.ends_with('\n') {
                    body.push('\n');
                }
            }
            let word = if doc.quoted {
                Word::new(vec![Part::Quoted(body.into())])
            } else {
                let mut parser = Parser::new(body.into(), 0, doc.line + 1, self.aliases);
                parser.depth = self.depth;
                parser.here_text()?
            };
            let _ = doc.body.set(word);
        }
        Ok(())
    }

    /// Puts an alias's text in the place of the word that names it.
    pub(super) fn substitute(&mut self, start: usize, end: usize, name: Rc<str>, value: &str) {
        let text = format!("{}{}{}", &self.text[..start], value, &self.text[end..]);
        let grown = value.len() as isize - (end - start) as isize;
        for (_, until) in &mut self.guards {
            *until = until.saturating_add_signed(grown);
        }
        self.text = text.into();
        self.pos = start;
        self.peeked = None;
        self.guards.push((name, start + value.len()));
        let blank = value.ends_with([' ', '\t']);
        self.alias_at = blank.then_some(start + value.len());
    }

    /// The alias a word at `start` stands for, unless it is being expanded already.
    pub(super) fn alias_for(&self, name: &str, start: usize) -> Option<(Rc<str>, Rc<str>)> {
        let (name, value) = self.aliases.get_key_value(name)?;
        let guarded = self
            .guards
            .iter()
            .any(|(guard, until)| guard == name && start < *until);
        (!guarded).then(|| (name.clone(), value.clone()))
    }
}
