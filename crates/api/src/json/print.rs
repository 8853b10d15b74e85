//! Writes a tree as JSON text, or only tells how long that would be.

use std::fmt::Write;

use crate::Value;

/// Writing to a string cannot fail, so the results carry nothing.
fn put(out: &mut impl Write, text: &str) {
    let _ = out.write_str(text);
}

fn scalar(value: &Value, out: &mut impl Write) {
    match value {
        Value::Bool(true) => put(out, "true"),
        Value::Bool(false) => put(out, "false"),
        Value::Int(n) => {
            let _ = write!(out, "{n}");
        }
        Value::Float(n) => {
            let _ = write!(out, "{n}");
        }
        Value::Str(text) => write_quoted(text, out),
        Value::Null | Value::List(_) | Value::Map(_) => put(out, "null"),
    }
}

pub(super) fn compact(value: &Value, out: &mut impl Write) {
    match value {
        Value::List(items) => {
            put(out, "[");
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    put(out, ",");
                }
                compact(item, out);
            }
            put(out, "]");
        }
        Value::Map(map) => {
            put(out, "{");
            for (i, (key, item)) in map.iter().enumerate() {
                if i > 0 {
                    put(out, ",");
                }
                write_quoted(key, out);
                put(out, ":");
                compact(item, out);
            }
            put(out, "}");
        }
        _ => scalar(value, out),
    }
}

fn new_line(indent: &str, depth: usize, out: &mut impl Write) {
    put(out, "\n");
    for _ in 0..depth {
        put(out, indent);
    }
}

pub(super) fn pretty(value: &Value, indent: &str, depth: usize, out: &mut impl Write) {
    match value {
        Value::List(items) if items.is_empty() => put(out, "[]"),
        Value::Map(map) if map.is_empty() => put(out, "{}"),
        Value::List(items) => {
            put(out, "[");
            for (i, item) in items.iter().enumerate() {
                put(out, if i > 0 { "," } else { "" });
                new_line(indent, depth + 1, out);
                pretty(item, indent, depth + 1, out);
            }
            new_line(indent, depth, out);
            put(out, "]");
        }
        Value::Map(map) => {
            put(out, "{");
            for (i, (key, item)) in map.iter().enumerate() {
                put(out, if i > 0 { "," } else { "" });
                new_line(indent, depth + 1, out);
                write_quoted(key, out);
                put(out, ": ");
                pretty(item, indent, depth + 1, out);
            }
            new_line(indent, depth, out);
            put(out, "}");
        }
        _ => scalar(value, out),
    }
}

/// The length of what [`compact`] writes. Most of what is sent is only ever measured.
pub(super) fn length(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(true) => 4,
        Value::Bool(false) => 5,
        Value::Int(n) => digits(n.unsigned_abs()) + usize::from(*n < 0),
        Value::Float(n) => n.to_string().len(),
        Value::Str(text) => quoted_length(text),
        // The brackets, and a comma less than there are items.
        Value::List(items) => {
            let commas = items.len().saturating_sub(1);
            2 + commas + items.iter().map(length).sum::<usize>()
        }
        Value::Map(map) => {
            let marks = 2 * map.len() - usize::from(!map.is_empty());
            let entries = map.iter();
            2 + marks
                + entries
                    .map(|(key, item)| quoted_length(key) + length(item))
                    .sum::<usize>()
        }
    }
}

fn digits(n: u64) -> usize {
    n.checked_ilog10().unwrap_or(0) as usize + 1
}

fn quoted_length(text: &str) -> usize {
    if is_plain(text) {
        return text.len() + 2;
    }
    quote(text).len()
}

/// Whether no byte needs an escape (or, for the first byte of U+2028, a second look). Without a
/// branch in the loop, so that many bytes are looked at in one step.
fn is_plain(text: &str) -> bool {
    let special = |byte: u8| {
        (byte < 0x20)
            | (byte == b'"')
            | (byte == b'\\')
            | (byte == b'<')
            | (byte == b'>')
            | (byte == b'&')
            | (byte == 0xE2)
    };
    !text
        .bytes()
        .fold(false, |found, byte| found | special(byte))
}

/// The text as a JSON string, quotes included.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    write_quoted(text, &mut out);
    out
}

/// Writes the text as a JSON string, quotes included.
pub fn write_quoted(text: &str, out: &mut impl Write) {
    put(out, "\"");
    if is_plain(text) {
        put(out, text);
        put(out, "\"");
        return;
    }
    let mut plain = 0;
    for (i, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            8 => "\\b",
            12 => "\\f",
            b'<' => "\\u003c",
            b'>' => "\\u003e",
            b'&' => "\\u0026",
            0..=31 => "",
            // U+2028 and U+2029, which JavaScript takes for line ends, are E2 80 A8 and E2 80 A9.
            0xE2 if text[i..].starts_with('\u{2028}') => "\\u2028",
            0xE2 if text[i..].starts_with('\u{2029}') => "\\u2029",
            _ => continue,
        };
        put(out, &text[plain..i]);
        if escape.is_empty() {
            let _ = write!(out, "\\u{byte:04x}");
        } else {
            put(out, escape);
        }
        plain = i + if byte == 0xE2 { 3 } else { 1 };
    }
    put(out, &text[plain..]);
    put(out, "\"");
}

#[cfg(test)]
mod tests {
    use crate::{Value, object, value};

    #[track_caller]
    fn check(value: Value, want: &str) {
        assert_eq!(value.to_json(), want);
        assert_eq!(value.json_len(), want.len());
        assert_eq!(Value::from_json(want.as_bytes()), Ok(value));
    }

    #[test]
    fn compact() {
        check(value!(null), "null");
        check(
            value!("a<b>&\"\\\n\t\u{1}\u{7f}ü\u{2028}€"),
            "\"a\\u003cb\\u003e\\u0026\\\"\\\\\\n\\t\\u0001\u{7f}ü\\u2028€\"",
        );
        check(value!([1, -2, 0.5, true, {}]), "[1,-2,0.5,true,{}]");
        check(
            object! { "b": 1, "a": { "c": [] } },
            r#"{"a":{"c":[]},"b":1}"#,
        );
    }

    #[test]
    fn pretty_as_kubectl() {
        let v = object! { "b": [1, { "x": null }], "a": {}, "c": [] };
        let want = "{\n    \"a\": {},\n    \"b\": [\n        1,\n        {\n            \"x\": null\n        }\n    ],\n    \"c\": []\n}";
        assert_eq!(v.to_json_pretty(), want);
    }
}
