//! Functions on strings: the standard ones, the strings extension and regular expressions.
//! `indexOf` and `lastIndexOf` also take lists.
//!
//! Models github.com/google/cel-go ext/strings.go and k8s.io/apiserver/pkg/cel/library/regex.go.

use super::{Function, function, lists, method, no_overload};
use crate::Str;
use crate::cel::eval::Meter;
use crate::cel::{EvalError, Val};

pub(super) const FUNCTIONS: &[Function] = &[
    method("contains", 1, 1, |m, args| {
        test(m, args, |text, part| text.contains(part))
    }),
    method("startsWith", 1, 1, |m, args| {
        test(m, args, |text, part| text.starts_with(part))
    }),
    method("endsWith", 1, 1, |m, args| {
        test(m, args, |text, part| text.ends_with(part))
    }),
    method("matches", 1, 1, matches),
    function("matches", 2, matches),
    method("find", 1, 1, find),
    method("findAll", 1, 2, find_all),
    method("charAt", 1, 1, char_at),
    method("indexOf", 1, 2, |m, args| index_of(m, args, false)),
    method("lastIndexOf", 1, 2, |m, args| index_of(m, args, true)),
    method("lowerAscii", 0, 0, |m, args| {
        Ok(Val::from(own(m, args)?.to_ascii_lowercase()))
    }),
    method("upperAscii", 0, 0, |m, args| {
        Ok(Val::from(own(m, args)?.to_ascii_uppercase()))
    }),
    method("trim", 0, 0, |m, args| Ok(Val::from(own(m, args)?.trim()))),
    method("replace", 2, 3, replace),
    method("split", 1, 2, split),
    method("substring", 1, 2, substring),
    method("join", 0, 1, join),
    method("format", 1, 1, format),
    function("jsonpatch.escapeKey", 1, |m, args| {
        let text = own(m, args)?;
        Ok(Val::from(text.replace('~', "~0").replace('/', "~1")))
    }),
    function("strings.quote", 1, |m, args| {
        let text = own(m, args)?;
        Ok(Val::from(format!("{text:?}")))
    }),
];

type Done = Result<Val, EvalError>;

/// The target, paid for.
fn own(meter: &mut Meter, args: &[Val]) -> Result<Str, EvalError> {
    text_at(meter, args, 0)
}

fn text_at(meter: &mut Meter, args: &[Val], at: usize) -> Result<Str, EvalError> {
    match args.get(at) {
        Some(Val::Str(text)) => {
            meter.charge_text(text)?;
            Ok(text.clone())
        }
        _ => no_overload(),
    }
}

fn int_at(args: &[Val], at: usize) -> Result<Option<i64>, EvalError> {
    match args.get(at) {
        None => Ok(None),
        Some(Val::Int(n)) => Ok(Some(*n)),
        Some(_) => no_overload(),
    }
}

/// At most how many times; nothing or a negative number says without end.
fn limit_at(args: &[Val], at: usize) -> Result<usize, EvalError> {
    let limit = int_at(args, at)?.and_then(|n| usize::try_from(n).ok());
    Ok(limit.unwrap_or(usize::MAX))
}

fn test(meter: &mut Meter, args: &[Val], holds: fn(&str, &str) -> bool) -> Done {
    let (text, part) = (own(meter, args)?, text_at(meter, args, 1)?);
    Ok(Val::Bool(holds(&text, &part)))
}

fn matches(meter: &mut Meter, args: &[Val]) -> Done {
    let (text, pattern) = (own(meter, args)?, text_at(meter, args, 1)?);
    let found = meter.regex(&pattern, &text)?.is_match(&text);
    Ok(Val::Bool(found))
}

fn find(meter: &mut Meter, args: &[Val]) -> Done {
    let (text, pattern) = (own(meter, args)?, text_at(meter, args, 1)?);
    let found = meter.regex(&pattern, &text)?.find(&text);
    Ok(Val::from(found.map_or("", |m| m.as_str())))
}

fn find_all(meter: &mut Meter, args: &[Val]) -> Done {
    let (text, pattern) = (own(meter, args)?, text_at(meter, args, 1)?);
    let limit = limit_at(args, 2)?;
    let regex = meter.regex(&pattern, &text)?;
    let found = regex.find_iter(&text).take(limit);
    Ok(Val::list(found.map(|m| Val::from(m.as_str())).collect()))
}

fn char_at(meter: &mut Meter, args: &[Val]) -> Done {
    let text = own(meter, args)?;
    let at = int_at(args, 1)?.unwrap_or(0);
    let place = usize::try_from(at).ok();
    match place.and_then(|i| text.chars().nth(i)) {
        Some(c) => Ok(Val::from(c.to_string())),
        None if place == Some(text.chars().count()) => Ok(Val::from("")),
        None => Err(EvalError::new(format!("index out of range: {at}"))),
    }
}

