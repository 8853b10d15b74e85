//! JSON as jq sees it: objects keep the order of their keys, numbers are doubles.

use std::cmp::Ordering;
use std::rc::Rc;

/// A JSON value. Cloning is cheap.
#[derive(Debug, Clone)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(f64),
    Text(Rc<str>),
    Array(Rc<Vec<Json>>),
    Object(Rc<Vec<(Rc<str>, Json)>>),
}

/// Nesting that is refused, so that no input overflows the stack.
const MAX_DEPTH: u32 = 256;

impl Json {
    pub(super) fn text(text: impl Into<Rc<str>>) -> Json {
        Json::Text(text.into())
    }

    pub(super) fn array(items: Vec<Json>) -> Json {
        Json::Array(Rc::new(items))
    }

    pub(super) fn is_true(&self) -> bool {
        !matches!(self, Json::Null | Json::Bool(false))
    }

    /// The name of its type.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Json::Null => "null",
            Json::Bool(_) => "boolean",
            Json::Number(_) => "number",
            Json::Text(_) => "string",
            Json::Array(_) => "array",
            Json::Object(_) => "object",
        }
    }

    /// The value of a key of an object.
    pub(super) fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Json::Object(fields) => fields.iter().find(|(own, _)| &**own == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// An object with a key set.
    pub(super) fn with(&self, key: Rc<str>, value: Json) -> Json {
        let mut fields = match self {
            Json::Object(fields) => (**fields).clone(),
            _ => Vec::new(),
        };
        match fields.iter_mut().find(|(own, _)| *own == key) {
            Some((_, old)) => *old = value,
            None => fields.push((key, value)),
        }
        Json::Object(Rc::new(fields))
    }

    fn rank(&self) -> u8 {
        match self {
            Json::Null => 0,
            Json::Bool(false) => 1,
            Json::Bool(true) => 2,
            Json::Number(_) => 3,
            Json::Text(_) => 4,
            Json::Array(_) => 5,
            Json::Object(_) => 6,
        }
    }

    /// jq's total order.
    pub(super) fn order(&self, other: &Json) -> Ordering {
        match (self, other) {
            (Json::Number(a), Json::Number(b)) => a.partial_cmp(b).unwrap_or(Ordering::Less),
            (Json::Text(a), Json::Text(b)) => a.cmp(b),
            (Json::Array(a), Json::Array(b)) => {
                let first = a
                    .iter()
                    .zip(b.iter())
                    .map(|(a, b)| a.order(b))
                    .find(|o| o.is_ne());
                first.unwrap_or_else(|| a.len().cmp(&b.len()))
            }
            (Json::Object(_), Json::Object(_)) => {
                let (a, b) = (self.sorted(), other.sorted());
                let keys = |fields: &[(Rc<str>, Json)]| {
                    fields.iter().map(|(k, _)| k.clone()).collect::<Vec<_>>()
                };
                keys(&a).cmp(&keys(&b)).then_with(|| {
                    let values = a.iter().zip(&b).map(|((_, a), (_, b))| a.order(b));
                    values
                        .into_iter()
                        .find(|o| o.is_ne())
                        .unwrap_or(Ordering::Equal)
                })
            }
            _ => self.rank().cmp(&other.rank()),
        }
    }

    /// The fields of an object by key.
    pub(super) fn sorted(&self) -> Vec<(Rc<str>, Json)> {
        let mut fields = match self {
            Json::Object(fields) => (**fields).clone(),
            _ => Vec::new(),
        };
        fields.sort_by(|(a, _), (b, _)| a.cmp(b));
        fields
    }

    /// On one line.
    pub(super) fn compact(&self) -> String {
        let mut out = String::new();
        Style {
            indent: None,
            sort: false,
            colours: false,
            ascii: false,
        }
        .write(self, 0, &mut out);
        out
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Json) -> bool {
        self.order(other).is_eq()
    }
}

/// How values are printed.
#[derive(Debug, Clone)]
pub(super) struct Style {
    /// What one level is indented by; `None` prints on one line.
    pub(super) indent: Option<String>,
    /// Keys in order.
    pub(super) sort: bool,
    pub(super) colours: bool,
    /// Only ASCII.
    pub(super) ascii: bool,
}

