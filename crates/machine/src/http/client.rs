//! The client side: calls over pooled connections, one connection per target, as HTTP/2 has it.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;
use std::rc::Rc;

use net::http::{Body, Frame, Message, Request, Response};
use net::{Errno, Payload};
use sim::{EntryId, typed_id};

use crate::process::Fd;
use crate::sys::Sys;

typed_id!(
    /// A call made with a [`Client`].
    CallId(u64)
);

/// Whom a call goes to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// A TCP address.
    Tcp(SocketAddrV4),
    /// A unix-domain socket.
    Unix(Rc<str>),
}

/// What became of a call.
#[derive(Clone, Debug)]
pub struct ClientEvent {
    /// Which call.
    pub call: CallId,
    /// The journal entry that caused it.
    pub cause: EntryId,
    /// What happened.
    pub outcome: Outcome,
}

/// A step of a call's answer.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The answer; if it says [`Response::more`], data follows, else the call is over.
    Response(Rc<Response>),
    /// A further part of the answer.
    Data(Body),
    /// The answer is complete; the call is over.
    End,
    /// The call is over without a (complete) answer.
    Failed(Errno),
}

#[derive(Clone, Debug)]
struct Conn {
    target: Target,
    connected: bool,
    next_stream: u32,
    calls: BTreeMap<u32, CallId>,
    /// Frames waiting for the connection to stand.
    waiting: Vec<Payload>,
}

/// Calls and the connections they travel on.
#[derive(Clone, Debug, Default)]
pub struct Client {
    conns: BTreeMap<Fd, Conn>,
    by_target: BTreeMap<Target, Fd>,
    streams: BTreeMap<CallId, (Fd, u32)>,
    next_call: u64,
    /// Failures that happened while calling, told at the next opportunity.
    early: Vec<ClientEvent>,
}

impl Client {
    /// A client without connections.
    #[must_use]
    pub fn new() -> Client {
        Client::default()
    }

    /// Sends a request. Outcomes come from [`Client::on_ready`]; a failure to connect at all comes
    /// from [`Client::take_early`].
    pub fn call(&mut self, sys: &mut Sys<'_>, target: &Target, request: Rc<Request>) -> CallId {
        self.next_call += 1;
        let call = CallId(self.next_call);
        match self.connection(sys, target) {
            Ok(fd) => {
                let Some(conn) = self.conns.get_mut(&fd) else {
                    return call;
                };
                let stream = conn.next_stream;
                conn.next_stream += 2;
                conn.calls.insert(stream, call);
                self.streams.insert(call, (fd, stream));
                self.send(sys, fd, Message::payload(stream, Frame::Request(request)));
            }
            Err(errno) => {
                self.early.push(ClientEvent {
                    call,
                    cause: sys.cause(),
                    outcome: Outcome::Failed(errno),
                });
            }
        }
        call
    }

    /// Sends a further part of a request's body.
    pub fn data(&mut self, sys: &mut Sys<'_>, call: CallId, body: Body) {
        self.frame(sys, call, Frame::Data(body));
    }

    /// Completes a request's body.
    pub fn end(&mut self, sys: &mut Sys<'_>, call: CallId) {
        self.frame(sys, call, Frame::End);
    }

    /// Abandons a call; nothing more comes of it.
    pub fn cancel(&mut self, sys: &mut Sys<'_>, call: CallId) {
        self.frame(sys, call, Frame::Reset);
        self.forget(call);
    }

    /// Calls that failed before anything was sent.
    pub fn take_early(&mut self) -> Vec<ClientEvent> {
        std::mem::take(&mut self.early)
    }

    /// Takes what a descriptor has; `false` if it is not the client's. To be called for every
    /// [`crate::Wake::Ready`].
    pub fn on_ready(&mut self, sys: &mut Sys<'_>, fd: Fd, events: &mut Vec<ClientEvent>) -> bool {
        let Some(conn) = self.conns.get_mut(&fd) else {
            return false;
        };
        if !conn.connected {
            match sys.connected(fd) {
                Ok(()) => {
                    conn.connected = true;
                    for payload in std::mem::take(&mut conn.waiting) {
                        // A connection that broke already shows when it is read from.
                        let _ = sys.send(fd, payload);
                    }
                }
                Err(Errno::EAGAIN) => return true,
                Err(errno) => {
                    self.broken(sys, fd, errno, events);
                    return true;
                }
            }
        }
        loop {
            match sys.recv(fd) {
                Ok(Some(payload)) => self.received(sys.cause(), fd, &payload, events),
                Ok(None) => return self.broken(sys, fd, Errno::ECONNRESET, events),
                Err(Errno::EAGAIN) => return true,
                Err(errno) => return self.broken(sys, fd, errno, events),
            }
        }
    }

