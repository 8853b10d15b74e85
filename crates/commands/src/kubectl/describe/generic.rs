//! Any object, field by field.
//!
//! Models kubectl/pkg/describe's GenericDescriber: titles made of field names, in their order.

use api::Value;

use super::head;

/// The description, without events.
pub(super) fn text(value: &Value) -> String {
    let mut text = head(value);
    let skip: &[&[&str]] = &[
        &["metadata", "name"],
        &["metadata", "namespace"],
        &["metadata", "labels"],
        &["metadata", "annotations"],
        &["metadata", "managedFields"],
    ];
    fields(value, 0, &mut Vec::new(), skip, &mut text);
    text
}

fn fields<'a>(
    map: &'a Value,
    level: usize,
    path: &mut Vec<&'a str>,
    skip: &[&[&str]],
    text: &mut String,
) {
    let space = "  ".repeat(level);
    for (key, value) in map.entries().iter() {
        path.push(key);
        if skip.contains(&path.as_slice()) {
            path.pop();
            continue;
        }
        let title = title(key);
        match value {
            Value::Map(_) => {
                text.push_str(&format!("{space}{title}:\n"));
                fields(value, level + 1, path, skip, text);
            }
            Value::List(items) => {
                text.push_str(&format!("{space}{title}:\n"));
                for item in items.iter() {
                    match item {
                        Value::Map(_) => fields(item, level + 1, path, skip, text),
                        other => text.push_str(&format!("{space}  {}\n", plain(other))),
                    }
                }
            }
            other => text.push_str(&format!("{space}{title}:\t{}\n", plain(other))),
        }
        path.pop();
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Str(text) => text.to_string(),
        Value::Null => "<nil>".to_owned(),
        other => other.to_json(),
    }
}

/// `leaseDurationSeconds` as `Lease Duration Seconds`, `podCIDR` as `Pod CIDR`, `uid` as `UID`; what
/// has more than letters and dashes stays as it is.
fn title(key: &str) -> String {
    if key.chars().any(|c| !c.is_alphabetic() && c != '-') {
        return key.to_owned();
    }
    let titled = words(key).into_iter().map(|word| {
        let upper = word.to_uppercase();
        if ["API", "URL", "UID", "OSB", "GUID"].contains(&upper.as_str()) {
            return upper;
        }
        let first = word.chars().next().map_or(0, char::len_utf8);
        format!("{}{}", word[..first].to_uppercase(), &word[first..])
    });
    titled.collect::<Vec<_>>().join(" ")
}

/// The words of a name in camel case; dashes are words of their own.
fn words(key: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let class = |c: char| (c.is_uppercase(), c.is_lowercase());
    for c in key.chars() {
        let last = words.last().and_then(|word| word.chars().last());
        match (last, words.last_mut()) {
            (Some(last), Some(word)) if class(last) == class(c) => word.push(c),
            (Some(last), Some(word)) if last.is_uppercase() && c.is_lowercase() => {
                // The last capital begins this word: `CIDRBlock`.
                word.pop();
                if word.is_empty() {
                    words.pop();
                }
                words.push(format!("{last}{c}"));
            }
            _ => words.push(c.to_string()),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::title;

    #[test]
    fn field_names_become_titles() {
        for (key, expect) in [
            ("leaseDurationSeconds", "Lease Duration Seconds"),
            ("uid", "UID"),
            ("apiVersion", "API Version"),
            ("podCIDR", "Pod CIDR"),
            ("spec", "Spec"),
            ("x-kubernetes-validations", "X - Kubernetes - Validations"),
            ("openAPIV3Schema", "openAPIV3Schema"),
            ("hostIPCName", "Host IPC Name"),
        ] {
            assert_eq!(title(key), expect);
        }
    }
}
