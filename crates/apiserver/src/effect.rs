//! What the server is given with each event, and what it wants done. Data only.

use std::net::{Ipv4Addr, SocketAddrV4};

use net::http::{Body, Request, Response};
use sim::{Arg, EntryId, Instant, Kind};

/// One exchange with a client: a connection, and a stream on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamId {
    /// The connection.
    pub conn: u64,
    /// The stream on it.
    pub stream: u32,
}

/// An exchange in which this server is the client: with etcd or with a kubelet. The server chooses
/// the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallId(pub u64);

/// Whom the server calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// etcd, at the address of the configuration.
    Etcd,
    /// A kubelet, a pod that is reached through the `proxy` subresource, or a webhook.
    Kubelet(SocketAddrV4),
}

/// Something to do, and what causes it.
#[derive(Clone, Debug)]
pub struct Effect {
    /// The journal entry that caused it.
    pub cause: EntryId,
    /// What to do.
    pub action: Action,
}

/// What to do.
#[derive(Clone, Debug)]
pub enum Action {
    /// Answer a client. More follows where the response says so.
    Respond(StreamId, Response),
    /// Send a client more.
    Data(StreamId, Body),
    /// Nothing more comes on the stream.
    End(StreamId),
    /// Begin a call. More follows where the request says so.
    Call(CallId, Peer, Request),
    /// Send more on a call.
    CallData(CallId, Body),
    /// Nothing more is sent on a call.
    CallEnd(CallId),
    /// Give a call up.
    CallReset(CallId),
    /// Write this line to the audit log.
    Audit(String),
    /// The server cannot go on: it ends with status 1 and these last words.
    Exit(String),
}

/// What the server may use while it handles an event.
pub struct Cx<'a> {
    /// The time.
    pub now: Instant,
    /// The entry that caused the event.
    pub cause: EntryId,
    /// The journal.
    pub journal: &'a mut dyn Notes,
    /// Who sent the event, where it came over a network.
    pub source: Option<Ipv4Addr>,
    /// What is to be done, in order.
    pub effects: Vec<Effect>,
}

/// Where journal entries go.
pub trait Notes {
    /// Writes an entry with the given cause and returns its id.
    fn note(&mut self, cause: EntryId, kind: &'static Kind, args: &[Arg]) -> EntryId;
}

/// A journal that keeps nothing, for tests.
#[derive(Clone, Copy, Debug, Default)]
pub struct Forget;

impl Notes for Forget {
    fn note(&mut self, cause: EntryId, _kind: &'static Kind, _args: &[Arg]) -> EntryId {
        cause
    }
}

impl<'a> Cx<'a> {
    /// A context without effects yet.
    pub fn new(now: Instant, cause: EntryId, journal: &'a mut dyn Notes) -> Cx<'a> {
        Cx {
            now,
            cause,
            journal,
            source: None,
            effects: Vec::new(),
        }
    }

    pub(crate) fn act(&mut self, action: Action) {
        self.effects.push(Effect {
            cause: self.cause,
            action,
        });
    }

    /// Writes an entry, which becomes the cause of what follows.
    pub(crate) fn note(&mut self, kind: &'static Kind, args: &[Arg]) {
        self.cause = self.journal.note(self.cause, kind, args);
    }
}

impl std::fmt::Debug for Cx<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cx")
            .field("now", &self.now)
            .field("effects", &self.effects)
            .finish()
    }
}
