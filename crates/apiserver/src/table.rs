//! Objects as rows of a table, as `kubectl get` asks for them.
//!
//! Models apiserver/pkg/endpoints/handlers/response.go and registry/rest/table.go.

use api::kinds::Kind;
use api::kinds::custom::CustomColumn;
use api::{Value, object};
use sim::Instant;

/// What a row carries beside its cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Include {
    /// The object's metadata.
    #[default]
    Metadata,
    /// The whole object.
    Object,
    /// Nothing.
    None,
}

impl Include {
    /// Reads the parameter `includeObject`.
    pub(crate) fn of(text: &str) -> Include {
        match text {
            "Object" => Include::Object,
            "None" => Include::None,
            _ => Include::Metadata,
        }
    }
}

/// An object's metadata as an object of its own.
pub(crate) fn partial_metadata(object: &Value) -> Value {
    object! {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": object.metadata(),
    }
}

/// A table of objects; `metadata` is that of the list or of the only object.
pub(crate) fn of<'a>(
    kind: &Kind,
    objects: impl Iterator<Item = &'a Value>,
    metadata: Value,
    include: Include,
    columns: bool,
    now: Instant,
) -> Value {
    let mut objects: Vec<&Value> = objects.collect();
    if let Some(order) = kind.order {
        objects.sort_by(|a, b| order(a, b));
    }
    let rows: Vec<Value> = objects
        .into_iter()
        .map(|object| row(kind, object, include, now))
        .collect();
    let definitions = if columns {
        columns_of(kind)
    } else {
        Value::Null
    };
    object! {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": definitions,
        "rows": rows,
    }
}

/// A table of one object.
pub(crate) fn of_one(
    kind: &Kind,
    object: &Value,
    include: Include,
    columns: bool,
    now: Instant,
) -> Value {
    let metadata = object! { "resourceVersion": object.metadata().get("resourceVersion") };
    of(
        kind,
        std::iter::once(object),
        metadata,
        include,
        columns,
        now,
    )
}

/// A bookmark as a table without rows.
pub(crate) fn bookmark(object: &Value) -> Value {
    object! {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": object.metadata(),
        "columnDefinitions": Value::Null,
        "rows": Value::list_of(Vec::new()),
    }
}

fn row(kind: &Kind, object: &Value, include: Include, now: Instant) -> Value {
    let mut row = object! { "cells": Value::list_of(kind.cells(object, now)) };
    match include {
        Include::Metadata => row.set("object", partial_metadata(object)),
        Include::Object => row.set("object", object),
        Include::None => {}
    }
    row
}

/// What a column of a custom kind is about, told or not.
fn description(column: &CustomColumn) -> String {
    match column.description.as_str() {
        "" => format!(
            "Custom resource definition column (in JSONPath format): {}",
            column.path
        ),
        text => text.to_owned(),
    }
}

fn columns_of(kind: &Kind) -> Value {
    let column = |name: &str, kind: &str, format: &str, priority: u8| {
        object! {
            "name": name,
            "type": kind,
            "format": format,
            "description": "",
            "priority": i64::from(priority),
        }
    };
    if let Some(custom) = kind.custom {
        let more = custom.columns.iter().map(|c| {
            object! {
                "name": c.name.as_str(),
                "type": c.kind.as_str(),
                "format": c.format.as_str(),
                "description": description(c),
                "priority": c.priority,
            }
        });
        let name = column("Name", "string", "name", 0);
        return std::iter::once(name).chain(more).collect();
    }
    if kind.columns.is_empty() {
        let columns = vec![
            column("Name", "string", "name", 0),
            column("Created At", "date", "", 0),
        ];
        return Value::list_of(columns);
    }
    kind.columns
        .iter()
        .map(|c| column(c.name, c.kind, c.format, c.priority))
        .collect()
}
