//! A network namespace: its interfaces, addresses, routes and sockets, by id.
//! Models include/net/net_namespace.h. What the interfaces are is in `link.rs`.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::rc::Rc;

use sim::{LookupMap, MachineId};

use crate::addr::Tuple;
use crate::link::Link;
use crate::net::{Ctx, Net};
use crate::netfilter::Netfilter;
use crate::{Ipv4Net, LinkId, NetnsId, RouteTable, SocketId, ports};

/// One network namespace.
#[derive(Clone, Debug)]
pub struct Netns {
    /// Its id.
    pub id: NetnsId,
    /// The machine whose kernel it belongs to.
    pub machine: MachineId,
    /// What people call it: the host's name, or `cni-…`.
    pub name: Rc<str>,
    /// `net.ipv4.ip_forward`.
    pub ip_forward: bool,
    /// `net.bridge.bridge-nf-call-iptables`, as it is once br_netfilter is loaded: what a bridge
    /// passes from port to port is shown to the rules.
    pub bridge_nf_call_iptables: bool,
    /// The main routing table.
    pub routes: RouteTable,
    /// Interfaces by ifindex.
    pub(crate) links: Vec<LinkId>,
    pub(crate) next_ifindex: u32,
    /// Own addresses and the interface each is on: the table `local`.
    pub(crate) local: LookupMap<Ipv4Addr, LinkId>,
    /// Every socket, in no order; each knows its place.
    pub(crate) sockets: Vec<SocketId>,
    /// TCP connections by (local, remote).
    pub(crate) connections: LookupMap<Tuple, SocketId>,
    /// TCP listeners by port, then address (0.0.0.0 for any).
    pub(crate) listeners: BTreeMap<(u16, Ipv4Addr), SocketId>,
    /// UDP sockets likewise.
    pub(crate) datagrams: BTreeMap<(u16, Ipv4Addr), SocketId>,
    /// Ping sockets by ident.
    pub(crate) pings: BTreeMap<u16, SocketId>,
    /// The ident that was given to a ping socket last (ping_port_rover).
    pub(crate) last_ident: u16,
    pub(crate) next_port: u16,
    /// Numbers by which it knows other namespaces that an interface here leads to.
    pub(crate) nsids: BTreeMap<NetnsId, u32>,
    /// Tables and connections, once somebody has used one.
    pub(crate) netfilter: Option<Rc<Netfilter>>,
}

impl Netns {
    /// The interfaces, by ifindex.
    pub fn links(&self) -> &[LinkId] {
        &self.links
    }

    /// Whether `addr` is one of the namespace's own; all of 127.0.0.0/8 is, once `lo` is up.
    #[inline]
    pub fn is_local(&self, addr: Ipv4Addr) -> bool {
        self.local.contains_key(&addr)
            || (addr.is_loopback() && self.local.contains_key(&Ipv4Addr::LOCALHOST))
    }

    /// The number by which this namespace knows another, once an interface led there (`link-netnsid`).
    pub fn nsid(&self, other: NetnsId) -> Option<u32> {
        self.nsids.get(&other).copied()
    }

    /// Whether rules could do something to a packet.
    #[inline]
    pub(crate) fn has_rules(&self) -> bool {
        self.netfilter
            .as_ref()
            .is_some_and(|netfilter| netfilter.is_active())
    }

    /// The loopback interface: the first of every namespace.
    pub(crate) fn loopback(&self) -> Option<LinkId> {
        self.links.first().copied()
    }
}

impl Net {
    /// Creates a namespace. Its loopback interface is up, as a container runtime leaves it;
    /// forwarding is off, as in every new namespace.
    pub fn add_netns(&mut self, machine: MachineId, name: impl Into<Rc<str>>) -> NetnsId {
        self.serial += 1;
        let serial = self.serial;
        let name = name.into();
        let id = self.spaces.insert_with(|id| Netns {
            id,
            machine,
            name,
            ip_forward: false,
            bridge_nf_call_iptables: true,
            routes: RouteTable::default(),
            links: Vec::new(),
            next_ifindex: 1,
            local: LookupMap::new(),
            sockets: Vec::new(),
            connections: LookupMap::new(),
            listeners: BTreeMap::new(),
            datagrams: BTreeMap::new(),
            pings: BTreeMap::new(),
            last_ident: 0,
            next_port: ports::first(serial),
            nsids: BTreeMap::new(),
            netfilter: None,
        });
        let lo = self.add_loopback(id);
        let up = self.set_up(lo);
        debug_assert!(up.is_ok(), "a new interface comes up");
        id
    }

