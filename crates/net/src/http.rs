//! HTTP messages as they travel over one connection, many exchanges at once, as HTTP/2 has it.
//! Knows nothing of sockets, servers or clients: those are programs' business.
//! Models RFC 9110 (semantics) and the streams of RFC 9113; framing bytes are only counted.

use core::any::Any;
use core::fmt;
use std::rc::Rc;

use crate::payload::{Payload, Shared, downcast_shared};

mod url;

pub use url::{percent_decode, percent_encode, query_pairs};

/// One frame of one exchange on a connection. The client numbers its streams 1, 3, 5, ….
#[derive(Clone, Debug)]
pub struct Message {
    /// Which exchange of this connection the frame belongs to.
    pub stream: u32,
    /// The frame itself.
    pub frame: Frame,
}

/// A part of an exchange.
#[derive(Clone, Debug)]
pub enum Frame {
    /// Opens a stream: client to server.
    Request(Rc<Request>),
    /// Answers it: server to client.
    Response(Rc<Response>),
    /// A further part of a body that was announced with `more`.
    Data(Body),
    /// No further parts follow.
    End,
    /// The exchange is abandoned.
    Reset,
}

/// What a client asks.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, `POST`, ….
    pub method: Method,
    /// Path and query, as on the request line: `/api/v1/pods?limit=500`.
    pub target: Rc<str>,
    /// Header fields in order.
    pub headers: Headers,
    /// The body, or its first part.
    pub body: Body,
    /// `Data` frames follow until `End`.
    pub more: bool,
    /// Subject of the TLS client certificate (`O=system:masters,CN=kubernetes-admin`), where the
    /// connection is TLS and a certificate was presented.
    pub peer: Option<Rc<str>>,
}

/// What a server answers.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Header fields in order.
    pub headers: Headers,
    /// The body, or its first part.
    pub body: Body,
    /// `Data` frames follow until `End`: a stream such as a watch.
    pub more: bool,
}

/// Contents of a message.
#[derive(Clone, Default)]
pub enum Body {
    /// Nothing.
    #[default]
    Empty,
    /// Plain bytes.
    Bytes(Rc<[u8]>),
    /// An object both ends understand.
    Shared(Rc<dyn Shared>),
}

/// Header fields: names compare without case, order is kept, a name may occur more than once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(Rc<str>, Rc<str>)>);

/// The request method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
    Connect,
}

impl Message {
    /// The message as a payload for a socket.
    pub fn payload(stream: u32, frame: Frame) -> Payload {
        Payload::Shared(Rc::new(Message { stream, frame }))
    }
}

/// A frame header of HTTP/2 is nine bytes.
const FRAME_HEADER: u64 = 9;

impl Shared for Message {
    fn size(&self) -> u64 {
        FRAME_HEADER
            + match &self.frame {
                Frame::Request(request) => request.size(),
                Frame::Response(response) => response.size(),
                Frame::Data(body) => body.size(),
                Frame::End | Frame::Reset => 0,
            }
    }

