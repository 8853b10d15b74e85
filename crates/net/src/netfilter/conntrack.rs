//! Connections as the kernel remembers them: both directions' addresses, state, and when they are
//! forgotten. Entries are dropped when they are next looked at or when new ones need room: no
//! timer runs. Models net/netfilter/nf_conntrack_core.c.

use core::fmt;
use core::fmt::Write;
use core::hash::{Hash, Hasher};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use sim::{Duration, Instant, LookupMap};

use crate::packet::{About, Icmp, Packet, PacketBody, Proto};
use crate::slab::{Key, Slab};

mod tcp;

pub use tcp::TcpState;

sim::typed_id!(
    /// An entry of the connection table.
    ConnId(u64)
);

impl Key for ConnId {
    fn from_raw(raw: u64) -> Self {
        Self(raw)
    }

    fn raw(self) -> u64 {
        self.0
    }
}

/// nf_conntrack_udp_timeout, in seconds.
const UDP: u64 = 30;
/// nf_conntrack_udp_timeout_stream, in seconds.
const UDP_STREAM: u64 = 120;
/// How long a conversation over UDP must go on to be a stream.
const STREAM_AFTER: Duration = Duration::from_secs(2);
/// nf_conntrack_icmp_timeout, in seconds.
const ICMP: u64 = 30;
/// Entries before forgotten ones are first looked for.
const FIRST_SWEEP: usize = 256;

/// Ends and protocol of one direction of a connection. An echo has its ident as source port and
/// its ICMP type as destination port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct ConnTuple {
    pub proto: Proto,
    pub src: Ipv4Addr,
    pub dst: Ipv4Addr,
    pub sport: u16,
    pub dport: u16,
}

impl Hash for ConnTuple {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(u64::from(u32::from(self.src)) << 32 | u64::from(u32::from(self.dst)));
        let ports = u64::from(self.sport) << 16 | u64::from(self.dport);
        state.write_u64(u64::from(self.proto.number()) << 32 | ports);
    }
}

const ECHO_REQUEST: u16 = 8;
const ECHO_REPLY: u16 = 0;

impl ConnTuple {
    /// The tuple of a packet; an ICMP error has none of its own.
    pub(crate) fn of(packet: &Packet) -> Option<ConnTuple> {
        let (sport, dport) = match packet.body {
            PacketBody::Tcp { sport, dport, .. } | PacketBody::Udp { sport, dport, .. } => {
                (sport, dport)
            }
            PacketBody::Icmp(Icmp::EchoRequest { ident, .. }) => (ident, ECHO_REQUEST),
            PacketBody::Icmp(Icmp::EchoReply { ident, .. }) => (ident, ECHO_REPLY),
            PacketBody::Icmp(Icmp::Error { .. }) => return None,
        };
        Some(ConnTuple {
            proto: packet.proto(),
            src: packet.src,
            dst: packet.dst,
            sport,
            dport,
        })
    }

    /// The tuple of the packet an ICMP error is about.
    fn about(about: &About) -> ConnTuple {
        let flow = about.flow;
        ConnTuple {
            proto: about.proto,
            src: *flow.src.ip(),
            dst: *flow.dst.ip(),
            sport: flow.src.port(),
            dport: match about.proto {
                Proto::Icmp => ECHO_REQUEST,
                Proto::Tcp | Proto::Udp => flow.dst.port(),
            },
        }
    }

    /// The tuple of an answer.
    pub(crate) fn inverted(self) -> ConnTuple {
        let (sport, dport) = match (self.proto, self.dport) {
            (Proto::Icmp, ECHO_REQUEST) => (self.sport, ECHO_REPLY),
            (Proto::Icmp, _) => (self.sport, ECHO_REQUEST),
            _ => (self.dport, self.sport),
        };
        ConnTuple {
            proto: self.proto,
            src: self.dst,
            dst: self.src,
            sport,
            dport,
        }
    }
}

impl fmt::Display for ConnTuple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ConnTuple {
            proto,
            src,
            dst,
            sport,
            dport,
        } = self;
        match proto {
            Proto::Icmp => write!(f, "src={src} dst={dst} type={dport} code=0 id={sport}"),
            _ => write!(f, "src={src} dst={dst} sport={sport} dport={dport}"),
        }
    }
}

/// What `--ctstate` calls the relation of a packet to its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum CtState {
    New,
    Established,
    Related,
    Invalid,
    Untracked,
}

