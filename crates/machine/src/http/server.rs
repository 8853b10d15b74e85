//! The server side: listeners, connections and the requests that come in on them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddrV4;
use std::rc::Rc;

use net::http::{Body, Frame, Message, Request, Response};
use net::{Errno, Payload};
use sim::EntryId;

use super::plain::Plain;
use crate::process::Fd;
use crate::sys::Sys;

/// One exchange: a connection and a stream on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamRef {
    /// The connection.
    pub conn: Fd,
    /// The stream, numbered by the client.
    pub stream: u32,
}

impl StreamRef {
    /// The same as numbers, for those who know nothing of descriptors.
    #[must_use]
    pub fn numbers(self) -> (u64, u32) {
        (u64::from(self.conn.0), self.stream)
    }

    /// The exchange with these numbers.
    #[must_use]
    pub fn of(conn: u64, stream: u32) -> StreamRef {
        StreamRef {
            conn: Fd(u32::try_from(conn).unwrap_or(u32::MAX)),
            stream,
        }
    }
}

/// What came in.
#[derive(Clone, Debug)]
pub enum ServerEvent {
    /// A request.
    Request(StreamRef, Rc<Request>),
    /// A further part of a request's body.
    Data(StreamRef, Body),
    /// The request's body is complete.
    End(StreamRef),
    /// The client abandoned the exchange.
    Reset(StreamRef),
    /// Bytes that are no HTTP message, on a plain connection.
    Bytes(Fd, Rc<[u8]>),
    /// A connection is gone, with all its streams.
    Closed(Fd),
}

/// Listeners and the connections they accepted.
#[derive(Clone, Debug, Default)]
pub struct Server {
    listeners: BTreeSet<Fd>,
    conns: BTreeSet<Fd>,
    /// Connections on which plain bytes came, where they are read as HTTP/1.1.
    plain: Option<BTreeMap<Fd, Plain>>,
}

impl Server {
    /// A server that listens nowhere yet.
    #[must_use]
    pub fn new() -> Server {
        Server::default()
    }

    /// The same server, reading plain bytes as HTTP/1.1 instead of handing them on.
    #[must_use]
    pub fn reading_plain(mut self) -> Server {
        self.plain = Some(BTreeMap::new());
        self
    }

    /// Listens on a TCP address.
    ///
    /// # Errors
    /// As [`Sys::listen`].
    pub fn listen(&mut self, sys: &mut Sys<'_>, addr: SocketAddrV4) -> Result<(), Errno> {
        let fd = sys.listen(addr)?;
        self.add(sys, fd);
        Ok(())
    }

    /// Listens on a unix-domain socket.
    ///
    /// # Errors
    /// As [`Sys::unix_listen`].
    pub fn listen_unix(&mut self, sys: &mut Sys<'_>, path: &str) -> Result<(), Errno> {
        let fd = sys.unix_listen(path)?;
        self.add(sys, fd);
        Ok(())
    }

    /// Serves a listening descriptor that was inherited, as a worker process does.
    pub fn listen_on(&mut self, sys: &mut Sys<'_>, fd: Fd) {
        self.add(sys, fd);
    }

    /// Takes what a descriptor has; `false` if it is not the server's. To be called for every
    /// [`crate::Wake::Ready`].
    pub fn on_ready(&mut self, sys: &mut Sys<'_>, fd: Fd, events: &mut Vec<ServerEvent>) -> bool {
        self.on_ready_caused(sys, fd, &mut |_, event| events.push(event))
    }

    /// As [`Server::on_ready`], each event with the journal entry that caused it.
    pub fn on_ready_caused(
        &mut self,
        sys: &mut Sys<'_>,
        fd: Fd,
        events: &mut dyn FnMut(EntryId, ServerEvent),
    ) -> bool {
        if self.listeners.contains(&fd) {
            while let Ok(conn) = sys.accept(fd) {
                self.conns.insert(conn);
                self.drain(sys, conn, events);
            }
            true
        } else if self.conns.contains(&fd) {
            self.drain(sys, fd, events);
            true
        } else {
            false
        }
    }

    /// Answers a request; with [`Response::more`] set, data follows.
    pub fn respond(&mut self, sys: &mut Sys<'_>, to: StreamRef, response: Response) {
        self.send(sys, to, Frame::Response(Rc::new(response)));
    }

