//! Network address translation: which addresses a connection gets, decided once, and how its
//! packets come to have them. Models net/netfilter/nf_nat_core.c and nf_nat_proto.c.

use core::fmt;
use core::fmt::Write;
use std::net::Ipv4Addr;

use sim::{Instant, Stream};

use super::conntrack::{Conn, ConnTuple, Conntrack};
use super::number::PortRange;
use crate::packet::{Icmp, Packet, PacketBody, Proto};

/// Which end of a connection gets another address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Source,
    Destination,
}

/// What a rule asks for: an address of a range and a port of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mapping {
    pub(crate) side: Side,
    pub(crate) addrs: Option<(Ipv4Addr, Ipv4Addr)>,
    pub(crate) ports: Option<(u16, u16)>,
    pub(crate) random: bool,
    pub(crate) random_fully: bool,
    pub(crate) persistent: bool,
}

/// Protocols whose ports a rule may name.
const WITH_PORTS: [u8; 4] = [6, 17, 132, 33];
/// Ports tried before a connection is given up.
const ATTEMPTS: u32 = 128;

impl Mapping {
    /// No wish: the connection keeps what it has, unless another has it already.
    pub(crate) const fn keep(side: Side) -> Mapping {
        Mapping {
            side,
            addrs: None,
            ports: None,
            random: false,
            random_fully: false,
            persistent: false,
        }
    }

    /// `10.0.0.1`, `10.0.0.1-10.0.0.9:80`, `:8000-8010`.
    pub(crate) fn parse(side: Side, text: &str, proto: Option<u8>) -> Result<Mapping, String> {
        let (addrs, ports) = match text.split_once(':') {
            Some((addrs, ports)) => (addrs, Some(ports)),
            None => (text, None),
        };
        let mut mapping = Mapping::parse_ports(side, ports, proto)?;
        if !addrs.is_empty() {
            let one = |text: &str| {
                text.parse::<Ipv4Addr>()
                    .map_err(|_| format!("Bad IP address \"{text}\"\n"))
            };
            let (first, last) = addrs.split_once('-').unwrap_or((addrs, addrs));
            mapping.addrs = Some((one(first)?, one(last)?));
        }
        Ok(mapping)
    }

    /// Ports alone: `8080` or `8000-8010`.
    pub(crate) fn parse_ports(
        side: Side,
        text: Option<&str>,
        proto: Option<u8>,
    ) -> Result<Mapping, String> {
        let mut mapping = Mapping::keep(side);
        if let Some(text) = text {
            if !proto.is_some_and(|proto| WITH_PORTS.contains(&proto)) {
                return Err("Need TCP, UDP, SCTP or DCCP with port specification".into());
            }
            let range = PortRange::parse(text, '-')
                .map_err(|_| format!("Invalid port:port syntax: \"{text}\""))?;
            mapping.ports = Some((range.first, range.last));
        }
        Ok(mapping)
    }

    /// The same with one address.
    pub(crate) fn to(self, addr: Ipv4Addr) -> Mapping {
        Mapping {
            addrs: Some((addr, addr)),
            ..self
        }
    }

    /// The ports as text.
    pub(crate) fn ports_text(&self) -> Option<String> {
        let (first, last) = self.ports?;
        Some(match first == last {
            true => first.to_string(),
            false => format!("{first}-{last}"),
        })
    }

    pub(crate) fn print_flags(&self, out: &mut String, before: &str) {
        let flags = [
            ("random", self.random),
            ("random-fully", self.random_fully),
            ("persistent", self.persistent),
        ];
        for (name, _) in flags.into_iter().filter(|(_, on)| *on) {
            let _ = write!(out, "{before}{name}");
        }
    }
}

impl fmt::Display for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.addrs {
            Some((first, last)) if first == last => write!(f, "{first}")?,
            Some((first, last)) => write!(f, "{first}-{last}")?,
            None => {}
        }
        match self.ports_text() {
            Some(ports) => write!(f, ":{ports}"),
            None => Ok(()),
        }
    }
}

impl Conntrack {
    /// Gives a new connection what `mapping` asks for. `false` if no port is left.
    pub(crate) fn map(
        &self,
        now: Instant,
        conn: &mut Conn,
        mapping: Mapping,
        random: &mut Stream,
    ) -> bool {
        let current = conn.reply.inverted();
        let Some(new) = self.unique(now, conn, current, mapping, random) else {
            return false;
        };
        match mapping.side {
            Side::Source => {
                conn.source_done = true;
                conn.snat |= new != current;
            }
            Side::Destination => {
                conn.destination_done = true;
                conn.dnat |= new != current;
            }
        }
        conn.reply = new.inverted();
        true
    }

