//! DNS messages: what a resolver asks and what a name server answers, and their bytes. Knows
//! nothing of zones, servers or sockets.
//! Models RFC 1035 (messages and the common records), RFC 2782 (SRV), RFC 3596 (AAAA) and the
//! pseudo-record of RFC 6891 (OPT).

mod name;
mod record;
mod wire;

pub use name::{Name, NotAName};
pub use record::{Data, Record, RecordType, Soa};
pub use wire::Malformed;

use std::fmt;

use crate::payload::Payload;

/// The port name servers listen on, over UDP and TCP.
pub const PORT: u16 = 53;
/// The longest answer over UDP to a client that did not say it takes more.
pub const MAX_UDP: usize = 512;
/// The class of nearly everything: the Internet.
pub const CLASS_IN: u16 = 1;
/// Matches records of any class in a question.
pub const CLASS_ANY: u16 = 255;

/// How an answer went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rcode(pub u8);

impl Rcode {
    /// There is the name; there need not be records of the type.
    pub const NOERROR: Rcode = Rcode(0);
    /// The server could not read the question.
    pub const FORMERR: Rcode = Rcode(1);
    /// The server could not find out.
    pub const SERVFAIL: Rcode = Rcode(2);
    /// There is no such name.
    pub const NXDOMAIN: Rcode = Rcode(3);
    /// The server does not do that.
    pub const NOTIMP: Rcode = Rcode(4);
    /// The server will not.
    pub const REFUSED: Rcode = Rcode(5);
}

impl fmt::Display for Rcode {
    /// `NXDOMAIN`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match *self {
            Rcode::NOERROR => "NOERROR",
            Rcode::FORMERR => "FORMERR",
            Rcode::SERVFAIL => "SERVFAIL",
            Rcode::NXDOMAIN => "NXDOMAIN",
            Rcode::NOTIMP => "NOTIMP",
            Rcode::REFUSED => "REFUSED",
            Rcode(other) => return write!(f, "RCODE{other}"),
        };
        f.pad(name)
    }
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// About which name, in the letters the client used.
    pub name: Name,
    /// For records of which type.
    pub qtype: RecordType,
    /// Of which class; [`CLASS_IN`].
    pub class: u16,
}

/// A message, question or answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// An answer carries the number of its question.
    pub id: u16,
    /// Whether it is an answer (QR).
    pub response: bool,
    /// What kind of question; 0 is the ordinary one.
    pub opcode: u8,
    /// The server answers for its own zone (AA).
    pub authoritative: bool,
    /// There is more than fits; to be asked again over TCP (TC).
    pub truncated: bool,
    /// The client wants the server to ask others (RD).
    pub recursion_desired: bool,
    /// The server would (RA).
    pub recursion_available: bool,
    /// The server has checked signatures (AD).
    pub authentic: bool,
    /// The client does not want that (CD).
    pub checking_disabled: bool,
    /// How it went.
    pub rcode: Rcode,
    /// What is asked; nearly always one.
    pub questions: Vec<Question>,
    /// The records asked for.
    pub answers: Vec<Record>,
    /// Who is responsible: the zone's SOA where there is no such name.
    pub authority: Vec<Record>,
    /// Records that spare the client a further question, and OPT.
    pub additional: Vec<Record>,
}

impl Message {
    /// An ordinary question, for which the server may ask others.
    #[must_use]
    pub fn query(id: u16, name: Name, qtype: RecordType) -> Message {
        Message {
            id,
            recursion_desired: true,
            questions: vec![Question {
                name,
                qtype,
                class: CLASS_IN,
            }],
            ..Message::default()
        }
    }

    /// An empty answer to this question.
    #[must_use]
    pub fn reply(&self, rcode: Rcode) -> Message {
        Message {
            id: self.id,
            response: true,
            opcode: self.opcode,
            recursion_desired: self.recursion_desired,
            checking_disabled: self.checking_disabled,
            rcode,
            questions: self.questions.clone(),
            ..Message::default()
        }
    }

    /// The longest answer over UDP that the sender of this question takes, in bytes.
    #[must_use]
    pub fn udp_size(&self) -> usize {
        let opt = self.opt();
        opt.map_or(MAX_UDP, |opt| usize::from(opt.class).max(MAX_UDP))
    }

