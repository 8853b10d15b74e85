//! The states of a TCP connection as seen from a machine it passes. There are no acknowledgements
//! on the wire here, so each segment is taken to be acknowledged at once: the states that wait
//! for one are skipped. Models net/netfilter/nf_conntrack_proto_tcp.c.

use core::fmt;

use super::Conn;
use crate::packet::{Packet, PacketBody, Segment};

/// The state of a TCP connection, as `conntrack -L` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum TcpState {
    SynSent,
    Established,
    CloseWait,
    TimeWait,
    Close,
}

impl TcpState {
    /// Seconds without a packet until it is forgotten (nf_conntrack_tcp_timeout_*).
    pub(super) const fn timeout_secs(self) -> u64 {
        match self {
            TcpState::SynSent | TcpState::TimeWait => 120,
            TcpState::Established => 432_000,
            TcpState::CloseWait => 60,
            TcpState::Close => 10,
        }
    }

    /// The state of a connection that begins with `segment`. A connection may be picked up in
    /// its middle (nf_conntrack_tcp_loose), but not at its end.
    pub(super) fn first(segment: &Segment) -> Option<TcpState> {
        match segment {
            Segment::Syn => Some(TcpState::SynSent),
            Segment::Data(_) => Some(TcpState::Established),
            Segment::SynAck(_) | Segment::Fin | Segment::Rst { .. } => None,
        }
    }

    pub(super) fn after(self, segment: &Segment, reply: bool) -> TcpState {
        match (self, segment) {
            (_, Segment::Rst { .. }) => TcpState::Close,
            (TcpState::SynSent, Segment::SynAck(_)) if reply => TcpState::Established,
            (TcpState::Established, Segment::Fin) => TcpState::CloseWait,
            (TcpState::CloseWait, Segment::Fin) => TcpState::TimeWait,
            (state, _) => state,
        }
    }
}

impl fmt::Display for TcpState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TcpState::SynSent => "SYN_SENT",
            TcpState::Established => "ESTABLISHED",
            TcpState::CloseWait => "CLOSE_WAIT",
            TcpState::TimeWait => "TIME_WAIT",
            TcpState::Close => "CLOSE",
        })
    }
}

/// Whether a packet of a known connection begins a new one between the same ends.
pub(super) fn begins_anew(conn: &Conn, packet: &Packet) -> bool {
    let syn = matches!(
        packet.body,
        PacketBody::Tcp {
            segment: Segment::Syn,
            ..
        }
    );
    syn && matches!(conn.tcp, Some(TcpState::TimeWait | TcpState::Close))
}
