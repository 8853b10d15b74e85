//! Turns the events of one document into a tree: anchors, merge keys, keys made strings.
//! Models go.yaml.in/yaml/v2/decode.go and the conversion of sigs.k8s.io/yaml.

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::yaml::events::{self, Event, Mark};
use crate::yaml::resolve::{Resolved, resolve};
use crate::yaml::{Error, Positions};
use crate::{Map, Str, Value, base64, go};

/// Nesting beyond this is refused; go-yaml allows more, but no object needs it.
const MAX_DEPTH: usize = 512;

/// A document as it was read.
pub(super) struct Built {
    /// Its content; null if there is none.
    pub(super) value: Value,
    /// The line its content begins at.
    pub(super) line: usize,
    /// Where its nodes stand, if that was asked for.
    pub(super) positions: Positions,
    /// What is to be said of keys that stand twice.
    pub(super) repeated: Vec<String>,
}

/// Reads the first document of a text; what follows it is ignored, as go-yaml does.
pub(super) fn first_document(text: &str, reading: Reading) -> Result<Built, Error> {
    let events = events::first_document(text)?;
    let line = events.first().map_or(1, |(_, mark)| mark.line);
    let mut builder = Builder {
        events: events.into_iter(),
        anchors: Vec::new(),
        depth: 0,
        decoded: 0,
        aliased: 0,
        path: String::new(),
        positions: reading.positions.then(Positions::default),
        few_words: reading.few_words,
        repeated: Vec::new(),
    };
    let value = builder.node()?.map_or(Value::Null, |node| node.value);
    Ok(Built {
        value,
        line,
        positions: builder.positions.unwrap_or_default(),
        repeated: builder.repeated,
    })
}

/// How a text is read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reading {
    /// Every node's place is noted.
    pub(super) positions: bool,
    /// `yes`, `no`, `on`, `off`, `y` and `n` are text.
    pub(super) few_words: bool,
}

/// A value and how many nodes it was made of: aliases count in full, though they cost nothing here.
#[derive(Clone)]
struct Node {
    value: Value,
    size: u64,
    merge: bool,
    mark: Mark,
}

struct Anchor {
    name: Rc<str>,
    node: Node,
}

struct Builder {
    events: std::vec::IntoIter<(Event, Mark)>,
    anchors: Vec<Anchor>,
    depth: usize,
    decoded: u64,
    aliased: u64,
    path: String,
    positions: Option<Positions>,
    few_words: bool,
    repeated: Vec<String>,
}

fn fail<T>(mark: Mark, message: impl Into<String>) -> Result<T, Error> {
    Err(Error {
        line: mark.line,
        column: mark.column,
        message: message.into(),
    })
}

impl Builder {
    /// The next node, or `None` where a collection or the document ends.
    fn node(&mut self) -> Result<Option<Node>, Error> {
        let Some((event, mark)) = self.events.next() else {
            return Ok(None);
        };
        if let Some(positions) = &mut self.positions {
            positions
                .0
                .entry(self.path.clone())
                .or_insert((mark.line, mark.column));
        }
        let (node, anchor) = match event {
            Event::Alias(name) => return self.alias(&name, mark).map(Some),
            Event::Scalar {
                text,
                plain,
                tag,
                anchor,
            } => {
                let plain = plain && !(self.few_words && is_word(&text));
                let (value, merge) = scalar(&text, plain, &tag, mark)?;
                (
                    Node {
                        value,
                        size: 1,
                        merge,
                        mark,
                    },
                    anchor,
                )
            }
            Event::ListStart { anchor } => (self.nested(mark, Self::list)?, anchor),
            Event::MapStart { anchor } => (self.nested(mark, Self::map)?, anchor),
            Event::End => return Ok(None),
        };
        self.decoded += 1;
        if let Some(name) = anchor {
            self.anchors.push(Anchor {
                name,
                node: node.clone(),
            });
        }
        Ok(Some(node))
    }

    fn nested(
        &mut self,
        mark: Mark,
        read: fn(&mut Self, Mark) -> Result<Node, Error>,
    ) -> Result<Node, Error> {
        if self.depth >= MAX_DEPTH {
            return fail(mark, format!("exceeded max depth of {MAX_DEPTH}"));
        }
        self.depth += 1;
        let node = read(self, mark)?;
        self.depth -= 1;
        Ok(node)
    }

    fn alias(&mut self, name: &str, mark: Mark) -> Result<Node, Error> {
        let Some(anchor) = self
            .anchors
            .iter()
            .rev()
            .find(|anchor| &*anchor.name == name)
        else {
            return fail(mark, format!("unknown anchor '{name}' referenced"));
        };
        let node = Node {
            mark,
            ..anchor.node.clone()
        };
        self.decoded = self.decoded.saturating_add(node.size);
        self.aliased = self.aliased.saturating_add(node.size);
        if self.aliased > 100 && self.decoded > 1000 && self.too_aliased() {
            return fail(mark, "document contains excessive aliasing");
        }
        Ok(node)
    }

