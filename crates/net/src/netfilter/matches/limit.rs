//! `-m limit`: a rate with a burst. Models extensions/libxt_limit.c and net/netfilter/xt_limit.c.

use core::fmt::Write;
use std::rc::Rc;

use super::{Match, MatchKind};
use crate::netfilter::number::parse_u32;
use crate::netfilter::options::{Given, value};
use crate::netfilter::view::View;

pub(super) static KIND: MatchKind = MatchKind {
    name: "limit",
    options: &[value("limit"), value("limit-burst")],
    build,
};

/// Units of a rate and their length in seconds, longest first. The kernel prints a rate in the
/// shortest unit that divides it well.
const UNITS: [(&str, u64); 4] = [("day", 86400), ("hour", 3600), ("min", 60), ("sec", 1)];
/// Ticks per second in which the kernel keeps rates (XT_LIMIT_SCALE).
const TICKS: u64 = 10_000;
const NANOS_PER_TICK: u64 = 1_000_000_000 / TICKS;

#[derive(Debug)]
struct Limit {
    /// Ticks from one packet to the next.
    period: u64,
    burst: u32,
}

fn build(given: &Given) -> Result<Rc<dyn Match>, String> {
    let text = given.value("limit").unwrap_or("3/hour");
    let bad = || format!("bad rate \"{text}\"'");
    let (count, unit) = text.split_once('/').unwrap_or((text, "second"));
    let count = parse_u32(count).filter(|n| *n > 0).ok_or_else(bad)?;
    let unit = unit.to_ascii_lowercase();
    let names = ["day", "hour", "minute", "second"];
    let at = names
        .iter()
        .position(|name| !unit.is_empty() && name.starts_with(&unit))
        .ok_or_else(bad)?;
    let period = UNITS[at].1 * TICKS / u64::from(count);
    if period == 0 {
        return Err(format!("Rate too fast \"{text}\""));
    }
    let burst = given.value("limit-burst").unwrap_or("5");
    let burst = parse_u32(burst)
        .filter(|n| (1..=10_000).contains(n))
        .ok_or_else(|| {
            format!(
                "limit: bad value for option \"--limit-burst\", \
                 or out of range (1-10000): \"{burst}\""
            )
        })?;
    Ok(Rc::new(Limit { period, burst }))
}

impl Limit {
    /// `3/hour`.
    fn rate(&self) -> String {
        let divides = |(_, seconds): &(&str, u64)| {
            let ticks = seconds * TICKS;
            self.period <= ticks && ticks / self.period >= ticks % self.period
        };
        let worse = UNITS[1..].iter().take_while(|unit| divides(unit)).count();
        let (name, seconds) = UNITS[worse];
        format!("{}/{name}", seconds * TICKS / self.period)
    }
}

impl Match for Limit {
    fn name(&self) -> &'static str {
        "limit"
    }

    fn matches(&self, view: &mut View<'_>) -> bool {
        let cost = self.period * NANOS_PER_TICK;
        let full = cost * u64::from(self.burst);
        let (credit, at) = view.tally.limit.unwrap_or((full, view.now));
        let gained = u64::try_from(view.now.since(at).as_nanos()).unwrap_or(u64::MAX);
        let credit = credit.saturating_add(gained).min(full);
        let enough = credit >= cost;
        let left = if enough { credit - cost } else { credit };
        view.tally.limit = Some((left, view.now));
        enough
    }

    fn print(&self, out: &mut String) {
        let _ = write!(out, " --limit {}", self.rate());
        if self.burst != 5 {
            let _ = write!(out, " --limit-burst {}", self.burst);
        }
    }

    fn list(&self, out: &mut String, _numeric: bool) {
        let _ = write!(out, " limit: avg {} burst {}", self.rate(), self.burst);
    }

    fn remembers(&self) -> bool {
        true
    }
}
