//! `-m nfacct`: named counters. The rule's own counters count; the named object, which only
//! `nfacct` and kube-proxy's metrics read, is left out. Models extensions/libxt_nfacct.c.

use core::fmt::Write;
use std::rc::Rc;

use super::{Match, MatchKind};
use crate::netfilter::options::{Given, value};
use crate::netfilter::view::View;

pub(super) static KIND: MatchKind = MatchKind {
    name: "nfacct",
    options: &[value("nfacct-name")],
    build,
};

#[derive(Debug)]
struct Nfacct(Rc<str>);

fn build(given: &Given) -> Result<Rc<dyn Match>, String> {
    let name = given
        .value("nfacct-name")
        .ok_or("nfacct: option \"--nfacct-name\" must be specified")?;
    Ok(Rc::new(Nfacct(name.into())))
}

impl Match for Nfacct {
    fn name(&self) -> &'static str {
        "nfacct"
    }

    fn matches(&self, _view: &mut View<'_>) -> bool {
        true
    }

    fn print(&self, out: &mut String) {
        // Two blanks, as upstream prints it.
        let _ = write!(out, " --nfacct-name  {}", self.0);
    }

    fn list(&self, out: &mut String, _numeric: bool) {
        let _ = write!(out, " nfacct-name  {}", self.0);
    }
}
