//! SPDY/3.1 as far as Kubernetes' clients use it: streams that carry bytes both ways, opened by the
//! client. No flow control, as theirs has none.
//!
//! Models the SPDY protocol, draft 3, and moby/spdystream.

use std::io::{Error, ErrorKind, Result};

use bytes::Bytes;
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};
use tokio::io::{AsyncRead, AsyncReadExt};

/// The names that both sides know from the start.
const NAMES: &str = "options head post put delete trace accept accept-charset accept-encoding \
accept-language accept-ranges age allow authorization cache-control connection content-base \
content-encoding content-language content-length content-location content-md5 content-range \
content-type date etag expect expires from host if-match if-modified-since if-none-match if-range \
if-unmodified-since last-modified location max-forwards pragma proxy-authenticate \
proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade \
user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public \
set-cookie keep-alive origin";
/// The text that follows them.
const TEXT: &str = "1001012012022052063003023033043053063074024054064074084094104114124134144154\
16417502504505203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad \
Request401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 \
Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, \
Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,\
application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,\
sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";
/// The Adler-32 of the whole, by which a compressed stream names it.
const DICTIONARY_ID: [u8; 4] = [0xe3, 0xc6, 0xa7, 0xc2];

const VERSION: u16 = 3;
const SYN_STREAM: u16 = 1;
const SYN_REPLY: u16 = 2;
const RST_STREAM: u16 = 3;
const PING: u16 = 6;
const GOAWAY: u16 = 7;
const FIN: u8 = 1;
/// The longest frame of control that is read.
const CONTROL: usize = 64 << 10;
/// How far deflate looks back.
const WINDOW: usize = 32 << 10;

/// A frame of the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// Opens a stream.
    Open {
        stream: u32,
        headers: Vec<(String, String)>,
        fin: bool,
    },
    /// Bytes on a stream.
    Data {
        stream: u32,
        bytes: Bytes,
        fin: bool,
    },
    /// Gives a stream up.
    Reset(u32),
    /// To be sent back.
    Ping(u32),
    /// No more streams come.
    GoAway,
    /// Nothing that matters here.
    Other,
}

/// Reads frames.
#[derive(Debug)]
pub(crate) struct Reader<R> {
    io: R,
    inflate: Inflate,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    pub(crate) fn new(io: R) -> Reader<R> {
        Reader {
            io,
            inflate: Inflate::new(),
        }
    }

    /// The next frame. Not to be given up half-way.
    ///
    /// # Errors
    /// The connection ended or does not speak SPDY.
    pub(crate) async fn next(&mut self) -> Result<Frame> {
        let mut head = [0; 8];
        self.io.read_exact(&mut head).await?;
        let word =
            |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let (first, flags, len) = (word(0), head[4], (word(4) & 0xff_ffff) as usize);
        let is_control = first & 0x8000_0000 != 0;
        if is_control && len > CONTROL {
            return Err(wrong("a frame of control that is too long"));
        }
        let mut bytes = vec![0; len];
        self.io.read_exact(&mut bytes).await?;
        if !is_control {
            return Ok(Frame::Data {
                stream: first,
                bytes: bytes.into(),
                fin: flags & FIN != 0,
            });
        }
        if (first >> 16 & 0x7fff) as u16 != VERSION {
            return Err(wrong("not the version of SPDY/3.1"));
        }
        self.control((first & 0xffff) as u16, flags, &bytes)
    }

    fn control(&mut self, kind: u16, flags: u8, bytes: &[u8]) -> Result<Frame> {
        let number = bytes.first_chunk().map(|word| u32::from_be_bytes(*word));
        let number = || number.ok_or_else(|| wrong("a frame that is too short"));
        Ok(match kind {
            SYN_STREAM => {
                let block = bytes.get(10..).ok_or_else(|| wrong("no headers"))?;
                let plain = self.inflate.block(block)?;
                Frame::Open {
                    stream: number()? & 0x7fff_ffff,
                    headers: pairs(&plain).ok_or_else(|| wrong("headers that end early"))?,
                    fin: flags & FIN != 0,
                }
            }
            RST_STREAM => Frame::Reset(number()? & 0x7fff_ffff),
            PING => Frame::Ping(number()?),
            GOAWAY => Frame::GoAway,
            _ => Frame::Other,
        })
    }
}

/// Writes frames. Its headers are always empty, and compressed by not being so.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    started: bool,
}

impl Writer {
    /// Accepts a stream.
    pub(crate) fn reply(&mut self, stream: u32) -> Vec<u8> {
        let mut block = stream.to_be_bytes().to_vec();
        if !self.started {
            self.started = true;
            block.extend([0x78, 0x20]);
            block.extend(DICTIONARY_ID);
        }
        // A stored block of four bytes: no headers follow.
        block.extend([0, 4, 0, 0xfb, 0xff, 0, 0, 0, 0]);
        // An empty one, on which readers give out what they have.
        block.extend([0, 0, 0, 0xff, 0xff]);
        control(SYN_REPLY, &block)
    }

    /// Bytes on a stream, the last of them if `fin`.
    pub(crate) fn data(stream: u32, bytes: &[u8], fin: bool) -> Vec<u8> {
        let len = u32::try_from(bytes.len()).unwrap_or(0xff_ffff);
        let mut frame = stream.to_be_bytes().to_vec();
        frame.extend((len | u32::from(fin) << 24).to_be_bytes());
        frame.extend(bytes);
        frame
    }

