//! Numbers given as an integer or a percentage of another.
//!
//! Models k8s.io/apimachinery/pkg/util/intstr.

use crate::Value;

/// The integer a value stands for: itself, or so many percent of `total`. `None` if it is neither.
pub fn scaled(value: &Value, total: i64, round_up: bool) -> Option<i64> {
    match value {
        Value::Int(n) => Some(*n),
        Value::Str(text) => {
            let percent: i64 = text.strip_suffix('%')?.parse().ok()?;
            let product = i128::from(percent) * i128::from(total);
            let rounded = if round_up {
                product.div_euclid(100) + i128::from(product.rem_euclid(100) > 0)
            } else {
                product.div_euclid(100)
            };
            i64::try_from(rounded).ok()
        }
        _ => None,
    }
}

/// What the number or percentage is, without its sign of percent: for comparing with 0 and 100.
pub(crate) fn plain(value: &Value) -> (i64, bool) {
    match value {
        Value::Str(text) => match text.strip_suffix('%').and_then(|n| n.parse().ok()) {
            Some(percent) => (percent, true),
            None => (0, false),
        },
        other => (other.as_i64().unwrap_or(0), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages() {
        assert_eq!(scaled(&"25%".into(), 10, true), Some(3));
        assert_eq!(scaled(&"25%".into(), 10, false), Some(2));
        assert_eq!(scaled(&4.into(), 10, true), Some(4));
        assert_eq!(scaled(&"100%".into(), 3, true), Some(3));
        assert_eq!(scaled(&"lots".into(), 3, true), None);
    }
}