fn index_of(meter: &mut Meter, args: &[Val], last: bool) -> Done {
    if args[0].list_len().is_some() && args.len() == 2 {
        return lists::index_of(meter, &args[0], &args[1], last);
    }
    let text: Vec<char> = own(meter, args)?.chars().collect();
    let part: Vec<char> = text_at(meter, args, 1)?.chars().collect();
    meter.charge(text.len() * part.len().max(1) / 10)?;
    let from = int_at(args, 2)?;
    if let Some(from) = from.filter(|n| *n < 0 || *n > text.len() as i64) {
        return Err(EvalError::new(format!("index out of range: {from}")));
    }
    let from = from.and_then(|n| usize::try_from(n).ok());
    let fits = |i: &usize| text[*i..].starts_with(&part);
    let end = text.len().saturating_sub(part.len());
    let found = if part.len() > text.len() {
        None
    } else if last {
        (0..=from.unwrap_or(end).min(end)).rev().find(fits)
    } else {
        (from.unwrap_or(0)..=end).find(fits)
    };
    Ok(Val::Int(
        found.and_then(|i| i64::try_from(i).ok()).unwrap_or(-1),
    ))
}

fn replace(meter: &mut Meter, args: &[Val]) -> Done {
    let (text, from, to) = (
        own(meter, args)?,
        text_at(meter, args, 1)?,
        text_at(meter, args, 2)?,
    );
    let limit = limit_at(args, 3)?;
    let times = text.matches(&*from).take(limit).count();
    meter.charge(times * to.len() / 10)?;
    Ok(Val::from(text.replacen(&*from, &to, limit)))
}

fn split(meter: &mut Meter, args: &[Val]) -> Done {
    let (text, by) = (own(meter, args)?, text_at(meter, args, 1)?);
    let limit = limit_at(args, 2)?;
    meter.charge(text.len())?;
    if limit == 0 {
        return Ok(Val::list(Vec::new()));
    }
    let mut parts = Vec::new();
    if by.is_empty() {
        // Go splits at every character, Rust would add an empty part at both ends.
        let mut rest = &*text;
        while let Some(c) = rest.chars().next().filter(|_| parts.len() + 1 < limit) {
            let (head, tail) = rest.split_at(c.len_utf8());
            parts.push(Val::from(head));
            rest = tail;
        }
        if !rest.is_empty() {
            parts.push(Val::from(rest));
        }
    } else {
        parts.extend(text.splitn(limit, &*by).map(Val::from));
    }
    Ok(Val::list(parts))
}

fn substring(meter: &mut Meter, args: &[Val]) -> Done {
    let text: Vec<char> = own(meter, args)?.chars().collect();
    let len = i64::try_from(text.len()).unwrap_or(i64::MAX);
    let from = int_at(args, 1)?.unwrap_or(0);
    let to = int_at(args, 2)?.unwrap_or(len);
    for place in [from, to] {
        if place < 0 || place > len {
            return Err(EvalError::new(format!("index out of range: {place}")));
        }
    }
    if from > to {
        let text = format!("invalid substring range. start: {from}, end: {to}");
        return Err(EvalError::new(text));
    }
    let chars = text.iter().skip(from as usize).take((to - from) as usize);
    Ok(Val::from(chars.collect::<String>()))
}

fn join(meter: &mut Meter, args: &[Val]) -> Done {
    let by = match args.len() {
        1 => Str::default(),
        _ => text_at(meter, args, 1)?,
    };
    let Some(elements) = args[0].elements() else {
        return no_overload();
    };
    let mut out = String::new();
    for (i, element) in elements.enumerate() {
        let Val::Str(text) = element else {
            return no_overload();
        };
        meter.charge(1 + (text.len() + by.len()) / 10)?;
        if i > 0 {
            out.push_str(&by);
        }
        out.push_str(&text);
    }
    Ok(Val::from(out))
}

/// `'%s has %d'.format([a, b])`: the verbs s, d, f, x and b.
fn format(meter: &mut Meter, args: &[Val]) -> Done {
    let template = own(meter, args)?;
    let Some(mut values) = args[1].elements() else {
        return no_overload();
    };
    let mut out = String::new();
    let mut rest = &*template;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let len = rest.find(|c: char| c.is_ascii_alphabetic());
        let len = len.ok_or_else(|| EvalError::new("could not parse formatting clause"))?;
        let (precision, verb) = (&rest[..len], &rest[len..=len]);
        rest = &rest[len + 1..];
        let value = values.next();
        let value = value.ok_or_else(|| EvalError::new("index 0 out of range"))?;
        let text = formatted(&value, verb, precision.strip_prefix('.'))?;
        meter.charge_text(&text)?;
        out.push_str(&text);
    }
    out.push_str(rest);
    Ok(Val::from(out))
}

fn formatted(value: &Val, verb: &str, precision: Option<&str>) -> Result<String, EvalError> {
    let decimals = precision
        .and_then(|p| p.parse::<usize>().ok())
        .unwrap_or(6)
        .min(30);
    let text = match (verb, value) {
        ("s", Val::Str(text)) => text.to_string(),
        ("s", Val::Uint(n)) => n.to_string(),
        ("s", Val::Timestamp(t)) => t.to_string(),
        ("s", other) => other.to_string(),
        ("d", Val::Int(n)) => n.to_string(),
        ("d", Val::Uint(n)) => n.to_string(),
        ("f", Val::Double(n)) => format!("{n:.decimals$}"),
        ("f", Val::Int(n)) => format!("{:.decimals$}", *n as f64),
        ("x", Val::Int(n)) => format!("{n:x}"),
        ("x", Val::Uint(n)) => format!("{n:x}"),
        ("b", Val::Int(n)) => format!("{n:b}"),
        ("b", Val::Uint(n)) => format!("{n:b}"),
        _ => {
            let kind = value.type_name();
            let text = format!("error during formatting: {verb} does not take {kind}");
            return Err(EvalError::new(text));
        }
    };
    Ok(text)
}