impl Style {
    pub(super) fn write(&self, value: &Json, depth: usize, out: &mut String) {
        match value {
            Json::Null => self.paint("1;30", "null", out),
            Json::Bool(value) => self.paint("0;39", if *value { "true" } else { "false" }, out),
            Json::Number(number) => self.paint("0;39", &number_text(*number), out),
            Json::Text(text) => {
                let mut quoted = String::new();
                quote(text, self.ascii, &mut quoted);
                self.paint("0;32", &quoted, out);
            }
            Json::Array(items) => {
                self.begin("1;39", "[", out);
                for (at, item) in items.iter().enumerate() {
                    self.between(at, "1;39", depth, out);
                    self.write(item, depth + 1, out);
                }
                self.end("1;39", "]", items.is_empty(), depth, out);
            }
            Json::Object(fields) => {
                self.begin("1;39", "{", out);
                let sorted;
                let fields = if self.sort {
                    sorted = value.sorted();
                    &sorted
                } else {
                    &**fields
                };
                for (at, (key, item)) in fields.iter().enumerate() {
                    self.between(at, "1;39", depth, out);
                    let mut quoted = String::new();
                    quote(key, self.ascii, &mut quoted);
                    self.paint("34;1", &quoted, out);
                    self.paint("1;39", ":", out);
                    if self.indent.is_some() {
                        out.push(' ');
                    }
                    self.write(item, depth + 1, out);
                }
                self.end("1;39", "}", fields.is_empty(), depth, out);
            }
        }
    }

    fn paint(&self, code: &str, text: &str, out: &mut String) {
        if self.colours {
            out.push_str(&format!("\x1b[{code}m{text}\x1b[0m"));
        } else {
            out.push_str(text);
        }
    }

    fn begin(&self, code: &str, open: &str, out: &mut String) {
        self.paint(code, open, out);
    }

    fn between(&self, at: usize, code: &str, depth: usize, out: &mut String) {
        if at > 0 {
            self.paint(code, ",", out);
        }
        self.line(depth + 1, out);
    }

    fn end(&self, code: &str, close: &str, empty: bool, depth: usize, out: &mut String) {
        if !empty {
            self.line(depth, out);
        }
        self.paint(code, close, out);
    }

    fn line(&self, depth: usize, out: &mut String) {
        if let Some(indent) = &self.indent {
            out.push('\n');
            (0..depth).for_each(|_| out.push_str(indent));
        }
    }
}

/// A number with as few digits as tell it apart.
pub(super) fn number_text(number: f64) -> String {
    if number.is_nan() {
        return "null".to_owned();
    }
    let number = number.clamp(f64::MIN, f64::MAX);
    if number == number.trunc() && number.abs() < 1e17 {
        return format!("{}", number as i64);
    }
    let magnitude = number.abs();
    if (1e-5..1e17).contains(&magnitude) {
        return format!("{number}");
    }
    let text = format!("{number:e}");
    match text.split_once("e-") {
        Some((mantissa, exponent)) => format!("{mantissa}e-{exponent:0>2}"),
        None => text.replacen('e', "e+", 1),
    }
}

