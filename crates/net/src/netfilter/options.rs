//! What extensions declare of their options, and what the user gave of them.
//! Models include/xtables.h (struct xt_option_entry).

use std::rc::Rc;

/// An option of an extension.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opt {
    /// `dport`.
    pub(crate) name: &'static str,
    /// Another name: `destination-port`.
    pub(crate) alias: &'static str,
    /// Words that follow it.
    pub(crate) values: usize,
    /// Whether `!` may stand before it.
    pub(crate) negatable: bool,
}

/// An option without a value.
pub(crate) const fn flag(name: &'static str) -> Opt {
    Opt {
        name,
        alias: "",
        values: 0,
        negatable: false,
    }
}

/// An option with one value.
pub(crate) const fn value(name: &'static str) -> Opt {
    Opt {
        values: 1,
        ..flag(name)
    }
}

impl Opt {
    pub(crate) const fn or(self, alias: &'static str) -> Opt {
        Opt { alias, ..self }
    }

    pub(crate) const fn negatable(self) -> Opt {
        Opt {
            negatable: true,
            ..self
        }
    }

    pub(crate) const fn two_values(self) -> Opt {
        Opt { values: 2, ..self }
    }
}

/// A match or target as iptables loads it.
#[derive(Debug)]
pub(crate) struct Extension<T: ?Sized> {
    pub(crate) name: &'static str,
    pub(crate) options: &'static [Opt],
    pub(crate) build: fn(&Given) -> Result<Rc<T>, String>,
}

/// The options given to one extension, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    /// Number of the protocol the rule is about, if it is about one.
    pub(crate) proto: Option<u8>,
    options: Vec<Set>,
}

#[derive(Clone, Debug)]
struct Set {
    name: &'static str,
    invert: bool,
    values: Vec<Rc<str>>,
}

impl Given {
    pub(crate) fn add(&mut self, opt: &Opt, invert: bool, values: Vec<Rc<str>>) {
        self.options.push(Set {
            name: opt.name,
            invert,
            values,
        });
    }

    fn find(&self, name: &str) -> Option<&Set> {
        self.options.iter().find(|set| set.name == name)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    pub(crate) fn inverted(&self, name: &str) -> bool {
        self.find(name).is_some_and(|set| set.invert)
    }

    /// The first value of an option.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.values(name)?.first().map(|value| &**value)
    }

    pub(crate) fn values(&self, name: &str) -> Option<&[Rc<str>]> {
        Some(&self.find(name)?.values)
    }
}

/// `! ` or nothing.
pub(crate) fn not(invert: bool) -> &'static str {
    if invert { " !" } else { "" }
}
