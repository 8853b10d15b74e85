//! Cuts CEL source into tokens. Knows literals and their escapes, nothing of grammar.
//!
//! Models the lexer rules of github.com/google/cel-spec doc/langdef.md.

use std::rc::Rc;

use super::CelError;

/// What one token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A name, also `true`, `false`, `null` and `in`.
    Ident(Rc<str>),
    /// A name in backticks, only good after a dot.
    Quoted(Rc<str>),
    /// The magnitude of a signed integer; the sign is the parser's.
    Int(u64),
    Uint(u64),
    Double(f64),
    Str(Rc<str>),
    Bytes(Rc<[u8]>),
    /// An operator or bracket.
    Punct(&'static str),
    End,
}

/// A token and the bytes of the source it covers.
#[derive(Clone, Debug)]
pub(super) struct Spanned {
    pub(super) token: Token,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Longest first, so that `<=` is not read as `<`.
const PUNCTUATION: &[&str] = &[
    "==", "!=", "<=", ">=", "&&", "||", "<", ">", "(", ")", "[", "]", "{", "}", ".", ",", ":", "?",
    "+", "-", "*", "/", "%", "!",
];

/// All tokens of `source`, the last one `End`.
pub(super) fn tokens(source: &str) -> Result<Vec<Spanned>, CelError> {
    let mut lexer = Lexer { source, at: 0 };
    let mut out = Vec::new();
    loop {
        lexer.skip_blank();
        let start = lexer.at;
        let token = lexer.next_token()?;
        let end = lexer.at;
        let last = token == Token::End;
        out.push(Spanned { token, start, end });
        if last {
            return Ok(out);
        }
    }
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.source[self.at..]
    }

    fn peek(&self, ahead: usize) -> u8 {
        let bytes = self.source.as_bytes();
        bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn error(&self, at: usize, message: String) -> CelError {
        CelError::new(self.source, at, message)
    }

    fn skip_blank(&mut self) {
        loop {
            match self.peek(0) {
                b' ' | b'\t' | b'\n' | b'\r' | 0x0c => self.at += 1,
                b'/' if self.peek(1) == b'/' => {
                    let rest = self.rest();
                    self.at += rest.find('\n').unwrap_or(rest.len());
                }
                _ => return,
            }
        }
    }

    fn next_token(&mut self) -> Result<Token, CelError> {
        let Some(first) = self.rest().chars().next() else {
            return Ok(Token::End);
        };
        if let Some(prefix) = self.string_prefix() {
            return self.string(prefix);
        }
        if first.is_ascii_digit() || (first == '.' && self.peek(1).is_ascii_digit()) {
            return self.number();
        }
        if first.is_ascii_alphabetic() || first == '_' {
            let len = self.count(0, |b| b.is_ascii_alphanumeric() || b == b'_');
            let name = Rc::from(&self.rest()[..len]);
            self.at += len;
            return Ok(Token::Ident(name));
        }
        if first == '`' {
            return self.quoted();
        }
        let found = PUNCTUATION.iter().find(|p| self.rest().starts_with(**p));
        match found {
            Some(punct) => {
                self.at += punct.len();
                Ok(Token::Punct(punct))
            }
            None => {
                let text = format!("Syntax error: token recognition error at: '{first}'");
                Err(self.error(self.at, text))
            }
        }
    }

    fn count(&self, from: usize, fits: impl Fn(u8) -> bool) -> usize {
        self.rest().as_bytes()[from..]
            .iter()
            .take_while(|b| fits(**b))
            .count()
    }

    fn quoted(&mut self) -> Result<Token, CelError> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"_.-/ ".contains(&b);
        let len = self.count(1, fits);
        if len == 0 || self.peek(1 + len) != b'`' {
            let text = "Syntax error: token recognition error at: '`'".into();
            return Err(self.error(self.at, text));
        }
        let name = Rc::from(&self.rest()[1..=len]);
        self.at += len + 2;
        Ok(Token::Quoted(name))
    }

