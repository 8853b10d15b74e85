//! The command line of iptables, read and carried out.
//! Models iptables/xtables.c (do_commandx) and iptables/xshared.c (do_parse).

use core::fmt;
use std::rc::Rc;

use super::Netfilter;
use super::rule::Rule;
use super::spec::{Draft, Words};
use super::table::{Table, TableName};
use super::view::Tally;

/// Why iptables gives up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What it says, without the program's name.
    pub message: String,
    /// How it says it.
    pub style: ErrorStyle,
}

/// How iptables says what is wrong, and its exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorStyle {
    /// `iptables v… (nf_tables): MESSAGE`, then a hint at `-h`: status 2.
    Usage,
    /// `iptables v… (nf_tables): MESSAGE`: status 1.
    Other,
    /// `iptables v… (nf_tables): MESSAGE`: status 4.
    Kernel,
    /// `iptables: MESSAGE.`: status 1.
    Plain,
}

impl ErrorStyle {
    /// The exit status.
    pub const fn status(self) -> i32 {
        match self {
            ErrorStyle::Usage => 2,
            ErrorStyle::Other | ErrorStyle::Plain => 1,
            ErrorStyle::Kernel => 4,
        }
    }
}

impl Error {
    pub(crate) fn usage(message: impl Into<String>) -> Error {
        Error {
            message: message.into(),
            style: ErrorStyle::Usage,
        }
    }

    pub(crate) fn other(message: impl Into<String>) -> Error {
        Error {
            message: message.into(),
            style: ErrorStyle::Other,
        }
    }

    pub(crate) fn plain(message: &str) -> Error {
        Error {
            message: message.to_owned(),
            style: ErrorStyle::Plain,
        }
    }

    pub(crate) fn no_chain() -> Error {
        Error::plain("No chain/target/match by that name")
    }

    /// What the kernel refused: ` RULE_APPEND failed (Invalid argument): rule in chain X`.
    pub(crate) fn kernel(what: &str, errno: &str, chain: &str) -> Error {
        let object = if what.starts_with("RULE") {
            "rule in chain"
        } else {
            "chain"
        };
        Error {
            message: format!(" {what} failed ({errno}): {object} {chain}"),
            style: ErrorStyle::Kernel,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message.trim())
    }
}

/// What is to be done with a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Append,
    Insert { at: usize },
    Delete,
    DeleteNumber { at: usize },
    Replace { at: usize },
    Check,
    List,
    Specs,
    Flush,
    Zero { at: Option<usize> },
    Create,
    DeleteChain,
    Rename { to: Rc<str> },
    Policy { drop: bool },
}

/// A command line of iptables.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// `-t`.
    pub table: TableName,
    pub(crate) command: Command,
    /// The chain it is about; `None` means all.
    pub(crate) chain: Option<Rc<str>>,
    rules: Vec<Rc<Rule>>,
    counters: Option<(u64, u64)>,
    /// The only rule to list.
    pub(crate) number: Option<usize>,
    pub(crate) listing: Listing,
}

/// How rules are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    pub(crate) numeric: bool,
    pub(crate) verbose: bool,
    pub(crate) exact: bool,
    pub(crate) line_numbers: bool,
}

/// Longest name of a chain (XT_EXTENSION_MAXNAMELEN without its end).
const LONGEST_CHAIN: usize = 28;

/// Commands by letter and long name.
const COMMANDS: [(char, &str); 14] = [
    ('A', "append"),
    ('I', "insert"),
    ('D', "delete"),
    ('R', "replace"),
    ('C', "check"),
    ('L', "list"),
    ('S', "list-rules"),
    ('F', "flush"),
    ('Z', "zero"),
    ('N', "new-chain"),
    ('X', "delete-chain"),
    ('E', "rename-chain"),
    ('P', "policy"),
    ('N', "new"),
];

impl Invocation {
    /// Reads the words after the program's name; `table` is the one without `-t`.
    pub fn parse(args: &[Rc<str>], table: TableName) -> Result<Invocation, Error> {
        Reader::new(table).read(&expand(args))
    }
}

