//! `-o custom-columns=NAME:.metadata.name,…`.
//!
//! Models kubectl/pkg/cmd/get/customcolumn.go.

use api::Value;

use super::table::align;
use super::{found, jsonpath};
use crate::kubectl::failure::{Failure, Outcome};

/// Objects in the columns of `spec`.
pub(crate) fn custom_columns(spec: &str, objects: &[Value], headers: bool) -> Outcome<String> {
    let mut columns = Vec::new();
    for part in spec.split(',') {
        let Some((header, path)) = part.split_once(':') else {
            return Err(Failure::message(format!(
                "unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>"
            )));
        };
        let template = relaxed(path);
        columns.push((header.to_owned(), jsonpath(&template)?));
    }
    let mut lines = Vec::new();
    if headers {
        lines.push(columns.iter().map(|(header, _)| header.clone()).collect());
    }
    for object in objects {
        lines.push(
            columns
                .iter()
                .map(|(_, path)| {
                    let texts: Vec<String> = found(path, object).iter().map(text).collect();
                    if texts.is_empty() {
                        "<none>".to_owned()
                    } else {
                        texts.join(",")
                    }
                })
                .collect(),
        );
    }
    Ok(align(&lines, &mut Vec::new()))
}

/// `metadata.name`, `.metadata.name` and `{.metadata.name}` all mean the last.
pub(crate) fn relaxed(path: &str) -> String {
    let inner = path
        .strip_prefix('{')
        .and_then(|p| p.strip_suffix('}'))
        .unwrap_or(path);
    let inner = inner.strip_prefix('.').unwrap_or(inner);
    format!("{{.{inner}}}")
}

fn text(value: &Value) -> String {
    match value {
        Value::Str(text) => text.to_string(),
        Value::Null => "<none>".to_owned(),
        Value::List(_) | Value::Map(_) => api::go::plain(value),
        other => other.to_json(),
    }
}
