//! `-m state`: the old name of `-m conntrack --ctstate`. Models extensions/libxt_conntrack.c
//! (state_mt).

use core::fmt::Write;
use std::rc::Rc;

use super::conntrack::States;
use super::{Match, MatchKind};
use crate::netfilter::options::{Given, not, value};
use crate::netfilter::view::View;

pub(super) static KIND: MatchKind = MatchKind {
    name: "state",
    options: &[value("state").negatable()],
    build,
};

#[derive(Debug)]
struct State {
    states: States,
    invert: bool,
}

fn build(given: &Given) -> Result<Rc<dyn Match>, String> {
    let text = given
        .value("state")
        .ok_or("state: option \"--state\" must be specified")?;
    Ok(Rc::new(State {
        states: States::parse(text).map_err(|bad| format!("Bad state \"{bad}\""))?,
        invert: given.inverted("state"),
    }))
}

impl Match for State {
    fn name(&self) -> &'static str {
        "state"
    }

    fn matches(&self, view: &mut View<'_>) -> bool {
        self.states.contain(view) != self.invert
    }

    fn print(&self, out: &mut String) {
        let _ = write!(out, "{} --state {}", not(self.invert), self.states);
    }

    fn list(&self, out: &mut String, _numeric: bool) {
        let _ = write!(out, "{} state {}", not(self.invert), self.states);
    }

    fn needs_conntrack(&self) -> bool {
        true
    }
}
