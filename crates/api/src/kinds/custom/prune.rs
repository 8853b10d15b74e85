//! Drops fields that a schema does not name.
//!
//! Models apiextensions-apiserver/pkg/apiserver/schema/pruning/algorithm.go.

use super::schema::{Schema, child};
use crate::Value;

/// Fields that every object may have.
const ALWAYS: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// Prunes an object. What was dropped is told by its path.
pub(super) fn resource(object: &mut Value, schema: &Schema, dropped: &mut Vec<String>) {
    map(object, schema, true, "", dropped);
}

fn value(of: &mut Value, schema: &Schema, path: &str, dropped: &mut Vec<String>) {
    match of {
        Value::Map(_) => map(of, schema, schema.embedded, path, dropped),
        Value::List(_) => {
            let Some(items) = schema.items.as_deref() else {
                return;
            };
            if !can_lose(of, schema) {
                return;
            }
            for (i, item) in of.vec_mut().iter_mut().enumerate() {
                value(item, items, &format!("{path}[{i}]"), dropped);
            }
        }
        _ => {}
    }
}

fn map(of: &mut Value, schema: &Schema, root: bool, path: &str, dropped: &mut Vec<String>) {
    let names: Vec<String> = of.entries().keys().map(|name| name.to_string()).collect();
    for name in names {
        if root && ALWAYS.contains(&name.as_str()) {
            continue;
        }
        let path = child(path, &name);
        match schema.field(&name) {
            Some(field) => {
                if can_lose(of.get(&name), field) {
                    value(of.at_path_mut(&[&name]), field, &path, dropped);
                }
            }
            None if schema.preserves || schema.allows_additional == Some(true) => {}
            None => {
                of.remove_path(&[&name]);
                dropped.push(path);
            }
        }
    }
}

/// Whether there is anything in a value that its schema does not name. Spares a copy where not.
fn can_lose(of: &Value, schema: &Schema) -> bool {
    match of {
        Value::Map(map) => map.iter().any(|(name, value)| {
            if schema.embedded && ALWAYS.contains(&&**name) {
                return false;
            }
            match schema.field(name) {
                Some(field) => can_lose(value, field),
                None => !schema.preserves && schema.allows_additional != Some(true),
            }
        }),
        Value::List(list) => {
            let items = schema.items.as_deref();
            items.is_some_and(|items| list.iter().any(|item| can_lose(item, items)))
        }
        _ => false,
    }
}
