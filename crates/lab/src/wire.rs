//! Connections from outside the world: a client that is no part of the simulation speaks HTTP over
//! one of these. Each is a process on the provider's router that passes messages on over a TCP
//! connection to the API server, packet by packet; what is said to it is an [`crate::Input`].
//!
//! Models a TCP load balancer in front of a control plane; it looks into nothing.

use std::any::Any;
use std::collections::BTreeMap;
use std::net::SocketAddrV4;
use std::rc::Rc;

use machine::{Errno, Exec, Fd, Poll, Program, Spawn, Sys, Wake, World};
use net::http::{Body, Frame, Headers, Message, Method, Request};
use net::{Payload, Shared};
use sim::{EntryId, Kind, MachineId, Pid};

sim::typed_id!(
    /// A connection from outside; whoever opens it chooses the number, and uses none twice.
    WireId(u64)
);

static DIALLED: Kind = Kind {
    name: "wire.dial",
    says: "someone outside connects to {0}",
};
static ASKED: Kind = Kind {
    name: "wire.request",
    says: "someone outside sends {0} {1}",
};

/// What somebody outside does with a connection. Exchanges on it are numbered by them, odd and
/// rising, as HTTP/2 numbers streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToWire {
    /// Opens it.
    Dial,
    /// Sends a request.
    Request {
        /// The exchange it begins.
        stream: u32,
        /// The request.
        request: Rc<WireRequest>,
    },
    /// Sends a further part of a request's body.
    Data {
        /// The exchange.
        stream: u32,
        /// The part.
        bytes: Rc<[u8]>,
    },
    /// Sends no more.
    End {
        /// The exchange.
        stream: u32,
    },
    /// Gives an exchange up.
    Reset {
        /// The exchange.
        stream: u32,
    },
    /// Closes the connection.
    HangUp,
}

/// A request from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WireRequest {
    /// `GET`, `POST`, ….
    pub method: Rc<str>,
    /// Path and query.
    pub target: Rc<str>,
    /// Header fields in order.
    pub headers: Vec<(Rc<str>, Rc<str>)>,
    /// The body, or its first part.
    pub body: Rc<[u8]>,
    /// `Data` follows until `End`.
    pub more: bool,
    /// Subject of the client's certificate: `O=system:masters,CN=admin`.
    pub peer: Option<Rc<str>>,
}

/// What comes back over a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FromWire {
    /// It stands.
    Up,
    /// It could not be made, or broke: `Connection refused`. Nothing more comes.
    Down(&'static str),
    /// An answer.
    Response {
        /// The exchange.
        stream: u32,
        /// The status code.
        status: u16,
        /// Header fields in order.
        headers: Vec<(Rc<str>, Rc<str>)>,
        /// The body, or its first part.
        body: Rc<[u8]>,
        /// `Data` follows until `End`.
        more: bool,
    },
    /// A further part of an answer.
    Data {
        /// The exchange.
        stream: u32,
        /// The part. Answers that share an object share its bytes.
        bytes: Rc<[u8]>,
    },
    /// The answer is complete.
    End {
        /// The exchange.
        stream: u32,
    },
    /// The server gave the exchange up.
    Reset {
        /// The exchange.
        stream: u32,
    },
}

/// An object, and its bytes.
type Encoded = (Rc<dyn Shared>, Rc<[u8]>);

/// The connections there are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wires {
    pids: BTreeMap<WireId, Pid>,
    ids: BTreeMap<Pid, WireId>,
    /// The object that was last made bytes of, for the next who gets the same.
    last: Option<Encoded>,
}

impl Wires {
    /// Carries out what somebody outside does; `server` is whom they reach through `router`.
    pub(crate) fn apply(
        &mut self,
        world: &mut World,
        router: MachineId,
        server: SocketAddrV4,
        wire: WireId,
        message: &ToWire,
    ) -> Result<(), String> {
        if let ToWire::Dial = message {
            return self.dial(world, router, server, wire);
        }
        // One that is down already may be spoken to until that is known outside.
        let Some(pid) = self.pids.get(&wire).copied() else {
            return Ok(());
        };
        let (cause, parcel) = match message {
            ToWire::Dial | ToWire::HangUp => (EntryId::NONE, Parcel::HangUp),
            ToWire::Request { stream, request } => {
                let args = [request.method.clone().into(), request.target.clone().into()];
                let cause = world.note(router, EntryId::NONE, &ASKED, &args);
                let frame = Frame::Request(Rc::new(request.to_request()?));
                (cause, Parcel::message(*stream, frame))
            }
            ToWire::Data { stream, bytes } => {
                let frame = Frame::Data(Body::from(bytes.clone()));
                (EntryId::NONE, Parcel::message(*stream, frame))
            }
            ToWire::End { stream } => (EntryId::NONE, Parcel::message(*stream, Frame::End)),
            ToWire::Reset { stream } => (EntryId::NONE, Parcel::message(*stream, Frame::Reset)),
        };
        world.hand_in(router, pid, Payload::Shared(Rc::new(parcel)), cause);
        Ok(())
    }