/// Splits `-nvL` into `-n -v -L`, and `-ptcp` into `-p tcp`.
fn expand(args: &[Rc<str>]) -> Vec<Rc<str>> {
    const PLAIN: &str = "nvxf46";
    let mut words = Vec::new();
    for arg in args {
        let letters = arg.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
        let Some(letters) = letters.filter(|letters| letters.len() > 1) else {
            words.push(arg.clone());
            continue;
        };
        // What follows an option that takes a value is the value.
        let mut rest = letters;
        while let Some(letter) = rest.chars().next() {
            words.push(format!("-{letter}").into());
            rest = &rest[letter.len_utf8()..];
            if !PLAIN.contains(letter) && !rest.is_empty() {
                words.push(rest.into());
                break;
            }
        }
    }
    words
}

struct Reader {
    table: TableName,
    command: Option<(char, Command)>,
    chain: Option<Rc<str>>,
    number: Option<usize>,
    listing: Listing,
    draft: Draft,
}

impl Reader {
    fn new(table: TableName) -> Reader {
        Reader {
            table,
            command: None,
            chain: None,
            number: None,
            listing: Listing::default(),
            draft: Draft::default(),
        }
    }

    fn read(mut self, args: &[Rc<str>]) -> Result<Invocation, Error> {
        let mut words = Words::new(args);
        let mut invert = false;
        while let Some(word) = words.next() {
            let inverted = std::mem::take(&mut invert);
            match &**word {
                "!" if inverted => return Err(Error::usage("Multiple `!' flags not allowed")),
                "!" => invert = true,
                "-t" | "--table" => self.set_table(words.value(word)?)?,
                "-n" | "--numeric" => self.listing.numeric = true,
                "-v" | "--verbose" => self.listing.verbose = true,
                "-x" | "--exact" => self.listing.exact = true,
                "--line-numbers" => self.listing.line_numbers = true,
                "-4" | "--ipv4" => {}
                // Nobody else holds the lock: every call is done before the next begins.
                "-w" | "--wait" | "-W" | "--wait-interval" => {
                    words.next_operand();
                }
                text => match command_letter(text) {
                    Some(letter) => self.command(letter, word, &mut words)?,
                    None => self.draft.option(word, inverted, &mut words)?,
                },
            }
        }
        self.finish()
    }

    fn set_table(&mut self, name: &str) -> Result<(), Error> {
        self.table = name.parse().map_err(|()| {
            Error::other(format!(
                "can't initialize iptables table `{name}': Table does not exist (do you need to insmod?)\n\
                 Perhaps iptables or your kernel needs to be upgraded."
            ))
        })?;
        Ok(())
    }

    fn command(&mut self, letter: char, word: &str, words: &mut Words<'_>) -> Result<(), Error> {
        match &self.command {
            // `-L -Z` is the one pair that goes together; the list is what shows.
            Some(('L' | 'S', _)) if letter == 'Z' => {
                words.next_operand();
                return Ok(());
            }
            Some((other, _)) if (*other, letter) != ('Z', 'L') => {
                return Err(Error::usage(format!(
                    "Cannot use -{letter} with -{other}\n"
                )));
            }
            _ => {}
        }
        self.chain = match letter {
            'L' | 'S' | 'Z' | 'F' | 'X' => words.next_operand(),
            _ => Some(words.value(word)?),
        }
        .cloned();
        let command = match letter {
            'A' => Command::Append,
            'C' => Command::Check,
            'I' | 'D' | 'R' => numbered(letter, words)?,
            'F' => Command::Flush,
            'X' => Command::DeleteChain,
            'L' | 'S' | 'Z' => {
                let number = words.next_operand().and_then(|text| text.parse().ok());
                self.number = number.filter(|_| letter != 'Z');
                match letter {
                    'L' => Command::List,
                    'S' => Command::Specs,
                    _ => Command::Zero { at: number },
                }
            }
            'N' => {
                check_name(self.chain.as_deref().unwrap_or_default())?;
                Command::Create
            }
            'E' => {
                let missing = || Error::usage("-E requires old-chain-name and new-chain-name");
                let to = words.next_operand().ok_or_else(missing)?;
                check_name(to)?;
                Command::Rename { to: to.clone() }
            }
            _ => {
                let missing = || Error::usage("-P requires a chain and a policy");
                let policy = words.next_operand().ok_or_else(missing)?;
                match &**policy {
                    "ACCEPT" => Command::Policy { drop: false },
                    "DROP" => Command::Policy { drop: true },
                    _ => {
                        return Err(Error::plain(
                            "Bad policy name. Run `dmesg' for more information",
                        ));
                    }
                }
            }
        };
        self.command = Some((letter, command));
        Ok(())
    }

