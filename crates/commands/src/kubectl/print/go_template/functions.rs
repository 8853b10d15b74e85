//! The functions templates may call.
//!
//! Models text/template/funcs.go and the two that printers/template.go adds.

use std::cmp::Ordering;

use api::{Value, base64};

use super::eval::truth;
use super::printf::{plain, sprint, sprintf, type_name};

/// Calls a function; a failure is what follows `at <…>: `.
pub(super) fn call(name: &str, values: &[Value]) -> Result<Value, String> {
    count(name, values.len())?;
    let calling = |why: String| format!("error calling {name}: {why}");
    Ok(match name {
        "and" | "or" => values.last().cloned().unwrap_or_default(),
        "not" => (!truth(&values[0])).into(),
        "len" => length(&values[0]).map_err(calling)?,
        "index" => index(values).map_err(calling)?,
        "slice" => slice(values).map_err(calling)?,
        "print" => sprint(values).into(),
        "println" => {
            let words: Vec<String> = values.iter().map(plain).collect();
            format!("{}\n", words.join(" ")).into()
        }
        "printf" => match &values[0] {
            Value::Str(format) => sprintf(format, &values[1..]).into(),
            other => {
                return Err(format!("expected string; found {}", plain(other)));
            }
        },
        "html" => escaped(&sprint(values)).into(),
        "js" => sprint(values)
            .replace('\\', "\\\\")
            .replace('\'', "\\'")
            .replace('"', "\\\"")
            .replace('<', "\\u003C")
            .replace('>', "\\u003E")
            .replace('&', "\\u0026")
            .replace('=', "\\u003D")
            .into(),
        "urlquery" => net::http::percent_encode(&sprint(values))
            .replace("%20", "+")
            .into(),
        "eq" => equal(values).map_err(calling)?.into(),
        "ne" => (!equal(values).map_err(calling)?).into(),
        "lt" | "le" | "gt" | "ge" => {
            let order = order(&values[0], &values[1]).map_err(calling)?;
            match name {
                "lt" => order == Ordering::Less,
                "le" => order != Ordering::Greater,
                "gt" => order == Ordering::Greater,
                _ => order != Ordering::Less,
            }
            .into()
        }
        "exists" => exists(values).into(),
        "base64decode" => {
            let bytes = base64::decode(values[0].as_str())
                .map_err(|at| {
                    format!("base64 decode failed: illegal base64 data at input byte {at}")
                })
                .map_err(calling)?;
            String::from_utf8_lossy(&bytes).into_owned().into()
        }
        other => return Err(format!("{other:?} is not a defined function")),
    })
}

/// Whether a function takes so many arguments.
fn count(name: &str, given: usize) -> Result<(), String> {
    let least = match name {
        "print" | "println" | "html" | "js" | "urlquery" => 0,
        "lt" | "le" | "gt" | "ge" => 2,
        _ => 1,
    };
    if given < least {
        return Err(format!(
            "wrong number of args for {name}: want at least {least} got {given}"
        ));
    }
    let most = match name {
        "len" | "not" | "base64decode" => 1,
        "ne" | "lt" | "le" | "gt" | "ge" => 2,
        _ => usize::MAX,
    };
    if given > most {
        return Err(format!(
            "wrong number of args for {name}: want {most} got {given}"
        ));
    }
    Ok(())
}

fn length(value: &Value) -> Result<Value, String> {
    let n = match value {
        Value::Str(text) => text.len(),
        Value::List(items) => items.len(),
        Value::Map(map) => map.len(),
        Value::Null => return Err("len of nil pointer".to_owned()),
        other => return Err(format!("len of type {}", type_name(other))),
    };
    Ok(Value::from(n as i64))
}

fn index(values: &[Value]) -> Result<Value, String> {
    let mut value = values[0].clone();
    for key in &values[1..] {
        value = match (&value, key) {
            (Value::Map(map), Value::Str(key)) => map.get(key).cloned().unwrap_or_default(),
            (Value::List(items), Value::Int(n)) => usize::try_from(*n)
                .ok()
                .and_then(|n| items.get(n))
                .cloned()
                .ok_or_else(|| format!("index out of range: {n}"))?,
            (Value::Null, _) => return Err("index of untyped nil".to_owned()),
            (Value::List(_), key) => {
                return Err(format!(
                    "cannot index slice/array with type {}",
                    type_name(key)
                ));
            }
            (Value::Map(_), key) => {
                return Err(format!(
                    "value has type {}; should be string",
                    type_name(key)
                ));
            }
            (other, _) => return Err(format!("can't index item of type {}", type_name(other))),
        };
    }
    Ok(value)
}

fn slice(values: &[Value]) -> Result<Value, String> {
    let length = match &values[0] {
        Value::Str(text) => text.len(),
        Value::List(items) => items.len(),
        other => return Err(format!("can't slice item of type {}", type_name(other))),
    };
    let bound = |at: usize, default: usize| match values.get(at) {
        None => Ok(default),
        Some(Value::Int(n)) => usize::try_from(*n)
            .ok()
            .filter(|n| *n <= length)
            .ok_or_else(|| format!("index out of range: {n}")),
        Some(other) => Err(format!(
            "cannot index slice/array with type {}",
            type_name(other)
        )),
    };
    let (from, to) = (bound(1, 0)?, bound(2, length)?);
    if from > to {
        return Err(format!("invalid slice index: {from} > {to}"));
    }
    Ok(match &values[0] {
        Value::List(items) => Value::list_of(items[from..to].to_vec()),
        text => Value::from(text.as_str().get(from..to).unwrap_or_default()),
    })
}

fn equal(values: &[Value]) -> Result<bool, String> {
    if values.len() < 2 {
        return Err("missing argument for comparison".to_owned());
    }
    let first = &values[0];
    for other in &values[1..] {
        if first.is_null() || other.is_null() {
            if first.is_null() && other.is_null() {
                return Ok(true);
            }
            continue;
        }
        if first.is_map() || first.is_list() || other.is_map() || other.is_list() {
            return Err(format!(
                "non-comparable type {}: {}",
                plain(first),
                type_name(first)
            ));
        }
        if type_name(first) != type_name(other) {
            return Err(incompatible(first, other));
        }
        if first.same(other) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn order(a: &Value, b: &Value) -> Result<Ordering, String> {
    match (a, b) {
        (Value::Str(a), Value::Str(b)) => Ok(a.cmp(b)),
        (Value::Int(a), Value::Int(b)) => Ok(a.cmp(b)),
        (Value::Float(a), Value::Float(b)) => Ok(a.cmp(b)),
        (Value::Bool(_) | Value::Map(_) | Value::List(_) | Value::Null, _) => {
            Err("invalid type for comparison".to_owned())
        }
        _ => Err(incompatible(a, b)),
    }
}

fn incompatible(a: &Value, b: &Value) -> String {
    let (a, b) = (type_name(a), type_name(b));
    format!("incompatible types for comparison: {a} and {b}")
}

/// kubectl's own: whether the path of keys and indexes leads anywhere.
fn exists(values: &[Value]) -> bool {
    let mut value = values[0].clone();
    for key in &values[1..] {
        let next = match (&value, key) {
            (Value::Map(map), Value::Str(key)) => map.get(key).cloned(),
            (Value::List(items), Value::Int(n)) => {
                usize::try_from(*n).ok().and_then(|n| items.get(n)).cloned()
            }
            _ => None,
        };
        match next {
            Some(next) => value = next,
            None => return false,
        }
    }
    true
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('\'', "&#39;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&#34;")
}
