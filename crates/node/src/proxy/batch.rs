//! What a sync hands to the kernel: whole chains to be replaced and chains to be deleted, each rule
//! as iptables-save prints it, which iptables-restore reads.

use std::rc::Rc;

use api::Str;

/// A table of netfilter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// Marks and header fields.
    Mangle,
    /// Whether a packet passes.
    Filter,
    /// Where a flow goes to and comes from.
    Nat,
}

impl Table {
    /// `mangle`, `filter`, `nat`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Table::Mangle => "mangle",
            Table::Filter => "filter",
            Table::Nat => "nat",
        }
    }
}

/// A chain with all its rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// `KUBE-SVC-YTGZ2JEENUBCE3T3`
    pub name: Str,
    /// Its rules: `-A KUBE-SVC-YTGZ2JEENUBCE3T3 -m comment … -j KUBE-SEP-…`.
    pub rules: Rc<[Str]>,
}

impl Chain {
    /// A chain of rules that do not yet say which chain they are in.
    pub(super) fn of(name: &str, rules: impl IntoIterator<Item = String>) -> Chain {
        Chain {
            name: name.into(),
            rules: rules
                .into_iter()
                .map(|rule| format!("-A {name} {rule}").into())
                .collect(),
        }
    }
}

/// What one sync changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Whether [`super::JUMPS`] and the canaries are to be made sure of, and chains of Services
    /// that [`super::Proxier::has_chain`] does not know deleted, before anything else.
    pub full: bool,
    /// Chains of table filter to be made or replaced.
    pub filter: Vec<Chain>,
    /// Chains of table nat to be made or replaced.
    pub nat: Vec<Chain>,
    /// Chains of table nat that nothing leads to any more.
    pub stale: Vec<Str>,
}

impl Batch {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.full && self.filter.is_empty() && self.nat.is_empty() && self.stale.is_empty()
    }

    /// How many rules it writes.
    #[must_use]
    pub fn rules(&self) -> usize {
        let chains = self.filter.iter().chain(&self.nat);
        chains.map(|chain| chain.rules.len()).sum()
    }
}
