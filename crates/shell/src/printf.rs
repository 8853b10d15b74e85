//! `printf` formats: shared by the builtin, `/usr/bin/printf` and `awk`.

use std::rc::Rc;

use sim::Instant;

use crate::echo::octal;
use crate::quote;
use crate::syntax::unescape_ansi;

/// What came of a format.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Printed {
    /// The text.
    pub text: String,
    /// Complaints, to stand behind `printf: `.
    pub errors: Vec<String>,
}

/// One directive of a format.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Directive {
    /// Flags among `-+ #0`.
    pub flags: String,
    /// Least width.
    pub width: Option<usize>,
    /// Behind the dot.
    pub precision: Option<usize>,
    /// The letter.
    pub conversion: char,
}

impl Directive {
    /// Pads a text to the width.
    pub fn pad(&self, text: &str) -> String {
        let width = self.width.unwrap_or(0);
        let missing = width.saturating_sub(text.chars().count());
        if self.flags.contains('-') {
            return format!("{text}{}", " ".repeat(missing));
        }
        let zeros = self.flags.contains('0')
            && "diouxXeEfFgG".contains(self.conversion)
            && !(self.precision.is_some() && "diouxX".contains(self.conversion));
        if !zeros {
            return format!("{}{text}", " ".repeat(missing));
        }
        let sign = text.len() - text.trim_start_matches(['-', '+', ' ']).len();
        format!("{}{}{}", &text[..sign], "0".repeat(missing), &text[sign..])
    }

    /// A string, cut to the precision.
    pub fn string(&self, text: &str) -> String {
        let cut: String = match self.precision {
            Some(precision) => text.chars().take(precision).collect(),
            None => text.to_owned(),
        };
        self.pad(&cut)
    }

    /// An integer by the conversion letter.
    pub fn integer(&self, value: i64) -> String {
        let magnitude = match self.conversion {
            'o' => format!("{:o}", value as u64),
            'x' => format!("{:x}", value as u64),
            'X' => format!("{:X}", value as u64),
            'u' => (value as u64).to_string(),
            _ => value.unsigned_abs().to_string(),
        };
        let mut digits = match self.precision {
            Some(precision) => format!("{magnitude:0>precision$}"),
            None => magnitude,
        };
        if self.flags.contains('#') && value != 0 {
            match self.conversion {
                'o' => digits.insert(0, '0'),
                'x' => digits.insert_str(0, "0x"),
                'X' => digits.insert_str(0, "0X"),
                _ => {}
            }
        }
        self.pad(&format!("{}{digits}", self.sign(value < 0)))
    }

    fn sign(&self, negative: bool) -> &'static str {
        let signed = !matches!(self.conversion, 'o' | 'x' | 'X' | 'u');
        match () {
            () if !signed => "",
            () if negative => "-",
            () if self.flags.contains('+') => "+",
            () if self.flags.contains(' ') => " ",
            () => "",
        }
    }

    /// A float by the conversion letter.
    pub fn float(&self, value: f64) -> String {
        if !value.is_finite() {
            let text = if value.is_nan() { "nan" } else { "inf" };
            return self.pad(&format!("{}{text}", self.sign(value < 0.0)));
        }
        let precision = self.precision.unwrap_or(6);
        let magnitude = value.abs();
        let digits = match self.conversion.to_ascii_lowercase() {
            'e' => exponent(magnitude, precision),
            'g' => general(magnitude, precision.max(1), self.flags.contains('#')),
            _ => format!("{magnitude:.precision$}"),
        };
        let digits = if self.conversion.is_ascii_uppercase() {
            digits.to_uppercase()
        } else {
            digits
        };
        let negative = value.is_sign_negative();
        self.pad(&format!("{}{digits}", self.sign(negative)))
    }
}

