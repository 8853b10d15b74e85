//! `-m multiport`: up to fifteen ports. Models extensions/libxt_multiport.c.

use core::fmt::Write;
use std::rc::Rc;

use super::{Match, MatchKind, ports};
use crate::netfilter::number::PortRange;
use crate::netfilter::options::{Given, not, value};
use crate::netfilter::view::View;

pub(super) static KIND: MatchKind = MatchKind {
    name: "multiport",
    options: &[
        value("sports").or("source-ports").negatable(),
        value("dports").or("destination-ports").negatable(),
        value("ports").negatable(),
    ],
    build,
};

/// Places for ports; a range takes two (XT_MULTI_PORTS).
const PLACES: usize = 15;
/// Protocols with ports.
const PROTOCOLS: [u8; 5] = [6, 17, 136, 132, 33];

#[derive(Debug)]
struct Multiport {
    /// Which of the two is looked at.
    which: &'static str,
    ports: Vec<PortRange>,
    invert: bool,
}

fn build(given: &Given) -> Result<Rc<dyn Match>, String> {
    if !given.proto.is_some_and(|own| PROTOCOLS.contains(&own)) {
        return Err(
            "multiport needs `-p tcp', `-p udp', `-p udplite', `-p sctp' or `-p dccp'".into(),
        );
    }
    let which = ["sports", "dports", "ports"]
        .into_iter()
        .find(|name| given.has(name))
        .ok_or("multiport expection an option")?;
    let list = given.value(which).unwrap_or_default();
    let ports = list
        .split(',')
        .map(|text| PortRange::parse(text, ':'))
        .collect::<Result<Vec<_>, _>>()?;
    let places: usize = ports
        .iter()
        .map(|range| if range.first == range.last { 1 } else { 2 })
        .sum();
    if places > PLACES {
        return Err("too many ports specified".into());
    }
    Ok(Rc::new(Multiport {
        which,
        ports,
        invert: given.inverted(which),
    }))
}

impl Multiport {
    fn print_ports(&self, out: &mut String) {
        for (at, range) in self.ports.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            range.print(out, ':');
        }
    }
}

impl Match for Multiport {
    fn name(&self) -> &'static str {
        "multiport"
    }

    fn matches(&self, view: &mut View<'_>) -> bool {
        let Some((source, destination)) = ports::of(view.packet) else {
            return false;
        };
        let listed = |port| self.ports.iter().any(|range| range.contains(port));
        let found = match self.which {
            "sports" => listed(source),
            "dports" => listed(destination),
            _ => listed(source) || listed(destination),
        };
        found != self.invert
    }

    fn print(&self, out: &mut String) {
        let _ = write!(out, "{} --{} ", not(self.invert), self.which);
        self.print_ports(out);
    }

    fn list(&self, out: &mut String, _numeric: bool) {
        let _ = write!(out, " multiport {}{} ", self.which, not(self.invert));
        self.print_ports(out);
    }
}
