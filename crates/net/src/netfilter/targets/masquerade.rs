//! `-j MASQUERADE`: connections come from the address of the interface they leave by. Models
//! extensions/libxt_NAT.c and net/netfilter/nf_nat_masquerade.c.

use core::fmt::Write;
use std::rc::Rc;

use super::{Action, Outcome, TargetKind};
use crate::netfilter::nat::{Mapping, Side};
use crate::netfilter::options::{Given, flag, value};
use crate::netfilter::table::TableName;
use crate::netfilter::view::View;

pub(super) static KIND: TargetKind = TargetKind {
    name: "MASQUERADE",
    options: &[value("to-ports"), flag("random"), flag("random-fully")],
    build,
};

#[derive(Debug)]
struct Masquerade(Mapping);

fn build(given: &Given) -> Result<Rc<dyn Action>, String> {
    let mut mapping = Mapping::parse_ports(Side::Source, given.value("to-ports"), given.proto)?;
    mapping.random = given.has("random");
    mapping.random_fully = given.has("random-fully");
    Ok(Rc::new(Masquerade(mapping)))
}

impl Action for Masquerade {
    fn name(&self) -> &'static str {
        "MASQUERADE"
    }

    fn act(&self, view: &mut View<'_>) -> Outcome {
        match view.outbound_addr {
            // As the kernel says it: "MASQUERADE: eth0 ate my IP address".
            None => Outcome::Drop,
            Some(addr) => Outcome::Nat(self.0.to(addr)),
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
            let _ = write!(out, " masq ports: {ports}");
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
