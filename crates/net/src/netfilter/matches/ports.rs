//! The ports of a packet, and the two options that TCP, UDP and SCTP share.

use core::fmt::Write;

use crate::netfilter::number::PortRange;
use crate::netfilter::options::{Given, Opt, not, value};
use crate::packet::{Packet, PacketBody};

pub(super) const SPORT: Opt = value("sport").or("source-port").negatable();
pub(super) const DPORT: Opt = value("dport").or("destination-port").negatable();

/// `--sport` and `--dport`, each with whether it must be another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports {
    source: Option<(PortRange, bool)>,
    destination: Option<(PortRange, bool)>,
}

impl Ports {
    /// Reads the options of match `name`, which is for `protocol` only.
    pub(super) fn build(given: &Given, name: &str, protocol: u8) -> Result<Ports, String> {
        if given.proto != Some(protocol) {
            // The kernel is who refuses: the extension itself does not look at -p.
            return Err(format!("{name} match: only valid with \"-p {name}\""));
        }
        let range = |option| match given.value(option) {
            Some(text) => {
                PortRange::parse(text, ':').map(|range| Some((range, given.inverted(option))))
            }
            None => Ok(None),
        };
        Ok(Ports {
            source: range("sport")?,
            destination: range("dport")?,
        })
    }

    pub(super) fn matches(&self, packet: &Packet) -> bool {
        let Some((source, destination)) = of(packet) else {
            return false;
        };
        let within = |own: Option<(PortRange, bool)>, port| {
            own.is_none_or(|(range, invert)| range.contains(port) != invert)
        };
        within(self.source, source) && within(self.destination, destination)
    }

    pub(super) fn print(&self, out: &mut String) {
        for (option, own) in [("--sport", self.source), ("--dport", self.destination)] {
            if let Some((range, invert)) = own {
                let _ = write!(out, "{} {option} ", not(invert));
                range.print(out, ':');
            }
        }
    }

    /// ` tcp spt:1 dpts:80:90`.
    pub(super) fn list(&self, out: &mut String, name: &str, numeric: bool) {
        let _ = write!(out, " {name}");
        for (what, own) in [("spt", self.source), ("dpt", self.destination)] {
            if let Some((range, invert)) = own {
                let plural = if range.first == range.last { "" } else { "s" };
                let not = if invert { "!" } else { "" };
                let _ = write!(out, " {what}{plural}:{not}");
                range.list(out, numeric);
            }
        }
    }
}

/// Source and destination port, if the protocol has ports.
pub(super) fn of(packet: &Packet) -> Option<(u16, u16)> {
    match packet.body {
        PacketBody::Tcp { sport, dport, .. } | PacketBody::Udp { sport, dport, .. } => {
            Some((sport, dport))
        }
        PacketBody::Icmp(_) => None,
    }
}
