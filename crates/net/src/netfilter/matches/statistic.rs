//! `-m statistic`: a share of the packets. Models extensions/libxt_statistic.c and
//! net/netfilter/xt_statistic.c.

use core::fmt::Write;
use std::rc::Rc;

use super::{Match, MatchKind};
use crate::netfilter::number::parse_u32;
use crate::netfilter::options::{Given, not, value};
use crate::netfilter::view::View;

pub(super) static KIND: MatchKind = MatchKind {
    name: "statistic",
    options: &[
        value("mode"),
        value("probability").negatable(),
        value("every").negatable(),
        value("packet"),
    ],
    build,
};

/// What probability 1 is stored as.
const ONE: f64 = 2_147_483_648.0;

#[derive(Debug)]
enum Statistic {
    /// In 2³¹ths.
    Random { share: u32, invert: bool },
    Nth {
        every: u32,
        packet: u32,
        invert: bool,
    },
}

fn build(given: &Given) -> Result<Rc<dyn Match>, String> {
    match given.value("mode") {
        Some("random") => {
            let text = given
                .value("probability")
                .ok_or("--probability must be specified when using random mode")?;
            let share = text
                .parse::<f64>()
                .ok()
                .filter(|share| (0.0..=1.0).contains(share))
                .ok_or("probability must be between 0 and 1")?;
            Ok(Rc::new(Statistic::Random {
                share: (share * ONE + 0.5) as u32,
                invert: given.inverted("probability"),
            }))
        }
        Some("nth") => {
            let every = given
                .value("every")
                .ok_or("--every must be specified when using nth mode")?;
            let every = parse_u32(every).filter(|every| *every > 0).ok_or_else(|| {
                format!("statistic: bad value for option \"--every\": \"{every}\"")
            })?;
            let packet = given.value("packet").unwrap_or("0");
            let packet = parse_u32(packet).ok_or_else(|| {
                format!("statistic: bad value for option \"--packet\": \"{packet}\"")
            })?;
            if packet >= every {
                return Err("the --packet p must be 0 <= p <= n-1".into());
            }
            Ok(Rc::new(Statistic::Nth {
                every,
                packet,
                invert: given.inverted("every"),
            }))
        }
        Some(mode) => Err(format!("Bad mode \"{mode}\"")),
        None => Err("statistic: option \"--mode\" must be specified".into()),
    }
}

impl Match for Statistic {
    fn name(&self) -> &'static str {
        "statistic"
    }

    fn matches(&self, view: &mut View<'_>) -> bool {
        match *self {
            Statistic::Random { share, invert } => {
                (view.memory.random.next_u32() >> 1 < share) != invert
            }
            Statistic::Nth {
                every,
                packet,
                invert,
            } => {
                let seen = view.tally.nth;
                view.tally.nth = (seen + 1) % every;
                (seen == packet) != invert
            }
        }
    }

    fn print(&self, out: &mut String) {
        let _ = match self {
            Statistic::Random { share, invert } => write!(
                out,
                " --mode random{} --probability {:.11}",
                not(*invert),
                f64::from(*share) / ONE
            ),
            Statistic::Nth {
                every,
                packet,
                invert,
            } => write!(
                out,
                " --mode nth{} --every {every} --packet {packet}",
                not(*invert)
            ),
        };
    }

    fn list(&self, out: &mut String, _numeric: bool) {
        let _ = match self {
            Statistic::Random { share, invert } => write!(
                out,
                " statistic mode random{} probability {:.11}",
                not(*invert),
                f64::from(*share) / ONE
            ),
            Statistic::Nth {
                every,
                packet,
                invert,
            } => {
                let _ = write!(out, " statistic mode nth{} every {every}", not(*invert));
                match packet {
                    0 => Ok(()),
                    packet => write!(out, " packet {packet}"),
                }
            }
        };
    }

    fn remembers(&self) -> bool {
        matches!(self, Statistic::Nth { .. })
    }
}
