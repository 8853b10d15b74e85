//! Operators: arithmetic with overflow errors, equality and order across types.
//!
//! Models github.com/google/cel-go common/types.

use std::cmp::Ordering;
use std::rc::Rc;

use super::ast::BinaryOp;
use super::eval::Meter;
use super::{EvalError, Val};
use crate::Value;

type Done = Result<Val, EvalError>;

fn no_overload<T>() -> Result<T, EvalError> {
    Err(EvalError::new("no such overload"))
}

/// `left op right`.
pub(super) fn binary(meter: &mut Meter, op: BinaryOp, left: &Val, right: &Val) -> Done {
    let ordered = |fits: fn(Ordering) -> bool| {
        let order = compare(left, right)?;
        Ok(Val::Bool(order.is_some_and(fits)))
    };
    match op {
        BinaryOp::Add => add(meter, left, right),
        BinaryOp::Sub => subtract(left, right),
        BinaryOp::Mul => multiply(left, right),
        BinaryOp::Div => divide(left, right),
        BinaryOp::Rem => remainder(left, right),
        BinaryOp::Eq => Ok(Val::Bool(equal(meter, left, right)?)),
        BinaryOp::Ne => Ok(Val::Bool(!equal(meter, left, right)?)),
        BinaryOp::Lt => ordered(Ordering::is_lt),
        BinaryOp::Le => ordered(Ordering::is_le),
        BinaryOp::Gt => ordered(Ordering::is_gt),
        BinaryOp::Ge => ordered(Ordering::is_ge),
        BinaryOp::In => contains(meter, left, right),
    }
}

fn int(n: Option<i64>) -> Done {
    n.map(Val::Int)
        .ok_or_else(|| EvalError::new("integer overflow"))
}

fn uint(n: Option<u64>) -> Done {
    n.map(Val::Uint)
        .ok_or_else(|| EvalError::new("unsigned integer overflow"))
}

fn duration(nanos: Option<i64>) -> Done {
    nanos
        .map(Val::Duration)
        .ok_or_else(|| EvalError::new("duration overflow"))
}

fn moved(t: &super::Timestamp, nanos: Option<i64>) -> Done {
    let moved = nanos.and_then(|nanos| t.plus(nanos));
    moved
        .map(Val::Timestamp)
        .ok_or_else(|| EvalError::new("timestamp overflow"))
}

/// `a + b`: numbers, strings, bytes, lists, times.
pub(super) fn add(meter: &mut Meter, a: &Val, b: &Val) -> Done {
    match (a, b) {
        (Val::Int(a), Val::Int(b)) => int(a.checked_add(*b)),
        (Val::Uint(a), Val::Uint(b)) => uint(a.checked_add(*b)),
        (Val::Double(a), Val::Double(b)) => Ok(Val::Double(a + b)),
        (Val::Str(a), Val::Str(b)) => {
            meter.charge((a.len() + b.len()) / 10)?;
            Ok(Val::from(format!("{a}{b}")))
        }
        (Val::Bytes(a), Val::Bytes(b)) => {
            meter.charge((a.len() + b.len()) / 10)?;
            Ok(Val::Bytes(Rc::from([&**a, &**b].concat())))
        }
        (Val::Duration(a), Val::Duration(b)) => duration(a.checked_add(*b)),
        (Val::Timestamp(t), Val::Duration(d)) | (Val::Duration(d), Val::Timestamp(t)) => {
            moved(t, Some(*d))
        }
        _ => match (a.elements(), b.elements()) {
            (Some(first), Some(rest)) => {
                let len = a.list_len().unwrap_or(0) + b.list_len().unwrap_or(0);
                meter.charge(len)?;
                Ok(Val::list(first.chain(rest).collect()))
            }
            _ => no_overload(),
        },
    }
}

fn subtract(a: &Val, b: &Val) -> Done {
    match (a, b) {
        (Val::Int(a), Val::Int(b)) => int(a.checked_sub(*b)),
        (Val::Uint(a), Val::Uint(b)) => uint(a.checked_sub(*b)),
        (Val::Double(a), Val::Double(b)) => Ok(Val::Double(a - b)),
        (Val::Duration(a), Val::Duration(b)) => duration(a.checked_sub(*b)),
        (Val::Timestamp(a), Val::Timestamp(b)) => duration(a.since(*b)),
        (Val::Timestamp(t), Val::Duration(d)) => moved(t, d.checked_neg()),
        _ => no_overload(),
    }
}

fn multiply(a: &Val, b: &Val) -> Done {
    match (a, b) {
        (Val::Int(a), Val::Int(b)) => int(a.checked_mul(*b)),
        (Val::Uint(a), Val::Uint(b)) => uint(a.checked_mul(*b)),
        (Val::Double(a), Val::Double(b)) => Ok(Val::Double(a * b)),
        _ => no_overload(),
    }
}

fn divide(a: &Val, b: &Val) -> Done {
    match (a, b) {
        (Val::Int(_), Val::Int(0)) | (Val::Uint(_), Val::Uint(0)) => {
            Err(EvalError::new("division by zero"))
        }
        (Val::Int(a), Val::Int(b)) => int(a.checked_div(*b)),
        (Val::Uint(a), Val::Uint(b)) => uint(a.checked_div(*b)),
        (Val::Double(a), Val::Double(b)) => Ok(Val::Double(a / b)),
        _ => no_overload(),
    }
}

