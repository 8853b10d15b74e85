//! Redis' protocol: requests as arrays of strings or as typed lines, replies of a few kinds.
//!
//! Models src/networking.c and src/resp_parser.c.

use std::rc::Rc;

/// A reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// `OK` and the like.
    Status(&'static str),
    /// What was wrong.
    Error(String),
    /// A number.
    Integer(i64),
    /// A value, or none.
    Bulk(Option<Rc<[u8]>>),
    /// Several.
    List(Vec<Reply>),
}

impl Reply {
    /// A value made of text.
    pub(super) fn text(text: impl AsRef<[u8]>) -> Reply {
        Reply::Bulk(Some(text.as_ref().into()))
    }

    /// The bytes on the wire.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Reply::Status(word) => out.extend_from_slice(format!("+{word}\r\n").as_bytes()),
            Reply::Error(why) => out.extend_from_slice(format!("-{why}\r\n").as_bytes()),
            Reply::Integer(number) => out.extend_from_slice(format!(":{number}\r\n").as_bytes()),
            Reply::Bulk(None) => out.extend_from_slice(b"$-1\r\n"),
            Reply::Bulk(Some(value)) => bulk(value, out),
            Reply::List(items) => {
                out.extend_from_slice(format!("*{}\r\n", items.len()).as_bytes());
                for item in items {
                    item.encode(out);
                }
            }
        }
    }

    /// Takes a reply from the beginning of `bytes`: it and its length; `None` if it is not complete.
    pub(super) fn decode(bytes: &[u8]) -> Option<(Reply, usize)> {
        let (line, mut at) = line(bytes)?;
        let rest = String::from_utf8_lossy(line.get(1..).unwrap_or_default()).into_owned();
        let reply = match line.first().copied().unwrap_or(b'-') {
            b'+' if rest == "PONG" => Reply::Status("PONG"),
            b'+' if rest == "Background saving started" => {
                Reply::Status("Background saving started")
            }
            b'+' => Reply::Status("OK"),
            b':' => Reply::Integer(rest.parse().unwrap_or(0)),
            b'$' => match rest.parse::<usize>() {
                Err(_) => Reply::Bulk(None),
                Ok(length) => {
                    let value = bytes.get(at..at + length)?;
                    bytes.get(at + length..at + length + 2)?;
                    at += length + 2;
                    Reply::Bulk(Some(value.into()))
                }
            },
            b'*' => {
                let mut items = Vec::new();
                for _ in 0..rest.parse::<usize>().unwrap_or(0) {
                    let (item, length) = Reply::decode(&bytes[at..])?;
                    items.push(item);
                    at += length;
                }
                Reply::List(items)
            }
            _ => Reply::Error(rest),
        };
        Some((reply, at))
    }
}

/// The bytes of a request.
pub(super) fn request(words: &[Vec<u8>]) -> Vec<u8> {
    let mut out = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bulk(word, &mut out);
    }
    out
}

/// Takes a request from the beginning of `bytes`: its words and its length; `None` if it is not
/// complete.
pub(super) fn read_request(bytes: &[u8]) -> Option<(Vec<Vec<u8>>, usize)> {
    let (first, mut at) = line(bytes)?;
    if first.first() != Some(&b'*') {
        let words = first.split(|byte| *byte == b' ');
        let words = words.filter(|word| !word.is_empty()).map(<[u8]>::to_vec);
        return Some((words.collect(), at));
    }
    let number = |text: &[u8]| -> usize {
        let text = String::from_utf8_lossy(text.get(1..).unwrap_or_default()).into_owned();
        text.parse().unwrap_or(0)
    };
    let mut words = Vec::new();
    for _ in 0..number(first) {
        let (head, length) = line(&bytes[at..])?;
        let size = number(head);
        at += length;
        words.push(bytes.get(at..at + size)?.to_vec());
        bytes.get(at + size..at + size + 2)?;
        at += size + 2;
    }
    Some((words, at))
}

fn bulk(value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(format!("${}\r\n", value.len()).as_bytes());
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// The first line without its end, and how long it is with it.
fn line(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let line = &bytes[..end];
    Some((line.strip_suffix(b"\r").unwrap_or(line), end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_read_again_and_never_half() {
        let replies = [
            Reply::Status("OK"),
            Reply::Error("ERR no".to_owned()),
            Reply::Integer(-3),
            Reply::Bulk(None),
            Reply::List(vec![Reply::text("a\r\nb"), Reply::Integer(1)]),
        ];
        for reply in replies {
            let mut bytes = Vec::new();
            reply.encode(&mut bytes);
            assert_eq!(Reply::decode(&bytes), Some((reply, bytes.len())));
            assert_eq!(Reply::decode(&bytes[..bytes.len() - 1]), None);
        }
        let words = vec![b"SET".to_vec(), b"a".to_vec(), b"1 2".to_vec()];
        let bytes = request(&words);
        assert_eq!(read_request(&bytes), Some((words, bytes.len())));
        assert_eq!(read_request(&bytes[..9]), None);
        assert_eq!(
            read_request(b"GET  a\r\nrest"),
            Some((vec![b"GET".to_vec(), b"a".to_vec()], 8))
        );
    }
}
