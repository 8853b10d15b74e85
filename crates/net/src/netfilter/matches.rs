//! Matches: what `-m` adds to a rule. One file each; this is the list of them.

use core::fmt;

use super::options::Extension;
use super::view::View;

mod addrtype;
mod comment;
mod connmark;
mod conntrack;
mod icmp;
mod limit;
mod mark;
mod multiport;
mod nfacct;
mod ports;
mod recent;
mod sctp;
mod state;
mod statistic;
mod tcp;
mod udp;

/// One match of a rule.
pub(crate) trait Match: fmt::Debug {
    /// What follows `-m`.
    fn name(&self) -> &'static str;

    /// Whether a packet is one it is about.
    fn matches(&self, view: &mut View<'_>) -> bool;

    /// Appends the options as iptables-save prints them, each after a blank.
    fn print(&self, out: &mut String);

    /// Appends what `iptables -L` prints, after a blank; `numeric` as `-n` asks.
    fn list(&self, out: &mut String, numeric: bool);

    /// Whether it keeps something of its own from packet to packet, in the rule's tally.
    fn remembers(&self) -> bool {
        false
    }

    /// Whether connections must be tracked for it.
    fn needs_conntrack(&self) -> bool {
        false
    }
}

/// How a match is loaded.
pub(crate) type MatchKind = Extension<dyn Match>;

/// Every match, by name.
static MATCHES: &[&MatchKind] = &[
    &addrtype::KIND,
    &comment::KIND,
    &connmark::KIND,
    &conntrack::KIND,
    &icmp::KIND,
    &limit::KIND,
    &mark::KIND,
    &multiport::KIND,
    &nfacct::KIND,
    &recent::KIND,
    &sctp::KIND,
    &state::KIND,
    &statistic::KIND,
    &tcp::KIND,
    &udp::KIND,
];

/// The match called `name`.
pub(crate) fn find(name: &str) -> Option<&'static MatchKind> {
    MATCHES.iter().copied().find(|kind| kind.name == name)
}
