//! Numbers, ports and protocols as iptables reads and prints them.
//! Models libxtables/xtables.c (xtables_strtoui, xtables_parse_port, xtables_chain_protos).

use core::fmt::Write;

/// Protocols iptables knows by name, and their numbers.
const PROTOCOLS: &[(&str, u8)] = &[
    ("tcp", 6),
    ("sctp", 132),
    ("udp", 17),
    ("udplite", 136),
    ("icmp", 1),
    ("icmpv6", 58),
    ("ipv6-icmp", 58),
    ("esp", 50),
    ("ah", 51),
    ("ipv6-mh", 135),
    ("mh", 135),
    ("dccp", 33),
    ("gre", 47),
    ("ipip", 94),
    ("ipv6", 41),
    ("igmp", 2),
];

/// Services of /etc/services that people write into rules.
const SERVICES: &[(&str, u16)] = &[
    ("ftp", 21),
    ("ssh", 22),
    ("telnet", 23),
    ("smtp", 25),
    ("domain", 53),
    ("http", 80),
    ("pop3", 110),
    ("ntp", 123),
    ("imap2", 143),
    ("https", 443),
    ("mysql", 3306),
    ("postgresql", 5432),
    ("http-alt", 8080),
];

/// A number, decimal, hexadecimal with `0x` or octal with `0`.
pub(crate) fn parse_u32(text: &str) -> Option<u32> {
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u32::from_str_radix(hex, 16).ok();
    }
    match text.strip_prefix('0') {
        Some(octal) if !octal.is_empty() => u32::from_str_radix(octal, 8).ok(),
        _ => text.parse().ok(),
    }
}

/// `value[/mask]`; without a mask every bit counts.
pub(crate) fn parse_masked(text: &str) -> Option<(u32, u32)> {
    match text.split_once('/') {
        Some((value, mask)) => Some((parse_u32(value)?, parse_u32(mask)?)),
        None => Some((parse_u32(text)?, u32::MAX)),
    }
}

/// Appends ` 0x4000/0x4000`, or ` 0x1` where every bit counts.
pub(crate) fn print_masked(out: &mut String, value: u32, mask: u32) {
    let _ = match mask {
        u32::MAX => write!(out, " {value:#x}"),
        mask => write!(out, " {value:#x}/{mask:#x}"),
    };
}

/// The number of a protocol; `None` if nobody knows it. `all` is 0.
pub(crate) fn parse_protocol(text: &str) -> Option<u8> {
    let text = text.to_ascii_lowercase();
    if text == "all" {
        return Some(0);
    }
    let named = PROTOCOLS.iter().find(|(name, _)| *name == text);
    named.map_or_else(|| text.parse().ok(), |(_, number)| Some(*number))
}

/// The name of a protocol, or its number.
pub(crate) fn protocol_name(number: u8) -> String {
    match PROTOCOLS.iter().find(|(_, own)| *own == number) {
        Some((name, _)) => (*name).to_owned(),
        None if number == 0 => "all".to_owned(),
        None => number.to_string(),
    }
}

/// A port by number or by its service's name.
pub(crate) fn parse_port(text: &str) -> Result<u16, String> {
    let named = SERVICES.iter().find(|(name, _)| *name == text);
    match named {
        Some((_, port)) => Ok(*port),
        None => text
            .parse()
            .map_err(|_| format!("invalid port/service `{text}' specified")),
    }
}

/// The name of a port's service.
pub(crate) fn service_name(port: u16) -> Option<&'static str> {
    let (name, _) = SERVICES.iter().find(|(_, own)| *own == port)?;
    Some(name)
}

/// Inclusive bounds of ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PortRange {
    pub(crate) first: u16,
    pub(crate) last: u16,
}

impl PortRange {
    /// `80`, `80:90`, `:90` or `80:`, with `separator` between the bounds.
    pub(crate) fn parse(text: &str, separator: char) -> Result<PortRange, String> {
        let Some((first, last)) = text.split_once(separator) else {
            let port = parse_port(text)?;
            return Ok(PortRange {
                first: port,
                last: port,
            });
        };
        let first = if first.is_empty() {
            0
        } else {
            parse_port(first)?
        };
        let last = if last.is_empty() {
            u16::MAX
        } else {
            parse_port(last)?
        };
        if first > last {
            return Err("invalid portrange (min > max)".to_owned());
        }
        Ok(PortRange { first, last })
    }

    pub(crate) fn contains(self, port: u16) -> bool {
        (self.first..=self.last).contains(&port)
    }

    /// Appends `80` or `80:90`.
    pub(crate) fn print(self, out: &mut String, separator: char) {
        let _ = match self.first == self.last {
            true => write!(out, "{}", self.first),
            false => write!(out, "{}{separator}{}", self.first, self.last),
        };
    }

    /// The same for a person, who may prefer names.
    pub(crate) fn list(self, out: &mut String, numeric: bool) {
        match service_name(self.first).filter(|_| !numeric && self.first == self.last) {
            Some(name) => out.push_str(name),
            None => self.print(out, ':'),
        }
    }
}
