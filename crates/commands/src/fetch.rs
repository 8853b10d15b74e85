//! One HTTP exchange over a connection, for tools: the request goes out, the answer comes back in
//! parts. The other side may be a program that writes plain bytes; then they are read as HTTP/1.1.

use std::net::SocketAddrV4;
use std::rc::Rc;

use machine::{Errno, Fd, Io, Payload};
use net::http::{Body, Frame, Headers, Message, Request, Response};
use sim::Instant;

/// A part of an answer.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    /// The status and headers.
    Head(Rc<Response>),
    /// A part of the body.
    Data(Rc<[u8]>),
    /// The body is complete.
    End,
    /// Bytes that are no HTTP.
    Garbage,
}

/// Why no part came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The time is up.
    TimedOut,
    /// The other side closed the connection first.
    Closed,
    /// The connection broke.
    Broken(Errno),
}

/// An answer being received.
#[derive(Debug)]
pub(crate) struct Exchange {
    fd: Fd,
    stream: u32,
    by: Option<Instant>,
    /// Parts that came together with an earlier one.
    waiting: Vec<Part>,
    /// Plain bytes: the beginning of a head.
    text: Vec<u8>,
    /// Plain bytes: how much of the body is to come; `None` before the head, `Some(None)` up to
    /// the end of the connection.
    plain: Option<Option<u64>>,
    /// Whether the server speaks in messages, so that the connection can be used again.
    pub(crate) framed: bool,
}

/// Connects; `by` is when to give up.
pub(crate) async fn connect(io: &Io, addr: SocketAddrV4, by: Option<Instant>) -> Result<Fd, Errno> {
    let now = io.now().await;
    io.connect(addr, by.map(|by| by.since(now))).await
}

/// What came over a connection before `by`; a timer for that is to be armed by the caller.
pub(crate) async fn receive(io: &Io, fd: Fd, by: Option<Instant>) -> Result<Payload, Fault> {
    io.until(move |sys| match sys.recv(fd) {
        Ok(Some(payload)) => Some(Ok(payload)),
        Ok(None) => Some(Err(Fault::Closed)),
        Err(Errno::EAGAIN) if by.is_some_and(|by| sys.now() >= by) => Some(Err(Fault::TimedOut)),
        Err(Errno::EAGAIN) => None,
        Err(errno) => Some(Err(Fault::Broken(errno))),
    })
    .await
}

impl Exchange {
    /// Sends a request as `stream` of a connection.
    pub(crate) async fn begin(
        io: &Io,
        fd: Fd,
        stream: u32,
        request: Request,
        by: Option<Instant>,
    ) -> Result<Exchange, Fault> {
        if let Some(by) = by {
            io.sys(move |sys| sys.timer_at(by)).await;
        }
        let message = Message::payload(stream, Frame::Request(Rc::new(request)));
        io.send(fd, message).await.map_err(Fault::Broken)?;
        Ok(Exchange {
            fd,
            stream,
            by,
            waiting: Vec::new(),
            text: Vec::new(),
            plain: None,
            framed: false,
        })
    }

    /// The next part.
    pub(crate) async fn next(&mut self, io: &Io) -> Result<Part, Fault> {
        loop {
            if !self.waiting.is_empty() {
                return Ok(self.waiting.remove(0));
            }
            let payload = match receive(io, self.fd, self.by).await {
                Ok(payload) => payload,
                Err(Fault::Closed) => return self.closed(),
                Err(fault) => return Err(fault),
            };
            let Some(message) = payload.downcast_rc::<Message>() else {
                self.plain_bytes(&payload.bytes());
                continue;
            };
            if message.stream != self.stream {
                continue;
            }
            self.framed = true;
            match &message.frame {
                Frame::Response(response) => {
                    self.waiting.push(Part::Head(response.clone()));
                    if !response.body.is_empty() {
                        self.waiting.push(Part::Data(response.body.bytes()));
                    }
                    if !response.more {
                        self.waiting.push(Part::End);
                    }
                }
                Frame::Data(body) => self.waiting.push(Part::Data(body.bytes())),
                Frame::End => self.waiting.push(Part::End),
                Frame::Reset => return Err(Fault::Broken(Errno::ECONNRESET)),
                Frame::Request(_) => {}
            }
        }
    }

    fn closed(&mut self) -> Result<Part, Fault> {
        match self.plain {
            Some(None) => Ok(Part::End),
            _ if !self.text.is_empty() => {
                self.text.clear();
                Ok(Part::Garbage)
            }
            _ => Err(Fault::Closed),
        }
    }

    fn plain_bytes(&mut self, bytes: &[u8]) {
        if self.plain.is_some() {
            return self.plain_body(bytes);
        }
        self.text.extend_from_slice(bytes);
        let start = &self.text[..self.text.len().min(5)];
        if !b"HTTP/".starts_with(start) {
            self.text.clear();
            return self.waiting.push(Part::Garbage);
        }
        let Some((head, rest)) = split_head(&self.text) else {
            return;
        };
        let response = read_head(&head);
        let length = response
            .headers
            .get("Content-Length")
            .and_then(|text| text.parse().ok());
        self.text.clear();
        self.plain = Some(length);
        self.waiting.push(Part::Head(Rc::new(response)));
        if length == Some(0) {
            self.waiting.push(Part::End);
        }
        self.plain_body(&rest);
    }

    fn plain_body(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.waiting.push(Part::Data(bytes.into()));
        }
        if let Some(Some(left)) = &mut self.plain
            && *left > 0
        {
            *left = left.saturating_sub(bytes.len() as u64);
            if *left == 0 {
                self.waiting.push(Part::End);
            }
        }
    }
}

/// The head of a plain answer and what follows it, once the empty line is there.
fn split_head(text: &[u8]) -> Option<(String, Vec<u8>)> {
    let ends = [(b"\r\n\r\n".as_slice(), 4), (b"\n\n".as_slice(), 2)];
    let found = ends.iter().filter_map(|(end, length)| {
        let at = text.windows(*length).position(|window| window == *end)?;
        Some((at, *length))
    });
    let (at, length) = found.min()?;
    Some((
        String::from_utf8_lossy(&text[..at]).into_owned(),
        text[at + length..].to_vec(),
    ))
}

fn read_head(head: &str) -> Response {
    let mut lines = head.lines();
    let first = lines.next().unwrap_or_default();
    let status = first
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .unwrap_or(0);
    let mut headers = Headers::new();
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        headers.add(name.trim(), value.trim());
    }
    let mut response = Response::new(status, Body::Empty);
    response.headers = headers;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_heads_are_read() {
        let (head, rest) = split_head(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nrest").unwrap();
        let response = read_head(&head);
        assert_eq!(
            (response.status, response.headers.get("a")),
            (200, Some("b"))
        );
        assert_eq!(rest, b"rest");
        assert_eq!(split_head(b"HTTP/1.1 200 OK\n\nx").unwrap().1, b"x");
        assert!(split_head(b"HTTP/1.1 200 OK\r\n").is_none());
    }
}
