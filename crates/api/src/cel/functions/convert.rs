//! Conversions between types, `size` and `type`.

use std::rc::Rc;

use super::{Function, function, method, no_overload};
use crate::cel::eval::Meter;
use crate::cel::time::{Timestamp, parse_duration, seconds_text};
use crate::cel::{EvalError, Val};

pub(super) const FUNCTIONS: &[Function] = &[
    function("size", 1, size),
    method("size", 0, 0, size),
    function("type", 1, |_, args| Ok(Val::Type(args[0].type_name()))),
    function("dyn", 1, |_, args| Ok(args[0].clone())),
    function("bool", 1, to_bool),
    function("int", 1, to_int),
    function("uint", 1, to_uint),
    function("double", 1, to_double),
    function("string", 1, to_string),
    function("bytes", 1, to_bytes),
    function("timestamp", 1, to_timestamp),
    function("duration", 1, to_duration),
];

type Done = Result<Val, EvalError>;

fn size(meter: &mut Meter, args: &[Val]) -> Done {
    let len = match &args[0] {
        Val::Str(text) => {
            meter.charge_text(text)?;
            text.chars().count()
        }
        Val::Bytes(bytes) => bytes.len(),
        other => match other.list_len().or_else(|| other.map_len()) {
            Some(len) => len,
            None => return no_overload(),
        },
    };
    Ok(Val::Int(i64::try_from(len).unwrap_or(i64::MAX)))
}

fn to_bool(_: &mut Meter, args: &[Val]) -> Done {
    match &args[0] {
        Val::Bool(b) => Ok(Val::Bool(*b)),
        Val::Str(text) => match &**text {
            "true" | "True" | "TRUE" | "t" | "1" => Ok(Val::Bool(true)),
            "false" | "False" | "FALSE" | "f" | "0" => Ok(Val::Bool(false)),
            _ => Err(parse_error("ParseBool", text, "invalid syntax")),
        },
        _ => no_overload(),
    }
}

fn parse_error(function: &str, text: &str, why: &str) -> EvalError {
    EvalError::new(format!("strconv.{function}: parsing {text:?}: {why}"))
}

fn integer_error(function: &str, text: &str) -> EvalError {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let why = if number {
        "value out of range"
    } else {
        "invalid syntax"
    };
    parse_error(function, text, why)
}

fn to_int(_: &mut Meter, args: &[Val]) -> Done {
    let overflow = || EvalError::new("integer overflow");
    match &args[0] {
        Val::Int(n) => Ok(Val::Int(*n)),
        Val::Uint(n) => i64::try_from(*n).map(Val::Int).map_err(|_| overflow()),
        // The ends are left out, for a double near them may stand for a number beyond.
        Val::Double(n) if *n > i64::MIN as f64 && *n < i64::MAX as f64 => Ok(Val::Int(*n as i64)),
        Val::Double(_) => Err(overflow()),
        Val::Str(text) => text
            .parse()
            .map(Val::Int)
            .map_err(|_| integer_error("ParseInt", text)),
        Val::Timestamp(t) => Ok(Val::Int(t.secs)),
        Val::Duration(nanos) => Ok(Val::Int(*nanos)),
        _ => no_overload(),
    }
}

fn to_uint(_: &mut Meter, args: &[Val]) -> Done {
    let overflow = || EvalError::new("unsigned integer overflow");
    match &args[0] {
        Val::Uint(n) => Ok(Val::Uint(*n)),
        Val::Int(n) => u64::try_from(*n).map(Val::Uint).map_err(|_| overflow()),
        Val::Double(n) if *n >= 0.0 && *n < u64::MAX as f64 => Ok(Val::Uint(*n as u64)),
        Val::Double(_) => Err(overflow()),
        Val::Str(text) => text
            .parse()
            .map(Val::Uint)
            .map_err(|_| integer_error("ParseUint", text)),
        _ => no_overload(),
    }
}

fn to_double(_: &mut Meter, args: &[Val]) -> Done {
    match &args[0] {
        Val::Double(n) => Ok(Val::Double(*n)),
        Val::Int(n) => Ok(Val::Double(*n as f64)),
        Val::Uint(n) => Ok(Val::Double(*n as f64)),
        Val::Str(text) => text
            .parse()
            .map(Val::Double)
            .map_err(|_| parse_error("ParseFloat", text, "invalid syntax")),
        _ => no_overload(),
    }
}

fn to_string(meter: &mut Meter, args: &[Val]) -> Done {
    let text = match &args[0] {
        Val::Str(text) => return Ok(Val::Str(text.clone())),
        Val::Bool(b) => b.to_string(),
        Val::Int(n) => n.to_string(),
        Val::Uint(n) => n.to_string(),
        Val::Double(n) => n.to_string(),
        Val::Bytes(bytes) => {
            meter.charge(bytes.len() / 10)?;
            let text = std::str::from_utf8(bytes);
            let error = "invalid UTF-8 in bytes, cannot convert to string";
            text.map_err(|_| EvalError::new(error))?.to_owned()
        }
        Val::Timestamp(t) => t.to_string(),
        Val::Duration(nanos) => seconds_text(*nanos),
        Val::Type(name) => (*name).to_owned(),
        Val::Quantity(quantity) => quantity.to_string(),
        Val::Opaque(of) => of.to_string(),
        _ => return no_overload(),
    };
    Ok(Val::from(text))
}

fn to_bytes(meter: &mut Meter, args: &[Val]) -> Done {
    match &args[0] {
        Val::Bytes(bytes) => Ok(Val::Bytes(bytes.clone())),
        Val::Str(text) => {
            meter.charge_text(text)?;
            Ok(Val::Bytes(Rc::from(text.as_bytes())))
        }
        _ => no_overload(),
    }
}

fn to_timestamp(_: &mut Meter, args: &[Val]) -> Done {
    match &args[0] {
        Val::Timestamp(t) => Ok(Val::Timestamp(*t)),
        Val::Int(secs) => match Timestamp::at(*secs, 0) {
            Some(t) => Ok(Val::Timestamp(t)),
            None => Err(EvalError::new("timestamp overflow")),
        },
        Val::Str(text) => match Timestamp::parse(text) {
            Some(t) => Ok(Val::Timestamp(t)),
            None => {
                let text = format!("parsing time {:?}: not in the form of RFC 3339", &**text);
                Err(EvalError::new(text))
            }
        },
        _ => no_overload(),
    }
}

fn to_duration(_: &mut Meter, args: &[Val]) -> Done {
    match &args[0] {
        Val::Duration(nanos) => Ok(Val::Duration(*nanos)),
        Val::Int(nanos) => Ok(Val::Duration(*nanos)),
        Val::Str(text) => match parse_duration(text) {
            Some(nanos) => Ok(Val::Duration(nanos)),
            None => {
                let text = format!("time: invalid duration {:?}", &**text);
                Err(EvalError::new(text))
            }
        },
        _ => no_overload(),
    }
}
