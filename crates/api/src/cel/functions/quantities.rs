//! Kubernetes quantities: `quantity('1Gi')` and what can be asked of one.
//!
//! Models k8s.io/apiserver/pkg/cel/library/quantity.go.

use std::cmp::Ordering;
use std::rc::Rc;

use super::{Function, function, method, no_overload};
use crate::cel::{EvalError, Val};
use crate::quantity::{Format, Quantity};

pub(super) const FUNCTIONS: &[Function] = &[
    function("quantity", 1, |_, args| match &args[0] {
        Val::Str(text) => match Quantity::parse(text) {
            Ok(quantity) => Ok(Val::Quantity(Rc::new(quantity))),
            Err(error) => Err(EvalError::new(error.to_string())),
        },
        _ => no_overload(),
    }),
    function("isQuantity", 1, |_, args| match &args[0] {
        Val::Str(text) => Ok(Val::Bool(Quantity::parse(text).is_ok())),
        _ => no_overload(),
    }),
    method("sign", 0, 0, |_, args| {
        Ok(Val::Int(own(args)?.sign().into()))
    }),
    method("isInteger", 0, 0, |_, args| {
        Ok(Val::Bool(integer(own(args)?).is_some()))
    }),
    method("asInteger", 0, 0, |_, args| match integer(own(args)?) {
        Some(n) => Ok(Val::Int(n)),
        None => Err(EvalError::new("cannot convert value to integer")),
    }),
    method("asApproximateFloat", 0, 0, |_, args| {
        Ok(Val::Double(own(args)?.as_f64()))
    }),
    method("add", 1, 1, |_, args| joined(args, |a, b| a + b)),
    method("sub", 1, 1, |_, args| joined(args, |a, b| a - b)),
];

fn own(args: &[Val]) -> Result<&Quantity, EvalError> {
    match &args[0] {
        Val::Quantity(quantity) => Ok(quantity),
        _ => no_overload(),
    }
}

fn integer(quantity: &Quantity) -> Option<i64> {
    let whole = quantity.value();
    (Quantity::new(whole, Format::DecimalSi) == *quantity).then_some(whole)
}

fn joined(args: &[Val], join: fn(Quantity, Quantity) -> Quantity) -> Result<Val, EvalError> {
    let other = match &args[1] {
        Val::Quantity(quantity) => **quantity,
        Val::Int(n) => Quantity::new(*n, Format::DecimalSi),
        _ => return no_overload(),
    };
    Ok(Val::Quantity(Rc::new(join(*own(args)?, other))))
}

/// How two quantities stand to each other.
pub(super) fn compared(args: &[Val]) -> Result<Ordering, EvalError> {
    match &args[1] {
        Val::Quantity(other) => Ok(own(args)?.cmp(other)),
        _ => no_overload(),
    }
}
