//! Fills in what a schema gives defaults for, and drops nulls that it does not allow.
//!
//! Models apiextensions-apiserver/pkg/apiserver/schema/defaulting.

use super::schema::Schema;
use crate::Value;

/// Sets every default whose field is missing, or null without being allowed to.
pub(super) fn fill(of: &mut Value, schema: &Schema) {
    match of {
        Value::Map(_) => {
            for (name, field) in &schema.properties {
                let Some(default) = &field.default else {
                    continue;
                };
                let missing = !of.entries().contains_key(name);
                if (missing || (of.get(name).is_null() && !field.nullable))
                    && let Ok(default) = Value::from_json(default.as_bytes())
                {
                    of.map_mut().insert(name.as_str(), default);
                }
            }
            let names: Vec<crate::Str> = of.entries().keys().cloned().collect();
            for name in names {
                let Some(field) = schema.field(&name) else {
                    continue;
                };
                if wants(of.get(&name), field) {
                    fill(of.at_path_mut(&[&name]), field);
                }
            }
            let additional = schema.additional.as_deref();
            if let Some(default) = additional.and_then(|schema| schema.default.as_deref()) {
                fill_nulls(of, schema, default);
            }
        }
        Value::List(_) => {
            if let Some(items) = schema.items.as_deref()
                && of.list().iter().any(|item| wants(item, items))
            {
                of.vec_mut().iter_mut().for_each(|item| fill(item, items));
            }
        }
        _ => {}
    }
}

/// Values of a map that are null take the default of its values.
fn fill_nulls(of: &mut Value, schema: &Schema, default: &str) {
    let nullable = schema.additional.as_ref().is_some_and(|s| s.nullable);
    let Ok(default) = Value::from_json(default.as_bytes()) else {
        return;
    };
    for (name, value) in of.map_mut().iter_mut() {
        if value.is_null() && !nullable && !schema.properties.contains_key(&**name) {
            *value = default.clone();
        }
    }
}

/// Whether a default would change a value.
fn wants(of: &Value, schema: &Schema) -> bool {
    match of {
        Value::Map(map) => {
            let lacks = schema.properties.iter().any(|(name, field)| {
                let value = map.get(name);
                let absent = value.is_none_or(|value| value.is_null() && !field.nullable);
                field.default.is_some() && absent
            });
            let additional = schema.additional.as_deref();
            let nulls = additional.is_some_and(|schema| schema.default.is_some());
            let below = |(name, value): (&crate::Str, &Value)| {
                let field = schema.field(name);
                field.is_some_and(|field| wants(value, field))
            };
            lacks || nulls || map.iter().any(below)
        }
        Value::List(list) => {
            let items = schema.items.as_deref();
            items.is_some_and(|items| list.iter().any(|item| wants(item, items)))
        }
        _ => false,
    }
}

/// Drops fields that are null where the schema allows none.
pub(super) fn drop_nulls(of: &mut Value, schema: &Schema) {
    if !has_bad_null(of, schema) {
        return;
    }
    match of {
        Value::Map(map) => {
            map.retain(|name, value| {
                let field = schema.field(name);
                !(value.is_null() && field.is_some_and(|field| !field.nullable))
            });
            for (name, value) in map.iter_mut() {
                if let Some(field) = schema.field(name) {
                    drop_nulls(value, field);
                }
            }
        }
        Value::List(_) => {
            if let Some(items) = schema.items.as_deref() {
                of.vec_mut()
                    .iter_mut()
                    .for_each(|item| drop_nulls(item, items));
            }
        }
        _ => {}
    }
}

fn has_bad_null(of: &Value, schema: &Schema) -> bool {
    match of {
        Value::Map(map) => map.iter().any(|(name, value)| {
            let field = schema.field(name);
            field.is_some_and(|field| {
                (value.is_null() && !field.nullable) || has_bad_null(value, field)
            })
        }),
        Value::List(list) => {
            let items = schema.items.as_deref();
            items.is_some_and(|items| list.iter().any(|item| has_bad_null(item, items)))
        }
        _ => false,
    }
}
