//! `printf`, `print` and `println` of templates.
//!
//! Models Go's fmt as far as the values of JSON need it.

use api::{Value, go};

/// What Go calls the type of a value of JSON.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int64",
        Value::Float(_) => "float64",
        Value::Str(_) => "string",
        Value::List(_) => "[]interface {}",
        Value::Map(_) => "map[string]interface {}",
    }
}

/// A value as `%v` shows it.
pub(super) fn plain(value: &Value) -> String {
    go::plain(value)
}

/// `fmt.Sprintf`.
pub(super) fn sprintf(format: &str, values: &[Value]) -> String {
    let mut out = String::new();
    let mut values_left = values.iter();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut options = String::new();
        while let Some(c) = chars.next_if(|c| "+-# 0.".contains(*c) || c.is_ascii_digit()) {
            options.push(c);
        }
        let Some(verb) = chars.next() else {
            out.push_str("%!(NOVERB)");
            break;
        };
        if verb == '%' {
            out.push('%');
            continue;
        }
        match values_left.next() {
            None => out.push_str(&format!("%!{verb}(MISSING)")),
            Some(value) => out.push_str(&padded(&one(verb, &options, value), &options)),
        }
    }
    let extra: Vec<String> = values_left
        .map(|value| match value {
            Value::Null => "<nil>".to_owned(),
            value => format!("{}={}", type_name(value), plain(value)),
        })
        .collect();
    if !extra.is_empty() {
        out.push_str(&format!("%!(EXTRA {})", extra.join(", ")));
    }
    out
}

fn one(verb: char, options: &str, value: &Value) -> String {
    let precision = options
        .split_once('.')
        .map(|(_, text)| text.parse::<usize>().unwrap_or(0));
    match (verb, value) {
        ('v', value) if options.contains('#') => go::syntax(value),
        ('v', value) => plain(value),
        ('s', Value::Str(text)) => match precision {
            Some(most) => text.chars().take(most).collect(),
            None => text.to_string(),
        },
        ('q', Value::Str(text)) => go::quote(text),
        ('x', Value::Str(text)) => text.bytes().map(|b| format!("{b:02x}")).collect(),
        ('t', Value::Bool(on)) => on.to_string(),
        ('d', Value::Int(n)) if options.contains('+') => format!("{n:+}"),
        ('d', Value::Int(n)) => n.to_string(),
        ('x', Value::Int(n)) => format!("{n:x}"),
        ('c', Value::Int(n)) => u32::try_from(*n)
            .ok()
            .and_then(char::from_u32)
            .map_or(String::new(), String::from),
        ('f' | 'F', Value::Float(n)) => format!("{:.*}", precision.unwrap_or(6), n.get()),
        ('g', Value::Float(n)) => go::float(n.get()),
        ('s' | 'd', Value::List(items)) => {
            let items: Vec<String> = items.iter().map(|item| one(verb, options, item)).collect();
            format!("[{}]", items.join(" "))
        }
        ('T', value) => type_name(value).to_owned(),
        (verb, Value::Null) => format!("%!{verb}(<nil>)"),
        (verb, value) => format!("%!{verb}({}={})", type_name(value), plain(value)),
    }
}

fn padded(text: &str, options: &str) -> String {
    let digits = options.split('.').next().unwrap_or_default();
    let flags_end = digits
        .find(|c: char| !"+-# 0".contains(c))
        .unwrap_or(digits.len());
    let width: usize = digits[flags_end..].parse().unwrap_or(0);
    let flags = &digits[..flags_end];
    let fill = width.saturating_sub(text.chars().count());
    match (flags.contains('-'), flags.contains('0')) {
        (true, _) => format!("{text}{}", " ".repeat(fill)),
        (false, true) => format!("{}{text}", "0".repeat(fill)),
        (false, false) => format!("{}{text}", " ".repeat(fill)),
    }
}

/// `fmt.Sprint`: blanks between values of which neither is a string.
pub(super) fn sprint(values: &[Value]) -> String {
    let mut out = String::new();
    for (at, value) in values.iter().enumerate() {
        if at > 0 && !value.is_str() && !values[at - 1].is_str() {
            out.push(' ');
        }
        out.push_str(&plain(value));
    }
    out
}
