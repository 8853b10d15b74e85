//! `ip route`. Models ip/iproute.c and the answers of net/ipv4/fib_semantics.c.

use std::net::Ipv4Addr;

use machine::{Errno, Sys};
use net::{Ipv4Net, LinkId, Net, Route, RouteKind, RouteProto};

use super::{Answer, Fail, View, Words, choose, device, explained, permitted, refused, wrong};
use super::{address, shown_device};

const COMMANDS: &[&str] = &[
    "list", "show", "lst", "get", "add", "append", "change", "chg", "replace", "delete", "flush",
    "help",
];

pub(super) fn run(sys: &mut Sys<'_>, view: View, words: &mut Words<'_>) -> Answer {
    let command = choose(words, COMMANDS, "list", "route")?;
    words.next();
    match command {
        "list" | "show" | "lst" => list(sys, view, words),
        "get" => get(sys, words),
        "help" => Err(Fail(
            "Usage: ip route { show | flush } [ SELECTOR ]\n       ip route get ADDRESS\n       ip route { add | del | replace } ROUTE\n".to_owned(),
            255,
        )),
        "flush" => {
            let meant = Meant::read(sys, words)?;
            let ns = permitted(sys)?;
            loop {
                let gone = sys.with_net(|net, _| net.route_del(ns, |route| meant.fits(route)));
                if gone.is_err() {
                    return Ok(String::new());
                }
            }
        }
        _ => change(sys, command, words),
    }
}

/// Which routes to show or to flush.
#[derive(Default)]
struct Meant {
    /// Exactly this destination.
    exact: Option<Ipv4Net>,
    device: Option<LinkId>,
    via: Option<Ipv4Addr>,
    proto: Option<RouteProto>,
    /// Another table than the main one; those are empty.
    elsewhere: bool,
}

impl Meant {
    fn read(sys: &Sys<'_>, words: &mut Words<'_>) -> Result<Meant, Fail> {
        let mut meant = Meant::default();
        while let Some(word) = words.next() {
            match &**word {
                "dev" => meant.device = Some(shown_device(sys, words.value()?)?),
                "via" => meant.via = Some(words.parse("via")?),
                "proto" | "protocol" => meant.proto = Some(proto(words.value()?)?),
                "table" => {
                    let table = words.value()?;
                    meant.elsewhere = !matches!(&**table, "main" | "all" | "254");
                }
                "exact" | "to" => meant.exact = Some(destination(words.value()?)?),
                "scope" | "type" | "root" | "match" => {
                    let what = sim::unmodelled!("this selector of routes");
                    return Err(Fail(format!("ip: {what}: {word}\n"), 2));
                }
                _ => meant.exact = Some(destination(word)?),
            }
        }
        Ok(meant)
    }

    fn fits(&self, route: &Route) -> bool {
        !self.elsewhere
            && self.exact.is_none_or(|dst| dst.network() == route.dst)
            && self.device.is_none_or(|id| route.dev == Some(id))
            && self.via.is_none_or(|via| route.via == Some(via))
            && self.proto.is_none_or(|proto| route.proto == proto)
    }
}

fn destination(word: &str) -> Result<Ipv4Net, Fail> {
    match word {
        "default" | "any" | "all" => Ok(Ipv4Net::DEFAULT),
        _ => address::prefix(word),
    }
}

fn proto(word: &str) -> Result<RouteProto, Fail> {
    match word {
        "kernel" => Ok(RouteProto::Kernel),
        "boot" => Ok(RouteProto::Boot),
        "static" => Ok(RouteProto::Static),
        "dhcp" => Ok(RouteProto::Dhcp),
        _ => Err(wrong(word, "\"protocol\" value is invalid")),
    }
}

fn list(sys: &mut Sys<'_>, view: View, words: &mut Words<'_>) -> Answer {
    let meant = Meant::read(sys, words)?;
    let net = sys.net();
    let Some(space) = net.netns(sys.netns()) else {
        return Ok(String::new());
    };
    if view.family == Some('6') {
        return Ok(String::new());
    }
    let routes = space.routes.list().into_iter();
    let shown = routes.filter(|route| meant.fits(route));
    Ok(shown.map(|route| line(net, route, meant.device)).collect())
}