    fn number(&mut self) -> Result<Token, CelError> {
        if self.peek(0) == b'0' && matches!(self.peek(1), b'x' | b'X') {
            let len = self.count(2, |b| b.is_ascii_hexdigit());
            let text = self.rest()[2..2 + len].to_string();
            return self.integer(&text, 16, 2 + len);
        }
        let whole = self.count(0, |b| b.is_ascii_digit());
        let mut len = whole;
        if self.peek(len) == b'.' && self.peek(len + 1).is_ascii_digit() {
            len += 1;
            len += self.count(len, |b| b.is_ascii_digit());
        }
        if matches!(self.peek(len), b'e' | b'E') {
            let signed = usize::from(matches!(self.peek(len + 1), b'+' | b'-'));
            let digits = self.count(len + 1 + signed, |b| b.is_ascii_digit());
            if digits > 0 {
                len += 1 + signed + digits;
            }
        }
        let text = self.rest()[..len].to_string();
        if len == whole {
            return self.integer(&text, 10, len);
        }
        let value = text.parse::<f64>().ok().filter(|v| v.is_finite());
        let value = value.ok_or_else(|| self.error(self.at, "invalid double literal".into()))?;
        self.at += len;
        Ok(Token::Double(value))
    }

    fn integer(&mut self, digits: &str, radix: u32, len: usize) -> Result<Token, CelError> {
        let unsigned = matches!(self.peek(len), b'u' | b'U');
        let kind = if unsigned { "uint" } else { "int" };
        let value = u64::from_str_radix(digits, radix).ok();
        // One more than i64::MAX is good after a minus; the parser looks at that.
        let value = value.filter(|v| unsigned || *v <= i64::MIN.unsigned_abs());
        let value = value.ok_or_else(|| self.error(self.at, format!("invalid {kind} literal")))?;
        self.at += len + usize::from(unsigned);
        Ok(if unsigned {
            Token::Uint(value)
        } else {
            Token::Int(value)
        })
    }

    /// `(raw, bytes, length)` of what stands before an opening quote, if a string begins here.
    fn string_prefix(&self) -> Option<(bool, bool, usize)> {
        let (mut raw, mut bytes) = (false, false);
        for len in 0..=2 {
            match self.peek(len) {
                b'"' | b'\'' => return Some((raw, bytes, len)),
                b'r' | b'R' if !raw => raw = true,
                b'b' | b'B' if !bytes => bytes = true,
                _ => return None,
            }
        }
        None
    }

