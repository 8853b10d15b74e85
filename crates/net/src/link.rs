//! Network interfaces and what is done to them: pairs, bridges, addresses, up and down.
//! Knows nothing of packets. Models drivers/net/veth.c and net/bridge/br_if.c.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::rc::Rc;

use sim::LookupMap;

use crate::neigh::Neigh;
use crate::net::Net;
use crate::{Errno, Ipv4Net, LinkId, Mac, NetnsId, SegmentId};

/// The usual largest packet of Ethernet, in bytes.
const ETHERNET_MTU: u32 = 1500;
/// The largest packet of the loopback interface, in bytes.
const LOOPBACK_MTU: u32 = 65536;
/// The longest name of an interface (IFNAMSIZ without its final NUL).
const MAX_NAME: usize = 15;

/// A network interface.
#[derive(Clone, Debug)]
pub struct Link {
    /// Its id.
    pub id: LinkId,
    /// The namespace it is in.
    pub ns: NetnsId,
    /// Its number there, from 1.
    pub ifindex: u32,
    /// Its name there.
    pub name: Rc<str>,
    /// Its hardware address.
    pub mac: Mac,
    /// Largest packet, in bytes.
    pub mtu: u32,
    /// Whether an administrator set it up.
    pub up: bool,
    /// The bridge it is a port of.
    pub master: Option<LinkId>,
    /// What it is, and what it leads to.
    pub kind: LinkKind,
    /// Its addresses, the primary one first.
    pub addrs: Vec<Ipv4Net>,
    /// Those of them that were given without a broadcast address, as `ip addr add` does.
    pub without_broadcast: Vec<Ipv4Addr>,
    /// What passed through it.
    pub counters: Counters,
    pub(crate) neigh: BTreeMap<Ipv4Addr, Neigh>,
}

/// What an interface is.
#[derive(Clone, Debug)]
pub enum LinkKind {
    /// `lo`.
    Loopback,
    /// One end of a pair: what goes in here comes out there.
    Veth {
        /// The other end.
        peer: LinkId,
    },
    /// A bridge, which is also an interface of its namespace.
    Bridge(Box<Bridge>),
    /// A network card on a segment that joins machines.
    Uplink {
        /// The segment.
        segment: SegmentId,
    },
}

/// The switch inside a bridge interface.
#[derive(Clone, Debug, Default)]
pub struct Bridge {
    /// Its ports, in the order they joined.
    pub ports: Vec<LinkId>,
    /// Hardware addresses seen, and the port they are behind.
    pub(crate) fdb: LookupMap<Mac, LinkId>,
}

/// What passed through an interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Counters {
    pub rx_packets: u64,
    pub rx_bytes: u64,
    pub rx_dropped: u64,
    pub tx_packets: u64,
    pub tx_bytes: u64,
    pub tx_dropped: u64,
}

/// An Ethernet segment between machines, such as a rack's switch.
#[derive(Clone, Debug, Default)]
pub struct Segment {
    /// Cards on it, in the order they were plugged in.
    pub ports: Vec<LinkId>,
    pub(crate) by_mac: LookupMap<Mac, LinkId>,
}

impl Link {
    /// The bridge in it, if it is one.
    pub fn bridge(&self) -> Option<&Bridge> {
        match &self.kind {
            LinkKind::Bridge(bridge) => Some(bridge),
            _ => None,
        }
    }

    fn bridge_mut(&mut self) -> Option<&mut Bridge> {
        match &mut self.kind {
            LinkKind::Bridge(bridge) => Some(bridge),
            _ => None,
        }
    }
}

impl Net {
    /// The interface with this id, unless it is gone.
    #[inline]
    pub fn link(&self, id: LinkId) -> Option<&Link> {
        self.links.get(id)
    }

    /// The interface of `ns` with this name.
    pub fn link_by_name(&self, ns: NetnsId, name: &str) -> Option<&Link> {
        self.links_of(ns).find(|link| &*link.name == name)
    }

    /// The interfaces of `ns`, by ifindex; none if it is gone.
    pub fn links_of(&self, ns: NetnsId) -> impl Iterator<Item = &Link> {
        let ids = self.spaces.get(ns).map_or(&[][..], |ns| &ns.links);
        ids.iter().filter_map(|id| self.links.get(*id))
    }

    /// Whether frames can leave and arrive: the interface is up, and so is what it leads to.
    pub fn has_carrier(&self, link: &Link) -> bool {
        link.up
            && match &link.kind {
                LinkKind::Loopback => true,
                LinkKind::Veth { peer } => self.links.get(*peer).is_some_and(|peer| peer.up),
                LinkKind::Bridge(bridge) => {
                    let mut ports = bridge.ports.iter().filter_map(|port| self.links.get(*port));
                    ports.any(|port| port.up)
                }
                LinkKind::Uplink { .. } => true,
            }
    }

