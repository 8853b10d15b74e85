//! Targets: what `-j` does with a packet, beside leading to a chain. One file each; this is the
//! list of them.

use core::fmt;

use super::nat::Mapping;
use super::options::Extension;
use super::table::TableName;
use super::view::View;

mod accept;
mod connmark;
mod dnat;
mod drop;
mod log;
mod mark;
mod masquerade;
mod notrack;
mod redirect;
mod reject;
mod return_;
mod snat;

pub use reject::RejectWith;

/// One target of a rule.
pub(crate) trait Action: fmt::Debug {
    /// What follows `-j`.
    fn name(&self) -> &'static str;

    /// What happens to a packet the rule matched.
    fn act(&self, view: &mut View<'_>) -> Outcome;

    /// Appends the options as iptables-save prints them, each after a blank.
    fn print(&self, _out: &mut String) {}

    /// Appends what `iptables -L` prints, after a blank; `numeric` as `-n` asks.
    fn list(&self, _out: &mut String, _numeric: bool) {}

    /// Whether connections must be tracked for it.
    fn needs_conntrack(&self) -> bool {
        false
    }

    /// The only table it is for, if there is only one.
    fn table(&self) -> Option<TableName> {
        None
    }
}

/// What a target wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The next rule is asked.
    Continue,
    /// This table lets it pass.
    Accept,
    /// It ends here.
    Drop,
    /// It ends here, and its sender learns of it.
    Reject(RejectWith),
    /// Back to where this chain was called from.
    Return,
    /// It has this mark, and the next rule is asked.
    Mark(u32),
    /// Its connection has this mark, and the next rule is asked.
    ConnMark(u32),
    /// Its connection is not tracked.
    NoTrack,
    /// Its connection gets other addresses.
    Nat(Mapping),
}

/// How a target is loaded.
pub(crate) type TargetKind = Extension<dyn Action>;

/// Every target, by name.
static TARGETS: &[&TargetKind] = &[
    &accept::KIND,
    &connmark::KIND,
    &dnat::KIND,
    &drop::KIND,
    &log::KIND,
    &mark::KIND,
    &masquerade::KIND,
    &notrack::KIND,
    &redirect::KIND,
    &reject::KIND,
    &return_::KIND,
    &snat::KIND,
];

/// The target called `name`.
pub(crate) fn find(name: &str) -> Option<&'static TargetKind> {
    TARGETS.iter().copied().find(|kind| kind.name == name)
}
