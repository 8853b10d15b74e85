//! Words and their quotes.

use std::rc::Rc;

use crate::raw;

use super::error::{SyntaxError, SyntaxErrorKind};
use super::ir::{Part, Word};
use super::lex::Parser;

/// How a stretch of text is read: which quotes are live and what ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// A word of a command.
    Word,
    /// The right side of `=~`: ends at a blank outside parentheses.
    Regex,
    /// Up to `"`.
    Double,
    /// To the end of the text, as inside double quotes but with `"` an ordinary character.
    Here,
    /// The operand of `${name-…}` and friends: up to `}`, or one more character.
    Operand { double: bool, stop: u8 },
    /// An arithmetic expression up to the closing character at its own level.
    Arith { close: u8, also: u8 },
}

/// Collects text and closes it into parts.
#[derive(Default)]
struct Builder {
    parts: Vec<Part>,
    text: String,
    quoted: bool,
}

impl Builder {
    fn push(&mut self, text: &str, quoted: bool) {
        if self.quoted != quoted {
            self.close();
        }
        self.quoted = quoted;
        self.text.push_str(text);
    }

    fn close(&mut self) {
        if !self.text.is_empty() {
            let text: Rc<str> = std::mem::take(&mut self.text).into();
            self.parts.push(if self.quoted {
                Part::Quoted(text)
            } else {
                Part::Literal(text)
            });
        }
    }

    fn part(&mut self, part: Part) {
        self.close();
        self.parts.push(part);
    }

    fn finish(mut self) -> Vec<Part> {
        self.close();
        self.parts
    }
}

impl Parser<'_> {
    /// A word of a command.
    pub(super) fn word(&mut self) -> Result<Word, SyntaxError> {
        Ok(Word::new(self.parts(Mode::Word)?))
    }

    /// The whole text, as inside double quotes but with `"` an ordinary character.
    pub(super) fn here_text(&mut self) -> Result<Word, SyntaxError> {
        let parts = self.parts(Mode::Here)?;
        Ok(Word::new(vec![Part::DoubleQuoted(parts.into())]))
    }

    /// The whole text as a quoted word.
    pub(super) fn quoted_text(&mut self) -> Result<Word, SyntaxError> {
        self.here_text()
    }

    /// An arithmetic expression; the closing character is not taken.
    pub(super) fn arith_word(&mut self, close: u8, also: u8) -> Result<Word, SyntaxError> {
        let parts = self.parts(Mode::Arith { close, also })?;
        Ok(Word::new(vec![Part::DoubleQuoted(parts.into())]))
    }

    /// Reads parts in one mode. What ends the mode is left unread.
    pub(super) fn parts(&mut self, mode: Mode) -> Result<Vec<Part>, SyntaxError> {
        self.enter()?;
        let opened = self.line;
        let double = match mode {
            Mode::Word | Mode::Regex => false,
            Mode::Operand { double, .. } => double,
            Mode::Double | Mode::Here | Mode::Arith { .. } => true,
        };
        let mut out = Builder::default();
        // Brackets open inside an expression.
        let mut nested = 0u32;
        loop {
            if self.at_end() {
                match mode {
                    Mode::Word | Mode::Here | Mode::Regex => break,
                    Mode::Double => return self.error(opened, SyntaxErrorKind::Unmatched('"')),
                    Mode::Operand { .. } => {
                        return self.error(opened, SyntaxErrorKind::Unmatched('}'));
                    }
                    Mode::Arith { close, .. } => {
                        return self.error(opened, SyntaxErrorKind::Unmatched(close as char));
                    }
                }
            }
            let byte = self.byte(0);
            if ends(mode, byte, nested) && !(byte == b'(' && self.extended_glob(&out)) {
                if matches!(byte, b'<' | b'>') && self.byte(1) == b'(' && mode == Mode::Word {
                    let part = self.process_substitution()?;
                    out.part(part);
                    continue;
                }
                break;
            }
            match (mode, byte) {
                (Mode::Arith { .. } | Mode::Regex, b'(' | b'[') => nested += 1,
                (Mode::Arith { .. } | Mode::Regex, b')' | b']') => {
                    nested = nested.saturating_sub(1);
                }
                _ => {}
            }
            match byte {
                b'\\' => self.escape(mode, double, &mut out),
                b'\'' if !double => {
                    let text = self.single_quoted()?;
                    out.push(&text, true);
                    if text.is_empty() {
                        out.part(Part::Quoted("".into()));
                    }
                }
                b'"' if mode == Mode::Here => {
                    self.pos += 1;
                    out.push("\"", true);
                }
                b'"' if matches!(mode, Mode::Arith { .. }) => self.pos += 1,
                b'"' => {
                    self.pos += 1;
                    let parts = self.double_quoted()?;
                    out.part(Part::DoubleQuoted(parts.into()));
                }
                b'$' => self.dollar(double, &mut out)?,
                b'`' => {
                    let list = self.backquoted(double)?;
                    out.part(Part::Command(list));
                }
                b'(' if mode == Mode::Word => self.extended_group(&mut out)?,
                _ => {
                    let c = self.bump().expect("not at the end");
                    out.push(c.encode_utf8(&mut [0; 4]), double);
                }
            }
        }
        self.leave();
        Ok(out.finish())
    }

    fn dollar(&mut self, double: bool, out: &mut Builder) -> Result<(), SyntaxError> {
        if !double && self.byte(1) == b'\'' {
            self.pos += 1;
            let text = unescape_ansi(&self.ansi_quoted()?);
            out.push(&text, true);
            if text.is_empty() {
                out.part(Part::Quoted("".into()));
            }
        } else if !double && self.byte(1) == b'"' {
            self.pos += 2;
            let parts = self.double_quoted()?;
            out.part(Part::DoubleQuoted(parts.into()));
        } else if let Some(part) = self.dollar_part(double)? {
            out.part(part);
        } else {
            self.pos += 1;
            out.push("$", double);
        }
        Ok(())
    }

    fn escape(&mut self, mode: Mode, double: bool, out: &mut Builder) {
        self.pos += 1;
        let next = self.byte(0);
        if next == b'\n' {
            self.pos += 1;
            self.line += 1;
            return;
        }
        let live = match mode {
            Mode::Here => matches!(next, b'$' | b'`' | b'\\'),
            Mode::Operand { .. } if double => matches!(next, b'$' | b'`' | b'\\' | b'"' | b'}'),
            _ if double => matches!(next, b'$' | b'`' | b'\\' | b'"'),
            _ => true,
        };
        match self.bump() {
            Some(c) if live => out.push(c.encode_utf8(&mut [0; 4]), true),
            Some(c) => {
                out.push("\\", double);
                out.push(c.encode_utf8(&mut [0; 4]), double);
            }
            None => out.push("\\", true),
        }
    }

    fn single_quoted(&mut self) -> Result<String, SyntaxError> {
        let opened = self.line;
        self.pos += 1;
        let Some(length) = self.rest().find('\'') else {
            return self.error(opened, SyntaxErrorKind::Unmatched('\''));
        };
        let text = self.rest()[..length].to_owned();
        self.line += text.matches('\n').count() as u32;
        self.pos += length + 1;
        Ok(text)
    }

    /// The raw text between `$'` and `'`; the `$` is already taken.
    fn ansi_quoted(&mut self) -> Result<String, SyntaxError> {
        let opened = self.line;
        self.pos += 1;
        let mut text = String::new();
        loop {
            match self.bump() {
                None => return self.error(opened, SyntaxErrorKind::Unmatched('\'')),
                Some('\'') => return Ok(text),
                Some('\\') => {
                    text.push('\\');
                    text.extend(self.bump());
                }
                Some(c) => text.push(c),
            }
        }
    }

    fn double_quoted(&mut self) -> Result<Vec<Part>, SyntaxError> {
        let parts = self.parts(Mode::Double)?;
        self.pos += 1;
        Ok(parts)
    }

    /// Whether a `(` opens an extended pattern like `@(a|b)`: it follows one of `?*+@!`.
    fn extended_glob(&self, out: &Builder) -> bool {
        !out.quoted && out.text.ends_with(['?', '*', '+', '@', '!'])
    }

    /// The parenthesised part of an extended pattern, taken with its parentheses.
    fn extended_group(&mut self, out: &mut Builder) -> Result<(), SyntaxError> {
        let opened = self.line;
        let mut depth = 0;
        loop {
            match self.byte(0) {
                0 if self.at_end() => return self.error(opened, SyntaxErrorKind::Unmatched(')')),
                b'\'' => {
                    let text = self.single_quoted()?;
                    out.push(&text, true);
                    continue;
                }
                b'"' => {
                    self.pos += 1;
                    let parts = self.double_quoted()?;
                    out.part(Part::DoubleQuoted(parts.into()));
                    continue;
                }
                b'$' => {
                    self.dollar(false, out)?;
                    continue;
                }
                b'\\' => {
                    self.escape(Mode::Word, false, out);
                    continue;
                }
                b'(' => depth += 1,
                b')' => depth -= 1,
                _ => {}
            }
            let c = self.bump().expect("not at the end");
            out.push(c.encode_utf8(&mut [0; 4]), false);
            if depth == 0 {
                return Ok(());
            }
        }
    }
}

