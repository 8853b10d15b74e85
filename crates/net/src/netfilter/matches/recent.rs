//! `-m recent`: addresses seen lately, in named lists. Models extensions/libxt_recent.c and
//! net/netfilter/xt_recent.c.

use core::fmt::Write;
use std::net::Ipv4Addr;
use std::rc::Rc;

use sim::Duration;

use super::{Match, MatchKind};
use crate::netfilter::number::parse_u32;
use crate::netfilter::options::{Given, flag, not, value};
use crate::netfilter::view::View;

pub(super) static KIND: MatchKind = MatchKind {
    name: "recent",
    options: &[
        flag("set").negatable(),
        flag("rcheck").negatable(),
        flag("update").negatable(),
        flag("remove").negatable(),
        value("seconds"),
        flag("reap"),
        value("hitcount"),
        flag("rttl"),
        value("name"),
        value("mask"),
        flag("rsource"),
        flag("rdest"),
    ],
    build,
};

/// Times kept per address (the module's ip_pkt_list_tot).
const TIMES: usize = 20;
/// Addresses kept per list (the module's ip_list_tot).
const ADDRESSES: usize = 100;

#[derive(Debug)]
struct Recent {
    check: &'static str,
    invert: bool,
    seconds: Option<u32>,
    reap: bool,
    hitcount: u32,
    list: Rc<str>,
    mask: Ipv4Addr,
    destination: bool,
}

fn build(given: &Given) -> Result<Rc<dyn Match>, String> {
    let check = ["set", "rcheck", "update", "remove"]
        .into_iter()
        .find(|name| given.has(name))
        .ok_or("recent: you must specify one of `--set', `--rcheck' `--update' or `--remove'")?;
    if given.has("rttl") {
        return Err(sim::unmodelled!("--rttl of the recent match").to_string());
    }
    let number = |option| match given.value(option) {
        Some(text) => parse_u32(text)
            .map(Some)
            .ok_or_else(|| format!("recent: bad value for option \"--{option}\": \"{text}\"")),
        None => Ok(None),
    };
    let seconds = number("seconds")?;
    if given.has("reap") && seconds.is_none() {
        return Err("recent: --reap needs --seconds".into());
    }
    let mask = given.value("mask").unwrap_or("255.255.255.255");
    Ok(Rc::new(Recent {
        check,
        invert: given.inverted(check),
        seconds,
        reap: given.has("reap"),
        hitcount: number("hitcount")?.unwrap_or(0),
        list: given.value("name").unwrap_or("DEFAULT").into(),
        mask: mask
            .parse()
            .map_err(|_| format!("recent: bad value for option \"--mask\": \"{mask}\""))?,
        destination: given.has("rdest"),
    }))
}

impl Recent {
    /// Whether an address of the list was seen lately, and often enough.
    fn is_recent(&self, view: &View<'_>, times: &[sim::Instant]) -> bool {
        let lately = times.iter().filter(|at| match self.seconds {
            Some(seconds) => view.now.since(**at) <= Duration::from_secs(seconds.into()),
            None => true,
        });
        let hits = lately.count();
        hits > 0 && hits >= self.hitcount as usize
    }
}

impl Match for Recent {
    fn name(&self) -> &'static str {
        "recent"
    }

    fn matches(&self, view: &mut View<'_>) -> bool {
        let addr = if self.destination {
            view.packet.dst
        } else {
            view.packet.src
        };
        let addr = Ipv4Addr::from(u32::from(addr) & u32::from(self.mask));
        let known = view.memory.recent.get(&self.list);
        let times = known.and_then(|list| list.get(&addr)).cloned();
        let (mut times, listed) = match times {
            Some(times) => (times, true),
            // Nothing to find and nothing to note: the common case copies no list.
            None if self.check != "set" => return self.invert,
            None => (Vec::new(), false),
        };
        let found = match self.check {
            "set" | "remove" => true,
            _ => self.is_recent(view, &times),
        };
        let now = view.now;
        let list = view.memory.recent.entry(self.list.clone()).or_default();
        let list = Rc::make_mut(list);
        if self.reap
            && let Some(seconds) = self.seconds
        {
            let limit = Duration::from_secs(seconds.into());
            list.retain(|_, times| times.last().is_some_and(|at| now.since(*at) <= limit));
        }
        match self.check {
            "remove" => {
                list.remove(&addr);
            }
            "set" | "update" if self.check == "set" || found => {
                if !listed && list.len() >= ADDRESSES {
                    let oldest = list.iter().min_by_key(|(_, times)| times.last().copied());
                    let oldest = oldest.map(|(addr, _)| *addr);
                    oldest.map(|addr| list.remove(&addr));
                }
                if times.len() == TIMES {
                    times.remove(0);
                }
                times.push(now);
                list.insert(addr, times);
            }
            _ => {}
        }
        found != self.invert
    }

    fn print(&self, out: &mut String) {
        let _ = write!(out, "{} --{}", not(self.invert), self.check);
        if let Some(seconds) = self.seconds {
            let _ = write!(out, " --seconds {seconds}");
        }
        if self.reap {
            out.push_str(" --reap");
        }
        if self.hitcount > 0 {
            let _ = write!(out, " --hitcount {}", self.hitcount);
        }
        let side = if self.destination { "rdest" } else { "rsource" };
        let _ = write!(out, " --name {} --mask {} --{side}", self.list, self.mask);
    }

    fn list(&self, out: &mut String, _numeric: bool) {
        let _ = write!(out, "{} recent:", not(self.invert));
        let check = match self.check {
            "rcheck" => "CHECK".to_owned(),
            other => other.to_ascii_uppercase(),
        };
        let _ = write!(out, " {check}");
        if let Some(seconds) = self.seconds {
            let _ = write!(out, " seconds: {seconds}");
        }
        if self.reap {
            out.push_str(" reap");
        }
        if self.hitcount > 0 {
            let _ = write!(out, " hit_count: {}", self.hitcount);
        }
        let side = if self.destination { "dest" } else { "source" };
        let _ = write!(out, " name: {} side: {side} mask: {}", self.list, self.mask);
    }
}
