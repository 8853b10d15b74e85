//! What the kubelet and kube-proxy do with iptables: make sure of a chain or a rule, and notice when
//! somebody has flushed the tables.
//! Models pkg/util/iptables.

use net::netfilter::{self, Invocation, Netfilter, TableName};

/// The tables a canary stands in; the first is the one that is looked at.
pub(crate) const CANARY_TABLES: [TableName; 3] =
    [TableName::Mangle, TableName::Nat, TableName::Filter];

/// Makes a chain, unless it is there.
///
/// # Errors
/// What iptables says.
pub(crate) fn ensure_chain(
    netfilter: &mut Netfilter,
    table: TableName,
    chain: &str,
) -> Result<(), netfilter::Error> {
    let known = netfilter.table(table);
    if known.is_some_and(|known| known.chain(chain).is_some()) {
        return Ok(());
    }
    run(netfilter, table, &format!("-N {chain}"))
}

/// Puts a rule (`INPUT -j KUBE-FIREWALL`) in front of its chain (`-I`) or behind it (`-A`), unless
/// it is there.
///
/// # Errors
/// What iptables says.
pub(crate) fn ensure_rule(
    netfilter: &mut Netfilter,
    table: TableName,
    how: &str,
    rule: &str,
) -> Result<(), netfilter::Error> {
    if run(netfilter, table, &format!("-C {rule}")).is_ok() {
        return Ok(());
    }
    run(netfilter, table, &format!("{how} {rule}"))
}

/// Carries out one command line, without its `-t`.
///
/// # Errors
/// What iptables says.
pub(crate) fn run(
    netfilter: &mut Netfilter,
    table: TableName,
    command: &str,
) -> Result<(), netfilter::Error> {
    let words = netfilter::split(command);
    let command = Invocation::parse(&words, table)?;
    netfilter.execute(&command).map(drop)
}

/// Puts a chain that does nothing into each table, to be missed when it is gone.
///
/// # Errors
/// What iptables says.
pub(crate) fn put_canaries(netfilter: &mut Netfilter, name: &str) -> Result<(), netfilter::Error> {
    let mut tables = CANARY_TABLES.into_iter();
    tables.try_for_each(|table| ensure_chain(netfilter, table, name))
}

/// Whether the first of the canaries is there, and whether any is.
pub(crate) fn canaries(netfilter: Option<&Netfilter>, name: &str) -> (bool, bool) {
    let there = |table: TableName| {
        let table = netfilter.and_then(|netfilter| netfilter.table(table));
        table.is_some_and(|table| table.chain(name).is_some())
    };
    let [first, others @ ..] = CANARY_TABLES;
    (there(first), there(first) || others.into_iter().any(there))
}
