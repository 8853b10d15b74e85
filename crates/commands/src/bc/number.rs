//! Decimal numbers with a scale: the digits behind the point. Models bc's lib/number.c, for numbers of
//! up to 38 digits.

/// `digits / 10^scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) digits: i128,
    pub(super) scale: u32,
}

/// The largest scale a number can have here.
pub(super) const MAX_SCALE: u32 = 30;

fn power(of: u32) -> Option<i128> {
    10i128.checked_pow(of)
}

impl Number {
    pub(super) fn whole(digits: i128) -> Number {
        Number { digits, scale: 0 }
    }

    /// A number as it is written in a base; digits beyond the base count as its largest.
    pub(super) fn read(text: &str, base: u32) -> Option<Number> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let single = text.len() == 1;
        let value = |c: char| {
            let digit = c.to_digit(16).unwrap_or(0);
            i128::from(if single { digit } else { digit.min(base - 1) })
        };
        let base = i128::from(base);
        let mut digits = 0i128;
        for c in whole.chars() {
            digits = digits.checked_mul(base)?.checked_add(value(c))?;
        }
        let scale = u32::try_from(part.len()).ok()?;
        let (mut above, mut below) = (0i128, 1i128);
        for c in part.chars() {
            above = above.checked_mul(base)?.checked_add(value(c))?;
            below = below.checked_mul(base)?;
        }
        let unit = power(scale)?;
        let digits = digits.checked_mul(unit)?;
        let digits = digits.checked_add(above.checked_mul(unit)? / below)?;
        Some(Number { digits, scale })
    }

    /// The same with another scale, cut.
    pub(super) fn at(self, scale: u32) -> Option<Number> {
        let digits = match scale >= self.scale {
            true => self.digits.checked_mul(power(scale - self.scale)?)?,
            false => self.digits / power(self.scale - scale)?,
        };
        Some(Number { digits, scale })
    }

    fn both(self, other: Number) -> Option<(i128, i128, u32)> {
        let scale = self.scale.max(other.scale);
        Some((self.at(scale)?.digits, other.at(scale)?.digits, scale))
    }

    pub(super) fn plus(self, other: Number) -> Option<Number> {
        let (a, b, scale) = self.both(other)?;
        let digits = a.checked_add(b)?;
        Some(Number { digits, scale })
    }

    pub(super) fn negative(self) -> Number {
        let digits = -self.digits;
        Number { digits, ..self }
    }

    pub(super) fn times(self, other: Number, scale: u32) -> Option<Number> {
        let exact = Number {
            digits: self.digits.checked_mul(other.digits)?,
            scale: self.scale + other.scale,
        };
        let wanted = scale.max(self.scale).max(other.scale);
        exact.at(wanted.min(exact.scale))
    }

    /// Never by zero.
    pub(super) fn over(self, other: Number, scale: u32) -> Option<Number> {
        let above = self.digits.checked_mul(power(scale + other.scale)?)?;
        let below = other.digits.checked_mul(power(self.scale)?)?;
        let digits = above.checked_div(below)?;
        Some(Number { digits, scale })
    }

    /// Never by zero.
    pub(super) fn modulo(self, other: Number, scale: u32) -> Option<Number> {
        let rest = self.scale.max(scale + other.scale);
        let quotient = self.over(other, scale)?;
        let product = Number {
            digits: quotient.digits.checked_mul(other.digits)?,
            scale: quotient.scale + other.scale,
        };
        self.plus(product.negative())?.at(rest)
    }

    pub(super) fn raised(self, to: Number, scale: u32) -> Option<Number> {
        let exponent = to.at(0)?.digits;
        let count = u32::try_from(exponent.unsigned_abs()).ok()?;
        let exact = Number {
            digits: self.digits.checked_pow(count)?,
            scale: self.scale.checked_mul(count)?,
        };
        if exponent < 0 {
            return Number::whole(1).over(exact, scale);
        }
        exact.at(exact.scale.min(scale.max(self.scale)))
    }

    /// Of what is not negative.
    pub(super) fn root(self, scale: u32) -> Option<Number> {
        let scale = scale.max(self.scale);
        let wide = self.digits.checked_mul(power(2 * scale - self.scale)?)?;
        let digits = wide.isqrt();
        Some(Number { digits, scale })
    }

    pub(super) fn order(self, other: Number) -> Option<std::cmp::Ordering> {
        let (a, b, _) = self.both(other)?;
        Some(a.cmp(&b))
    }

    /// As it is printed: without a zero in front of the point.
    pub(super) fn shown(self, base: u32) -> Option<String> {
        let unit = power(self.scale)?;
        let sign = if self.digits < 0 { "-" } else { "" };
        let (whole, mut part) = (self.digits.abs() / unit, self.digits.abs() % unit);
        let mut text = if whole == 0 {
            String::new()
        } else {
            in_base(whole, base)
        };
        if self.scale > 0 && (base == 10 || self.digits != 0) {
            text.push('.');
            if base == 10 {
                text.push_str(&format!("{part:0>0$}", self.scale as usize));
            } else {
                // As many digits as it takes to tell the scale.
                let mut told = 1i128;
                while told < unit {
                    part = part.checked_mul(i128::from(base))?;
                    text.push_str(&in_base(part / unit, base));
                    part %= unit;
                    told = told.checked_mul(i128::from(base))?;
                }
            }
        }
        match self.digits {
            0 => Some("0".to_owned()),
            _ => Some(format!("{sign}{text}")),
        }
    }
}

/// A whole number; digits of a base above sixteen are numbers with blanks between them.
fn in_base(mut value: i128, base: u32) -> String {
    let wide = i128::from(base);
    let mut digits = Vec::new();
    loop {
        let digit = u32::try_from(value % wide).unwrap_or(0);
        digits.push(match base {
            ..=16 => char::from_digit(digit, 16)
                .unwrap_or('0')
                .to_ascii_uppercase()
                .to_string(),
            _ => format!(" {digit:02}"),
        });
        value /= wide;
        if value == 0 {
            break;
        }
    }
    digits.reverse();
    digits.concat()
}

/// A decimal number in thousandths, what is beyond them cut.
pub(crate) fn thousandths(text: &str) -> Option<i128> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = |c: char| c.is_ascii_digit() || c == '.';
    if digits.is_empty() || !digits.chars().all(plain) || digits.matches('.').count() > 1 {
        return None;
    }
    let number = Number::read(digits, 10)?.at(3)?.digits;
    Some(if digits.len() < text.len() {
        -number
    } else {
        number
    })
}
