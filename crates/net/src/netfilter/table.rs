//! A table of chains: what iptables changes and packets walk through.
//! Models iptables/nft.c (chains and rules) and net/netfilter/nf_tables_api.c.

use core::fmt;
use core::str::FromStr;
use std::rc::Rc;

use imbl::OrdMap;

use super::chain::{Chain, Policy, Slot};
use super::command::Error;
use super::rule::Rule;
use super::view::Tally;

/// A table's name, in the order iptables-save has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum TableName {
    Mangle,
    Security,
    Raw,
    Filter,
    Nat,
}

impl TableName {
    /// Every table, in the order iptables-save has.
    pub const ALL: [TableName; 5] = [
        TableName::Mangle,
        TableName::Security,
        TableName::Raw,
        TableName::Filter,
        TableName::Nat,
    ];

    /// `filter`.
    pub const fn as_str(self) -> &'static str {
        match self {
            TableName::Mangle => "mangle",
            TableName::Security => "security",
            TableName::Raw => "raw",
            TableName::Filter => "filter",
            TableName::Nat => "nat",
        }
    }

    /// The built-in chains, in the order iptables prints them.
    pub const fn chains(self) -> &'static [&'static str] {
        match self {
            TableName::Mangle => &["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"],
            TableName::Security | TableName::Filter => &["INPUT", "FORWARD", "OUTPUT"],
            TableName::Raw => &["PREROUTING", "OUTPUT"],
            TableName::Nat => &["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"],
        }
    }

    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for TableName {
    type Err = ();

    fn from_str(text: &str) -> Result<TableName, ()> {
        let mut all = TableName::ALL.into_iter();
        all.find(|name| name.as_str() == text).ok_or(())
    }
}

/// One table of a namespace. A clone shares every chain.
#[derive(Clone, Debug)]
pub struct Table {
    name: TableName,
    slots: OrdMap<Rc<str>, Slot>,
    /// Chains whose rules ask for connections.
    tracking: usize,
    /// Rules in all.
    rules: usize,
}

impl Table {
    pub(crate) fn new(name: TableName) -> Table {
        let slot = |chain: &&str| (Rc::from(*chain), Slot::new(Some(Policy::default())));
        Table {
            name,
            slots: name.chains().iter().map(slot).collect(),
            tracking: 0,
            rules: 0,
        }
    }

    /// Names of the chains: built-in ones first, then the others by name.
    pub fn chain_names(&self) -> impl Iterator<Item = &str> {
        let own = self.slots.iter().filter(|(_, slot)| slot.policy.is_none());
        let built_in = self.name.chains().iter().copied();
        built_in.chain(own.map(|(name, _)| &**name))
    }

    /// The rules of a chain.
    pub fn chain(&self, name: &str) -> Option<&Rc<Chain>> {
        Some(&self.slots.get(name)?.chain)
    }

    /// What rule `at` of a chain has counted; zero if there is no such rule.
    pub fn tally(&self, chain: &str, at: usize) -> Tally {
        self.slots
            .get(chain)
            .map_or(Tally::default(), |slot| slot.tally(at))
    }

    /// Whether packets pass it unseen: no rules, and every policy accepts.
    pub(crate) fn is_idle(&self) -> bool {
        let drops = |chain: &&str| {
            let slot = self.slots.get(*chain);
            slot.and_then(|slot| slot.policy)
                .is_some_and(|policy| policy.drop)
        };
        self.rules == 0 && !self.name.chains().iter().any(drops)
    }

    pub(crate) fn needs_conntrack(&self) -> bool {
        self.tracking > 0 || (self.name == TableName::Nat && self.rules > 0)
    }

    pub(crate) fn slot(&self, chain: &str) -> Option<&Slot> {
        self.slots.get(chain)
    }

    pub(crate) fn slot_mut(&mut self, chain: &str) -> Option<&mut Slot> {
        self.slots.get_mut(chain)
    }

    pub(crate) fn has(&self, chain: &str) -> bool {
        self.slots.contains_key(chain)
    }

    /// Creates an empty chain, or empties the one that is there.
    pub(crate) fn flush_or_create(&mut self, chain: &Rc<str>) {
        if self.has(chain) {
            self.flush(chain);
        } else {
            self.slots.insert(chain.clone(), Slot::new(None));
        }
    }

    pub(crate) fn create(&mut self, chain: &Rc<str>) -> Result<(), Error> {
        if self.has(chain) {
            return Err(Error::plain("Chain already exists"));
        }
        self.slots.insert(chain.clone(), Slot::new(None));
        Ok(())
    }

    pub(crate) fn flush(&mut self, chain: &str) {
        self.put(chain, Rc::default());
    }

    pub(crate) fn delete(&mut self, chain: &str) -> Result<(), Error> {
        let slot = self.slots.get(chain).ok_or_else(Error::no_chain)?;
        if slot.references > 0 || !slot.chain.rules().is_empty() {
            return Err(Error::kernel("CHAIN_DEL", "Device or resource busy", chain));
        }
        match slot.policy {
            // A built-in chain that is empty goes, and is there again when next looked at.
            Some(_) => {
                self.slots
                    .insert(chain.into(), Slot::new(Some(Policy::default())));
            }
            None => {
                self.slots.remove(chain);
            }
        }
        Ok(())
    }