    /// Removes a namespace: its connections are reset, its interfaces vanish, and with a veth its
    /// other end. Unknown ids are ignored.
    pub fn remove_netns(&mut self, ctx: &mut Ctx<'_>, id: NetnsId) {
        let Some(ns) = self.spaces.get(id) else {
            return;
        };
        let mut sockets = ns.sockets.clone();
        sockets.sort_unstable();
        let links = ns.links.clone();
        for socket in sockets {
            self.evict(ctx, socket);
        }
        for link in links {
            self.delete_link(link);
        }
        let known = self.spaces.get(id).map(|ns| ns.nsids.clone());
        for other in known.unwrap_or_default().into_keys() {
            if let Some(ns) = self.spaces.get_mut(other) {
                ns.nsids.remove(&id);
            }
        }
        self.spaces.remove(id);
    }

    /// Gives two namespaces numbers for each other, the lowest free ones, unless they have them.
    /// Models net/core/net_namespace.c (peernet2id_alloc).
    pub(crate) fn acquaint(&mut self, a: NetnsId, b: NetnsId) {
        if a == b {
            return;
        }
        for (own, other) in [(a, b), (b, a)] {
            let Some(ns) = self.spaces.get_mut(own) else {
                continue;
            };
            if ns.nsids.contains_key(&other) {
                continue;
            }
            let mut taken: Vec<u32> = ns.nsids.values().copied().collect();
            taken.sort_unstable();
            let free = (0..).zip(&taken).find(|(at, id)| at != *id);
            let free = free.map_or(taken.len() as u32, |(at, _)| at);
            ns.nsids.insert(other, free);
        }
    }

    /// The namespace with this id, unless it is gone.
    #[inline]
    pub fn netns(&self, id: NetnsId) -> Option<&Netns> {
        self.spaces.get(id)
    }

    /// Every namespace of every machine.
    pub fn namespaces(&self) -> impl Iterator<Item = &Netns> {
        self.spaces.iter().map(|(_, ns)| ns)
    }

    /// Gives a namespace another name, or none with "". Unknown ids are ignored.
    pub fn rename_netns(&mut self, id: NetnsId, name: &str) {
        if let Some(ns) = self.spaces.get_mut(id) {
            ns.name = name.into();
        }
    }

    /// Sets `net.ipv4.ip_forward`. Unknown ids are ignored.
    pub fn set_ip_forward(&mut self, id: NetnsId, on: bool) {
        if let Some(ns) = self.spaces.get_mut(id) {
            ns.ip_forward = on;
        }
    }

    /// Sets `net.bridge.bridge-nf-call-iptables`. Unknown ids are ignored.
    pub fn set_bridge_nf_call_iptables(&mut self, id: NetnsId, on: bool) {
        if let Some(ns) = self.spaces.get_mut(id) {
            ns.bridge_nf_call_iptables = on;
        }
    }

    /// The source address for packets to `dst` that no socket is bound for.
    /// Models inet_select_addr and fib_result_prefsrc.
    pub fn source_for(&self, ns: &Netns, dst: Ipv4Addr) -> Option<Ipv4Addr> {
        if ns.is_local(dst) {
            return Some(dst);
        }
        let route = ns.routes.lookup(dst)?;
        if let Some(src) = route.src {
            return Some(src);
        }
        let link = self.links.get(route.dev?)?;
        self.addr_on(ns, link, route.via.unwrap_or(dst))
    }

    /// The address of an interface for packets to `near`, or that of another interface if it has
    /// none of its own that others may know. Models inet_select_addr.
    pub(crate) fn addr_on(&self, ns: &Netns, link: &Link, near: Ipv4Addr) -> Option<Ipv4Addr> {
        let on_link = |net: &&Ipv4Net| net.contains(near);
        let own = link.addrs.iter().find(on_link).or(link.addrs.first());
        if let Some(net) = own.filter(|net| !net.addr.is_loopback()) {
            return Some(net.addr);
        }
        let mut others = ns.links.iter().filter_map(|id| self.links.get(*id));
        others.find_map(|link| Some(link.addrs.first()?.addr).filter(|addr| !addr.is_loopback()))
    }
}