    fn finish(self) -> Result<Invocation, Error> {
        let Some((letter, command)) = self.command else {
            return Err(Error::usage("no command specified"));
        };
        let takes_rule = matches!(
            command,
            Command::Append
                | Command::Insert { .. }
                | Command::Delete
                | Command::Check
                | Command::Replace { .. }
        );
        if !takes_rule && !self.draft.is_empty() {
            return Err(Error::usage(format!(
                "Illegal option `-j' with this command (-{letter})"
            )));
        }
        let chain = self.chain.as_deref().unwrap_or_default();
        let wrong = match (chain, self.draft.interfaces()) {
            ("PREROUTING" | "INPUT", (_, true)) => Some('o'),
            ("POSTROUTING" | "OUTPUT", (true, _)) => Some('i'),
            _ => None,
        };
        if let Some(option) = wrong {
            return Err(Error::usage(format!("Can't use -{option} with {chain}\n")));
        }
        let counters = self.draft.counters;
        Ok(Invocation {
            table: self.table,
            command,
            chain: self.chain,
            rules: if takes_rule {
                self.draft.finish()?
            } else {
                Vec::new()
            },
            counters,
            number: self.number,
            listing: self.listing,
        })
    }
}

/// The rest of `-I`, `-D` or `-R` up to the rule: a number, counted from 1.
fn numbered(letter: char, words: &mut Words<'_>) -> Result<Command, Error> {
    let number = |text: &Rc<str>| {
        let number = text.parse::<usize>().ok().filter(|number| *number > 0);
        number.ok_or_else(|| Error::usage(format!("Invalid rule number `{text}'")))
    };
    let at = words.next_operand().map(number).transpose()?;
    match (letter, at) {
        ('I', at) => Ok(Command::Insert {
            at: at.unwrap_or(1) - 1,
        }),
        ('D', None) => Ok(Command::Delete),
        ('D', Some(at)) => Ok(Command::DeleteNumber { at: at - 1 }),
        (_, Some(at)) => Ok(Command::Replace { at: at - 1 }),
        (_, None) => Err(Error::usage("-R requires a rule number")),
    }
}

fn command_letter(word: &str) -> Option<char> {
    if let Some(name) = word.strip_prefix("--") {
        let long = COMMANDS.iter().find(|(_, own)| *own == name);
        return long.map(|(letter, _)| *letter);
    }
    let mut letters = word.strip_prefix('-')?.chars();
    let letter = letters.next()?;
    let known = COMMANDS.iter().any(|(own, _)| *own == letter);
    (letters.next().is_none() && known).then_some(letter)
}

fn check_name(name: &str) -> Result<(), Error> {
    if name.starts_with('-') || name.starts_with('!') {
        return Err(Error::usage(format!(
            "chain name not allowed to start with `{}'\n",
            &name[..1]
        )));
    }
    if name.len() > LONGEST_CHAIN {
        return Err(Error::usage(format!(
            "chain name `{name}' too long (must be under {} chars)",
            LONGEST_CHAIN + 1
        )));
    }
    if super::targets::find(name).is_some() {
        return Err(Error::usage("chain name may not clash with target name\n"));
    }
    Ok(())
}

impl Netfilter {
    /// Carries a command out; returns what it prints. After an error nothing has changed.
    pub fn execute(&mut self, command: &Invocation) -> Result<String, Error> {
        if matches!(command.command, Command::List | Command::Specs) {
            return self.list(command);
        }
        let mut table = self.table_or_new(command.table);
        table.apply(command)?;
        if command.command != Command::Check {
            self.set_table(command.table, table);
        }
        Ok(String::new())
    }
}

