//! Hands rules to the kernel of the machine: what iptables and iptables-restore are to kube-proxy.
//! Models pkg/util/iptables.

use std::collections::BTreeMap;
use std::rc::Rc;

use api::Str;
use imbl::OrdMap;
use net::netfilter::{self, Netfilter, Rule, TableName};
use sim::Instant;

use super::batch::{Batch, Chain, Table};
use super::fixed::{JUMPS, Jump};
use super::names::{self, CANARY};
use crate::iptables::{ensure_chain, ensure_rule, put_canaries};

/// The chains handed over last, as text and as the kernel keeps them: what has not changed is not
/// read again.
#[derive(Clone, Debug, Default)]
pub(super) struct Kernel {
    chains: OrdMap<(Table, Str), Read>,
}

#[derive(Clone, Debug)]
struct Read {
    text: Rc<[Str]>,
    chain: Rc<netfilter::Chain>,
}

impl Kernel {
    /// Writes a batch.
    ///
    /// # Errors
    /// What iptables says. Some of it may be written by then.
    pub(super) fn write(
        &mut self,
        netfilter: &mut Netfilter,
        batch: &Batch,
        now: Instant,
    ) -> Result<(), netfilter::Error> {
        if batch.full {
            for jump in &JUMPS {
                ensure_jump(netfilter, jump)?;
            }
            put_canaries(netfilter, CANARY)?;
        }
        for (table, chains) in [(Table::Filter, &batch.filter), (Table::Nat, &batch.nat)] {
            let read: Result<Vec<_>, _> = chains
                .iter()
                .map(|chain| Ok((chain.name.as_rc().clone(), self.read(table, chain)?)))
                .collect();
            netfilter.put_chains(name_of(table), &read?)?;
        }
        let mut stale = batch.stale.clone();
        if batch.full {
            stale.extend(unknown(netfilter, batch));
        }
        for name in &stale {
            self.chains.remove(&(Table::Nat, name.clone()));
        }
        let stale: Vec<Rc<str>> = stale.iter().map(|name| name.as_rc().clone()).collect();
        netfilter.remove_chains(TableName::Nat, &stale)?;
        if !batch.udp.is_empty() {
            let flows = netfilter.connections(now).into_iter();
            let is_stale = |flow| batch.udp.iter().any(|port| port.is_stale(flow));
            let gone: Vec<_> = flows
                .filter(|(_, flow)| is_stale(flow))
                .map(|(id, _)| id)
                .collect();
            for id in gone {
                netfilter.delete_connection(id);
            }
        }
        Ok(())
    }

    /// Reads a chain, as far as it differs from the one of this name handed over last.
    fn read(
        &mut self,
        table: Table,
        chain: &Chain,
    ) -> Result<Rc<netfilter::Chain>, netfilter::Error> {
        let key = (table, chain.name.clone());
        let known = self.chains.get(&key);
        if let Some(known) = known.filter(|known| Rc::ptr_eq(&known.text, &chain.rules)) {
            return Ok(known.chain.clone());
        }
        let lines: BTreeMap<&Str, &Rc<Rule>> = known
            .iter()
            .flat_map(|known| known.text.iter().zip(known.chain.rules()))
            .collect();
        let mut rules = Vec::new();
        for line in chain.rules.iter() {
            match lines.get(line) {
                Some(rule) => rules.push((*rule).clone()),
                None => {
                    let parsed = netfilter::Chain::parse([line.as_str()])?;
                    rules.extend(parsed.rules().iter().cloned());
                }
            }
        }
        let read = Rc::new(netfilter::Chain::new(rules));
        let entry = Read {
            text: chain.rules.clone(),
            chain: read.clone(),
        };
        self.chains.insert(key, entry);
        Ok(read)
    }
}

/// Chains of Services in the kernel that a full sync has not written: left by who ran before.
fn unknown(netfilter: &Netfilter, batch: &Batch) -> Vec<Str> {
    let written: std::collections::BTreeSet<&str> =
        batch.nat.iter().map(|chain| &*chain.name).collect();
    let table = netfilter.table(TableName::Nat);
    let names = table.into_iter().flat_map(netfilter::Table::chain_names);
    names
        .filter(|name| names::is_service_chain(name) && !written.contains(name))
        .map(Str::from)
        .collect()
}

/// Puts a rule in front, and its target there, unless they are.
fn ensure_jump(netfilter: &mut Netfilter, jump: &Jump) -> Result<(), netfilter::Error> {
    let table = name_of(jump.table);
    ensure_chain(netfilter, table, jump.to)?;
    ensure_rule(netfilter, table, "-I", jump.rule.trim_start_matches("-A "))
}

fn name_of(table: Table) -> TableName {
    match table {
        Table::Mangle => TableName::Mangle,
        Table::Filter => TableName::Filter,
        Table::Nat => TableName::Nat,
    }
}

#[cfg(test)]
mod tests;
