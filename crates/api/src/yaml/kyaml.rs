//! Writes a tree as `-o kyaml` does: YAML in flow style that is hard to get wrong.
//! Models sigs.k8s.io/yaml/kyaml.

use std::fmt::Write;

use crate::Value;
use crate::yaml::resolve::{Resolved, resolve};

/// The document, introduced by `---`, with a final line break.
pub fn to_kyaml(value: &Value) -> String {
    let mut out = String::from("---\n");
    node(value, 0, &mut out);
    out.push('\n');
    out
}

fn line(indent: usize, out: &mut String) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', indent));
}

fn node(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Map(map) if !map.is_empty() => {
            out.push('{');
            for (key, item) in map {
                line(indent + 2, out);
                self::key(key, out);
                out.push_str(": ");
                node(item, indent + 2, out);
                out.push(',');
            }
            line(indent, out);
            out.push('}');
        }
        Value::List(items) if !items.is_empty() => list(items, indent, out),
        Value::Map(_) => out.push_str("{}"),
        Value::List(_) => out.push_str("[]"),
        Value::Str(text) => string(text, out),
        scalar => {
            let _ = write!(out, "{scalar}");
        }
    }
}

/// Items that are collections stand on the line of the bracket, others on lines of their own.
fn list(items: &[Value], indent: usize, out: &mut String) {
    out.push('[');
    let cuddled = items.iter().all(|item| item.is_map() || item.is_list());
    for (i, item) in items.iter().enumerate() {
        if cuddled {
            out.push_str(if i > 0 { ", " } else { "" });
            node(item, indent, out);
        } else {
            line(indent + 2, out);
            node(item, indent + 2, out);
            out.push(',');
        }
    }
    if !cuddled {
        line(indent, out);
    }
    out.push(']');
}

/// A key is quoted only if YAML could take it for something else.
fn key(text: &str, out: &mut String) {
    let safe = !text.is_empty()
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b))
        && resolve(text) == Resolved::Str;
    if safe {
        out.push_str(text)
    } else {
        string(text, out)
    }
}

fn string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        let _ = match c {
            '"' => out.write_str("\\\""),
            '\\' => out.write_str("\\\\"),
            '\n' => out.write_str("\\n"),
            '\t' => out.write_str("\\t"),
            '\r' => out.write_str("\\r"),
            c if (c as u32) < 0x20 || c as u32 == 0x7f => write!(out, "\\x{:02x}", c as u32),
            c => out.write_char(c),
        };
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object;

    #[test]
    fn as_kubectl_prints() {
        let v = object! {
            "containers": [{ "image": "nginx:1.27", "args": ["a", "b"] }, { "resources": {} }],
            "deployment.kubernetes.io/revision": "1",
            "yes": 3,
        };
        let want = "---\n{\n  containers: [{\n    args: [\n      \"a\",\n      \"b\",\n    ],\n    image: \"nginx:1.27\",\n  }, {\n    resources: {},\n  }],\n  deployment.kubernetes.io/revision: \"1\",\n  \"yes\": 3,\n}\n";
        assert_eq!(to_kyaml(&v), want);
    }
}