    pub(crate) fn add_loopback(&mut self, ns: NetnsId) -> LinkId {
        let id = self.new_link(ns, "lo", LinkKind::Loopback);
        if let Some(link) = self.links.get_mut(id) {
            link.mac = Mac::default();
            link.mtu = LOOPBACK_MTU;
        }
        id
    }

    /// Creates a pair of interfaces, both down. EEXIST if a name is taken, EINVAL if it is no
    /// interface name, ENOENT if a namespace is gone.
    pub fn add_veth(
        &mut self,
        ns_a: NetnsId,
        name_a: &str,
        ns_b: NetnsId,
        name_b: &str,
    ) -> Result<(LinkId, LinkId), Errno> {
        self.name_is_free(ns_a, name_a)?;
        self.name_is_free(ns_b, name_b)?;
        if ns_a == ns_b && name_a == name_b {
            return Err(Errno::EEXIST);
        }
        // The first end points at itself until the second has an id.
        let a = self.new_link(ns_a, name_a, LinkKind::Loopback);
        let b = self.new_link(ns_b, name_b, LinkKind::Veth { peer: a });
        if let Some(link) = self.links.get_mut(a) {
            link.kind = LinkKind::Veth { peer: b };
        }
        self.acquaint(ns_a, ns_b);
        Ok((a, b))
    }

    /// Creates a bridge without ports, down. Errors as for [`Net::add_veth`].
    pub fn add_bridge(&mut self, ns: NetnsId, name: &str) -> Result<LinkId, Errno> {
        self.name_is_free(ns, name)?;
        Ok(self.new_link(ns, name, LinkKind::Bridge(Box::default())))
    }

    /// Creates a segment for machines to be plugged into.
    pub fn add_segment(&mut self) -> SegmentId {
        self.segments.insert_with(|_| Segment::default())
    }

    /// The segment with this id.
    pub fn segment(&self, id: SegmentId) -> Option<&Segment> {
        self.segments.get(id)
    }

    /// Creates a network card on `segment`, down. Errors as for [`Net::add_veth`].
    pub fn add_uplink(
        &mut self,
        ns: NetnsId,
        name: &str,
        segment: SegmentId,
    ) -> Result<LinkId, Errno> {
        self.name_is_free(ns, name)?;
        self.segments.get(segment).ok_or(Errno::ENODEV)?;
        let id = self.new_link(ns, name, LinkKind::Uplink { segment });
        let mac = self.links.get(id).map(|link| link.mac).unwrap_or_default();
        if let Some(segment) = self.segments.get_mut(segment) {
            segment.ports.push(id);
            segment.by_mac.insert(mac, id);
        }
        Ok(id)
    }

    /// Makes `link` a port of the bridge `master`, or of none. EINVAL if `master` is no bridge of
    /// the same namespace, or if `link` is a bridge or the loopback.
    pub fn set_master(&mut self, link: LinkId, master: Option<LinkId>) -> Result<(), Errno> {
        let port = self.links.get(link).ok_or(Errno::ENODEV)?;
        if let Some(master) = master {
            let bridge = self.links.get(master).ok_or(Errno::ENODEV)?;
            let portable = !matches!(port.kind, LinkKind::Loopback | LinkKind::Bridge(_));
            if !portable || bridge.bridge().is_none() || bridge.ns != port.ns {
                return Err(Errno::EINVAL);
            }
        }
        self.leave_bridge(link);
        if let Some(bridge) = master.and_then(|id| self.links.get_mut(id)?.bridge_mut()) {
            bridge.ports.push(link);
        }
        if let Some(port) = self.links.get_mut(link) {
            port.master = master;
        }
        Ok(())
    }

    /// Sets an interface up: the routes to its own networks appear. Loopback gets 127.0.0.1/8.
    pub fn set_up(&mut self, id: LinkId) -> Result<(), Errno> {
        let link = self.links.get_mut(id).ok_or(Errno::ENODEV)?;
        if link.up {
            return Ok(());
        }
        link.up = true;
        let (loopback, addrs) = (matches!(link.kind, LinkKind::Loopback), link.addrs.clone());
        for net in &addrs {
            self.add_connected(id, *net);
        }
        if loopback && addrs.is_empty() {
            self.addr_add(id, Ipv4Net::new(Ipv4Addr::LOCALHOST, 8))?;
        }
        Ok(())
    }

    /// Sets an interface down: every route over it and every neighbour behind it is forgotten.
    pub fn set_down(&mut self, id: LinkId) -> Result<(), Errno> {
        let link = self.links.get_mut(id).ok_or(Errno::ENODEV)?;
        link.up = false;
        link.neigh.clear();
        let ns = link.ns;
        if let Some(ns) = self.spaces.get_mut(ns) {
            ns.routes.retain(|route| route.dev != Some(id));
        }
        Ok(())
    }

