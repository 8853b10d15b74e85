//! DNS messages as bytes, names compressed as servers do it.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::rc::Rc;

use super::record::{Record, RecordData, RecordType, Soa};
use super::{Flags, Message, Question, Rcode};

/// Bytes of a header.
const HEADER: usize = 12;
/// Bytes of a label, and of a name with its lengths.
const MAX_LABEL: usize = 63;
const MAX_NAME: usize = 255;
/// The first offset a pointer cannot name.
const POINTER_END: usize = 0x4000;

/// Bytes that are no DNS message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl Message {
    /// Its bytes. Labels over 63 bytes are cut there.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        let Message {
            id,
            flags,
            rcode,
            questions,
            answers,
            authorities,
            additionals,
        } = self;
        out.u16(*id);
        out.u16(flag_bits(*flags) | u16::from(rcode.number() & 15));
        for count in [
            questions.len(),
            answers.len(),
            authorities.len(),
            additionals.len(),
        ] {
            out.u16(u16::try_from(count).unwrap_or(u16::MAX));
        }
        for Question { name, kind, class } in questions {
            out.name(name);
            out.u16(kind.0);
            out.u16(*class);
        }
        for record in answers.iter().chain(authorities).chain(additionals) {
            out.record(record);
        }
        out.bytes
    }

    /// Reads a message.
    pub fn decode(bytes: &[u8]) -> Result<Message, Malformed> {
        let mut reader = Reader { bytes, at: 0 };
        let id = reader.u16()?;
        let bits = reader.u16()?;
        let mut counts = [0; 4];
        for count in &mut counts {
            *count = reader.u16()?;
        }
        let [questions, answers, authorities, additionals] = counts;
        let mut message = Message {
            id,
            flags: flags_of(bits),
            rcode: Rcode::of((bits & 15) as u8),
            ..Message::default()
        };
        for _ in 0..questions {
            message.questions.push(Question {
                name: reader.name()?,
                kind: RecordType(reader.u16()?),
                class: reader.u16()?,
            });
        }
        let sections = [
            (answers, &mut message.answers),
            (authorities, &mut message.authorities),
            (additionals, &mut message.additionals),
        ];
        for (count, records) in sections {
            for _ in 0..count {
                records.push(reader.record()?);
            }
        }
        Ok(message)
    }
}

fn flag_bits(flags: Flags) -> u16 {
    let bit = |on: bool, at: u16| u16::from(on) << at;
    bit(flags.response, 15)
        | u16::from(flags.opcode & 15) << 11
        | bit(flags.authoritative, 10)
        | bit(flags.truncated, 9)
        | bit(flags.recursion_desired, 8)
        | bit(flags.recursion_available, 7)
        | bit(flags.authentic, 5)
        | bit(flags.checking_disabled, 4)
}

fn flags_of(bits: u16) -> Flags {
    let on = |at: u16| bits >> at & 1 == 1;
    Flags {
        response: on(15),
        opcode: (bits >> 11 & 15) as u8,
        authoritative: on(10),
        truncated: on(9),
        recursion_desired: on(8),
        recursion_available: on(7),
        authentic: on(5),
        checking_disabled: on(4),
    }
}

#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
    /// Where each name, and each end of one, was written.
    seen: BTreeMap<Rc<str>, usize>,
}