fn exponent(value: f64, precision: usize) -> String {
    let text = format!("{value:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    format!("{mantissa}e{sign}{digits:0>2}")
}

/// `%g`: the shorter of `%e` and `%f`, without zeros at its end.
fn general(value: f64, precision: usize, keep: bool) -> String {
    let scientific = exponent(value, precision - 1);
    let power: i32 = scientific
        .rsplit_once('e')
        .and_then(|(_, p)| p.parse().ok())
        .unwrap_or(0);
    let strip = |text: &str| -> String {
        if keep || !text.contains('.') {
            return text.to_owned();
        }
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    if value != 0.0 && (power < -4 || power >= precision as i32) {
        let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "+00"));
        return format!("{}e{exponent}", strip(mantissa));
    }
    let decimals = usize::try_from(precision as i32 - 1 - power).unwrap_or(0);
    strip(&format!("{value:.decimals$}"))
}

/// Reads a directive behind its `%`; `star` gives the value of a `*`.
pub fn directive(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    star: &mut dyn FnMut() -> i64,
) -> Directive {
    let mut directive = Directive::default();
    while let Some(flag) = chars.next_if(|c| "-+ #0'".contains(*c)) {
        directive.flags.push(flag);
    }
    let mut number = |chars: &mut std::iter::Peekable<std::str::Chars<'_>>| {
        if chars.next_if_eq(&'*').is_some() {
            return Some(star());
        }
        let mut value = None;
        while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
            chars.next();
            value = Some(
                value
                    .unwrap_or(0i64)
                    .saturating_mul(10)
                    .saturating_add(i64::from(digit)),
            );
        }
        value
    };
    // Nobody reads wider than this; it keeps a mistake from filling the memory.
    let bounded = |value: i64| {
        usize::try_from(value.unsigned_abs())
            .unwrap_or(0)
            .min(100_000)
    };
    if let Some(width) = number(chars) {
        if width < 0 {
            directive.flags.push('-');
        }
        directive.width = Some(bounded(width));
    }
    if chars.next_if_eq(&'.').is_some() {
        directive.precision = Some(number(chars).map_or(0, bounded));
    }
    while chars.next_if(|c| "hlLjzt".contains(*c)).is_some() {}
    directive.conversion = chars.next().unwrap_or('%');
    directive
}

/// Formats operands, using the format again while operands are left. `now` serves `%(…)T`.
pub fn format(format: &str, args: &[Rc<str>], now: Instant) -> Printed {
    let mut out = Printed::default();
    let format = keep_percent(format);
    let mut args = args.iter();
    loop {
        let before = args.len();
        if round(&format, &mut args, &mut out, now) {
            return out;
        }
        if args.len() == 0 || args.len() == before {
            return out;
        }
    }
}

/// Escapes of the format itself; a percent sign made by one would not be a directive.
fn keep_percent(format: &str) -> String {
    let mut out = String::new();
    let mut chars = format.chars();
    let mut pending = String::new();
    while let Some(c) = chars.next() {
        if c == '\\' {
            pending.push(c);
            pending.extend(chars.next());
        } else {
            pending.push(c);
        }
    }
    out.push_str(&unescape_ansi(&pending));
    out
}

