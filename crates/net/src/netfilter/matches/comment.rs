//! `-m comment`: words for the reader. Models extensions/libxt_comment.c.

use core::fmt::Write;
use std::rc::Rc;

use super::{Match, MatchKind};
use crate::netfilter::options::{Given, value};
use crate::netfilter::view::View;
use crate::netfilter::words;

pub(super) static KIND: MatchKind = MatchKind {
    name: "comment",
    options: &[value("comment")],
    build,
};

/// Longest comment in bytes (XT_MAX_COMMENT_LEN, with its end).
const LONGEST: usize = 255;

#[derive(Debug)]
struct Comment(Rc<str>);

fn build(given: &Given) -> Result<Rc<dyn Match>, String> {
    let text = given
        .value("comment")
        .ok_or("comment match: option \"--comment\" must be specified")?;
    if text.len() > LONGEST {
        return Err(format!(
            "comment match: option \"--comment\" argument too long (max {LONGEST} bytes)"
        ));
    }
    Ok(Rc::new(Comment(text.into())))
}

impl Match for Comment {
    fn name(&self) -> &'static str {
        "comment"
    }

    fn matches(&self, _view: &mut View<'_>) -> bool {
        true
    }

    fn print(&self, out: &mut String) {
        out.push_str(" --comment");
        words::save(out, &self.0);
    }

    fn list(&self, out: &mut String, _numeric: bool) {
        let _ = write!(out, " /* {} */", self.0);
    }
}
