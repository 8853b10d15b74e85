//! Neighbours: which hardware address an IP address has on an interface's own network.
//! Questions are not sent as packets: the layer-2 domain is asked directly. What stays is their
//! outcome, and the three seconds that pass when nobody answers.
//! Models net/core/neighbour.c and net/ipv4/arp.c.

use std::net::Ipv4Addr;

use sim::{Duration, Instant};

use crate::link::{Link, LinkKind};
use crate::net::{Ctx, Net, NetEvent};
use crate::packet::{IcmpError, Packet};
use crate::trace::DropReason;
use crate::{LinkId, Mac, NetnsId};

/// Time between two questions (net.ipv4.neigh.*.retrans_time_ms).
const PROBE_EVERY: Duration = Duration::from_secs(1);
/// Questions asked before the neighbour counts as absent (mcast_solicit).
const PROBES: u8 = 3;
/// How long an answer counts as fresh (base_reachable_time_ms).
const REACHABLE_FOR: Duration = Duration::from_secs(30);
/// Packets that wait for one neighbour.
const MAX_WAITING: usize = 101;
/// Bridges behind bridges a question passes.
const MAX_DEPTH: u8 = 8;

/// One line of the neighbour table.
#[derive(Clone, Debug)]
pub(crate) struct Neigh {
    mac: Option<Mac>,
    /// When it was last answered for, or asked about in vain.
    at: Instant,
}

/// The state of a neighbour as `ip neigh` prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NeighState {
    /// Asked, not yet answered.
    Incomplete,
    /// Answered lately.
    Reachable,
    /// Answered some time ago.
    Stale,
    /// Asked three times in vain.
    Failed,
}

/// A line of the neighbour table, for people to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeighEntry {
    /// The neighbour's address.
    pub addr: Ipv4Addr,
    /// The interface it is behind.
    pub dev: LinkId,
    /// Its hardware address, if it answered.
    pub mac: Option<Mac>,
    /// How fresh that is.
    pub state: NeighState,
}

/// Packets that wait for a neighbour's answer.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    ns: NetnsId,
    probes: u8,
    packets: Vec<Packet>,
}

impl Net {
    /// The neighbour table of a namespace, by interface and address.
    pub fn neighbours(&self, ns: NetnsId, now: Instant) -> Vec<NeighEntry> {
        let mut entries = Vec::new();
        for link in self.links_of(ns) {
            let mut lines = std::collections::BTreeMap::new();
            for (addr, neigh) in &link.neigh {
                lines.insert(*addr, (neigh.mac, neigh.state(now)));
            }
            let range = (link.id, Ipv4Addr::UNSPECIFIED)..=(link.id, Ipv4Addr::BROADCAST);
            for ((_, addr), _) in self.waiting.range(range) {
                lines.insert(*addr, (None, NeighState::Incomplete));
            }
            let entry = |(addr, (mac, state))| NeighEntry {
                addr,
                dev: link.id,
                mac,
                state,
            };
            entries.extend(lines.into_iter().map(entry));
        }
        entries
    }

    /// Finds the hardware address of `addr` behind `link`, asking if it is not known.
    #[inline]
    pub(crate) fn resolve(&mut self, now: Instant, link: LinkId, addr: Ipv4Addr) -> Option<Mac> {
        let known = self
            .links
            .get(link)
            .and_then(|link| link.neigh.get(&addr)?.mac);
        known.or_else(|| self.ask(now, link, addr))
    }

    /// Keeps a packet until `addr` behind `link` answers, or has not for three seconds.
    pub(crate) fn wait_for_neighbour(
        &mut self,
        ctx: &mut Ctx<'_>,
        ns: NetnsId,
        link: LinkId,
        addr: Ipv4Addr,
        packet: Packet,
    ) {
        let waiting = self.waiting.entry((link, addr)).or_insert_with(|| {
            let machine = self
                .spaces
                .get(ns)
                .map_or(sim::MachineId::WORLD, |ns| ns.machine);
            ctx.out.events.push((
                ctx.now + PROBE_EVERY,
                machine,
                NetEvent::Probe { link, addr },
            ));
            Waiting {
                ns,
                probes: 1,
                packets: Vec::new(),
            }
        });
        if waiting.packets.len() < MAX_WAITING {
            waiting.packets.push(packet);
        } else {
            self.lose(ctx, ns, packet, DropReason::NeighbourFailed);
        }
    }

    /// Forgets an answer that proved wrong; true if there was one.
    pub(crate) fn forget_neighbour(&mut self, link: LinkId, addr: Ipv4Addr) -> bool {
        let neigh = self.links.get_mut(link).map(|link| &mut link.neigh);
        neigh.is_some_and(|neigh| neigh.remove(&addr).is_some())
    }

    /// A second has passed since `addr` was asked about.
    pub(crate) fn on_probe(&mut self, ctx: &mut Ctx<'_>, link: LinkId, addr: Ipv4Addr) {
        let Some(mut waiting) = self.waiting.remove(&(link, addr)) else {
            return;
        };
        if self.ask(ctx.now, link, addr).is_some() {
            for packet in waiting.packets {
                self.send_to_neighbour(ctx, waiting.ns, link, addr, packet);
            }
            return;
        }
        let machine = self.spaces.get(waiting.ns).map(|ns| ns.machine);
        if let Some(machine) = machine
            && waiting.probes < PROBES
        {
            waiting.probes += 1;
            self.waiting.insert((link, addr), waiting);
            ctx.out.events.push((
                ctx.now + PROBE_EVERY,
                machine,
                NetEvent::Probe { link, addr },
            ));
            return;
        }
        if let Some(link) = self.links.get_mut(link) {
            link.neigh.insert(
                addr,
                Neigh {
                    mac: None,
                    at: ctx.now,
                },
            );
        }
        for packet in waiting.packets {
            ctx.cause = packet.cause;
            self.send_icmp_error(ctx, waiting.ns, &packet, IcmpError::HostUnreachable);
            self.lose(ctx, waiting.ns, packet, DropReason::NeighbourFailed);
        }
    }

