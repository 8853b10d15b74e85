//! Named formats and semantic versions.
//!
//! Models k8s.io/apiserver/pkg/cel/library/{format,semverlib}.go and github.com/blang/semver.

use std::cmp::Ordering;
use std::rc::Rc;

use super::{Function, function, method, no_overload, quantities};
use crate::cel::eval::Meter;
use crate::cel::{EvalError, Opaque, Timestamp, Val};
use crate::{Str, names};

pub(super) const FUNCTIONS: &[Function] = &[
    function("format.named", 1, |_, args| match &args[0] {
        Val::Str(name) => {
            let known = FORMATS.iter().find(|format| ***format == **name);
            Ok(Val::Optional(known.map(|name| Rc::new(format(name)))))
        }
        _ => no_overload(),
    }),
    function("format.dns1123Label", 0, |_, _| Ok(format(FORMATS[0]))),
    function("format.dns1123Subdomain", 0, |_, _| Ok(format(FORMATS[1]))),
    function("format.dns1035Label", 0, |_, _| Ok(format(FORMATS[2]))),
    function("format.qualifiedName", 0, |_, _| Ok(format(FORMATS[3]))),
    function("format.dns1123LabelPrefix", 0, |_, _| {
        Ok(format(FORMATS[4]))
    }),
    function("format.dns1123SubdomainPrefix", 0, |_, _| {
        Ok(format(FORMATS[5]))
    }),
    function("format.dns1035LabelPrefix", 0, |_, _| {
        Ok(format(FORMATS[6]))
    }),
    function("format.labelValue", 0, |_, _| Ok(format(FORMATS[7]))),
    function("format.uri", 0, |_, _| Ok(format(FORMATS[8]))),
    function("format.uuid", 0, |_, _| Ok(format(FORMATS[9]))),
    function("format.byte", 0, |_, _| Ok(format(FORMATS[10]))),
    function("format.date", 0, |_, _| Ok(format(FORMATS[11]))),
    function("format.datetime", 0, |_, _| Ok(format(FORMATS[12]))),
    method("validate", 1, 1, validate),
    semver("semver", |_, args| Ok(Val::Opaque(Rc::new(version(args)?)))),
    semver("isSemver", |_, args| Ok(Val::Bool(version(args).is_ok()))),
    method("major", 0, 0, |_, args| number(args, 0)),
    method("minor", 0, 0, |_, args| number(args, 1)),
    method("patch", 0, 0, |_, args| number(args, 2)),
    method("isGreaterThan", 1, 1, |_, args| {
        Ok(Val::Bool(compared(args)?.is_gt()))
    }),
    method("isLessThan", 1, 1, |_, args| {
        Ok(Val::Bool(compared(args)?.is_lt()))
    }),
    method("compareTo", 1, 1, |_, args| {
        Ok(Val::Int(compared(args)? as i64))
    }),
];

const FORMATS: [&str; 13] = [
    "dns1123Label",
    "dns1123Subdomain",
    "dns1035Label",
    "qualifiedName",
    "dns1123LabelPrefix",
    "dns1123SubdomainPrefix",
    "dns1035LabelPrefix",
    "labelValue",
    "uri",
    "uuid",
    "byte",
    "date",
    "datetime",
];

type Done = Result<Val, EvalError>;

const fn semver(name: &'static str, run: super::Run) -> Function {
    Function {
        name,
        method: false,
        args: (1, 2),
        run,
    }
}

fn format(name: &'static str) -> Val {
    Val::Opaque(Rc::new(Opaque::Format(name)))
}

fn validate(meter: &mut Meter, args: &[Val]) -> Done {
    let (Val::Opaque(of), Val::Str(text)) = (&args[0], &args[1]) else {
        return no_overload();
    };
    let Opaque::Format(name) = &**of else {
        return no_overload();
    };
    meter.charge_text(text)?;
    let wrong = wrong(name, text);
    if wrong.is_empty() {
        return Ok(Val::Optional(None));
    }
    let texts = wrong.into_iter().map(Val::from).collect();
    Ok(Val::some(Val::list(texts)))
}

/// What is wrong with a text of this format.
fn wrong(name: &str, text: &str) -> Vec<String> {
    let said = |good: bool, why: &str| match good {
        true => Vec::new(),
        false => vec![why.to_owned()],
    };
    let day = |text: &str| Timestamp::parse(&format!("{text}T00:00:00Z")).is_some();
    let messages = match name {
        "dns1123Label" => names::dns1123_label(text),
        "dns1123Subdomain" => names::dns1123_subdomain(text),
        "dns1035Label" => names::dns1035_label(text),
        "qualifiedName" => names::qualified_name(text),
        "dns1123LabelPrefix" => names::dns1123_label(&names::mask_trailing_dash(text)),
        "dns1123SubdomainPrefix" => names::dns1123_subdomain(&names::mask_trailing_dash(text)),
        "dns1035LabelPrefix" => names::dns1035_label(&names::mask_trailing_dash(text)),
        "labelValue" => names::label_value(text),
        "uri" => match super::net::url_error(text) {
            None => return Vec::new(),
            Some(why) => return vec![why],
        },
        "uuid" => return said(is_uuid(text), "does not match the UUID format"),
        "byte" => return said(crate::base64::decode(text).is_ok(), "invalid base64"),
        "date" => return said(day(text), "invalid date"),
        _ => return said(Timestamp::parse(text).is_some(), "invalid datetime"),
    };
    messages.into_iter().map(|text| text.to_string()).collect()
}