impl Writer {
    fn u16(&mut self, value: u16) {
        self.bytes.extend(value.to_be_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.bytes.extend(value.to_be_bytes());
    }

    fn name(&mut self, name: &str) {
        let mut rest = name.trim_end_matches('.');
        while !rest.is_empty() {
            let key: Rc<str> = rest.to_ascii_lowercase().into();
            if let Some(at) = self.seen.get(&key) {
                let pointer = 0xc000 | *at as u16;
                return self.u16(pointer);
            }
            if self.bytes.len() < POINTER_END {
                self.seen.insert(key, self.bytes.len());
            }
            let (label, after) = rest.split_once('.').unwrap_or((rest, ""));
            let label = &label.as_bytes()[..label.len().min(MAX_LABEL)];
            self.bytes.push(label.len() as u8);
            self.bytes.extend(label);
            rest = after;
        }
        self.bytes.push(0);
    }

    fn record(&mut self, record: &Record) {
        self.name(&record.name);
        self.u16(record.data.kind().0);
        self.u16(record.class);
        self.u32(record.ttl);
        let length_at = self.bytes.len();
        self.u16(0);
        self.data(&record.data);
        let length = self.bytes.len() - length_at - 2;
        let length = u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
        self.bytes[length_at..length_at + 2].copy_from_slice(&length);
    }

    fn data(&mut self, data: &RecordData) {
        match data {
            RecordData::A(addr) => self.bytes.extend(addr.octets()),
            RecordData::Aaaa(addr) => self.bytes.extend(addr.octets()),
            RecordData::Cname(name) | RecordData::Ns(name) | RecordData::Ptr(name) => {
                self.name(name);
            }
            RecordData::Soa(soa) => {
                self.name(&soa.mname);
                self.name(&soa.rname);
                for number in [soa.serial, soa.refresh, soa.retry, soa.expire, soa.minimum] {
                    self.u32(number);
                }
            }
            RecordData::Mx(preference, host) => {
                self.u16(*preference);
                self.name(host);
            }
            RecordData::Txt(texts) => {
                for text in texts {
                    let text = &text[..text.len().min(255)];
                    self.bytes.push(text.len() as u8);
                    self.bytes.extend(text);
                }
            }
            RecordData::Srv {
                priority,
                weight,
                port,
                target,
            } => {
                for number in [priority, weight, port] {
                    self.u16(*number);
                }
                self.name(target);
            }
            RecordData::Opt(bytes) | RecordData::Other(_, bytes) => self.bytes.extend(&**bytes),
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let end = self.at.checked_add(count).ok_or(Malformed)?;
        let taken = self.bytes.get(self.at..end).ok_or(Malformed)?;
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.take(N)?.try_into().map_err(|_| Malformed)
    }

    fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_be_bytes)
    }

    /// A name, which may go on elsewhere; pointers lead back only, so that it ends.
    fn name(&mut self) -> Result<Rc<str>, Malformed> {
        let mut name = String::new();
        let (mut at, mut limit, mut after) = (self.at, self.at, None);
        loop {
            let length = usize::from(*self.bytes.get(at).ok_or(Malformed)?);
            match length >> 6 {
                0 if length == 0 => break,
                0 => {
                    let label = self.bytes.get(at + 1..at + 1 + length).ok_or(Malformed)?;
                    name.push_str(&String::from_utf8_lossy(label));
                    name.push('.');
                    at += 1 + length;
                }
                3 => {
                    let low = usize::from(*self.bytes.get(at + 1).ok_or(Malformed)?);
                    let target = (length & 63) << 8 | low;
                    after.get_or_insert(at + 2);
                    if target >= limit || target < HEADER {
                        return Err(Malformed);
                    }
                    (at, limit) = (target, target);
                }
                _ => return Err(Malformed),
            }
            if name.len() > MAX_NAME {
                return Err(Malformed);
            }
        }
        self.at = after.unwrap_or(at + 1);
        Ok(if name.is_empty() {
            ".".into()
        } else {
            name.into()
        })
    }

    fn record(&mut self) -> Result<Record, Malformed> {
        let name = self.name()?;
        let kind = RecordType(self.u16()?);
        let class = self.u16()?;
        let ttl = self.u32()?;
        let length = usize::from(self.u16()?);
        let end = self.at + length;
        let data = self.data(kind, end)?;
        if self.at != end {
            return Err(Malformed);
        }
        Ok(Record {
            name,
            class,
            ttl,
            data,
        })
    }

