//! A recursive reader of JSON text. Errors are Go's, so that what a learner sees from the API
//! server or kubectl is what the real ones say.

use std::fmt::Write;

use crate::json::JsonError;
use crate::{Float, Map, Str, Value};

/// Nesting beyond this is refused; Go allows more, but no object needs it.
const MAX_DEPTH: usize = 512;
/// Slots of the cache of short strings, a power of two.
const CACHE: usize = 128;
/// Strings longer than this are not worth looking up.
const CACHED_LEN: usize = 40;

/// A value and the paths of keys that occurred twice (`spec.containers[0].name`).
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The value; of equal keys the last one won.
    pub value: Value,
    /// Where a key was repeated, in the order of the text.
    pub duplicates: Vec<String>,
}

pub(super) fn parse(text: &[u8]) -> Result<Value, JsonError> {
    Parser::new(text, false)
        .document()
        .map(|parsed| parsed.value)
}

/// Reads the JSON value a text begins with; also the number of bytes it took.
pub(super) fn parse_prefix(text: &[u8]) -> Result<(Value, usize), JsonError> {
    let mut parser = Parser::new(text, false);
    let value = parser.value()?;
    Ok((value, parser.at))
}

/// Reads one JSON value, and notes keys that occur twice in one object.
pub fn parse_strict(text: &[u8]) -> Result<Parsed, JsonError> {
    Parser::new(text, true).document()
}

enum Step {
    Key(Str),
    Index(usize),
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    depth: usize,
    /// Most strings of an object repeat within it: keys, kinds, protocol names.
    cache: Vec<Option<Str>>,
    /// Where we are; kept only when duplicates are asked for.
    path: Option<Vec<Step>>,
    duplicates: Vec<String>,
}

type Result2<T> = Result<T, JsonError>;

impl<'a> Parser<'a> {
    fn new(text: &'a [u8], track: bool) -> Self {
        Parser {
            text,
            at: 0,
            depth: 0,
            cache: vec![None; CACHE],
            path: track.then(Vec::new),
            duplicates: Vec::new(),
        }
    }

