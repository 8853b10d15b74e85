//! The `math` extension's greatest, least, abs and sign, and `base64`.
//!
//! Models github.com/google/cel-go ext/math.go and ext/encoders.go.

use std::cmp::Ordering;
use std::rc::Rc;

use super::{Function, Run, function, no_overload};
use crate::cel::eval::Meter;
use crate::cel::ops;
use crate::cel::{EvalError, Val};

pub(super) const FUNCTIONS: &[Function] = &[
    several("math.greatest", |m, args| {
        extreme(m, args, Ordering::Greater)
    }),
    several("math.least", |m, args| extreme(m, args, Ordering::Less)),
    function("math.abs", 1, abs),
    function("math.sign", 1, sign),
    function("base64.encode", 1, encode),
    function("base64.decode", 1, decode),
];

const fn several(name: &'static str, run: Run) -> Function {
    Function {
        name,
        method: false,
        args: (1, 16),
        run,
    }
}

type Done = Result<Val, EvalError>;

fn extreme(meter: &mut Meter, args: &[Val], want: Ordering) -> Done {
    let listed: Option<Vec<Val>> = match args {
        [one] => one.elements().map(Iterator::collect),
        _ => None,
    };
    let items = listed.unwrap_or_else(|| args.to_vec());
    meter.charge(items.len())?;
    let Some((first, rest)) = items.split_first() else {
        return no_overload();
    };
    let mut best = first;
    for item in rest {
        if ops::compare(item, best)? == Some(want) {
            best = item;
        }
    }
    match best {
        Val::Int(_) | Val::Uint(_) | Val::Double(_) => Ok(best.clone()),
        _ => no_overload(),
    }
}

fn abs(_: &mut Meter, args: &[Val]) -> Done {
    match &args[0] {
        Val::Int(n) => match n.checked_abs() {
            Some(n) => Ok(Val::Int(n)),
            None => Err(EvalError::new("integer overflow")),
        },
        Val::Uint(n) => Ok(Val::Uint(*n)),
        Val::Double(n) => Ok(Val::Double(n.abs())),
        _ => no_overload(),
    }
}

fn sign(_: &mut Meter, args: &[Val]) -> Done {
    match &args[0] {
        Val::Int(n) => Ok(Val::Int(n.signum())),
        Val::Uint(n) => Ok(Val::Uint(u64::from(*n > 0))),
        Val::Double(n) if *n == 0.0 => Ok(Val::Double(0.0)),
        Val::Double(n) => Ok(Val::Double(if *n < 0.0 { -1.0 } else { 1.0 })),
        _ => no_overload(),
    }
}

fn encode(meter: &mut Meter, args: &[Val]) -> Done {
    let Val::Bytes(bytes) = &args[0] else {
        return no_overload();
    };
    meter.charge(bytes.len() / 10)?;
    Ok(Val::from(crate::base64::encode(bytes)))
}

fn decode(meter: &mut Meter, args: &[Val]) -> Done {
    let Val::Str(text) = &args[0] else {
        return no_overload();
    };
    meter.charge_text(text)?;
    match crate::base64::decode(text) {
        Ok(bytes) => Ok(Val::Bytes(Rc::from(bytes))),
        Err(at) => {
            let text = format!("illegal base64 data at input byte {at}");
            Err(EvalError::new(text))
        }
    }
}
