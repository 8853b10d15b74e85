//! Networks as fields hold them.
//!
//! Models `IsValidCIDR` of k8s.io/apimachinery/pkg/util/validation.

use std::fmt::Display;
use std::net::IpAddr;

use super::check::Errors;
use crate::field::FieldError;

/// A network: its bits, how many of them count, and how many an address of its family has.
pub(super) struct Cidr {
    bits: u128,
    length: u32,
    family: u32,
}

impl Cidr {
    /// Reads `10.0.0.0/8`.
    pub(super) fn parse(text: &str) -> Option<Cidr> {
        let (address, length) = text.split_once('/')?;
        let (bits, family) = match address.parse().ok()? {
            IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
            IpAddr::V6(address) => (u128::from(address), 128),
        };
        let plain = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
        let length: u32 = length.parse().ok().filter(|_| plain)?;
        (length <= family).then_some(Cidr {
            bits,
            length,
            family,
        })
    }

    /// Whether another network lies in this one and is smaller.
    pub(super) fn contains_strictly(&self, other: &Cidr) -> bool {
        let prefix = |of: &Cidr| of.bits.checked_shr(self.family - self.length).unwrap_or(0);
        self.family == other.family && self.length < other.length && prefix(self) == prefix(other)
    }
}

/// The network a field names, or what is wrong with it.
pub(super) fn checked(text: &str, path: impl Display, out: &mut Errors) -> Option<Cidr> {
    let network = Cidr::parse(text);
    if network.is_none() {
        let says = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
        out.push(FieldError::invalid(path, text, says));
    }
    network
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(whole: &str, part: &str, expected: bool) {
        let parse = |text| Cidr::parse(text).expect("a network");
        assert_eq!(parse(whole).contains_strictly(&parse(part)), expected);
    }

    #[test]
    fn networks_in_networks() {
        check("10.0.0.0/8", "10.1.0.0/16", true);
        check("10.0.0.0/8", "11.1.0.0/16", false);
        check("10.0.0.0/8", "10.0.0.0/8", false);
        check("0.0.0.0/0", "10.0.0.0/8", true);
        check("::/0", "10.0.0.0/8", false);
        assert!(Cidr::parse("10.0.0.0/33").is_none() && Cidr::parse("10.0.0.0").is_none());
    }
}
