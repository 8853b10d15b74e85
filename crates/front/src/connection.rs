//! A client's connection: its own connection in the world, its identity, its exchanges.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::answer::{Answer, Part, answer};
use crate::identity::Identity;
use crate::room::{Ask, Door, Exchange, Request};

/// The client's connection. The one in the world closes when the last of its clones is gone.
#[derive(Clone, Debug)]
pub(crate) struct Connection(Arc<Line>);

#[derive(Debug)]
struct Line {
    wire: Wire,
    next_stream: AtomicU32,
    peer: Peer,
}

/// Who is at the other end.
#[derive(Debug)]
pub(crate) struct Peer {
    /// Subject of the client's certificate.
    pub(crate) subject: Option<String>,
    /// The certificate counts only where no token is shown.
    pub(crate) token_first: bool,
    /// Whose word counts for clients; none where there is no TLS.
    pub(crate) identity: Option<Arc<Identity>>,
}

/// Numbers for connections: each is used once in a process.
static NEXT_WIRE: AtomicU64 = AtomicU64::new(1);

/// The first stream a client opens.
const FIRST_STREAM: u32 = 1;

/// A connection in the world; it closes when this is dropped.
#[derive(Debug)]
struct Wire {
    door: Door,
    number: u64,
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.door.say(Ask::HangUp(self.number));
    }
}

/// The world's side of a connection of whose client nothing is known yet.
#[derive(Debug)]
pub(crate) struct Dialled {
    wire: Wire,
    lost: oneshot::Receiver<()>,
}

impl Dialled {
    /// Connects to the API server; the error says why that fails.
    pub(crate) async fn dial(door: Door) -> Result<Dialled, &'static str> {
        let number = NEXT_WIRE.fetch_add(1, Ordering::Relaxed);
        let (told, hear) = oneshot::channel();
        let (life, lost) = oneshot::channel();
        door.say(Ask::Dial(number, told, life));
        let wire = Wire { door, number };
        hear.await.unwrap_or(Err("the world has ended"))?;
        Ok(Dialled { wire, lost })
    }

    /// The connection of a client of whom is known who it is, and what ends when it is lost.
    pub(crate) fn of(self, peer: Peer) -> (Connection, oneshot::Receiver<()>) {
        let Dialled { wire, lost } = self;
        let line = Line {
            wire,
            next_stream: AtomicU32::new(FIRST_STREAM),
            peer,
        };
        (Connection(Arc::new(line)), lost)
    }
}

impl Connection {
    /// Whose word counts for clients.
    pub(crate) fn identity(&self) -> Option<&Arc<Identity>> {
        self.0.peer.identity.as_ref()
    }

    /// Sends a request; the answer comes in parts.
    pub(crate) fn send(&self, mut request: Request) -> Call {
        let line = &self.0;
        let stream = line.next_stream.fetch_add(2, Ordering::Relaxed);
        let at = (line.wire.number, stream);
        let mut fields = request.headers.iter();
        if !(line.peer.token_first && fields.any(|(name, _)| name == "Authorization")) {
            request.peer.clone_from(&line.peer.subject);
        }
        let (sink, parts) = answer();
        line.wire.door.say(Ask::Request(at, request, sink));
        Call {
            connection: self.clone(),
            at,
            parts,
            over: false,
        }
    }
}

/// An exchange that is under way; to drop it is to give it up.
#[derive(Debug)]
pub(crate) struct Call {
    connection: Connection,
    at: Exchange,
    parts: Answer,
    over: bool,
}

impl Call {
    /// The next part of the answer; `None` if the client was too slow for the rest.
    pub(crate) async fn next(&mut self) -> Option<Part> {
        let part = self.parts.next().await;
        self.took(part)
    }

    /// The same for a poll.
    pub(crate) fn poll(
        &mut self,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Part>> {
        self.parts.poll(cx).map(|part| self.took(part))
    }

    fn took(&mut self, part: Option<Part>) -> Option<Part> {
        self.over |= match &part {
            Some(Part::Head(head)) => !head.more,
            Some(Part::Data(_)) => false,
            Some(Part::End | Part::Broken) | None => true,
        };
        part
    }

    /// Sends more of the request's body.
    pub(crate) fn data(&self, bytes: Bytes) {
        self.connection.0.wire.door.say(Ask::Data(self.at, bytes));
    }

    /// Sends no more.
    pub(crate) fn end(&self) {
        self.connection.0.wire.door.say(Ask::End(self.at));
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if !self.over {
            self.connection.0.wire.door.say(Ask::Reset(self.at));
        }
    }
}
