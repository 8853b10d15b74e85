//! `-m sctp`: ports. No packet here is SCTP. Models extensions/libxt_sctp.c.

use std::rc::Rc;

use super::ports::{DPORT, Ports, SPORT};
use super::{Match, MatchKind};
use crate::netfilter::options::Given;
use crate::netfilter::view::View;

pub(super) static KIND: MatchKind = MatchKind {
    name: "sctp",
    options: &[SPORT, DPORT],
    build,
};

/// The protocol's number.
const NUMBER: u8 = 132;

#[derive(Debug)]
struct Sctp(Ports);

fn build(given: &Given) -> Result<Rc<dyn Match>, String> {
    Ok(Rc::new(Sctp(Ports::build(given, "sctp", NUMBER)?)))
}

impl Match for Sctp {
    fn name(&self) -> &'static str {
        "sctp"
    }

    fn matches(&self, view: &mut View<'_>) -> bool {
        self.0.matches(view.packet)
    }

    fn print(&self, out: &mut String) {
        self.0.print(out);
    }

    fn list(&self, out: &mut String, numeric: bool) {
        self.0.list(out, "sctp", numeric);
    }
}