    /// Sets the largest packet, in bytes. EINVAL below 68, the least IPv4 needs.
    pub fn set_mtu(&mut self, id: LinkId, mtu: u32) -> Result<(), Errno> {
        let link = self.links.get_mut(id).ok_or(Errno::ENODEV)?;
        if !(68..=LOOPBACK_MTU).contains(&mtu) {
            return Err(Errno::EINVAL);
        }
        link.mtu = mtu;
        Ok(())
    }

    /// Gives an interface another name. Errors as for [`Net::add_veth`].
    pub fn rename_link(&mut self, id: LinkId, name: &str) -> Result<(), Errno> {
        let ns = self.links.get(id).ok_or(Errno::ENODEV)?.ns;
        self.name_is_free(ns, name)?;
        if let Some(link) = self.links.get_mut(id) {
            link.name = name.into();
        }
        Ok(())
    }

    /// Moves an interface to another namespace. As on Linux it arrives down, with no addresses and
    /// in no bridge. EINVAL for the loopback, EEXIST if its name is taken there.
    pub fn move_link(&mut self, id: LinkId, to: NetnsId) -> Result<(), Errno> {
        let link = self.links.get(id).ok_or(Errno::ENODEV)?;
        if matches!(link.kind, LinkKind::Loopback) {
            return Err(Errno::EINVAL);
        }
        let name = link.name.clone();
        self.name_is_free(to, &name)?;
        self.leave_namespace(id);
        let wanted = self.links.get(id).map(|link| link.ifindex);
        let ifindex = self.free_ifindex(to, wanted);
        let at = self.links_of(to).filter(|link| link.ifindex < ifindex);
        let at = at.count();
        if let Some(ns) = self.spaces.get_mut(to) {
            ns.links.insert(at, id);
        }
        if let Some(link) = self.links.get_mut(id) {
            (link.ns, link.ifindex) = (to, ifindex);
            if let LinkKind::Veth { peer } = link.kind
                && let Some(home) = self.links.get(peer).map(|peer| peer.ns)
            {
                self.acquaint(home, to);
            }
        }
        Ok(())
    }

    /// Deletes an interface, and with a veth its other end. Unknown ids are ignored.
    pub fn delete_link(&mut self, id: LinkId) {
        let Some(link) = self.links.get(id) else {
            return;
        };
        let kind = link.kind.clone();
        let mac = link.mac;
        self.leave_namespace(id);
        self.links.remove(id);
        match kind {
            LinkKind::Loopback => {}
            LinkKind::Veth { peer } => self.delete_link(peer),
            LinkKind::Bridge(bridge) => {
                for port in bridge.ports {
                    if let Some(port) = self.links.get_mut(port) {
                        port.master = None;
                    }
                }
            }
            LinkKind::Uplink { segment } => {
                if let Some(segment) = self.segments.get_mut(segment) {
                    segment.ports.retain(|port| *port != id);
                    segment.by_mac.remove(&mac);
                }
            }
        }
    }

    fn new_link(&mut self, ns: NetnsId, name: &str, kind: LinkKind) -> LinkId {
        self.serial += 1;
        let mac = Mac::of_serial(self.serial);
        let ifindex = self.free_ifindex(ns, None);
        let at = self.links_of(ns).filter(|link| link.ifindex < ifindex);
        let at = at.count();
        let id = self.links.insert_with(|id| Link {
            id,
            ns,
            ifindex,
            name: name.into(),
            mac,
            mtu: ETHERNET_MTU,
            up: false,
            master: None,
            kind,
            addrs: Vec::new(),
            without_broadcast: Vec::new(),
            counters: Counters::default(),
            neigh: BTreeMap::new(),
        });
        if let Some(ns) = self.spaces.get_mut(ns) {
            ns.links.insert(at, id);
        }
        id
    }

    /// A number for an interface of a namespace: `wanted` if nobody has it, else the next one.
    /// Models dev_index_reserve in net/core/dev.c.
    fn free_ifindex(&mut self, ns: NetnsId, wanted: Option<u32>) -> u32 {
        let taken = |ifindex: u32| self.links_of(ns).any(|link| link.ifindex == ifindex);
        if let Some(wanted) = wanted.filter(|wanted| !taken(*wanted)) {
            return wanted;
        }
        let mut next = self.spaces.get(ns).map_or(1, |ns| ns.next_ifindex);
        while taken(next) {
            next += 1;
        }
        if let Some(ns) = self.spaces.get_mut(ns) {
            ns.next_ifindex = next + 1;
        }
        next
    }