/// A route as a line; what was asked for by its interface goes without naming it.
fn line(net: &Net, route: &Route, asked: Option<LinkId>) -> String {
    let kind = match route.kind {
        RouteKind::Unicast => "",
        RouteKind::Blackhole => "blackhole ",
        RouteKind::Unreachable => "unreachable ",
        RouteKind::Prohibit => "prohibit ",
    };
    let dst = match route.dst {
        Ipv4Net { prefix: 0, .. } => "default".to_owned(),
        Ipv4Net { addr, prefix: 32 } => addr.to_string(),
        net => net.to_string(),
    };
    let mut line = format!("{kind}{dst} ");
    if let Some(via) = route.via {
        line.push_str(&format!("via {via} "));
    }
    let link = route.dev.and_then(|dev| net.link(dev));
    if let Some(link) = link.filter(|_| asked.is_none()) {
        line.push_str(&format!("dev {} ", link.name));
    }
    line.push_str(match route.proto {
        RouteProto::Kernel => "proto kernel ",
        RouteProto::Boot => "",
        RouteProto::Static => "proto static ",
        RouteProto::Dhcp => "proto dhcp ",
    });
    if route.via.is_none() && route.dev.is_some() {
        line.push_str("scope link ");
    }
    if let Some(src) = route.src {
        line.push_str(&format!("src {src} "));
    }
    if route.metric != 0 {
        line.push_str(&format!("metric {} ", route.metric));
    }
    if link.is_some_and(|link| !net.has_carrier(link)) {
        line.push_str("linkdown ");
    }
    line.push('\n');
    line
}

fn get(sys: &mut Sys<'_>, words: &mut Words<'_>) -> Answer {
    let mut dst = None;
    while let Some(word) = words.next() {
        match &**word {
            "to" => {}
            "from" | "iif" | "oif" | "mark" | "vrf" => {
                let what = sim::unmodelled!("this part of a question for a route");
                return Err(Fail(format!("ip: {what}: {word}\n"), 2));
            }
            _ => dst = Some(address::prefix(word)?.addr),
        }
    }
    let dst: Ipv4Addr =
        dst.ok_or_else(|| Fail("need at least a destination address\n".to_owned(), 255))?;
    let (net, uid) = (sys.net(), sys.uid());
    let space = net
        .netns(sys.netns())
        .ok_or_else(|| refused(Errno::ENETUNREACH))?;
    if space.is_local(dst) {
        return Ok(format!(
            "local {dst} dev lo src {dst} uid {uid} \n    cache <local> \n"
        ));
    }
    let route = space
        .routes
        .lookup(dst)
        .ok_or_else(|| refused(Errno::ENETUNREACH))?;
    let link = match (route.kind, route.dev.and_then(|dev| net.link(dev))) {
        (RouteKind::Unicast, Some(link)) => link,
        (RouteKind::Blackhole, _) => return Err(refused(Errno::EINVAL)),
        (RouteKind::Prohibit, _) => return Err(refused(Errno::EACCES)),
        _ => return Err(refused(Errno::EHOSTUNREACH)),
    };
    let via = route.via.map_or(String::new(), |via| format!("via {via} "));
    let src = net.source_for(space, dst);
    let src = src.map_or(String::new(), |src| format!("src {src} "));
    Ok(format!(
        "{dst} {via}dev {} {src}uid {uid} \n    cache \n",
        link.name
    ))
}

/// A route to be added or taken away, as far as it was given.
#[derive(Default)]
struct Given {
    dst: Option<Ipv4Net>,
    kind: Option<RouteKind>,
    via: Option<Ipv4Addr>,
    dev: Option<LinkId>,
    src: Option<Ipv4Addr>,
    metric: Option<u32>,
    proto: Option<RouteProto>,
}

