//! Tables: the server's, made fit for the terminal.
//!
//! Models cli-runtime/pkg/printers/tableprinter.go and tabwriter's alignment.

use api::{Map, Value};

/// What is shown of a table.
#[derive(Clone, Debug, Default)]
pub(crate) struct TableOptions {
    /// Columns of priority 1 too.
    pub(crate) wide: bool,
    /// No line of headings.
    pub(crate) no_headers: bool,
    /// A first column with the namespace.
    pub(crate) with_namespace: bool,
    /// A last column with all labels.
    pub(crate) show_labels: bool,
    /// Columns for these labels.
    pub(crate) label_columns: Vec<String>,
    /// Names are prefixed: `pod/web`.
    pub(crate) kind_prefix: Option<String>,
}

/// Prints tables that belong together: headings once, columns kept as wide as before.
#[derive(Clone, Debug, Default)]
pub(crate) struct TableWriter {
    headed: bool,
    widths: Vec<usize>,
    lines: Vec<Vec<String>>,
}

impl TableWriter {
    /// The text of a Table object.
    pub(crate) fn write(&mut self, table: &Value, options: &TableOptions) -> String {
        self.add(table, options);
        self.flush()
    }

    /// The text of what was added.
    pub(crate) fn flush(&mut self) -> String {
        align(&std::mem::take(&mut self.lines), &mut self.widths)
    }

    /// Takes a Table object for what comes next, whose columns are aligned together.
    pub(crate) fn add(&mut self, table: &Value, options: &TableOptions) {
        let columns: Vec<(usize, &Value)> = table
            .list_at("columnDefinitions")
            .iter()
            .enumerate()
            .filter(|(_, column)| options.wide || column.i64_at("priority").unwrap_or(0) == 0)
            .collect();
        if !self.headed && !options.no_headers {
            let mut line: Vec<String> = Vec::new();
            if options.with_namespace {
                line.push("NAMESPACE".to_owned());
            }
            line.extend(
                columns
                    .iter()
                    .map(|(_, column)| column.str_at("name").to_uppercase()),
            );
            line.extend(
                options
                    .label_columns
                    .iter()
                    .map(|label| label.rsplit('/').next().unwrap_or(label).to_uppercase()),
            );
            if options.show_labels {
                line.push("LABELS".to_owned());
            }
            self.lines.push(line);
        }
        self.headed = true;
        for row in table.list_at("rows") {
            self.lines.push(row_cells(row, &columns, options));
        }
    }
}

fn row_cells(row: &Value, columns: &[(usize, &Value)], options: &TableOptions) -> Vec<String> {
    let object = row.get("object");
    let cells = row.list_at("cells");
    let mut line = Vec::new();
    if options.with_namespace {
        line.push(object.namespace().to_owned());
    }
    for (index, column) in columns {
        let cell = cells.get(*index).map(cell_text).unwrap_or_default();
        match &options.kind_prefix {
            Some(kind) if column.str_at("format") == "name" || *index == 0 => {
                line.push(format!("{kind}/{cell}"));
            }
            _ => line.push(cell),
        }
    }
    for label in &options.label_columns {
        line.push(object.label(label).to_owned());
    }
    if options.show_labels {
        line.push(labels_text(object.labels()));
    }
    line
}

fn cell_text(cell: &Value) -> String {
    match cell {
        Value::Null => String::new(),
        Value::Str(text) => {
            // A cell is one line; the rest is cut as kubectl cuts it.
            match text.find(['\n', '\r', '\u{c}']) {
                Some(at) => format!("{}...", &text[..at]),
                None => text.to_string(),
            }
        }
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(cell_text).collect();
            format!("[{}]", items.join(" "))
        }
        other => other.to_json(),
    }
}

/// `a=b,c=d` in order of the keys, `<none>` without labels.
pub(crate) fn labels_text(labels: &Map) -> String {
    let pairs: Vec<String> = labels
        .iter()
        .map(|(key, value)| format!("{key}={}", value.as_str()))
        .collect();
    if pairs.is_empty() {
        "<none>".to_owned()
    } else {
        pairs.join(",")
    }
}

/// A column and the blanks after it take this much at least.
const NARROWEST: usize = 6;

/// Aligns columns: three spaces between them, none after the last; `widths` may only grow.
pub(crate) fn align(lines: &[Vec<String>], widths: &mut Vec<usize>) -> String {
    for line in lines {
        for (at, cell) in line.iter().enumerate() {
            let width = cell.chars().count();
            match widths.get_mut(at) {
                Some(known) => *known = (*known).max(width),
                None => widths.push(width),
            }
        }
    }
    let mut text = String::new();
    for line in lines {
        for (at, cell) in line.iter().enumerate() {
            text.push_str(cell);
            if at + 1 < line.len() {
                let pad = (widths[at] + 3).max(NARROWEST) - cell.chars().count();
                text.extend(std::iter::repeat_n(' ', pad));
            }
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::object;

    #[test]
    fn columns_align_and_wide_ones_wait() {
        let table = object!({
            "columnDefinitions": [
                { "name": "Name", "format": "name", "priority": 0 },
                { "name": "Ready", "priority": 0 },
                { "name": "IP", "priority": 1 },
            ],
            "rows": [
                { "cells": ["web", "1/1", "10.0.0.1"], "object": { "metadata": { "namespace": "a" } } },
                { "cells": ["longer-name", "0/1", "10.0.0.2"], "object": {} },
            ],
        });
        let plain = TableWriter::default().write(&table, &TableOptions::default());
        assert_eq!(
            plain,
            "NAME          READY\nweb           1/1\nlonger-name   0/1\n"
        );
        let options = TableOptions {
            wide: true,
            no_headers: true,
            kind_prefix: Some("pod".to_owned()),
            ..TableOptions::default()
        };
        let wide = TableWriter::default().write(&table, &options);
        assert_eq!(
            wide,
            "pod/web           1/1   10.0.0.1\npod/longer-name   0/1   10.0.0.2\n"
        );
    }
}
