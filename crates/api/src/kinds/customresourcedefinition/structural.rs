//! Whether a schema is structural: every part of a value is described in one place.
//!
//! Models apiextensions-apiserver/pkg/apiserver/schema/validation.go.

use super::super::check::Errors;
use crate::Value;
use crate::field::{FieldError, Path};

/// Where a schema stands.
#[derive(Clone, Copy, PartialEq)]
enum Level {
    Root,
    Item,
    Field,
}

/// Why a schema is not structural, in alphabetical order.
pub(super) fn validate(schema: &Value, path: &Path<'_>) -> Errors {
    let mut out = Vec::new();
    invariants(schema, Level::Root, path, &mut out);
    complete(schema, schema, path, &mut out);
    out.sort_by_key(|error: &FieldError| error.to_string());
    out
}

fn invariants(schema: &Value, level: Level, path: &Path<'_>, out: &mut Errors) {
    let kind = schema.str("type");
    if kind == "array" && schema.get("items").is_null() {
        out.push(FieldError::required(
            path.child("items"),
            "must be specified",
        ));
    }
    if schema.get("items").is_map() {
        invariants(schema.get("items"), Level::Item, &path.child("items"), out);
    }
    let properties = schema.get("properties").entries();
    let at = path.child("properties");
    for (name, field) in properties {
        let at = at.key(name);
        match &**name {
            "metadata" if level == Level::Root => root_metadata(field, &at, out),
            "metadata" if flag(schema, "embedded-resource") => {
                if field.str("type") != "object" {
                    let kind = field.str("type");
                    out.push(FieldError::invalid(
                        at.child("type"),
                        kind,
                        "must be object",
                    ));
                }
            }
            "kind" | "apiVersion" if level == Level::Root => {
                if field.str("type") != "string" {
                    let kind = field.str("type");
                    out.push(FieldError::invalid(
                        at.child("type"),
                        kind,
                        "must be string",
                    ));
                }
            }
            _ => {}
        }
        invariants(field, Level::Field, &at, out);
    }
    let additional = schema.get("additionalProperties");
    if !additional.is_null() {
        let at = path.child("additionalProperties");
        if level == Level::Root {
            out.push(FieldError::forbidden(at, "must not be used at the root"));
        }
        if additional.is_map() {
            invariants(additional, Level::Field, &at, out);
        }
    }
    extensions(schema, level, path, out);
    values(schema, level, path, out);
}

fn flag(schema: &Value, name: &str) -> bool {
    let value = schema.get(&format!("x-kubernetes-{name}"));
    value.as_bool().unwrap_or(false)
}

fn extensions(schema: &Value, level: Level, path: &Path<'_>, out: &mut Errors) {
    let kind = schema.str("type");
    let embedded = flag(schema, "embedded-resource");
    let (either, preserves) = (
        flag(schema, "int-or-string"),
        flag(schema, "preserve-unknown-fields"),
    );
    for (name, set) in [
        ("x-kubernetes-preserve-unknown-fields", preserves),
        ("x-kubernetes-embedded-resource", embedded),
    ] {
        if either && set {
            let text = "must be false if x-kubernetes-int-or-string is true";
            out.push(FieldError::invalid(path.child(name), true, text));
        }
    }
    let at = path.child("type");
    if embedded && kind != "object" {
        let text = "must be object if x-kubernetes-embedded-resource is true";
        out.push(match kind {
            "" => FieldError::required(at, text),
            kind => FieldError::invalid(at, kind, text),
        });
    } else if kind.is_empty() && !either && !preserves {
        out.push(FieldError::required(
            at,
            match level {
                Level::Root => "must not be empty at the root",
                Level::Item => "must not be empty for specified array items",
                Level::Field => "must not be empty for specified object fields",
            },
        ));
    }
    if embedded && !schema.get("additionalProperties").is_null() {
        let text = "must not be used if x-kubernetes-embedded-resource is set";
        out.push(FieldError::forbidden(
            path.child("additionalProperties"),
            text,
        ));
    }
    if level == Level::Root && !kind.is_empty() && kind != "object" {
        out.push(FieldError::invalid(at, kind, "must be object at the root"));
    }
    if embedded && !preserves && schema.get("properties").entries().is_empty() {
        let text = "must not be empty if x-kubernetes-embedded-resource is true without \
                    x-kubernetes-preserve-unknown-fields";
        out.push(FieldError::required(path.child("properties"), text));
    }
}

fn root_metadata(schema: &Value, path: &Path<'_>, out: &mut Errors) {
    if schema.str("type") != "object" {
        let kind = schema.str("type");
        out.push(FieldError::invalid(
            path.child("type"),
            kind,
            "must be object",
        ));
    }
    let names = schema.get("properties").entries();
    let known = names
        .keys()
        .all(|name| ["name", "generateName"].contains(&&**name));
    let mut keys = schema.entries().keys();
    if !known || !keys.all(|key| ["type", "properties", "default"].contains(&&**key)) {
        let text = "must not specify anything other than name and generateName, but metadata is \
                    implicitly specified";
        out.push(FieldError::forbidden(path, text));
    }
}

