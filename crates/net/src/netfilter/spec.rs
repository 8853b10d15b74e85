//! Reads the part of an iptables command line that describes a rule.
//! Models iptables/xshared.c (do_parse, command_match, command_jump).

use std::net::Ipv4Addr;
use std::rc::Rc;

use super::command::Error;
use super::matches::{self, Match, MatchKind};
use super::number::parse_protocol;
use super::options::{Given, Opt};
use super::rule::{Address, Interface, Rule, Selector, Target};
use super::targets::{self, TargetKind};

/// Longest name of an interface (IFNAMSIZ without its end).
const LONGEST_INTERFACE: usize = 15;

/// Words being read.
#[derive(Debug)]
pub(crate) struct Words<'a> {
    words: &'a [Rc<str>],
    at: usize,
}

impl<'a> Words<'a> {
    pub(crate) fn new(words: &'a [Rc<str>]) -> Words<'a> {
        Words { words, at: 0 }
    }

    pub(crate) fn next(&mut self) -> Option<&'a Rc<str>> {
        let word = self.words.get(self.at)?;
        self.at += 1;
        Some(word)
    }

    /// The next word if it is no option.
    pub(crate) fn next_operand(&mut self) -> Option<&'a Rc<str>> {
        let word = self.words.get(self.at)?;
        if word.starts_with('-') || &**word == "!" {
            return None;
        }
        self.next()
    }

    pub(crate) fn value(&mut self, option: &str) -> Result<&'a Rc<str>, Error> {
        let missing = || Error::usage(format!("option \"{option}\" requires an argument"));
        self.next().ok_or_else(missing)
    }
}

