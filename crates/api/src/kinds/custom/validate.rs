//! Checks a value against its schema, in the words of the validator that upstream uses. Where a value
//! takes the place of another, what did not change is not judged again.
//!
//! Models kube-openapi/pkg/validation/validate and apiextensions-apiserver/pkg/apiserver/validation.

mod format;

use super::schema::{Range, Schema, child};
use crate::field::{ErrorKind, FieldError};
use crate::kinds::meta;
use crate::{Value, go};

/// Checks an object.
pub(super) fn check(
    object: &Value,
    old: Option<&Value>,
    schema: &Schema,
    out: &mut Vec<FieldError>,
) {
    value(object, old, schema, "", out);
}

/// Whether rules cannot be checked for this error: the value may not be what they expect.
pub(super) fn is_blocking(error: &FieldError) -> bool {
    matches!(
        error.kind,
        ErrorKind::NotSupported
            | ErrorKind::Required
            | ErrorKind::TooLong
            | ErrorKind::TooMany
            | ErrorKind::TypeInvalid
    )
}

/// Says that rules were not checked.
pub(super) fn rules_not_checked() -> FieldError {
    let text = "some validation rules were not checked because the object was invalid; correct the \
                existing errors to complete validation";
    FieldError::invalid("<nil>", Value::Null, text)
}

/// Checks a value at a path.
pub(super) fn value(
    of: &Value,
    old: Option<&Value>,
    schema: &Schema,
    path: &str,
    out: &mut Vec<FieldError>,
) {
    if old.is_some_and(|old| old.same(of)) {
        return;
    }
    if !of_type(of, schema, path, out) || of.is_null() {
        return;
    }
    combinations(of, schema, path, out);
    match of {
        Value::Str(text) => string(text, schema, path, out),
        Value::Int(number) => self::number(*number as f64, of, schema, path, out),
        Value::Float(number) => self::number(number.get(), of, schema, path, out),
        _ => {}
    }
    if let Value::List(items) = of {
        list(items, old, schema, path, out);
    }
    if !schema.enumeration.is_empty() && !schema.enumeration.contains(&of.to_json()) {
        let known: Vec<String> = schema.enumeration.iter().map(|text| plain(text)).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        out.push(FieldError::not_supported(path, of, &known));
    }
    if of.is_map() {
        map(of, old, schema, path, out);
    }
}

/// A value of an enumeration as it is listed: strings without their quotes.
fn plain(json: &str) -> String {
    match Value::from_json(json.as_bytes()) {
        Ok(Value::Str(text)) => text.to_string(),
        _ => json.to_owned(),
    }
}

/// `object`, `array`, `string`, `boolean`, `integer`, `number`, `null`.
fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Int(_) => "integer",
        Value::Float(_) => "number",
        Value::Str(_) => "string",
        Value::List(_) => "array",
        Value::Map(_) => "object",
    }
}

/// Checks the type; says whether the rest is worth a look.
fn of_type(of: &Value, schema: &Schema, path: &str, out: &mut Vec<FieldError>) -> bool {
    let wanted = if schema.int_or_string && schema.ty.is_empty() {
        "integer,string"
    } else {
        &schema.ty
    };
    let found = type_of(of);
    let fits = match (wanted, of) {
        ("", _) => true,
        (_, Value::Null) => schema.nullable,
        ("number", Value::Int(_)) => true,
        ("integer" | "integer,string", Value::Float(number)) => is_whole(number.get()),
        (wanted, _) => wanted.split(',').any(|wanted| wanted == found),
    };
    if !fits {
        let text = format!(
            "{path} in body must be of type {wanted}: {}",
            go::quote(found)
        );
        out.push(FieldError::type_invalid(path, found, text));
    }
    fits
}

fn is_whole(number: f64) -> bool {
    number.abs() < 9e15 && (number as i64) as f64 == number
}

