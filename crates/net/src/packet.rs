//! Packets as they cross the network: addresses, protocol, and a whole message as contents.
//! Knows nothing of the way they take. Models include/uapi/linux/{ip,tcp,udp,icmp}.h, without
//! options, fragments and checksums.

use core::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use sim::EntryId;

use crate::netfilter::Tracked;
use crate::payload::Payload;
use crate::trace::Trace;
use crate::{SocketId, trace::Flow};

/// The time to live Linux gives a packet (net.ipv4.ip_default_ttl).
pub const DEFAULT_TTL: u8 = 64;

/// One packet. A message travels whole, however long it is.
#[derive(Clone, Debug)]
pub struct Packet {
    /// Source address.
    pub src: Ipv4Addr,
    /// Destination address.
    pub dst: Ipv4Addr,
    /// Hops it may still take.
    pub ttl: u8,
    /// How often it was sent before: 0 for the first time.
    pub attempt: u8,
    /// Length of the contents above the transport header, in bytes.
    pub len: u32,
    /// Protocol and contents.
    pub body: PacketBody,
    /// Netfilter's mark. Lost on the way to another namespace.
    pub(crate) mark: u32,
    /// What it has to do with connections the namespace tracks. Lost likewise.
    pub(crate) tracked: Tracked,
    /// The sending kernel's socket, which learns of a loss. Not part of the wire form.
    pub from: SocketId,
    /// The journal entry of its sending.
    pub cause: EntryId,
    /// The way it took, if someone wants to know. Not part of the wire form.
    pub trace: Option<Box<Trace>>,
}

/// Protocol and contents of a packet.
#[derive(Clone, Debug)]
pub enum PacketBody {
    /// TCP.
    Tcp {
        /// Source port.
        sport: u16,
        /// Destination port.
        dport: u16,
        /// Messages sent on this side of the connection before this one.
        seq: u32,
        /// What the segment does.
        segment: Segment,
    },
    /// UDP.
    Udp {
        /// Source port.
        sport: u16,
        /// Destination port.
        dport: u16,
        /// The datagram.
        payload: Payload,
    },
    /// ICMP.
    Icmp(Icmp),
}

/// What a TCP segment does.
#[derive(Clone, Debug)]
pub enum Segment {
    /// Opens a connection.
    Syn,
    /// Accepts it, and shows the way the SYN took.
    SynAck(Option<Rc<Trace>>),
    /// Carries a message.
    Data(Payload),
    /// The sender will send no more.
    Fin,
    /// The connection is void.
    Rst {
        /// The socket that is to know. Stands for the sequence number a real reset must hit.
        to: SocketId,
    },
}

/// An ICMP message.
#[derive(Clone, Debug)]
pub enum Icmp {
    /// Type 8: please answer.
    EchoRequest {
        /// Names the asking process.
        ident: u16,
        /// Counts its requests.
        seq: u16,
    },
    /// Type 0: the answer.
    EchoReply {
        /// As asked.
        ident: u16,
        /// As asked.
        seq: u16,
    },
    /// Types 3 and 11: a packet went nowhere.
    Error {
        /// What went wrong.
        kind: IcmpError,
        /// The packet it is about.
        about: About,
    },
}

/// Why a packet went nowhere, in the words of ICMP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IcmpError {
    /// Type 3 code 0.
    NetUnreachable,
    /// Type 3 code 1.
    HostUnreachable,
    /// Type 3 code 2.
    ProtoUnreachable,
    /// Type 3 code 3.
    PortUnreachable,
    /// Type 3 code 9.
    NetProhibited,
    /// Type 3 code 10.
    HostProhibited,
    /// Type 3 code 13.
    Prohibited,
    /// Type 11 code 0.
    TimeExceeded,
}

impl IcmpError {
    /// What `ping` prints.
    pub const fn message(self) -> &'static str {
        match self {
            IcmpError::NetUnreachable => "Destination Net Unreachable",
            IcmpError::HostUnreachable => "Destination Host Unreachable",
            IcmpError::ProtoUnreachable => "Destination Protocol Unreachable",
            IcmpError::NetProhibited => "Destination Net Prohibited",
            IcmpError::HostProhibited => "Destination Host Prohibited",
            IcmpError::PortUnreachable => "Destination Port Unreachable",
            IcmpError::Prohibited => "Packet filtered",
            IcmpError::TimeExceeded => "Time to live exceeded",
        }
    }
}

impl Icmp {
    /// Type and code.
    pub const fn kind_and_code(&self) -> (u8, u8) {
        match self {
            Icmp::EchoRequest { .. } => (8, 0),
            Icmp::EchoReply { .. } => (0, 0),
            Icmp::Error { kind, .. } => match kind {
                IcmpError::NetUnreachable => (3, 0),
                IcmpError::HostUnreachable => (3, 1),
                IcmpError::ProtoUnreachable => (3, 2),
                IcmpError::PortUnreachable => (3, 3),
                IcmpError::NetProhibited => (3, 9),
                IcmpError::HostProhibited => (3, 10),
                IcmpError::Prohibited => (3, 13),
                IcmpError::TimeExceeded => (11, 0),
            },
        }
    }
}

