//! The text of iptables-save and iptables-restore.
//! Models iptables/xtables-save.c and iptables/xtables-restore.c.

use core::fmt;
use core::fmt::Write;
use std::rc::Rc;

use super::Netfilter;
use super::command::{Command, Error, Invocation};
use super::table::{Table, TableName};
use super::view::Tally;
use super::words;

/// What iptables-restore was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restore {
    /// `--noflush`: chains that the text does not name stay as they are.
    pub noflush: bool,
    /// `--counters`: take the counters of the text over.
    pub counters: bool,
    /// `--table`: read this table only.
    pub table: Option<TableName>,
    /// `--test`: change nothing.
    pub test: bool,
}

/// Why a text was not taken, and where; tables committed before it are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub error: Error,
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.error)
    }
}

impl Netfilter {
    /// A table as iptables-save prints it, without the lines that begin with `#`; empty if nobody
    /// has used the table.
    pub fn save(&self, name: TableName, counters: bool) -> String {
        let Some(table) = self.table(name) else {
            return String::new();
        };
        let mut out = format!("*{name}\n");
        for chain in table.chain_names() {
            let policy = table.slot(chain).and_then(|slot| slot.policy);
            let _ = match policy {
                Some(policy) => {
                    let Tally { packets, bytes, .. } = policy.tally;
                    writeln!(out, ":{chain} {} [{packets}:{bytes}]", policy.name())
                }
                None => writeln!(out, ":{chain} - [0:0]"),
            };
        }
        for chain in table.chain_names() {
            let Some(slot) = table.slot(chain) else {
                continue;
            };
            for (at, rule) in slot.chain.rules().iter().enumerate() {
                if counters {
                    let Tally { packets, bytes, .. } = slot.tally(at);
                    let _ = write!(out, "[{packets}:{bytes}] ");
                }
                let _ = writeln!(out, "-A {chain}{}", rule.text());
            }
        }
        out.push_str("COMMIT\n");
        out
    }

    /// Takes a text of iptables-save over, table by table.
    pub fn restore(&mut self, text: &str, options: Restore) -> Result<(), RestoreError> {
        let mut open: Option<(TableName, Table)> = None;
        for (at, line) in text.lines().enumerate() {
            let failed = |error| RestoreError {
                line: at + 1,
                error,
            };
            let line = line.trim();
            match (line.chars().next(), &mut open) {
                (None | Some('#'), _) => {}
                (Some('*'), None) => {
                    let name = table_name(&line[1..]).map_err(failed)?;
                    let table = match options.noflush {
                        true => self.table_or_new(name),
                        false => Table::new(name),
                    };
                    open = Some((name, table));
                }
                _ if line == "COMMIT" => {
                    let Some((name, table)) = open.take() else {
                        return Err(failed(Error::other("COMMIT without a table")));
                    };
                    let wanted = options.table.is_none_or(|only| only == name);
                    if wanted && !options.test {
                        self.set_table(name, table);
                    }
                }
                (Some(':'), Some((_, table))) => {
                    chain_line(table, &line[1..], options).map_err(failed)?
                }
                (Some(_), Some((name, table))) => {
                    rule_line(*name, table, line, options).map_err(failed)?;
                }
                (Some(_), None) => {
                    return Err(failed(Error::other("no table given")));
                }
            }
        }
        match open {
            None => Ok(()),
            Some(_) => Err(RestoreError {
                line: text.lines().count() + 1,
                error: Error::other("COMMIT expected"),
            }),
        }
    }
}

fn table_name(text: &str) -> Result<TableName, Error> {
    let name = text.trim();
    name.parse()
        .map_err(|()| Error::usage(format!("unable to initialize table '{name}'\n")))
}

/// `:CHAIN POLICY [packets:bytes]`.
fn chain_line(table: &mut Table, line: &str, options: Restore) -> Result<(), Error> {
    let mut words = line.split_ascii_whitespace();
    let name = words
        .next()
        .ok_or_else(|| Error::usage("invalid chain name"))?;
    let policy = words
        .next()
        .ok_or_else(|| Error::usage(format!("invalid policy for chain `{name}'")))?;
    let built_in = table.slot(name).is_some_and(|slot| slot.policy.is_some());
    if !built_in {
        table.flush_or_create(&Rc::from(name));
        return Ok(());
    }
    match policy {
        "-" => {}
        "ACCEPT" | "DROP" => table.set_policy(name, policy == "DROP")?,
        _ => {
            return Err(Error::other(format!(
                "Can't set policy `{policy}' on `{name}' line"
            )));
        }
    }
    if options.counters
        && let Some((packets, bytes)) = words.next().and_then(parse_counters)
        && let Some(policy) = table.slot_mut(name).and_then(|slot| slot.policy.as_mut())
    {
        policy.tally = Tally {
            packets,
            bytes,
            ..Tally::default()
        };
    }
    Ok(())
}

/// `[packets:bytes] -A CHAIN …`.
fn rule_line(
    name: TableName,
    table: &mut Table,
    line: &str,
    options: Restore,
) -> Result<(), Error> {
    let (counters, line) = match line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((counters, rest)) => (parse_counters(counters), rest),
        None => (None, line),
    };
    let mut words = words::split(line);
    if let Some((packets, bytes)) = counters.filter(|_| options.counters) {
        words.extend([
            "-c".into(),
            packets.to_string().into(),
            bytes.to_string().into(),
        ]);
    }
    let command = Invocation::parse(&words, name)?;
    if command.table != name {
        return Err(Error::usage(
            "The -t option cannot be used in iptables-restore.\n",
        ));
    }
    if matches!(command.command, Command::List | Command::Specs) {
        return Err(Error::other("listing is for iptables"));
    }
    table.apply(&command)
}

fn parse_counters(text: &str) -> Option<(u64, u64)> {
    let text = text.trim_start_matches('[').trim_end_matches(']');
    let (packets, bytes) = text.split_once(':')?;
    Some((packets.parse().ok()?, bytes.parse().ok()?))
}
