//! `-j MARK`: sets bits of the packet's mark. Models extensions/libxt_MARK.c.

use std::rc::Rc;

use super::{Action, Outcome, TargetKind};
use crate::netfilter::number::{parse_masked, parse_u32, print_masked};
use crate::netfilter::options::{Given, value};
use crate::netfilter::view::View;

pub(super) static KIND: TargetKind = TargetKind {
    name: "MARK",
    options: &[
        value("set-xmark"),
        value("set-mark"),
        value("and-mark"),
        value("or-mark"),
        value("xor-mark"),
    ],
    build,
};

#[derive(Debug)]
struct Mark(Bits);

/// The mark becomes `(mark & !mask) ^ value`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bits {
    pub(super) value: u32,
    pub(super) mask: u32,
}

impl Bits {
    /// Reads whichever of the five options was given.
    pub(super) fn build(given: &Given) -> Option<Result<Bits, String>> {
        let names = ["set-xmark", "set-mark", "and-mark", "or-mark", "xor-mark"];
        let name = names.into_iter().find(|name| given.has(name))?;
        let text = given.value(name).unwrap_or_default();
        let bits = match name {
            "set-xmark" => parse_masked(text).map(|(value, mask)| Bits { value, mask }),
            "set-mark" => parse_masked(text).map(|(value, mask)| Bits {
                value,
                mask: value | mask,
            }),
            "and-mark" => parse_u32(text).map(|bits| Bits {
                value: 0,
                mask: !bits,
            }),
            "or-mark" => parse_u32(text).map(|bits| Bits {
                value: bits,
                mask: bits,
            }),
            _ => parse_u32(text).map(|bits| Bits {
                value: bits,
                mask: 0,
            }),
        };
        Some(bits.ok_or_else(|| format!("bad value for option \"--{name}\": \"{text}\"")))
    }

    pub(super) fn apply(self, mark: u32) -> u32 {
        (mark & !self.mask) ^ self.value
    }

    /// ` set 0x1`, ` or 0x1`, ` xset 0x1/0x3`.
    pub(super) fn list(self, out: &mut String) {
        let Bits { value, mask } = self;
        let text = match () {
            () if value == 0 => format!(" and {:#x}", !mask),
            () if value == mask => format!(" or {value:#x}"),
            () if mask == 0 => format!(" xor {value:#x}"),
            () if mask == u32::MAX => format!(" set {value:#x}"),
            () => format!(" xset {value:#x}/{mask:#x}"),
        };
        out.push_str(&text);
    }
}

fn build(given: &Given) -> Result<Rc<dyn Action>, String> {
    match Bits::build(given) {
        Some(bits) => Ok(Rc::new(Mark(
            bits.map_err(|error| format!("MARK: {error}"))?,
        ))),
        None => {
            Err("MARK: One of the --set-xmark, --{and,or,xor,set}-mark options is required".into())
        }
    }
}

impl Action for Mark {
    fn name(&self) -> &'static str {
        "MARK"
    }

    fn act(&self, view: &mut View<'_>) -> Outcome {
        Outcome::Mark(self.0.apply(view.packet.mark))
    }

    fn print(&self, out: &mut String) {
        out.push_str(" --set-xmark");
        print_bits(out, self.0);
    }

    fn list(&self, out: &mut String, _numeric: bool) {
        out.push_str(" MARK");
        self.0.list(out);
    }
}

/// ` 0x1/0xffffffff`: the mask is always printed.
pub(super) fn print_bits(out: &mut String, bits: Bits) {
    print_masked(out, bits.value, bits.mask);
    if bits.mask == u32::MAX {
        out.push_str("/0xffffffff");
    }
}