    /// Closes every connection; calls that wait fail with `ECANCELED`.
    pub fn close_all(&mut self, sys: &mut Sys<'_>) -> Vec<ClientEvent> {
        let mut events = Vec::new();
        let fds: Vec<Fd> = self.conns.keys().copied().collect();
        for fd in fds {
            self.broken(sys, fd, Errno::ECANCELED, &mut events);
        }
        events
    }

    fn connection(&mut self, sys: &mut Sys<'_>, target: &Target) -> Result<Fd, Errno> {
        if let Some(fd) = self.by_target.get(target) {
            return Ok(*fd);
        }
        let fd = match target {
            Target::Tcp(addr) => sys.connect(*addr)?,
            Target::Unix(path) => sys.unix_connect(path)?,
        };
        let connected = match sys.connected(fd) {
            Ok(()) => true,
            Err(Errno::EAGAIN) => false,
            Err(errno) => {
                sys.close(fd);
                return Err(errno);
            }
        };
        let conn = Conn {
            target: target.clone(),
            connected,
            next_stream: 1,
            calls: BTreeMap::new(),
            waiting: Vec::new(),
        };
        self.conns.insert(fd, conn);
        self.by_target.insert(target.clone(), fd);
        if connected {
            // Nothing can be there yet: this asks to be woken when something is.
            let mut events = Vec::new();
            self.on_ready(sys, fd, &mut events);
            self.early.append(&mut events);
        }
        Ok(fd)
    }

    fn send(&mut self, sys: &mut Sys<'_>, fd: Fd, payload: Payload) {
        let Some(conn) = self.conns.get_mut(&fd) else {
            return;
        };
        if conn.connected {
            // A connection that broke shows when it is read from.
            let _ = sys.send(fd, payload);
        } else {
            conn.waiting.push(payload);
        }
    }

    fn frame(&mut self, sys: &mut Sys<'_>, call: CallId, frame: Frame) {
        if let Some((fd, stream)) = self.streams.get(&call).copied() {
            self.send(sys, fd, Message::payload(stream, frame));
        }
    }

    fn received(
        &mut self,
        cause: EntryId,
        fd: Fd,
        payload: &Payload,
        events: &mut Vec<ClientEvent>,
    ) {
        let Some(message) = payload.downcast::<Message>() else {
            return;
        };
        let Some(conn) = self.conns.get(&fd) else {
            return;
        };
        let Some(call) = conn.calls.get(&message.stream).copied() else {
            return;
        };
        let (outcome, over) = match &message.frame {
            Frame::Response(response) => (Outcome::Response(response.clone()), !response.more),
            Frame::Data(body) => (Outcome::Data(body.clone()), false),
            Frame::End => (Outcome::End, true),
            Frame::Reset | Frame::Request(_) => (Outcome::Failed(Errno::ECONNRESET), true),
        };
        if over {
            self.forget(call);
        }
        events.push(ClientEvent {
            call,
            cause,
            outcome,
        });
    }

    fn forget(&mut self, call: CallId) {
        if let Some((fd, stream)) = self.streams.remove(&call)
            && let Some(conn) = self.conns.get_mut(&fd)
        {
            conn.calls.remove(&stream);
        }
    }

    fn broken(
        &mut self,
        sys: &mut Sys<'_>,
        fd: Fd,
        errno: Errno,
        events: &mut Vec<ClientEvent>,
    ) -> bool {
        if let Some(conn) = self.conns.remove(&fd) {
            self.by_target.remove(&conn.target);
            sys.close(fd);
            for call in conn.calls.into_values() {
                self.streams.remove(&call);
                events.push(ClientEvent {
                    call,
                    cause: sys.cause(),
                    outcome: Outcome::Failed(errno),
                });
            }
        }
        true
    }
}