    fn dial(
        &mut self,
        world: &mut World,
        router: MachineId,
        server: SocketAddrV4,
        wire: WireId,
    ) -> Result<(), String> {
        if self.pids.contains_key(&wire) {
            return Err(format!("connection {wire} is open already"));
        }
        let cause = world.note(router, EntryId::NONE, &DIALLED, &[server.into()]);
        let relay = Box::new(Relay {
            server,
            conn: None,
            waiting: Some(Vec::new()),
        });
        let spawn = Spawn::new(Exec::Program(relay), vec!["haproxy".into()]);
        let pid = world
            .enter(router, cause, |sys| sys.spawn(spawn))
            .ok_or("the router is switched off")?
            .map_err(|errno| format!("the router starts no process: {}", errno.message()))?;
        self.pids.insert(wire, pid);
        self.ids.insert(pid, wire);
        Ok(())
    }

    /// What a process hands out, as whoever is outside sees it.
    pub(crate) fn said(&mut self, pid: Pid, parcel: &Payload) -> Option<(WireId, FromWire)> {
        let parcel = parcel.downcast::<Parcel>()?;
        let wire = *self.ids.get(&pid)?;
        let said = match parcel {
            Parcel::Up => FromWire::Up,
            Parcel::Down(errno) => {
                self.forget(pid, wire);
                FromWire::Down(errno.message())
            }
            Parcel::HangUp => {
                self.forget(pid, wire);
                return None;
            }
            Parcel::Message(message) => self.frame(message)?,
        };
        Some((wire, said))
    }

    fn forget(&mut self, pid: Pid, wire: WireId) {
        self.ids.remove(&pid);
        self.pids.remove(&wire);
    }

    fn frame(&mut self, message: &Message) -> Option<FromWire> {
        let stream = message.stream;
        Some(match &message.frame {
            Frame::Request(_) => return None,
            Frame::Response(response) => FromWire::Response {
                stream,
                status: response.status,
                headers: response
                    .headers
                    .iter()
                    .map(|(name, value)| (name.into(), value.into()))
                    .collect(),
                body: self.bytes(&response.body),
                more: response.more,
            },
            Frame::Data(body) => FromWire::Data {
                stream,
                bytes: self.bytes(body),
            },
            Frame::End => FromWire::End { stream },
            Frame::Reset => FromWire::Reset { stream },
        })
    }

    fn bytes(&mut self, body: &Body) -> Rc<[u8]> {
        let Body::Shared(object) = body else {
            return body.bytes();
        };
        if let Some((last, bytes)) = &self.last
            && Rc::ptr_eq(last, object)
        {
            return bytes.clone();
        }
        let bytes = body.bytes();
        self.last = Some((object.clone(), bytes.clone()));
        bytes
    }
}

impl WireRequest {
    fn to_request(&self) -> Result<Request, String> {
        let method = Method::parse(&self.method)
            .ok_or_else(|| format!("there is no method {:?}", self.method))?;
        Ok(Request {
            headers: Headers::from_iter(self.headers.iter().cloned()),
            body: Body::from(self.body.clone()),
            more: self.more,
            peer: self.peer.clone(),
            ..Request::new(method, self.target.clone())
        })
    }
}

/// What goes between the outside and the process that is a connection.
#[derive(Clone, Debug)]
enum Parcel {
    /// The connection stands.
    Up,
    /// It does not, or no longer.
    Down(Errno),
    /// It is to be closed, or was.
    HangUp,
    /// A message.
    Message(Message),
}

impl Parcel {
    fn message(stream: u32, frame: Frame) -> Parcel {
        Parcel::Message(Message { stream, frame })
    }
}

