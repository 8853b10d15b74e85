//! From what a client sent to a custom object: metadata is typed as in all objects, the rest follows
//! the schema.
//!
//! Models the schemaCoercingDecoder of apiextensions-apiserver and pkg/apiserver/schema/objectmeta.

use super::schema::{Schema, child};
use super::{Custom, prune};
use crate::Value;
use crate::schema::{Decoded, Schemas};

impl Custom {
    /// Reads an object. What it has beyond its schema is dropped, and told.
    pub(in crate::kinds) fn decode(&self, schemas: &Schemas, object: &Value) -> Decoded {
        let mut value = object.clone();
        let mut dropped = Vec::new();
        if !self.preserves {
            prune::resource(&mut value, &self.schema, &mut dropped);
        }
        dropped.sort();
        let told = dropped.iter().map(|path| format!("unknown field {path:?}"));
        let mut strict: Vec<String> = told.collect();
        let mut error = None;
        let metadata = object.metadata();
        if !metadata.is_null() {
            let typed = typed_metadata(schemas, metadata);
            strict.extend(typed.strict);
            error = typed.error;
            value.set("metadata", typed.value.metadata().clone());
        }
        embedded(schemas, &mut value, &self.schema, "", &mut strict);
        Decoded {
            value,
            strict,
            error,
        }
    }
}

/// Types the metadata of objects within the object.
fn embedded(
    schemas: &Schemas,
    of: &mut Value,
    schema: &Schema,
    path: &str,
    strict: &mut Vec<String>,
) {
    if !schema.has_embedded() {
        return;
    }
    match of {
        Value::Map(_) => {
            if schema.embedded && of.metadata().is_map() {
                let typed = typed_metadata(schemas, of.metadata());
                let own = typed.strict.iter();
                strict.extend(own.map(|told| told.replacen('"', &format!("\"{path}."), 1)));
                if typed.error.is_none() {
                    of.set("metadata", typed.value.metadata().clone());
                }
            }
            let names: Vec<crate::Str> = of.entries().keys().cloned().collect();
            for name in names {
                if let Some(field) = schema.field(&name) {
                    let path = child(path, &name);
                    embedded(schemas, of.at_path_mut(&[&name]), field, &path, strict);
                }
            }
        }
        Value::List(_) => {
            let Some(items) = schema.items.as_deref() else {
                return;
            };
            for (i, item) in of.vec_mut().iter_mut().enumerate() {
                embedded(schemas, item, items, &format!("{path}[{i}]"), strict);
            }
        }
        _ => {}
    }
}

/// An object of a kind that has nothing else, with this metadata.
fn typed_metadata(schemas: &Schemas, metadata: &Value) -> Decoded {
    let carrier = crate::object! {
        "apiVersion": "meta.k8s.io/v1",
        "kind": "PartialObjectMetadata",
        "metadata": metadata,
    };
    let carrier_type = schemas.by_name("core.v1.ConfigMap");
    match carrier_type {
        Some(id) => schemas.decode_as(id, &carrier),
        None => Decoded {
            value: carrier,
            strict: Vec::new(),
            error: None,
        },
    }
}
