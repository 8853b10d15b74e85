//! Resource records and their text form. Models RFC 1035, section 3.2.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::rc::Rc;

use super::name::Name;
use super::{CLASS_ANY, CLASS_IN};

/// The type of a record, or of what is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordType(pub u16);

/// Types with names.
const TYPES: [(RecordType, &str); 16] = [
    (RecordType::A, "A"),
    (RecordType::NS, "NS"),
    (RecordType::CNAME, "CNAME"),
    (RecordType::SOA, "SOA"),
    (RecordType::PTR, "PTR"),
    (RecordType(13), "HINFO"),
    (RecordType::MX, "MX"),
    (RecordType::TXT, "TXT"),
    (RecordType::AAAA, "AAAA"),
    (RecordType::SRV, "SRV"),
    (RecordType::OPT, "OPT"),
    (RecordType(43), "DS"),
    (RecordType(48), "DNSKEY"),
    (RecordType(65), "HTTPS"),
    (RecordType(252), "AXFR"),
    (RecordType::ANY, "ANY"),
];

impl RecordType {
    /// An IPv4 address.
    pub const A: RecordType = RecordType(1);
    /// A zone's name server.
    pub const NS: RecordType = RecordType(2);
    /// The name's other, proper name.
    pub const CNAME: RecordType = RecordType(5);
    /// What a zone says of itself.
    pub const SOA: RecordType = RecordType(6);
    /// The name of an address.
    pub const PTR: RecordType = RecordType(12);
    /// Who takes mail.
    pub const MX: RecordType = RecordType(15);
    /// Text.
    pub const TXT: RecordType = RecordType(16);
    /// An IPv6 address.
    pub const AAAA: RecordType = RecordType(28);
    /// Where a service is: machine and port.
    pub const SRV: RecordType = RecordType(33);
    /// What the sender of a message can do.
    pub const OPT: RecordType = RecordType(41);
    /// In a question: all there is.
    pub const ANY: RecordType = RecordType(255);

    /// The type called so, in any case: `a`, `SRV`, `TYPE99`.
    #[must_use]
    pub fn named(name: &str) -> Option<RecordType> {
        let upper = name.to_ascii_uppercase();
        let known = TYPES.iter().find(|(_, known)| *known == upper);
        let number = || upper.strip_prefix("TYPE")?.parse().ok().map(RecordType);
        known.map(|(rtype, _)| *rtype).or_else(number)
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match TYPES.iter().find(|(known, _)| known == self) {
            Some((_, name)) => f.pad(name),
            None => f.pad(&format!("TYPE{}", self.0)),
        }
    }
}

/// What a zone says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Soa {
    /// Its first name server.
    pub primary: Name,
    /// Whom to write to; the first dot stands for an at sign.
    pub mailbox: Name,
    /// Which edition of the zone it is.
    pub serial: u32,
    /// Seconds until other servers look for a new edition.
    pub refresh: u32,
    /// Seconds until they try again.
    pub retry: u32,
    /// Seconds until they give up.
    pub expire: u32,
    /// Seconds for which it may be remembered that there is no such name.
    pub minimum: u32,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// The proper name.
    Cname(Name),
    /// A zone's name server.
    Ns(Name),
    /// The name of an address.
    Ptr(Name),
    /// What a zone says of itself.
    Soa(Soa),
    /// Where a service is.
    Srv {
        /// The lowest is tried first.
        priority: u16,
        /// Among equals, the share of clients.
        weight: u16,
        /// The port there.
        port: u16,
        /// The machine.
        target: Name,
    },
    /// Who takes mail.
    Mx {
        /// The lowest is tried first.
        preference: u16,
        /// The machine.
        exchange: Name,
    },
    /// Texts of up to 255 bytes.
    Txt(Vec<Rc<[u8]>>),
    /// A type not read further.
    Other(RecordType, Rc<[u8]>),
}

impl Data {
    /// The type of the record.
    #[must_use]
    pub fn record_type(&self) -> RecordType {
        match self {
            Data::A(_) => RecordType::A,
            Data::Aaaa(_) => RecordType::AAAA,
            Data::Cname(_) => RecordType::CNAME,
            Data::Ns(_) => RecordType::NS,
            Data::Ptr(_) => RecordType::PTR,
            Data::Soa(_) => RecordType::SOA,
            Data::Srv { .. } => RecordType::SRV,
            Data::Mx { .. } => RecordType::MX,
            Data::Txt(_) => RecordType::TXT,
            Data::Other(rtype, _) => *rtype,
        }
    }
}