fn remainder(a: &Val, b: &Val) -> Done {
    match (a, b) {
        (Val::Int(_), Val::Int(0)) | (Val::Uint(_), Val::Uint(0)) => {
            Err(EvalError::new("modulus by zero"))
        }
        (Val::Int(a), Val::Int(b)) => int(a.checked_rem(*b)),
        (Val::Uint(a), Val::Uint(b)) => uint(a.checked_rem(*b)),
        _ => no_overload(),
    }
}

/// `-a`.
pub(super) fn negate(a: &Val) -> Done {
    match a {
        Val::Int(n) => int(n.checked_neg()),
        Val::Double(n) => Ok(Val::Double(-n)),
        Val::Duration(nanos) => duration(nanos.checked_neg()),
        _ => no_overload(),
    }
}

/// `a in b`: an element of a list, a key of a map.
fn contains(meter: &mut Meter, a: &Val, b: &Val) -> Done {
    if let Some(found) = b.lookup(a) {
        return Ok(Val::Bool(found.is_some()));
    }
    let Some(elements) = b.elements() else {
        return no_overload();
    };
    for element in elements {
        if equal(meter, a, &element)? {
            return Ok(Val::Bool(true));
        }
    }
    Ok(Val::Bool(false))
}

/// Whether both are numbers, and then how they stand to each other; none if one is not a number.
fn numbers(a: &Val, b: &Val) -> Option<Option<Ordering>> {
    let exact = |v: &Val| match v {
        Val::Int(n) => Some(i128::from(*n)),
        Val::Uint(n) => Some(i128::from(*n)),
        _ => None,
    };
    let float = |v: &Val| match v {
        Val::Int(n) => Some(*n as f64),
        Val::Uint(n) => Some(*n as f64),
        Val::Double(n) => Some(*n),
        _ => None,
    };
    match (exact(a), exact(b)) {
        (Some(a), Some(b)) => Some(Some(a.cmp(&b))),
        _ => Some(float(a)?.partial_cmp(&float(b)?)),
    }
}

/// Whether `a == b`. Values of different types are not equal, except numbers that are.
pub(super) fn equal(meter: &mut Meter, a: &Val, b: &Val) -> Result<bool, EvalError> {
    meter.charge(1)?;
    if let Some(order) = numbers(a, b) {
        return Ok(order == Some(Ordering::Equal));
    }
    let same = match (a, b) {
        (Val::Null, Val::Null) => true,
        (Val::Bool(a), Val::Bool(b)) => a == b,
        (Val::Str(a), Val::Str(b)) => {
            meter.charge(a.len().min(b.len()) / 10)?;
            a == b
        }
        (Val::Bytes(a), Val::Bytes(b)) => a == b,
        (Val::Timestamp(a), Val::Timestamp(b)) => a == b,
        (Val::Duration(a), Val::Duration(b)) => a == b,
        (Val::Type(a), Val::Type(b)) => a == b,
        (Val::Quantity(a), Val::Quantity(b)) => a == b,
        (Val::Opaque(a), Val::Opaque(b)) => a == b,
        (Val::Optional(a), Val::Optional(b)) => match (a, b) {
            (Some(a), Some(b)) => return equal(meter, a, b),
            (a, b) => a.is_none() && b.is_none(),
        },
        (Val::Tree(Value::List(a)), Val::Tree(Value::List(b))) if Rc::ptr_eq(a, b) => true,
        (Val::Tree(Value::Map(a)), Val::Tree(Value::Map(b))) if a.ptr_eq(b) => true,
        _ => return deep_equal(meter, a, b),
    };
    Ok(same)
}

fn deep_equal(meter: &mut Meter, a: &Val, b: &Val) -> Result<bool, EvalError> {
    if let (Some(x), Some(y)) = (a.elements(), b.elements()) {
        if a.list_len() != b.list_len() {
            return Ok(false);
        }
        for (x, y) in x.zip(y) {
            if !equal(meter, &x, &y)? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    if a.map_len().is_none() || a.map_len() != b.map_len() {
        return Ok(false);
    }
    for (key, value) in a.entries().unwrap_or_default() {
        match b.lookup(&key).flatten() {
            Some(other) if equal(meter, &value, &other)? => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// How `a` stands to `b`; nothing for a double that is no number, an error where there is no order.
pub(super) fn compare(a: &Val, b: &Val) -> Result<Option<Ordering>, EvalError> {
    if let Some(order) = numbers(a, b) {
        return Ok(order);
    }
    match (a, b) {
        (Val::Bool(a), Val::Bool(b)) => Ok(Some(a.cmp(b))),
        (Val::Str(a), Val::Str(b)) => Ok(Some(a.cmp(b))),
        (Val::Bytes(a), Val::Bytes(b)) => Ok(Some(a.cmp(b))),
        (Val::Timestamp(a), Val::Timestamp(b)) => Ok(Some(a.cmp(b))),
        (Val::Duration(a), Val::Duration(b)) => Ok(Some(a.cmp(b))),
        _ => no_overload(),
    }
}
