//! The calls a component has under way: requests wait here until the process around it sends them,
//! answers are matched here to what they were for. Knows no sockets, addresses or connections.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use net::Errno;
use net::http::{Body, Request, Response};
use sim::EntryId;

sim::typed_id!(
    /// One exchange, numbered by the client that began it.
    CallId(u64)
);

/// What the process around a component has to do next on its behalf, in this order.
#[derive(Clone, Debug)]
pub enum Outgoing {
    /// Send a request; what comes of it is handed back under the same id.
    Send {
        /// The exchange.
        call: CallId,
        /// What to send.
        request: Rc<Request>,
        /// The journal entry that led to it.
        cause: EntryId,
    },
    /// Abandon an exchange that was sent. Nothing more is expected of it.
    Cancel(CallId),
}

/// What became of a call. Each call meets exactly one of: a `Response` without `more`, an `End`, a
/// `Failed`, or its own cancellation; nothing follows that.
#[derive(Clone, Debug)]
pub enum Incoming {
    /// The answer; if it says `more`, `Data` follows until `End`.
    Response(Rc<Response>),
    /// A further part of the answer's body.
    Data(Body),
    /// The answer is complete.
    End,
    /// The connection could not be made, or broke.
    Failed(Errno),
}

/// Whose requests these are.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// `User-Agent`, as `kube-scheduler/v1.36.2 (linux/amd64) kubernetes/…`.
    pub user_agent: Rc<str>,
    /// Subject of the TLS client certificate (`O=system:nodes,CN=system:node:node01`), if any.
    pub certificate: Option<Rc<str>>,
    /// Bearer token, if any.
    pub token: Option<Rc<str>>,
}

impl Identity {
    /// The release that the user agent tells: `v1.36.2`; empty if it tells none.
    #[must_use]
    pub fn release(&self) -> &str {
        let (_, rest) = self.user_agent.split_once('/').unwrap_or_default();
        rest.split(' ').next().unwrap_or_default()
    }
}

/// Calls under way, each with a tag that says what its answer is for.
#[derive(Clone, Debug)]
pub struct Client<T> {
    identity: Identity,
    last: u64,
    tags: BTreeMap<CallId, T>,
    outgoing: VecDeque<Outgoing>,
}

impl<T> Client<T> {
    /// A client with nothing under way.
    #[must_use]
    pub fn new(identity: Identity) -> Client<T> {
        Client {
            identity,
            last: 0,
            tags: BTreeMap::new(),
            outgoing: VecDeque::new(),
        }
    }

    /// Whose requests these are.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Begins a call: the request waits to be taken by `next_outgoing`. `tag` comes back with every
    /// part of the answer.
    pub fn send(&mut self, cause: EntryId, tag: T, mut request: Request) -> CallId {
        self.last += 1;
        let call = CallId(self.last);
        request
            .headers
            .set("User-Agent", self.identity.user_agent.clone());
        if let Some(token) = &self.identity.token {
            request
                .headers
                .set("Authorization", format!("Bearer {token}"));
        }
        request.peer.clone_from(&self.identity.certificate);
        self.tags.insert(call, tag);
        self.outgoing.push_back(Outgoing::Send {
            call,
            request: Rc::new(request),
            cause,
        });
        call
    }

    /// Gives a call up. What still comes in for it is ignored.
    pub fn cancel(&mut self, call: CallId) {
        if self.tags.remove(&call).is_none() {
            return;
        }
        let unsent = self
            .outgoing
            .iter()
            .position(|out| matches!(out, Outgoing::Send { call: id, .. } if *id == call));
        match unsent {
            Some(at) => drop(self.outgoing.remove(at)),
            None => self.outgoing.push_back(Outgoing::Cancel(call)),
        }
    }

    /// Takes what the process is to do next.
    pub fn next_outgoing(&mut self) -> Option<Outgoing> {
        self.outgoing.pop_front()
    }

    /// Whether something waits to be sent.
    #[must_use]
    pub fn has_outgoing(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// How many calls are under way.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tags.len()
    }

    /// Whether no call is under way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tags.is_empty()
    }

    /// The tag of the call that `incoming` belongs to; none if the call was given up. A part that
    /// ends the call also ends the record of it.
    pub fn tag(&mut self, call: CallId, incoming: &Incoming) -> Option<T>
    where
        T: Clone,
    {
        let ends = match incoming {
            Incoming::Response(response) => !response.more,
            Incoming::Data(_) => false,
            Incoming::End | Incoming::Failed(_) => true,
        };
        if ends {
            self.tags.remove(&call)
        } else {
            self.tags.get(&call).cloned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client() -> Client<&'static str> {
        Client::new(Identity {
            user_agent: "test/v1".into(),
            certificate: Some("CN=admin".into()),
            token: None,
        })
    }

    #[test]
    fn a_call_is_known_until_it_ends() {
        let mut client = client();
        let call = client.send(EntryId(3), "list", Request::get("/api"));
        let Some(Outgoing::Send {
            call: sent,
            request,
            cause,
        }) = client.next_outgoing()
        else {
            panic!("a request waits")
        };
        assert_eq!((sent, cause), (call, EntryId(3)));
        assert_eq!(request.headers.get("user-agent"), Some("test/v1"));
        assert_eq!(request.peer.as_deref(), Some("CN=admin"));

        let head = Incoming::Response(Rc::new(Response::new(200, "").streaming()));
        assert_eq!(client.tag(call, &head), Some("list"));
        assert_eq!(
            client.tag(call, &Incoming::Data(Body::from("x"))),
            Some("list")
        );
        assert_eq!(client.tag(call, &Incoming::End), Some("list"));
        assert_eq!(client.tag(call, &Incoming::End), None);
        assert!(client.is_empty());
    }

    #[test]
    fn a_cancelled_call_is_taken_back_or_reset() {
        let mut client = client();
        let unsent = client.send(EntryId::NONE, "a", Request::get("/a"));
        client.cancel(unsent);
        assert!(!client.has_outgoing());

        let sent = client.send(EntryId::NONE, "b", Request::get("/b"));
        client.next_outgoing();
        client.cancel(sent);
        client.cancel(sent);
        assert!(matches!(client.next_outgoing(), Some(Outgoing::Cancel(id)) if id == sent));
        assert!(!client.has_outgoing());
        assert_eq!(client.tag(sent, &Incoming::End), None);
    }
}
