//! The thread in which the world lives: takes in what clients do, lets virtual time pass, gives out
//! what comes back.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use bytes::Bytes;
use lab::{FromWire, Input, Lab, Output, ToWire, WireId, WireRequest, WorldSpec};
use tokio::sync::oneshot;

use crate::answer::{Head, Part, Sink};
use crate::pace::{Activity, Pace, Pacer};

/// Events between two looks at what clients do.
const SLICE: u64 = 2_000;

/// What a client does.
#[derive(Debug)]
pub(crate) enum Ask {
    /// Connects; told whether the API server can be reached, and when the connection is lost.
    Dial(u64, Told, oneshot::Sender<()>),
    /// Sends a request.
    Request(Exchange, Request, Sink),
    /// Sends more of a body.
    Data(Exchange, Bytes),
    /// Sends no more.
    End(Exchange),
    /// Is not interested any more.
    Reset(Exchange),
    /// Closes a connection.
    HangUp(u64),
    /// Everything is over.
    Stop,
}

/// Hears whether the API server can be reached.
pub(crate) type Told = oneshot::Sender<Result<(), &'static str>>;

/// A connection and an exchange on it.
pub(crate) type Exchange = (u64, u32);

/// A request, ready to cross threads.
#[derive(Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
    pub(crate) more: bool,
    pub(crate) peer: Option<String>,
}

/// The door to the room.
#[derive(Clone, Debug)]
pub(crate) struct Door(Sender<Ask>);

impl Door {
    /// Says what a client does. Once the world is gone, nobody hears it: answers end.
    pub(crate) fn say(&self, ask: Ask) {
        let _ = self.0.send(ask);
    }
}

/// Builds a world in a thread of its own and waits until its cluster is up.
pub(crate) async fn open(
    spec: impl FnOnce() -> Result<WorldSpec> + Send + 'static,
    pace: Pace,
    from: Option<sim::Instant>,
) -> Result<(Door, JoinHandle<()>)> {
    let (sender, asks) = channel();
    let (up, is_up) = oneshot::channel();
    let thread = std::thread::Builder::new()
        .name("world".to_owned())
        .spawn(move || match spec().and_then(|spec| boot(spec, from)) {
            Ok(lab) => {
                let _ = up.send(Ok(()));
                Room::new(lab, pace).run(&asks);
            }
            Err(why) => {
                let _ = up.send(Err(why));
            }
        })
        .context("no thread for the world")?;
    is_up
        .await
        .context("the world broke while it was built")??;
    Ok((Door(sender), thread))
}

fn boot(spec: WorldSpec, from: Option<sim::Instant>) -> Result<Lab> {
    let mut lab = Lab::new(spec).map_err(|why| anyhow!(why))?;
    lab.boot()
        .map_err(|why| anyhow!("the cluster did not come up: {why}"))?;
    if let Some(from) = from {
        lab.advance(from, u64::MAX);
    }
    lab.take_outputs();
    Ok(lab)
}

struct Open {
    sink: Sink,
    answered: bool,
}

struct Room {
    lab: Lab,
    pacer: Pacer,
    open: BTreeMap<Exchange, Open>,
    unanswered: usize,
    dialled: BTreeMap<u64, Told>,
    /// The connections there are; each is told by the end of what is kept here.
    lives: BTreeMap<u64, oneshot::Sender<()>>,
    last_request: Instant,
    /// The bytes given out last, for the next who gets the same.
    last: Option<(Rc<[u8]>, Bytes)>,
}

impl Room {
    fn new(lab: Lab, pace: Pace) -> Room {
        Room {
            pacer: Pacer::new(pace, lab.now()),
            lab,
            open: BTreeMap::new(),
            unanswered: 0,
            dialled: BTreeMap::new(),
            lives: BTreeMap::new(),
            last_request: Instant::now(),
            last: None,
        }
    }