    /// The tuple that fits `mapping` and whose replies belong to no other connection.
    fn unique(
        &self,
        now: Instant,
        conn: &Conn,
        current: ConnTuple,
        mapping: Mapping,
        random: &mut Stream,
    ) -> Option<ConnTuple> {
        let mut tuple = current;
        let addr = mapping
            .addrs
            .map(|range| choose(range, &conn.original, mapping.persistent));
        let source = mapping.side == Side::Source;
        if let Some(addr) = addr {
            *(if source {
                &mut tuple.src
            } else {
                &mut tuple.dst
            }) = addr;
        }
        let own = if source { tuple.sport } else { tuple.dport };
        let shuffled = mapping.random || mapping.random_fully;
        let fits = |port: u16| {
            mapping
                .ports
                .is_none_or(|(low, high)| (low..=high).contains(&port))
        };
        let free = |tuple: &ConnTuple| self.find(now, &tuple.inverted()).is_none();
        if !shuffled && fits(own) && free(&tuple) {
            return Some(tuple);
        }
        let (low, high) = match mapping.ports {
            Some(range) => range,
            // A destination whose port nobody asked to change keeps it.
            None if !source => return Some(tuple),
            None if tuple.proto == Proto::Icmp => (0, u16::MAX),
            // What a privileged port was stays one.
            None if own < 512 => (1, 511),
            None if own < 1024 => (600, 1023),
            None => (1024, u16::MAX),
        };
        let count = u32::from(high.saturating_sub(low)) + 1;
        let first = match shuffled {
            true => u32::try_from(random.below(count.into())).unwrap_or(0),
            false if fits(own) && own >= low => u32::from(own - low),
            false => 0,
        };
        for step in 0..count.min(ATTEMPTS) {
            let port = low + u16::try_from((first + step) % count).unwrap_or(0);
            *(if source {
                &mut tuple.sport
            } else {
                &mut tuple.dport
            }) = port;
            if free(&tuple) {
                return Some(tuple);
            }
        }
        None
    }
}

/// The address of a range for a connection: the same for the same ends.
fn choose((first, last): (Ipv4Addr, Ipv4Addr), tuple: &ConnTuple, persistent: bool) -> Ipv4Addr {
    let (first, last) = (u32::from(first), u32::from(last));
    if first >= last {
        return Ipv4Addr::from(first);
    }
    let other = if persistent { 0 } else { u32::from(tuple.dst) };
    let mixed = u64::from(u32::from(tuple.src)) << 32 | u64::from(other);
    let hash = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let count = u64::from(last - first) + 1;
    Ipv4Addr::from(first + u32::try_from(hash % count).unwrap_or(0))
}

impl Conn {
    /// Rewrites one side of a packet of this connection, if that side was changed for the
    /// direction it goes in.
    pub(crate) fn translate(&self, packet: &mut Packet, side: Side, reply: bool) {
        let changed = match (side, reply) {
            (Side::Source, false) | (Side::Destination, true) => self.snat,
            (Side::Destination, false) | (Side::Source, true) => self.dnat,
        };
        if !changed {
            return;
        }
        let opposite = if reply { &self.original } else { &self.reply };
        if let PacketBody::Icmp(Icmp::Error { about, .. }) = &mut packet.body {
            // What is quoted went the other way, so its other side is changed back.
            match side {
                Side::Source => {
                    about.flow.dst.set_ip(opposite.dst);
                    if about.proto != Proto::Icmp {
                        about.flow.dst.set_port(opposite.dport);
                    }
                }
                Side::Destination => {
                    about.flow.src.set_ip(opposite.src);
                    about.flow.src.set_port(opposite.sport);
                }
            }
        }
        let target = opposite.inverted();
        match side {
            Side::Source => packet.src = target.src,
            Side::Destination => packet.dst = target.dst,
        }
        match &mut packet.body {
            PacketBody::Tcp { sport, dport, .. } | PacketBody::Udp { sport, dport, .. } => {
                match side {
                    Side::Source => *sport = target.sport,
                    Side::Destination => *dport = target.dport,
                }
            }
            PacketBody::Icmp(Icmp::EchoRequest { ident, .. } | Icmp::EchoReply { ident, .. }) => {
                *ident = target.sport;
            }
            PacketBody::Icmp(Icmp::Error { .. }) => {}
        }
    }
}
