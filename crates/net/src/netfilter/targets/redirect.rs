//! `-j REDIRECT`: connections end at this machine. Models extensions/libxt_NAT.c and
//! net/netfilter/nf_nat_redirect.c.

use core::fmt::Write;
use std::net::Ipv4Addr;
use std::rc::Rc;

use super::{Action, Outcome, TargetKind};
use crate::netfilter::nat::{Mapping, Side};
use crate::netfilter::options::{Given, flag, value};
use crate::netfilter::table::TableName;
use crate::netfilter::view::View;

pub(super) static KIND: TargetKind = TargetKind {
    name: "REDIRECT",
    options: &[value("to-ports"), flag("random")],
    build,
};

#[derive(Debug)]
struct Redirect(Mapping);

fn build(given: &Given) -> Result<Rc<dyn Action>, String> {
    let ports = given.value("to-ports");
    let mut mapping = Mapping::parse_ports(Side::Destination, ports, given.proto)?;
    mapping.random = given.has("random");
    Ok(Rc::new(Redirect(mapping)))
}

impl Action for Redirect {
    fn name(&self) -> &'static str {
        "REDIRECT"
    }

    fn act(&self, view: &mut View<'_>) -> Outcome {
        // What this machine sends stays on its loopback.
        let addr = match view.inbound {
            "" => Some(Ipv4Addr::LOCALHOST),
            _ => view.inbound_addr,
        };
        match addr {
            Some(addr) => Outcome::Nat(self.0.to(addr)),
            None => Outcome::Drop,
        }
    }

    fn print(&self, out: &mut String) {
        if let Some(ports) = self.0.ports_text() {
            let _ = write!(out, " --to-ports {ports}");
        }
        self.0.print_flags(out, " --");
    }

    fn list(&self, out: &mut String, _numeric: bool) {
        if let Some(ports) = self.0.ports_text() {
            let _ = write!(out, " redir ports {ports}");
        }
        self.0.print_flags(out, " ");
    }

    fn needs_conntrack(&self) -> bool {
        true
    }

    fn table(&self) -> Option<TableName> {
        Some(TableName::Nat)
    }
}