    /// Up to 400,000 nodes 99 % may come from aliases, from 4,000,000 on 10 %, in between the share
    /// falls evenly.
    fn too_aliased(&self) -> bool {
        let over = self.decoded.clamp(400_000, 4_000_000) - 400_000;
        let allowed_millionths = 990_000 - 890_000 * over / 3_600_000;
        u128::from(self.aliased) * 1_000_000
            > u128::from(self.decoded) * u128::from(allowed_millionths)
    }

    fn list(&mut self, mark: Mark) -> Result<Node, Error> {
        let (mut items, mut size) = (Vec::new(), 1_u64);
        loop {
            let len = self.path.len();
            if self.positions.is_some() {
                self.path.push_str(&format!("[{}]", items.len()));
            }
            let item = self.node()?;
            self.path.truncate(len);
            let Some(item) = item else { break };
            size = size.saturating_add(item.size);
            items.push(item.value);
        }
        if let Some(positions) = &mut self.positions {
            // The end of the list was looked for at the place of one more item.
            positions
                .0
                .remove(&format!("{}[{}]", self.path, items.len()));
        }
        Ok(Node {
            value: Value::list_of(items),
            size,
            merge: false,
            mark,
        })
    }

    fn map(&mut self, mark: Mark) -> Result<Node, Error> {
        let (mut entries, mut size): (Vec<(Str, Value)>, u64) = (Vec::new(), 1);
        let mut known = BTreeSet::new();
        while let Some(key) = self.key()? {
            let len = self.path.len();
            if let Some(positions) = &mut self.positions
                && let Value::Str(name) = &key.value
            {
                if len > 0 {
                    self.path.push('.');
                }
                self.path.push_str(name);
                positions
                    .0
                    .insert(self.path.clone(), (key.mark.line, key.mark.column));
            }
            let value = self.node()?;
            self.path.truncate(len);
            let Some(value) = value else { break };
            size = size.saturating_add(key.size).saturating_add(value.size);
            if key.merge {
                merge(&value, &mut entries)?;
            } else {
                let name = key_text(&key, &value.value)?;
                if !known.insert(name.clone()) {
                    let (line, key) = (value.mark.line, go::syntax(&key.value));
                    let text = format!("line {line}: key {key} already set in map");
                    self.repeated.push(text);
                }
                entries.push((name, value.value));
            }
        }
        Ok(Node {
            value: Value::Map(Map::from_entries(entries)),
            size,
            merge: false,
            mark,
        })
    }

    /// A key is read without noting its position as a node: its value's path is the one that counts.
    fn key(&mut self) -> Result<Option<Node>, Error> {
        let positions = self.positions.take();
        let key = self.node();
        self.positions = positions;
        key
    }
}

/// Whether a text is a boolean to YAML 1.1 alone.
fn is_word(text: &str) -> bool {
    const WORDS: [&str; 6] = ["y", "n", "yes", "no", "on", "off"];
    let small = text.to_ascii_lowercase();
    WORDS.contains(&small.as_str())
}

/// The value of a scalar, and whether it is a merge key.
fn scalar(text: &str, plain: bool, tag: &str, mark: Mark) -> Result<(Value, bool), Error> {
    let string = || (Value::from(text), false);
    match tag {
        "" if !plain => return Ok(string()),
        "" | "int" | "float" | "bool" | "null" | "merge" | "timestamp" => {}
        "binary" => {
            let clean: String = text.chars().filter(|c| !c.is_whitespace()).collect();
            return match base64::decode(&clean) {
                Ok(bytes) => Ok((
                    Value::from(String::from_utf8_lossy(&bytes).into_owned()),
                    false,
                )),
                Err(_) => fail(mark, "!!binary value contains invalid base64 data"),
            };
        }
        _ => return Ok(string()),
    }
    let cannot = |is: &str| fail(mark, format!("cannot decode !!{is} `{text}` as a !!{tag}"));
    match (tag, resolve(text)) {
        (_, Resolved::NotANumber) => {
            let what = text.trim_start_matches(['+', '-', '.']).to_lowercase();
            let name = match (what.as_str(), text.starts_with('-')) {
                ("nan", _) => "NaN",
                (_, true) => "-Inf",
                _ => "+Inf",
            };
            fail(mark, format!("json: unsupported value: {name}"))
        }
        ("", Resolved::Value(value)) => Ok((value, false)),
        ("" | "merge", Resolved::Merge) => Ok((Value::from(text), true)),
        ("", Resolved::Str | Resolved::Timestamp) => Ok(string()),
        ("timestamp", _) => Ok(string()),
        ("int", Resolved::Value(value @ Value::Int(_))) => Ok((value, false)),
        ("float", Resolved::Value(value @ (Value::Float(_) | Value::Int(_)))) => Ok((value, false)),
        ("bool", Resolved::Value(value @ Value::Bool(_))) => Ok((value, false)),
        ("null", Resolved::Value(Value::Null)) => Ok((Value::Null, false)),
        (_, Resolved::Value(Value::Int(_))) => cannot("int"),
        (_, Resolved::Value(Value::Float(_))) => cannot("float"),
        (_, Resolved::Value(Value::Bool(_))) => cannot("bool"),
        (_, Resolved::Value(_)) => cannot("null"),
        _ => cannot("str"),
    }
}

