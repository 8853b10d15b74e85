//! What iptables-save prints, chain by chain.

use std::collections::BTreeMap;

use crate::lines_difference;
use node::proxy::{CANARY, CANARY_TABLES, Chain, JUMPS, Proxier, Table};

/// The chain in which the order of rules is not stable in the real system.
const UNORDERED: &str = "KUBE-SERVICES";
/// Chains of the kernel, by table, in the order iptables-save prints them.
const BUILT_IN: [(Table, &[&str]); 3] = [
    (
        Table::Mangle,
        &["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"],
    ),
    (Table::Filter, &["INPUT", "FORWARD", "OUTPUT"]),
    (
        Table::Nat,
        &["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"],
    ),
];

/// The rules of each chain of each table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chains(BTreeMap<(String, String), Vec<String>>);

/// Reads what iptables-save printed; counters and comments are left out.
#[must_use]
pub fn parse(text: &str) -> Chains {
    let mut chains = Chains::default();
    let mut table = String::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('*') {
            table = name.to_owned();
        } else if let Some(chain) = line.strip_prefix(':') {
            let name = chain.split(' ').next().unwrap_or(chain);
            let key = (table.clone(), name.to_owned());
            chains.0.entry(key).or_default();
        } else if let Some(rule) = line.strip_prefix("-A ") {
            let name = rule.split(' ').next().unwrap_or(rule);
            let key = (table.clone(), name.to_owned());
            chains.0.entry(key).or_default().push(line.to_owned());
        }
    }
    chains
}

impl Chains {
    /// Lines only this has (`<`) and lines only the other has (`>`).
    #[must_use]
    pub fn difference(&self, other: &Chains) -> Vec<String> {
        let mut keys: Vec<_> = self.0.keys().chain(other.0.keys()).collect();
        keys.sort();
        keys.dedup();
        let mut found = Vec::new();
        for key in keys {
            let name = format!("{} {}", key.0, key.1);
            match (self.0.get(key), other.0.get(key)) {
                (Some(rules), None) => {
                    found.push(format!("< :{name}"));
                    found.extend(lines_difference(&name, rules, &[]));
                }
                (None, Some(rules)) => {
                    found.push(format!("> :{name}"));
                    found.extend(lines_difference(&name, &[], rules));
                }
                (Some(a), Some(b)) if key.1 == UNORDERED => {
                    let (mut a, mut b) = (a.clone(), b.clone());
                    a.sort();
                    b.sort();
                    found.extend(lines_difference(&name, &a, &b));
                }
                (Some(a), Some(b)) => found.extend(lines_difference(&name, a, b)),
                (None, None) => {}
            }
        }
        found
    }
}

/// What iptables-save would print on a fresh machine after a full sync.
#[must_use]
pub fn print(mut proxier: Proxier) -> String {
    let batch = proxier.sync();
    let mut text = String::new();
    for (table, built_in) in BUILT_IN {
        let chains: &[Chain] = match table {
            Table::Mangle => &[],
            Table::Filter => &batch.filter,
            Table::Nat => &batch.nat,
        };
        let mut ours: BTreeMap<&str, &[api::Str]> = BTreeMap::new();
        if CANARY_TABLES.contains(&table) {
            ours.insert(CANARY, &[]);
        }
        let jumps = || JUMPS.iter().filter(|jump| jump.table == table);
        ours.extend(jumps().map(|jump| (jump.to, &[][..])));
        ours.extend(chains.iter().map(|chain| (&*chain.name, &*chain.rules)));
        text += &format!("*{}\n", table.name());
        for name in built_in {
            text += &format!(":{name} ACCEPT [0:0]\n");
        }
        for name in ours.keys() {
            text += &format!(":{name} - [0:0]\n");
        }
        for name in built_in {
            // Each was put in front, so the last one stands first.
            for jump in jumps().rev().filter(|jump| jump.from == *name) {
                text += &format!("{}\n", jump.rule);
            }
        }
        for rule in ours.values().copied().flatten() {
            text += &format!("{rule}\n");
        }
        text += "COMMIT\n";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(a: &str, b: &str, expected: &[&str]) {
        assert_eq!(parse(a).difference(&parse(b)), expected);
    }

    #[test]
    fn the_differing_lines_are_told() {
        let a = "# x\n*nat\n:A - [0:0]\n-A A -j B\n-A A -j C\nCOMMIT\n";
        check(a, a, &[]);
        check(a, "*nat\n:A - [7:9]\n-A A -j B\n-A A -j C\nCOMMIT", &[]);
        check(
            a,
            "*nat\n:A - [0:0]\n-A A -j B\n-A A -j D\n:E - [0:0]\nCOMMIT",
            &["nat A:", "< -A A -j C", "> -A A -j D", "> :nat E"],
        );
        check(
            a,
            "*nat\n-A A -j C\n-A A -j B\nCOMMIT",
            &[
                "nat A: in another order",
                "< -A A -j B",
                "< -A A -j C",
                "> -A A -j C",
                "> -A A -j B",
            ],
        );
    }

    #[test]
    fn the_order_of_one_chain_does_not_count() {
        let a = "*nat\n-A KUBE-SERVICES -j B\n-A KUBE-SERVICES -j C\n";
        let b = "*nat\n-A KUBE-SERVICES -j C\n-A KUBE-SERVICES -j B\n";
        check(a, b, &[]);
    }
}
