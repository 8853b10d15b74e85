//! What is wrong with the schema of a version.
//!
//! Models `validateCustomResourceDefinitionValidation` and
//! `ValidateCustomResourceDefinitionOpenAPISchema` of
//! apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go.

use super::super::check::Errors;
use super::super::custom;
use super::structural;
use crate::Value;
use crate::cel::{Env, Program, Type};
use crate::field::{FieldError, Path};

/// What may stand at the root where the status is a part of its own, as Go names it.
const AT_ROOT: &str = "[Description Type Format Title Maximum ExclusiveMaximum Minimum \
                       ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems \
                       MultipleOf Required Items Properties ExternalDocs Example \
                       XPreserveUnknownFields XValidations]";
const NOT_AT_ROOT: [&str; 12] = [
    "$ref",
    "additionalItems",
    "additionalProperties",
    "allOf",
    "anyOf",
    "default",
    "definitions",
    "enum",
    "id",
    "not",
    "oneOf",
    "patternProperties",
];
const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];
const REASONS: [&str; 4] = [
    "FieldValueDuplicate",
    "FieldValueForbidden",
    "FieldValueInvalid",
    "FieldValueRequired",
];

/// Where a schema stands, as far as it matters.
#[derive(Clone, Copy, Default)]
struct Place<'a> {
    /// Why there must be no default.
    no_defaults: Option<&'a str>,
    /// Values here cannot be told from each other when they change.
    uncorrelated: bool,
    /// It is the schema of a whole object.
    root: bool,
}

/// What is wrong with `schema` (or `validation`, where all versions share it).
pub(super) fn validate(of: &Value, status: bool, path: &Path<'_>, out: &mut Errors) {
    let schema = of.get("openAPIV3Schema");
    if schema.is_null() {
        return;
    }
    let path = path.child("openAPIV3Schema");
    if status && NOT_AT_ROOT.iter().any(|key| !schema.get(key).is_null()) {
        let text = format!(
            "only {AT_ROOT} fields are allowed at the root of the schema if the status subresource \
             is enabled"
        );
        out.push(FieldError::invalid(path, schema, text));
    }
    if schema.bool_at("nullable") {
        let text = "nullable cannot be true at the root";
        out.push(FieldError::forbidden(path.child("nullable"), text));
    }
    let broken = structural::validate(schema, &path);
    let sound = broken.is_empty();
    out.extend(broken);
    if sound {
        defaults(schema, &path, out);
    }
    let place = Place {
        root: true,
        ..Place::default()
    };
    props(schema, place, &path, out);
}

/// Defaults must be values of their schemas.
fn defaults(schema: &Value, path: &Path<'_>, out: &mut Errors) {
    let default = schema.get("default");
    if !default.is_null() {
        let at = path.child("default").to_string();
        out.extend(custom::check_default(schema, default, &at));
    }
    let at = path.child("properties");
    for (name, field) in schema.get("properties").entries() {
        defaults(field, &at.key(name), out);
    }
    for key in ["items", "additionalProperties"] {
        if schema.get(key).is_map() {
            defaults(schema.get(key), &path.child(key), out);
        }
    }
}

fn props(schema: &Value, place: Place<'_>, path: &Path<'_>, out: &mut Errors) {
    let before = out.len();
    unsupported(schema, place, path, out);
    let additional = schema.get("additionalProperties");
    let properties = schema.get("properties").entries();
    if !additional.is_null() {
        let at = path.child("additionalProperties");
        if !properties.is_empty() && additional.as_bool() != Some(true) {
            let text = "additionalProperties and properties are mutual exclusive";
            out.push(FieldError::forbidden(at, text));
        }
        if additional.is_map() {
            props(additional, below(place), &at, out);
        }
    }
    let at = path.child("properties");
    for (name, field) in properties {
        let reason = format!("in top-level {name}");
        let mut inner = below(place);
        inner.uncorrelated |= schema.str("x-kubernetes-map-type") == "atomic";
        if place.root && ["metadata", "kind", "apiVersion"].contains(&&**name) {
            inner.no_defaults = Some(&reason);
        }
        props(field, inner, &at.key(name), out);
    }
    for key in ["allOf", "oneOf", "anyOf"] {
        let at = path.child(key);
        for (i, one) in schema.get(key).list().iter().enumerate() {
            props(one, below(place), &at.index(i), out);
        }
    }
    if schema.get("not").is_map() {
        props(schema.get("not"), below(place), &path.child("not"), out);
    }
    if schema.get("items").is_map() {
        let mut place = below(place);
        place.uncorrelated |= schema.str("x-kubernetes-list-type") != "map";
        props(schema.get("items"), place, &path.child("items"), out);
    }
    lists_and_maps(schema, path, out);
    rules(schema, place, path, out.len() == before, out);
}

