//! A configuration that an admission policy gives, laid over an object: it merges as one that is
//! applied does, belongs to nobody, and may change no value that is one as a whole.
//!
//! Models apiserver/pkg/admission/plugin/policy/mutating/patch/smd.go.

use super::check;
use super::merge::merged;
use super::shape::{Items, Node, Shape};
use crate::{Schemas, Value};

/// The object with the configuration, or why it cannot be.
pub fn overlaid<'s>(
    schemas: &'s Schemas,
    node: Node<'s>,
    object: &Value,
    config: &Value,
) -> Result<Value, String> {
    let wrong = check::errors(schemas, node, config);
    if !wrong.is_empty() {
        return Err(format!(
            "failed to convert patch object to typed object: {wrong}"
        ));
    }
    let mut atomic = Vec::new();
    wholes(schemas, node, config, "", &mut atomic);
    if !atomic.is_empty() {
        return Err(format!(
            "invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: {}",
            atomic.join(", ")
        ));
    }
    Ok(merged(schemas, node, object, config))
}

/// The paths of lists, maps and structs that do not merge.
fn wholes<'s>(
    schemas: &'s Schemas,
    node: Node<'s>,
    value: &Value,
    path: &str,
    out: &mut Vec<String>,
) {
    match (node.shape(schemas), value) {
        (Shape::Struct { fields, atomic }, Value::Map(map)) => {
            if atomic {
                out.push(path.to_owned());
            }
            for (key, value) in map {
                if let Some(field) = fields.get(schemas, key) {
                    wholes(schemas, field.node, value, &format!("{path}.{key}"), out);
                }
            }
        }
        (Shape::Map { atomic: true, .. }, Value::Map(_))
        | (Shape::Open { atomic: true }, Value::Map(_) | Value::List(_)) => {
            out.push(path.to_owned());
        }
        (Shape::List { item, items }, Value::List(list)) => {
            if matches!(items, Items::Atomic) {
                out.push(path.to_owned());
            }
            for (i, value) in list.iter().enumerate() {
                wholes(schemas, item, value, &format!("{path}[{i}]"), out);
            }
        }
        _ => {}
    }
}
