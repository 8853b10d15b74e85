//! Formats of strings: `@csv`, `@base64` and their like.

use super::json::Json;

/// A value through a format.
pub(super) fn apply(name: &str, value: &Json) -> Result<String, String> {
    Ok(match name {
        "@text" => text(value),
        "@json" => value.compact(),
        "@csv" => row(value, "csv", ",", |text| {
            format!("\"{}\"", text.replace('"', "\"\""))
        })?,
        "@tsv" => row(value, "tsv", "\t", |text| {
            text.replace('\\', "\\\\")
                .replace('\t', "\\t")
                .replace('\n', "\\n")
                .replace('\r', "\\r")
        })?,
        "@html" => {
            let text = text(value);
            let mut out = String::new();
            for c in text.chars() {
                match c {
                    '<' => out.push_str("&lt;"),
                    '>' => out.push_str("&gt;"),
                    '&' => out.push_str("&amp;"),
                    '\'' => out.push_str("&#39;"),
                    '"' => out.push_str("&quot;"),
                    c => out.push(c),
                }
            }
            out
        }
        "@uri" => {
            let mut out = String::new();
            for byte in text(value).bytes() {
                match byte {
                    b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                        out.push(char::from(byte));
                    }
                    byte => out.push_str(&format!("%{byte:02X}")),
                }
            }
            out
        }
        "@sh" => match value {
            Json::Array(items) => {
                let all: Result<Vec<String>, String> = items.iter().map(shell).collect();
                all?.join(" ")
            }
            value => shell(value)?,
        },
        "@base64" => crate::base64::encode(text(value).as_bytes()),
        "@base64d" => {
            let (bytes, valid) = crate::base64::decode(text(value).as_bytes(), true);
            if !valid && bytes.is_empty() {
                return Err(format!(
                    "{} ({}) is not valid base64 data",
                    value.kind(),
                    value.compact()
                ));
            }
            String::from_utf8_lossy(&bytes).into_owned()
        }
        other => {
            return Err(format!(
                "{} is not a valid format",
                other.trim_start_matches('@')
            ));
        }
    })
}

/// Strings as they are, everything else as JSON.
pub(super) fn text(value: &Json) -> String {
    match value {
        Json::Text(text) => text.to_string(),
        other => other.compact(),
    }
}

fn row(
    value: &Json,
    name: &str,
    between: &str,
    quote: impl Fn(&str) -> String,
) -> Result<String, String> {
    let Json::Array(items) = value else {
        return Err(format!(
            "{} ({}) cannot be {name}-formatted, only an array can be",
            value.kind(),
            value.compact()
        ));
    };
    let cells: Result<Vec<String>, String> = items
        .iter()
        .map(|item| match item {
            Json::Null => Ok(String::new()),
            Json::Bool(_) | Json::Number(_) => Ok(item.compact()),
            Json::Text(text) => Ok(quote(text)),
            other => Err(format!(
                "{} ({}) is not valid in a csv row",
                other.kind(),
                other.compact()
            )),
        })
        .collect();
    Ok(cells?.join(between))
}

fn shell(value: &Json) -> Result<String, String> {
    match value {
        Json::Text(text) => Ok(format!("'{}'", text.replace('\'', "'\\''"))),
        Json::Array(_) | Json::Object(_) => Err(format!(
            "{} ({}) can not be escaped for shell",
            value.kind(),
            value.compact()
        )),
        other => Ok(other.compact()),
    }
}
