//! Small documents as Go writes them: keys in the order of the struct's fields. The tree that objects
//! are kept in has its keys sorted, which nobody notices but who looks at the bytes.

use api::Value;

/// The fields of documents, in their order.
const TOP: &[&str] = &[
    "kind",
    "apiVersion",
    "groupVersion",
    "name",
    "versions",
    "groups",
    "resources",
    "preferredVersion",
    "serverAddressByClientCIDRs",
    "major",
    "minor",
    "emulationMajor",
    "emulationMinor",
    "minCompatibilityMajor",
    "minCompatibilityMinor",
    "gitVersion",
    "gitCommit",
    "gitTreeState",
    "buildDate",
    "goVersion",
    "compiler",
    "platform",
];

/// The fields of what documents list, in their order.
const WITHIN: &[&str] = &[
    "name",
    "singularName",
    "namespaced",
    "groupVersion",
    "group",
    "version",
    "kind",
    "versions",
    "preferredVersion",
    "verbs",
    "shortNames",
    "categories",
    "storageVersionHash",
    "clientCIDR",
    "serverAddress",
];

/// A document as JSON, with lines and indents of two spaces if it is for people.
pub(crate) fn json(document: &Value, for_people: bool) -> String {
    let mut out = String::new();
    write(document, TOP, for_people.then_some(0), &mut out);
    out
}

fn write(value: &Value, order: &[&str], depth: Option<usize>, out: &mut String) {
    let line = |depth: Option<usize>, out: &mut String| {
        if let Some(depth) = depth {
            out.push('\n');
            out.push_str(&"  ".repeat(depth));
        }
    };
    let deeper = depth.map(|depth| depth + 1);
    match value {
        Value::Map(map) if !map.is_empty() => {
            let rank = |key: &str| order.iter().position(|known| *known == key);
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| rank(key).unwrap_or(order.len()));
            for (i, (key, value)) in entries.into_iter().enumerate() {
                out.push(if i == 0 { '{' } else { ',' });
                line(deeper, out);
                out.push_str(&Value::from(&**key).to_json());
                out.push_str(if depth.is_some() { ": " } else { ":" });
                write(value, WITHIN, deeper, out);
            }
            line(depth, out);
            out.push('}');
        }
        Value::List(items) if !items.is_empty() => {
            for (i, item) in items.iter().enumerate() {
                out.push(if i == 0 { '[' } else { ',' });
                line(deeper, out);
                write(item, WITHIN, deeper, out);
            }
            line(depth, out);
            out.push(']');
        }
        other => out.push_str(&other.to_json()),
    }
}

#[cfg(test)]
mod tests {
    use api::object;

    use super::json;

    #[test]
    fn keys_stand_as_go_has_them() {
        let group = object! {
            "kind": "APIGroup",
            "name": "apps",
            "versions": [{ "groupVersion": "apps/v1", "version": "v1" }],
        };
        assert_eq!(
            json(&group, false),
            r#"{"kind":"APIGroup","name":"apps","versions":[{"groupVersion":"apps/v1","version":"v1"}]}"#
        );
        let release = object! { "gitVersion": "v1", "major": "1", "other": [] };
        assert_eq!(
            json(&release, true),
            "{\n  \"major\": \"1\",\n  \"gitVersion\": \"v1\",\n  \"other\": []\n}"
        );
    }
}
