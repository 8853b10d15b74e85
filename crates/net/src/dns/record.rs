//! Resource records, and how master files and `dig` write them.

use core::fmt;
use core::str::FromStr;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::rc::Rc;

use super::IN;

/// A resource record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The name it is about, absolute.
    pub name: Rc<str>,
    /// Its class; EDNS keeps the largest datagram here.
    pub class: u16,
    /// Seconds it may be kept; EDNS keeps its flags here.
    pub ttl: u32,
    /// What it says.
    pub data: RecordData,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordData {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// The name is another name for this one.
    Cname(Rc<str>),
    /// A name server of the zone.
    Ns(Rc<str>),
    /// The name an address has.
    Ptr(Rc<str>),
    /// The facts of a zone.
    Soa(Box<Soa>),
    /// Who takes mail: preference and host.
    Mx(u16, Rc<str>),
    /// Texts.
    Txt(Vec<Rc<[u8]>>),
    /// Where a service is.
    Srv {
        /// Lower is tried first.
        priority: u16,
        /// Share among those of a priority.
        weight: u16,
        /// Its port.
        port: u16,
        /// Its host.
        target: Rc<str>,
    },
    /// EDNS: options as they come.
    Opt(Rc<[u8]>),
    /// Another type: its number and the bytes as they come.
    Other(RecordType, Rc<[u8]>),
}

/// The facts of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Soa {
    pub mname: Rc<str>,
    pub rname: Rc<str>,
    pub serial: u32,
    pub refresh: u32,
    pub retry: u32,
    pub expire: u32,
    pub minimum: u32,
}

/// The type of a record, or of those wanted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordType(pub u16);

const NAMES: &[(RecordType, &str)] = &[
    (RecordType::A, "A"),
    (RecordType::NS, "NS"),
    (RecordType::CNAME, "CNAME"),
    (RecordType::SOA, "SOA"),
    (RecordType::PTR, "PTR"),
    (RecordType::MX, "MX"),
    (RecordType::TXT, "TXT"),
    (RecordType::AAAA, "AAAA"),
    (RecordType::SRV, "SRV"),
    (RecordType::OPT, "OPT"),
    (RecordType::AXFR, "AXFR"),
    (RecordType::ANY, "ANY"),
    (RecordType(35), "NAPTR"),
    (RecordType(43), "DS"),
    (RecordType(46), "RRSIG"),
    (RecordType(48), "DNSKEY"),
    (RecordType(65), "HTTPS"),
    (RecordType(257), "CAA"),
];

#[allow(missing_docs)]
impl RecordType {
    pub const A: RecordType = RecordType(1);
    pub const NS: RecordType = RecordType(2);
    pub const CNAME: RecordType = RecordType(5);
    pub const SOA: RecordType = RecordType(6);
    pub const PTR: RecordType = RecordType(12);
    pub const MX: RecordType = RecordType(15);
    pub const TXT: RecordType = RecordType(16);
    pub const AAAA: RecordType = RecordType(28);
    pub const SRV: RecordType = RecordType(33);
    pub const OPT: RecordType = RecordType(41);
    pub const AXFR: RecordType = RecordType(252);
    pub const ANY: RecordType = RecordType(255);
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(own, _)| own == self) {
            Some((_, name)) => f.write_str(name),
            None => write!(f, "TYPE{}", self.0),
        }
    }
}

impl fmt::Debug for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A word that names no type of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownType;

impl FromStr for RecordType {
    type Err = UnknownType;

    /// Reads `AAAA`, `aaaa` and `TYPE28`.
    fn from_str(text: &str) -> Result<RecordType, UnknownType> {
        let named = NAMES
            .iter()
            .find(|(_, name)| name.eq_ignore_ascii_case(text));
        if let Some((kind, _)) = named {
            return Ok(*kind);
        }
        let upper = text.to_ascii_uppercase();
        let number = upper.strip_prefix("TYPE").ok_or(UnknownType)?;
        number.parse().map(RecordType).map_err(|_| UnknownType)
    }
}

impl Record {
    /// A record of the Internet.
    pub fn new(name: &str, ttl: u32, data: RecordData) -> Record {
        Record {
            name: super::absolute(name),
            class: IN,
            ttl,
            data,
        }
    }
}

impl RecordData {
    /// The record's type.
    pub fn kind(&self) -> RecordType {
        match self {
            RecordData::A(_) => RecordType::A,
            RecordData::Aaaa(_) => RecordType::AAAA,
            RecordData::Cname(_) => RecordType::CNAME,
            RecordData::Ns(_) => RecordType::NS,
            RecordData::Ptr(_) => RecordType::PTR,
            RecordData::Soa(_) => RecordType::SOA,
            RecordData::Mx(..) => RecordType::MX,
            RecordData::Txt(_) => RecordType::TXT,
            RecordData::Srv { .. } => RecordType::SRV,
            RecordData::Opt(_) => RecordType::OPT,
            RecordData::Other(kind, _) => *kind,
        }
    }
}

impl fmt::Display for RecordData {
    /// As a master file has it: `10 mail.example.org.`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecordData::A(addr) => write!(f, "{addr}"),
            RecordData::Aaaa(addr) => write!(f, "{addr}"),
            RecordData::Cname(name) | RecordData::Ns(name) | RecordData::Ptr(name) => {
                f.write_str(name)
            }
            RecordData::Soa(soa) => {
                let Soa {
                    mname,
                    rname,
                    serial,
                    refresh,
                    retry,
                    expire,
                    minimum,
                } = &**soa;
                write!(
                    f,
                    "{mname} {rname} {serial} {refresh} {retry} {expire} {minimum}"
                )
            }
            RecordData::Mx(preference, host) => write!(f, "{preference} {host}"),
            RecordData::Txt(texts) => {
                for (at, text) in texts.iter().enumerate() {
                    let space = if at == 0 { "" } else { " " };
                    write!(f, "{space}\"{}\"", String::from_utf8_lossy(text))?;
                }
                Ok(())
            }
            RecordData::Srv {
                priority,
                weight,
                port,
                target,
            } => write!(f, "{priority} {weight} {port} {target}"),
            RecordData::Opt(bytes) | RecordData::Other(_, bytes) => {
                write!(f, "\\# {}", bytes.len())?;
                bytes.iter().try_for_each(|byte| write!(f, " {byte:02X}"))
            }
        }
    }
}
