//! The way a packet took, hop by hop, for people to read.
//! Takes down what the walk did; decides nothing.

use core::fmt;
use std::net::SocketAddrV4;
use std::rc::Rc;

use sim::{Instant, MachineId};

use crate::netfilter::{RejectWith, Rule, TableName};
use crate::netns::Netns;
use crate::record::Sender;
use crate::route::Route;
use crate::{Ipv4Net, NetnsId, RouteKind};

/// Hops kept of one way. A packet's time to live ends a loop well before.
const MAX_HOPS: usize = 128;

/// The hops of one packet, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// Every namespace, bridge and wire it met.
    pub hops: Vec<Hop>,
    /// Rules met since the last hop.
    met: Vec<RuleHit>,
    /// Who is to have it in the end.
    pub(crate) sender: Sender,
}

/// A rule that matched the packet, or the policy of a built-in chain that dropped it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleHit {
    /// The table.
    pub table: TableName,
    /// The chain.
    pub chain: Rc<str>,
    /// Its place in the chain, counted from 1; 0 for the policy.
    pub number: u32,
    /// The rule; `None` for the policy.
    pub rule: Option<Rc<Rule>>,
    /// Addresses as the packet came to it.
    pub before: Flow,
    /// Addresses it gave the packet.
    pub after: Flow,
}

/// What one namespace or bridge did with the packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// When.
    pub at: Instant,
    /// The machine.
    pub machine: MachineId,
    /// The namespace.
    pub ns: NetnsId,
    /// The namespace's name.
    pub netns: Rc<str>,
    /// Name of the interface it came in by.
    pub inbound: Option<Rc<str>>,
    /// Name of the interface it left by.
    pub outbound: Option<Rc<str>>,
    /// Addresses as it came.
    pub before: Flow,
    /// Addresses as it left.
    pub after: Flow,
    /// The route chosen, where one was looked up.
    pub route: Option<HopRoute>,
    /// The rules that matched, in order.
    pub rules: Vec<RuleHit>,
    /// What became of it here.
    pub verdict: Verdict,
}

/// Source and destination of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Where from.
    pub src: SocketAddrV4,
    /// Where to.
    pub dst: SocketAddrV4,
}

/// The part of a route that a trace shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HopRoute {
    /// What it matches.
    pub dst: Ipv4Net,
    /// The gateway; `None` means the destination itself is on the link.
    pub via: Option<std::net::Ipv4Addr>,
    /// What it does.
    pub kind: RouteKind,
}

/// What became of a packet at a hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was sent by a socket of this namespace.
    Sent,
    /// It was routed on.
    Forwarded,
    /// A bridge passed it from port to port.
    Bridged,
    /// It left for another machine.
    OnTheWire,
    /// It reached a socket's namespace.
    Delivered,
    /// It waits for the neighbour's hardware address.
    AwaitsNeighbour,
    /// It ended here.
    Dropped(DropReason),
}

/// Why a packet ended before its destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// No route matches the destination.
    NoRoute,
    /// A route of type blackhole matched.
    Blackhole,
    /// A route of type unreachable matched.
    Unreachable,
    /// A route of type prohibit matched.
    Prohibited,
    /// `net.ipv4.ip_forward` is 0.
    ForwardingOff,
    /// The time to live reached 0.
    TtlExceeded,
    /// The interface is down.
    LinkDown,
    /// The interface at the other end is down.
    NoCarrier,
    /// Nobody answered for the next hop's address.
    NeighbourFailed,
    /// The frame's hardware address is nobody's here.
    WrongMac,
    /// The machine is powered off.
    MachineDown,
    /// The namespace or interface is gone.
    Gone,
    /// A netfilter rule said so.
    Filtered,
    /// A netfilter rule said so, and that the sender be told.
    Rejected(RejectWith),
    /// The listening socket's queue is full.
    BacklogFull,
    /// A message before it is still missing.
    OutOfOrder,
    /// Nobody listens on the port.
    NoSocket,
    /// The socket's receive buffer is full.
    BufferFull,
    /// It went in circles between bridges.
    BridgeLoop,
}

