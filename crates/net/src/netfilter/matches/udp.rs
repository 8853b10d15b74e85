//! `-m udp`: ports. Models extensions/libxt_udp.c.

use std::rc::Rc;

use super::ports::{DPORT, Ports, SPORT};
use super::{Match, MatchKind};
use crate::netfilter::options::Given;
use crate::netfilter::view::View;

pub(super) static KIND: MatchKind = MatchKind {
    name: "udp",
    options: &[SPORT, DPORT],
    build,
};

/// The protocol's number.
const NUMBER: u8 = 17;

#[derive(Debug)]
struct Udp(Ports);

fn build(given: &Given) -> Result<Rc<dyn Match>, String> {
    Ok(Rc::new(Udp(Ports::build(given, "udp", NUMBER)?)))
}

impl Match for Udp {
    fn name(&self) -> &'static str {
        "udp"
    }

    fn matches(&self, view: &mut View<'_>) -> bool {
        self.0.matches(view.packet)
    }

    fn print(&self, out: &mut String) {
        self.0.print(out);
    }

    fn list(&self, out: &mut String, numeric: bool) {
        self.0.list(out, "udp", numeric);
    }
}
