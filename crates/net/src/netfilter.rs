//! Netfilter: the tables of rules of a network namespace, the connections it tracks, and the
//! translation of addresses. Knows packets and rules, nothing of Services.
//! Models net/netfilter, and what iptables 1.8 (nf_tables) makes of it.

use std::rc::Rc;

use sim::{Instant, Stream};

use crate::NetnsId;
use crate::net::Net;

mod chain;
mod command;
mod conntrack;
mod list;
mod matches;
mod nat;
mod number;
mod options;
mod restore;
mod rule;
mod spec;
mod table;
mod targets;
mod traverse;
mod view;
mod words;

pub use chain::Chain;
pub use command::{Error, ErrorStyle, Invocation};
pub use conntrack::{Conn, ConnId, ConnTuple, CtState, TcpState};
pub use restore::{Restore, RestoreError};
pub use rule::Rule;
pub use table::{Table, TableName};
pub use targets::RejectWith;
pub use view::Tally;
pub use words::split;

pub(crate) use conntrack::Tracked;
pub(crate) use traverse::Crossing;

use conntrack::Conntrack;
use view::Memory;

/// The tables and connections of one namespace. A clone shares every chain and every connection.
#[derive(Clone, Debug)]
pub struct Netfilter {
    /// By [`TableName`]; a table is there once it was used.
    tables: [Option<Table>; 5],
    conntrack: Conntrack,
    memory: Memory,
    /// Some rule or policy could do something to a packet.
    active: bool,
    /// Some rule asks for connections.
    tracking: bool,
}

impl Netfilter {
    pub(crate) fn new(random: Stream) -> Netfilter {
        Netfilter {
            tables: [const { None }; 5],
            conntrack: Conntrack::default(),
            memory: Memory::new(random),
            active: false,
            tracking: false,
        }
    }

    /// A table, if somebody has used it.
    pub fn table(&self, name: TableName) -> Option<&Table> {
        self.tables[name.index()].as_ref()
    }

    /// Gives chains these rules; those that do not exist are created, and every other stays as it
    /// is. A chain that has the very same rules already keeps its counters and costs nothing: keep
    /// the `Rc` of a chain that has not changed, and share it between machines.
    pub fn put_chains(
        &mut self,
        name: TableName,
        chains: &[(Rc<str>, Rc<Chain>)],
    ) -> Result<(), Error> {
        let mut table = self.table_or_new(name);
        let mut changed = Vec::new();
        for (chain, rules) in chains {
            match table.chain(chain) {
                Some(own) if Rc::ptr_eq(own, rules) => continue,
                Some(_) => {}
                None => table.flush_or_create(chain),
            }
            changed.push((chain, rules));
        }
        // Chains may lead to each other, so all are there before the first is checked.
        for (chain, rules) in changed {
            table.check(chain, rules.rules())?;
            table.put(chain, rules.clone());
        }
        self.set_table(name, table);
        Ok(())
    }

    /// Deletes chains and their rules; unknown ones are ignored. Chains that others lead to, or
    /// that are built in, cannot go.
    pub fn remove_chains(&mut self, name: TableName, chains: &[Rc<str>]) -> Result<(), Error> {
        let mut table = self.table_or_new(name);
        let there: Vec<&Rc<str>> = chains.iter().filter(|chain| table.has(chain)).collect();
        for chain in &there {
            table.flush(chain);
        }
        for chain in there {
            table.delete(chain)?;
        }
        self.set_table(name, table);
        Ok(())
    }

    /// The connections tracked now.
    pub fn connections(&self, now: Instant) -> Vec<(ConnId, &Conn)> {
        self.conntrack.iter(now).collect()
    }

    /// Forgets a connection. Unknown ids are ignored.
    pub fn delete_connection(&mut self, id: ConnId) {
        self.conntrack.remove(id);
    }

    /// What `-j LOG` wrote to the kernel's log, oldest first.
    pub fn log(&self) -> impl Iterator<Item = (Instant, &str)> {
        self.memory.log.iter().map(|(at, line)| (*at, &**line))
    }

    pub(crate) fn is_active(&self) -> bool {
        self.active
    }

    pub(crate) fn conntrack(&self) -> &Conntrack {
        &self.conntrack
    }

    pub(crate) fn table_or_new(&self, name: TableName) -> Table {
        let table = self.tables[name.index()].clone();
        table.unwrap_or_else(|| Table::new(name))
    }

    pub(crate) fn set_table(&mut self, name: TableName, table: Table) {
        self.tables[name.index()] = Some(table);
        let tables = || self.tables.iter().flatten();
        self.tracking = tables().any(Table::needs_conntrack);
        self.active = tables().any(|table| !table.is_idle());
    }
}

impl Net {
    /// The tables and connections of a namespace; `None` if nobody has used any, or if it is gone.
    pub fn netfilter(&self, ns: NetnsId) -> Option<&Netfilter> {
        self.spaces.get(ns)?.netfilter.as_deref()
    }

    /// The same, to be changed; `None` if the namespace is gone.
    pub fn netfilter_mut(&mut self, ns: NetnsId) -> Option<&mut Netfilter> {
        let seed = self.seed;
        let space = self.spaces.get_mut(ns)?;
        let (machine, name) = (space.machine, &space.name);
        let new = || {
            let name = format!("netfilter of {name} of machine {}", machine.0);
            Rc::new(Netfilter::new(Stream::new(seed, &name)))
        };
        Some(Rc::make_mut(space.netfilter.get_or_insert_with(new)))
    }

    /// Sets what the choices of rules depend on. Tables that are in use keep theirs.
    pub fn set_seed(&mut self, seed: u64) {
        self.seed = seed;
    }
}