    fn document(mut self) -> Result2<Parsed> {
        let value = self.value()?;
        self.space();
        if self.at < self.text.len() {
            return Err(self.unexpected("after top-level value"));
        }
        Ok(Parsed {
            value,
            duplicates: self.duplicates,
        })
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn error(&self, offset: usize, message: String) -> JsonError {
        let before = String::from_utf8_lossy(&self.text[..offset.min(self.text.len())]);
        let line = before.matches('\n').count() + 1;
        let column = before
            .rsplit('\n')
            .next()
            .map_or(0, |last| last.chars().count())
            + 1;
        JsonError {
            line,
            column,
            offset,
            message,
        }
    }

    /// `invalid character 'x' <context>`, or that the text ends here.
    fn unexpected(&self, context: &str) -> JsonError {
        match self.peek() {
            None => self.error(self.at, "unexpected end of JSON input".into()),
            Some(byte) => {
                let shown = match byte {
                    b'\'' => "'\\''".to_owned(),
                    b'"' => "'\"'".to_owned(),
                    b'\n' => "'\\n'".to_owned(),
                    b'\r' => "'\\r'".to_owned(),
                    b'\t' => "'\\t'".to_owned(),
                    b'\\' => "'\\\\'".to_owned(),
                    0..=31 | 127 => format!("'\\x{byte:02x}'"),
                    _ => format!("'{}'", char::from(byte)),
                };
                self.error(self.at, format!("invalid character {shown} {context}"))
            }
        }
    }

    fn value(&mut self) -> Result2<Value> {
        self.space();
        match self.peek() {
            Some(b'{') => self.nested(Self::map),
            Some(b'[') => self.nested(Self::list),
            Some(b'"') => self.string().map(Value::Str),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal("true", Value::Bool(true)),
            Some(b'f') => self.literal("false", Value::Bool(false)),
            Some(b'n') => self.literal("null", Value::Null),
            _ => Err(self.unexpected("looking for beginning of value")),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result2<Value>) -> Result2<Value> {
        if self.depth >= MAX_DEPTH {
            return Err(self.error(self.at, "exceeded max depth".into()));
        }
        self.at += 1;
        self.depth += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn literal(&mut self, word: &str, value: Value) -> Result2<Value> {
        for (i, want) in word.bytes().enumerate() {
            if self.peek() != Some(want) {
                debug_assert!(i > 0, "the caller saw the first letter");
                let context = format!("in literal {word} (expecting '{}')", char::from(want));
                return Err(self.unexpected(&context));
            }
            self.at += 1;
        }
        Ok(value)
    }

    fn enter(&mut self, step: impl FnOnce() -> Step) {
        if let Some(path) = &mut self.path {
            path.push(step());
        }
    }

    fn leave(&mut self) {
        if let Some(path) = &mut self.path {
            path.pop();
        }
    }

    fn note_duplicates(&mut self, entries: &[(Str, Value)]) {
        let Some(path) = &self.path else { return };
        for (i, (key, _)) in entries.iter().enumerate() {
            let earlier = entries[..i].iter().filter(|(k, _)| k == key).count();
            if earlier == 1 {
                self.duplicates.push(path_text(path, key));
            }
        }
    }

    fn map(&mut self) -> Result2<Value> {
        let mut entries: Vec<(Str, Value)> = Vec::new();
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::empty_map());
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(self.unexpected("looking for beginning of object key string"));
            }
            let key = self.string()?;
            self.space();
            if self.peek() != Some(b':') {
                return Err(self.unexpected("after object key"));
            }
            self.at += 1;
            self.enter(|| Step::Key(key.clone()));
            let value = self.value()?;
            self.leave();
            entries.push((key, value));
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(self.unexpected("after object key:value pair")),
            }
        }
        self.at += 1;
        self.note_duplicates(&entries);
        Ok(Value::Map(Map::from_entries(entries)))
    }

    fn list(&mut self) -> Result2<Value> {
        let mut items = Vec::new();
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::list_of(items));
        }
        loop {
            self.enter(|| Step::Index(items.len()));
            items.push(self.value()?);
            self.leave();
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return Err(self.unexpected("after array element")),
            }
        }
        self.at += 1;
        items.shrink_to_fit();
        Ok(Value::list_of(items))
    }

    fn digits(&mut self, context: &str) -> Result2<()> {
        if !self.peek().is_some_and(|b| b.is_ascii_digit()) {
            return Err(self.unexpected(context));
        }
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result2<Value> {
        let start = self.at;
        let mut whole = true;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits("in numeric literal")?;
        }
        if self.peek() == Some(b'.') {
            whole = false;
            self.at += 1;
            self.digits("after decimal point in numeric literal")?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            whole = false;
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits("in exponent of numeric literal")?;
        }
        let text = std::str::from_utf8(&self.text[start..self.at]).unwrap_or("0");
        if whole && let Ok(n) = text.parse::<i64>() {
            return Ok(Value::Int(n));
        }
        match text.parse::<f64>() {
            Ok(n) if n.is_finite() => Ok(Value::Float(Float::new(n))),
            _ => {
                let message =
                    format!("json: cannot unmarshal number {text} into Go value of type float64");
                Err(self.error(start, message))
            }
        }
    }

    fn string(&mut self) -> Result2<Str> {
        self.at += 1;
        let start = self.at;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    let raw = &self.text[start..self.at];
                    self.at += 1;
                    return Ok(self.share(raw));
                }
                b'\\' => return self.escaped(start),
                0..=31 => break,
                _ => self.at += 1,
            }
        }
        Err(self.unexpected("in string literal"))
    }

    /// The rest of a string that holds escapes; `start` is after the opening quote.
    fn escaped(&mut self, start: usize) -> Result2<Str> {
        let mut out = String::from_utf8_lossy(&self.text[start..self.at]).into_owned();
        loop {
            let plain = self.at;
            while self
                .peek()
                .is_some_and(|b| b != b'"' && b != b'\\' && b >= 32)
            {
                self.at += 1;
            }
            out.push_str(&String::from_utf8_lossy(&self.text[plain..self.at]));
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Str::from(out));
                }
                Some(b'\\') => {
                    self.at += 1;
                    self.escape(&mut out)?;
                }
                _ => return Err(self.unexpected("in string literal")),
            }
        }
    }

    fn escape(&mut self, out: &mut String) -> Result2<()> {
        let plain = match self.peek() {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'u') => {
                self.at += 1;
                let unit = self.hex4()?;
                out.push(self.code_point(unit)?);
                return Ok(());
            }
            _ => return Err(self.unexpected("in string escape code")),
        };
        self.at += 1;
        out.push(plain);
        Ok(())
    }

    /// The character of a UTF-16 unit, with its second half if the text goes on with it; what has
    /// no partner becomes U+FFFD.
    fn code_point(&mut self, unit: u32) -> Result2<char> {
        if (0xD800..0xDC00).contains(&unit) && self.text[self.at..].starts_with(b"\\u") {
            let back = self.at;
            self.at += 2;
            let low = self.hex4()?;
            if (0xDC00..0xE000).contains(&low) {
                let code = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = back;
        }
        Ok(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex4(&mut self) -> Result2<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            match self.peek().and_then(|b| char::from(b).to_digit(16)) {
                Some(digit) => unit = unit * 16 + digit,
                None => return Err(self.unexpected("in \\u hexadecimal character escape")),
            }
            self.at += 1;
        }
        Ok(unit)
    }

    fn share(&mut self, raw: &[u8]) -> Str {
        let Ok(text) = std::str::from_utf8(raw) else {
            return Str::from(String::from_utf8_lossy(raw).into_owned());
        };
        if text.len() > CACHED_LEN {
            return Str::from(text);
        }
        let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
        let slot = &mut self.cache[(hash ^ (hash >> 15)) as usize % CACHE];
        match slot {
            Some(known) if known == text => known.clone(),
            _ => {
                let fresh = Str::from(text);
                *slot = Some(fresh.clone());
                fresh
            }
        }
    }
}