    /// The pseudo-record that says what the sender can do.
    #[must_use]
    pub fn opt(&self) -> Option<&Record> {
        let mut additional = self.additional.iter();
        additional.find(|record| record.data.record_type() == RecordType::OPT)
    }

    /// The bytes of a datagram no longer than `limit`: whole records go, from the end, and the
    /// message says that it is truncated.
    #[must_use]
    pub fn encode_within(&self, limit: usize) -> Vec<u8> {
        let bytes = self.encode();
        if bytes.len() <= limit {
            return bytes;
        }
        let mut short = self.clone();
        short.truncated = true;
        short
            .additional
            .retain(|record| record.data.record_type() == RecordType::OPT);
        loop {
            let bytes = short.encode();
            let shortened = short.authority.pop().or_else(|| short.answers.pop());
            if bytes.len() <= limit || shortened.is_none() {
                return bytes;
            }
        }
    }

    /// The message as it goes over TCP: behind two bytes that give its length.
    #[must_use]
    pub fn encode_framed(&self) -> Payload {
        let bytes = self.encode();
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        let mut framed = length.to_be_bytes().to_vec();
        framed.extend(bytes);
        framed.into()
    }

    /// The first message of a stream of framed ones, and the bytes it takes; none while it is not
    /// whole.
    #[must_use]
    pub fn decode_framed(bytes: &[u8]) -> Option<(Result<Message, Malformed>, usize)> {
        let length = usize::from(u16::from_be_bytes(*bytes.first_chunk()?));
        let message = bytes.get(2..2 + length)?;
        Some((Message::decode(message), 2 + length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn name(text: &str) -> Name {
        text.parse().expect("a name")
    }

    fn answer(addresses: u8) -> Message {
        let query = Message::query(7, name("web.shop.svc.cluster.local"), RecordType::A);
        let mut answer = query.reply(Rcode::NOERROR);
        answer.authoritative = true;
        answer.answers = (0..addresses)
            .map(|n| {
                let data = Data::A(Ipv4Addr::new(10, 244, 0, n));
                Record::new(query.questions[0].name.clone(), 30, data)
            })
            .collect();
        answer
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut message = answer(2);
        let soa = Soa {
            primary: name("ns.dns.cluster.local"),
            mailbox: name("hostmaster.cluster.local"),
            serial: 1_767_603_600,
            refresh: 7200,
            retry: 1800,
            expire: 86400,
            minimum: 30,
        };
        let zone = name("cluster.local");
        message
            .authority
            .push(Record::new(zone.clone(), 30, Data::Soa(soa)));
        let srv = Data::Srv {
            priority: 0,
            weight: 100,
            port: 80,
            target: name("web.shop.svc.cluster.local"),
        };
        for data in [
            srv,
            Data::Ptr(zone.clone()),
            Data::Txt(vec![b"1.1.0".as_slice().into()]),
            Data::Aaaa("fd00::1".parse().expect("an address")),
            Data::Other(RecordType(99), b"xyz".as_slice().into()),
        ] {
            message.additional.push(Record::new(zone.clone(), 5, data));
        }
        assert_eq!(Message::decode(&message.encode()), Ok(message));
    }

    #[test]
    fn a_name_that_was_written_before_is_a_pointer() {
        let one = answer(1).encode().len();
        let two = answer(2).encode().len();
        // Pointer, type, class, time to live, length, address.
        assert_eq!(two - one, 2 + 2 + 2 + 4 + 2 + 4);
    }

    #[test]
    fn what_does_not_fit_a_datagram_is_left_out() {
        let message = answer(100);
        let bytes = message.encode_within(MAX_UDP);
        assert!(bytes.len() <= MAX_UDP && bytes.len() > MAX_UDP - 16);
        let read = Message::decode(&bytes).expect("a message");
        assert!(read.truncated);
        assert_eq!(read.answers[..], message.answers[..read.answers.len()]);
        assert_eq!(answer(1).encode_within(MAX_UDP), answer(1).encode());
    }

    #[test]
    fn streams_carry_whole_messages() {
        let message = answer(1);
        let bytes = message.encode_framed().bytes();
        assert_eq!(Message::decode_framed(&bytes[..bytes.len() - 1]), None);
        let read = Message::decode_framed(&bytes);
        assert_eq!(read, Some((Ok(message), bytes.len())));
    }
}