    pub(crate) fn rename(&mut self, from: &str, to: &Rc<str>) -> Result<(), Error> {
        if self.has(to) {
            return Err(Error::plain("File exists"));
        }
        match self.slots.get(from) {
            None => return Err(Error::no_chain()),
            Some(slot) if slot.policy.is_some() => {
                return Err(Error::plain("Can't rename built-in chain"));
            }
            Some(_) => {}
        }
        if let Some(slot) = self.slots.remove(from) {
            self.slots.insert(to.clone(), slot);
        }
        let users: Vec<Rc<str>> = self
            .slots
            .iter()
            .filter(|(_, slot)| slot.chain.jumps().any(|jump| **jump == *from))
            .map(|(name, _)| name.clone())
            .collect();
        for user in users {
            if let Some(slot) = self.slots.get_mut(&user) {
                slot.edit(|rules| {
                    for (rule, _) in rules {
                        if rule.jumps_to().is_some_and(|jump| **jump == *from) {
                            *rule = Rc::new(rule.leading_to(to));
                        }
                    }
                });
            }
        }
        Ok(())
    }

    pub(crate) fn set_policy(&mut self, chain: &str, drop: bool) -> Result<(), Error> {
        let slot = self.slots.get_mut(chain);
        let policy = slot.and_then(|slot| slot.policy.as_mut());
        let policy = policy.ok_or(Error::plain("Bad built-in chain name"))?;
        policy.drop = drop;
        Ok(())
    }

    /// Gives a chain other rules; the same rules again change nothing, not even the counters.
    /// Chains that do not exist are ignored.
    pub(crate) fn put(&mut self, chain: &str, rules: Rc<Chain>) {
        let same = |slot: &Slot| Rc::ptr_eq(&slot.chain, &rules);
        if self.slots.get(chain).is_none_or(same) {
            return;
        }
        self.change(chain, |slot| slot.replace(rules));
    }

    /// Adds rules at the end of a chain, at a cost that the rules before do not matter for.
    pub(crate) fn append(&mut self, chain: &str, rules: &[Rc<Rule>], tally: Tally) {
        let Some(slot) = self.slots.get_mut(chain) else {
            return;
        };
        let tracked = slot.chain.needs_conntrack();
        slot.append(rules, tally);
        self.tracking += usize::from(slot.chain.needs_conntrack()) - usize::from(tracked);
        self.rules += rules.len();
        for jump in rules.iter().filter_map(|rule| rule.jumps_to()) {
            if let Some(slot) = self.slots.get_mut(jump) {
                slot.references += 1;
            }
        }
    }

    /// Changes the rules of a chain one by one.
    pub(crate) fn edit(&mut self, chain: &str, edit: impl FnOnce(&mut Vec<(Rc<Rule>, Tally)>)) {
        self.change(chain, |slot| slot.edit(edit));
    }

    fn change(&mut self, chain: &str, change: impl FnOnce(&mut Slot)) {
        let Some(slot) = self.slots.get_mut(chain) else {
            return;
        };
        let old = slot.chain.clone();
        change(slot);
        let new = slot.chain.clone();
        self.tracking += usize::from(new.needs_conntrack());
        self.tracking -= usize::from(old.needs_conntrack());
        self.rules += new.rules().len();
        self.rules -= old.rules().len();
        for jump in new.jumps() {
            if let Some(slot) = self.slots.get_mut(jump) {
                slot.references += 1;
            }
        }
        for jump in old.jumps() {
            if let Some(slot) = self.slots.get_mut(jump) {
                slot.references = slot.references.saturating_sub(1);
            }
        }
    }

    /// Whether a walk from chain `from` can come to chain `to`.
    pub(crate) fn leads(&self, from: &str, to: &str) -> bool {
        let mut seen = std::collections::BTreeSet::new();
        let mut stack = vec![from];
        while let Some(name) = stack.pop() {
            if name == to {
                return true;
            }
            if seen.insert(name)
                && let Some(slot) = self.slots.get(name)
            {
                stack.extend(slot.chain.jumps().map(|jump| &**jump));
            }
        }
        false
    }

    /// Checks that the rules of a chain can stand where they are: the chains they lead to exist,
    /// and their targets are for this table.
    pub(crate) fn check(&self, chain: &str, rules: &[Rc<Rule>]) -> Result<(), Error> {
        for rule in rules {
            if let Some(jump) = rule.jumps_to() {
                match self.slots.get(jump) {
                    None => return Err(Error::usage(format!("Chain '{jump}' does not exist"))),
                    Some(slot) if slot.policy.is_some() => {
                        return Err(Error::kernel(
                            "RULE_APPEND",
                            "Operation not supported",
                            chain,
                        ));
                    }
                    Some(_) => {}
                }
            }
            if rule.only_in().is_some_and(|table| table != self.name) {
                return Err(Error::kernel("RULE_APPEND", "Invalid argument", chain));
            }
        }
        Ok(())
    }
}
