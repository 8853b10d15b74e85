//! A routing table: which way a destination lies. Knows no packets.
//! Models net/ipv4/fib_trie.c: the longest prefix wins, then the lowest metric.

use std::net::Ipv4Addr;

use crate::addr::mask;
use crate::{Errno, Ipv4Net, LinkId};

/// One route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The destinations it matches; host bits are clear.
    pub dst: Ipv4Net,
    /// What it does with them.
    pub kind: RouteKind,
    /// The gateway; `None` means they are on the link itself.
    pub via: Option<Ipv4Addr>,
    /// The interface; `None` only for routes that drop.
    pub dev: Option<LinkId>,
    /// Preferred source address.
    pub src: Option<Ipv4Addr>,
    /// Lower is preferred.
    pub metric: u32,
    /// Who made it.
    pub proto: RouteProto,
}

/// What a route does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteKind {
    /// Sends on.
    Unicast,
    /// Drops silently.
    Blackhole,
    /// Drops and says "host unreachable".
    Unreachable,
    /// Drops and says "prohibited".
    Prohibit,
}

/// Who made a route (`proto` in `ip route`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteProto {
    /// The kernel, with an address.
    Kernel,
    /// A command such as `ip route add`.
    Boot,
    /// An administrator's configuration.
    Static,
    /// DHCP.
    Dhcp,
}

impl Route {
    /// `dst via gateway dev link`.
    pub fn via(dst: Ipv4Net, gateway: Ipv4Addr, link: LinkId) -> Route {
        Route {
            via: Some(gateway),
            ..Route::on_link(dst, link)
        }
    }

    /// `dst dev link`.
    pub fn on_link(dst: Ipv4Net, link: LinkId) -> Route {
        Route {
            dst: dst.network(),
            kind: RouteKind::Unicast,
            via: None,
            dev: Some(link),
            src: None,
            metric: 0,
            proto: RouteProto::Boot,
        }
    }

    /// `blackhole dst`, `unreachable dst` or `prohibit dst`.
    pub fn dropping(dst: Ipv4Net, kind: RouteKind) -> Route {
        Route {
            dst: dst.network(),
            kind,
            via: None,
            dev: None,
            src: None,
            metric: 0,
            proto: RouteProto::Boot,
        }
    }
}

/// The main table of a namespace.
#[derive(Clone, Debug, Default)]
pub struct RouteTable {
    /// By prefix length, longest first; then by network; then by metric.
    routes: Vec<Route>,
    /// Prefix length and end (exclusive) of each run of equal lengths in `routes`.
    runs: Vec<(u8, u32)>,
}

impl RouteTable {
    /// The route for `dst`.
    #[inline]
    pub fn lookup(&self, dst: Ipv4Addr) -> Option<&Route> {
        let dst = u32::from(dst);
        let mut start = 0;
        for &(prefix, end) in &self.runs {
            let run = &self.routes[start..end as usize];
            let network = dst & mask(prefix);
            let at = run.partition_point(|route| u32::from(route.dst.addr) < network);
            if let Some(route) = run.get(at)
                && u32::from(route.dst.addr) == network
            {
                return Some(route);
            }
            start = end as usize;
        }
        None
    }

    /// Adds a route. EEXIST if there is one to the same network with the same metric.
    pub fn add(&mut self, route: Route) -> Result<(), Errno> {
        let at = self
            .routes
            .partition_point(|other| rank(other) < rank(&route));
        if self
            .routes
            .get(at)
            .is_some_and(|other| rank(other) == rank(&route))
        {
            return Err(Errno::EEXIST);
        }
        self.routes.insert(at, route);
        self.index();
        Ok(())
    }

    /// Removes the first route that `matches`. ESRCH if none does.
    pub fn del(&mut self, matches: impl Fn(&Route) -> bool) -> Result<Route, Errno> {
        let at = self.routes.iter().position(matches).ok_or(Errno::ESRCH)?;
        let route = self.routes.remove(at);
        self.index();
        Ok(route)
    }

    /// Keeps only the routes that `matches`.
    pub fn retain(&mut self, matches: impl Fn(&Route) -> bool) {
        self.routes.retain(matches);
        self.index();
    }

    /// Every route as `ip route` lists them: by network from the default on, then by metric.
    pub fn list(&self) -> Vec<&Route> {
        let mut routes: Vec<&Route> = self.routes.iter().collect();
        routes.sort_by_key(|route| (route.dst.addr, route.dst.prefix, route.metric));
        routes
    }

    /// How many routes there are.
    pub fn len(&self) -> usize {
        self.routes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.routes.is_empty()
    }

    fn index(&mut self) {
        self.runs.clear();
        for (at, route) in self.routes.iter().enumerate() {
            let end = u32::try_from(at + 1).unwrap_or(u32::MAX);
            match self.runs.last_mut() {
                Some((prefix, last)) if *prefix == route.dst.prefix => *last = end,
                _ => self.runs.push((route.dst.prefix, end)),
            }
        }
    }
}

fn rank(route: &Route) -> (u8, Ipv4Addr, u32) {
    (32 - route.dst.prefix, route.dst.addr, route.metric)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(lines: &[(&str, u32)]) -> RouteTable {
        let mut table = RouteTable::default();
        for (n, (dst, metric)) in lines.iter().enumerate() {
            let dst: Ipv4Net = dst.parse().expect("a network");
            let route = Route::on_link(dst, LinkId(n as u64));
            table
                .add(Route {
                    metric: *metric,
                    ..route
                })
                .expect("no duplicate");
        }
        table
    }

    #[test]
    fn the_longest_prefix_wins_then_the_lowest_metric() {
        let table = table(&[
            ("0.0.0.0/0", 0),
            ("10.244.1.0/24", 100),
            ("10.244.1.0/24", 50),
            ("10.244.0.0/16", 0),
            ("10.244.1.9/32", 0),
            ("10.244.3.0/24", 0),
        ]);
        let cases = [
            ("10.244.1.7", Some(2)),
            ("10.244.1.9", Some(4)),
            ("10.244.2.1", Some(3)),
            ("10.244.3.255", Some(5)),
            ("8.8.8.8", Some(0)),
        ];
        for (dst, expected) in cases {
            let route = table.lookup(dst.parse().expect("an address"));
            assert_eq!(
                route.and_then(|route| route.dev),
                expected.map(LinkId),
                "{dst}"
            );
        }
        let listed: Vec<_> = table
            .list()
            .iter()
            .map(|route| route.dst.to_string())
            .collect();
        assert_eq!(listed[..2], ["0.0.0.0/0", "10.244.0.0/16"]);
    }

    #[test]
    fn duplicates_and_absent_routes_are_errors() {
        let mut table = table(&[("10.0.0.0/8", 0)]);
        let dst = "10.0.0.0/8".parse().expect("a network");
        assert_eq!(
            table.add(Route::on_link(dst, LinkId(9))),
            Err(Errno::EEXIST)
        );
        assert!(table.del(|route| route.metric == 1).is_err());
        assert!(table.del(|route| route.dst == dst).is_ok());
        assert!(table.lookup(Ipv4Addr::new(10, 0, 0, 1)).is_none());
    }
}
