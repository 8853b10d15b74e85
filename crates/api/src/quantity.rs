//! Amounts of resources: `100m`, `1Gi`, `2`. Exact to a billionth, printed in canonical form.
//! Models k8s.io/apimachinery/pkg/api/resource.

use std::cmp::Ordering;
use std::fmt;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use crate::Value;

const NANOS: i128 = 1_000_000_000;
/// Larger amounts are cut to this.
const MAX: i128 = i64::MAX as i128 * NANOS;

/// How an amount was written, and so how it is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// `1k`, `100m`
    #[default]
    DecimalSi,
    /// `1Ki`, `1Gi`
    BinarySi,
    /// `1e3`
    DecimalExponent,
}

/// An amount. Equality and order look at the amount alone, not at how it is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quantity {
    nanos: i128,
    format: Format,
}

/// Why a text is no quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuantityError {
    /// It does not look like one.
    Format,
    /// The number is fine, the suffix is unknown.
    Suffix,
    /// The number is malformed.
    Numeric,
}

impl fmt::Display for QuantityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            QuantityError::Format => {
                "quantities must match the regular expression \
                 '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
            }
            QuantityError::Suffix => "unable to parse quantity's suffix",
            QuantityError::Numeric => "unable to parse numeric part of quantity",
        })
    }
}

impl Quantity {
    /// Nothing.
    pub const ZERO: Quantity = Quantity {
        nanos: 0,
        format: Format::DecimalSi,
    };

    /// A whole amount.
    pub const fn new(amount: i64, format: Format) -> Self {
        Quantity {
            nanos: amount as i128 * NANOS,
            format,
        }
    }

    /// An amount in thousandths, such as CPU.
    pub const fn from_milli(milli: i64) -> Self {
        Quantity {
            nanos: milli as i128 * 1_000_000,
            format: Format::DecimalSi,
        }
    }

    /// A number of bytes, printed with `Ki`, `Mi`, `Gi`.
    pub const fn from_bytes(bytes: i64) -> Self {
        Quantity::new(bytes, Format::BinarySi)
    }

    /// Reads an amount. Digits beyond a billionth are rounded away from zero, amounts beyond
    /// 2^63-1 are cut to it.
    pub fn parse(text: &str) -> Result<Quantity, QuantityError> {
        let parts = split(text)?;
        let (base, exponent, mut format) = suffix(parts.suffix)?;
        if parts.whole.is_empty() && parts.fraction.is_empty() && parts.pointed {
            return Err(QuantityError::Numeric);
        }
        let nanos = scaled(parts.whole, parts.fraction, base, exponent);
        if format == Format::BinarySi && 0 < nanos && nanos < NANOS {
            format = Format::DecimalSi;
        }
        Ok(Quantity {
            nanos: if parts.negative { -nanos } else { nanos },
            format,
        })
    }

    /// The amount a field holds: a string or a plain number; `None` if it is neither or malformed.
    pub fn of(value: &Value) -> Option<Quantity> {
        match value {
            Value::Str(text) => Quantity::parse(text.trim()).ok(),
            Value::Int(n) => Some(Quantity::new(*n, Format::DecimalSi)),
            Value::Float(n) => Quantity::parse(&n.to_string()).ok(),
            _ => None,
        }
    }

    /// How it is printed.
    pub const fn format(&self) -> Format {
        self.format
    }

    /// The amount in whole units, rounded away from zero.
    pub fn value(&self) -> i64 {
        self.scaled_value(NANOS)
    }

    /// The amount in thousandths, rounded away from zero.
    pub fn milli(&self) -> i64 {
        self.scaled_value(1_000_000)
    }

    fn scaled_value(&self, unit: i128) -> i64 {
        let whole = self.nanos / unit + (self.nanos % unit).signum();
        i64::try_from(whole).unwrap_or(if whole > 0 { i64::MAX } else { i64::MIN })
    }

    /// The same with what is finer than a thousandth rounded away from zero.
    pub fn round_up_milli(self) -> Quantity {
        let rest = self.nanos % 1_000_000;
        let up = if rest == 0 {
            0
        } else {
            rest.signum() * 1_000_000 - rest
        };
        Quantity {
            nanos: self.nanos + up,
            ..self
        }
    }

    /// The amount as a float, for ratios shown to people.
    pub fn as_f64(&self) -> f64 {
        self.nanos as f64 / NANOS as f64
    }

    /// Whether the amount is nothing.
    pub fn is_zero(&self) -> bool {
        self.nanos == 0
    }

    /// -1, 0 or 1.
    pub fn sign(&self) -> i32 {
        self.nanos.signum() as i32
    }
}