fn string(text: &str, schema: &Schema, path: &str, out: &mut Vec<FieldError>) {
    let count = text.chars().count() as i64;
    if let Some(most) = schema.length.most.filter(|most| count > *most) {
        out.push(FieldError::too_long(path, most as usize));
    }
    if let Some(least) = schema.length.least.filter(|least| count < *least) {
        let why = format!("{path} in body should be at least {least} chars long");
        out.push(FieldError::invalid(path, text, why));
    }
    if !schema.pattern.is_empty() {
        let fits = regex_lite::Regex::new(&schema.pattern).is_ok_and(|re| re.is_match(text));
        if !fits {
            let why = format!("{path} in body should match '{}'", schema.pattern);
            out.push(FieldError::invalid(path, text, why));
        }
    }
    if !format::fits(&schema.format, text) {
        let format = &schema.format;
        let why = format!(
            "{path} in body must be of type {format}: {}",
            go::quote(text)
        );
        out.push(FieldError::type_invalid(path, text, why));
    }
}

fn number(number: f64, of: &Value, schema: &Schema, path: &str, out: &mut Vec<FieldError>) {
    if let Some(factor) = schema.multiple_of.filter(|factor| *factor > 0.0)
        && !is_whole(number / factor)
    {
        let factor = go::float(factor);
        let why = format!("{path} in body should be a multiple of {factor}");
        out.push(FieldError::invalid(path, of, why));
    }
    let says = |less: bool, exclusive: bool| match (less, exclusive) {
        (true, true) => "less than",
        (true, false) => "less than or equal to",
        (false, true) => "greater than",
        (false, false) => "greater than or equal to",
    };
    let bounds = [(&schema.maximum, true), (&schema.minimum, false)];
    for (bound, less) in bounds {
        let Some(bound) = bound else { continue };
        let beyond = if less {
            number > bound.value
        } else {
            number < bound.value
        };
        if beyond || (bound.exclusive && number == bound.value) {
            let says = says(less, bound.exclusive);
            let why = format!("{path} in body should be {says} {}", go::float(bound.value));
            out.push(FieldError::invalid(path, of, why));
        }
    }
}

fn list(
    items: &[Value],
    old: Option<&Value>,
    schema: &Schema,
    path: &str,
    out: &mut Vec<FieldError>,
) {
    if let Some(item) = schema.items.as_deref() {
        for (i, of) in items.iter().enumerate() {
            let old = old.and_then(|old| counterpart(of, old, schema));
            value(of, old, item, &format!("{path}[{i}]"), out);
        }
    }
    let what = |least| format!("{path} in body should have at least {least} items");
    counted(items.len(), schema.item_count, path, what, out);
}

/// Checks how many there are.
fn counted(
    count: usize,
    range: Range,
    path: &str,
    what: impl Fn(i64) -> String,
    out: &mut Vec<FieldError>,
) {
    if let Some(least) = range.least.filter(|least| (count as i64) < *least) {
        out.push(FieldError::invalid(path, count as i64, what(least)));
    }
    if let Some(most) = range.most.filter(|most| count as i64 > *most) {
        out.push(FieldError::too_many(path, count, most as usize));
    }
}

/// The item that an item takes the place of: the one with its keys.
pub(super) fn counterpart<'a>(item: &Value, old: &'a Value, schema: &Schema) -> Option<&'a Value> {
    if schema.list_type != "map" {
        // Nothing tells items apart but themselves.
        return old.list().iter().find(|other| other.same(item));
    }
    let same = |other: &&Value| {
        let mut keys = schema.list_map_keys.iter();
        keys.all(|key| other.get(key).same(item.get(key)))
    };
    old.list().iter().find(same)
}

fn map(of: &Value, old: Option<&Value>, schema: &Schema, path: &str, out: &mut Vec<FieldError>) {
    let entries = of.entries();
    let what = |least| format!("{path} in body should have at least {least} properties");
    counted(entries.len(), schema.property_count, path, what, out);
    let was = |name: &str| old.filter(|old| old.entries().contains_key(name));
    for (name, field) in entries {
        let below = child(path, name);
        let old = was(name).map(|old| old.get(name));
        if let Some(schema) = schema.field(name) {
            value(field, old, schema, &below, out);
        }
    }
    for name in &schema.required {
        if !entries.contains_key(name) {
            out.push(FieldError::required(child(path, name), ""));
        }
    }
}