    fn name_is_free(&self, ns: NetnsId, name: &str) -> Result<(), Errno> {
        self.spaces.get(ns).ok_or(Errno::ENOENT)?;
        let odd = |c: char| c == '/' || c == ':' || c.is_whitespace();
        if name.is_empty() || name.len() > MAX_NAME || name == "." || name == ".." {
            return Err(Errno::EINVAL);
        }
        if name.contains(odd) {
            return Err(Errno::EINVAL);
        }
        self.link_by_name(ns, name)
            .map_or(Ok(()), |_| Err(Errno::EEXIST))
    }

    fn leave_namespace(&mut self, id: LinkId) {
        self.leave_bridge(id);
        let Some(link) = self.links.get(id) else {
            return;
        };
        let (ns, addrs) = (link.ns, link.addrs.clone());
        for net in addrs {
            let _ = self.addr_del(id, net);
        }
        let _ = self.set_down(id);
        if let Some(ns) = self.spaces.get_mut(ns) {
            ns.links.retain(|link| *link != id);
        }
    }

    fn leave_bridge(&mut self, id: LinkId) {
        let Some(master) = self.links.get_mut(id).and_then(|link| link.master.take()) else {
            return;
        };
        if let Some(bridge) = self.links.get_mut(master).and_then(Link::bridge_mut) {
            bridge.ports.retain(|port| *port != id);
            // What was learned is learned again; addresses behind the lost port are not.
            bridge.fdb.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Route;
    use sim::MachineId;

    fn net(text: &str) -> Ipv4Net {
        text.parse().expect("a network")
    }

    fn routes(net: &Net, ns: NetnsId) -> Vec<String> {
        let table = &net.netns(ns).expect("there").routes;
        table
            .list()
            .iter()
            .map(|route| route.dst.to_string())
            .collect()
    }

    #[test]
    fn routes_follow_addresses_and_up_and_down() {
        let mut world = Net::new();
        let ns = world.add_netns(MachineId(1), "a");
        let bridge = world.add_bridge(ns, "cni0").expect("new");
        world.addr_add(bridge, net("10.244.1.1/24")).expect("new");
        assert!(routes(&world, ns).is_empty(), "the interface is down");
        world.set_up(bridge).expect("there");
        assert_eq!(routes(&world, ns), ["10.244.1.0/24"]);
        let via = Route::via(net("10.9.0.0/16"), Ipv4Addr::new(10, 244, 1, 9), bridge);
        assert_eq!(world.route_add(ns, via.clone()), Ok(()));
        assert_eq!(world.route_add(ns, via), Err(Errno::EEXIST));
        let astray = Route::via(net("10.8.0.0/16"), Ipv4Addr::new(192, 168, 1, 1), bridge);
        assert_eq!(world.route_add(ns, astray), Err(Errno::ENETUNREACH));
        world.set_down(bridge).expect("there");
        assert!(routes(&world, ns).is_empty());
        world.set_up(bridge).expect("there");
        assert_eq!(
            routes(&world, ns),
            ["10.244.1.0/24"],
            "only the kernel's own come back"
        );
        world.addr_del(bridge, net("10.244.1.1/24")).expect("there");
        assert!(
            !world
                .netns(ns)
                .expect("there")
                .is_local(Ipv4Addr::new(10, 244, 1, 1))
        );
    }

    #[test]
    fn names_are_checked_per_namespace() {
        let mut world = Net::new();
        let (a, b) = (
            world.add_netns(MachineId(1), "a"),
            world.add_netns(MachineId(1), "b"),
        );
        world.add_veth(a, "eth0", b, "eth0").expect("each is free");
        let cases = [
            ("eth0", Errno::EEXIST),
            ("", Errno::EINVAL),
            ("a/b", Errno::EINVAL),
            ("sixteen-letters-", Errno::EINVAL),
        ];
        for (name, errno) in cases {
            assert_eq!(world.add_bridge(a, name), Err(errno), "{name:?}");
        }
    }

    #[test]
    fn a_moved_interface_arrives_bare_and_a_deleted_one_takes_its_peer() {
        let mut world = Net::new();
        let (a, b) = (
            world.add_netns(MachineId(1), "a"),
            world.add_netns(MachineId(1), "b"),
        );
        let bridge = world.add_bridge(a, "br0").expect("free");
        let (x, y) = world.add_veth(a, "x", a, "y").expect("free");
        world.set_master(x, Some(bridge)).expect("a bridge");
        world.addr_add(y, net("10.0.0.2/24")).expect("new");
        world.set_up(y).expect("there");
        world.move_link(y, b).expect("free there");
        let moved = world.link_by_name(b, "y").expect("moved");
        assert!(!moved.up && moved.addrs.is_empty());
        assert!(routes(&world, a).is_empty());
        world.delete_link(y);
        assert!(world.link(x).is_none());
        assert!(
            world
                .link(bridge)
                .and_then(Link::bridge)
                .expect("a bridge")
                .ports
                .is_empty()
        );
    }
}
