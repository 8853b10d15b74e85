//! `-j CONNMARK`: carries marks between a packet and its connection. Models
//! extensions/libxt_CONNMARK.c.

use core::fmt::Write;
use std::rc::Rc;

use super::mark::{Bits, print_bits};
use super::{Action, Outcome, TargetKind};
use crate::netfilter::number::parse_u32;
use crate::netfilter::options::{Given, flag, value};
use crate::netfilter::view::View;

pub(super) static KIND: TargetKind = TargetKind {
    name: "CONNMARK",
    options: &[
        value("set-xmark"),
        value("set-mark"),
        value("and-mark"),
        value("or-mark"),
        value("xor-mark"),
        flag("save-mark"),
        flag("restore-mark"),
        value("nfmask"),
        value("ctmask"),
        value("mask"),
    ],
    build,
};

#[derive(Debug)]
enum ConnMark {
    Set(Bits),
    /// The packet's mark becomes the connection's.
    Save {
        nfmask: u32,
        ctmask: u32,
    },
    /// The connection's mark becomes the packet's.
    Restore {
        nfmask: u32,
        ctmask: u32,
    },
}

fn build(given: &Given) -> Result<Rc<dyn Action>, String> {
    if let Some(bits) = Bits::build(given) {
        let bits = bits.map_err(|error| format!("CONNMARK: {error}"))?;
        return Ok(Rc::new(ConnMark::Set(bits)));
    }
    let mask = |option| match given.value(option).or(given.value("mask")) {
        Some(text) => parse_u32(text)
            .ok_or_else(|| format!("CONNMARK: bad value for option \"--{option}\": \"{text}\"")),
        None => Ok(u32::MAX),
    };
    let (nfmask, ctmask) = (mask("nfmask")?, mask("ctmask")?);
    match (given.has("save-mark"), given.has("restore-mark")) {
        (true, _) => Ok(Rc::new(ConnMark::Save { nfmask, ctmask })),
        (_, true) => Ok(Rc::new(ConnMark::Restore { nfmask, ctmask })),
        _ => Err("CONNMARK target: No operation specified".into()),
    }
}

impl Action for ConnMark {
    fn name(&self) -> &'static str {
        "CONNMARK"
    }

    fn act(&self, view: &mut View<'_>) -> Outcome {
        let Some(conn) = view.conn else {
            return Outcome::Continue;
        };
        match *self {
            ConnMark::Set(bits) => Outcome::ConnMark(bits.apply(conn.mark)),
            ConnMark::Save { nfmask, ctmask } => {
                Outcome::ConnMark((conn.mark & !ctmask) ^ (view.packet.mark & nfmask))
            }
            ConnMark::Restore { nfmask, ctmask } => {
                Outcome::Mark((view.packet.mark & !nfmask) ^ (conn.mark & ctmask))
            }
        }
    }

    fn print(&self, out: &mut String) {
        match self {
            ConnMark::Set(bits) => {
                out.push_str(" --set-xmark");
                print_bits(out, *bits);
            }
            ConnMark::Save { nfmask, ctmask } => {
                let _ = write!(
                    out,
                    " --save-mark --nfmask {nfmask:#x} --ctmask {ctmask:#x}"
                );
            }
            ConnMark::Restore { nfmask, ctmask } => {
                let _ = write!(
                    out,
                    " --restore-mark --nfmask {nfmask:#x} --ctmask {ctmask:#x}"
                );
            }
        }
    }

    fn list(&self, out: &mut String, _numeric: bool) {
        out.push_str(" CONNMARK");
        let (word, nfmask, ctmask) = match self {
            ConnMark::Set(bits) => return bits.list(out),
            ConnMark::Save { nfmask, ctmask } => ("save", nfmask, ctmask),
            ConnMark::Restore { nfmask, ctmask } => ("restore", nfmask, ctmask),
        };
        let _ = match (*nfmask, *ctmask) {
            (u32::MAX, u32::MAX) => write!(out, " {word}"),
            (nfmask, ctmask) if nfmask == ctmask => write!(out, " {word} mask {ctmask:#x}"),
            (nfmask, ctmask) => write!(out, " {word} nfmask {nfmask:#x} ctmask {ctmask:#x}"),
        };
    }

    fn needs_conntrack(&self) -> bool {
        true
    }
}
