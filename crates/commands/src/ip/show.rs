//! How `ip link` and `ip addr` print an interface. Models ip/ipaddress.c (print_linkinfo).

use machine::Sys;
use net::{Ipv4Net, Link, LinkKind, Net, Netns};

use super::View;

/// Flags of an interface as `<…>` shows them, the state of its peer in this namespace included.
fn flags(net: &Net, link: &Link) -> String {
    let carrier = net.has_carrier(link);
    let mut flags = Vec::new();
    if link.up && !carrier {
        flags.push("NO-CARRIER");
    }
    match link.kind {
        LinkKind::Loopback => flags.push("LOOPBACK"),
        _ => flags.extend(["BROADCAST", "MULTICAST"]),
    }
    if link.up {
        flags.push("UP");
    }
    if link.up && carrier {
        flags.push("LOWER_UP");
    }
    if peer(net, link).is_some_and(|peer| peer.ns == link.ns && !peer.up) {
        flags.push("M-DOWN");
    }
    flags.join(",")
}

fn peer<'a>(net: &'a Net, link: &Link) -> Option<&'a Link> {
    match link.kind {
        LinkKind::Veth { peer } => net.link(peer),
        _ => None,
    }
}

/// `eth0@if5`: a pair's name with its other end.
fn name(net: &Net, link: &Link) -> String {
    let own = &link.name;
    match peer(net, link) {
        Some(peer) if peer.ns == link.ns => format!("{own}@{}", peer.name),
        Some(peer) => format!("{own}@if{}", peer.ifindex),
        None => own.to_string(),
    }
}

/// The operational state. Models default_operstate in net/core/link_watch.c.
fn state(net: &Net, link: &Link) -> &'static str {
    let carrier = net.has_carrier(link);
    match link.kind {
        _ if !link.up => "DOWN",
        LinkKind::Loopback => "UNKNOWN",
        _ if carrier => "UP",
        LinkKind::Veth { .. } if peer(net, link).is_some_and(|peer| peer.ns == link.ns) => {
            "LOWERLAYERDOWN"
        }
        _ => "DOWN",
    }
}

fn queue(link: &Link) -> &'static str {
    match link.kind {
        _ if !link.up => "noop",
        LinkKind::Uplink { .. } => "fq_codel",
        _ => "noqueue",
    }
}

/// The first line of an interface: `addr` leaves the mode out.
fn first_line(net: &Net, link: &Link, mode: &str) -> String {
    let master = link.master.and_then(|master| net.link(master));
    let master = master.map_or(String::new(), |master| format!("master {} ", master.name));
    format!(
        "{}: {}: <{}> mtu {} qdisc {} {master}state {} {mode}group default qlen 1000",
        link.ifindex,
        name(net, link),
        flags(net, link),
        link.mtu,
        queue(link),
        state(net, link),
    )
}

/// The line with the hardware address, and where the other end of a pair is.
fn second_line(sys: &Sys<'_>, space: &Netns, link: &Link) -> String {
    let net = sys.net();
    let (kind, broadcast) = match link.kind {
        LinkKind::Loopback => ("loopback", "00:00:00:00:00:00"),
        _ => ("ether", "ff:ff:ff:ff:ff:ff"),
    };
    let mut line = format!("    link/{kind} {} brd {broadcast}", link.mac);
    if let Some(peer) = peer(net, link).filter(|peer| peer.ns != link.ns) {
        let named = sys.named_netns();
        let named = named.iter().find(|(_, id)| *id == peer.ns);
        match (named, space.nsid(peer.ns)) {
            (Some((name, _)), _) => line.push_str(&format!(" link-netns {name}")),
            (None, Some(number)) => line.push_str(&format!(" link-netnsid {number}")),
            (None, None) => {}
        }
    }
    line
}

/// `inet 10.0.0.1/24 brd 10.0.0.255 scope global eth0`.
fn address_line(link: &Link, at: usize, addr: Ipv4Net) -> String {
    let brd = match link.kind {
        LinkKind::Loopback => String::new(),
        _ if addr.prefix > 30 || link.without_broadcast.contains(&addr.addr) => String::new(),
        _ => format!("brd {} ", addr.broadcast()),
    };
    let scope = if addr.addr.is_loopback() {
        "host"
    } else {
        "global"
    };
    let same_net = |other: &Ipv4Net| other.network() == addr.network();
    let secondary = match link.addrs[..at].iter().any(same_net) {
        true => "secondary ",
        false => "",
    };
    format!("inet {addr} {brd}scope {scope} {secondary}{}", link.name)
}

const LIFETIME: &str = "       valid_lft forever preferred_lft forever";

/// An interface as `ip link` shows it.
pub(super) fn link(sys: &Sys<'_>, space: &Netns, link: &Link, view: View) -> String {
    let net = sys.net();
    if view.brief {
        return format!(
            "{:<16} {:<14} {} <{}> \n",
            name(net, link),
            state(net, link),
            link.mac,
            flags(net, link)
        );
    }
    let first = first_line(net, link, "mode DEFAULT ");
    let end = if view.oneline { "\\" } else { "\n" };
    format!("{first}{end}{}\n", second_line(sys, space, link))
}

/// An interface as `ip addr` shows it; nothing if it has no address of the family asked for.
pub(super) fn address(sys: &Sys<'_>, space: &Netns, link: &Link, view: View) -> String {
    let net = sys.net();
    let addrs: &[Ipv4Net] = match view.family {
        Some('6') => &[],
        _ => &link.addrs,
    };
    if view.family.is_some() && addrs.is_empty() {
        return String::new();
    }
    if view.brief {
        let addrs: String = addrs.iter().map(|addr| format!("{addr} ")).collect();
        return format!("{:<16} {:<14} {addrs}\n", name(net, link), state(net, link));
    }
    let lines = addrs.iter().enumerate();
    let lines = lines.map(|(at, addr)| address_line(link, at, *addr));
    if view.oneline {
        let line = |line| format!("{}: {}    {line}\\{LIFETIME}\n", link.ifindex, link.name);
        return lines.map(line).collect();
    }
    let mut text = format!("{}\n", first_line(net, link, ""));
    if view.family.is_none() {
        text.push_str(&format!("{}\n", second_line(sys, space, link)));
    }
    for line in lines {
        text.push_str(&format!("    {line}\n{LIFETIME}\n"));
    }
    text
}
