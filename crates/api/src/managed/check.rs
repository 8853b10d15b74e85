//! What is wrong with a configuration that is applied: fields that no type has, values of another
//! type, items that cannot be told apart.
//!
//! Models structured-merge-diff's typed/{validate,helpers}.go.

use std::collections::BTreeMap;

use super::set::shown;
use super::shape::{Items, Node, Scalar, Shape, item_element};
use crate::{Schemas, Value, go};

/// The errors, each with its path, as one text; empty if there is none.
pub(super) fn errors<'s>(schemas: &'s Schemas, node: Node<'s>, value: &Value) -> String {
    let mut out = Vec::new();
    at(schemas, node, value, "", &mut out);
    match out.len() {
        0 => String::new(),
        1 => out.swap_remove(0),
        _ => format!("errors:\n  {}", out.join("\n  ")),
    }
}

fn at<'s>(schemas: &'s Schemas, node: Node<'s>, value: &Value, path: &str, out: &mut Vec<String>) {
    let mut say = |why: String| {
        out.push(if path.is_empty() {
            why
        } else {
            format!("{path}: {why}")
        });
    };
    if value.is_null() {
        return;
    }
    match node.shape(schemas) {
        Shape::Scalar(scalar) => {
            if let Some(why) = misfit(scalar, value) {
                say(why);
            }
        }
        Shape::Struct { fields, .. } => {
            let Value::Map(map) = value else {
                return say(format!("expected map, got &{{{}}}", go::plain(value)));
            };
            for (key, value) in map {
                let path = format!("{path}.{key}");
                match fields.get(schemas, key) {
                    Some(field) => at(schemas, field.node, value, &path, out),
                    None if fields.keeps_unknown() => {}
                    None => out.push(format!("{path}: field not declared in schema")),
                }
            }
        }
        Shape::Map { item, .. } => {
            let Value::Map(map) = value else {
                return say(format!("expected map, got &{{{}}}", go::plain(value)));
            };
            for (key, value) in map {
                at(schemas, item, value, &format!("{path}.{key}"), out);
            }
        }
        Shape::List { item, items } => {
            let Value::List(list) = value else {
                return say(format!("expected list, got &{{{}}}", go::plain(value)));
            };
            list_at(schemas, (item, items), list, path, out);
        }
        Shape::Open { .. } => {}
    }
}

fn list_at<'s>(
    schemas: &'s Schemas,
    (item, items): (Node<'s>, Items<'s>),
    list: &[Value],
    path: &str,
    out: &mut Vec<String>,
) {
    let mut seen = BTreeMap::new();
    for (i, value) in list.iter().enumerate() {
        let element = match items {
            Items::Atomic => format!("i:{i}"),
            _ => match item_element(schemas, item, items, value) {
                Ok(element) => element.to_string(),
                Err(why) => {
                    out.push(format!("{path}: element {i}: {why}"));
                    continue;
                }
            },
        };
        if seen.insert(element.clone(), ()).is_some() {
            let element = shown(&element);
            out.push(format!("{path}: duplicate entries for key {element}"));
        }
        at(
            schemas,
            item,
            value,
            &format!("{path}{}", shown(&element)),
            out,
        );
    }
}

fn misfit(scalar: Scalar, value: &Value) -> Option<String> {
    let number = matches!(value, Value::Int(_) | Value::Float(_));
    let simple = number || matches!(value, Value::Str(_) | Value::Bool(_));
    match scalar {
        Scalar::String if !value.is_str() => Some(format!(
            "expected string, got &value.valueUnstructured{{Value:{}}}",
            go::syntax(value)
        )),
        Scalar::Numeric if !number => Some(format!(
            "expected numeric (int or float), got {}",
            go_type(value)
        )),
        Scalar::Boolean if !matches!(value, Value::Bool(_)) => {
            Some(format!("expected boolean, got &{{{}}}", go::plain(value)))
        }
        Scalar::Any if !simple => Some(format!(
            "expected any scalar, got &{{{}}}",
            go::plain(value)
        )),
        _ => None,
    }
}

/// The Go type of a decoded value.
fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int64",
        Value::Float(_) => "float64",
        Value::Str(_) => "string",
        Value::List(_) => "[]interface {}",
        Value::Map(_) => "map[string]interface {}",
    }
}