    /// Sends a ping back.
    pub(crate) fn ping(number: u32) -> Vec<u8> {
        control(PING, &number.to_be_bytes())
    }
}

fn control(kind: u16, bytes: &[u8]) -> Vec<u8> {
    let mut frame = (0x8000 | VERSION).to_be_bytes().to_vec();
    frame.extend(kind.to_be_bytes());
    frame.extend(u32::try_from(bytes.len()).unwrap_or(0).to_be_bytes());
    frame.extend(bytes);
    frame
}

fn wrong(why: &'static str) -> Error {
    Error::new(ErrorKind::InvalidData, why)
}

/// The names and values of a block of headers.
fn pairs(block: &[u8]) -> Option<Vec<(String, String)>> {
    let mut rest = block;
    let mut number = || -> Option<usize> {
        let (word, after) = rest.split_first_chunk()?;
        rest = after;
        usize::try_from(u32::from_be_bytes(*word)).ok()
    };
    let count = number()?;
    let mut pairs = Vec::new();
    for _ in 0..count {
        let mut text = || -> Option<String> {
            let (word, after) = rest.split_first_chunk()?;
            let len = usize::try_from(u32::from_be_bytes(*word)).ok()?;
            let (text, after) = after.split_at_checked(len)?;
            rest = after;
            Some(String::from_utf8_lossy(text).into_owned())
        };
        pairs.push((text()?, text()?));
    }
    Some(pairs)
}

/// What both sides know from the start.
fn dictionary() -> Vec<u8> {
    let mut bytes = Vec::new();
    for name in NAMES.split(' ') {
        bytes.extend(u32::try_from(name.len()).unwrap_or(0).to_be_bytes());
        bytes.extend(name.replace('_', " ").bytes());
    }
    bytes.extend(TEXT.bytes());
    bytes
}

/// The compressed headers of a connection, one stream over all of its frames.
struct Inflate {
    state: Box<DecompressorOxide>,
    window: Vec<u8>,
    at: usize,
    started: bool,
}

impl std::fmt::Debug for Inflate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Inflate at {}", self.at)
    }
}

impl Inflate {
    fn new() -> Inflate {
        let mut window = dictionary();
        let at = window.len();
        window.resize(WINDOW, 0);
        Inflate {
            state: Box::default(),
            window,
            at,
            started: false,
        }
    }

    /// Inflates what one frame holds.
    fn block(&mut self, bytes: &[u8]) -> Result<Vec<u8>> {
        let mut rest = bytes;
        if !self.started {
            // The header of zlib: two bytes, and which dictionary.
            let (head, after) = rest
                .split_at_checked(6)
                .ok_or_else(|| wrong("no compression"))?;
            if head[2..] != DICTIONARY_ID {
                return Err(wrong("another dictionary"));
            }
            (self.started, rest) = (true, after);
        }
        let mut plain = Vec::new();
        loop {
            let flags = inflate_flags::TINFL_FLAG_HAS_MORE_INPUT;
            let (status, read, wrote) =
                decompress(&mut self.state, rest, &mut self.window, self.at, flags);
            plain.extend_from_slice(&self.window[self.at..self.at + wrote]);
            self.at = (self.at + wrote) % WINDOW;
            rest = &rest[read..];
            if plain.len() > CONTROL {
                return Err(wrong("headers that are too long"));
            }
            match status {
                TINFLStatus::HasMoreOutput => {}
                TINFLStatus::NeedsMoreInput | TINFLStatus::Done => return Ok(plain),
                _ => return Err(wrong("damaged compression")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dictionary_is_the_one_that_everybody_has() {
        let (mut a, mut b) = (1_u32, 0_u32);
        for byte in dictionary() {
            a = (a + u32::from(byte)) % 65521;
            b = (b + a) % 65521;
        }
        assert_eq!((b << 16 | a).to_be_bytes(), DICTIONARY_ID);
    }

    #[tokio::test]
    async fn a_stream_is_opened_and_carries_bytes() {
        // Headers in a stored block behind zlib's head.
        let mut plain = vec![0, 0, 0, 1, 0, 0, 0, 4];
        plain.extend(b"port\0\0\0\x0280");
        let len = u8::try_from(plain.len()).expect("few");
        let mut block = vec![0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0x78, 0xbb];
        block.extend(DICTIONARY_ID);
        block.extend([0, len, 0, !len, 0xff]);
        block.extend(plain);
        let mut sent = control(SYN_STREAM, &block);
        sent.extend(Writer::data(1, b"hello", true));
        sent.extend(Writer::ping(7));
        let mut reader = Reader::new(&sent[..]);
        let mut frames = Vec::new();
        while let Ok(frame) = reader.next().await {
            frames.push(frame);
        }
        assert_eq!(
            frames,
            [
                Frame::Open {
                    stream: 1,
                    headers: vec![("port".to_owned(), "80".to_owned())],
                    fin: false
                },
                Frame::Data {
                    stream: 1,
                    bytes: Bytes::from_static(b"hello"),
                    fin: true
                },
                Frame::Ping(7),
            ]
        );
    }
}
