//! A float with a total order that prints as Go's encoding/json does.

use std::cmp::Ordering;
use std::fmt;

/// A finite number that is no `i64`.
#[derive(Clone, Copy)]
pub struct Float(f64);

impl Float {
    /// Wraps a number; negative zero becomes zero.
    pub const fn new(n: f64) -> Self {
        Float(if n == 0.0 { 0.0 } else { n })
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl PartialEq for Float {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Float {}

impl PartialOrd for Float {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Float {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl fmt::Display for Float {
    /// The shortest text that reads back the same: plain between 1e-6 and 1e21, else `1e+21`,
    /// `1e-7`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.0.abs();
        if !self.0.is_finite() {
            return f.write_str("null");
        }
        if size == 0.0 || (1e-6..1e21).contains(&size) {
            return write!(f, "{}", self.0);
        }
        let text = format!("{:e}", self.0);
        match text.split_once('e') {
            Some((digits, exp)) if !exp.starts_with('-') => write!(f, "{digits}e+{exp}"),
            _ => f.write_str(&text),
        }
    }
}

impl fmt::Debug for Float {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::Float;

    #[test]
    fn prints_as_go() {
        #[track_caller]
        fn check(n: f64, want: &str) {
            assert_eq!(Float::new(n).to_string(), want);
        }
        check(0.5, "0.5");
        check(-0.0, "0");
        check(1e20, "100000000000000000000");
        check(1e21, "1e+21");
        check(1.5e300, "1.5e+300");
        check(0.000001, "0.000001");
        check(0.0000001, "1e-7");
        check(3.0, "3");
    }
}