    /// The message as HTTP/1.1 would write it, which is what people read.
    fn bytes(&self) -> Vec<u8> {
        match &self.frame {
            Frame::Request(request) => request.to_bytes(),
            Frame::Response(response) => response.to_bytes(),
            Frame::Data(body) => body.bytes().to_vec(),
            Frame::End | Frame::Reset => Vec::new(),
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Request {
    /// A request without headers or body.
    pub fn new(method: Method, target: impl Into<Rc<str>>) -> Request {
        Request {
            method,
            target: target.into(),
            headers: Headers::default(),
            body: Body::Empty,
            more: false,
            peer: None,
        }
    }

    /// `GET target`.
    pub fn get(target: impl Into<Rc<str>>) -> Request {
        Request::new(Method::Get, target)
    }

    /// The same request with a header set.
    pub fn with_header(mut self, name: &str, value: impl Into<Rc<str>>) -> Request {
        self.headers.set(name, value);
        self
    }

    /// The same request with a body.
    pub fn with_body(mut self, body: impl Into<Body>) -> Request {
        self.body = body.into();
        self
    }

    /// The path, still percent-encoded, without the query.
    pub fn path(&self) -> &str {
        self.target
            .split_once('?')
            .map_or(&self.target, |(path, _)| path)
    }

    /// The query as written, without the question mark; empty if there is none.
    pub fn query_string(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// The query's pairs in order, decoded.
    pub fn query(&self) -> Vec<(String, String)> {
        query_pairs(self.query_string())
    }

    /// Approximate length on the wire: request line, headers, body.
    pub fn size(&self) -> u64 {
        self.method.as_str().len() as u64
            + self.target.len() as u64
            + self.headers.size()
            + self.body.size()
    }

    /// As HTTP/1.1 writes it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let first = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        write_message(first, &self.headers, &self.body)
    }
}

impl Response {
    /// An answer with a body and no headers.
    pub fn new(status: u16, body: impl Into<Body>) -> Response {
        Response {
            status,
            headers: Headers::default(),
            body: body.into(),
            more: false,
        }
    }

    /// The same answer with a header set.
    pub fn with_header(mut self, name: &str, value: impl Into<Rc<str>>) -> Response {
        self.headers.set(name, value);
        self
    }

    /// The same answer as the head of a stream: `Data` frames follow.
    pub fn streaming(mut self) -> Response {
        self.more = true;
        self
    }

    /// Approximate length on the wire: status line, headers, body.
    pub fn size(&self) -> u64 {
        3 + self.headers.size() + self.body.size()
    }

    /// As HTTP/1.1 writes it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let first = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        write_message(first, &self.headers, &self.body)
    }
}

fn write_message(mut head: String, headers: &Headers, body: &Body) -> Vec<u8> {
    for (name, value) in headers.iter() {
        head.push_str(name);
        head.push_str(": ");
        head.push_str(value);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(&body.bytes());
    bytes
}

/// The reason phrase of a status code (`404` is `Not Found`); empty for an unknown code.
pub fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        413 => "Request Entity Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Entity",
        429 => "Too Many Requests",
        499 => "Client Closed Request",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "",
    }
}

impl Body {
    /// A body that shares `object`.
    pub fn shared(object: Rc<impl Shared>) -> Body {
        Body::Shared(object)
    }

    /// Length in bytes.
    pub fn size(&self) -> u64 {
        match self {
            Body::Empty => 0,
            Body::Bytes(bytes) => bytes.len() as u64,
            Body::Shared(shared) => shared.size(),
        }
    }

    /// The contents as bytes.
    pub fn bytes(&self) -> Rc<[u8]> {
        match self {
            Body::Empty => Rc::from([]),
            Body::Bytes(bytes) => bytes.clone(),
            Body::Shared(shared) => shared.bytes().into(),
        }
    }

    /// The contents as text; bytes that are not UTF-8 become U+FFFD.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    /// True if there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.size() == 0
    }

    /// The object as a shared `T`, if that is what it is.
    pub fn downcast_rc<T: Shared>(&self) -> Option<Rc<T>> {
        match self {
            Body::Shared(shared) => downcast_shared(shared),
            Body::Empty | Body::Bytes(_) => None,
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Body::Empty => f.write_str("Empty"),
            Body::Bytes(bytes) => write!(f, "{:?}", String::from_utf8_lossy(bytes)),
            Body::Shared(shared) => shared.fmt(f),
        }
    }
}

impl From<&str> for Body {
    fn from(text: &str) -> Body {
        Body::from(text.as_bytes())
    }
}

impl From<String> for Body {
    fn from(text: String) -> Body {
        Body::from(text.into_bytes())
    }
}

impl From<&[u8]> for Body {
    fn from(bytes: &[u8]) -> Body {
        if bytes.is_empty() {
            Body::Empty
        } else {
            Body::Bytes(bytes.into())
        }
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Body {
        if bytes.is_empty() {
            Body::Empty
        } else {
            Body::Bytes(bytes.into())
        }
    }
}

impl From<Rc<[u8]>> for Body {
    fn from(bytes: Rc<[u8]>) -> Body {
        if bytes.is_empty() {
            Body::Empty
        } else {
            Body::Bytes(bytes)
        }
    }
}

impl Headers {
    /// No headers.
    pub const fn new() -> Headers {
        Headers(Vec::new())
    }