struct Parts<'a> {
    negative: bool,
    whole: &'a str,
    pointed: bool,
    fraction: &'a str,
    suffix: &'a str,
}

fn split(text: &str) -> Result<Parts<'_>, QuantityError> {
    if text.is_empty() {
        return Err(QuantityError::Format);
    }
    let negative = text.starts_with('-');
    let rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digits = |s: &str| s.bytes().take_while(u8::is_ascii_digit).count();
    let (whole, rest) = rest.split_at(digits(rest));
    let (pointed, fraction, rest) = match rest.strip_prefix('.') {
        None => (false, "", rest),
        Some(rest) => {
            let (fraction, rest) = rest.split_at(digits(rest));
            (true, fraction, rest)
        }
    };
    let letters = rest
        .bytes()
        .take_while(|b| b"eEinumkKMGTP".contains(b))
        .count();
    let tail = &rest[letters..];
    let tail = tail.strip_prefix(['-', '+']).unwrap_or(tail);
    if digits(tail) < tail.len() {
        return Err(QuantityError::Format);
    }
    Ok(Parts {
        negative,
        whole,
        pointed,
        fraction,
        suffix: rest,
    })
}

fn suffix(text: &str) -> Result<(u32, i32, Format), QuantityError> {
    let si = |exponent| Ok((10, exponent, Format::DecimalSi));
    let binary = |power: i32| Ok((2, power * 10, Format::BinarySi));
    match text {
        "n" => si(-9),
        "u" => si(-6),
        "m" => si(-3),
        "" => si(0),
        "k" => si(3),
        "M" => si(6),
        "G" => si(9),
        "T" => si(12),
        "P" => si(15),
        "E" => si(18),
        "Ki" => binary(1),
        "Mi" => binary(2),
        "Gi" => binary(3),
        "Ti" => binary(4),
        "Pi" => binary(5),
        "Ei" => binary(6),
        _ => match text.strip_prefix(['e', 'E']).map(str::parse::<i32>) {
            Some(Ok(exponent)) => Ok((10, exponent, Format::DecimalExponent)),
            _ => Err(QuantityError::Suffix),
        },
    }
}

/// `whole.fraction × base^exponent` in billionths, rounded up and cut to the maximum.
fn scaled(whole: &str, fraction: &str, base: u32, exponent: i32) -> i128 {
    let digits = || {
        whole
            .bytes()
            .chain(fraction.bytes())
            .map(|b| i128::from(b - b'0'))
    };
    let zero = digits().all(|d| d == 0);
    if zero {
        return 0;
    }
    // value = digits × 10^shift × 2^twos, in billionths.
    let tens = if base == 10 { i64::from(exponent) } else { 0 };
    let shift = tens + 9 - fraction.len() as i64;
    let twos = if base == 2 { exponent as u32 } else { 0 };
    let mut amount: i128 = 0;
    let mut rest = false;
    let count = (whole.len() + fraction.len()) as i64;
    for (i, digit) in digits().enumerate() {
        // Digits whose place lies below a billionth only round up. Powers of two are all positive
        // and a factor of at most 2^60, so 18 more places are kept for them.
        let place = count - 1 - i as i64 + shift;
        if place < if base == 2 { -18 } else { 0 } {
            rest |= digit != 0;
            continue;
        }
        amount = match amount.checked_mul(10).and_then(|a| a.checked_add(digit)) {
            Some(amount) if amount <= MAX << 2 => amount,
            _ => return MAX,
        };
    }
    let low = if base == 2 {
        shift.max(-18)
    } else {
        shift.max(0)
    };
    let mut missing = low;
    while missing > 0 && amount > 0 {
        amount = amount.saturating_mul(10).min(MAX);
        missing -= 1;
    }
    amount = match amount.checked_mul(1 << twos) {
        Some(amount) => amount,
        None => return MAX,
    };
    while missing < 0 {
        rest |= amount % 10 != 0;
        amount /= 10;
        missing += 1;
    }
    (amount + i128::from(rest)).min(MAX)
}

impl fmt::Display for Quantity {
    /// The canonical form: no fraction, the largest suffix that keeps the amount exact.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nanos == 0 {
            return f.write_str("0");
        }
        let small = self.nanos.abs() < 1024 * NANOS;
        if self.format == Format::BinarySi && !small && self.nanos % NANOS == 0 {
            let mut amount = self.nanos / NANOS;
            let mut power = 0;
            while amount % 1024 == 0 && power < 6 {
                amount /= 1024;
                power += 1;
            }
            return write!(
                f,
                "{amount}{}",
                ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"][power]
            );
        }
        let mut amount = self.nanos;
        let mut step = 0;
        while amount % 1000 == 0 && step < 9 {
            amount /= 1000;
            step += 1;
        }
        if self.format == Format::DecimalExponent {
            return match step {
                3 => write!(f, "{amount}"),
                _ => write!(f, "{amount}e{}", step * 3 - 9),
            };
        }
        let suffix = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"][step as usize];
        write!(f, "{amount}{suffix}")
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.nanos.cmp(&other.nanos)
    }
}

