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

/// `leaseDurationSeconds` as `Lease Duration Seconds`, `podCIDR` as `Pod CIDR`, `uid` as `UID`.
fn title(key: &str) -> String {
    if matches!(key, "uid" | "url" | "ip" | "api") {
        return key.to_uppercase();
    }
    let mut words = String::new();
    let letters: Vec<char> = key.chars().collect();
    for (at, letter) in letters.iter().enumerate() {
        let after_lower = at > 0 && letters[at - 1].is_lowercase();
        let before_lower = letters.get(at + 1).is_some_and(|next| next.is_lowercase());
        if at > 0 && letter.is_uppercase() && (after_lower || before_lower) {
            words.push(' ');
        }
        words.extend(if at == 0 {
            letter.to_uppercase().collect()
        } else {
            vec![*letter]
        });
    }
    words.replace("Api ", "API ")
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
        ] {
            assert_eq!(title(key), expect);
        }
    }
}