    /// The first value of `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| &**value)
    }

    /// Every value of `name`, in order.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Replaces every value of `name` by `value`.
    pub fn set(&mut self, name: &str, value: impl Into<Rc<str>>) {
        let value = value.into();
        match self
            .0
            .iter()
            .position(|(key, _)| key.eq_ignore_ascii_case(name))
        {
            None => self.0.push((name.into(), value)),
            Some(first) => {
                self.0[first].1 = value;
                let mut index = 0;
                self.0.retain(|(key, _)| {
                    index += 1;
                    index - 1 <= first || !key.eq_ignore_ascii_case(name)
                });
            }
        }
    }

    /// Adds a value, beside those already there.
    pub fn add(&mut self, name: &str, value: impl Into<Rc<str>>) {
        self.0.push((name.into(), value.into()));
    }

    /// Removes every value of `name`.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Length as HTTP/1.1 writes them, in bytes.
    pub fn size(&self) -> u64 {
        self.0
            .iter()
            .map(|(name, value)| (name.len() + value.len() + 4) as u64)
            .sum()
    }
}

impl<N: Into<Rc<str>>, V: Into<Rc<str>>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Headers {
        Headers(
            fields
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }
}

impl Method {
    /// As on the request line: `GET`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
            Method::Options => "OPTIONS",
            Method::Connect => "CONNECT",
        }
    }

    /// Reads a method as a request line has it; methods are case-sensitive.
    pub fn parse(text: &str) -> Option<Method> {
        [
            Method::Get,
            Method::Head,
            Method::Post,
            Method::Put,
            Method::Patch,
            Method::Delete,
            Method::Options,
            Method::Connect,
        ]
        .into_iter()
        .find(|method| method.as_str() == text)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_split_into_path_and_decoded_query() {
        let request = Request::get("/api/v1/pods?labelSelector=app%3Dweb,tier+in+%28a%29&watch");
        assert_eq!(request.path(), "/api/v1/pods");
        assert_eq!(
            request.query(),
            [
                ("labelSelector".to_owned(), "app=web,tier in (a)".to_owned()),
                ("watch".to_owned(), String::new()),
            ]
        );
        assert!(Request::get("/healthz").query().is_empty());
    }

    #[test]
    fn headers_ignore_case_and_set_replaces_every_value() {
        let mut headers = Headers::from_iter([("Accept", "a"), ("Host", "h"), ("accept", "b")]);
        assert_eq!(headers.get_all("ACCEPT").collect::<Vec<_>>(), ["a", "b"]);
        headers.set("aCCept", "c");
        assert_eq!(
            headers.iter().collect::<Vec<_>>(),
            [("Accept", "c"), ("Host", "h")]
        );
        headers.remove("host");
        assert_eq!(headers.len(), 1);
    }

    #[test]
    fn a_message_reads_as_http_1_1() {
        let request = Request::new(Method::Post, "/x")
            .with_header("Host", "web")
            .with_body("hi");
        assert_eq!(
            request.to_bytes(),
            b"POST /x HTTP/1.1\r\nHost: web\r\n\r\nhi"
        );
        let response = Response::new(404, "gone");
        assert_eq!(response.to_bytes(), b"HTTP/1.1 404 Not Found\r\n\r\ngone");
    }

    #[test]
    fn a_payload_gives_the_message_back() {
        let payload = Message::payload(3, Frame::Data("abc".into()));
        assert_eq!(payload.size(), 12);
        let message = payload.downcast::<Message>().expect("a message");
        assert_eq!(message.stream, 3);
    }

    #[test]
    fn methods_parse_what_they_print() {
        for name in [
            "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT",
        ] {
            assert_eq!(Method::parse(name).expect("known").as_str(), name);
        }
        assert_eq!(Method::parse("get"), None);
    }
}
