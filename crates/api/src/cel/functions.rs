//! The functions of the language: one table made of a list per subject. A function gets its
//! arguments evaluated; of a method the target comes first.

use sim::Unmodelled;

use super::eval::Meter;
use super::{EvalError, Val};

mod access;
mod convert;
mod formats;
mod lists;
mod net;
mod numbers;
mod optionals;
mod quantities;
mod strings;
mod times;

/// One form of a function.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: &'static str,
    /// Called as `target.name(…)`.
    pub(super) method: bool,
    /// How many arguments at least and at most, the target counted.
    pub(super) args: (usize, usize),
    pub(super) run: Run,
}

pub(super) type Run = fn(&mut Meter, &[Val]) -> Result<Val, EvalError>;

const TABLES: &[&[Function]] = &[
    access::FUNCTIONS,
    convert::FUNCTIONS,
    formats::FUNCTIONS,
    lists::FUNCTIONS,
    net::FUNCTIONS,
    numbers::FUNCTIONS,
    optionals::FUNCTIONS,
    quantities::FUNCTIONS,
    strings::FUNCTIONS,
    times::FUNCTIONS,
];

const fn function(name: &'static str, args: usize, run: Run) -> Function {
    Function {
        name,
        method: false,
        args: (args, args),
        run,
    }
}

/// A method with `min` to `max` arguments beside its target.
const fn method(name: &'static str, min: usize, max: usize, run: Run) -> Function {
    Function {
        name,
        method: true,
        args: (min + 1, max + 1),
        run,
    }
}

pub(super) fn all() -> impl Iterator<Item = &'static Function> {
    TABLES.iter().copied().flatten()
}

/// Whether any function has this name.
pub(super) fn exists(name: &str) -> bool {
    all().any(|f| f.name == name)
}

/// The function of this name that takes so many arguments, the target of a method counted.
pub(super) fn find(name: &str, method: bool, args: usize) -> Option<&'static Function> {
    all().find(|f| f.name == name && f.method == method && (f.args.0..=f.args.1).contains(&args))
}

/// A function of Kubernetes' CEL that is known and left out.
pub(super) fn unmodelled(name: &str) -> Option<Unmodelled> {
    name.starts_with("math.").then_some(sim::unmodelled!(
        "CEL's math beyond greatest, least, abs and sign"
    ))
}

fn no_overload<T>() -> Result<T, EvalError> {
    Err(EvalError::new("no such overload"))
}
