//! Writes a tree as kubectl's `-o yaml` does: keys in go-yaml's order, lists not indented under
//! their key, strings quoted only where they must be, long lines folded at blanks.
//! Models go.yaml.in/yaml/v2/encode.go and emitterc.go.

mod scalar;

use std::cmp::Ordering;

use crate::{Map, Str, Value, go};
use scalar::Context;

/// The document as kubectl prints it, with a final line break.
pub fn to_string(value: &Value) -> String {
    let mut out = Writer {
        out: String::with_capacity(1024),
        column: 0,
    };
    out.node(value, 0, Place::Top);
    if !out.out.ends_with('\n') {
        out.put("\n");
    }
    out.out
}

/// Several documents with `---` between them.
pub fn to_string_all<'a>(values: impl IntoIterator<Item = &'a Value>) -> String {
    let documents: Vec<String> = values.into_iter().map(to_string).collect();
    documents.join("---\n")
}

/// Where a node stands, which decides what is written before it.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Top,
    /// After `key:`.
    Value,
    /// After `- `, on the same line.
    Item,
}

/// The text so far, and the column in characters that folding goes by.
struct Writer {
    out: String,
    column: usize,
}

impl Writer {
    fn put(&mut self, text: &str) {
        self.out.push_str(text);
        match text.rfind('\n') {
            Some(at) => self.column = text[at + 1..].chars().count(),
            None => self.column += text.chars().count(),
        }
    }

    fn put_char(&mut self, c: char) {
        self.out.push(c);
        self.column = if c == '\n' { 0 } else { self.column + 1 };
    }

    /// A new line indented by `indent` blanks; if one was just begun it is used.
    fn line(&mut self, indent: usize) {
        if self.column > 0 {
            self.put_char('\n');
        }
        for _ in 0..indent {
            self.put_char(' ');
        }
    }

    /// Writes a node whose collections' entries stand at `indent`.
    fn node(&mut self, value: &Value, indent: usize, place: Place) {
        let blank = if place == Place::Value { " " } else { "" };
        match value {
            Value::Map(map) if !map.is_empty() => self.map(map, indent, place),
            Value::List(items) if !items.is_empty() => self.list(items, indent, place),
            Value::Map(_) => self.put(&format!("{blank}{{}}")),
            Value::List(_) => self.put(&format!("{blank}[]")),
            Value::Null => self.put(&format!("{blank}null")),
            Value::Bool(b) => self.put(&format!("{blank}{b}")),
            Value::Int(n) => self.put(&format!("{blank}{n}")),
            Value::Float(n) => self.put(&format!("{blank}{}", go::float(n.get()))),
            Value::Str(text) => {
                self.put(blank);
                // Continuation lines stand deeper than the collection the string is in.
                let deeper = match place {
                    Place::Top => 2,
                    Place::Value | Place::Item => indent,
                };
                self.string(text, deeper, Context::Value);
            }
        }
    }

    fn map(&mut self, map: &Map, indent: usize, place: Place) {
        let mut keys: Vec<(&Str, &Value)> = map.iter().collect();
        keys.sort_by(|a, b| natural(a.0, b.0));
        for (i, (key, value)) in keys.into_iter().enumerate() {
            if i > 0 || place != Place::Item {
                self.line(indent);
            }
            let simple = scalar::is_simple_key(key);
            if simple {
                self.string(key, indent, Context::Key);
                self.put(":");
            } else {
                self.put("? ");
                self.string(key, indent + 2, Context::Value);
                self.line(indent);
                self.put(":");
            }
            match value {
                // A list is not indented under its key.
                Value::List(items) if !items.is_empty() => self.node(value, indent, Place::Value),
                _ => self.node(value, indent + 2, Place::Value),
            }
        }
    }

    fn list(&mut self, items: &[Value], indent: usize, place: Place) {
        for (i, item) in items.iter().enumerate() {
            if i > 0 || place != Place::Item {
                self.line(indent);
            }
            self.put("- ");
            self.node(item, indent + 2, Place::Item);
        }
    }
}

/// go-yaml's order of keys: letters after everything else, numbers by their size.
fn natural(a: &str, b: &str) -> Ordering {
    if a.bytes().chain(b.bytes()).all(|c| c.is_ascii_lowercase()) {
        return a.cmp(b);
    }
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    for (i, (x, y)) in a.iter().zip(&b).enumerate() {
        if x == y {
            continue;
        }
        match (x.is_alphabetic(), y.is_alphabetic()) {
            (true, true) => return x.cmp(y),
            (true, false) => return Ordering::Greater,
            (false, true) => return Ordering::Less,
            (false, false) => {}
        }
        // Zeros in the middle of a number count as its digits.
        let inside = (*x == '0' || *y == '0')
            && a[..i]
                .iter()
                .rev()
                .take_while(|c| c.is_ascii_digit())
                .any(|c| *c != '0');
        let number = |text: &[char]| {
            let digits = text[i..].iter().take_while(|c| c.is_ascii_digit());
            digits.fold((u64::from(inside), 0), |(n, len), c| {
                let digit = u64::from(c.to_digit(10).unwrap_or(0));
                (n.wrapping_mul(10).wrapping_add(digit), len + 1)
            })
        };
        return number(&a).cmp(&number(&b)).then(x.cmp(y));
    }
    a.len().cmp(&b.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{object, value, yaml};

    #[track_caller]
    fn check(value: Value, want: &str) {
        assert_eq!(to_string(&value), want);
        let back = yaml::parse_all(want).expect(want);
        assert_eq!(back[0].value, value);
    }

    #[test]
    fn collections() {
        check(
            object! { "b": [1, { "x": "y", "z": [] }, [1, [2]], {}], "a": { "c": {} } },
            "a:\n  c: {}\nb:\n- 1\n- x: \"y\"\n  z: []\n- - 1\n  - - 2\n- {}\n",
        );
        check(value!([{ "a": [1] }]), "- a:\n  - 1\n");
        check(object! {}, "{}\n");
        check(value!("text"), "text\n");
        check(
            object! { "a": null, "b": 0.5, "c": true },
            "a: null\nb: 0.5\nc: true\n",
        );
    }

    #[test]
    fn order_of_keys() {
        check(
            object! { "a10": 1, "a9": 1, "B": 1, "a.b": 1, "ab": 1, "9": 1 },
            "\"9\": 1\nB: 1\na.b: 1\na9: 1\na10: 1\nab: 1\n",
        );
    }

    #[test]
    fn literal_blocks() {
        check(object! { "a": "x\ny\n", "b": 1 }, "a: |\n  x\n  y\nb: 1\n");
        check(object! { "a": ["x\n\ny"] }, "a:\n- |-\n  x\n\n  y\n");
        check(object! { "a": "x\n\n" }, "a: |+\n  x\n\n");
        check(
            object! { "a": { "b": "  x\ny\n" } },
            "a:\n  b: |2\n      x\n    y\n",
        );
        check(object! { "a": "x \ny" }, "a: \"x \\ny\"\n");
        check(object! { "a": "x\ty\n" }, "a: \"x\\ty\\n\"\n");
    }

    #[test]
    fn folding() {
        let words = "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. no new claims";
        check(
            object! { "message": words },
            "message: '0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient\n  cpu. no new claims'\n",
        );
        let plain = "abcdefghi ".repeat(9);
        check(
            object! { "a": { "b": [plain.trim_end()] } },
            "a:\n  b:\n  - abcdefghi abcdefghi abcdefghi abcdefghi abcdefghi abcdefghi abcdefghi abcdefghi\n    abcdefghi\n",
        );
    }
}
