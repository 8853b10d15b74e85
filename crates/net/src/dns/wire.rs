//! The bytes of messages. Models RFC 1035, section 4.

use std::collections::BTreeMap;
use std::fmt;

use super::name::Name;
use super::record::{Data, Record, RecordType, Soa};
use super::{Message, Question, Rcode};

/// Bytes that are no DNS message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("malformed DNS message")
    }
}

/// Flags of the header.
const QR: u16 = 1 << 15;
const AA: u16 = 1 << 10;
const TC: u16 = 1 << 9;
const RD: u16 = 1 << 8;
const RA: u16 = 1 << 7;
const AD: u16 = 1 << 5;
const CD: u16 = 1 << 4;
/// The two upper bits of a length that is a pointer.
const POINTER: u16 = 0xc000;

impl Message {
    /// Its bytes. Names that were written before are written as pointers to them.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        let flag = |on: bool, bit: u16| if on { bit } else { 0 };
        let flags = flag(self.response, QR)
            | u16::from(self.opcode & 15) << 11
            | flag(self.authoritative, AA)
            | flag(self.truncated, TC)
            | flag(self.recursion_desired, RD)
            | flag(self.recursion_available, RA)
            | flag(self.authentic, AD)
            | flag(self.checking_disabled, CD)
            | u16::from(self.rcode.0 & 15);
        out.u16(self.id);
        out.u16(flags);
        let sections = [&self.answers, &self.authority, &self.additional];
        out.count(self.questions.len());
        for section in sections {
            out.count(section.len());
        }
        for question in &self.questions {
            out.name(&question.name, true);
            out.u16(question.qtype.0);
            out.u16(question.class);
        }
        for record in sections.into_iter().flatten() {
            out.record(record);
        }
        out.bytes
    }

    /// Reads a message.
    ///
    /// # Errors
    /// If it is cut short or contradicts itself.
    pub fn decode(bytes: &[u8]) -> Result<Message, Malformed> {
        let mut input = Reader { bytes, at: 0 };
        let id = input.u16()?;
        let flags = input.u16()?;
        let mut counts = [0; 4];
        for count in &mut counts {
            *count = input.u16()?;
        }
        let has = |bit: u16| flags & bit != 0;
        let mut message = Message {
            id,
            response: has(QR),
            opcode: (flags >> 11 & 15) as u8,
            authoritative: has(AA),
            truncated: has(TC),
            recursion_desired: has(RD),
            recursion_available: has(RA),
            authentic: has(AD),
            checking_disabled: has(CD),
            rcode: Rcode((flags & 15) as u8),
            ..Message::default()
        };
        for _ in 0..counts[0] {
            message.questions.push(Question {
                name: input.name()?,
                qtype: RecordType(input.u16()?),
                class: input.u16()?,
            });
        }
        let sections = [
            &mut message.answers,
            &mut message.authority,
            &mut message.additional,
        ];
        for (section, count) in sections.into_iter().zip(&counts[1..]) {
            for _ in 0..*count {
                section.push(input.record()?);
            }
        }
        Ok(message)
    }
}

#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
    /// Where names, and the ends of names, were written.
    names: BTreeMap<String, u16>,
}

impl Writer {
    fn u16(&mut self, number: u16) {
        self.bytes.extend(number.to_be_bytes());
    }

    fn u32(&mut self, number: u32) {
        self.bytes.extend(number.to_be_bytes());
    }

    fn count(&mut self, count: usize) {
        self.u16(u16::try_from(count).unwrap_or(u16::MAX));
    }

    fn name(&mut self, name: &Name, shorten: bool) {
        let labels = name.labels();
        for (at, label) in labels.iter().enumerate() {
            let rest = Name::of_labels(&labels[at..]).map_or(String::new(), |name| name.folded());
            if let Some(known) = self.names.get(&rest).filter(|_| shorten) {
                return self.u16(POINTER | known);
            }
            // Only the first 16 KiB can be pointed to.
            if let Ok(here) = u16::try_from(self.bytes.len())
                && here < POINTER
            {
                self.names.entry(rest).or_insert(here & !POINTER);
            }
            self.bytes.push(label.len() as u8);
            self.bytes.extend(label);
        }
        self.bytes.push(0);
    }

    fn record(&mut self, record: &Record) {
        self.name(&record.name, true);
        self.u16(record.data.record_type().0);
        self.u16(record.class);
        self.u32(record.ttl);
        let length_at = self.bytes.len();
        self.u16(0);
        self.data(&record.data);
        let length = self.bytes.len() - length_at - 2;
        let length = u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
        self.bytes[length_at..length_at + 2].copy_from_slice(&length);
    }

