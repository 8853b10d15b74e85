//! The parts of timestamps and durations.

use super::{Function, method, no_overload};
use crate::cel::eval::Meter;
use crate::cel::time::duration_part;
use crate::cel::{EvalError, Val};

pub(super) const FUNCTIONS: &[Function] = &[
    method("getFullYear", 0, 1, |m, args| part(m, args, "getFullYear")),
    method("getMonth", 0, 1, |m, args| part(m, args, "getMonth")),
    method("getDate", 0, 1, |m, args| part(m, args, "getDate")),
    method("getDayOfMonth", 0, 1, |m, args| {
        part(m, args, "getDayOfMonth")
    }),
    method("getDayOfWeek", 0, 1, |m, args| {
        part(m, args, "getDayOfWeek")
    }),
    method("getDayOfYear", 0, 1, |m, args| {
        part(m, args, "getDayOfYear")
    }),
    method("getHours", 0, 1, |m, args| part(m, args, "getHours")),
    method("getMinutes", 0, 1, |m, args| part(m, args, "getMinutes")),
    method("getSeconds", 0, 1, |m, args| part(m, args, "getSeconds")),
    method("getMilliseconds", 0, 1, |m, args| {
        part(m, args, "getMilliseconds")
    }),
];

fn part(_: &mut Meter, args: &[Val], name: &str) -> Result<Val, EvalError> {
    let zone = args.get(1).map_or(Some("UTC"), Val::as_str);
    match (&args[0], zone) {
        (Val::Timestamp(t), Some(zone)) => t.part(name, zone).map(Val::Int),
        (Val::Duration(nanos), _) if args.len() == 1 => match duration_part(*nanos, name) {
            Some(n) => Ok(Val::Int(n)),
            None => no_overload(),
        },
        _ => no_overload(),
    }
}