fn is_uuid(text: &str) -> bool {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    let dashes = text.len() - digits.len();
    digits.len() == 32 && dashes <= 4 && digits.bytes().all(|b| b.is_ascii_hexdigit())
}

fn version(args: &[Val]) -> Result<Opaque, EvalError> {
    let Val::Str(text) = &args[0] else {
        return no_overload();
    };
    let read = match args.get(1) {
        None | Some(Val::Bool(false)) => parse(text),
        Some(Val::Bool(true)) => normalized(text).and_then(|text| parse(&text)),
        Some(_) => return no_overload(),
    };
    read.map_err(EvalError::new)
}

fn normalized(text: &str) -> Result<String, String> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let mut parts: Vec<String> = text.splitn(3, '.').map(str::to_owned).collect();
    for part in &mut parts {
        if part.len() > 1 {
            let bare = part.trim_start_matches('0');
            let zero = if bare.starts_with(|c: char| c.is_ascii_digit()) {
                ""
            } else {
                "0"
            };
            *part = format!("{zero}{bare}");
        }
    }
    if parts.len() < 3 && parts.last().is_some_and(|part| part.contains(['+', '-'])) {
        return Err("short version cannot contain PreRelease/Build meta data".to_owned());
    }
    parts.resize(3, "0".to_owned());
    Ok(parts.join("."))
}

fn parse(text: &str) -> Result<Opaque, String> {
    if text.is_empty() {
        return Err("Version string empty".to_owned());
    }
    let (head, build) = text.split_once('+').unwrap_or((text, ""));
    let (numbers, pre) = head.split_once('-').unwrap_or((head, ""));
    let parts: Vec<&str> = numbers.split('.').collect();
    let [major, minor, patch] = parts[..] else {
        return Err("No Major.Minor.Patch elements found".to_owned());
    };
    let mut out = [0; 3];
    for (i, (called, part)) in [("major", major), ("minor", minor), ("patch", patch)]
        .into_iter()
        .enumerate()
    {
        if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
            return Err(format!(
                "Invalid character(s) found in {called} number {part:?}"
            ));
        }
        if part.len() > 1 && part.starts_with('0') {
            let called = called[..1].to_uppercase() + &called[1..];
            return Err(format!(
                "{called} number must not contain leading zeroes {part:?}"
            ));
        }
        out[i] = part
            .parse()
            .map_err(|_| format!("strconv.ParseUint: parsing {part:?}: value out of range"))?;
    }
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    for (part, called) in [(pre, "prerelease"), (build, "build meta data")] {
        let marked = !part.is_empty();
        if marked
            && part
                .split('.')
                .any(|w| w.is_empty() || !w.bytes().all(word))
        {
            return Err(format!("Invalid character(s) found in {called} {part:?}"));
        }
    }
    Ok(Opaque::Semver(out, pre.into(), build.into()))
}

fn own(val: &Val) -> Result<([u64; 3], Str), EvalError> {
    match val {
        Val::Opaque(of) => match &**of {
            Opaque::Semver(numbers, pre, _) => Ok((*numbers, pre.clone())),
            _ => no_overload(),
        },
        _ => no_overload(),
    }
}

fn number(args: &[Val], at: usize) -> Done {
    Ok(Val::Int(own(&args[0])?.0[at] as i64))
}

/// How two quantities or two versions stand to each other.
fn compared(args: &[Val]) -> Result<Ordering, EvalError> {
    if matches!(args[0], Val::Quantity(_)) {
        return quantities::compared(args);
    }
    let ((a, a_pre), (b, b_pre)) = (own(&args[0])?, own(&args[1])?);
    Ok(a.cmp(&b).then_with(|| before(&a_pre, &b_pre)))
}

/// How what stands before a release compares: the release itself comes last.
fn before(a: &str, b: &str) -> Ordering {
    if a.is_empty() || b.is_empty() {
        return a.is_empty().cmp(&b.is_empty());
    }
    let (mut left, mut right) = (a.split('.'), b.split('.'));
    loop {
        let (x, y) = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, _) => return Ordering::Less,
            (_, None) => return Ordering::Greater,
            (Some(x), Some(y)) => (x, y),
        };
        let order = match (x.parse::<u64>(), y.parse::<u64>()) {
            (Ok(x), Ok(y)) => x.cmp(&y),
            (Ok(_), Err(_)) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Err(_), Err(_)) => x.cmp(y),
        };
        if order.is_ne() {
            return order;
        }
    }
}