/// A key as JSON must have it.
fn key_text(key: &Node, value: &Value) -> Result<Str, Error> {
    match &key.value {
        Value::Str(text) => Ok(text.clone()),
        Value::Bool(b) => Ok(Str::from(if *b { "true" } else { "false" })),
        Value::Int(n) => Ok(Str::from(n.to_string())),
        Value::Float(n) => Ok(Str::from(n.to_string())),
        Value::Null => {
            let value = go::syntax(value);
            let message = format!(
                "unsupported map key of type: %!s(<nil>), key: interface {{}}(nil), value: {value}"
            );
            fail(key.mark, message)
        }
        Value::List(_) | Value::Map(_) => fail(
            key.mark,
            format!("invalid map key: {}", go::syntax(&key.value)),
        ),
    }
}

/// Adds what `<<` names. Entries before it are replaced by it, entries after it replace it; of a
/// list of maps the first that has a key wins. So does go-yaml's second version.
fn merge(node: &Node, entries: &mut Vec<(Str, Value)>) -> Result<(), Error> {
    let mut add = |value: &Value| match value {
        Value::Map(map) => {
            entries.extend(map.iter().map(|(key, item)| (key.clone(), item.clone())));
            Ok(())
        }
        _ => fail(
            node.mark,
            "map merge requires map or sequence of maps as the value",
        ),
    };
    match &node.value {
        Value::List(items) => items.iter().rev().try_for_each(add),
        other => add(other),
    }
}

#[cfg(test)]
mod tests {
    use crate::yaml::parse_all;

    #[track_caller]
    fn check(text: &str, want: &str) {
        let documents = parse_all(text).expect(text);
        assert_eq!(documents[0].value.to_json(), want);
    }

    #[track_caller]
    fn fails(text: &str, want: &str) {
        assert_eq!(parse_all(text).expect_err(text).to_string(), want);
    }

    #[test]
    fn documents() {
        check(
            "{a: 1, b: [x, 'y', \"z\\n\"]}",
            r#"{"a":1,"b":["x","y","z\n"]}"#,
        );
        check(
            "a:\n- b: 1\n  c: |\n    x\n    y\n- >-\n  p\n  q\n",
            r#"{"a":[{"b":1,"c":"x\ny\n"},"p q"]}"#,
        );
        check("a: 1\na: 2\n", r#"{"a":2}"#);
        check(
            "1: a\ntrue: b\n1.5: c\n",
            r#"{"1":"a","1.5":"c","true":"b"}"#,
        );
        check(
            "a: !!str 1\nb: !!int \"2\"\nc: !custom 3\nd: !!binary aGk=\n",
            r#"{"a":"1","b":2,"c":"3","d":"hi"}"#,
        );
        check(
            "a: 2026-01-05T09:00:00Z\n",
            r#"{"a":"2026-01-05T09:00:00Z"}"#,
        );
        check("a: 'yes'\nb: \"1\"\n", r#"{"a":"yes","b":"1"}"#);
        check("a:\nb: ~\n", r#"{"a":null,"b":null}"#);
    }

    #[test]
    fn keys_that_stand_twice() {
        let documents = parse_all("a: 1\nb:\n  c: 2\n  c: 3\n1: x\n1: y\n").expect("valid");
        assert_eq!(
            documents[0].repeated,
            [
                "line 4: key \"c\" already set in map",
                "line 6: key 1 already set in map"
            ]
        );
    }

    #[test]
    fn anchors_and_merges() {
        check(
            "a: &x {p: 1, q: 2}\nb: *x\nc: {<<: *x, q: 3}\n",
            r#"{"a":{"p":1,"q":2},"b":{"p":1,"q":2},"c":{"p":1,"q":3}}"#,
        );
        check(
            "a: &x {p: 1}\nb: &y {p: 2, q: 2}\nc:\n  <<: [*x, *y]\n",
            r#"{"a":{"p":1},"b":{"p":2,"q":2},"c":{"p":1,"q":2}}"#,
        );
        fails("a: *x\n", "yaml: unknown anchor 'x' referenced");
        fails(
            "a: {<<: 1}\n",
            "yaml: map merge requires map or sequence of maps as the value",
        );
        fails("[a]: 1\n", "yaml: invalid map key: []interface {}{\"a\"}");
        fails("a: .inf\n", "yaml: json: unsupported value: +Inf");
    }

    #[test]
    fn a_bomb_is_refused() {
        let mut text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for i in 1..20 {
            let alias = format!("*a{}", i - 1);
            let items = [alias.as_str(); 10].join(",");
            text.push_str(&format!("a{i}: &a{i} [{items}]\n"));
        }
        fails(&text, "yaml: document contains excessive aliasing");
    }
}
