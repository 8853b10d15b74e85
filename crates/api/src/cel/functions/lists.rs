//! Functions on lists: the Kubernetes list library, `sets`, `join`, `flatten` and the like.
//!
//! Models k8s.io/apiserver/pkg/cel/library/lists.go and github.com/google/cel-go ext/sets.go.

use std::cmp::Ordering;

use super::{Function, function, method, no_overload};
use crate::cel::eval::Meter;
use crate::cel::ops;
use crate::cel::{EvalError, Val};

pub(super) const FUNCTIONS: &[Function] = &[
    method("isSorted", 0, 0, is_sorted),
    method("sum", 0, 0, sum),
    method("min", 0, 0, |m, args| {
        extreme(m, &args[0], Ordering::Less, "min")
    }),
    method("max", 0, 0, |m, args| {
        extreme(m, &args[0], Ordering::Greater, "max")
    }),
    method("flatten", 0, 0, flatten),
    method("reverse", 0, 0, reverse),
    method("sort", 0, 0, sort),
    method("distinct", 0, 0, distinct),
    method("slice", 2, 2, slice),
    function("sets.contains", 2, |m, args| {
        Ok(Val::Bool(contains(m, &args[0], &args[1])?))
    }),
    function("sets.equivalent", 2, |m, args| {
        let both = contains(m, &args[0], &args[1])? && contains(m, &args[1], &args[0])?;
        Ok(Val::Bool(both))
    }),
    function("sets.intersects", 2, intersects),
];

type Done = Result<Val, EvalError>;

/// The elements of a list, paid for.
fn items(meter: &mut Meter, list: &Val) -> Result<Vec<Val>, EvalError> {
    match list.elements() {
        Some(elements) => {
            meter.charge(list.list_len().unwrap_or(0))?;
            Ok(elements.collect())
        }
        None => no_overload(),
    }
}

fn is_sorted(meter: &mut Meter, args: &[Val]) -> Done {
    let items = items(meter, &args[0])?;
    for pair in items.windows(2) {
        if ops::compare(&pair[0], &pair[1])? == Some(Ordering::Greater) {
            return Ok(Val::Bool(false));
        }
    }
    Ok(Val::Bool(true))
}

fn sum(meter: &mut Meter, args: &[Val]) -> Done {
    let mut items = items(meter, &args[0])?.into_iter();
    // An empty list has no type to take a zero from; zero it is, as for a list of integers.
    let Some(mut total) = items.next() else {
        return Ok(Val::Int(0));
    };
    if !matches!(
        total,
        Val::Int(_) | Val::Uint(_) | Val::Double(_) | Val::Duration(_)
    ) {
        return no_overload();
    }
    for item in items {
        total = ops::add(meter, &total, &item)?;
    }
    Ok(total)
}

fn extreme(meter: &mut Meter, list: &Val, want: Ordering, name: &str) -> Done {
    let mut best: Option<Val> = None;
    for item in items(meter, list)? {
        let better = match &best {
            None => true,
            Some(best) => ops::compare(&item, best)? == Some(want),
        };
        if better {
            best = Some(item);
        }
    }
    best.ok_or_else(|| EvalError::new(format!("{name} called on empty list")))
}

fn flatten(meter: &mut Meter, args: &[Val]) -> Done {
    let mut out = Vec::new();
    for item in items(meter, &args[0])? {
        match item.list_len() {
            Some(_) => out.extend(items(meter, &item)?),
            None => out.push(item),
        }
    }
    Ok(Val::list(out))
}

fn reverse(meter: &mut Meter, args: &[Val]) -> Done {
    if let Val::Str(text) = &args[0] {
        meter.charge_text(text)?;
        return Ok(Val::from(text.chars().rev().collect::<String>()));
    }
    let mut items = items(meter, &args[0])?;
    items.reverse();
    Ok(Val::list(items))
}

fn sort(meter: &mut Meter, args: &[Val]) -> Done {
    let mut items = items(meter, &args[0])?;
    meter.charge(items.len() * 4)?;
    // Only values of one type have a total order, and sorting cannot stop half-way to say so.
    for item in &items {
        let one_type = item.type_name() == items[0].type_name();
        if !one_type || ops::compare(item, item)? != Some(Ordering::Equal) {
            return no_overload();
        }
    }
    let order = |a: &Val, b: &Val| ops::compare(a, b).ok().flatten().unwrap_or(Ordering::Equal);
    items.sort_by(order);
    Ok(Val::list(items))
}

fn distinct(meter: &mut Meter, args: &[Val]) -> Done {
    let mut out: Vec<Val> = Vec::new();
    for item in items(meter, &args[0])? {
        if !found(meter, &out, &item)? {
            out.push(item);
        }
    }
    Ok(Val::list(out))
}

fn slice(meter: &mut Meter, args: &[Val]) -> Done {
    let items = items(meter, &args[0])?;
    let (Val::Int(from), Val::Int(to)) = (&args[1], &args[2]) else {
        return no_overload();
    };
    let range = usize::try_from(*from).ok().zip(usize::try_from(*to).ok());
    let part = range.and_then(|(from, to)| items.get(from..to));
    match part {
        Some(part) => Ok(Val::list(part.to_vec())),
        None => {
            let text = format!("cannot slice({from}, {to}), list is length {}", items.len());
            Err(EvalError::new(text))
        }
    }
}

fn found(meter: &mut Meter, among: &[Val], wanted: &Val) -> Result<bool, EvalError> {
    for item in among {
        if ops::equal(meter, item, wanted)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn contains(meter: &mut Meter, whole: &Val, part: &Val) -> Result<bool, EvalError> {
    let (whole, part) = (items(meter, whole)?, items(meter, part)?);
    for wanted in &part {
        if !found(meter, &whole, wanted)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn intersects(meter: &mut Meter, args: &[Val]) -> Done {
    let (one, other) = (items(meter, &args[0])?, items(meter, &args[1])?);
    for wanted in &other {
        if found(meter, &one, wanted)? {
            return Ok(Val::Bool(true));
        }
    }
    Ok(Val::Bool(false))
}

/// The first (or last) place of an element; -1 where it is not.
pub(super) fn index_of(meter: &mut Meter, list: &Val, wanted: &Val, last: bool) -> Done {
    let items = items(meter, list)?;
    let mut place = -1;
    for (i, item) in items.iter().enumerate() {
        if ops::equal(meter, item, wanted)? {
            place = i64::try_from(i).unwrap_or(i64::MAX);
            if !last {
                break;
            }
        }
    }
    Ok(Val::Int(place))
}