    fn run(mut self, asks: &Receiver<Ask>) {
        let mut before = Instant::now();
        loop {
            while let Ok(ask) = asks.try_recv() {
                if !self.hear(ask) {
                    return;
                }
            }
            let now = Instant::now();
            let activity = self.activity(now);
            let elapsed = now.duration_since(before);
            before = now;
            let target = self.pacer.target(self.lab.now(), elapsed, activity);
            let ran = self.lab.advance(target, SLICE);
            self.tell();
            // What was done is not to be replayed from here: the log would grow for ever.
            self.lab.take_log();
            if ran == SLICE {
                continue;
            }
            let rest = self.pacer.rest(self.lab.next_at(), self.activity(now));
            if rest.is_zero() {
                continue;
            }
            match asks.recv_timeout(rest) {
                Ok(ask) => {
                    if !self.hear(ask) {
                        return;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn activity(&self, now: Instant) -> Activity {
        Activity {
            unanswered: self.unanswered + self.dialled.len(),
            streams: self.open.len() - self.unanswered,
            quiet: now.duration_since(self.last_request),
        }
    }

    /// Takes in what a client does; false if it is all over.
    fn hear(&mut self, ask: Ask) -> bool {
        match ask {
            Ask::Stop => return false,
            Ask::Dial(wire, told, life) => {
                self.dialled.insert(wire, told);
                self.lives.insert(wire, life);
                self.apply(wire, ToWire::Dial);
            }
            Ask::Request((wire, _), _, sink) if !self.lives.contains_key(&wire) => {
                // It was lost in the meantime, and its client hears of that.
                sink.put(Part::Broken);
            }
            Ask::Request((wire, stream), request, sink) => {
                self.last_request = Instant::now();
                self.unanswered += 1;
                let open = Open {
                    sink,
                    answered: false,
                };
                self.open.insert((wire, stream), open);
                let request = Rc::new(wire_request(request));
                self.apply(wire, ToWire::Request { stream, request });
            }
            Ask::Data((wire, stream), bytes) => {
                let bytes = Rc::from(&bytes[..]);
                self.apply(wire, ToWire::Data { stream, bytes });
            }
            Ask::End((wire, stream)) => self.apply(wire, ToWire::End { stream }),
            Ask::Reset((wire, stream)) => {
                if self.close((wire, stream)).is_some() {
                    self.apply(wire, ToWire::Reset { stream });
                }
            }
            Ask::HangUp(wire) => {
                self.break_off(wire);
                self.dialled.remove(&wire);
                if self.lives.remove(&wire).is_some() {
                    self.apply(wire, ToWire::HangUp);
                }
            }
        }
        true
    }

    fn apply(&mut self, wire: u64, message: ToWire) {
        let wire = WireId(wire);
        if let Err(why) = self.lab.apply(Input::Wire { wire, message }) {
            eprintln!("kubarium: {why}");
            self.down(wire.0, "Network is unreachable");
        }
    }

    /// Gives out what the world said.
    fn tell(&mut self) {
        for output in self.lab.take_outputs() {
            let Output::Wire { wire, message } = output else {
                continue;
            };
            let wire = wire.0;
            match message {
                FromWire::Up => {
                    if let Some(told) = self.dialled.remove(&wire) {
                        let _ = told.send(Ok(()));
                    }
                }
                FromWire::Down(why) => self.down(wire, why),
                FromWire::Response {
                    stream,
                    status,
                    headers,
                    body,
                    more,
                } => {
                    let body = self.shared(&body);
                    let headers = headers
                        .iter()
                        .map(|(name, value)| (name.to_string(), value.to_string()))
                        .collect();
                    self.head(
                        (wire, stream),
                        Head {
                            status,
                            headers,
                            body,
                            more,
                        },
                    );
                }
                FromWire::Data { stream, bytes } => {
                    let bytes = self.shared(&bytes);
                    self.put((wire, stream), Part::Data(bytes));
                }
                FromWire::End { stream } => self.finish((wire, stream), Part::End),
                FromWire::Reset { stream } => self.finish((wire, stream), Part::Broken),
            }
        }
    }

    fn head(&mut self, at: Exchange, head: Head) {
        let more = head.more;
        if let Some(open) = self.open.get_mut(&at)
            && !open.answered
        {
            open.answered = true;
            self.unanswered -= 1;
        }
        self.put(at, Part::Head(head));
        if !more {
            self.close(at);
        }
    }

    fn put(&mut self, at: Exchange, part: Part) {
        let Some(open) = self.open.get(&at) else {
            return;
        };
        if !open.sink.put(part) {
            self.close(at);
            let (wire, stream) = at;
            self.apply(wire, ToWire::Reset { stream });
        }
    }

    fn finish(&mut self, at: Exchange, part: Part) {
        if let Some(open) = self.close(at) {
            // Whoever does not listen any more need not be told.
            open.sink.put(part);
        }
    }

    fn close(&mut self, at: Exchange) -> Option<Open> {
        let open = self.open.remove(&at)?;
        self.unanswered -= usize::from(!open.answered);
        Some(open)
    }

    /// Every exchange of a connection ends here.
    fn break_off(&mut self, wire: u64) {
        let all = self.open.range((wire, 0)..=(wire, u32::MAX));
        let all: Vec<Exchange> = all.map(|(at, _)| *at).collect();
        for at in all {
            self.finish(at, Part::Broken);
        }
    }

    fn down(&mut self, wire: u64, why: &'static str) {
        if let Some(told) = self.dialled.remove(&wire) {
            let _ = told.send(Err(why));
        }
        self.lives.remove(&wire);
        self.break_off(wire);
    }

    fn shared(&mut self, bytes: &Rc<[u8]>) -> Bytes {
        if let Some((last, shared)) = &self.last
            && Rc::ptr_eq(last, bytes)
        {
            return shared.clone();
        }
        let shared = Bytes::copy_from_slice(bytes);
        self.last = Some((bytes.clone(), shared.clone()));
        shared
    }
}

fn wire_request(request: Request) -> WireRequest {
    let Request {
        method,
        target,
        headers,
        body,
        more,
        peer,
    } = request;
    WireRequest {
        method: method.into(),
        target: target.into(),
        headers: headers
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect(),
        body: Rc::from(&body[..]),
        more,
        peer: peer.map(Rc::from),
    }
}