/// A string in quotes.
pub(super) fn quote(text: &str, ascii: bool, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            c if u32::from(c) < 0x20 || c == '\x7f' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)))
            }
            c if ascii && !c.is_ascii() => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Reads values one after another.
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Reader<'a> {
        Reader { text, at: 0 }
    }

    /// The next value; `None` at the end. The error is what jq says, with line and column.
    pub(super) fn next(&mut self) -> Result<Option<Json>, String> {
        self.blanks();
        if self.at >= self.text.len() {
            return Ok(None);
        }
        self.value(0).map(Some)
    }

    fn blanks(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len()
            - rest
                .trim_start_matches([' ', '\t', '\n', '\r', '\u{feff}'])
                .len();
    }

    fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    fn fail<T>(&self, what: &str) -> Result<T, String> {
        let at = (self.at + 1).min(self.text.len());
        let before = &self.text.as_bytes()[..at];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = before
            .iter()
            .rev()
            .take_while(|byte| **byte != b'\n')
            .count();
        Err(format!("{what} at line {line}, column {column}"))
    }

    fn value(&mut self, depth: u32) -> Result<Json, String> {
        if depth > MAX_DEPTH {
            return self.fail("Exceeds depth limit for parsing");
        }
        self.blanks();
        match self.peek() {
            b'{' => self.object(depth),
            b'[' => {
                self.at += 1;
                let mut items = Vec::new();
                self.blanks();
                if self.peek() == b']' {
                    self.at += 1;
                    return Ok(Json::array(items));
                }
                loop {
                    items.push(self.value(depth + 1)?);
                    self.blanks();
                    match self.peek() {
                        b',' => self.at += 1,
                        b']' => {
                            self.at += 1;
                            return Ok(Json::array(items));
                        }
                        0 => return self.unfinished(),
                        _ => return self.fail("Expected separator between values"),
                    }
                }
            }
            b'"' => self.string().map(Json::Text),
            0 => self.unfinished(),
            _ => self.word(),
        }
    }

    fn unfinished<T>(&self) -> Result<T, String> {
        let before = self.text.as_bytes();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = before
            .iter()
            .rev()
            .take_while(|byte| **byte != b'\n')
            .count();
        Err(format!(
            "Unfinished JSON term at EOF at line {line}, column {column}"
        ))
    }

    fn object(&mut self, depth: u32) -> Result<Json, String> {
        self.at += 1;
        let mut fields: Vec<(Rc<str>, Json)> = Vec::new();
        self.blanks();
        if self.peek() == b'}' {
            self.at += 1;
            return Ok(Json::Object(Rc::new(fields)));
        }
        loop {
            self.blanks();
            match self.peek() {
                b'"' => {}
                0 => return self.unfinished(),
                _ => return self.fail("Object keys must be strings"),
            }
            let key = self.string()?;
            self.blanks();
            match self.peek() {
                b':' => self.at += 1,
                0 => return self.unfinished(),
                _ => return self.fail("Objects must consist of key:value pairs"),
            }
            let value = self.value(depth + 1)?;
            match fields.iter_mut().find(|(own, _)| *own == key) {
                Some((_, old)) => *old = value,
                None => fields.push((key, value)),
            }
            self.blanks();
            match self.peek() {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    return Ok(Json::Object(Rc::new(fields)));
                }
                0 => return self.unfinished(),
                _ => return self.fail("Expected separator between values"),
            }
        }
    }

    fn string(&mut self) -> Result<Rc<str>, String> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = &self.text[self.at..];
            let Some(end) = rest.find(['"', '\\']) else {
                self.at = self.text.len();
                return self.unfinished();
            };
            out.push_str(&rest[..end]);
            self.at += end + 1;
            if rest.as_bytes()[end] == b'"' {
                return Ok(out.into());
            }
            let escape = self.peek();
            self.at += 1;
            match escape {
                b'n' => out.push('\n'),
                b't' => out.push('\t'),
                b'r' => out.push('\r'),
                b'b' => out.push('\x08'),
                b'f' => out.push('\x0c'),
                b'"' | b'\\' | b'/' => out.push(char::from(escape)),
                b'u' => {
                    let high = self.unit()?;
                    let mut units = vec![high];
                    if (0xd800..0xdc00).contains(&high) && self.text[self.at..].starts_with("\\u") {
                        self.at += 2;
                        units.push(self.unit()?);
                    }
                    out.push_str(&String::from_utf16_lossy(&units));
                }
                _ => return self.fail("Invalid escape"),
            }
        }
    }

    fn unit(&mut self) -> Result<u16, String> {
        let digits = self.text.get(self.at..self.at + 4).unwrap_or("");
        match u16::from_str_radix(digits, 16) {
            Ok(unit) => {
                self.at += 4;
                Ok(unit)
            }
            Err(_) => self.fail("Invalid escape"),
        }
    }

    fn word(&mut self) -> Result<Json, String> {
        let rest = &self.text[self.at..];
        let length = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')))
            .unwrap_or(rest.len());
        let word = &rest[..length];
        let value = match word {
            "null" => Some(Json::Null),
            "true" => Some(Json::Bool(true)),
            "false" => Some(Json::Bool(false)),
            "nan" | "NaN" => Some(Json::Number(f64::NAN)),
            _ if word.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => {
                word.parse().ok().map(Json::Number)
            }
            _ => None,
        };
        match value {
            Some(value) => {
                self.at += length;
                Ok(value)
            }
            None if length == 0 => self.fail("Invalid literal"),
            None => {
                self.at += length;
                let what = if word.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
                    "Invalid numeric literal"
                } else {
                    "Invalid literal"
                };
                self.fail(what)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>) {
        let read = Reader::new(text)
            .next()
            .map(|value| value.expect("a value").compact());
        assert_eq!(read, expected.map(str::to_owned).map_err(str::to_owned));
    }

    #[test]
    fn values_are_read_and_written() {
        check(
            r#" {"b":1,"a":[true,null,"x\n\u00e9"]} "#,
            Ok(r#"{"b":1,"a":[true,null,"x\né"]}"#),
        );
        check("[1.5,-2,1e3,0.00001]", Ok("[1.5,-2,1000,0.00001]"));
        check(r#"{"a":1,"a":2}"#, Ok(r#"{"a":2}"#));
        check("\"\\ud83d\\ude00\"", Ok("\"😀\""));
        check("[1", Err("Unfinished JSON term at EOF at line 1, column 2"));
        check(
            "{a:1}",
            Err("Object keys must be strings at line 1, column 2"),
        );
        assert!(Reader::new(&"[".repeat(10_000)).next().is_err());
    }

    #[test]
    fn values_have_an_order() {
        let values = ["null", "false", "true", "0", "\"a\"", "[]", "[1]", "{}"];
        let values: Vec<Json> = values
            .iter()
            .map(|t| Reader::new(t).next().expect("json").expect("one"))
            .collect();
        assert!(
            values
                .windows(2)
                .all(|pair| pair[0].order(&pair[1]).is_lt())
        );
    }
}