/// Whether these are the two alternatives that go with `x-kubernetes-int-or-string`.
fn is_int_or_string(any_of: &Value) -> bool {
    let kinds: Vec<&str> = any_of.list().iter().map(|one| one.str("type")).collect();
    kinds == ["integer", "string"] && any_of.list().iter().all(|one| one.entries().len() == 1)
}

fn values(schema: &Value, level: Level, path: &Path<'_>, out: &mut Errors) {
    let first = schema.get("allOf").item(0).get("anyOf");
    for key in ["anyOf", "allOf", "oneOf"] {
        if key == "anyOf" && is_int_or_string(schema.get("anyOf")) {
            continue;
        }
        let path = path.child(key);
        for (i, one) in schema.get(key).list().iter().enumerate() {
            if key == "allOf" && i == 0 && is_int_or_string(first) {
                continue;
            }
            nested(one, level, &path.index(i), out);
        }
    }
    if schema.get("not").is_map() {
        nested(schema.get("not"), level, &path.child("not"), out);
    }
    let pattern = schema.str("pattern");
    if let Err(error) = regex_lite::Regex::new(pattern) {
        let text = format!("must be a valid regular expression, but isn't: {error}");
        out.push(FieldError::invalid(path.child("pattern"), pattern, text));
    }
}

/// A schema under a junctor only restricts values; it must not describe them.
fn nested(schema: &Value, level: Level, path: &Path<'_>, out: &mut Errors) {
    values(schema, level, path, out);
    if schema.get("items").is_map() {
        nested(schema.get("items"), level, &path.child("items"), out);
    }
    let at = path.child("properties");
    for (name, field) in schema.get("properties").entries() {
        nested(field, Level::Field, &at.key(name), out);
    }
    let forbidden = [
        ("type", "must be empty to be structural"),
        ("additionalProperties", "must be undefined to be structural"),
        ("default", "must be undefined to be structural"),
        ("title", "must be empty to be structural"),
        ("description", "must be empty to be structural"),
        ("nullable", "must be false to be structural"),
        ("externalDocs", "must be undefined to be structural"),
        (
            "x-kubernetes-preserve-unknown-fields",
            "must be false to be structural",
        ),
        (
            "x-kubernetes-embedded-resource",
            "must be false to be structural",
        ),
        (
            "x-kubernetes-int-or-string",
            "must be false to be structural",
        ),
        (
            "x-kubernetes-list-map-keys",
            "must be empty to be structural",
        ),
        (
            "x-kubernetes-list-type",
            "must be undefined to be structural",
        ),
        (
            "x-kubernetes-map-type",
            "must be undefined to be structural",
        ),
        ("x-kubernetes-validations", "must be empty to be structural"),
    ];
    for (key, text) in forbidden {
        if !schema.get(key).is_zero() {
            out.push(FieldError::forbidden(path.child(key), text));
        }
    }
    if schema.get("properties").entries().contains_key("metadata") {
        let text = "must not be specified in a nested context";
        out.push(FieldError::forbidden(at.key("metadata"), text));
    }
}

/// What is named under a junctor must be described outside of it.
fn complete(outer: &Value, schema: &Value, path: &Path<'_>, out: &mut Errors) {
    let junctors = ["allOf", "anyOf", "oneOf"];
    let nested = junctors.iter().flat_map(|key| schema.get(key).list());
    for one in nested.chain(Some(schema.get("not")).filter(|not| not.is_map())) {
        described(outer, one, path, out);
    }
    let at = path.child("properties");
    for (name, field) in schema.get("properties").entries() {
        complete(field, field, &at.key(name), out);
    }
    if schema.get("items").is_map() {
        let items = schema.get("items");
        complete(items, items, &path.child("items"), out);
    }
}

fn described(outer: &Value, nested: &Value, path: &Path<'_>, out: &mut Errors) {
    let at = path.child("properties");
    for (name, field) in nested.get("properties").entries() {
        let at = at.key(name);
        let found = outer.get("properties").get(name);
        if found.is_null() {
            let text = format!("because it is defined in {at}");
            out.push(FieldError::required(at, text));
        } else {
            described(found, field, &at, out);
        }
    }
    if nested.get("items").is_map() {
        let at = path.child("items");
        match outer.get("items") {
            Value::Null => {
                let text = format!("because it is defined in {at}");
                out.push(FieldError::required(at, text));
            }
            items => described(items, nested.get("items"), &at, out),
        }
    }
    for key in ["allOf", "anyOf", "oneOf"] {
        for one in nested.get(key).list() {
            described(outer, one, path, out);
        }
    }
}
