//! A chain's rules, which never change and may be shared by many machines, and the place a chain
//! has in one table, where its packets are counted.

use std::rc::Rc;

use super::command::Error;
use super::rule::Rule;
use super::spec;
use super::view::Tally;
use super::words;

/// The rules of a chain, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    rules: Vec<Rc<Rule>>,
    needs_conntrack: bool,
}

impl Chain {
    /// The chain with these rules.
    pub fn new(rules: Vec<Rc<Rule>>) -> Chain {
        let needs_conntrack = rules.iter().any(|rule| rule.needs_conntrack());
        Chain {
            rules,
            needs_conntrack,
        }
    }

    /// Reads one rule per line; a line may begin with `-A NAME`.
    pub fn parse<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Chain, Error> {
        let mut rules = Vec::new();
        for line in lines {
            let words = words::split(line);
            let rest = match words.first().map(|word| &**word) {
                Some("-A" | "--append") => words.get(2..).unwrap_or_default(),
                _ => &words[..],
            };
            rules.extend(spec::rules(rest)?);
        }
        Ok(Chain::new(rules))
    }

    /// The rules, in order.
    pub fn rules(&self) -> &[Rc<Rule>] {
        &self.rules
    }

    pub(crate) fn needs_conntrack(&self) -> bool {
        self.needs_conntrack
    }

    /// The chains its rules lead to, once per rule.
    pub(crate) fn jumps(&self) -> impl Iterator<Item = &Rc<str>> {
        self.rules.iter().filter_map(|rule| rule.jumps_to())
    }
}

/// A chain in a table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slot {
    pub(crate) chain: Rc<Chain>,
    /// One per rule, from the first packet on.
    tallies: Option<Rc<Vec<Tally>>>,
    /// Of built-in chains.
    pub(crate) policy: Option<Policy>,
    /// Rules of the table that lead here.
    pub(crate) references: u32,
}

/// What a built-in chain does at its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) drop: bool,
    pub(crate) tally: Tally,
}

impl Policy {
    pub(crate) fn name(self) -> &'static str {
        if self.drop { "DROP" } else { "ACCEPT" }
    }
}

impl Slot {
    pub(crate) fn new(policy: Option<Policy>) -> Slot {
        Slot {
            policy,
            ..Slot::default()
        }
    }

    /// What the rule at `at` has counted.
    pub(crate) fn tally(&self, at: usize) -> Tally {
        let tallies = self.tallies.as_ref();
        tallies
            .and_then(|all| all.get(at))
            .copied()
            .unwrap_or_default()
    }

    pub(crate) fn tally_mut(&mut self, at: usize) -> Option<&mut Tally> {
        let len = self.chain.rules.len();
        let tallies = self.tallies.get_or_insert_default();
        let tallies = Rc::make_mut(tallies);
        if tallies.len() < len {
            tallies.resize(len, Tally::default());
        }
        tallies.get_mut(at)
    }

    /// Puts other rules in its place; nothing is counted yet.
    pub(crate) fn replace(&mut self, chain: Rc<Chain>) {
        self.chain = chain;
        self.tallies = None;
    }

    /// Forgets what was counted.
    pub(crate) fn zero(&mut self) {
        self.tallies = None;
        if let Some(policy) = &mut self.policy {
            policy.tally = Tally::default();
        }
    }

    /// Adds rules at the end.
    pub(crate) fn append(&mut self, rules: &[Rc<Rule>], tally: Tally) {
        let chain = Rc::make_mut(&mut self.chain);
        chain.needs_conntrack |= rules.iter().any(|rule| rule.needs_conntrack());
        let first = chain.rules.len();
        chain.rules.extend_from_slice(rules);
        if tally != Tally::default() {
            for at in first..first + rules.len() {
                if let Some(own) = self.tally_mut(at) {
                    *own = tally;
                }
            }
        }
    }

    /// Changes the rules one by one; the others keep what they counted.
    pub(crate) fn edit(&mut self, edit: impl FnOnce(&mut Vec<(Rc<Rule>, Tally)>)) {
        let rules = self.chain.rules.iter().enumerate();
        let mut pairs = rules
            .map(|(at, rule)| (rule.clone(), self.tally(at)))
            .collect();
        edit(&mut pairs);
        let (rules, tallies): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        self.chain = Rc::new(Chain::new(rules));
        let counted = tallies.iter().any(|tally| *tally != Tally::default());
        self.tallies = counted.then(|| Rc::new(tallies));
    }
}