/// A connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conn {
    /// As its first packet came.
    pub original: ConnTuple,
    /// As answers come: not the opposite of `original` where addresses are translated.
    pub reply: ConnTuple,
    /// State of a TCP connection.
    pub tcp: Option<TcpState>,
    /// A packet went the other way.
    pub seen_reply: bool,
    /// It is not dropped early.
    pub assured: bool,
    /// It is in the table.
    pub confirmed: bool,
    /// Its source is translated.
    pub snat: bool,
    /// Its destination is translated.
    pub dnat: bool,
    /// Its mark.
    pub mark: u32,
    /// When it is forgotten.
    pub expires: Instant,
    began: Instant,
    pub(crate) source_done: bool,
    pub(crate) destination_done: bool,
}

impl Conn {
    fn new(now: Instant, tuple: ConnTuple, tcp: Option<TcpState>) -> Conn {
        let secs = match (tuple.proto, tcp) {
            (_, Some(state)) => state.timeout_secs(),
            (Proto::Icmp, None) => ICMP,
            (_, None) => UDP,
        };
        Conn {
            original: tuple,
            reply: tuple.inverted(),
            tcp,
            seen_reply: false,
            assured: tcp == Some(TcpState::Established),
            confirmed: false,
            snat: false,
            dnat: false,
            mark: 0,
            expires: now + Duration::from_secs(secs),
            began: now,
            source_done: false,
            destination_done: false,
        }
    }

    /// The line `conntrack -L` prints.
    pub fn line(&self, now: Instant) -> String {
        let proto = self.original.proto;
        let mut line = format!("{:<8} {} ", proto.to_string(), proto.number());
        let left = self.expires.since(now).as_secs();
        let _ = write!(line, "{left} ");
        if let Some(state) = self.tcp {
            let _ = write!(line, "{state} ");
        }
        let _ = write!(line, "{} ", self.original);
        if !self.seen_reply {
            line.push_str("[UNREPLIED] ");
        }
        let _ = write!(line, "{} ", self.reply);
        if self.assured {
            line.push_str("[ASSURED] ");
        }
        let _ = write!(line, "mark={} use=1", self.mark);
        line
    }
}

/// What a packet on its way through a namespace has to do with connections.
#[derive(Clone, Debug, Default)]
pub(crate) enum Tracked {
    /// Nobody has looked yet.
    #[default]
    No,
    /// It belongs to none and cannot begin one.
    Invalid,
    /// A rule said not to look.
    Untracked,
    /// It begins one, which is entered when the packet has passed.
    Fresh(Box<Conn>),
    /// It belongs to one of the table.
    Known {
        id: ConnId,
        /// It goes against the first packet.
        reply: bool,
        /// It is an ICMP error about it.
        related: bool,
    },
}

/// The connections of a namespace. A clone shares them until one side changes something.
#[derive(Clone, Debug)]
pub(crate) struct Conntrack {
    entries: Slab<ConnId, Conn>,
    index: Rc<LookupMap<ConnTuple, (ConnId, bool)>>,
    /// Entries at which forgotten ones are looked for.
    sweep_at: usize,
}

impl Default for Conntrack {
    fn default() -> Conntrack {
        Conntrack {
            entries: Slab::new(),
            index: Rc::default(),
            sweep_at: FIRST_SWEEP,
        }
    }
}

impl Conntrack {
    pub(crate) fn get(&self, id: ConnId) -> Option<&Conn> {
        self.entries.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: ConnId) -> Option<&mut Conn> {
        self.entries.get_mut(id)
    }

    /// The connection a packet with this tuple belongs to, and whether it is an answer.
    pub(crate) fn find(&self, now: Instant, tuple: &ConnTuple) -> Option<(ConnId, bool)> {
        let (id, reply) = *self.index.get(tuple)?;
        let alive = self.entries.get(id).is_some_and(|conn| conn.expires > now);
        alive.then_some((id, reply))
    }

    /// Every connection that is not forgotten, by the place it has in the table.
    pub(crate) fn iter(&self, now: Instant) -> impl Iterator<Item = (ConnId, &Conn)> {
        self.entries
            .iter()
            .filter(move |(_, conn)| conn.expires > now)
    }

