//! Items of lists that are sets or maps must differ.
//!
//! Models apiextensions-apiserver/pkg/apiserver/schema/listtype/validation.go.

use super::schema::{Schema, child};
use crate::Value;
use crate::field::FieldError;

/// What is there twice.
pub(super) fn check(object: &Value, schema: &Schema) -> Vec<FieldError> {
    let mut out = Vec::new();
    value(object, schema, "", &mut out);
    out
}

fn value(of: &Value, schema: &Schema, path: &str, out: &mut Vec<FieldError>) {
    match of {
        Value::List(list) => {
            match schema.list_type.as_str() {
                "set" => unique(list, path, out),
                "map" => unique_keys(list, schema, path, out),
                _ => {}
            }
            if let Some(items) = schema.items.as_deref() {
                for (i, item) in list.iter().enumerate() {
                    value(item, items, &format!("{path}[{i}]"), out);
                }
            }
        }
        Value::Map(map) => {
            for (name, field) in map {
                let below = match schema.properties.get(&**name) {
                    Some(schema) => Some((schema, child(path, name))),
                    None => {
                        let additional = schema.additional.as_deref();
                        additional.map(|schema| (schema, format!("{path}[{name}]")))
                    }
                };
                if let Some((schema, path)) = below {
                    value(field, schema, &path, out);
                }
            }
        }
        _ => {}
    }
}

fn unique(list: &[Value], path: &str, out: &mut Vec<FieldError>) {
    for (i, item) in list.iter().enumerate() {
        let before = list[..i].iter().filter(|other| other.same(item)).count();
        // Told once, where it stands the second time.
        if before == 1 {
            out.push(FieldError::duplicate(format!("{path}[{i}]"), item));
        }
    }
}

fn unique_keys(list: &[Value], schema: &Schema, path: &str, out: &mut Vec<FieldError>) {
    let keys = |item: &Value| -> Value {
        let keys = schema.list_map_keys.iter();
        let present = keys.filter(|key| item.entries().contains_key(key));
        Value::Map(
            present
                .map(|key| (key.as_str(), item.get(key).clone()))
                .collect(),
        )
    };
    let all: Vec<Value> = list.iter().map(keys).collect();
    for (i, key) in all.iter().enumerate() {
        let before = all[..i].iter().filter(|other| other.same(key)).count();
        if before == 1 {
            out.push(FieldError::duplicate(format!("{path}[{i}]"), key));
        }
    }
}
