//! HTTP/1.1 in plain bytes, as a client writes it that is no part of the world, or somebody by hand:
//! requests are read from bytes, answers are written as bytes, in the order of their requests.
//!
//! Models RFC 9112. A body that comes in chunks is refused.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use net::http::{Body, Frame, Headers, Method, Request, Response};

/// A head of more bytes than this is refused.
const MAX_HEAD: usize = 32 << 10;
/// A body of more bytes than this is refused.
const MAX_BODY: usize = 4 << 20;

/// A connection on which plain bytes come.
#[derive(Clone, Debug, Default)]
pub(super) struct Plain {
    /// What came and is no whole request yet.
    pending: Vec<u8>,
    next_stream: u32,
    /// The requests that are not answered in full, in order.
    asked: VecDeque<Asked>,
}

/// A request that waits for its answer.
#[derive(Clone, Debug, Default)]
struct Asked {
    stream: u32,
    /// Only the head of the answer is wanted.
    head_only: bool,
    /// The connection ends with the answer.
    closes: bool,
    /// Parts of the answer say how long each is.
    chunked: bool,
    /// What is written and waits for the answers before it.
    out: Vec<u8>,
    done: bool,
}

/// What is to be sent, and whether the connection ends then.
pub(super) type Output = (Vec<u8>, bool);

impl Plain {
    /// Takes bytes; gives the requests that are complete. A wrong one is answered at once.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<(u32, Rc<Request>)> {
        self.pending.extend_from_slice(bytes);
        let mut requests = Vec::new();
        while let Some((used, read)) = read(&self.pending) {
            self.pending.drain(..used);
            self.next_stream += 1;
            let mut asked = Asked {
                stream: self.next_stream,
                ..Asked::default()
            };
            match read {
                Ok((request, old)) => {
                    let connection = request.headers.get("Connection").unwrap_or("");
                    let says = |word: &str| connection.eq_ignore_ascii_case(word);
                    asked.head_only = request.method == Method::Head;
                    asked.closes = says("close") || (old && !says("keep-alive"));
                    asked.chunked = !old;
                    requests.push((asked.stream, Rc::new(request)));
                }
                Err(status) => {
                    self.pending.clear();
                    asked.closes = true;
                    let why = format!("{status} {}", net::http::reason(status));
                    let response = Response::new(status, why)
                        .with_header("Content-Type", "text/plain; charset=utf-8");
                    asked.answer(&response);
                }
            }
            self.asked.push_back(asked);
        }
        requests
    }

    /// Takes a part of an answer.
    pub(super) fn frame(&mut self, stream: u32, frame: &Frame) {
        let Some(asked) = self.asked.iter_mut().find(|asked| asked.stream == stream) else {
            return;
        };
        match frame {
            Frame::Response(response) => asked.answer(response),
            Frame::Data(body) => asked.part(&body.bytes()),
            Frame::End => asked.end(),
            Frame::Reset | Frame::Request(_) => {
                asked.closes = true;
                asked.done = true;
            }
        }
    }

    /// What can be sent by now.
    pub(super) fn output(&mut self) -> Output {
        let mut out = Vec::new();
        while let Some(first) = self.asked.front_mut() {
            out.append(&mut first.out);
            if !first.done {
                break;
            }
            if first.closes {
                return (out, true);
            }
            self.asked.pop_front();
        }
        (out, false)
    }
}

impl Asked {
    fn answer(&mut self, response: &Response) {
        let mut head = response.clone();
        let empty = matches!(response.status, 100..=199 | 204 | 304);
        let bare = self.head_only || empty;
        self.chunked &= response.more && !bare;
        if self.chunked {
            head.headers.set("Transfer-Encoding", "chunked");
        } else if response.more {
            self.closes = true;
        } else if !empty && head.headers.get("Content-Length").is_none() {
            head.headers
                .set("Content-Length", response.body.size().to_string());
        }
        if self.closes {
            head.headers.set("Connection", "close");
        }
        head.body = Body::Empty;
        self.out.extend(head.to_bytes());
        if !bare {
            self.part(&response.body.bytes());
        }
        if !response.more {
            self.end();
        }
    }

    fn part(&mut self, bytes: &[u8]) {
        if self.head_only || bytes.is_empty() {
            return;
        }
        if self.chunked {
            self.out
                .extend(format!("{:x}\r\n", bytes.len()).into_bytes());
        }
        self.out.extend_from_slice(bytes);
        if self.chunked {
            self.out.extend_from_slice(b"\r\n");
        }
    }

    fn end(&mut self) {
        if self.chunked {
            self.out.extend_from_slice(b"0\r\n\r\n");
        }
        self.done = true;
    }
}

/// A request and whether it is of HTTP/1.0; or the status it is refused with.
type Read = Result<(Request, bool), u16>;