/// A rule as far as it has been read.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    selector: Selector,
    sources: Vec<Address>,
    destinations: Vec<Address>,
    matches: Vec<(&'static MatchKind, Given)>,
    target: Option<(&'static TargetKind, Given)>,
    jump: Option<Target>,
    /// `-c packets bytes`.
    pub(crate) counters: Option<(u64, u64)>,
}

/// The rules that `words` describe: one, or one per combination of several addresses.
pub(crate) fn rules(words: &[Rc<str>]) -> Result<Vec<Rc<Rule>>, Error> {
    let mut draft = Draft::default();
    let mut words = Words::new(words);
    let mut invert = false;
    while let Some(word) = words.next() {
        if &**word == "!" {
            invert = true;
            continue;
        }
        draft.option(word, std::mem::take(&mut invert), &mut words)?;
    }
    draft.finish()
}

impl Draft {
    /// Whether nothing of a rule was given.
    pub(crate) fn is_empty(&self) -> bool {
        self.selector == Selector::default()
            && self.sources.is_empty()
            && self.destinations.is_empty()
            && self.matches.is_empty()
            && self.target.is_none()
            && self.jump.is_none()
    }

    /// Whether `-i` or `-o` was given.
    pub(crate) fn interfaces(&self) -> (bool, bool) {
        let Selector {
            inbound, outbound, ..
        } = &self.selector;
        (inbound.is_some(), outbound.is_some())
    }

    /// Reads an option of the rule, with its values.
    pub(crate) fn option(
        &mut self,
        word: &Rc<str>,
        invert: bool,
        words: &mut Words<'_>,
    ) -> Result<(), Error> {
        match &**word {
            "-s" | "--source" | "--src" => {
                let list = parse_addresses(words.value(word)?, invert)?;
                self.sources = list;
            }
            "-d" | "--destination" | "--dst" => {
                let list = parse_addresses(words.value(word)?, invert)?;
                self.destinations = list;
            }
            "-i" | "--in-interface" => {
                self.selector.inbound = parse_interface(words.value(word)?, invert)?;
            }
            "-o" | "--out-interface" => {
                self.selector.outbound = parse_interface(words.value(word)?, invert)?;
            }
            "-p" | "--protocol" | "--proto" => {
                let text = words.value(word)?;
                let number = parse_protocol(text).ok_or_else(|| {
                    Error::usage(format!("unknown protocol \"{text}\" specified"))
                })?;
                if number == 0 && invert {
                    return Err(Error::usage("rule would never match protocol"));
                }
                self.selector.proto = (number != 0).then_some((number, invert));
            }
            "-f" | "--fragment" => self.selector.fragment = Some(!invert),
            "-c" | "--set-counters" => {
                let mut number = || {
                    let text = words.value(word)?;
                    text.parse()
                        .map_err(|_| Error::usage("-c packet counter not numeric"))
                };
                self.counters = Some((number()?, number()?));
            }
            "-m" | "--match" => {
                let name = words.value(word)?;
                let kind = matches::find(name).ok_or_else(|| {
                    Error::usage(format!(
                        "Couldn't load match `{name}':No such file or directory\n"
                    ))
                })?;
                self.matches.push((kind, Given::default()));
            }
            "-j" | "--jump" => {
                let name = words.value(word)?;
                match targets::find(name) {
                    Some(kind) => self.target = Some((kind, Given::default())),
                    None => self.jump = Some(Target::Jump(name.clone())),
                }
            }
            "-g" | "--goto" => self.jump = Some(Target::Goto(words.value(word)?.clone())),
            text if text.starts_with("--") => self.extension_option(text, invert, words)?,
            text if text.starts_with('-') => {
                return Err(Error::usage(format!("unknown option \"{text}\"")));
            }
            text => return Err(Error::usage(format!("Bad argument `{text}'"))),
        }
        Ok(())
    }

    /// An option of a loaded match or target. A protocol's match is loaded when an option of it
    /// is met.
    fn extension_option(
        &mut self,
        word: &str,
        invert: bool,
        words: &mut Words<'_>,
    ) -> Result<(), Error> {
        let (name, attached) = match word.split_once('=') {
            Some((name, value)) => (&name[2..], Some(Rc::from(value))),
            None => (&word[2..], None),
        };
        let unknown = || Error::usage(format!("unknown option \"{word}\""));
        let mut name = name;
        if self.find(name).is_none() {
            name = self.written_out(name).unwrap_or(name);
        }
        if self.find(name).is_none()
            && let Some((number, false)) = self.selector.proto
            && let Some(kind) = matches::find(&super::number::protocol_name(number))
            && !self.matches.iter().any(|(own, _)| own.name == kind.name)
        {
            self.matches.push((kind, Given::default()));
        }
        if self.find(name).is_none() {
            name = self.written_out(name).unwrap_or(name);
        }
        let (opt, given) = self.find(name).ok_or_else(unknown)?;
        if invert && !opt.negatable {
            return Err(Error::usage(format!(
                "option \"--{name}\" cannot be inverted"
            )));
        }
        let mut values: Vec<Rc<str>> = attached.into_iter().collect();
        while values.len() < opt.values {
            values.push(words.value(word)?.clone());
        }
        given.add(opt, invert, values);
        Ok(())
    }

    /// The option that `start` is the beginning of, if there is just one, as getopt_long(3) has it.
    fn written_out(&self, start: &str) -> Option<&'static str> {
        let target = self.target.iter().map(|(kind, _)| kind.options);
        let options = target.chain(self.matches.iter().map(|(kind, _)| kind.options));
        let names = options.flatten().flat_map(|opt| [opt.name, opt.alias]);
        let mut fits = names.filter(|name| !start.is_empty() && name.starts_with(start));
        fits.next().filter(|_| fits.next().is_none())
    }

    /// The extension that knows option `name`: the target, or the match loaded last.
    fn find(&mut self, name: &str) -> Option<(&'static Opt, &mut Given)> {
        fn knows(options: &'static [Opt], name: &str) -> Option<&'static Opt> {
            let own = |opt: &&Opt| opt.name == name || (!name.is_empty() && opt.alias == name);
            options.iter().find(own)
        }
        if let Some((kind, given)) = &mut self.target
            && let Some(opt) = knows(kind.options, name)
        {
            return Some((opt, given));
        }
        let mut loaded = self.matches.iter_mut().rev();
        loaded.find_map(|(kind, given)| Some((knows(kind.options, name)?, given)))
    }

    /// The rules that were described.
    pub(crate) fn finish(mut self) -> Result<Vec<Rc<Rule>>, Error> {
        let proto = match self.selector.proto {
            Some((number, false)) => Some(number),
            _ => None,
        };
        let mut built: Vec<Rc<dyn Match>> = Vec::new();
        for (kind, given) in &mut self.matches {
            given.proto = proto;
            built.push((kind.build)(given).map_err(Error::usage)?);
        }
        let target = match (self.jump, self.target) {
            (Some(jump), _) => jump,
            (None, None) => Target::None,
            (None, Some((kind, mut given))) => {
                given.proto = proto;
                Target::Extension((kind.build)(&given).map_err(Error::usage)?)
            }
        };
        let or_any = |list: Vec<Address>| match list.is_empty() {
            true => vec![None],
            false => list
                .into_iter()
                .map(|own| (own.mask != 0 || own.invert).then_some(own))
                .collect(),
        };
        let (sources, destinations) = (or_any(self.sources), or_any(self.destinations));
        let mut rules = Vec::new();
        for src in sources {
            for dst in &destinations {
                let selector = Selector {
                    src,
                    dst: *dst,
                    ..self.selector.clone()
                };
                rules.push(Rc::new(Rule::new(selector, built.clone(), target.clone())));
            }
        }
        Ok(rules)
    }
}

fn parse_addresses(text: &str, invert: bool) -> Result<Vec<Address>, Error> {
    if invert && text.contains(',') {
        return Err(Error::usage(
            "! not allowed with multiple source or destination IP addresses",
        ));
    }
    let one = |text| {
        let address = parse_address(text).map_err(Error::usage)?;
        Ok(Address { invert, ..address })
    };
    text.split(',').map(one).collect()
}

/// `10.0.0.0/8`, `10.0.0.0/255.0.0.0` or a bare address.
pub(crate) fn parse_address(text: &str) -> Result<Address, String> {
    let (addr, mask) = text.split_once('/').unwrap_or((text, "32"));
    let bad_mask = || format!("invalid mask `{mask}' specified");
    let mask = match mask.parse::<u32>() {
        Ok(prefix) if prefix <= 32 => crate::addr::mask(u8::try_from(prefix).unwrap_or(32)),
        Ok(_) => return Err(bad_mask()),
        Err(_) => u32::from(mask.parse::<Ipv4Addr>().map_err(|_| bad_mask())?),
    };
    let addr: Ipv4Addr = addr
        .parse()
        .map_err(|_| format!("host/network `{addr}' not found"))?;
    Ok(Address {
        addr: u32::from(addr) & mask,
        mask,
        invert: false,
    })
}

fn parse_interface(name: &Rc<str>, invert: bool) -> Result<Option<Interface>, Error> {
    if name.len() > LONGEST_INTERFACE {
        return Err(Error::usage(format!(
            "interface name `{name}' must be shorter than {} characters",
            LONGEST_INTERFACE + 1
        )));
    }
    // A bare `+` is every interface.
    Ok((&**name != "+" || invert).then(|| Interface {
        name: name.clone(),
        invert,
    }))
}