/// The quoted head of the packet an ICMP error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// Its protocol.
    pub proto: Proto,
    /// Its addresses and ports; an echo request has its ident as source port and its sequence
    /// number as destination port.
    pub flow: Flow,
}

/// A transport protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Proto {
    Tcp,
    Udp,
    Icmp,
}

impl Proto {
    /// The number in the IP header.
    pub const fn number(self) -> u8 {
        match self {
            Proto::Tcp => 6,
            Proto::Udp => 17,
            Proto::Icmp => 1,
        }
    }
}

impl fmt::Display for Proto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Proto::Tcp => "tcp",
            Proto::Udp => "udp",
            Proto::Icmp => "icmp",
        })
    }
}

impl Packet {
    fn new(src: Ipv4Addr, dst: Ipv4Addr, len: u64, body: PacketBody) -> Packet {
        Packet {
            src,
            dst,
            ttl: DEFAULT_TTL,
            attempt: 0,
            len: u32::try_from(len).unwrap_or(u32::MAX),
            body,
            mark: 0,
            tracked: Tracked::No,
            from: crate::tcp::NOBODY,
            cause: EntryId::NONE,
            trace: None,
        }
    }

    /// A packet that opens a TCP connection.
    pub fn syn(src: SocketAddrV4, dst: SocketAddrV4) -> Packet {
        Packet::tcp(src, dst, 0, 0, Segment::Syn)
    }

    /// A UDP datagram.
    pub fn udp(src: SocketAddrV4, dst: SocketAddrV4, payload: Payload) -> Packet {
        let body = PacketBody::Udp {
            sport: src.port(),
            dport: dst.port(),
            payload,
        };
        let len = match &body {
            PacketBody::Udp { payload, .. } => payload.size(),
            _ => 0,
        };
        Packet::new(*src.ip(), *dst.ip(), len, body)
    }

    /// An echo request with `len` bytes of data.
    pub fn echo(src: Ipv4Addr, dst: Ipv4Addr, ident: u16, seq: u16, len: u32) -> Packet {
        let body = PacketBody::Icmp(Icmp::EchoRequest { ident, seq });
        Packet::new(src, dst, u64::from(len), body)
    }

    #[inline]
    pub(crate) fn tcp(
        src: SocketAddrV4,
        dst: SocketAddrV4,
        seq: u32,
        len: u64,
        segment: Segment,
    ) -> Packet {
        let body = PacketBody::Tcp {
            sport: src.port(),
            dport: dst.port(),
            seq,
            segment,
        };
        Packet::new(*src.ip(), *dst.ip(), len, body)
    }

    pub(crate) fn icmp(src: Ipv4Addr, dst: Ipv4Addr, len: u32, icmp: Icmp) -> Packet {
        Packet::new(src, dst, u64::from(len), PacketBody::Icmp(icmp))
    }

    /// A TCP segment's place among those of its side; 0 for other protocols.
    pub(crate) fn seq(&self) -> u32 {
        match self.body {
            PacketBody::Tcp { seq, .. } => seq,
            _ => 0,
        }
    }

    /// What it keeps inside a namespace only is gone.
    #[inline]
    pub(crate) fn leave_namespace(&mut self) {
        self.mark = 0;
        self.tracked = Tracked::No;
    }

    /// Gives a TCP segment other ends.
    pub(crate) fn readdress(&mut self, from: SocketAddrV4, to: SocketAddrV4) {
        (self.src, self.dst) = (*from.ip(), *to.ip());
        if let PacketBody::Tcp { sport, dport, .. } = &mut self.body {
            (*sport, *dport) = (from.port(), to.port());
        }
    }

    pub(crate) fn is_reset(&self) -> bool {
        matches!(
            &self.body,
            PacketBody::Tcp {
                segment: Segment::Rst { .. },
                ..
            }
        )
    }

    /// The transport protocol.
    pub fn proto(&self) -> Proto {
        match self.body {
            PacketBody::Tcp { .. } => Proto::Tcp,
            PacketBody::Udp { .. } => Proto::Udp,
            PacketBody::Icmp(_) => Proto::Icmp,
        }
    }

    /// Source and destination. ICMP has no ports: an echo's ident and sequence number stand there.
    pub fn flow(&self) -> Flow {
        let (sport, dport) = match self.body {
            PacketBody::Tcp { sport, dport, .. } | PacketBody::Udp { sport, dport, .. } => {
                (sport, dport)
            }
            PacketBody::Icmp(Icmp::EchoRequest { ident, seq } | Icmp::EchoReply { ident, seq }) => {
                (ident, seq)
            }
            PacketBody::Icmp(Icmp::Error { .. }) => (0, 0),
        };
        Flow {
            src: SocketAddrV4::new(self.src, sport),
            dst: SocketAddrV4::new(self.dst, dport),
        }
    }

    /// Length on the wire in bytes: contents and the headers of IP and transport.
    pub fn wire_len(&self) -> u64 {
        let header = match self.body {
            PacketBody::Tcp { .. } => 52,
            PacketBody::Udp { .. } | PacketBody::Icmp(_) => 28,
        };
        u64::from(self.len) + header
    }
}
