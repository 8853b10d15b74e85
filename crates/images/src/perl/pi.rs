//! The digits of π, by Machin's formula: π = 16 arctan(1/5) − 4 arctan(1/239). Models what
//! Math::BigFloat's `bpi` prints.

/// A fraction in base a milliard, the digits before the point first.
type Fixed = Vec<u32>;

const BASE: u64 = 1_000_000_000;
/// Digits of one place of a number.
const WIDTH: usize = 9;
/// More digits than are asked for, so that what is cut off while computing does no harm.
const SPARE: usize = 18;

/// π rounded to so many digits in all; 40 if none are asked for.
pub(super) fn digits(count: usize) -> String {
    let count = if count == 0 { 40 } else { count };
    let places = 1 + (count + SPARE) / WIDTH;
    let mut pi = vec![0; places + 1];
    add(&mut pi, &arctan(16, 5, places), true);
    add(&mut pi, &arctan(4, 239, places), false);
    let decimals: String = pi[1..].iter().map(|place| format!("{place:09}")).collect();
    let text = format!("{}{decimals}", pi[0]);
    let (kept, rest) = text.split_at(count);
    let mut kept = kept.as_bytes().to_vec();
    if rest.as_bytes().first().is_some_and(|next| *next >= b'5') {
        for digit in kept.iter_mut().rev() {
            if *digit < b'9' {
                *digit += 1;
                break;
            }
            *digit = b'0';
        }
    }
    let kept = String::from_utf8_lossy(&kept);
    match kept.split_at(1) {
        (whole, "") => whole.to_owned(),
        (whole, decimals) => format!("{whole}.{decimals}"),
    }
}

/// `factor` × arctan(1/`of`).
fn arctan(factor: u32, of: u64, places: usize) -> Fixed {
    let mut power = vec![0; places + 1];
    power[0] = factor;
    divide(&mut power, of);
    let mut sum = power.clone();
    let (mut odd, mut plus) = (3, false);
    while power.iter().any(|place| *place != 0) {
        divide(&mut power, of * of);
        let mut term = power.clone();
        divide(&mut term, odd);
        add(&mut sum, &term, plus);
        odd += 2;
        plus = !plus;
    }
    sum
}

fn divide(number: &mut Fixed, by: u64) {
    let mut rest = 0;
    for place in number.iter_mut() {
        let all = rest * BASE + u64::from(*place);
        *place = u32::try_from(all / by).unwrap_or(u32::MAX);
        rest = all % by;
    }
}

fn add(sum: &mut Fixed, term: &Fixed, plus: bool) {
    let base = BASE as i64;
    let mut carry = 0;
    for (place, other) in sum.iter_mut().zip(term).rev() {
        let other = if plus {
            i64::from(*other)
        } else {
            -i64::from(*other)
        };
        let all = i64::from(*place) + other + carry;
        *place = u32::try_from(all.rem_euclid(base)).unwrap_or(0);
        carry = all.div_euclid(base);
    }
}

#[cfg(test)]
mod tests {
    use super::digits;

    #[track_caller]
    fn check(count: usize, expect: &str) {
        assert_eq!(digits(count), expect);
    }

    #[test]
    fn known_digits() {
        check(1, "3");
        check(2, "3.1");
        check(5, "3.1416");
        check(40, "3.141592653589793238462643383279502884197");
        check(51, "3.14159265358979323846264338327950288419716939937511");
        // The Feynman point: rounding carries through six nines.
        check(766, &format!("{}0000", digits(762)));
        assert!(digits(2000).ends_with("133904780275901"));
    }
}
