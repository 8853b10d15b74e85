//! `-j REJECT`: the packet ends here and its sender learns of it. Models
//! extensions/libipt_REJECT.c.

use core::fmt;
use core::fmt::Write;
use std::rc::Rc;

use super::{Action, Outcome, TargetKind};
use crate::netfilter::options::{Given, value};
use crate::netfilter::table::TableName;
use crate::netfilter::view::View;

pub(super) static KIND: TargetKind = TargetKind {
    name: "REJECT",
    options: &[value("reject-with")],
    build,
};

/// What the sender is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectWith {
    /// ICMP type 3 code 0.
    NetUnreachable,
    /// ICMP type 3 code 1.
    HostUnreachable,
    /// ICMP type 3 code 2.
    ProtoUnreachable,
    /// ICMP type 3 code 3.
    PortUnreachable,
    /// ICMP type 3 code 9.
    NetProhibited,
    /// ICMP type 3 code 10.
    HostProhibited,
    /// ICMP type 3 code 13.
    AdminProhibited,
    /// A TCP reset.
    TcpReset,
}

/// Answers by name and short name.
const ANSWERS: [(&str, &str, RejectWith); 8] = [
    (
        "icmp-net-unreachable",
        "net-unreach",
        RejectWith::NetUnreachable,
    ),
    (
        "icmp-host-unreachable",
        "host-unreach",
        RejectWith::HostUnreachable,
    ),
    (
        "icmp-proto-unreachable",
        "proto-unreach",
        RejectWith::ProtoUnreachable,
    ),
    (
        "icmp-port-unreachable",
        "port-unreach",
        RejectWith::PortUnreachable,
    ),
    (
        "icmp-net-prohibited",
        "net-prohib",
        RejectWith::NetProhibited,
    ),
    (
        "icmp-host-prohibited",
        "host-prohib",
        RejectWith::HostProhibited,
    ),
    ("tcp-reset", "tcp-rst", RejectWith::TcpReset),
    (
        "icmp-admin-prohibited",
        "admin-prohib",
        RejectWith::AdminProhibited,
    ),
];

impl fmt::Display for RejectWith {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = ANSWERS.iter().find(|(.., own)| own == self);
        f.write_str(named.map_or("", |(name, ..)| name))
    }
}

#[derive(Debug)]
struct Reject(RejectWith);

fn build(given: &Given) -> Result<Rc<dyn Action>, String> {
    let text = given
        .value("reject-with")
        .unwrap_or("icmp-port-unreachable");
    let named = |(name, short, _): &&(&str, &str, RejectWith)| {
        name.starts_with(text) || short.starts_with(text)
    };
    let (.., with) = ANSWERS
        .iter()
        .find(named)
        .ok_or_else(|| format!("unknown reject type \"{text}\""))?;
    if *with == RejectWith::TcpReset && given.proto != Some(6) {
        return Err("REJECT target: --reject-with tcp-reset is only valid with \"-p tcp\"".into());
    }
    Ok(Rc::new(Reject(*with)))
}

impl Action for Reject {
    fn name(&self) -> &'static str {
        "REJECT"
    }

    fn act(&self, _view: &mut View<'_>) -> Outcome {
        Outcome::Reject(self.0)
    }

    fn print(&self, out: &mut String) {
        let _ = write!(out, " --reject-with {}", self.0);
    }

    fn list(&self, out: &mut String, _numeric: bool) {
        let _ = write!(out, " reject-with {}", self.0);
    }

    fn table(&self) -> Option<TableName> {
        Some(TableName::Filter)
    }
}