impl Shared for Parcel {
    fn size(&self) -> u64 {
        match self {
            Parcel::Message(message) => message.size(),
            Parcel::Up | Parcel::Down(_) | Parcel::HangUp => 0,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        match self {
            Parcel::Message(message) => message.bytes(),
            Parcel::Up | Parcel::Down(_) | Parcel::HangUp => Vec::new(),
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// The process on the router.
#[derive(Clone, Debug)]
struct Relay {
    server: SocketAddrV4,
    conn: Option<Fd>,
    /// What came before the connection stood; `None` once it does.
    waiting: Option<Vec<Payload>>,
}

impl Relay {
    fn step(&mut self, sys: &mut Sys<'_>) -> Result<Poll, Errno> {
        let conn = match self.conn {
            Some(conn) => conn,
            None => *self.conn.insert(sys.connect(self.server)?),
        };
        if let Some(waiting) = &mut self.waiting {
            match sys.connected(conn) {
                Err(Errno::EAGAIN) => {}
                Err(errno) => return Err(errno),
                Ok(()) => {
                    let waiting = std::mem::take(waiting);
                    self.waiting = None;
                    hand_out(sys, Parcel::Up);
                    for payload in waiting {
                        sys.send(conn, payload)?;
                    }
                }
            }
        }
        while let Some(parcel) = sys.take_parcel() {
            match parcel.downcast::<Parcel>() {
                Some(Parcel::HangUp) => {
                    hand_out(sys, Parcel::HangUp);
                    return Ok(Poll::Exit(0));
                }
                Some(Parcel::Message(message)) => {
                    let payload = Payload::Shared(Rc::new(message.clone()));
                    match &mut self.waiting {
                        Some(waiting) => waiting.push(payload),
                        None => sys.send(conn, payload)?,
                    }
                }
                _ => {}
            }
        }
        if self.waiting.is_some() {
            return Ok(Poll::Pending);
        }
        loop {
            match sys.recv(conn) {
                Ok(Some(payload)) => {
                    if let Some(message) = payload.downcast::<Message>() {
                        hand_out(sys, Parcel::Message(message.clone()));
                    }
                }
                Ok(None) => return Err(Errno::ECONNRESET),
                Err(Errno::EAGAIN) => return Ok(Poll::Pending),
                Err(errno) => return Err(errno),
            }
        }
    }
}

fn hand_out(sys: &mut Sys<'_>, parcel: Parcel) {
    sys.hand_out(Payload::Shared(Rc::new(parcel)));
}

impl Program for Relay {
    fn poll(&mut self, sys: &mut Sys<'_>, _: Wake) -> Poll {
        self.step(sys).unwrap_or_else(|errno| {
            hand_out(sys, Parcel::Down(errno));
            Poll::Exit(1)
        })
    }

    fn boxed_clone(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Input, Lab, Output, WorldSpec};
    use sim::Duration;

    fn apply(lab: &mut Lab, message: ToWire) {
        let wire = WireId(1);
        lab.apply(Input::Wire { wire, message }).expect("it fits");
    }

    fn said(lab: &mut Lab) -> Vec<FromWire> {
        lab.advance(lab.now() + Duration::from_secs(1), u64::MAX);
        let of_wire = |output| match output {
            Output::Wire { message, .. } => Some(message),
            _ => None,
        };
        lab.take_outputs().into_iter().filter_map(of_wire).collect()
    }

    fn ask(lab: &mut Lab, stream: u32, target: &str) -> Vec<FromWire> {
        let request = Rc::new(WireRequest {
            method: "GET".into(),
            target: target.into(),
            ..WireRequest::default()
        });
        apply(lab, ToWire::Request { stream, request });
        said(lab)
    }

    #[test]
    fn a_request_from_outside_is_answered_and_replays() {
        let mut lab = Lab::new(WorldSpec::with_workers(0, 1)).expect("a sound world");
        apply(&mut lab, ToWire::Dial);
        assert!(
            matches!(said(&mut lab)[..], [FromWire::Down(_)]),
            "nothing listens while the cluster boots"
        );
        lab.boot().expect("it comes up");
        apply(&mut lab, ToWire::Dial);
        assert_eq!(said(&mut lab), [FromWire::Up]);
        let answers = ask(&mut lab, 1, "/version");
        let [
            FromWire::Response {
                stream: 1,
                status: 200,
                body,
                more: false,
                ..
            },
        ] = &answers[..]
        else {
            panic!("one answer: {answers:?}")
        };
        assert!(String::from_utf8_lossy(body).contains("v1.36"));
        let answers = ask(&mut lab, 3, "/api/v1/secrets");
        assert!(matches!(
            answers[..],
            [FromWire::Response { status: 403, .. }]
        ));
        apply(&mut lab, ToWire::HangUp);
        assert_eq!(said(&mut lab), []);

        let mut again = Lab::replay(lab.spec().clone(), lab.log()).expect("its own log");
        again.advance(lab.now(), u64::MAX);
        assert_eq!(again.world.journal.hash(), lab.world.journal.hash());
    }
}