    pub(crate) fn remove(&mut self, id: ConnId) {
        let Some(conn) = self.entries.remove(id) else {
            return;
        };
        let index = Rc::make_mut(&mut self.index);
        for tuple in [conn.original, conn.reply] {
            // The other direction's place may belong to a later connection by now.
            if index.get(&tuple).is_some_and(|(own, _)| *own == id) {
                index.remove(&tuple);
            }
        }
    }

    /// Finds or begins the connection of a packet, and brings its state up to date.
    pub(crate) fn track(&mut self, now: Instant, packet: &Packet) -> Tracked {
        if let PacketBody::Icmp(Icmp::Error { about, .. }) = &packet.body {
            // It goes the way of an answer to the packet it quotes.
            return match self.find(now, &ConnTuple::about(about).inverted()) {
                Some((id, reply)) => Tracked::Known {
                    id,
                    reply,
                    related: true,
                },
                None => Tracked::Invalid,
            };
        }
        let Some(tuple) = ConnTuple::of(packet) else {
            return Tracked::Invalid;
        };
        if let Some((id, reply)) = self.find(now, &tuple)
            && let Some(conn) = self.entries.get_mut(id)
        {
            if !tcp::begins_anew(conn, packet) {
                update(conn, now, packet, reply);
                return Tracked::Known {
                    id,
                    reply,
                    related: false,
                };
            }
            self.remove(id);
        }
        let tcp = match &packet.body {
            PacketBody::Tcp { segment, .. } => match TcpState::first(segment) {
                Some(state) => Some(state),
                None => return Tracked::Invalid,
            },
            PacketBody::Icmp(Icmp::EchoReply { .. }) => return Tracked::Invalid,
            _ => None,
        };
        Tracked::Fresh(Box::new(Conn::new(now, tuple, tcp)))
    }

    /// Enters a connection whose first packet has passed every rule.
    pub(crate) fn confirm(&mut self, now: Instant, conn: Conn) -> ConnId {
        if self.entries.len() >= self.sweep_at {
            self.sweep(now);
        }
        for tuple in [conn.original, conn.reply] {
            if let Some((old, _)) = self.index.get(&tuple).copied() {
                self.remove(old);
            }
        }
        let (original, reply) = (conn.original, conn.reply);
        let id = self.entries.insert_with(|_| Conn {
            confirmed: true,
            ..conn
        });
        let index = Rc::make_mut(&mut self.index);
        index.insert(reply, (id, true));
        index.insert(original, (id, false));
        id
    }

    /// Forgets what is past its time. The next sweep comes when as many again were entered, so
    /// that an entry costs a constant share of sweeps.
    fn sweep(&mut self, now: Instant) {
        let gone: Vec<ConnId> = self
            .entries
            .iter()
            .filter(|(_, conn)| conn.expires <= now)
            .map(|(id, _)| id)
            .collect();
        for id in gone {
            self.remove(id);
        }
        self.sweep_at = (self.entries.len() * 2).max(FIRST_SWEEP);
    }
}

/// A packet of a known connection was seen.
fn update(conn: &mut Conn, now: Instant, packet: &Packet, reply: bool) {
    conn.seen_reply |= reply;
    let secs = match (&packet.body, conn.tcp) {
        (PacketBody::Tcp { segment, .. }, Some(state)) => {
            let next = state.after(segment, reply);
            conn.tcp = Some(next);
            conn.assured |= next == TcpState::Established;
            next.timeout_secs()
        }
        (PacketBody::Udp { .. }, _) => {
            conn.assured |= conn.seen_reply && now.since(conn.began) > STREAM_AFTER;
            if conn.assured { UDP_STREAM } else { UDP }
        }
        _ => ICMP,
    };
    conn.expires = now + Duration::from_secs(secs);
}

impl Tracked {
    /// The flow as its sender sent it, where `flow` is what translation made of it.
    pub(crate) fn as_sent(&self, table: &Conntrack) -> Option<(SocketAddrV4, SocketAddrV4)> {
        let tuple = match self {
            Tracked::Fresh(conn) => conn.original,
            Tracked::Known {
                id,
                reply,
                related: false,
            } => {
                let conn = table.get(*id)?;
                if *reply { conn.reply } else { conn.original }
            }
            _ => return None,
        };
        let ends = |addr, port| SocketAddrV4::new(addr, port);
        Some((ends(tuple.src, tuple.sport), ends(tuple.dst, tuple.dport)))
    }
}
