//! `-m connmark`: the mark of the connection. Models extensions/libxt_connmark.c.

use std::rc::Rc;

use super::{Match, MatchKind};
use crate::netfilter::number::{parse_masked, print_masked};
use crate::netfilter::options::{Given, not, value};
use crate::netfilter::view::View;

pub(super) static KIND: MatchKind = MatchKind {
    name: "connmark",
    options: &[value("mark").negatable()],
    build,
};

#[derive(Debug)]
struct Connmark {
    value: u32,
    mask: u32,
    invert: bool,
}

fn build(given: &Given) -> Result<Rc<dyn Match>, String> {
    let text = given
        .value("mark")
        .ok_or("connmark: option \"--mark\" must be specified")?;
    let (value, mask) = parse_masked(text)
        .ok_or_else(|| format!("connmark: bad mark value for option \"--mark\": \"{text}\""))?;
    Ok(Rc::new(Connmark {
        value,
        mask,
        invert: given.inverted("mark"),
    }))
}

impl Match for Connmark {
    fn name(&self) -> &'static str {
        "connmark"
    }

    fn matches(&self, view: &mut View<'_>) -> bool {
        let mark = view.conn.map(|conn| conn.mark);
        mark.is_some_and(|mark| (mark & self.mask == self.value) != self.invert)
    }

    fn print(&self, out: &mut String) {
        out.push_str(not(self.invert));
        out.push_str(" --mark");
        print_masked(out, self.value, self.mask);
    }

    fn list(&self, out: &mut String, _numeric: bool) {
        out.push_str(" connmark match ");
        out.push_str(not(self.invert));
        print_masked(out, self.value, self.mask);
    }

    fn needs_conntrack(&self) -> bool {
        true
    }
}