impl Add for Quantity {
    type Output = Quantity;
    /// A sum is written as its first part, unless that is zero.
    fn add(self, other: Quantity) -> Quantity {
        let format = if self.is_zero() {
            other.format
        } else {
            self.format
        };
        Quantity {
            nanos: self.nanos + other.nanos,
            format,
        }
    }
}

impl Sub for Quantity {
    type Output = Quantity;
    fn sub(self, other: Quantity) -> Quantity {
        self + -other
    }
}

impl Neg for Quantity {
    type Output = Quantity;
    fn neg(self) -> Quantity {
        Quantity {
            nanos: -self.nanos,
            format: self.format,
        }
    }
}

impl AddAssign for Quantity {
    fn add_assign(&mut self, other: Quantity) {
        *self = *self + other;
    }
}

impl SubAssign for Quantity {
    fn sub_assign(&mut self, other: Quantity) {
        *self = *self - other;
    }
}

impl From<Quantity> for Value {
    fn from(quantity: Quantity) -> Value {
        Value::from(quantity.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_form() {
        #[track_caller]
        fn check(text: &str, want: &str) {
            let quantity = Quantity::parse(text).expect(text);
            assert_eq!(quantity.to_string(), want, "{text}");
        }
        for same in [
            "0",
            "1",
            "100m",
            "1500m",
            "1Gi",
            "64Mi",
            "19662688Ki",
            "1k",
            "12e6",
            "1n",
        ] {
            check(same, same);
        }
        check("0.5", "500m");
        check("1000m", "1");
        check("1.5", "1500m");
        check("1024Mi", "1Gi");
        check("1.5Gi", "1536Mi");
        check("1000", "1k");
        check("10000", "10k");
        check("1024", "1024");
        check("100Ki", "100Ki");
        check("0.5Ki", "512");
        check("0.9Gi", "966367641600m");
        check("0.30000000000000004", "300000001n");
        check("0.1n", "1n");
        check("1e3", "1e3");
        check("1500e0", "1500");
        check("1E", "1E");
        check("10E", "9223372036854775807");
        check(
            "99999999999999999999999999999999999999999999",
            "9223372036854775807",
        );
        check("-1", "-1");
        check("+007", "7");
        check(".5", "500m");
        check("5.", "5");
        check("0Gi", "0");
        check("1023Ki", "1023Ki");
        check("8Ei", "9223372036854775807");
        check("0.0001Ki", "102400u");
    }

    #[test]
    fn errors() {
        #[track_caller]
        fn check(text: &str, want: QuantityError) {
            assert_eq!(Quantity::parse(text).err(), Some(want), "{text}");
        }
        check("", QuantityError::Format);
        check("lots", QuantityError::Format);
        check("1.2.3", QuantityError::Format);
        check("1 Gi", QuantityError::Format);
        check("1KM", QuantityError::Suffix);
        check("1K", QuantityError::Suffix);
        check("1e", QuantityError::Suffix);
        check(".", QuantityError::Numeric);
        assert!(
            QuantityError::Format
                .to_string()
                .starts_with("quantities must match the regular")
        );
    }

    #[test]
    fn arithmetic() {
        let q = |text| Quantity::parse(text).expect("a quantity");
        assert_eq!((q("250m") + q("1")).to_string(), "1250m");
        assert_eq!((q("0") + q("64Mi")).to_string(), "64Mi");
        assert_eq!((q("1Gi") - q("64Mi")).to_string(), "960Mi");
        assert!(q("1Gi") > q("1G") && q("1000m") == q("1"));
        assert_eq!(
            (q("100m").value(), q("100m").milli(), q("-1.5").value()),
            (1, 100, -2)
        );
        assert_eq!(Quantity::of(&Value::from(2)), Some(q("2")));
        assert_eq!(Quantity::of(&Value::from(0.5)), Some(q("500m")));
        assert_eq!(Quantity::of(&Value::Null), None);
        assert_eq!(q("0.0001").round_up_milli().to_string(), "1m");
        assert_eq!(q("100m").round_up_milli().to_string(), "100m");
        assert_eq!(Quantity::from_milli(1500).to_string(), "1500m");
        assert_eq!(Quantity::from_bytes(8 << 30).to_string(), "8Gi");
    }
}
