//! Addresses: an IPv4 address with a prefix length, and the hardware address of an interface.

use core::fmt;
use core::str::FromStr;
use std::net::{Ipv4Addr, SocketAddrV4};

/// An IPv4 address with its prefix length: `10.244.1.7/24`. As a network, only the leading
/// `prefix` bits count.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ipv4Net {
    /// The address, host bits included.
    pub addr: Ipv4Addr,
    /// Leading bits that name the network, 0 to 32.
    pub prefix: u8,
}

impl Ipv4Net {
    /// `0.0.0.0/0`.
    pub const DEFAULT: Ipv4Net = Ipv4Net {
        addr: Ipv4Addr::UNSPECIFIED,
        prefix: 0,
    };

    /// `addr/prefix`; a prefix over 32 counts as 32.
    pub const fn new(addr: Ipv4Addr, prefix: u8) -> Ipv4Net {
        Ipv4Net {
            addr,
            prefix: if prefix > 32 { 32 } else { prefix },
        }
    }

    /// `addr/32`.
    pub const fn host(addr: Ipv4Addr) -> Ipv4Net {
        Ipv4Net::new(addr, 32)
    }

    /// The bits that name the network: `255.255.255.0` as a number.
    pub const fn mask(self) -> u32 {
        mask(self.prefix)
    }

    /// The network itself, host bits cleared.
    pub fn network(self) -> Ipv4Net {
        Ipv4Net {
            addr: Ipv4Addr::from(u32::from(self.addr) & self.mask()),
            ..self
        }
    }

    /// Whether `addr` lies in this network.
    pub fn contains(self, addr: Ipv4Addr) -> bool {
        u32::from(addr) & self.mask() == u32::from(self.addr) & self.mask()
    }

    /// The last address of the network.
    pub fn broadcast(self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.addr) | !self.mask())
    }

    /// The `n`th address of the network, 0 being the network's own; `None` past its end.
    pub fn nth(self, n: u32) -> Option<Ipv4Addr> {
        (n <= !self.mask()).then(|| Ipv4Addr::from(u32::from(self.network().addr) + n))
    }
}

/// The netmask of a prefix length.
pub(crate) const fn mask(prefix: u8) -> u32 {
    if prefix == 0 {
        0
    } else {
        u32::MAX << (32 - prefix)
    }
}

impl fmt::Display for Ipv4Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.addr, self.prefix)
    }
}

impl fmt::Debug for Ipv4Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no address with a prefix length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotANet;

impl fmt::Display for NotANet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected an IPv4 address with a prefix length, such as 10.0.0.1/24")
    }
}

impl FromStr for Ipv4Net {
    type Err = NotANet;

    /// Reads `10.0.0.1/24`; a bare address means `/32`.
    fn from_str(text: &str) -> Result<Ipv4Net, NotANet> {
        let (addr, prefix) = match text.split_once('/') {
            Some((addr, prefix)) => (addr, prefix.parse().map_err(|_| NotANet)?),
            None => (text, 32),
        };
        if prefix > 32 {
            return Err(NotANet);
        }
        Ok(Ipv4Net {
            addr: addr.parse().map_err(|_| NotANet)?,
            prefix,
        })
    }
}

/// A hardware address; 48 bits count.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(u64);

impl Mac {
    /// The address whose bits are the lower 48 of `bits`.
    pub const fn new(bits: u64) -> Mac {
        Mac(bits & 0xffff_ffff_ffff)
    }

    /// The address of the `serial`th interface of a world: locally administered, unicast, distinct
    /// for distinct serials, and scattered as the kernel's random ones are.
    pub(crate) fn of_serial(serial: u64) -> Mac {
        // Odd multipliers are bijective on 40 bits, so no two serials share an address.
        let scattered = serial.wrapping_add(1).wrapping_mul(0x9e_3779_b97f) & 0xff_ffff_ffff;
        let first = (scattered.wrapping_mul(0xd1b5) >> 8 & 0xfc) | 0x02;
        Mac::new(first << 40 | scattered)
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [_, _, a, b, c, d, e, g] = self.0.to_be_bytes();
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Both ends of a flow in one machine word and a half, for fast lookups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Tuple {
    addrs: u64,
    ports: u32,
}

impl Tuple {
    #[inline]
    pub(crate) fn new(local: SocketAddrV4, remote: SocketAddrV4) -> Tuple {
        Tuple {
            addrs: u64::from(u32::from(*local.ip())) << 32 | u64::from(u32::from(*remote.ip())),
            ports: u32::from(local.port()) << 16 | u32::from(remote.port()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_read_and_contain() {
        let net: Ipv4Net = "10.244.1.7/24".parse().expect("a net");
        assert_eq!(net.to_string(), "10.244.1.7/24");
        assert_eq!(net.network().to_string(), "10.244.1.0/24");
        assert_eq!(net.broadcast(), Ipv4Addr::new(10, 244, 1, 255));
        assert!(net.contains(Ipv4Addr::new(10, 244, 1, 255)));
        assert!(!net.contains(Ipv4Addr::new(10, 244, 2, 0)));
        assert_eq!(net.nth(2), Some(Ipv4Addr::new(10, 244, 1, 2)));
        assert_eq!(net.nth(256), None);
        assert!(Ipv4Net::DEFAULT.contains(Ipv4Addr::BROADCAST));
        assert_eq!(Ipv4Net::DEFAULT.nth(u32::MAX), Some(Ipv4Addr::BROADCAST));
        for bad in ["10.0.0.1/33", "10.0.0/24", "x", "10.0.0.1/", "10.0.0.1/-1"] {
            assert_eq!(bad.parse::<Ipv4Net>(), Err(NotANet), "{bad}");
        }
        assert_eq!(
            "10.0.0.1".parse(),
            Ok(Ipv4Net::host(Ipv4Addr::new(10, 0, 0, 1)))
        );
    }

    #[test]
    fn hardware_addresses_are_distinct_local_and_unicast() {
        let mut seen = std::collections::BTreeSet::new();
        for serial in 0..20_000 {
            let mac = Mac::of_serial(serial);
            assert_eq!(mac.0 >> 40 & 3, 2, "{mac}");
            assert!(seen.insert(mac));
        }
    }
}
