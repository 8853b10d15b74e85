//! Phrases of validation that many kinds use.
//!
//! Models pkg/apis/core/validation/validation.go.

use std::fmt::Display;

use crate::Value;
use crate::field::{FieldError, Path};
use crate::names::{self, Messages};

pub(super) type Errors = Vec<FieldError>;

/// Reports every message as an invalid value.
pub(super) fn invalid(
    messages: Messages,
    path: impl Display + Copy,
    value: impl Into<Value> + Clone,
    out: &mut Errors,
) {
    out.extend(
        messages
            .into_iter()
            .map(|text| FieldError::invalid(path, value.clone(), text)),
    );
}

/// A number that, if given, must not be below zero.
pub(super) fn non_negative(of: &Value, key: &str, path: &Path<'_>, out: &mut Errors) {
    if let Some(number) = of.get(key).as_i64().filter(|n| *n < 0) {
        let text = "must be greater than or equal to 0";
        out.push(FieldError::invalid(path.child(key), number, text));
    }
}

/// Numbers of a status: none is below zero, and of each pair the first is not above the second, which
/// is named as the third says.
pub(super) fn counts(
    status: &Value,
    keys: &[&str],
    pairs: &[(&str, &str, &str)],
    out: &mut Errors,
) {
    let path = Path::new("status");
    for key in keys {
        non_negative(status, key, &path, out);
    }
    let number = |key: &str| status.get(key).as_i64().unwrap_or(0);
    for (key, of, says) in pairs {
        if number(key) > number(of) {
            let text = format!("cannot be greater than {says}");
            out.push(FieldError::invalid(path.child(key), number(key), text));
        }
    }
}

/// A word that must be one of `known`, which is in upstream's order. Says "Required value" where it
/// is missing.
pub(super) fn one_of(of: &Value, key: &str, known: &[&str], path: &Path<'_>, out: &mut Errors) {
    match of.str(key) {
        "" => out.push(FieldError::required(path.child(key), "")),
        word if known.contains(&word) => {}
        word => out.push(FieldError::not_supported(path.child(key), word, known)),
    }
}

/// The same for a word that may be left out.
pub(super) fn one_of_if_set(
    of: &Value,
    key: &str,
    known: &[&str],
    path: &Path<'_>,
    out: &mut Errors,
) {
    if !of.str(key).is_empty() {
        one_of(of, key, known, path, out);
    }
}

/// A word that must be one of `known`; one that is missing is as wrong as another.
pub(super) fn known_word(of: &Value, key: &str, known: &[&str], path: &Path<'_>, out: &mut Errors) {
    let word = of.str(key);
    if !known.contains(&word) {
        out.push(FieldError::not_supported(path.child(key), word, known));
    }
}

/// A port given as a number or as a name.
pub(super) fn port(of: &Value, key: &str, path: &Path<'_>, out: &mut Errors) {
    let path = path.child(key);
    match of.get(key) {
        Value::Str(name) => invalid(names::port_name(name), path, name, out),
        other => {
            let number = other.as_i64().unwrap_or(0);
            invalid(names::port_number(number), path, number, out);
        }
    }
}

/// A string that must be there and fit a rule.
pub(super) fn named(
    of: &Value,
    key: &str,
    rule: fn(&str) -> Messages,
    path: &Path<'_>,
    out: &mut Errors,
) {
    match of.str(key) {
        "" => out.push(FieldError::required(path.child(key), "")),
        name => invalid(rule(name), path.child(key), name, out),
    }
}

/// A string that, if given, must fit a rule.
pub(super) fn named_if_set(
    of: &Value,
    key: &str,
    rule: fn(&str) -> Messages,
    path: &Path<'_>,
    out: &mut Errors,
) {
    if !of.str(key).is_empty() {
        named(of, key, rule, path, out);
    }
}

/// A field that may not change.
pub(super) fn immutable(new: &Value, old: &Value, path: impl Display, out: &mut Errors) {
    if !same(new, old) {
        out.push(FieldError::invalid(path, new, "field is immutable"));
    }
}

/// Whether both are equal, nothing and an empty value being one.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    a.same(b) || (a.is_zero() && b.is_zero())
}