impl DropReason {
    /// The reason as a sentence's end: `no route to the destination`.
    pub const fn message(self) -> &'static str {
        match self {
            DropReason::NoRoute => "no route to the destination",
            DropReason::Blackhole => "blackhole route",
            DropReason::Unreachable => "unreachable route",
            DropReason::Prohibited => "prohibit route",
            DropReason::ForwardingOff => "net.ipv4.ip_forward is 0",
            DropReason::TtlExceeded => "time to live exceeded",
            DropReason::LinkDown => "the interface is down",
            DropReason::NoCarrier => "the other end of the link is down",
            DropReason::NeighbourFailed => "no ARP answer from the next hop",
            DropReason::WrongMac => "the hardware address is nobody's",
            DropReason::MachineDown => "the machine is powered off",
            DropReason::Gone => "the namespace is gone",
            DropReason::Filtered => "dropped by netfilter",
            DropReason::Rejected(_) => "rejected by netfilter",
            DropReason::BacklogFull => "the listen queue is full",
            DropReason::OutOfOrder => "an earlier message is missing",
            DropReason::NoSocket => "nobody listens on the port",
            DropReason::BufferFull => "the receive buffer is full",
            DropReason::BridgeLoop => "the bridges form a loop",
        }
    }
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} > {}", self.src, self.dst)
    }
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dash = |name: &Option<Rc<str>>| name.clone().unwrap_or_else(|| "-".into());
        write!(
            f,
            "{} {}->{} ",
            self.netns,
            dash(&self.inbound),
            dash(&self.outbound)
        )?;
        write!(f, "{}", self.before)?;
        if self.after != self.before {
            write!(f, " becomes {}", self.after)?;
        }
        if let Some(route) = &self.route {
            write!(f, " route {}", route.dst)?;
            if let Some(via) = route.via {
                write!(f, " via {via}")?;
            }
        }
        match self.verdict {
            Verdict::Sent => f.write_str(": sent"),
            Verdict::Forwarded => f.write_str(": forwarded"),
            Verdict::Bridged => f.write_str(": bridged"),
            Verdict::OnTheWire => f.write_str(": on the wire"),
            Verdict::Delivered => f.write_str(": delivered"),
            Verdict::AwaitsNeighbour => f.write_str(": awaits the neighbour's ARP answer"),
            Verdict::Dropped(reason) => write!(f, ": dropped, {reason}"),
        }
    }
}

impl RuleHit {
    pub(crate) fn of_rule(
        table: TableName,
        chain: &str,
        index: usize,
        rule: &Rc<Rule>,
        flow: Flow,
    ) -> RuleHit {
        RuleHit {
            table,
            chain: chain.into(),
            number: u32::try_from(index + 1).unwrap_or(u32::MAX),
            rule: Some(rule.clone()),
            before: flow,
            after: flow,
        }
    }

    pub(crate) fn of_policy(table: TableName, chain: &str, flow: Flow) -> RuleHit {
        RuleHit {
            table,
            chain: chain.into(),
            number: 0,
            rule: None,
            before: flow,
            after: flow,
        }
    }
}

impl fmt::Display for RuleHit {
    /// `nat KUBE-SERVICES 3: -A KUBE-SERVICES -d … -j …`, and what it did to the addresses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, chain, .. } = self;
        match &self.rule {
            Some(rule) => write!(
                f,
                "{table} {chain} {}: -A {chain}{}",
                self.number,
                rule.text()
            )?,
            None => write!(f, "{table} {chain}: policy DROP")?,
        }
        match self.after == self.before {
            true => Ok(()),
            false => write!(f, " makes it {}", self.after),
        }
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for hop in &self.hops {
            writeln!(f, "{hop}")?;
            for hit in &hop.rules {
                writeln!(f, "  {hit}")?;
            }
        }
        Ok(())
    }
}

impl Trace {
    /// What became of the packet in the end, if it went anywhere.
    pub fn outcome(&self) -> Option<Verdict> {
        self.hops.last().map(|hop| hop.verdict)
    }

    /// Adds a hop with the rules met there; a trace that is full keeps its beginning.
    pub(crate) fn push(&mut self, mut hop: Hop) {
        hop.rules = std::mem::take(&mut self.met);
        if self.hops.len() < MAX_HOPS {
            self.hops.push(hop);
        }
    }

    /// A rule matched.
    pub(crate) fn meet(&mut self, hit: RuleHit) {
        self.met.push(hit);
    }

    /// The rule met last gave the packet these addresses.
    pub(crate) fn last_rule_made(&mut self, flow: Flow) {
        if let Some(hit) = self.met.last_mut() {
            hit.after = flow;
        }
    }
}

impl Hop {
    pub(crate) fn new(at: Instant, ns: &Netns, flow: Flow, verdict: Verdict) -> Hop {
        Hop {
            at,
            machine: ns.machine,
            ns: ns.id,
            netns: ns.name.clone(),
            inbound: None,
            outbound: None,
            before: flow,
            after: flow,
            route: None,
            rules: Vec::new(),
            verdict,
        }
    }
}

impl From<&Route> for HopRoute {
    fn from(route: &Route) -> HopRoute {
        HopRoute {
            dst: route.dst,
            via: route.via,
            kind: route.kind,
        }
    }
}