    fn string(&mut self, (raw, bytes, len): (bool, bool, usize)) -> Result<Token, CelError> {
        let start = self.at;
        self.at += len;
        let quote = char::from(self.peek(0));
        let triple: String = [quote; 3].iter().collect();
        let long = self.rest().starts_with(&triple);
        let close = if long { triple } else { quote.to_string() };
        self.at += close.len();
        let mut out = Vec::new();
        loop {
            let Some(c) = self.rest().chars().next() else {
                let shown: String = self.source[start..].chars().take(20).collect();
                let text = format!("Syntax error: token recognition error at: '{shown}'");
                return Err(self.error(start, text));
            };
            if self.rest().starts_with(&close) {
                self.at += close.len();
                break;
            }
            if c == '\n' && !long {
                let text = "Syntax error: a string does not reach over the end of its line";
                return Err(self.error(start, text.into()));
            }
            if c == '\\' && !raw {
                self.escape(bytes, &mut out)?;
                continue;
            }
            self.at += c.len_utf8();
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
        if bytes {
            return Ok(Token::Bytes(out.into()));
        }
        let text = String::from_utf8(out).unwrap_or_default();
        Ok(Token::Str(text.into()))
    }

    fn escape(&mut self, bytes: bool, out: &mut Vec<u8>) -> Result<(), CelError> {
        let plain = match self.peek(1) {
            b'a' => 0x07,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 0x0b,
            same @ (b'\\' | b'?' | b'"' | b'\'' | b'`') => same,
            b'x' | b'X' => return self.code(2, 2, 16, bytes, out),
            b'u' => return self.code(2, 4, 16, false, out),
            b'U' => return self.code(2, 8, 16, false, out),
            b'0'..=b'3' => return self.code(1, 3, 8, bytes, out),
            _ => {
                let text = "Syntax error: unable to unescape string".into();
                return Err(self.error(self.at, text));
            }
        };
        out.push(plain);
        self.at += 2;
        Ok(())
    }

    /// An escape given as a number: `digits` of them in base `radix`, after `skip` bytes.
    fn code(
        &mut self,
        skip: usize,
        digits: usize,
        radix: u32,
        byte: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), CelError> {
        let text = self.rest().get(skip..skip + digits).unwrap_or("");
        let value = u32::from_str_radix(text, radix).ok();
        let byte_value = value.and_then(|v| u8::try_from(v).ok());
        let char_value = value.and_then(char::from_u32);
        match (byte, byte_value, char_value) {
            (true, Some(b), _) => out.push(b),
            (false, _, Some(c)) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            _ => {
                let text = "Syntax error: unable to unescape string".into();
                return Err(self.error(self.at, text));
            }
        }
        self.at += skip + digits;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, expect: &[Token]) {
        let found = tokens(source).map_err(|e| e.message);
        let found: Result<Vec<Token>, _> =
            found.map(|all| all.into_iter().map(|t| t.token).collect());
        let mut expect = expect.to_vec();
        expect.push(Token::End);
        assert_eq!(found, Ok(expect), "{source}");
    }

    #[track_caller]
    fn check_error(source: &str, column: u32, message: &str) {
        let error = tokens(source).map(|_| ()).expect_err(source);
        assert_eq!((error.column, error.message.as_str()), (column, message));
    }

    #[test]
    fn numbers_of_every_sort() {
        check(
            "0 12 0x1F 7u",
            &[
                Token::Int(0),
                Token::Int(12),
                Token::Int(31),
                Token::Uint(7),
            ],
        );
        check(
            "1.5 .5 1e3 2.5E-1",
            &[
                Token::Double(1.5),
                Token::Double(0.5),
                Token::Double(1000.0),
                Token::Double(0.25),
            ],
        );
        check(
            "1.size",
            &[
                Token::Int(1),
                Token::Punct("."),
                Token::Ident("size".into()),
            ],
        );
    }

    #[test]
    fn strings_of_every_sort() {
        check(
            r#"'a\n' "b\u00e9" r'\d' b'\xff'"#,
            &[
                Token::Str("a\n".into()),
                Token::Str("bé".into()),
                Token::Str(r"\d".into()),
                Token::Bytes([0xff].into()),
            ],
        );
        check("'''a\n'b'''", &[Token::Str("a\n'b".into())]);
        check(
            r"'\101' br'\x'",
            &[
                Token::Str("A".into()),
                Token::Bytes(b"\\x".as_slice().into()),
            ],
        );
    }

    #[test]
    fn names_and_comments() {
        check(
            "self.`a-b/c` // rest",
            &[
                Token::Ident("self".into()),
                Token::Punct("."),
                Token::Quoted("a-b/c".into()),
            ],
        );
        check(
            "a<=b",
            &[
                Token::Ident("a".into()),
                Token::Punct("<="),
                Token::Ident("b".into()),
            ],
        );
    }

    #[test]
    fn errors_point_at_the_place() {
        let text = "Syntax error: token recognition error at: '@'";
        check_error("a @ b", 3, text);
        check_error("99999999999999999999", 1, "invalid int literal");
        check_error(r"x + '\q'", 6, "Syntax error: unable to unescape string");
        check_error(
            "'abc",
            1,
            "Syntax error: token recognition error at: ''abc'",
        );
    }
}
