//! A rule: what every rule can look at, the matches it adds, and its target.
//! Rules never change; what they count is kept by the table that uses them, so that many machines
//! can share one. Models include/uapi/linux/netfilter_ipv4/ip_tables.h (struct ipt_entry).

use core::fmt;
use core::fmt::Write;
use std::net::Ipv4Addr;
use std::rc::Rc;

use super::matches::Match;
use super::number::protocol_name;
use super::table::TableName;
use super::targets::Action;
use super::view::View;
use crate::packet::Packet;

/// One rule of a chain.
#[derive(Debug)]
pub struct Rule {
    pub(crate) selector: Selector,
    pub(crate) matches: Vec<Rc<dyn Match>>,
    pub(crate) target: Target,
    needs_conntrack: bool,
    remembers: bool,
    text: Rc<str>,
}

/// Where a packet goes that a rule matched.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// On to the next rule; the rule only counts.
    None,
    /// Into a chain, and back to the next rule.
    Jump(Rc<str>),
    /// Into a chain, and back to where this chain was called from.
    Goto(Rc<str>),
    /// What an extension does.
    Extension(Rc<dyn Action>),
}

/// What every rule can look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selector {
    pub(crate) src: Option<Address>,
    pub(crate) dst: Option<Address>,
    pub(crate) inbound: Option<Interface>,
    pub(crate) outbound: Option<Interface>,
    /// Number of the protocol, and whether it must be another.
    pub(crate) proto: Option<(u8, bool)>,
    /// Second and further fragments, or whole packets and first fragments.
    pub(crate) fragment: Option<bool>,
}

/// An address with a mask, which need not be a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) addr: u32,
    pub(crate) mask: u32,
    pub(crate) invert: bool,
}

/// An interface's name, or its beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Interface {
    /// As written: `eth0` or `eth+`.
    pub(crate) name: Rc<str>,
    pub(crate) invert: bool,
}

impl Rule {
    pub(crate) fn new(selector: Selector, matches: Vec<Rc<dyn Match>>, target: Target) -> Rule {
        let needs_conntrack = matches.iter().any(|own| own.needs_conntrack())
            || matches!(&target, Target::Extension(action) if action.needs_conntrack());
        let remembers = matches.iter().any(|own| own.remembers());
        let mut rule = Rule {
            selector,
            matches,
            target,
            needs_conntrack,
            remembers,
            text: Rc::from(""),
        };
        rule.text = rule.print(None).into();
        rule
    }

    /// The rule as iptables-save prints it after `-A CHAIN`, beginning with a blank unless empty.
    pub fn text(&self) -> &Rc<str> {
        &self.text
    }

    /// The chain the rule leads to.
    pub fn jumps_to(&self) -> Option<&Rc<str>> {
        match &self.target {
            Target::Jump(chain) | Target::Goto(chain) => Some(chain),
            Target::None | Target::Extension(_) => None,
        }
    }

    /// Name of the target or of the chain it leads to; empty if there is none.
    pub fn target_name(&self) -> &str {
        match &self.target {
            Target::None => "",
            Target::Jump(chain) | Target::Goto(chain) => chain,
            Target::Extension(action) => action.name(),
        }
    }

    pub(crate) fn needs_conntrack(&self) -> bool {
        self.needs_conntrack
    }

    /// Whether it keeps something of its own from packet to packet.
    pub(crate) fn remembers(&self) -> bool {
        self.remembers
    }

    /// The only table its target is for.
    pub(crate) fn only_in(&self) -> Option<TableName> {
        match &self.target {
            Target::Extension(action) => action.table(),
            _ => None,
        }
    }

    /// The same rule, leading to another chain.
    pub(crate) fn leading_to(&self, chain: &Rc<str>) -> Rule {
        let target = match &self.target {
            Target::Jump(_) => Target::Jump(chain.clone()),
            Target::Goto(_) => Target::Goto(chain.clone()),
            other => other.clone(),
        };
        Rule::new(self.selector.clone(), self.matches.clone(), target)
    }

    /// Whether the matches agree, once the selector has. A match that remembers does so only if
    /// all before it matched, as in the kernel.
    #[inline]
    pub(crate) fn agrees(&self, view: &mut View<'_>) -> bool {
        self.matches.iter().all(|own| own.matches(view))
    }

    /// The text with `-c packets bytes` before the target, if given.
    pub(crate) fn print(&self, counters: Option<(u64, u64)>) -> String {
        let mut out = String::new();
        self.selector.print(&mut out);
        for own in &self.matches {
            let _ = write!(out, " -m {}", own.name());
            own.print(&mut out);
        }
        if let Some((packets, bytes)) = counters {
            let _ = write!(out, " -c {packets} {bytes}");
        }
        let _ = match &self.target {
            Target::None => Ok(()),
            Target::Jump(chain) => write!(out, " -j {chain}"),
            Target::Goto(chain) => write!(out, " -g {chain}"),
            Target::Extension(action) => {
                let _ = write!(out, " -j {}", action.name());
                action.print(&mut out);
                Ok(())
            }
        };
        out
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text.trim_start())
    }
}

impl PartialEq for Rule {
    fn eq(&self, other: &Rule) -> bool {
        self.text == other.text
    }
}

impl Eq for Rule {}

impl Selector {
    #[inline]
    pub(crate) fn matches(&self, packet: &Packet, inbound: &str, outbound: &str) -> bool {
        let address = |own: &Option<Address>, addr| own.is_none_or(|own| own.matches(addr));
        let interface = |own: &Option<Interface>, name: &str| {
            own.as_ref().is_none_or(|own| own.names(name) != own.invert)
        };
        address(&self.dst, packet.dst)
            && address(&self.src, packet.src)
            && self
                .proto
                .is_none_or(|(own, invert)| (own == packet.proto().number()) != invert)
            && interface(&self.inbound, inbound)
            && interface(&self.outbound, outbound)
            // Packets are never fragmented here.
            && self.fragment != Some(true)
    }

    fn print(&self, out: &mut String) {
        let not = |invert: bool| if invert { " !" } else { "" };
        let _ = self
            .src
            .iter()
            .try_for_each(|own| write!(out, "{} -s {own}", not(own.invert)));
        let _ = self
            .dst
            .iter()
            .try_for_each(|own| write!(out, "{} -d {own}", not(own.invert)));
        for (flag, own) in [("-i", &self.inbound), ("-o", &self.outbound)] {
            if let Some(own) = own {
                let _ = write!(out, "{} {flag} {}", not(own.invert), own.name);
            }
        }
        if let Some((number, invert)) = self.proto {
            let _ = write!(out, "{} -p {}", not(invert), protocol_name(number));
        }
        if let Some(fragment) = self.fragment {
            let _ = write!(out, "{} -f", not(!fragment));
        }
    }
}

impl Address {
    pub(crate) fn matches(self, addr: Ipv4Addr) -> bool {
        (u32::from(addr) & self.mask == self.addr) != self.invert
    }

    /// Length of the prefix the mask is, unless it is none.
    pub(crate) fn prefix(self) -> Option<u32> {
        let ones = self.mask.leading_ones();
        (self.mask.count_ones() == ones).then_some(ones)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addr = Ipv4Addr::from(self.addr);
        match self.prefix() {
            Some(prefix) => write!(f, "{addr}/{prefix}"),
            None => write!(f, "{addr}/{}", Ipv4Addr::from(self.mask)),
        }
    }
}

impl Interface {
    fn names(&self, name: &str) -> bool {
        match self.name.strip_suffix('+') {
            Some(beginning) => name.starts_with(beginning),
            None => *self.name == *name,
        }
    }
}