/// Checks `anyOf`, `oneOf`, `allOf` and `not`.
fn combinations(of: &Value, schema: &Schema, path: &str, out: &mut Vec<FieldError>) {
    let errors = |schema: &Schema| {
        let mut errors = Vec::new();
        value(of, None, schema, path, &mut errors);
        errors
    };
    let quoted = go::quote(path);
    let mut fail = |text: String| out.push(FieldError::invalid("<nil>", "", text));
    let mut more = Vec::new();
    if !schema.any_of.is_empty() {
        let all: Vec<Vec<FieldError>> = schema.any_of.iter().map(errors).collect();
        if all.iter().all(|errors| !errors.is_empty()) {
            fail(format!(
                "{quoted} must validate at least one schema (anyOf)"
            ));
            more.extend(all.into_iter().next().unwrap_or_default());
        }
    }
    if !schema.one_of.is_empty() {
        let all: Vec<Vec<FieldError>> = schema.one_of.iter().map(errors).collect();
        let valid = all.iter().filter(|errors| errors.is_empty()).count();
        let says = match valid {
            1 => None,
            0 => Some("Found none valid".to_owned()),
            valid => Some(format!("Found {valid} valid alternatives")),
        };
        if let Some(says) = says {
            fail(format!(
                "{quoted} must validate one and only one schema (oneOf). {says}"
            ));
            if valid == 0 {
                more.extend(all.into_iter().next().unwrap_or_default());
            }
        }
    }
    if !schema.all_of.is_empty() {
        let all: Vec<Vec<FieldError>> = schema.all_of.iter().map(errors).collect();
        let valid = all.iter().filter(|errors| errors.is_empty()).count();
        if valid < all.len() {
            let none = if valid == 0 { ". None validated" } else { "" };
            fail(format!(
                "{quoted} must validate all the schemas (allOf){none}"
            ));
            more.extend(all.into_iter().flatten());
        }
    }
    if let Some(not) = schema.not.as_deref()
        && errors(not).is_empty()
    {
        fail(format!("{quoted} must not validate the schema (not)"));
    }
    out.extend(more);
}

/// Objects within the object have a kind, a version and metadata that are in order.
pub(super) fn embedded(object: &Value, schema: &Schema, out: &mut Vec<FieldError>) {
    embedded_below(object, schema, "", out);
}

fn embedded_below(of: &Value, schema: &Schema, path: &str, out: &mut Vec<FieldError>) {
    match of {
        Value::Map(map) => {
            if schema.embedded {
                embedded_object(of, path, out);
            }
            for (name, field) in map {
                if let Some(schema) = schema.field(name) {
                    embedded_below(field, schema, &child(path, name), out);
                }
            }
        }
        Value::List(list) => {
            if let Some(items) = schema.items.as_deref() {
                for (i, item) in list.iter().enumerate() {
                    embedded_below(item, items, &format!("{path}[{i}]"), out);
                }
            }
        }
        _ => {}
    }
}

fn embedded_object(of: &Value, path: &str, out: &mut Vec<FieldError>) {
    for (key, text) in [("apiVersion", of.api_version()), ("kind", of.kind())] {
        if text.is_empty() {
            out.push(FieldError::required(child(path, key), "must not be empty"));
        }
    }
    if of.metadata().is_map() {
        let at = child(path, "metadata");
        let mut errors = Vec::new();
        meta::common(of, &mut errors);
        out.extend(errors.into_iter().map(|error| {
            let rest = error.field.strip_prefix("metadata").unwrap_or_default();
            let field = format!("{at}{rest}");
            FieldError { field, ..error }
        }));
    }
}
