//! `-m icmp`: type and code. Models extensions/libipt_icmp.c.

use core::fmt::Write;
use std::rc::Rc;

use super::{Match, MatchKind};
use crate::netfilter::options::{Given, not, value};
use crate::netfilter::view::View;
use crate::packet::PacketBody;

pub(super) static KIND: MatchKind = MatchKind {
    name: "icmp",
    options: &[value("icmp-type").negatable()],
    build,
};

/// Stands for every type.
const ANY: u8 = 255;

/// Names with their type and, where one is meant, their code.
const TYPES: &[(&str, u8, Option<u8>)] = &[
    ("any", ANY, None),
    ("echo-reply", 0, None),
    ("pong", 0, None),
    ("destination-unreachable", 3, None),
    ("network-unreachable", 3, Some(0)),
    ("host-unreachable", 3, Some(1)),
    ("protocol-unreachable", 3, Some(2)),
    ("port-unreachable", 3, Some(3)),
    ("fragmentation-needed", 3, Some(4)),
    ("source-route-failed", 3, Some(5)),
    ("network-unknown", 3, Some(6)),
    ("host-unknown", 3, Some(7)),
    ("network-prohibited", 3, Some(9)),
    ("host-prohibited", 3, Some(10)),
    ("communication-prohibited", 3, Some(13)),
    ("source-quench", 4, None),
    ("redirect", 5, None),
    ("echo-request", 8, None),
    ("ping", 8, None),
    ("router-advertisement", 9, None),
    ("router-solicitation", 10, None),
    ("time-exceeded", 11, None),
    ("ttl-exceeded", 11, None),
    ("ttl-zero-during-transit", 11, Some(0)),
    ("ttl-zero-during-reassembly", 11, Some(1)),
    ("parameter-problem", 12, None),
    ("timestamp-request", 13, None),
    ("timestamp-reply", 14, None),
];

#[derive(Debug)]
struct Icmp {
    kind: u8,
    code: Option<u8>,
    invert: bool,
}

fn build(given: &Given) -> Result<Rc<dyn Match>, String> {
    if given.proto != Some(1) {
        return Err("icmp match: only valid with \"-p icmp\"".into());
    }
    let text = given.value("icmp-type").unwrap_or("any");
    let named = TYPES.iter().find(|(name, ..)| *name == text);
    let (kind, code) = match named {
        Some((_, kind, code)) => (*kind, *code),
        None => {
            let (kind, code) = match text.split_once('/') {
                Some((kind, code)) => (kind.parse().ok(), Some(code.parse().ok())),
                None => (text.parse().ok(), None),
            };
            match (kind, code) {
                (Some(kind), None) => (kind, None),
                (Some(kind), Some(Some(code))) => (kind, Some(code)),
                _ => return Err(format!("Invalid ICMP type `{text}'")),
            }
        }
    };
    Ok(Rc::new(Icmp {
        kind,
        code,
        invert: given.inverted("icmp-type"),
    }))
}

impl Match for Icmp {
    fn name(&self) -> &'static str {
        "icmp"
    }

    fn matches(&self, view: &mut View<'_>) -> bool {
        let PacketBody::Icmp(icmp) = &view.packet.body else {
            return false;
        };
        let (kind, code) = icmp.kind_and_code();
        let same =
            self.kind == ANY || (self.kind == kind && self.code.is_none_or(|own| own == code));
        same != self.invert
    }

    fn print(&self, out: &mut String) {
        let _ = write!(out, "{} --icmp-type ", not(self.invert));
        let _ = match (self.kind, self.code) {
            (ANY, _) => write!(out, "any"),
            (kind, None) => write!(out, "{kind}"),
            (kind, Some(code)) => write!(out, "{kind}/{code}"),
        };
    }

    fn list(&self, out: &mut String, numeric: bool) {
        let not = if self.invert { "!" } else { "" };
        let named = TYPES
            .iter()
            .find(|(_, kind, code)| (*kind, *code) == (self.kind, self.code))
            .filter(|(_, kind, _)| !numeric || *kind == ANY);
        let _ = match (named, self.code) {
            (Some((name, kind, _)), _) if *kind == ANY => write!(out, " icmp {not}{name}"),
            (Some((name, ..)), _) => write!(out, " icmp {not}{name}"),
            (None, None) => write!(out, " icmptype {not}{}", self.kind),
            (None, Some(code)) => write!(out, " icmptype {not}{} code {code}", self.kind),
        };
    }
}
