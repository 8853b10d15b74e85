//! `-m tcp`: ports and flags. Models extensions/libxt_tcp.c.

use core::fmt::Write;
use std::rc::Rc;

use super::ports::{DPORT, Ports, SPORT};
use super::{Match, MatchKind};
use crate::netfilter::options::{Given, flag, not, value};
use crate::netfilter::view::View;
use crate::packet::{PacketBody, Segment};

pub(super) static KIND: MatchKind = MatchKind {
    name: "tcp",
    options: &[
        SPORT,
        DPORT,
        value("tcp-flags").two_values().negatable(),
        flag("syn").negatable(),
    ],
    build,
};

const NUMBER: u8 = 6;

/// The flags of a TCP header, as iptables names and orders them.
const FLAGS: [(&str, u8); 6] = [
    ("FIN", 0x01),
    ("SYN", 0x02),
    ("RST", 0x04),
    ("PSH", 0x08),
    ("ACK", 0x10),
    ("URG", 0x20),
];

#[derive(Debug)]
struct Tcp {
    ports: Ports,
    /// Flags to look at, those of them that must be set, and whether it must be otherwise.
    flags: Option<(u8, u8, bool)>,
}

fn build(given: &Given) -> Result<Rc<dyn Match>, String> {
    let flags = match given.values("tcp-flags") {
        Some([mask, set]) => Some((parse(mask)?, parse(set)?, given.inverted("tcp-flags"))),
        _ if given.has("syn") => Some((0x17, 0x02, given.inverted("syn"))),
        _ => None,
    };
    Ok(Rc::new(Tcp {
        ports: Ports::build(given, "tcp", NUMBER)?,
        flags,
    }))
}

fn parse(text: &str) -> Result<u8, String> {
    let one = |name: &str| match name {
        "ALL" => Ok(0x3f),
        "NONE" => Ok(0),
        name => FLAGS
            .iter()
            .find(|(own, _)| *own == name)
            .map(|(_, bit)| *bit)
            .ok_or_else(|| format!("Unknown TCP flag `{name}'")),
    };
    text.split(',')
        .try_fold(0, |all, name| Ok(all | one(name)?))
}

fn print_flags(out: &mut String, flags: u8) {
    let names: Vec<&str> = FLAGS
        .iter()
        .filter(|(_, bit)| flags & bit != 0)
        .map(|(name, _)| *name)
        .collect();
    out.push_str(&if names.is_empty() {
        "NONE".to_owned()
    } else {
        names.join(",")
    });
}

/// The flags a real segment of this sort carries.
fn flags_of(segment: &Segment) -> u8 {
    match segment {
        Segment::Syn => 0x02,
        Segment::SynAck(_) => 0x12,
        Segment::Data(_) => 0x18,
        Segment::Fin => 0x11,
        Segment::Rst { .. } => 0x14,
    }
}

impl Match for Tcp {
    fn name(&self) -> &'static str {
        "tcp"
    }

    fn matches(&self, view: &mut View<'_>) -> bool {
        let flags = self.flags.is_none_or(|(mask, set, invert)| {
            let PacketBody::Tcp { segment, .. } = &view.packet.body else {
                return false;
            };
            (flags_of(segment) & mask == set) != invert
        });
        flags && self.ports.matches(view.packet)
    }

    fn print(&self, out: &mut String) {
        self.ports.print(out);
        if let Some((mask, set, invert)) = self.flags {
            let _ = write!(out, "{} --tcp-flags ", not(invert));
            print_flags(out, mask);
            out.push(' ');
            print_flags(out, set);
        }
    }

    fn list(&self, out: &mut String, numeric: bool) {
        self.ports.list(out, "tcp", numeric);
        if let Some((mask, set, invert)) = self.flags {
            let _ = match numeric {
                true => write!(
                    out,
                    " flags:{}{mask:#04x}/{set:#04x}",
                    if invert { "!" } else { "" }
                ),
                false => {
                    out.push_str(if invert { " flags:!" } else { " flags:" });
                    print_flags(out, mask);
                    out.push('/');
                    print_flags(out, set);
                    Ok(())
                }
            };
        }
    }
}
