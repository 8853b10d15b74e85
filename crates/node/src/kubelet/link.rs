//! The kubelet's connections: to the runtime over its socket, to the API server over HTTP. Matches
//! answers to questions; knows nothing of what they mean.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;

use client::{Client, Identity, Incoming, Outgoing};
use machine::http::{self, Outcome, Target};
use machine::{Errno, Fd, Sys, TimerId};
use net::Payload;
use sim::Duration;

use crate::cri::{self, Code, Error, Event, Message, Part, Reply, Request};

/// Between attempts to reach a runtime that is gone.
const RECONNECT: Duration = Duration::from_secs(1);

/// The connection to the runtime; `T` says what an answer is for.
#[derive(Clone, Debug)]
pub(crate) struct RuntimeLink<T> {
    fd: Option<Fd>,
    reconnect: Option<TimerId>,
    last: u64,
    calls: BTreeMap<u64, T>,
}

/// What came from the runtime.
#[derive(Clone, Debug)]
pub(crate) enum Heard<T> {
    /// The connection stands.
    Connected,
    /// The connection is gone, with all calls; they are answered with errors first.
    Lost,
    /// An answer.
    Answer(T, Result<Reply, Error>),
    /// Something happened.
    Event(Event),
    /// A part of an open stream, by the number of the call that opened it.
    Part(u64, Part),
    /// What came over a forwarded connection, by the number of the call that made it.
    Forwarded(u64, Option<Payload>),
}

impl<T> RuntimeLink<T> {
    pub(crate) fn new() -> RuntimeLink<T> {
        RuntimeLink {
            fd: None,
            reconnect: None,
            last: 0,
            calls: BTreeMap::new(),
        }
    }

    pub(crate) fn is_up(&self) -> bool {
        self.fd.is_some()
    }

    /// Connects, now or as soon as the runtime is there.
    pub(crate) fn connect(&mut self, sys: &mut Sys<'_>, heard: &mut Vec<Heard<T>>) {
        self.reconnect = None;
        match sys.unix_connect(cri::SOCKET) {
            Ok(fd) => {
                self.fd = Some(fd);
                heard.push(Heard::Connected);
                self.listen(sys, heard);
            }
            Err(_) => self.reconnect = Some(sys.timer(RECONNECT)),
        }
    }

    /// Calls the runtime. The answer comes later, also if it cannot be reached.
    pub(crate) fn call(
        &mut self,
        sys: &mut Sys<'_>,
        request: Request,
        tag: T,
        heard: &mut Vec<Heard<T>>,
    ) -> u64 {
        self.last += 1;
        let sent = self
            .fd
            .map(|fd| sys.send(fd, Message::Call(self.last, request).payload()));
        match sent {
            Some(Ok(())) => {
                self.calls.insert(self.last, tag);
            }
            _ => heard.push(Heard::Answer(tag, Err(unavailable()))),
        }
        self.last
    }

    /// Sends a part of a stream.
    pub(crate) fn part(&mut self, sys: &mut Sys<'_>, stream: u64, part: Part) {
        if let Some(fd) = self.fd {
            // A runtime that is gone shows as a closed connection.
            let _ = sys.send(fd, Message::Stream(stream, part).payload());
        }
    }

    /// Sends something over a forwarded connection; `None` closes it.
    pub(crate) fn forward(&mut self, sys: &mut Sys<'_>, call: u64, payload: Option<Payload>) {
        if let Some(fd) = self.fd {
            let _ = sys.send(fd, Message::Forwarded(call, payload).payload());
        }
    }

    /// Takes a wake of a descriptor; false if it is not this one's.
    pub(crate) fn on_ready(
        &mut self,
        sys: &mut Sys<'_>,
        fd: Fd,
        heard: &mut Vec<Heard<T>>,
    ) -> bool {
        let own = self.fd == Some(fd);
        if own {
            self.listen(sys, heard);
        }
        own
    }

    /// Takes a timer; false if it is not this one's.
    pub(crate) fn on_timer(
        &mut self,
        sys: &mut Sys<'_>,
        timer: TimerId,
        heard: &mut Vec<Heard<T>>,
    ) -> bool {
        let own = self.reconnect == Some(timer);
        if own {
            self.connect(sys, heard);
        }
        own
    }

