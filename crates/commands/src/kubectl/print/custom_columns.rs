//! `-o custom-columns=NAME:.metadata.name,…`.
//!
//! Models kubectl/pkg/cmd/get/customcolumn.go.

use api::Value;
use api::jsonpath::relaxed;

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
        if path.is_empty() {
            columns.push((header.to_owned(), None));
            continue;
        }
        let template = relaxed(path).map_err(Failure::message)?;
        columns.push((header.to_owned(), Some(jsonpath(&template)?)));
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
                    let values = path.as_ref().map(|path| found(path, object));
                    let texts: Vec<String> = values.iter().flatten().map(text).collect();
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

/// The columns of a file: headings in its first line, paths in its second.
pub(super) fn of_file(text: &str) -> Outcome<String> {
    let mut lines = text.lines();
    let (Some(headers), Some(paths)) = (lines.next(), lines.next()) else {
        return Err(Failure::message(
            "invalid template, missing either headers or paths: EOF",
        ));
    };
    let (headers, paths): (Vec<&str>, Vec<&str>) = (
        headers.split_whitespace().collect(),
        paths.split_whitespace().collect(),
    );
    if headers.len() != paths.len() {
        return Err(Failure::message(format!(
            "number of headers ({}) and field specifications ({}) don't match",
            headers.len(),
            paths.len()
        )));
    }
    let columns: Vec<String> = headers
        .iter()
        .zip(paths)
        .map(|(header, path)| format!("{header}:{path}"))
        .collect();
    Ok(columns.join(","))
}

fn text(value: &Value) -> String {
    match value {
        Value::Str(text) => text.to_string(),
        Value::Null => "<none>".to_owned(),
        Value::List(_) | Value::Map(_) => api::go::plain(value),
        other => other.to_json(),
    }
}
