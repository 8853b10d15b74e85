//! DNS messages and their form on the wire, for those who ask and those who answer. Knows nothing
//! of sockets, zones or caches. Models RFC 1035, RFC 2782 (SRV), RFC 3596 (AAAA), RFC 6891 (EDNS).

mod record;
mod wire;

use core::fmt;
use std::rc::Rc;

use crate::Payload;

pub use record::{Record, RecordData, RecordType, Soa};
pub use wire::Malformed;

/// The port of name servers.
pub const PORT: u16 = 53;
/// The class of everything on the Internet.
pub const IN: u16 = 1;

/// A query or a response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// By which a response is matched to its query.
    pub id: u16,
    /// What the header says beyond that.
    pub flags: Flags,
    /// How it went; of a response.
    pub rcode: Rcode,
    /// What is asked.
    pub questions: Vec<Question>,
    /// What was found.
    pub answers: Vec<Record>,
    /// Who knows about it.
    pub authorities: Vec<Record>,
    /// What may help further.
    pub additionals: Vec<Record>,
}

/// The flags of a message's header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// It is a response (QR).
    pub response: bool,
    /// Kind of query: 0 is a standard one.
    pub opcode: u8,
    /// The server is an authority for the name (AA).
    pub authoritative: bool,
    /// It was cut to fit (TC).
    pub truncated: bool,
    /// The server shall ask others (RD).
    pub recursion_desired: bool,
    /// The server would ask others (RA).
    pub recursion_available: bool,
    /// The server has checked signatures (AD).
    pub authentic: bool,
    /// Unchecked data is welcome (CD).
    pub checking_disabled: bool,
}

/// How a query went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rcode {
    /// The name exists; there may be no records of the type asked for.
    #[default]
    NoError,
    /// The server did not understand the query.
    FormErr,
    /// The server failed.
    ServFail,
    /// There is no such name.
    NxDomain,
    /// The server does not do that.
    NotImp,
    /// The server does not want to.
    Refused,
    /// Another one, by number.
    Other(u8),
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The name, absolute: `web.default.svc.cluster.local.`
    pub name: Rc<str>,
    /// The type of records wanted.
    pub kind: RecordType,
    /// Its class, nearly always [`IN`].
    pub class: u16,
}

impl Rcode {
    /// Of a number in the header.
    pub const fn of(number: u8) -> Rcode {
        match number {
            0 => Rcode::NoError,
            1 => Rcode::FormErr,
            2 => Rcode::ServFail,
            3 => Rcode::NxDomain,
            4 => Rcode::NotImp,
            5 => Rcode::Refused,
            other => Rcode::Other(other),
        }
    }

    /// Its number in the header.
    pub const fn number(self) -> u8 {
        match self {
            Rcode::NoError => 0,
            Rcode::FormErr => 1,
            Rcode::ServFail => 2,
            Rcode::NxDomain => 3,
            Rcode::NotImp => 4,
            Rcode::Refused => 5,
            Rcode::Other(number) => number,
        }
    }
}

impl fmt::Display for Rcode {
    /// `NXDOMAIN`, as every tool prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Rcode::NoError => "NOERROR",
            Rcode::FormErr => "FORMERR",
            Rcode::ServFail => "SERVFAIL",
            Rcode::NxDomain => "NXDOMAIN",
            Rcode::NotImp => "NOTIMP",
            Rcode::Refused => "REFUSED",
            Rcode::Other(number) => return write!(f, "RESERVED{number}"),
        })
    }
}

impl Message {
    /// A query for the records of `kind` at `name`, which is taken as absolute; others may be asked.
    pub fn query(id: u16, name: &str, kind: RecordType) -> Message {
        let question = Question {
            name: absolute(name),
            kind,
            class: IN,
        };
        Message {
            id,
            flags: Flags {
                recursion_desired: true,
                ..Flags::default()
            },
            questions: vec![question],
            ..Message::default()
        }
    }

    /// A response to this query, without records: they are to be added.
    pub fn reply(&self, rcode: Rcode) -> Message {
        let flags = Flags {
            response: true,
            opcode: self.flags.opcode,
            recursion_desired: self.flags.recursion_desired,
            checking_disabled: self.flags.checking_disabled,
            ..Flags::default()
        };
        Message {
            id: self.id,
            flags,
            rcode,
            questions: self.questions.clone(),
            ..Message::default()
        }
    }

    /// As a datagram.
    pub fn payload(&self) -> Payload {
        self.encode().as_slice().into()
    }
}

/// A name with the dot at its end.
pub fn absolute(name: &str) -> Rc<str> {
    if name.ends_with('.') {
        name.into()
    } else {
        format!("{name}.").into()
    }
}