impl fmt::Display for Data {
    /// As a zone file has it: `0 100 80 web.shop.svc.cluster.local.`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Data::A(ip) => ip.fmt(f),
            Data::Aaaa(ip) => ip.fmt(f),
            Data::Cname(name) | Data::Ns(name) | Data::Ptr(name) => name.fmt(f),
            Data::Soa(soa) => {
                let Soa {
                    primary,
                    mailbox,
                    serial,
                    refresh,
                    retry,
                    expire,
                    minimum,
                } = soa;
                write!(
                    f,
                    "{primary} {mailbox} {serial} {refresh} {retry} {expire} {minimum}"
                )
            }
            Data::Srv {
                priority,
                weight,
                port,
                target,
            } => write!(f, "{priority} {weight} {port} {target}"),
            Data::Mx {
                preference,
                exchange,
            } => write!(f, "{preference} {exchange}"),
            Data::Txt(texts) => {
                let quoted: Vec<String> = texts.iter().map(|text| quote(text)).collect();
                f.write_str(&quoted.join(" "))
            }
            Data::Other(_, bytes) => {
                write!(f, "\\# {}", bytes.len())?;
                if !bytes.is_empty() {
                    f.write_str(" ")?;
                }
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
            }
        }
    }
}

fn quote(text: &[u8]) -> String {
    let mut quoted = String::from("\"");
    for byte in text {
        match byte {
            b'"' | b'\\' => {
                quoted.push('\\');
                quoted.push(char::from(*byte));
            }
            0x20..=0x7e => quoted.push(char::from(*byte)),
            _ => quoted.push_str(&format!("\\{byte:03}")),
        }
    }
    quoted.push('"');
    quoted
}

/// A resource record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whose it is.
    pub name: Name,
    /// [`CLASS_IN`]; in OPT the longest answer over UDP that the sender takes.
    pub class: u16,
    /// Seconds it may be remembered; flags in OPT.
    pub ttl: u32,
    /// What it says.
    pub data: Data,
}

impl Record {
    /// A record of the class IN.
    #[must_use]
    pub fn new(name: Name, ttl: u32, data: Data) -> Record {
        Record {
            name,
            class: CLASS_IN,
            ttl,
            data,
        }
    }

    /// The pseudo-record by which a sender says that it takes answers of up to `size` bytes.
    #[must_use]
    pub fn opt(size: u16) -> Record {
        Record {
            name: Name::root(),
            class: size,
            ttl: 0,
            data: Data::Other(RecordType::OPT, Rc::new([])),
        }
    }

    /// The name of its class: `IN`.
    #[must_use]
    pub fn class_name(&self) -> String {
        class_name(self.class)
    }
}

fn class_name(class: u16) -> String {
    match class {
        CLASS_IN => "IN".to_owned(),
        3 => "CH".to_owned(),
        4 => "HS".to_owned(),
        CLASS_ANY => "ANY".to_owned(),
        other => format!("CLASS{other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(data: Data, expect: &str) {
        assert_eq!(data.to_string(), expect);
    }

    #[test]
    fn records_are_printed_as_in_a_zone_file() {
        let name: Name = "web.shop".parse().unwrap();
        check(Data::A([10, 96, 0, 10].into()), "10.96.0.10");
        check(Data::Ptr(name.clone()), "web.shop.");
        let srv = Data::Srv {
            priority: 0,
            weight: 50,
            port: 80,
            target: name,
        };
        check(srv, "0 50 80 web.shop.");
        let text = Rc::from(*b"a \"b\"\n");
        check(Data::Txt(vec![text]), r#""a \"b\"\010""#);
        let other = Data::Other(RecordType(99), Rc::from(*b"\x01\xab"));
        check(other, "\\# 2 01AB");
    }

    #[test]
    fn types_have_names() {
        for (rtype, name) in TYPES {
            assert_eq!(RecordType::named(&name.to_lowercase()), Some(rtype));
            assert_eq!(rtype.to_string(), name);
        }
        assert_eq!(RecordType::named("type99"), Some(RecordType(99)));
        assert_eq!(RecordType::named("nonsense"), None);
    }
}