impl Table {
    /// Carries out what changes the table, or checks for a rule.
    pub(crate) fn apply(&mut self, command: &Invocation) -> Result<(), Error> {
        let all: Vec<Rc<str>> = match &command.chain {
            Some(chain) => vec![chain.clone()],
            None => self.chain_names().map(Rc::from).collect(),
        };
        match &command.command {
            Command::Append
            | Command::Insert { .. }
            | Command::Delete
            | Command::DeleteNumber { .. }
            | Command::Replace { .. }
            | Command::Check => self.apply_rule(command, &all[0])?,
            Command::Flush => {
                for chain in &all {
                    if !self.has(chain) {
                        return Err(Error::no_chain());
                    }
                    self.flush(chain);
                }
            }
            Command::Zero { at } => {
                for chain in &all {
                    let slot = self.slot_mut(chain).ok_or_else(Error::no_chain)?;
                    match at {
                        None => slot.zero(),
                        Some(at) => {
                            let at = at.wrapping_sub(1);
                            *slot
                                .tally_mut(at)
                                .ok_or(Error::plain("Index of counter too big"))? =
                                Tally::default();
                        }
                    }
                }
            }
            Command::Create => self.create(&all[0])?,
            Command::DeleteChain if command.chain.is_some() => self.delete(&all[0])?,
            Command::DeleteChain => {
                let built_in = self
                    .chain_names()
                    .take_while(|name| self.slot(name).is_some_and(|slot| slot.policy.is_some()));
                let built_in = built_in.count();
                let own = &all[built_in..];
                let free = |chain: &&Rc<str>| {
                    !self
                        .slot(chain)
                        .is_some_and(|slot| slot.references > 0 || !slot.chain.rules().is_empty())
                };
                if let Some(used) = own.iter().find(|chain| !free(chain)) {
                    return Err(Error::kernel("CHAIN_DEL", "Device or resource busy", used));
                }
                for chain in own {
                    self.delete(chain)?;
                }
            }
            Command::Rename { to } => self.rename(&all[0], to)?,
            Command::Policy { drop } => self.set_policy(&all[0], *drop)?,
            Command::List | Command::Specs => {}
        }
        Ok(())
    }

    fn apply_rule(&mut self, command: &Invocation, chain: &Rc<str>) -> Result<(), Error> {
        let Some(slot) = self.slot(chain) else {
            return match command.command {
                Command::DeleteNumber { .. } => Err(Error::no_chain()),
                _ => Err(Error::other(format!("Chain '{chain}' does not exist"))),
            };
        };
        let rules = slot.chain.clone();
        let count = rules.rules().len();
        self.check(chain, &command.rules)?;
        let looped = command.rules.iter().filter_map(|rule| rule.jumps_to());
        if looped.into_iter().any(|jump| self.leads(jump, chain)) {
            return Err(Error::kernel("RULE_APPEND", "Too many links", chain));
        }
        let (packets, bytes) = command.counters.unwrap_or_default();
        let tally = Tally {
            packets,
            bytes,
            ..Tally::default()
        };
        let new = command.rules.iter().map(|rule| (rule.clone(), tally));
        match command.command {
            Command::Append => self.append(chain, &command.rules, tally),
            Command::Insert { at } if at > count => {
                return Err(Error::plain("Index of insertion too big"));
            }
            Command::Insert { at } => self.edit(chain, |all| {
                all.splice(at..at, new);
            }),
            Command::Replace { at } if at >= count => {
                return Err(Error::plain("Index of replacement too big"));
            }
            Command::Replace { at } => self.edit(chain, |all| {
                all.splice(at..=at, new);
            }),
            Command::DeleteNumber { at } if at >= count => {
                return Err(Error::plain("Index of deletion too big"));
            }
            Command::DeleteNumber { at } => self.edit(chain, |all| {
                all.remove(at);
            }),
            _ => {
                for wanted in &command.rules {
                    let rules = self.chain(chain).map_or(&[][..], |own| own.rules());
                    let at = rules
                        .iter()
                        .position(|rule| rule == wanted)
                        .ok_or(Error::plain(
                            "Bad rule (does a matching rule exist in that chain?)",
                        ))?;
                    if command.command == Command::Delete {
                        self.edit(chain, |all| {
                            all.remove(at);
                        });
                    }
                }
            }
        }
        Ok(())
    }
}