    fn data(&mut self, kind: RecordType, end: usize) -> Result<RecordData, Malformed> {
        Ok(match kind {
            RecordType::A => RecordData::A(Ipv4Addr::from(self.array::<4>()?)),
            RecordType::AAAA => RecordData::Aaaa(Ipv6Addr::from(self.array::<16>()?)),
            RecordType::CNAME => RecordData::Cname(self.name()?),
            RecordType::NS => RecordData::Ns(self.name()?),
            RecordType::PTR => RecordData::Ptr(self.name()?),
            RecordType::SOA => RecordData::Soa(Box::new(Soa {
                mname: self.name()?,
                rname: self.name()?,
                serial: self.u32()?,
                refresh: self.u32()?,
                retry: self.u32()?,
                expire: self.u32()?,
                minimum: self.u32()?,
            })),
            RecordType::MX => RecordData::Mx(self.u16()?, self.name()?),
            RecordType::TXT => {
                let mut texts = Vec::new();
                while self.at < end {
                    let length = usize::from(self.array::<1>()?[0]);
                    texts.push(self.take(length)?.into());
                }
                RecordData::Txt(texts)
            }
            RecordType::SRV => RecordData::Srv {
                priority: self.u16()?,
                weight: self.u16()?,
                port: self.u16()?,
                target: self.name()?,
            },
            other => {
                let rest = end.checked_sub(self.at).ok_or(Malformed)?;
                let bytes = self.take(rest)?.into();
                match other {
                    RecordType::OPT => RecordData::Opt(bytes),
                    other => RecordData::Other(other, bytes),
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Message {
        let query = Message::query(7, "_http._tcp.web.shop.svc.cluster.local", RecordType::SRV);
        let mut message = query.reply(Rcode::NoError);
        message.flags.authoritative = true;
        let host = "10-244-1-2.web.shop.svc.cluster.local.";
        let records = [
            RecordData::Srv {
                priority: 0,
                weight: 100,
                port: 80,
                target: host.into(),
            },
            RecordData::Cname("web.shop.svc.cluster.local.".into()),
            RecordData::Txt(vec![b"a".as_slice().into(), b"".as_slice().into()]),
            RecordData::Mx(10, "mail.".into()),
            RecordData::Other(RecordType(65), [1, 2].as_slice().into()),
        ];
        let name = &query.questions[0].name;
        message.answers = records.map(|data| Record::new(name, 5, data)).to_vec();
        let soa = Soa {
            mname: "ns.dns.cluster.local.".into(),
            rname: "hostmaster.cluster.local.".into(),
            serial: 1,
            refresh: 7200,
            retry: 1800,
            expire: 86_400,
            minimum: 5,
        };
        message.authorities = vec![Record::new(
            "cluster.local.",
            5,
            RecordData::Soa(Box::new(soa)),
        )];
        let addr = RecordData::A(Ipv4Addr::new(10, 244, 1, 2));
        message.additionals = vec![
            Record::new(host, 5, addr),
            Record::new(host, 5, RecordData::Aaaa(Ipv6Addr::LOCALHOST)),
            Record {
                class: 1232,
                ..Record::new(".", 0, RecordData::Opt(Rc::from([])))
            },
        ];
        message
    }

    #[test]
    fn what_is_written_is_read() {
        let message = sample();
        let bytes = message.encode();
        assert_eq!(Message::decode(&bytes), Ok(message));
        // The name in full once, then as pointers.
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert_eq!(text.matches("cluster").count(), 1);
    }

    #[test]
    fn a_query_is_these_bytes() {
        let bytes = Message::query(0x1234, "a.bc", RecordType::AAAA).encode();
        let expected = [
            0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, b'a', 2, b'b', b'c', 0, 0, 28, 0, 1,
        ];
        assert_eq!(bytes, expected);
    }

    #[test]
    fn what_is_cut_or_circular_is_no_message() {
        let bytes = sample().encode();
        for end in 0..bytes.len() {
            assert_eq!(Message::decode(&bytes[..end]), Err(Malformed), "{end}");
        }
        let mut circle = Message::query(1, "", RecordType::A).encode();
        circle.splice(HEADER..=HEADER, [0xc0, 12]);
        assert_eq!(Message::decode(&circle), Err(Malformed));
    }

    #[test]
    fn types_have_names() {
        for (text, kind) in [
            ("aaaa", RecordType::AAAA),
            ("TYPE1", RecordType::A),
            ("type999", RecordType(999)),
        ] {
            assert_eq!(text.parse(), Ok(kind), "{text}");
        }
        assert_eq!(RecordType(999).to_string(), "TYPE999");
        assert!("x".parse::<RecordType>().is_err());
        let shown: Vec<String> = sample()
            .answers
            .iter()
            .map(|record| record.data.to_string())
            .collect();
        assert_eq!(
            shown,
            [
                "0 100 80 10-244-1-2.web.shop.svc.cluster.local.",
                "web.shop.svc.cluster.local.",
                "\"a\" \"\"",
                "10 mail.",
                "\\# 2 01 02"
            ]
        );
    }
}
