//! Values as Go's fmt package prints them; upstream's messages are full of them.

use std::fmt::Write;

use crate::Value;

/// The text quoted as `%q` does it.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    quote_to(text, &mut out);
    out
}

fn quote_to(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        let _ = match c {
            '"' => out.write_str("\\\""),
            '\\' => out.write_str("\\\\"),
            '\n' => out.write_str("\\n"),
            '\r' => out.write_str("\\r"),
            '\t' => out.write_str("\\t"),
            '\u{7}' => out.write_str("\\a"),
            '\u{8}' => out.write_str("\\b"),
            '\u{b}' => out.write_str("\\v"),
            '\u{c}' => out.write_str("\\f"),
            '\0'..='\u{1f}' | '\u{7f}' => write!(out, "\\x{:02x}", c as u32),
            '\u{80}'..='\u{a0}' | '\u{ad}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => {
                write!(out, "\\u{:04x}", c as u32)
            }
            c => out.write_char(c),
        };
    }
    out.push('"');
}

/// A float as `%v` and go-yaml print it: `0.5`, `1e+06`, `1e-05`.
pub fn float(n: f64) -> String {
    let text = format!("{n:e}");
    let Some((digits, exponent)) = text.split_once('e') else {
        return text;
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return n.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// The value as `%v` prints it: `map[a:1 b:[x y]]`.
pub fn plain(value: &Value) -> String {
    let mut out = String::new();
    plain_to(value, &mut out);
    out
}

fn plain_to(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("<nil>"),
        Value::Str(text) => out.push_str(text),
        Value::List(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i > 0 { " " } else { "" });
                plain_to(item, out);
            }
            out.push(']');
        }
        Value::Map(map) => {
            out.push_str("map[");
            for (i, (key, item)) in map.iter().enumerate() {
                out.push_str(if i > 0 { " " } else { "" });
                out.push_str(key);
                out.push(':');
                plain_to(item, out);
            }
            out.push(']');
        }
        Value::Float(n) => out.push_str(&float(n.get())),
        scalar => out.push_str(&scalar.to_json()),
    }
}

/// The value as `%#v` prints it: `map[string]interface {}{"a":1}`.
pub fn syntax(value: &Value) -> String {
    let mut out = String::new();
    syntax_to(value, &mut out);
    out
}

fn syntax_to(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("interface {}(nil)"),
        Value::Str(text) => quote_to(text, out),
        Value::List(items) => {
            out.push_str("[]interface {}{");
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                syntax_to(item, out);
            }
            out.push('}');
        }
        Value::Map(map) => {
            out.push_str("map[string]interface {}{");
            for (i, (key, item)) in map.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                quote_to(key, out);
                out.push(':');
                syntax_to(item, out);
            }
            out.push('}');
        }
        Value::Float(n) => out.push_str(&float(n.get())),
        scalar => out.push_str(&scalar.to_json()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object;

    #[test]
    fn prints_as_fmt() {
        let v = object! { "a": [1, "x y", null], "b": { "c": true } };
        assert_eq!(plain(&v), "map[a:[1 x y <nil>] b:map[c:true]]");
        assert_eq!(
            syntax(&v),
            "map[string]interface {}{\"a\":[]interface {}{1, \"x y\", interface {}(nil)}, \"b\":map[string]interface {}{\"c\":true}}"
        );
        assert_eq!(quote("a\"\n\u{1}ü"), "\"a\\\"\\n\\x01ü\"");
    }

    #[test]
    fn floats() {
        #[track_caller]
        fn check(n: f64, want: &str) {
            assert_eq!(float(n), want);
        }
        check(0.5, "0.5");
        check(1.5e300, "1.5e+300");
        check(0.00001, "1e-05");
        check(0.0001, "0.0001");
        check(123456.5, "123456.5");
        check(1234567.5, "1.2345675e+06");
        check(1e21, "1e+21");
    }
}