fn path_text(path: &[Step], key: &str) -> String {
    let mut out = String::new();
    for step in path {
        let _ = match step {
            Step::Index(i) => write!(out, "[{i}]"),
            Step::Key(key) if out.is_empty() => write!(out, "{key}"),
            Step::Key(key) => write!(out, ".{key}"),
        };
    }
    if !out.is_empty() {
        out.push('.');
    }
    out + key
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    #[track_caller]
    fn fails(text: &str, at: (usize, usize), message: &str) {
        let error = Value::from_json(text.as_bytes()).expect_err("must fail");
        assert_eq!(
            (error.message.as_str(), error.line, error.column),
            (message, at.0, at.1)
        );
    }

    #[track_caller]
    fn reads(text: &str, want: Value) {
        assert_eq!(Value::from_json(text.as_bytes()), Ok(want));
    }

    #[test]
    fn numbers() {
        reads("9223372036854775807", value!(i64::MAX));
        reads("9223372036854775808", value!(9223372036854775808_f64));
        reads("-9223372036854775808", value!(i64::MIN));
        reads("1.0", value!(1.0));
        reads("1e3", value!(1000.0));
        reads("-0", value!(0));
    }

    #[test]
    fn strings() {
        reads(r#""a\u0041\n\/\ud83d\ude00""#, value!("aA\n/😀"));
        reads(r#""\ud800x""#, value!("\u{fffd}x"));
        assert_eq!(Value::from_json(b"\"\xff\""), Ok(value!("\u{fffd}")));
    }

    #[test]
    fn errors() {
        fails("", (1, 1), "unexpected end of JSON input");
        fails(
            "{\n \"a\" 1}",
            (2, 6),
            "invalid character '1' after object key",
        );
        fails(
            "{\"a\":1 \"b\"}",
            (1, 8),
            "invalid character '\"' after object key:value pair",
        );
        fails(
            "{a:1}",
            (1, 2),
            "invalid character 'a' looking for beginning of object key string",
        );
        fails(
            "[1,]",
            (1, 4),
            "invalid character ']' looking for beginning of value",
        );
        fails("[1 2]", (1, 4), "invalid character '2' after array element");
        fails("1 x", (1, 3), "invalid character 'x' after top-level value");
        fails(
            "trux",
            (1, 4),
            "invalid character 'x' in literal true (expecting 'e')",
        );
        fails(
            "\"a\nb\"",
            (1, 3),
            "invalid character '\\n' in string literal",
        );
        fails(
            "\"\\q\"",
            (1, 3),
            "invalid character 'q' in string escape code",
        );
        fails(
            "1.x",
            (1, 3),
            "invalid character 'x' after decimal point in numeric literal",
        );
        fails(&"[".repeat(2000), (1, MAX_DEPTH + 1), "exceeded max depth");
    }

    #[test]
    fn duplicates_are_noted_once_with_their_path() {
        let parsed = parse_strict(br#"{"s":{"c":[{"n":1,"n":2,"n":3}]},"k":1,"k":2}"#).unwrap();
        assert_eq!(parsed.duplicates, ["s.c[0].n", "k"]);
        assert_eq!(parsed.value.to_json(), r#"{"k":2,"s":{"c":[{"n":3}]}}"#);
    }
}