    /// Sends a further part of an answer.
    pub fn data(&mut self, sys: &mut Sys<'_>, to: StreamRef, body: Body) {
        self.send(sys, to, Frame::Data(body));
    }

    /// Ends an answer that was sent in parts.
    pub fn end(&mut self, sys: &mut Sys<'_>, to: StreamRef) {
        self.send(sys, to, Frame::End);
    }

    /// Abandons an exchange.
    pub fn reset(&mut self, sys: &mut Sys<'_>, to: StreamRef) {
        self.send(sys, to, Frame::Reset);
    }

    /// Closes a connection.
    pub fn close(&mut self, sys: &mut Sys<'_>, conn: Fd) {
        if self.conns.remove(&conn) {
            self.forget_plain(conn);
            sys.close(conn);
        }
    }

    /// Stops listening; connections go on.
    pub fn stop(&mut self, sys: &mut Sys<'_>) {
        for fd in std::mem::take(&mut self.listeners) {
            sys.close(fd);
        }
    }

    /// Open connections.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.conns.len()
    }

    fn add(&mut self, sys: &mut Sys<'_>, fd: Fd) {
        self.listeners.insert(fd);
        // Nothing can wait yet: this asks to be woken when something does.
        self.on_ready_caused(sys, fd, &mut |_, _| {});
    }

    fn forget_plain(&mut self, conn: Fd) {
        if let Some(plain) = &mut self.plain {
            plain.remove(&conn);
        }
    }

    fn plain(&mut self, conn: Fd) -> Option<&mut Plain> {
        self.plain.as_mut()?.get_mut(&conn)
    }

    /// Sends what is written on a plain connection.
    fn send_plain(&mut self, sys: &mut Sys<'_>, conn: Fd) {
        let Some(plain) = self.plain(conn) else {
            return;
        };
        let (bytes, closes) = plain.output();
        if !bytes.is_empty() {
            // As above: a client that is gone shows as a closed connection.
            let _ = sys.send(conn, bytes.as_slice().into());
        }
        if closes {
            self.close(sys, conn);
        }
    }

    /// Takes what came; bytes are read as requests where that is wanted.
    fn taken(
        &mut self,
        sys: &mut Sys<'_>,
        conn: Fd,
        payload: &Payload,
        events: &mut dyn FnMut(EntryId, ServerEvent),
    ) {
        let event = event(conn, payload);
        let (ServerEvent::Bytes(_, bytes), Some(plain)) = (&event, &mut self.plain) else {
            return events(sys.cause(), event);
        };
        for (stream, request) in plain.entry(conn).or_default().take(bytes) {
            let from = StreamRef { conn, stream };
            events(sys.cause(), ServerEvent::Request(from, request));
        }
        self.send_plain(sys, conn);
    }

    fn send(&mut self, sys: &mut Sys<'_>, to: StreamRef, frame: Frame) {
        if let Some(plain) = self.plain(to.conn) {
            plain.frame(to.stream, &frame);
            return self.send_plain(sys, to.conn);
        }
        // A client that is gone shows as a closed connection; there is nobody to tell here.
        let _ = sys.send(to.conn, Message::payload(to.stream, frame));
    }

    fn drain(&mut self, sys: &mut Sys<'_>, conn: Fd, events: &mut dyn FnMut(EntryId, ServerEvent)) {
        loop {
            match sys.recv(conn) {
                Ok(Some(payload)) => self.taken(sys, conn, &payload, events),
                Err(Errno::EAGAIN) => return,
                Ok(None) | Err(_) => {
                    self.conns.remove(&conn);
                    self.forget_plain(conn);
                    sys.close(conn);
                    events(sys.cause(), ServerEvent::Closed(conn));
                    return;
                }
            }
        }
    }
}

fn event(conn: Fd, payload: &Payload) -> ServerEvent {
    let Some(message) = payload.downcast::<Message>() else {
        return ServerEvent::Bytes(conn, payload.bytes());
    };
    let from = StreamRef {
        conn,
        stream: message.stream,
    };
    match &message.frame {
        Frame::Request(request) => ServerEvent::Request(from, request.clone()),
        Frame::Data(body) => ServerEvent::Data(from, body.clone()),
        Frame::End => ServerEvent::End(from),
        Frame::Reset | Frame::Response(_) => ServerEvent::Reset(from),
    }
}
