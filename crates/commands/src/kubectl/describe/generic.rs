//! Any object, field by field.
//!
//! Models kubectl/pkg/describe's GenericDescriber: titles made of field names, in their order.

use api::Value;

use super::{annotations, labels};

/// The description, without events.
pub(super) fn text(value: &Value) -> String {
    let mut text = format!(
        "Name:\t{}\nNamespace:\t{}\n",
        value.name(),
        value.namespace()
    );
    text.push_str(&labels("Labels:", value.labels()));
    text.push_str(&annotations("Annotations:", value.annotations()));
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

/// `leaseDurationSeconds` as `Lease Duration Seconds`, `podCIDR` as `Pod CIDR`, `uid` as `UID`. Names
/// with digits or signs stay as they are.
fn title(key: &str) -> String {
    if !key
        .chars()
        .all(|letter| letter.is_alphabetic() || letter == '-')
    {
        return key.to_owned();
    }
    let letters: Vec<char> = key.chars().collect();
    let (mut words, mut word) = (Vec::new(), String::new());
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| letters[before]);
        let begins = before.is_some_and(|before| {
            (*letter == '-') != (before == '-') || (letter.is_uppercase() && before.is_lowercase())
        });
        if begins {
            words.push(std::mem::take(&mut word));
        }
        word.push(*letter);
    }
    words.push(word);
    let shown = words.iter().map(|word| {
        let upper = word.to_uppercase();
        if ["API", "URL", "UID", "OSB", "GUID"].contains(&upper.as_str()) {
            return upper;
        }
        let mut letters = word.chars();
        let first = letters.next().into_iter().flat_map(char::to_uppercase);
        first.chain(letters).collect()
    });
    shown.collect::<Vec<String>>().join(" ")
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
            ("openAPIV3Schema", "openAPIV3Schema"),
            ("x-kubernetes-validations", "X - Kubernetes - Validations"),
            ("spec", "Spec"),
            ("hostIPCName", "Host IPCName"),
            ("insecureSkipTLSVerify", "Insecure Skip TLSVerify"),
            ("nonResourceURLs", "Non Resource URLs"),
        ] {
            assert_eq!(title(key), expect);
        }
    }
}