/// Reads a request and how many bytes it has; `None` while it is not complete.
fn read(bytes: &[u8]) -> Option<(usize, Read)> {
    let Some((head, body_at)) = head_of(bytes) else {
        return (bytes.len() > MAX_HEAD).then_some((bytes.len(), Err(431)));
    };
    let (mut request, old) = match parse(head) {
        Ok(read) => read,
        Err(status) => return Some((body_at, Err(status))),
    };
    if request.headers.get("Transfer-Encoding").is_some() {
        return Some((body_at, Err(411)));
    }
    let length = request.headers.get("Content-Length").unwrap_or("0");
    let Ok(length) = length.trim().parse::<usize>() else {
        return Some((body_at, Err(400)));
    };
    if length > MAX_BODY {
        return Some((body_at, Err(413)));
    }
    let body = bytes.get(body_at..body_at + length)?;
    if !body.is_empty() {
        request.body = Body::Bytes(Rc::from(body));
    }
    Some((body_at + length, Ok((request, old))))
}

/// The lines before the first empty one, and where what follows begins.
fn head_of(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let mut start = 0;
    loop {
        let end = start + bytes[start..].iter().position(|byte| *byte == b'\n')?;
        let line = &bytes[start..end];
        // Empty lines before a request are passed by.
        let is_empty = line.is_empty() || line == b"\r";
        if is_empty
            && bytes[..start]
                .iter()
                .any(|byte| !byte.is_ascii_whitespace())
        {
            return Some((&bytes[..start], end + 1));
        }
        start = end + 1;
    }
}

fn parse(head: &[u8]) -> Read {
    let head = std::str::from_utf8(head).map_err(|_| 400_u16)?;
    let mut lines = head.lines().skip_while(|line| line.trim().is_empty());
    let first: Vec<&str> = lines.next().unwrap_or("").split(' ').collect();
    let [method, target, version] = first[..] else {
        return Err(400);
    };
    let old = match version {
        "HTTP/1.1" => false,
        "HTTP/1.0" => true,
        _ if version.starts_with("HTTP/") => return Err(505),
        _ => return Err(400),
    };
    let method = Method::parse(method).ok_or(405_u16)?;
    let fields = lines.map(|line| line.split_once(':').map(|(key, value)| (key, value.trim())));
    let headers: Option<BTreeMap<usize, (&str, &str)>> = fields
        .enumerate()
        .map(|(i, field)| field.map(|field| (i, field)))
        .collect();
    let mut request = Request::new(method, target);
    request.headers = Headers::from_iter(headers.ok_or(400_u16)?.into_values());
    if request.headers.get("Host").is_none() && !old {
        return Err(400);
    }
    Ok((request, old))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is asked on a connection on which these bytes come, and what is sent back where each
    /// request is answered by its path.
    #[track_caller]
    fn check(parts: &[&str], expected: &str) {
        let mut plain = Plain::default();
        let mut sent = String::new();
        for part in parts {
            for (stream, request) in plain.take(part.as_bytes()) {
                let said = format!("{} {}", request.path(), request.body.text());
                let response = Response::new(200, said.trim().to_owned());
                plain.frame(stream, &Frame::Response(Rc::new(response)));
            }
            let (bytes, closes) = plain.output();
            sent.push_str(&String::from_utf8_lossy(&bytes));
            sent.push_str(if closes { "." } else { "" });
        }
        assert_eq!(sent.replace("\r\n", "|"), expected);
    }

    #[test]
    fn requests_in_bytes_are_answered_in_bytes() {
        let ok = "HTTP/1.1 200 OK|Content-Length: 2||";
        check(
            &["GET /a HTTP/1.1\r\nHo", "st: x\r\n\r\n"],
            &format!("{ok}/a"),
        );
        check(
            &["GET /a HTTP/1.1\nHost: x\n\nGET /b HTTP/1.1\nhost: x\n\n"],
            &format!("{ok}/a{ok}/b"),
        );
        check(
            &[
                "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nab",
                "c",
            ],
            "HTTP/1.1 200 OK|Content-Length: 6||/a abc",
        );
        check(
            &["GET /a HTTP/1.0\r\n\r\n"],
            "HTTP/1.1 200 OK|Content-Length: 2|Connection: close||/a.",
        );
        check(
            &["HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n"],
            "HTTP/1.1 200 OK|Content-Length: 2||",
        );
        check(
            &["hello\r\n\r\n"],
            "HTTP/1.1 400 Bad Request|Content-Type: text/plain; charset=utf-8|Content-Length: 15|\
             Connection: close||400 Bad Request.",
        );
    }

    #[test]
    fn answers_keep_the_order_of_requests() {
        let mut plain = Plain::default();
        let get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        let asked = plain.take(format!("{get}{get}").as_bytes());
        let (first, second) = (asked[0].0, asked[1].0);
        plain.frame(second, &Frame::Response(Rc::new(Response::new(204, ""))));
        assert_eq!(plain.output().0, b"");
        let begun = Response::new(200, "ab").streaming();
        plain.frame(first, &Frame::Response(Rc::new(begun)));
        plain.frame(first, &Frame::End);
        let sent = String::from_utf8_lossy(&plain.output().0).replace("\r\n", "|");
        let chunks = "HTTP/1.1 200 OK|Transfer-Encoding: chunked||2|ab|0||";
        assert_eq!(sent, format!("{chunks}HTTP/1.1 204 No Content||"));
    }
}