impl Given {
    fn read(sys: &Sys<'_>, words: &mut Words<'_>) -> Result<Given, Fail> {
        let mut given = Given::default();
        while let Some(word) = words.next() {
            match &**word {
                "via" => given.via = Some(gateway(words.value()?)?),
                "dev" => given.dev = Some(device(sys, words.value()?)?.id),
                "src" => given.src = Some(gateway(words.value()?)?),
                "metric" | "priority" | "preference" => given.metric = Some(words.parse("metric")?),
                "proto" | "protocol" => given.proto = Some(proto(words.value()?)?),
                "scope" => {
                    words.value()?;
                }
                "unicast" => given.kind = Some(RouteKind::Unicast),
                "blackhole" => given.kind = Some(RouteKind::Blackhole),
                "unreachable" => given.kind = Some(RouteKind::Unreachable),
                "prohibit" => given.kind = Some(RouteKind::Prohibit),
                "to" => given.dst = Some(destination(words.value()?)?),
                "table" | "onlink" | "nexthop" | "mtu" | "nhid" => {
                    let what = sim::unmodelled!("this property of a route");
                    return Err(Fail(format!("ip: {what}: {word}\n"), 2));
                }
                _ if given.dst.is_none() => given.dst = Some(destination(word)?),
                _ => return Err(wrong(word, "unknown argument")),
            }
        }
        Ok(given)
    }

    fn fits(&self, route: &Route) -> bool {
        self.dst.is_none_or(|dst| dst == route.dst)
            && self.kind.is_none_or(|kind| kind == route.kind)
            && self.via.is_none_or(|via| Some(via) == route.via)
            && self.dev.is_none_or(|dev| Some(dev) == route.dev)
            && self.metric.is_none_or(|metric| metric == route.metric)
            && self.proto.is_none_or(|proto| proto == route.proto)
    }
}

fn gateway(word: &str) -> Result<Ipv4Addr, Fail> {
    let text = format!("Error: inet address is expected rather than \"{word}\".\n");
    word.parse().map_err(|_| Fail(text, 1))
}

fn change(sys: &mut Sys<'_>, command: &str, words: &mut Words<'_>) -> Answer {
    let given = Given::read(sys, words)?;
    let ns = permitted(sys)?;
    let Some(dst) = given.dst else {
        return Err(explained("ipv4: Invalid prefix for given prefix length"));
    };
    if dst.network() != dst {
        return Err(explained("Invalid prefix for given prefix length"));
    }
    if command == "delete" {
        let gone = sys.with_net(|net, _| net.route_del(ns, |route| given.fits(route)));
        return gone.map(|_| String::new()).map_err(refused);
    }
    let kind = given.kind.unwrap_or(RouteKind::Unicast);
    let mut route = Route {
        metric: given.metric.unwrap_or(0),
        proto: given.proto.unwrap_or(RouteProto::Boot),
        src: given.src,
        ..Route::dropping(dst, kind)
    };
    if kind == RouteKind::Unicast {
        (route.via, route.dev) = (given.via, way(sys.net(), ns, &given)?);
        let down = route.dev.and_then(|dev| sys.net().link(dev));
        if down.is_some_and(|link| !link.up) {
            return Err(explained("Device for nexthop is not up"));
        }
    }
    if route
        .src
        .is_some_and(|src| !sys.net().netns(ns).is_some_and(|space| space.is_local(src)))
    {
        return Err(explained("Invalid prefsrc address"));
    }
    let replaces = !matches!(command, "add" | "append");
    let added = sys.with_net(|net, _| {
        if replaces {
            let same = |other: &Route| other.dst == route.dst && other.metric == route.metric;
            // There may be none to replace.
            let _ = net.route_del(ns, same);
        }
        net.route_add(ns, route)
    });
    match added {
        Ok(()) => Ok(String::new()),
        Err(Errno::ENETUNREACH) => Err(explained("Nexthop has invalid gateway")),
        Err(errno) => Err(refused(errno)),
    }
}

/// The interface a route goes by: the one named, or that which leads to its gateway.
fn way(net: &Net, ns: machine::NetnsId, given: &Given) -> Result<Option<LinkId>, Fail> {
    if given.dev.is_some() {
        return Ok(given.dev);
    }
    let Some(gateway) = given.via else {
        return Err(refused(Errno::ENODEV));
    };
    let space = net.netns(ns).ok_or_else(|| refused(Errno::ENODEV))?;
    let near = space
        .routes
        .lookup(gateway)
        .filter(|route| route.via.is_none());
    let found = near.and_then(|route| route.dev);
    found
        .map(Some)
        .ok_or_else(|| explained("Nexthop has invalid gateway"))
}