    /// Asks the layer-2 domain of `link`, and notes the answer on both sides, as ARP does. What
    /// comes back to a port of a bridge is heard by the bridge: the port asks in vain.
    fn ask(&mut self, now: Instant, link: LinkId, addr: Ipv4Addr) -> Option<Mac> {
        let asker = self
            .links
            .get(link)
            .filter(|link| link.up && link.master.is_none())?;
        let target = self.who_has(asker, addr)?;
        let mac = self.links.get(target)?.mac;
        let (own_mac, own_addr) = (asker.mac, asker.addrs.first().map(|net| net.addr));
        self.links
            .get_mut(link)?
            .neigh
            .insert(addr, Neigh::answered(mac, now));
        if let Some(own) = own_addr {
            self.links
                .get_mut(target)?
                .neigh
                .insert(own, Neigh::answered(own_mac, now));
        }
        Some(mac)
    }

    /// The interface that answers for `addr` when `link` asks.
    fn who_has(&self, link: &Link, addr: Ipv4Addr) -> Option<LinkId> {
        match &link.kind {
            LinkKind::Loopback => None,
            LinkKind::Veth { peer } => self.who_behind(*peer, addr, 0),
            LinkKind::Bridge(bridge) => self.who_on_ports(&bridge.ports, None, addr, 0),
            LinkKind::Uplink { segment } => self.who_on_segment(*segment, link.id, addr, 0),
        }
    }

    /// Who answers when the question comes in by `link`.
    fn who_behind(&self, link: LinkId, addr: Ipv4Addr, depth: u8) -> Option<LinkId> {
        let link = self
            .links
            .get(link)
            .filter(|link| link.up && depth < MAX_DEPTH)?;
        let ns = self
            .spaces
            .get(link.ns)
            .filter(|ns| !self.is_machine_down(ns.machine))?;
        match link.master {
            None => (ns.is_local(addr) && !addr.is_loopback()).then_some(link.id),
            Some(master) => {
                let bridge = self.links.get(master).filter(|bridge| bridge.up)?;
                if ns.is_local(addr) && !addr.is_loopback() {
                    return Some(master);
                }
                self.who_on_ports(&bridge.bridge()?.ports, Some(link.id), addr, depth + 1)
            }
        }
    }

    fn who_on_ports(
        &self,
        ports: &[LinkId],
        inbound: Option<LinkId>,
        addr: Ipv4Addr,
        depth: u8,
    ) -> Option<LinkId> {
        // Usually one interface in the world has the address, and it is a port's other end.
        let range = (addr, LinkId(0))..=(addr, LinkId(u64::MAX));
        for (_, owner) in self.owners.range(range) {
            if let Some(LinkKind::Veth { peer }) = self.links.get(*owner).map(|link| &link.kind)
                && Some(*peer) != inbound
                && ports.contains(peer)
                && self.links.get(*peer).is_some_and(|port| port.up)
                && let Some(found) = self.who_behind(*owner, addr, depth + 1)
            {
                return Some(found);
            }
        }
        let others = ports.iter().filter(|port| Some(**port) != inbound);
        let mut up = others
            .filter_map(|port| self.links.get(*port))
            .filter(|port| port.up);
        up.find_map(|port| match &port.kind {
            LinkKind::Veth { peer } => self.who_behind(*peer, addr, depth + 1),
            LinkKind::Uplink { segment } => self.who_on_segment(*segment, port.id, addr, depth + 1),
            LinkKind::Loopback | LinkKind::Bridge(_) => None,
        })
    }

    fn who_on_segment(
        &self,
        segment: crate::SegmentId,
        inbound: LinkId,
        addr: Ipv4Addr,
        depth: u8,
    ) -> Option<LinkId> {
        // The address is in a namespace with a card on the segment: ask the index, not every card.
        let range = (addr, LinkId(0))..=(addr, LinkId(u64::MAX));
        for (_, owner) in self.owners.range(range) {
            let ns = self.links.get(*owner)?.ns;
            let on_segment = |link: &&Link| {
                let uplink = matches!(&link.kind, LinkKind::Uplink { segment: s } if *s == segment);
                uplink && link.id != inbound
            };
            if let Some(card) = self.links_of(ns).find(on_segment)
                && let Some(found) = self.who_behind(card.id, addr, depth + 1)
            {
                return Some(found);
            }
        }
        // Or behind a bridge that a card is a port of.
        let cards = self
            .segments
            .get(segment)?
            .ports
            .iter()
            .filter(|card| **card != inbound);
        let mut bridged = cards.filter(|card| {
            self.links
                .get(**card)
                .is_some_and(|card| card.master.is_some())
        });
        bridged.find_map(|card| self.who_behind(*card, addr, depth + 1))
    }
}

impl Neigh {
    fn answered(mac: Mac, now: Instant) -> Neigh {
        Neigh {
            mac: Some(mac),
            at: now,
        }
    }

    pub(crate) fn is_stale_for(&self, mac: Mac, now: Instant) -> bool {
        self.mac == Some(mac) && self.state(now) == NeighState::Stale
    }

    fn state(&self, now: Instant) -> NeighState {
        match self.mac {
            Some(_) if now.since(self.at) < REACHABLE_FOR => NeighState::Reachable,
            Some(_) => NeighState::Stale,
            None => NeighState::Failed,
        }
    }
}
