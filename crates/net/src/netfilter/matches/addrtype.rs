//! `-m addrtype`: what the routing tables say an address is. Models extensions/libxt_addrtype.c
//! and net/netfilter/xt_addrtype.c.

use core::fmt::Write;
use std::net::Ipv4Addr;
use std::rc::Rc;

use super::{Match, MatchKind};
use crate::RouteKind;
use crate::netfilter::options::{Given, flag, not, value};
use crate::netfilter::view::View;
use crate::netns::Netns;

pub(super) static KIND: MatchKind = MatchKind {
    name: "addrtype",
    options: &[
        value("src-type").negatable(),
        value("dst-type").negatable(),
        flag("limit-iface-in"),
        flag("limit-iface-out"),
    ],
    build,
};

/// The types, in the order of their bits.
const TYPES: [&str; 12] = [
    "UNSPEC",
    "UNICAST",
    "LOCAL",
    "BROADCAST",
    "ANYCAST",
    "MULTICAST",
    "BLACKHOLE",
    "UNREACHABLE",
    "PROHIBIT",
    "THROW",
    "NAT",
    "XRESOLVE",
];

#[derive(Debug)]
struct Addrtype {
    source: Option<(u16, bool)>,
    destination: Option<(u16, bool)>,
    /// `--limit-iface-in` or `--limit-iface-out`.
    limit: Option<&'static str>,
}

fn build(given: &Given) -> Result<Rc<dyn Match>, String> {
    let types = |option| match given.value(option) {
        Some(text) => parse(text).map(|types| Some((types, given.inverted(option)))),
        None => Ok(None),
    };
    let (source, destination) = (types("src-type")?, types("dst-type")?);
    if source.is_none() && destination.is_none() {
        return Err("addrtype match: you must specify --src-type or --dst-type".into());
    }
    let limit = ["limit-iface-in", "limit-iface-out"];
    Ok(Rc::new(Addrtype {
        source,
        destination,
        limit: limit.into_iter().find(|name| given.has(name)),
    }))
}

fn parse(text: &str) -> Result<u16, String> {
    text.split(',').try_fold(0, |types, name| {
        let at = TYPES.iter().position(|own| own.eq_ignore_ascii_case(name));
        at.map(|at| types | 1 << at)
            .ok_or_else(|| format!("addrtype: bad type `{name}'"))
    })
}

fn names(types: u16) -> String {
    let set = TYPES
        .iter()
        .enumerate()
        .filter(|(at, _)| types >> at & 1 == 1);
    set.map(|(_, name)| *name).collect::<Vec<_>>().join(",")
}

/// The bit of an address's type.
fn type_of(space: &Netns, addr: Ipv4Addr) -> u16 {
    let name = if space.is_local(addr) {
        "LOCAL"
    } else if addr.is_broadcast() {
        "BROADCAST"
    } else if addr.is_multicast() {
        "MULTICAST"
    } else {
        match space.routes.lookup(addr).map(|route| route.kind) {
            Some(RouteKind::Unicast) => "UNICAST",
            Some(RouteKind::Blackhole) => "BLACKHOLE",
            Some(RouteKind::Prohibit) => "PROHIBIT",
            Some(RouteKind::Unreachable) | None => "UNREACHABLE",
        }
    };
    TYPES
        .iter()
        .position(|own| *own == name)
        .map_or(0, |at| 1 << at)
}

impl Match for Addrtype {
    fn name(&self) -> &'static str {
        "addrtype"
    }

    fn matches(&self, view: &mut View<'_>) -> bool {
        let is = |own: Option<(u16, bool)>, addr| {
            own.is_none_or(|(types, invert)| (types & type_of(view.space, addr) != 0) != invert)
        };
        is(self.source, view.packet.src) && is(self.destination, view.packet.dst)
    }

    fn print(&self, out: &mut String) {
        for (option, own) in [("src", self.source), ("dst", self.destination)] {
            if let Some((types, invert)) = own {
                let _ = write!(out, "{} --{option}-type {}", not(invert), names(types));
            }
        }
        if let Some(limit) = self.limit {
            let _ = write!(out, " --{limit}");
        }
    }

    fn list(&self, out: &mut String, _numeric: bool) {
        out.push_str(" ADDRTYPE match");
        for (what, own) in [("src", self.source), ("dst", self.destination)] {
            if let Some((types, invert)) = own {
                let not = if invert { "!" } else { "" };
                let _ = write!(out, " {what}-type {not}{}", names(types));
            }
        }
        if let Some(limit) = self.limit {
            let _ = write!(out, " {}", limit.replace("iface-", ""));
        }
    }
}
