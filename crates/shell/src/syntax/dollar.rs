//! What `$` and backquotes bring: parameters, command substitutions, arithmetic.

use std::rc::Rc;

use super::error::{SyntaxError, SyntaxErrorKind};
use super::ir::{Index, List, Param, ParamOp, Part, ReplaceAt, Word};
use super::lex::Parser;
use super::word::Mode;

impl Parser<'_> {
    /// The expansion that starts at `$`, or nothing if the `$` is an ordinary character.
    pub(super) fn dollar_part(&mut self, double: bool) -> Result<Option<Part>, SyntaxError> {
        let next = self.byte(1);
        Ok(Some(match next {
            b'(' if self.byte(2) == b'(' => self.arithmetic_or_command()?,
            b'(' => {
                self.pos += 1;
                Part::Command(self.parenthesised()?)
            }
            b'{' => {
                self.pos += 2;
                Part::Param(Rc::new(self.braced(double)?))
            }
            _ => {
                let rest = &self.text[self.pos + 1..];
                let length = match next {
                    b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!' | b'0'..=b'9' => 1,
                    _ => name_length(rest),
                };
                if length == 0 {
                    return Ok(None);
                }
                let param = plain(&rest[..length]);
                self.pos += 1 + length;
                Part::Param(Rc::new(param))
            }
        }))
    }

    /// `$((…))`, or a command substitution that begins with a subshell.
    fn arithmetic_or_command(&mut self) -> Result<Part, SyntaxError> {
        let (pos, line) = (self.pos, self.line);
        self.pos += 3;
        match self.arith_word(b')', 0) {
            Ok(word) if self.byte(1) == b')' => {
                self.pos += 2;
                Ok(Part::Arith(word))
            }
            // The expression ended with a single `)`.
            Ok(_) => {
                (self.pos, self.line) = (pos + 1, line);
                Ok(Part::Command(self.parenthesised()?))
            }
            Err(error) => Err(error),
        }
    }

    /// `(list)` from its opening parenthesis, inside a word.
    fn parenthesised(&mut self) -> Result<Rc<List>, SyntaxError> {
        self.enter()?;
        self.pos += 1;
        let here_docs = std::mem::take(&mut self.here_docs);
        let list = self.list_until_parenthesis();
        // Bodies the substitution still waits for come with the line's newline, like those before.
        let waiting = std::mem::replace(&mut self.here_docs, here_docs);
        self.here_docs.extend(waiting);
        let list = match list {
            Err(error) if error.kind == SyntaxErrorKind::EndOfFile => {
                return self.error(error.line, SyntaxErrorKind::Unmatched(')'));
            }
            other => other?,
        };
        self.leave();
        Ok(Rc::new(list))
    }

    fn list_until_parenthesis(&mut self) -> Result<List, SyntaxError> {
        self.skip_newlines()?;
        let list = if self.peek_op()? == ")" {
            List::default()
        } else {
            self.compound_list(&[")"])?
        };
        let token = self.next()?;
        self.expect_was(&token, ")")?;
        Ok(list)
    }

    /// `` `…` ``: its text, unescaped once, is a script of its own.
    pub(super) fn backquoted(&mut self, double: bool) -> Result<Rc<List>, SyntaxError> {
        self.enter()?;
        let opened = self.line;
        self.pos += 1;
        let mut text = String::new();
        loop {
            match self.bump() {
                None => return self.error(opened, SyntaxErrorKind::Unmatched('`')),
                Some('`') => break,
                Some('\\') => match self.bump() {
                    Some(c @ ('`' | '\\' | '$')) => text.push(c),
                    Some('"') if double => text.push('"'),
                    other => {
                        text.push('\\');
                        text.extend(other);
                    }
                },
                Some(c) => text.push(c),
            }
        }
        let mut parser = Parser::new(text.into(), 0, opened, self.aliases);
        parser.depth = self.depth;
        let list = parser.whole_text()?;
        self.leave();
        Ok(Rc::new(list))
    }

    /// `<(…)` and `>(…)`.
    pub(super) fn process_substitution(&mut self) -> Result<Part, SyntaxError> {
        let input = self.byte(0) == b'<';
        self.pos += 1;
        Ok(Part::Process(input, self.parenthesised()?))
    }

    /// What stands between `${` and `}`, and the `}`.
    fn braced(&mut self, double: bool) -> Result<Param, SyntaxError> {
        let (start, line) = (self.pos, self.line);
        if let Some(param) = self.try_braced(double)?
            && self.byte(0) == b'}'
        {
            self.pos += 1;
            return Ok(param);
        }
        // Not an expansion bash knows: it says so when it gets there, so find the end.
        (self.pos, self.line) = (start, line);
        self.parts(Mode::Operand { double, stop: 0 })?;
        let name = self.text[start..self.pos].into();
        self.pos += 1;
        Ok(Param {
            name,
            index: None,
            indirect: false,
            op: ParamOp::Bad,
        })
    }

    fn try_braced(&mut self, double: bool) -> Result<Option<Param>, SyntaxError> {
        if self.byte(0) == b'#' && self.byte(1) != b'}' && self.parameter_follows(1) {
            self.pos += 1;
            let Some(name) = self.parameter_name() else {
                return Ok(None);
            };
            let index = self.index()?;
            return Ok(Some(Param {
                name,
                index,
                indirect: false,
                op: ParamOp::Length,
            }));
        }
        let indirect = self.byte(0) == b'!' && self.byte(1) != b'}' && self.parameter_follows(1);
        self.pos += usize::from(indirect);
        let Some(name) = self.parameter_name() else {
            return Ok(None);
        };
        if indirect && matches!(self.byte(0), b'*' | b'@') && self.byte(1) == b'}' {
            let index = if self.byte(0) == b'@' {
                Index::At
            } else {
                Index::Star
            };
            self.pos += 1;
            return Ok(Some(Param {
                name,
                index: Some(index),
                indirect,
                op: ParamOp::Names,
            }));
        }
        let index = self.index()?;
        if indirect && matches!(index, Some(Index::At | Index::Star)) && self.byte(0) == b'}' {
            return Ok(Some(Param {
                name,
                index,
                indirect,
                op: ParamOp::Keys,
            }));
        }
        let Some(op) = self.operator(double)? else {
            return Ok(None);
        };
        Ok(Some(Param {
            name,
            index,
            indirect,
            op,
        }))
    }

    fn parameter_follows(&self, ahead: usize) -> bool {
        let byte = self.byte(ahead);
        byte.is_ascii_alphanumeric()
            || byte == b'_'
            || (b"@*#?-$!".contains(&byte) && matches!(self.byte(ahead + 1), b'}' | b'['))
    }

    fn parameter_name(&mut self) -> Option<Rc<str>> {
        let rest = self.rest();
        let length = match self.byte(0) {
            b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!' => 1,
            b'0'..=b'9' => rest.bytes().take_while(u8::is_ascii_digit).count(),
            _ => name_length(rest),
        };
        if length == 0 {
            return None;
        }
        let name = rest[..length].into();
        self.pos += length;
        Some(name)
    }

    fn index(&mut self) -> Result<Option<Index>, SyntaxError> {
        if self.byte(0) != b'[' {
            return Ok(None);
        }
        self.pos += 1;
        let index = match (self.byte(0), self.byte(1)) {
            (b'@', b']') => Index::At,
            (b'*', b']') => Index::Star,
            _ => {
                let word = self.arith_word(b']', 0)?;
                self.pos += 1;
                return Ok(Some(Index::Expr(word)));
            }
        };
        self.pos += 2;
        Ok(Some(index))
    }

    fn operator(&mut self, double: bool) -> Result<Option<ParamOp>, SyntaxError> {
        let (first, second) = (self.byte(0), self.byte(1));
        Ok(Some(match first {
            b'}' => ParamOp::Value,
            b'-' | b'=' | b'?' | b'+' => {
                self.pos += 1;
                ParamOp::Test(first as char, false, self.operand(double, 0)?)
            }
            b':' if b"-=?+".contains(&second) => {
                self.pos += 2;
                ParamOp::Test(second as char, true, self.operand(double, 0)?)
            }
            b':' => {
                self.pos += 1;
                let offset = self.arith_word(b'}', b':')?;
                let length = self
                    .eat(":")
                    .then(|| self.arith_word(b'}', 0))
                    .transpose()?;
                ParamOp::Substring(offset, length)
            }
            b'#' => {
                self.pos += 1;
                ParamOp::TrimPrefix(self.eat("#"), self.operand(false, 0)?)
            }
            b'%' => {
                self.pos += 1;
                ParamOp::TrimSuffix(self.eat("%"), self.operand(false, 0)?)
            }
            b'/' => {
                self.pos += 1;
                let at = match self.byte(0) {
                    b'/' => ReplaceAt::All,
                    b'#' => ReplaceAt::Start,
                    b'%' => ReplaceAt::End,
                    _ => ReplaceAt::First,
                };
                self.pos += usize::from(at != ReplaceAt::First);
                let pattern = self.operand(false, b'/')?;
                let with = if self.eat("/") {
                    self.operand(false, 0)?
                } else {
                    Word::default()
                };
                ParamOp::Replace { at, pattern, with }
            }
            b'^' | b',' => {
                self.pos += 1;
                let all = self.byte(0) == first;
                self.pos += usize::from(all);
                ParamOp::Case {
                    upper: first == b'^',
                    all,
                    pattern: self.operand(false, 0)?,
                }
            }
            b'@' if second.is_ascii_alphabetic() => {
                self.pos += 2;
                ParamOp::Transform(second as char)
            }
            _ => return Ok(None),
        }))
    }

    fn operand(&mut self, double: bool, stop: u8) -> Result<Word, SyntaxError> {
        let parts = self.parts(Mode::Operand { double, stop })?;
        Ok(Word::new(parts))
    }
}

/// `$name`
fn plain(name: &str) -> Param {
    Param {
        name: name.into(),
        index: None,
        indirect: false,
        op: ParamOp::Value,
    }
}

/// The length of the variable name a text begins with.
pub(crate) fn name_length(text: &str) -> usize {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return 0;
    }
    text.bytes()
        .take_while(|b| b.is_ascii_alphanumeric() || *b == b'_')
        .count()
}