/// Whether an unquoted byte ends what is being read.
fn ends(mode: Mode, byte: u8, nested: u32) -> bool {
    let blank = matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    match mode {
        Mode::Word => blank || matches!(byte, b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')'),
        Mode::Regex => nested == 0 && (blank || byte == b')'),
        Mode::Double => byte == b'"',
        Mode::Here => false,
        Mode::Operand { stop, .. } => byte == b'}' || (stop != 0 && byte == stop),
        Mode::Arith { close, also } => nested == 0 && (byte == close || also != 0 && byte == also),
    }
}

/// The text of `$'…'`, and of `echo -e` and `printf %b`, with its escapes resolved.
pub fn unescape_ansi(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        if let Some(value) = digits(&mut rest, 8, 3) {
            out.push(raw::character(value.to_le_bytes()[0]));
            continue;
        }
        let Some(escape) = rest.next() else {
            out.push('\\');
            break;
        };
        match escape {
            'a' => out.push('\x07'),
            'b' => out.push('\x08'),
            'e' | 'E' => out.push('\x1b'),
            'f' => out.push('\x0c'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'v' => out.push('\x0b'),
            '\\' | '\'' | '"' | '?' => out.push(escape),
            'x' | 'u' | 'U' => {
                let most = match escape {
                    'x' => 2,
                    'u' => 4,
                    _ => 8,
                };
                match digits(&mut rest, 16, most) {
                    Some(value) if escape == 'x' => {
                        out.push(raw::character(value.to_le_bytes()[0]));
                    }
                    Some(value) => out.push(char::from_u32(value).unwrap_or('\u{fffd}')),
                    None => out.extend(['\\', escape]),
                }
            }
            other => out.extend(['\\', other]),
        }
    }
    raw::settled(out)
}

/// Up to `most` digits of a number, if there is at least one.
fn digits(
    rest: &mut std::iter::Peekable<std::str::Chars<'_>>,
    radix: u32,
    most: usize,
) -> Option<u32> {
    let mut value = None;
    for _ in 0..most {
        let Some(digit) = rest.peek().and_then(|c| c.to_digit(radix)) else {
            break;
        };
        rest.next();
        value = Some(value.unwrap_or(0) * radix + digit);
    }
    value
}