    fn data(&mut self, data: &Data) {
        match data {
            Data::A(ip) => self.bytes.extend(ip.octets()),
            Data::Aaaa(ip) => self.bytes.extend(ip.octets()),
            Data::Cname(name) | Data::Ns(name) | Data::Ptr(name) => self.name(name, true),
            Data::Soa(soa) => {
                self.name(&soa.primary, true);
                self.name(&soa.mailbox, true);
                for number in [soa.serial, soa.refresh, soa.retry, soa.expire, soa.minimum] {
                    self.u32(number);
                }
            }
            Data::Srv {
                priority,
                weight,
                port,
                target,
            } => {
                for number in [*priority, *weight, *port] {
                    self.u16(number);
                }
                // RFC 2782 wants this one in full.
                self.name(target, false);
            }
            Data::Mx {
                preference,
                exchange,
            } => {
                self.u16(*preference);
                self.name(exchange, true);
            }
            Data::Txt(texts) => {
                for text in texts {
                    let text = &text[..text.len().min(255)];
                    self.bytes.push(text.len() as u8);
                    self.bytes.extend(text);
                }
            }
            Data::Other(_, bytes) => self.bytes.extend(&**bytes),
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let part = self.bytes.get(self.at..self.at + count).ok_or(Malformed)?;
        self.at += count;
        Ok(part)
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

    fn name(&mut self) -> Result<Name, Malformed> {
        let mut labels = Vec::new();
        let mut length = 0;
        // Where to go on when the name is read, if it had a pointer in it.
        let mut back = None;
        loop {
            let first = self.array::<1>()?[0];
            match first {
                0 => break,
                1..=63 => {
                    labels.push(self.take(usize::from(first))?.to_vec());
                    length += usize::from(first) + 1;
                    // No name is longer; a circle of pointers ends here as well.
                    if length > 254 {
                        return Err(Malformed);
                    }
                }
                0xc0.. => {
                    let second = self.array::<1>()?[0];
                    let here = self.at - 2;
                    back.get_or_insert(self.at);
                    self.at = usize::from(u16::from_be_bytes([first, second]) & !POINTER);
                    // A pointer leads to what came before.
                    if self.at >= here {
                        return Err(Malformed);
                    }
                }
                _ => return Err(Malformed),
            }
        }
        self.at = back.unwrap_or(self.at);
        Name::of_labels(&labels).map_err(|_| Malformed)
    }

    fn record(&mut self) -> Result<Record, Malformed> {
        let name = self.name()?;
        let rtype = RecordType(self.u16()?);
        let (class, ttl) = (self.u16()?, self.u32()?);
        let length = usize::from(self.u16()?);
        let end = self.at + length;
        if end > self.bytes.len() {
            return Err(Malformed);
        }
        let data = self.data(rtype, end)?;
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

    fn data(&mut self, rtype: RecordType, end: usize) -> Result<Data, Malformed> {
        Ok(match rtype {
            RecordType::A => Data::A(self.array::<4>()?.into()),
            RecordType::AAAA => Data::Aaaa(self.array::<16>()?.into()),
            RecordType::CNAME => Data::Cname(self.name()?),
            RecordType::NS => Data::Ns(self.name()?),
            RecordType::PTR => Data::Ptr(self.name()?),
            RecordType::SOA => Data::Soa(Soa {
                primary: self.name()?,
                mailbox: self.name()?,
                serial: self.u32()?,
                refresh: self.u32()?,
                retry: self.u32()?,
                expire: self.u32()?,
                minimum: self.u32()?,
            }),
            RecordType::SRV => Data::Srv {
                priority: self.u16()?,
                weight: self.u16()?,
                port: self.u16()?,
                target: self.name()?,
            },
            RecordType::MX => Data::Mx {
                preference: self.u16()?,
                exchange: self.name()?,
            },
            RecordType::TXT => {
                let mut texts = Vec::new();
                while self.at < end {
                    let length = usize::from(self.array::<1>()?[0]);
                    texts.push(self.take(length)?.into());
                }
                Data::Txt(texts)
            }
            other => {
                let length = end.checked_sub(self.at).ok_or(Malformed)?;
                Data::Other(other, self.take(length)?.into())
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_those_of_the_standard() {
        let name = "web.shop".parse().expect("a name");
        let bytes = Message::query(0x1234, name, RecordType::A).encode();
        let expect = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\
                       \x03web\x04shop\x00\x00\x01\x00\x01";
        assert_eq!(bytes, expect);
    }

    #[track_caller]
    fn check(bytes: &[u8]) {
        assert_eq!(Message::decode(bytes), Err(Malformed));
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let header = |questions: u8| {
            let mut bytes = vec![0; 12];
            bytes[5] = questions;
            bytes
        };
        assert!(Message::decode(&header(0)).is_ok());
        check(b"");
        check(&header(0)[..11]);
        check(&header(1));
        // A pointer to itself, and a label of an unknown kind.
        check(&[header(1), b"\xc0\x0c\x00\x01\x00\x01".to_vec()].concat());
        check(&[header(1), b"\x80\x00\x00\x01\x00\x01".to_vec()].concat());
        // Every part of a whole message lacks something.
        let name = "web.shop".parse().expect("a name");
        let whole = Message::query(1, name, RecordType::A).encode();
        (0..whole.len()).for_each(|end| check(&whole[..end]));
    }
}
