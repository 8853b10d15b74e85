//! Addresses of interfaces and the routes of namespaces, and how the kernel's own routes follow
//! the addresses. Models net/ipv4/devinet.c and net/ipv4/fib_frontend.c.

use std::net::Ipv4Addr;

use crate::link::{Link, LinkKind};
use crate::net::Net;
use crate::route::RouteProto;
use crate::{Errno, Ipv4Net, LinkId, NetnsId, Route, RouteKind};

impl Net {
    /// Gives an interface an address; if it is up, the route to its network appears. EEXIST if it
    /// has the address already.
    pub fn addr_add(&mut self, id: LinkId, net: Ipv4Net) -> Result<(), Errno> {
        let link = self.links.get_mut(id).ok_or(Errno::ENODEV)?;
        if link.addrs.iter().any(|other| other.addr == net.addr) {
            return Err(Errno::EEXIST);
        }
        link.addrs.push(net);
        let (up, ns) = (link.up, link.ns);
        if let Some(ns) = self.spaces.get_mut(ns) {
            ns.local.insert(net.addr, id);
        }
        // Every namespace has 127.0.0.1, and nobody asks the wire for it.
        if !net.addr.is_loopback() {
            self.owners.insert((net.addr, id));
        }
        if up {
            self.add_connected(id, net);
        }
        Ok(())
    }

    /// The same without a broadcast address, which is for people to see only.
    pub fn addr_add_bare(&mut self, id: LinkId, net: Ipv4Net) -> Result<(), Errno> {
        self.addr_add(id, net)?;
        if let Some(link) = self.links.get_mut(id) {
            link.without_broadcast.push(net.addr);
        }
        Ok(())
    }

    /// Takes an address and the route to its network away. EADDRNOTAVAIL if it is not there.
    pub fn addr_del(&mut self, id: LinkId, net: Ipv4Net) -> Result<(), Errno> {
        let link = self.links.get_mut(id).ok_or(Errno::ENODEV)?;
        let at = link
            .addrs
            .iter()
            .position(|other| *other == net)
            .ok_or(Errno::EADDRNOTAVAIL)?;
        link.addrs.remove(at);
        link.without_broadcast.retain(|addr| *addr != net.addr);
        let ns = link.ns;
        self.owners.remove(&(net.addr, id));
        self.disown(ns, net.addr, id);
        if let Some(ns) = self.spaces.get_mut(ns) {
            ns.routes
                .retain(|route| route.dev != Some(id) || route.src != Some(net.addr));
        }
        Ok(())
    }

    /// Adds a route to a namespace's main table. EEXIST if there is one, ENETDOWN if its interface
    /// is down, ENETUNREACH if its gateway is on no network of the interface, EINVAL if a route
    /// that sends on names no interface.
    pub fn route_add(&mut self, ns: NetnsId, route: Route) -> Result<(), Errno> {
        if let Some(dev) = route.dev {
            let link = self
                .links
                .get(dev)
                .filter(|link| link.ns == ns)
                .ok_or(Errno::ENODEV)?;
            if !link.up {
                return Err(Errno::ENETDOWN);
            }
            let reachable = |gateway: Ipv4Addr| {
                let table = &self.spaces.get(ns)?.routes;
                table
                    .lookup(gateway)
                    .filter(|r| r.via.is_none() && r.dev == Some(dev))
            };
            if route
                .via
                .is_some_and(|gateway| reachable(gateway).is_none())
            {
                return Err(Errno::ENETUNREACH);
            }
        } else if route.kind == RouteKind::Unicast {
            return Err(Errno::EINVAL);
        }
        self.spaces
            .get_mut(ns)
            .ok_or(Errno::ENOENT)?
            .routes
            .add(route)
    }

    /// Removes the first route that `matches`, and returns it. ESRCH if none does.
    pub fn route_del(
        &mut self,
        ns: NetnsId,
        matches: impl Fn(&Route) -> bool,
    ) -> Result<Route, Errno> {
        self.spaces
            .get_mut(ns)
            .ok_or(Errno::ENOENT)?
            .routes
            .del(matches)
    }

    pub(crate) fn add_connected(&mut self, id: LinkId, net: Ipv4Net) {
        let Some(link) = self.links.get(id) else {
            return;
        };
        if net.prefix == 32 || matches!(link.kind, LinkKind::Loopback) {
            return;
        }
        let route = Route {
            src: Some(net.addr),
            proto: RouteProto::Kernel,
            ..Route::on_link(net, id)
        };
        if let Some(ns) = self.spaces.get_mut(link.ns) {
            // A second address in the same network shares the route of the first.
            let _ = ns.routes.add(route);
        }
    }

    /// Forgets that `addr` is local to `ns` by `id`, unless another interface has it too.
    fn disown(&mut self, ns: NetnsId, addr: Ipv4Addr, id: LinkId) {
        let has = |link: &&Link| link.addrs.iter().any(|net| net.addr == addr);
        let other = self.links_of(ns).find(has).map(|link| link.id);
        let Some(space) = self.spaces.get_mut(ns) else {
            return;
        };
        if space.local.get(&addr) == Some(&id) {
            match other {
                Some(other) => space.local.insert(addr, other),
                None => space.local.remove(&addr),
            };
        }
    }
}
