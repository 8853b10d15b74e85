//! `-m mark`: the mark of the packet. Models extensions/libxt_mark.c.

use std::rc::Rc;

use super::{Match, MatchKind};
use crate::netfilter::number::{parse_masked, print_masked};
use crate::netfilter::options::{Given, not, value};
use crate::netfilter::view::View;

pub(super) static KIND: MatchKind = MatchKind {
    name: "mark",
    options: &[value("mark").negatable()],
    build,
};

#[derive(Debug)]
struct Mark {
    value: u32,
    mask: u32,
    invert: bool,
}

fn build(given: &Given) -> Result<Rc<dyn Match>, String> {
    let text = given
        .value("mark")
        .ok_or("mark: option \"--mark\" must be specified")?;
    let (value, mask) = parse_masked(text)
        .ok_or_else(|| format!("mark: bad mark value for option \"--mark\": \"{text}\""))?;
    Ok(Rc::new(Mark {
        value,
        mask,
        invert: given.inverted("mark"),
    }))
}

impl Match for Mark {
    fn name(&self) -> &'static str {
        "mark"
    }

    fn matches(&self, view: &mut View<'_>) -> bool {
        (view.packet.mark & self.mask == self.value) != self.invert
    }

    fn print(&self, out: &mut String) {
        out.push_str(not(self.invert));
        out.push_str(" --mark");
        print_masked(out, self.value, self.mask);
    }

    fn list(&self, out: &mut String, _numeric: bool) {
        out.push_str(" mark match");
        out.push_str(not(self.invert));
        print_masked(out, self.value, self.mask);
    }
}
