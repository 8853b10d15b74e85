//! JSON of objects whose types kubectl knows: their fields stand in the order in which the types
//! declare them, not in that of the alphabet.
//!
//! Models encoding/json on k8s.io/api and client-go/tools/clientcmd/api/v1. The orders are those of
//! the messages, which are made from the same types.

use api::Value;

/// A type a line: its name, then its fields; the type of a field behind a colon where it has an order
/// of its own.
const ORDER: &str = include_str!("order.txt");

/// An object, indented.
pub(crate) fn json(object: &Value) -> String {
    let mut text = String::new();
    write(object, object.kind(), 0, &mut text);
    text.push('\n');
    text
}

/// The fields of a type, and their types.
fn fields(kind: &str) -> Vec<(&'static str, &'static str)> {
    let is = |line: &&str| line.split(' ').next() == Some(kind);
    let line = ORDER.lines().find(is).unwrap_or_default();
    let field = |word: &'static str| word.split_once(':').unwrap_or((word, ""));
    line.split(' ').skip(1).map(field).collect()
}

fn pad(depth: usize) -> String {
    "    ".repeat(depth)
}

fn write(value: &Value, kind: &str, depth: usize, out: &mut String) {
    match value {
        Value::Map(map) if !map.is_empty() => {
            let known = fields(kind);
            let known: Vec<(&str, &str)> = match kind.strip_suffix("List") {
                Some(item) if known.is_empty() => vec![("metadata", ""), ("items", item)],
                _ => known,
            };
            let place = |name: &str| match name {
                // Labels and the like are sorted by name.
                _ if known.is_empty() => 0,
                "kind" | "apiVersion" if known.iter().any(|(field, _)| *field == "apiVersion") => {
                    let at = known.iter().position(|(field, _)| *field == name);
                    at.map_or(usize::MAX, |at| at + 2)
                }
                "kind" if depth == 0 || map.contains_key("apiVersion") => 0,
                "apiVersion" if !known.iter().any(|(field, _)| *field == name) => 1,
                name => {
                    let at = known.iter().position(|(field, _)| *field == name);
                    at.map_or(usize::MAX, |at| at + 2)
                }
            };
            let mut entries: Vec<(&str, &Value)> = map.iter().map(|(k, v)| (&**k, v)).collect();
            entries.sort_by_key(|(name, _)| place(name));
            out.push_str("{\n");
            for (at, (name, value)) in entries.iter().enumerate() {
                let comma = if at == 0 { "" } else { ",\n" };
                let inner = known.iter().find(|(field, _)| field == name);
                let quoted = Value::from(*name).to_json();
                out.push_str(&format!("{comma}{}{quoted}: ", pad(depth + 1)));
                write(value, inner.map_or("", |(_, kind)| kind), depth + 1, out);
            }
            out.push_str(&format!("\n{}}}", pad(depth)));
        }
        Value::List(list) if !list.is_empty() => {
            out.push_str("[\n");
            for (at, item) in list.iter().enumerate() {
                let comma = if at == 0 { "" } else { ",\n" };
                out.push_str(&format!("{comma}{}", pad(depth + 1)));
                write(item, kind, depth + 1, out);
            }
            out.push_str(&format!("\n{}]", pad(depth)));
        }
        other => out.push_str(&other.to_json()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::object;

    #[track_caller]
    fn check(object: Value, expect: &[&str]) {
        let text = json(&object);
        let names: Vec<&str> = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix('"')?.split('"').next())
            .collect();
        assert_eq!(names, expect);
    }

    #[test]
    fn fields_stand_as_types_declare_them() {
        check(
            object!({
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": { "labels": { "z": "1", "app": "a" }, "name": "a" },
                "spec": {
                    "replicas": 1,
                    "strategy": {},
                    "template": { "spec": { "containers": [{ "image": "a", "name": "a" }] } },
                },
            }),
            &[
                "kind",
                "apiVersion",
                "metadata",
                "name",
                "labels",
                "app",
                "z",
                "spec",
                "replicas",
                "template",
                "spec",
                "containers",
                "name",
                "image",
                "strategy",
            ],
        );
        check(
            object!({
                "apiVersion": "v1",
                "items": [{ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "a" } }],
                "kind": "PodList",
                "metadata": {},
            }),
            &[
                "kind",
                "apiVersion",
                "metadata",
                "items",
                "kind",
                "apiVersion",
                "metadata",
                "name",
            ],
        );
        // What is not known is sorted by name.
        check(
            object!({ "kind": "Foo", "b": 1, "a": 2 }),
            &["a", "b", "kind"],
        );
    }
}