/// One use of the format; true if `\c` ended the output.
fn round(
    format: &str,
    args: &mut std::slice::Iter<'_, Rc<str>>,
    out: &mut Printed,
    now: Instant,
) -> bool {
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.text.push(c);
            continue;
        }
        if chars.next_if_eq(&'%').is_some() {
            out.text.push('%');
            continue;
        }
        if chars.peek() == Some(&'(') {
            let inner: String = chars.by_ref().skip(1).take_while(|c| *c != ')').collect();
            chars.next();
            let at = match args.next().map(|arg| arg.parse::<i64>()) {
                Some(Ok(secs)) if secs >= 0 => secs,
                _ => now.unix_secs(),
            };
            out.text.push_str(&crate::date::format(&inner, at, 0));
            continue;
        }
        let mut star = || args.next().and_then(|arg| arg.parse().ok()).unwrap_or(0);
        let directive = directive(&mut chars, &mut star);
        let conversion = directive.conversion;
        match conversion {
            'd' | 'i' | 'o' | 'u' | 'x' | 'X' => {
                let value = args.next().map_or(0, |arg| integer(arg, &mut out.errors));
                out.text.push_str(&directive.integer(value));
            }
            'f' | 'F' | 'e' | 'E' | 'g' | 'G' => {
                let value = args.next().map_or(0.0, |arg| float(arg, &mut out.errors));
                out.text.push_str(&directive.float(value));
            }
            's' => {
                let text = args.next().map_or("", |arg| arg);
                out.text.push_str(&directive.string(text));
            }
            'c' => {
                let text: String = args.next().map_or("", |arg| arg).chars().take(1).collect();
                out.text.push_str(&directive.pad(&text));
            }
            'q' => {
                let text = args.next().map_or("", |arg| arg);
                out.text.push_str(&directive.pad(&quote::escaped(text)));
            }
            'b' => {
                let text = args.next().map_or("", |arg| arg);
                let (text, ended) = match text.find("\\c") {
                    Some(at) => (&text[..at], true),
                    None => (text, false),
                };
                out.text
                    .push_str(&directive.pad(&unescape_ansi(&octal(text))));
                if ended {
                    return true;
                }
            }
            other => {
                // An escape is shown by how it was written.
                let shown = if other.is_control() { '\\' } else { other };
                out.errors
                    .push(format!("`{shown}': invalid format character"));
                return true;
            }
        }
    }
    false
}

fn integer(text: &str, errors: &mut Vec<String>) -> i64 {
    if let Some(rest) = text.strip_prefix(['\'', '"']) {
        return rest.chars().next().map_or(0, |c| i64::from(u32::from(c)));
    }
    let trimmed = text.trim();
    let (negative, digits) = match trimmed.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    let parsed = if let Some(hex) = digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        i64::from_str_radix(hex, 16)
    } else if digits.len() > 1 && digits.starts_with('0') {
        i64::from_str_radix(digits, 8)
    } else {
        digits.parse()
    };
    match parsed {
        Ok(value) => {
            if negative {
                -value
            } else {
                value
            }
        }
        Err(_) if trimmed.is_empty() => 0,
        Err(_) => {
            errors.push(format!("{text}: invalid number"));
            let valid: String = digits.chars().take_while(char::is_ascii_digit).collect();
            let value: i64 = valid.parse().unwrap_or(0);
            if negative { -value } else { value }
        }
    }
}

fn float(text: &str, errors: &mut Vec<String>) -> f64 {
    match text.trim().parse() {
        Ok(value) => value,
        Err(_) if text.trim().is_empty() => 0.0,
        Err(_) => {
            errors.push(format!("{text}: invalid number"));
            0.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(args: &[&str], expected: &str) {
        let args: Vec<Rc<str>> = args.iter().map(|arg| (*arg).into()).collect();
        let printed = format(&args[0], &args[1..], Instant::ZERO);
        assert_eq!((printed.text.as_str(), printed.errors.len()), (expected, 0));
    }

    #[test]
    fn directives() {
        check(&["%s-%s\\n", "a", "b", "c"], "a-b\nc-\n");
        check(
            &["%5d|%-5d|%05d|%+d", "42", "42", "42", "42"],
            "   42|42   |00042|+42",
        );
        check(&["%x %X %o %#x", "255", "255", "8", "255"], "ff FF 10 0xff");
        check(
            &["%.2f %e %g %g", "3.14159", "12345.678", "0.0001", "1e10"],
            "3.14 1.234568e+04 0.0001 1e+10",
        );
        check(&["%5.2s|%c", "abc", "xyz"], "   ab|x");
        check(&["%q %b", "a b", "x\\ty"], "a\\ b x\ty");
        check(&["%d%%\\n", "'A"], "65%\n");
        check(&["%*d", "4", "7"], "   7");
        check(&["hi\\n"], "hi\n");
    }

    #[test]
    fn mistakes() {
        let printed = format("%d\n", &["x1".into()], Instant::ZERO);
        assert_eq!(printed.errors, ["x1: invalid number"]);
        let printed = format("%z.", &[], Instant::ZERO);
        assert_eq!(printed.errors, ["`.': invalid format character"]);
    }
}
