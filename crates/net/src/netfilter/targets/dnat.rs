//! `-j DNAT`: connections go to another address. Models extensions/libxt_NAT.c.

use core::fmt::Write;
use std::rc::Rc;

use super::{Action, Outcome, TargetKind};
use crate::netfilter::nat::{Mapping, Side};
use crate::netfilter::options::{Given, flag, value};
use crate::netfilter::table::TableName;
use crate::netfilter::view::View;

pub(super) static KIND: TargetKind = TargetKind {
    name: "DNAT",
    options: &[value("to-destination"), flag("random"), flag("persistent")],
    build,
};

#[derive(Debug)]
struct Dnat(Mapping);

fn build(given: &Given) -> Result<Rc<dyn Action>, String> {
    let text = given
        .value("to-destination")
        .ok_or("DNAT: option \"--to-destination\" must be specified")?;
    let mapping = Mapping {
        random: given.has("random"),
        persistent: given.has("persistent"),
        ..Mapping::parse(Side::Destination, text, given.proto)?
    };
    Ok(Rc::new(Dnat(mapping)))
}

impl Action for Dnat {
    fn name(&self) -> &'static str {
        "DNAT"
    }

    fn act(&self, _view: &mut View<'_>) -> Outcome {
        Outcome::Nat(self.0)
    }

    fn print(&self, out: &mut String) {
        let _ = write!(out, " --to-destination {}", self.0);
        self.0.print_flags(out, " --");
    }

    fn list(&self, out: &mut String, _numeric: bool) {
        let _ = write!(out, " to:{}", self.0);
        self.0.print_flags(out, " ");
    }

    fn needs_conntrack(&self) -> bool {
        true
    }

    fn table(&self) -> Option<TableName> {
        Some(TableName::Nat)
    }
}
