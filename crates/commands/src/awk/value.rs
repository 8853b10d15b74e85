//! Values: numbers, text, and text from input that looks like a number.

use std::cmp::Ordering;
use std::rc::Rc;

use shell::printf::Directive;

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// Never assigned: both 0 and "".
    Nothing,
    Number(f64),
    Text(Rc<str>),
    /// Text that came from outside and is a number as well.
    Input(Rc<str>, f64),
}

impl Value {
    /// A value from input.
    pub(super) fn input(text: impl Into<Rc<str>>) -> Value {
        let text = text.into();
        let trimmed = text.trim();
        let (length, number) = prefix(trimmed);
        if length > 0 && length == trimmed.len() {
            Value::Input(text, number)
        } else {
            Value::Text(text)
        }
    }

    pub(super) fn number(&self) -> f64 {
        match self {
            Value::Nothing => 0.0,
            Value::Number(number) | Value::Input(_, number) => *number,
            Value::Text(text) => prefix(text.trim_start()).1,
        }
    }

    /// As text; numbers that are no integers by `format` (`%.6g`).
    pub(super) fn text(&self, format: &str) -> Rc<str> {
        match self {
            Value::Nothing => "".into(),
            Value::Number(number) => number_text(*number, format).into(),
            Value::Text(text) | Value::Input(text, _) => text.clone(),
        }
    }

    pub(super) fn is_true(&self) -> bool {
        match self {
            Value::Nothing => false,
            Value::Number(number) | Value::Input(_, number) => *number != 0.0,
            Value::Text(text) => !text.is_empty(),
        }
    }

    /// Numbers compare as numbers, everything else as text.
    pub(super) fn compare(&self, other: &Value, format: &str) -> Ordering {
        let textual = |value: &Value| matches!(value, Value::Text(_));
        if textual(self) || textual(other) {
            return self.text(format).cmp(&other.text(format));
        }
        self.number()
            .partial_cmp(&other.number())
            .unwrap_or(Ordering::Equal)
    }
}

/// The number a text begins with, and how long it is.
fn prefix(text: &str) -> (usize, f64) {
    let bytes = text.as_bytes();
    let mut at = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let digits = |from: usize| {
        bytes[from.min(bytes.len())..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count()
    };
    let whole = digits(at);
    at += whole;
    let mut part = 0;
    if bytes.get(at) == Some(&b'.') {
        part = digits(at + 1);
        if whole + part > 0 {
            at += 1 + part;
        }
    }
    if whole + part == 0 {
        return (0, 0.0);
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let count = digits(at + 1 + sign);
        if count > 0 {
            at += 1 + sign + count;
        }
    }
    (at, text[..at].parse().unwrap_or(0.0))
}

/// A number as text: integers whole, others by a format.
pub(super) fn number_text(number: f64, format: &str) -> String {
    if number.is_finite() && number == number.trunc() && number.abs() < 1e16 {
        return format!("{}", number as i64);
    }
    let mut chars = format.trim_start_matches('%').chars().peekable();
    let directive = shell::printf::directive(&mut chars, &mut || 0);
    match directive.conversion {
        'd' | 'i' => directive.integer(number as i64),
        _ => Directive::float(&directive, number),
    }
}