fn below(place: Place<'_>) -> Place<'_> {
    Place {
        root: false,
        ..place
    }
}

fn unsupported(schema: &Value, place: Place<'_>, path: &Path<'_>, out: &mut Errors) {
    let kind = schema.str("type");
    if !kind.is_empty() && !TYPES.contains(&kind) {
        out.push(FieldError::not_supported(path.child("type"), kind, &TYPES));
    }
    if let Some(why) = place.no_defaults
        && !schema.get("default").is_null()
    {
        let text = format!("must not be set {why}");
        out.push(FieldError::forbidden(path.child("default"), text));
    }
    let keys = [
        "id",
        "additionalItems",
        "patternProperties",
        "definitions",
        "dependencies",
        "$ref",
    ];
    for key in keys {
        if !schema.get(key).is_zero() {
            let text = format!("{key} is not supported");
            out.push(FieldError::forbidden(path.child(key), text));
        }
    }
    if kind == "null" {
        let text = "type cannot be set to null, use nullable as an alternative";
        out.push(FieldError::forbidden(path.child("type"), text));
    }
    if schema.get("items").is_list() {
        let text = "items must be a schema object and not an array";
        out.push(FieldError::forbidden(path.child("items"), text));
    }
    if schema.bool_at("uniqueItems") {
        let text = "uniqueItems cannot be set to true since the runtime complexity becomes \
                    quadratic";
        out.push(FieldError::forbidden(path.child("uniqueItems"), text));
    }
    let preserves = schema.get("x-kubernetes-preserve-unknown-fields");
    if preserves.as_bool() == Some(false) {
        let at = path.child("x-kubernetes-preserve-unknown-fields");
        out.push(FieldError::invalid(at, false, "must be true or undefined"));
    }
}

fn lists_and_maps(schema: &Value, path: &Path<'_>, out: &mut Errors) {
    let kind = schema.str("type");
    for (key, wanted, known) in [
        (
            "x-kubernetes-map-type",
            "object",
            &["atomic", "granular"][..],
        ),
        (
            "x-kubernetes-list-type",
            "array",
            &["atomic", "set", "map"][..],
        ),
    ] {
        let word = schema.str(key);
        if word.is_empty() {
            continue;
        }
        if kind != wanted {
            let text = format!("must be {wanted} if {key} is specified");
            out.push(match kind {
                "" => FieldError::required(path.child("type"), text),
                kind => FieldError::invalid(path.child("type"), kind, text),
            });
        }
        if !known.contains(&word) {
            out.push(FieldError::not_supported(path.child(key), word, known));
        }
    }
    let list_type = schema.str("x-kubernetes-list-type");
    let keys = schema.get("x-kubernetes-list-map-keys").list();
    if !keys.is_empty() && list_type != "map" {
        let text = "must be map if x-kubernetes-list-map-keys is non-empty";
        let at = path.child("x-kubernetes-list-type");
        out.push(match list_type {
            "" => FieldError::required(at, text),
            word => FieldError::invalid(at, word, text),
        });
    }
    match list_type {
        "map" => map_keys(schema, keys, path, out),
        "set" => set_items(schema.get("items"), &path.child("items"), out),
        _ => {}
    }
    if matches!(list_type, "set" | "map") && schema.bool_at("items.nullable") {
        let text = format!("cannot be nullable when x-kubernetes-list-type is {list_type}");
        out.push(FieldError::forbidden(
            path.child("items").child("nullable"),
            text,
        ));
    }
}

fn set_items(items: &Value, path: &Path<'_>, out: &mut Errors) {
    let text = "must be atomic as item of a list with x-kubernetes-list-type=set";
    let (key, word) = match items.str("type") {
        "array" => (
            "x-kubernetes-list-type",
            items.str("x-kubernetes-list-type"),
        ),
        "object" => ("x-kubernetes-map-type", items.str("x-kubernetes-map-type")),
        _ => return,
    };
    let implied = items.str("type") == "array" && word.is_empty();
    if word != "atomic" && !implied {
        let shown = items.get("x-kubernetes-list-type");
        out.push(FieldError::invalid(path.child(key), shown, text));
    }
}

fn map_keys(schema: &Value, keys: &[Value], path: &Path<'_>, out: &mut Errors) {
    let at = path.child("x-kubernetes-list-map-keys");
    if keys.is_empty() {
        let text = "must not be empty if x-kubernetes-list-type is map";
        out.push(FieldError::required(at, text));
    }
    let (items, below) = (schema.get("items"), path.child("items"));
    if items.is_null() {
        let text = "must have a schema if x-kubernetes-list-type is map";
        out.push(FieldError::required(below, text));
        return;
    }
    if items.str("type") != "object" {
        let text = "must be object if parent array's x-kubernetes-list-type is map";
        out.push(FieldError::invalid(
            below.child("type"),
            items.str("type"),
            text,
        ));
        return;
    }
    let all = schema.get("x-kubernetes-list-map-keys");
    let required = items.get("required").list();
    let properties = below.child("properties");
    for (i, key) in keys.iter().enumerate() {
        let field = items.get("properties").get(key.as_str());
        let path = properties.key(key.as_str());
        if field.is_null() {
            let text = "entries must all be names of item properties";
            out.push(FieldError::invalid(at, all, text));
            continue;
        }
        if ["array", "object"].contains(&field.str("type")) {
            let text = "must be a scalar type if parent array's x-kubernetes-list-type is map";
            out.push(FieldError::invalid(
                path.child("type"),
                items.str("type"),
                text,
            ));
        }
        if keys[..i].contains(key) {
            let text = "must not contain duplicate entries";
            out.push(FieldError::invalid(at, all, text));
        }
        if !required.contains(key) && field.get("default").is_null() {
            let text = "this property is in x-kubernetes-list-map-keys, so it must have a default \
                        or be a required property";
            out.push(FieldError::required(path.child("default"), text));
        }
        if field.bool_at("nullable") {
            let text = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable";
            out.push(FieldError::forbidden(path.child("nullable"), text));
        }
    }
}

fn rules(schema: &Value, place: Place<'_>, path: &Path<'_>, sound: bool, out: &mut Errors) {
    let path = path.child("x-kubernetes-validations");
    for (i, of) in schema
        .get("x-kubernetes-validations")
        .list()
        .iter()
        .enumerate()
    {
        let path = path.index(i);
        let rule = custom::Rule::of(of);
        let before = out.len();
        let breaks = |text: &str| text.trim().contains(['\n', '\r']);
        let (message, source) = (&rule.message, rule.rule.trim());
        if source.is_empty() {
            out.push(FieldError::required(
                path.child("rule"),
                "rule is not specified",
            ));
        } else if !message.is_empty() && message.trim().is_empty() {
            let text = "message must be non-empty if specified";
            out.push(FieldError::invalid(path.child("message"), &**message, text));
        } else if breaks(message) {
            let text = "message must not contain line breaks";
            out.push(FieldError::invalid(path.child("message"), &**message, text));
        } else if breaks(source) && message.trim().is_empty() {
            let text = "message must be specified if rule contains line breaks";
            out.push(FieldError::required(path.child("message"), text));
        }
        if !rule.message_expression.is_empty() && rule.message_expression.trim().is_empty() {
            let text = "messageExpression must be non-empty if specified";
            out.push(FieldError::required(path.child("messageExpression"), text));
        }
        if !rule.reason.is_empty() && !REASONS.contains(&&*rule.reason) {
            let at = path.child("reason");
            out.push(FieldError::not_supported(at, &*rule.reason, &REASONS));
        }
        if !rule.field_path.is_empty() && rule.field_path.trim().is_empty() {
            let text = "fieldPath must be non-empty if specified";
            out.push(FieldError::invalid(
                path.child("fieldPath"),
                &*rule.field_path,
                text,
            ));
        }
        if sound && out.len() == before {
            compiled(&rule, (schema, of), place, &path, out);
        }
    }
}

/// Rules must be expressions over the value and the one it replaces, and work with what their fields
/// are.
fn compiled(
    rule: &custom::Rule,
    (schema, of): (&Value, &Value),
    place: Place<'_>,
    path: &Path<'_>,
    out: &mut Errors,
) {
    let env = env_of(rule, schema, place.root);
    let at = path.child("rule");
    let program = match Program::compile_in(&rule.rule, &env) {
        Ok(program) => program,
        Err(errors) => {
            let text = format!("compilation failed: {errors}");
            out.push(FieldError::invalid(at, of, text));
            return;
        }
    };
    if !matches!(program.result_type(), Type::Bool | Type::Dyn) {
        let text = "cel expression must evaluate to a bool";
        out.push(FieldError::invalid(at, of, text));
        return;
    }
    let old = program.uses("oldSelf");
    if old && place.uncorrelated {
        let text = "oldSelf cannot be used on the uncorrelatable portion of the schema";
        out.push(FieldError::invalid(at, &*rule.rule, text));
    }
    if !old && rule.optional_old {
        let text = "may not be set if oldSelf is not used in rule";
        out.push(FieldError::invalid(
            path.child("optionalOldSelf"),
            true,
            text,
        ));
    }
    if rule.message_expression.is_empty() {
        return;
    }
    let text = match Program::compile_in(&rule.message_expression, &env) {
        Ok(program) if matches!(program.result_type(), Type::String | Type::Dyn) => return,
        Ok(_) => "messageExpression must evaluate to a string".to_owned(),
        Err(errors) => format!("messageExpression compilation failed: {errors}"),
    };
    out.push(FieldError::invalid(
        path.child("messageExpression"),
        of,
        text,
    ));
}

/// What a rule may use. Where nothing is known of the value, everything goes.
fn env_of(rule: &custom::Rule, schema: &Value, root: bool) -> Env {
    let Some(of) = Type::of_structural(schema, "selfType", root) else {
        return Env::untyped(&["self", "oldSelf"]);
    };
    let old = match rule.optional_old {
        true => Type::optional(of.clone()),
        false => of.clone(),
    };
    Env::new().with("self", of).with("oldSelf", old)
}