    fn listen(&mut self, sys: &mut Sys<'_>, heard: &mut Vec<Heard<T>>) {
        while let Some(fd) = self.fd {
            match sys.recv(fd) {
                Ok(Some(payload)) => match payload.downcast::<Message>() {
                    Some(Message::Answer(call, answer)) => {
                        if let Some(tag) = self.calls.remove(call) {
                            heard.push(Heard::Answer(tag, answer.clone()));
                        }
                    }
                    Some(Message::Event(event)) => heard.push(Heard::Event(event.clone())),
                    Some(Message::Stream(stream, part)) => {
                        heard.push(Heard::Part(*stream, part.clone()));
                    }
                    Some(Message::Forwarded(call, payload)) => {
                        heard.push(Heard::Forwarded(*call, payload.clone()));
                    }
                    Some(Message::Call(..)) | None => {}
                },
                Err(Errno::EAGAIN) => return,
                Ok(None) | Err(_) => {
                    sys.close(fd);
                    self.fd = None;
                    for (_, tag) in std::mem::take(&mut self.calls) {
                        heard.push(Heard::Answer(tag, Err(unavailable())));
                    }
                    heard.push(Heard::Lost);
                    self.reconnect = Some(sys.timer(RECONNECT));
                }
            }
        }
    }
}

fn unavailable() -> Error {
    let desc = "connection error: desc = \"transport: Error while dialing: dial unix \
                /run/containerd/containerd.sock: connect: connection refused\"";
    Error::new(Code::Unavailable, desc)
}

/// A part of an answer of the API server. Whether its call is still wanted is asked when its turn
/// comes: a part before it may have ended that.
type Answered = (client::CallId, Incoming);

/// The connection to the API server.
#[derive(Clone, Debug)]
pub(crate) struct ApiLink<T> {
    pub(crate) client: Client<T>,
    http: http::Client,
    target: Option<Target>,
    ours: BTreeMap<client::CallId, http::CallId>,
    theirs: BTreeMap<http::CallId, client::CallId>,
}

impl<T: Clone> ApiLink<T> {
    pub(crate) fn new(identity: Identity, server: Option<SocketAddrV4>) -> ApiLink<T> {
        ApiLink {
            client: Client::new(identity),
            http: http::Client::new(),
            target: server.map(Target::Tcp),
            ours: BTreeMap::new(),
            theirs: BTreeMap::new(),
        }
    }

    /// Sends what waits. Without an API server in the kubeconfig nothing is ever answered.
    pub(crate) fn flush(&mut self, sys: &mut Sys<'_>) {
        let Some(target) = &self.target else { return };
        let cause = sys.cause();
        while let Some(outgoing) = self.client.next_outgoing() {
            match outgoing {
                Outgoing::Send {
                    call,
                    request,
                    cause,
                } => {
                    sys.set_cause(cause);
                    let theirs = self.http.call(sys, target, request);
                    self.ours.insert(call, theirs);
                    self.theirs.insert(theirs, call);
                }
                Outgoing::Cancel(call) => {
                    if let Some(theirs) = self.ours.remove(&call) {
                        self.theirs.remove(&theirs);
                        self.http.cancel(sys, theirs);
                    }
                }
            }
        }
        sys.set_cause(cause);
    }

    /// What failed before it was sent.
    pub(crate) fn take_early(&mut self) -> Vec<Answered> {
        let early = self.http.take_early();
        self.translate(early)
    }

    /// Takes a wake of a descriptor; none if it is not this one's.
    pub(crate) fn on_ready(&mut self, sys: &mut Sys<'_>, fd: Fd) -> Option<Vec<Answered>> {
        let mut events = Vec::new();
        let own = self.http.on_ready(sys, fd, &mut events);
        own.then(|| self.translate(events))
    }

    fn translate(&mut self, events: Vec<http::ClientEvent>) -> Vec<Answered> {
        let mut all = Vec::with_capacity(events.len());
        for event in events {
            let Some(call) = self.theirs.get(&event.call).copied() else {
                continue;
            };
            let incoming = match event.outcome {
                Outcome::Response(response) => Incoming::Response(response),
                Outcome::Data(body) => Incoming::Data(body),
                Outcome::End => Incoming::End,
                Outcome::Failed(errno) => Incoming::Failed(errno),
            };
            let goes_on = matches!(&incoming, Incoming::Response(response) if response.more)
                || matches!(incoming, Incoming::Data(_));
            if !goes_on {
                self.theirs.remove(&event.call);
                self.ours.remove(&call);
            }
            all.push((call, incoming));
        }
        all
    }
}
