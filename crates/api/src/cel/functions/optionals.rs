//! Optional values: `optional.of`, `orValue` and their kin.
//!
//! Models github.com/google/cel-go common/types/optional.go.

use super::{Function, function, method, no_overload};
use crate::cel::eval::Meter;
use crate::cel::{EvalError, Val};

pub(super) const FUNCTIONS: &[Function] = &[
    function("optional.none", 0, |_, _| Ok(Val::Optional(None))),
    function("optional.of", 1, |_, args| Ok(Val::some(args[0].clone()))),
    function("optional.ofNonZeroValue", 1, |_, args| {
        Ok(match args[0].is_zero() {
            true => Val::Optional(None),
            false => Val::some(args[0].clone()),
        })
    }),
    method("hasValue", 0, 0, |_, args| match &args[0] {
        Val::Optional(of) => Ok(Val::Bool(of.is_some())),
        _ => no_overload(),
    }),
    method("value", 0, 0, value),
    method("or", 1, 1, |_, args| match &args[0] {
        Val::Optional(Some(_)) => Ok(args[0].clone()),
        Val::Optional(None) => Ok(args[1].clone()),
        _ => no_overload(),
    }),
    method("orValue", 1, 1, |_, args| match &args[0] {
        Val::Optional(Some(of)) => Ok((**of).clone()),
        Val::Optional(None) => Ok(args[1].clone()),
        _ => no_overload(),
    }),
];

fn value(_: &mut Meter, args: &[Val]) -> Result<Val, EvalError> {
    match &args[0] {
        Val::Optional(Some(of)) => Ok((**of).clone()),
        Val::Optional(None) => Err(EvalError::new("optional.none() dereference")),
        _ => no_overload(),
    }
}
