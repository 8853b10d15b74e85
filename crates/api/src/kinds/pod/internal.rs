//! A pod spec as Go prints the internal type, with every field in the order of its declaration:
//! the form in which refused updates are shown.
//!
//! Models the types of pkg/apis/core/types.go.

use crate::{Map, Value};

mod fields;

/// What a field of a Go struct is, and so what stands there when it is empty.
#[derive(Clone, Copy)]
enum Shape {
    /// A string: `""`.
    Text,
    /// A number: `0`.
    Number,
    /// A boolean: `false`.
    Bool,
    /// A pointer, slice or map of values without fields: `null`.
    Any,
    /// A struct by value: all its fields.
    Struct(&'static [Field]),
    /// A pointer to a struct: `null` or all its fields.
    Pointer(&'static [Field]),
    /// A slice of structs: `null` or a list.
    Slice(&'static [Field]),
    /// An embedded struct, whose fields stand among its parent's.
    Inline(&'static [Field]),
}

use Shape::{Any, Bool, Inline, Number, Pointer, Slice, Struct, Text};
use fields::POD_SPEC;

/// The name in Go, the name in JSON, the shape.
type Field = (&'static str, &'static str, Shape);

/// The spec as indented JSON of the internal type.
pub fn pod_spec(spec: &Value) -> String {
    let mut out = String::new();
    // The internal type keeps what concerns the host in the security context.
    let mut spec = spec.clone();
    for key in [
        "hostNetwork",
        "hostPID",
        "hostIPC",
        "shareProcessNamespace",
        "hostUsers",
    ] {
        if spec.has(key) {
            let value = spec.get(key).clone();
            spec.set_path(&["securityContext", key], value);
        }
    }
    object(&spec, POD_SPEC, 0, &mut out);
    out.push('\n');
    out
}

/// The same on one line.
pub(crate) fn pod_spec_in_line(spec: &Value) -> String {
    let in_line = |line: &str| {
        let line = line.trim_start();
        match line.split_once("\": ") {
            Some((key, rest)) if !key[1..].contains('"') => format!("{key}\":{rest}"),
            _ => line.to_owned(),
        }
    };
    pod_spec(spec).lines().map(in_line).collect()
}

/// The spec of a PersistentVolumeClaim in the same form.
pub(crate) fn claim_spec(spec: &Value) -> String {
    let mut out = String::new();
    object(spec, fields::CLAIM_SPEC, 0, &mut out);
    out.push('\n');
    out
}

fn line(depth: usize, out: &mut String) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', depth));
}

fn object(of: &Value, fields: &[Field], depth: usize, out: &mut String) {
    out.push('{');
    let mut first = true;
    inner(of, fields, depth + 1, &mut first, out);
    line(depth, out);
    out.push('}');
}

fn inner(of: &Value, fields: &[Field], depth: usize, first: &mut bool, out: &mut String) {
    for (name, key, shape) in fields {
        if let Inline(fields) = shape {
            inner(of, fields, depth, first, out);
            continue;
        }
        if !std::mem::take(first) {
            out.push(',');
        }
        line(depth, out);
        out.push_str(&format!("\"{name}\": "));
        field(of.get(key), *shape, depth, out);
    }
}

fn field(value: &Value, shape: Shape, depth: usize, out: &mut String) {
    match (shape, value) {
        (Text, Value::Null) => out.push_str("\"\""),
        (Number, Value::Null) => out.push('0'),
        (Bool, Value::Null) => out.push_str("false"),
        (Struct(fields) | Inline(fields), value) => object(value, fields, depth, out),
        (_, Value::Null) => out.push_str("null"),
        (Pointer(fields), value) => object(value, fields, depth, out),
        (Slice(fields), value) => {
            list(value.list(), depth, out, |item, depth, out| {
                object(item, fields, depth, out)
            });
        }
        (Text | Number | Bool | Any, value) => plain(value, depth, out),
    }
}

fn list(
    items: &[Value],
    depth: usize,
    out: &mut String,
    mut each: impl FnMut(&Value, usize, &mut String),
) {
    if items.is_empty() {
        out.push_str("null");
        return;
    }
    out.push('[');
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        line(depth + 1, out);
        each(item, depth + 1, out);
    }
    line(depth, out);
    out.push(']');
}

fn plain(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Map(map) => plain_map(map, depth, out),
        Value::List(items) => list(items, depth, out, plain),
        scalar => out.push_str(&scalar.to_json()),
    }
}

fn plain_map(map: &Map, depth: usize, out: &mut String) {
    if map.is_empty() {
        out.push_str("{}");
        return;
    }
    out.push('{');
    for (i, (key, value)) in map.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        line(depth + 1, out);
        out.push_str(&format!("{}: ", Value::Str(key.clone()).to_json()));
        plain(value, depth + 1, out);
    }
    line(depth, out);
    out.push('}');
}
