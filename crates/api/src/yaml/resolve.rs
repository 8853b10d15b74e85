//! What a plain scalar is: null, boolean, number, timestamp or just a string.
//! Models go.yaml.in/yaml/v2/resolve.go.

use crate::{Float, Value};

/// What a plain scalar turned out to be.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Resolved {
    /// A value other than a string.
    Value(Value),
    /// A timestamp, which stays the string it is but is quoted when written.
    Timestamp,
    /// `<<`
    Merge,
    /// `.inf`, `.nan`: numbers JSON does not have.
    NotANumber,
    /// A string.
    Str,
}

/// What go-yaml takes this plain text for.
pub(super) fn resolve(text: &str) -> Resolved {
    if let Some(resolved) = by_name(text) {
        return resolved;
    }
    match text.as_bytes()[0] {
        b'.' if style_float(text) => float(text),
        b'+' | b'-' | b'0'..=b'9' => number(text),
        _ => Resolved::Str,
    }
}

fn by_name(text: &str) -> Option<Resolved> {
    Some(match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Resolved::Value(Value::Bool(true))
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Resolved::Value(Value::Bool(false))
        }
        "" | "~" | "null" | "Null" | "NULL" => Resolved::Value(Value::Null),
        ".nan" | ".NaN" | ".NAN" | ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF"
        | "-.inf" | "-.Inf" | "-.INF" => Resolved::NotANumber,
        "<<" => Resolved::Merge,
        _ => return None,
    })
}

fn number(text: &str) -> Resolved {
    if is_timestamp(text) {
        return Resolved::Timestamp;
    }
    let plain = text.replace('_', "");
    if let Some(n) = integer(&plain) {
        return Resolved::Value(match i64::try_from(n) {
            Ok(n) => Value::Int(n),
            Err(_) => Value::Float(Float::new(n as f64)),
        });
    }
    if style_float(&plain) {
        float(&plain)
    } else {
        Resolved::Str
    }
}

/// An integer with any of Go's prefixes that fits 64 bits, signed or not.
fn integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = digits.get(..2).map(str::to_ascii_lowercase);
    let (radix, digits) = match lower.as_deref() {
        Some("0x") => (16, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        Some(two) if two.starts_with('0') => (8, &digits[1..]),
        _ => (10, digits),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let size = u64::from_str_radix(digits, radix).ok()?;
    let n = if negative {
        -i128::from(size)
    } else {
        i128::from(size)
    };
    (n >= i128::from(i64::MIN)).then_some(n)
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn style_float(text: &str) -> bool {
    let rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digits = |s: &str| s.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(rest);
    let mut rest = &rest[whole..];
    if let Some(after) = rest.strip_prefix('.') {
        let part = digits(after);
        if whole == 0 && part == 0 {
            return false;
        }
        rest = &after[part..];
    } else if whole == 0 {
        return false;
    }
    match rest.strip_prefix(['e', 'E']) {
        None => rest.is_empty(),
        Some(exponent) => {
            let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
            !exponent.is_empty() && digits(exponent) == exponent.len()
        }
    }
}

/// The float, or the integer if JSON would write it as one: the tree comes by way of JSON.
fn float(text: &str) -> Resolved {
    match text.parse::<f64>() {
        Ok(n) if n.is_finite() => {
            let whole = Float::new(n).to_string().parse::<i64>();
            Resolved::Value(whole.map_or_else(|_| Value::Float(Float::new(n)), Value::Int))
        }
        _ => Resolved::Str,
    }
}

/// `2026-01-05`, `2026-1-5 9:0:0`, `2026-01-05T09:00:00.5Z`
fn is_timestamp(text: &str) -> bool {
    fn number(text: &str, max_len: usize, range: (u32, u32)) -> Option<&str> {
        let len = text
            .bytes()
            .take_while(u8::is_ascii_digit)
            .count()
            .min(max_len);
        let n = text[..len].parse::<u32>().ok()?;
        (range.0 <= n && n <= range.1).then_some(&text[len..])
    }
    fn date_time(text: &str) -> Option<bool> {
        if text.bytes().take_while(u8::is_ascii_digit).count() != 4 {
            return None;
        }
        let rest = number(text[4..].strip_prefix('-')?, 2, (1, 12))?;
        let rest = number(rest.strip_prefix('-')?, 2, (1, 31))?;
        if rest.is_empty() {
            return Some(true);
        }
        let zoned = rest.starts_with(['T', 't']);
        let rest = number(rest.strip_prefix(['T', 't', ' '])?, 2, (0, 23))?;
        let rest = number(rest.strip_prefix(':')?, 2, (0, 59))?;
        let mut rest = number(rest.strip_prefix(':')?, 2, (0, 59))?;
        if let Some(part) = rest.strip_prefix('.') {
            let len = part.bytes().take_while(u8::is_ascii_digit).count();
            if len == 0 {
                return None;
            }
            rest = &part[len..];
        }
        if !zoned {
            return Some(rest.is_empty());
        }
        if rest == "Z" {
            return Some(true);
        }
        let rest = number(rest.strip_prefix(['+', '-'])?, 2, (0, 24))?;
        Some(number(rest.strip_prefix(':')?, 2, (0, 59))?.is_empty())
    }
    date_time(text).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    #[test]
    fn plain_scalars_against_kubectl() {
        #[track_caller]
        fn check(text: &str, want: Value) {
            assert_eq!(resolve(text), Resolved::Value(want), "{text}");
        }
        for yes in ["yes", "on", "y", "True"] {
            check(yes, value!(true));
        }
        for no in ["NO", "off", "n", "false"] {
            check(no, value!(false));
        }
        for null in ["", "~", "null"] {
            check(null, Value::Null);
        }
        check("0777", value!(511));
        check("0o17", value!(15));
        check("0x1F", value!(31));
        check("0b101", value!(5));
        check("1_000", value!(1000));
        check("08", value!(8));
        check("012345678", value!(12345678));
        check("-12", value!(-12));
        check("+12", value!(12));
        check("1e3", value!(1000));
        check("1.5", value!(1.5));
        check(".5", value!(0.5));
        check("5.", value!(5));
        check("1e21", value!(1e21));
        check("18446744073709551615", value!(18446744073709551615_f64));
        check("-9223372036854775808", value!(i64::MIN));
    }

    #[test]
    fn everything_else_is_a_string() {
        #[track_caller]
        fn check(text: &str, want: Resolved) {
            assert_eq!(resolve(text), want, "{text}");
        }
        for text in [
            "yEs", "tRue", "1.2.3", "10.0.0.1", "1Gi", "100m", "a", "-", "+", ".", "0x", "1e",
            "--1", "nul", "0b2", "12:30",
        ] {
            check(text, Resolved::Str);
        }
        for text in [
            "2026-01-05",
            "2026-01-05T09:00:00Z",
            "2026-1-5 9:0:0",
            "2026-01-05T09:00:00.5+01:00",
        ] {
            check(text, Resolved::Timestamp);
        }
        check("2026-13-05", Resolved::Str);
        check("2026-01-05T09:00:00", Resolved::Str);
        check(".inf", Resolved::NotANumber);
        check("<<", Resolved::Merge);
    }
}
