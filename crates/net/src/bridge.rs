//! Which port or card leads to a hardware address: what switches learn and flooding would find.
//! Models net/bridge/br_fdb.c; a flooded frame is followed only where it is taken.

use sim::Instant;

use crate::link::{Link, LinkKind};
use crate::net::Net;
use crate::{LinkId, Mac};

/// Bridges behind bridges a frame passes.
const MAX_DEPTH: u8 = 8;

impl Net {
    /// The port of a bridge behind which `mac` is: learned, or found by asking all of them.
    pub(crate) fn port_for(
        &mut self,
        bridge: LinkId,
        inbound: Option<LinkId>,
        mac: Mac,
    ) -> Option<LinkId> {
        let switch = self.links.get(bridge)?.bridge()?;
        let learned = switch
            .fdb
            .get(&mac)
            .copied()
            .filter(|port| Some(*port) != inbound);
        if let Some(port) = learned
            && self.links.get(port).is_some_and(|port| port.up)
        {
            return Some(port);
        }
        let port = self.search_ports(&switch.ports, inbound, mac, 0)?;
        if let LinkKind::Bridge(switch) = &mut self.links.get_mut(bridge)?.kind {
            switch.fdb.insert(mac, port);
        }
        Some(port)
    }

    /// The card on the segment of `from` that a frame to `mac` reaches.
    pub(crate) fn card_for(&self, from: LinkId, mac: Mac) -> Option<LinkId> {
        let LinkKind::Uplink { segment } = &self.links.get(from)?.kind else {
            return None;
        };
        let segment = self.segments.get(*segment)?;
        if let Some(card) = segment.by_mac.get(&mac) {
            return Some(*card).filter(|card| *card != from);
        }
        let others = segment.ports.iter().copied().filter(|card| *card != from);
        let mut bridged = others.filter(|card| {
            self.links
                .get(*card)
                .is_some_and(|card| card.master.is_some())
        });
        bridged.find(|card| self.is_behind(*card, mac, 1))
    }

    /// Whether the machine of `card` is off and everybody has had time to notice. A fresh
    /// neighbour entry is trusted, so packets to a machine that just died are lost on the wire.
    pub(crate) fn is_known_dead(&self, now: Instant, from: LinkId, mac: Mac, card: LinkId) -> bool {
        let Some(card) = self.links.get(card) else {
            return true;
        };
        self.is_machine_down(self.machine_of_netns(card.ns))
            && self
                .links
                .get(from)
                .is_some_and(|link| link.is_stale(mac, now))
    }

    fn search_ports(
        &self,
        ports: &[LinkId],
        inbound: Option<LinkId>,
        mac: Mac,
        depth: u8,
    ) -> Option<LinkId> {
        let others = ports.iter().copied().filter(|port| Some(*port) != inbound);
        let mut up = others.filter(|port| self.links.get(*port).is_some_and(|port| port.up));
        up.find(|port| match self.links.get(*port).map(|port| &port.kind) {
            Some(LinkKind::Veth { peer }) => self.is_behind(*peer, mac, depth),
            Some(LinkKind::Uplink { .. }) => self.card_for(*port, mac).is_some(),
            Some(LinkKind::Loopback | LinkKind::Bridge(_)) | None => false,
        })
    }

    /// Whether a frame to `mac` that comes in by `link` is taken there.
    fn is_behind(&self, link: LinkId, mac: Mac, depth: u8) -> bool {
        let Some(link) = self.links.get(link).filter(|_| depth < MAX_DEPTH) else {
            return false;
        };
        match link.master.and_then(|master| self.links.get(master)) {
            None => link.mac == mac,
            Some(bridge) => {
                let ports = bridge.bridge().map_or(&[][..], |switch| &switch.ports);
                let inbound = Some(link.id);
                bridge.mac == mac || self.search_ports(ports, inbound, mac, depth + 1).is_some()
            }
        }
    }
}

impl Link {
    /// Whether what is known of the neighbour with this hardware address is no longer fresh.
    fn is_stale(&self, mac: Mac, now: Instant) -> bool {
        self.neigh
            .values()
            .any(|neigh| neigh.is_stale_for(mac, now))
    }
}
