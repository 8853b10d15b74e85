//! What Kubarium does not model, said at the point of use.

use core::fmt;

/// A part of the real system that is left out; its `Display` is what the user reads. The coverage
/// page lists every `unmodelled!` of the sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unmodelled {
    /// What is left out, as a noun phrase: `server-side apply`.
    pub what: &'static str,
}

impl fmt::Display for Unmodelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not modelled: {}", self.what)
    }
}

/// Registers something real that is left out, and gives the value to answer with.
#[macro_export]
macro_rules! unmodelled {
    ($what:literal) => {
        $crate::Unmodelled { what: $what }
    };
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_says_what_is_missing() {
        assert_eq!(unmodelled!("IPv6").to_string(), "not modelled: IPv6");
    }
}
