//! `-j SNAT`: connections come from another address. Models extensions/libxt_NAT.c.

use core::fmt::Write;
use std::rc::Rc;

use super::{Action, Outcome, TargetKind};
use crate::netfilter::nat::{Mapping, Side};
use crate::netfilter::options::{Given, flag, value};
use crate::netfilter::table::TableName;
use crate::netfilter::view::View;

pub(super) static KIND: TargetKind = TargetKind {
    name: "SNAT",
    options: &[
        value("to-source"),
        flag("random"),
        flag("random-fully"),
        flag("persistent"),
    ],
    build,
};

#[derive(Debug)]
struct Snat(Mapping);

fn build(given: &Given) -> Result<Rc<dyn Action>, String> {
    let text = given
        .value("to-source")
        .ok_or("SNAT: option \"--to-source\" must be specified")?;
    let mapping = Mapping {
        random: given.has("random"),
        random_fully: given.has("random-fully"),
        persistent: given.has("persistent"),
        ..Mapping::parse(Side::Source, text, given.proto)?
    };
    Ok(Rc::new(Snat(mapping)))
}

impl Action for Snat {
    fn name(&self) -> &'static str {
        "SNAT"
    }

    fn act(&self, _view: &mut View<'_>) -> Outcome {
        Outcome::Nat(self.0)
    }

    fn print(&self, out: &mut String) {
        let _ = write!(out, " --to-source {}", self.0);
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
