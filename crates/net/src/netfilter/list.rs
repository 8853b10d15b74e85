//! Rules for people: `iptables -L` and `iptables -S`.
//! Models iptables/nft-shared.c (print_header, print_rule) and iptables/nft.c (nft_rule_list_save).

use core::fmt::Write;
use std::net::Ipv4Addr;

use super::Netfilter;
use super::chain::Slot;
use super::command::{Command, Error, Invocation, Listing};
use super::number::protocol_name;
use super::rule::{Address, Interface, Rule, Target};
use super::table::Table;

impl Netfilter {
    /// What `-L` or `-S` prints.
    pub(crate) fn list(&self, command: &Invocation) -> Result<String, Error> {
        let table = self.table_or_new(command.table);
        let chains: Vec<&str> = match &command.chain {
            Some(chain) if table.has(chain) => vec![chain],
            Some(_) => return Err(Error::no_chain()),
            None => table.chain_names().collect(),
        };
        let mut out = String::new();
        if command.command == Command::Specs {
            specs(&mut out, &table, &chains, command);
            return Ok(out);
        }
        for (at, name) in chains.iter().enumerate() {
            let Some(slot) = table.slot(name) else {
                continue;
            };
            if at > 0 {
                out.push('\n');
            }
            if command.number.is_none() {
                header(&mut out, name, slot, command.listing);
            }
            for (at, rule) in slot.chain.rules().iter().enumerate() {
                if command.number.is_none_or(|only| only == at + 1) {
                    row(&mut out, at, rule, slot, command.listing);
                }
            }
        }
        Ok(out)
    }
}

fn specs(out: &mut String, table: &Table, chains: &[&str], command: &Invocation) {
    let verbose = command.listing.verbose;
    for name in chains.iter().filter(|_| command.number.is_none()) {
        let _ = match table.slot(name).and_then(|slot| slot.policy) {
            Some(policy) if verbose => {
                let tally = policy.tally;
                writeln!(
                    out,
                    "-P {name} {} -c {} {}",
                    policy.name(),
                    tally.packets,
                    tally.bytes
                )
            }
            Some(policy) => writeln!(out, "-P {name} {}", policy.name()),
            None => writeln!(out, "-N {name}"),
        };
    }
    for name in chains {
        let Some(slot) = table.slot(name) else {
            continue;
        };
        for (at, rule) in slot.chain.rules().iter().enumerate() {
            if command.number.is_some_and(|only| only != at + 1) {
                continue;
            }
            let tally = slot.tally(at);
            let counters = verbose.then_some((tally.packets, tally.bytes));
            let _ = writeln!(out, "-A {name}{}", rule.print(counters));
        }
    }
}

/// `Chain INPUT (policy ACCEPT)` and the columns' names.
fn header(out: &mut String, name: &str, slot: &Slot, listing: Listing) {
    let _ = match slot.policy {
        Some(policy) if listing.verbose => writeln!(
            out,
            "Chain {name} (policy {} {} packets, {} bytes)",
            policy.name(),
            count(policy.tally.packets, listing).trim_start(),
            count(policy.tally.bytes, listing).trim_start()
        ),
        Some(policy) => writeln!(out, "Chain {name} (policy {})", policy.name()),
        None => writeln!(out, "Chain {name} ({} references)", slot.references),
    };
    if listing.line_numbers {
        out.push_str("num  ");
    }
    if listing.verbose {
        let width = if listing.exact { 8 } else { 5 };
        let _ = write!(
            out,
            "{:>width$} {:>bytes$} ",
            "pkts",
            "bytes",
            bytes = if listing.exact { 10 } else { 5 }
        );
    }
    let _ = write!(out, "{:<9}  {:<4} opt", "target", "prot");
    if listing.verbose {
        let _ = write!(out, " {:<6} {:<6} ", "in", "out");
    }
    let _ = writeln!(out, " {:<19}  {:<19} ", "source", "destination");
}

/// One rule.
fn row(out: &mut String, at: usize, rule: &Rule, slot: &Slot, listing: Listing) {
    if listing.line_numbers {
        let _ = write!(out, "{:<4} ", at + 1);
    }
    if listing.verbose {
        let tally = slot.tally(at);
        let (packets, bytes) = (count(tally.packets, listing), count(tally.bytes, listing));
        let _ = match listing.exact {
            true => write!(out, "{packets:>8} {bytes:>10} "),
            false => write!(out, "{packets:>5} {bytes:>5} "),
        };
    }
    let selector = &rule.selector;
    let (number, invert) = selector.proto.unwrap_or((0, false));
    let proto = match listing.numeric {
        true => number.to_string(),
        false => protocol_name(number),
    };
    let not = |invert| if invert { '!' } else { ' ' };
    let _ = write!(out, "{:<9} {}{proto:<4} ", rule.target_name(), not(invert));
    out.push_str(match selector.fragment {
        None => "-- ",
        Some(true) => "-f ",
        Some(false) => "!f ",
    });
    if listing.verbose {
        let (inbound, outbound) = (interface(&selector.inbound), interface(&selector.outbound));
        let _ = write!(out, " {inbound:<6} {outbound:<6} ");
    }
    for own in [selector.src, selector.dst] {
        let text = address(own, listing.numeric);
        let _ = write!(out, "{}{text:<19} ", not(own.is_some_and(|own| own.invert)));
    }
    for own in &rule.matches {
        own.list(out, listing.numeric);
    }
    match &rule.target {
        Target::Extension(action) => action.list(out, listing.numeric),
        Target::Goto(_) => out.push_str("[goto] "),
        Target::None | Target::Jump(_) => {}
    }
    out.push('\n');
}

/// A counter, shortened as people read it.
fn count(number: u64, listing: Listing) -> String {
    if listing.exact || number <= 99_999 {
        return number.to_string();
    }
    let mut rounded = number;
    for unit in ["K", "M", "G"] {
        rounded = (rounded + 500) / 1000;
        if rounded <= 9_999 {
            return format!("{rounded}{unit}");
        }
    }
    format!("{}T", (rounded + 500) / 1000)
}

fn interface(own: &Option<Interface>) -> String {
    match own {
        None => "*".to_owned(),
        Some(own) if own.invert => format!("!{}", own.name),
        Some(own) => own.name.to_string(),
    }
}

/// An address as `-L` shows it; without `-n` no address at all is `anywhere`.
fn address(own: Option<Address>, numeric: bool) -> String {
    match own {
        None if numeric => "0.0.0.0/0".to_owned(),
        None => "anywhere".to_owned(),
        Some(own) if own.prefix() == Some(32) => Ipv4Addr::from(own.addr).to_string(),
        Some(own) => own.to_string(),
    }
}
