//! `-m conntrack`: state and addresses of the connection. Models extensions/libxt_conntrack.c and
//! net/netfilter/xt_conntrack.c.

use core::fmt;
use core::fmt::Write;
use std::rc::Rc;

use super::{Match, MatchKind};
use crate::netfilter::conntrack::{Conn, CtState};
use crate::netfilter::number::{PortRange, parse_protocol, protocol_name};
use crate::netfilter::options::{Given, Opt, not, value};
use crate::netfilter::rule::Address;
use crate::netfilter::spec::parse_address;
use crate::netfilter::view::View;

pub(super) static KIND: MatchKind = MatchKind {
    name: "conntrack",
    options: &[
        value("ctstate").negatable(),
        value("ctproto").negatable(),
        ADDRESSES[0],
        ADDRESSES[1],
        ADDRESSES[2],
        ADDRESSES[3],
        PORTS[0],
        PORTS[1],
        PORTS[2],
        PORTS[3],
        value("ctstatus").negatable(),
        value("ctdir"),
    ],
    build,
};

const ADDRESSES: [Opt; 4] = [
    value("ctorigsrc").negatable(),
    value("ctorigdst").negatable(),
    value("ctreplsrc").negatable(),
    value("ctrepldst").negatable(),
];
const PORTS: [Opt; 4] = [
    value("ctorigsrcport").negatable(),
    value("ctorigdstport").negatable(),
    value("ctreplsrcport").negatable(),
    value("ctrepldstport").negatable(),
];

/// States as iptables-save orders them, and their bits.
const STATES: [(&str, u8); 7] = [
    ("INVALID", 1),
    ("NEW", 2),
    ("RELATED", 4),
    ("ESTABLISHED", 8),
    ("UNTRACKED", 16),
    ("SNAT", 32),
    ("DNAT", 64),
];
/// Status bits likewise.
const STATUSES: [(&str, u8); 4] = [
    ("EXPECTED", 1),
    ("SEEN_REPLY", 2),
    ("ASSURED", 4),
    ("CONFIRMED", 8),
];

/// A set of states.
#[derive(Clone, Copy, Debug)]
pub(super) struct States(u8);

impl States {
    /// Reads `NEW,ESTABLISHED`; what is no state comes back.
    pub(super) fn parse(text: &str) -> Result<States, &str> {
        parse_bits(&STATES, text).map(States)
    }

    pub(super) fn contain(self, view: &View<'_>) -> bool {
        let state = match view.state {
            CtState::Invalid => 1,
            CtState::New => 2,
            CtState::Related => 4,
            CtState::Established => 8,
            CtState::Untracked => 16,
        };
        let nat = view.conn.map_or(0, |conn| {
            (u8::from(conn.snat) << 5) | (u8::from(conn.dnat) << 6)
        });
        self.0 & (state | nat) != 0
    }
}

impl fmt::Display for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&bit_names(&STATES, self.0))
    }
}

fn parse_bits<'a>(names: &[(&str, u8)], text: &'a str) -> Result<u8, &'a str> {
    text.split(',').try_fold(0, |bits, name| {
        let found = names.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, bit)| bits | bit).ok_or(name)
    })
}

fn bit_names(names: &[(&str, u8)], bits: u8) -> String {
    let set = names.iter().filter(|(_, bit)| bits & bit != 0);
    set.map(|(name, _)| *name).collect::<Vec<_>>().join(",")
}

#[derive(Debug, Default)]
struct Conntrack {
    states: Option<(States, bool)>,
    proto: Option<(u8, bool)>,
    addresses: [Option<Address>; 4],
    ports: [Option<(PortRange, bool)>; 4],
    status: Option<(u8, bool)>,
    /// `ORIGINAL` or not.
    original: Option<bool>,
}

fn build(given: &Given) -> Result<Rc<dyn Match>, String> {
    let mut own = Conntrack::default();
    if let Some(text) = given.value("ctstate") {
        let states = States::parse(text).map_err(|bad| format!("Bad ctstate \"{bad}\""))?;
        own.states = Some((states, given.inverted("ctstate")));
    }
    if let Some(text) = given.value("ctstatus") {
        let bits = match text {
            "NONE" => 0,
            text => parse_bits(&STATUSES, text).map_err(|bad| format!("Bad ctstatus \"{bad}\""))?,
        };
        own.status = Some((bits, given.inverted("ctstatus")));
    }
    if let Some(text) = given.value("ctproto") {
        let number =
            parse_protocol(text).ok_or_else(|| format!("unknown protocol \"{text}\" specified"))?;
        own.proto = Some((number, given.inverted("ctproto")));
    }
    for (at, opt) in ADDRESSES.iter().enumerate() {
        if let Some(text) = given.value(opt.name) {
            let address = parse_address(text)?;
            own.addresses[at] = Some(Address {
                invert: given.inverted(opt.name),
                ..address
            });
        }
    }
    for (at, opt) in PORTS.iter().enumerate() {
        if let Some(text) = given.value(opt.name) {
            own.ports[at] = Some((PortRange::parse(text, ':')?, given.inverted(opt.name)));
        }
    }
    own.original = match given.value("ctdir") {
        None => None,
        Some(text) if text.eq_ignore_ascii_case("ORIGINAL") => Some(true),
        Some(text) if text.eq_ignore_ascii_case("REPLY") => Some(false),
        Some(text) => {
            return Err(format!(
                "conntrack: bad value for option \"--ctdir\": \"{text}\""
            ));
        }
    };
    if own.is_empty() {
        return Err("conntrack: At least one option is required".into());
    }
    Ok(Rc::new(own))
}

impl Conntrack {
    fn is_empty(&self) -> bool {
        self.states.is_none()
            && self.proto.is_none()
            && self.addresses.iter().all(Option::is_none)
            && self.ports.iter().all(Option::is_none)
            && self.status.is_none()
            && self.original.is_none()
    }

    /// Whether all that is asked of the connection itself is so.
    fn matches_conn(&self, conn: &Conn, view: &View<'_>) -> bool {
        let (original, reply) = (&conn.original, &conn.reply);
        let proto = self
            .proto
            .is_none_or(|(own, invert)| (own == original.proto.number()) != invert);
        let addresses = [original.src, original.dst, reply.src, reply.dst];
        let ports = [original.sport, original.dport, reply.sport, reply.dport];
        let status = (u8::from(conn.seen_reply) << 1)
            | (u8::from(conn.assured) << 2)
            | (u8::from(conn.confirmed) << 3);
        proto
            && self.original.is_none_or(|own| own != view.reply)
            && (self.addresses.iter().zip(addresses))
                .all(|(own, addr)| own.is_none_or(|own| own.matches(addr)))
            && (self.ports.iter().zip(ports))
                .all(|(own, port)| own.is_none_or(|(range, invert)| range.contains(port) != invert))
            && self.status.is_none_or(|(bits, invert)| {
                (if bits == 0 {
                    status == 0
                } else {
                    status & bits != 0
                }) != invert
            })
    }

    /// Every option as `name`, whether inverted, and its value.
    fn options(&self) -> Vec<(&'static str, bool, String)> {
        let mut options = Vec::new();
        if let Some((states, invert)) = self.states {
            options.push(("ctstate", invert, states.to_string()));
        }
        if let Some((number, invert)) = self.proto {
            options.push(("ctproto", invert, protocol_name(number)));
        }
        for (opt, own) in ADDRESSES.iter().zip(&self.addresses) {
            if let Some(own) = own {
                let text = match own.prefix() {
                    Some(32) => std::net::Ipv4Addr::from(own.addr).to_string(),
                    _ => own.to_string(),
                };
                options.push((opt.name, own.invert, text));
            }
        }
        for (opt, own) in PORTS.iter().zip(&self.ports) {
            if let Some((range, invert)) = own {
                let mut text = String::new();
                range.print(&mut text, ':');
                options.push((opt.name, *invert, text));
            }
        }
        if let Some((bits, invert)) = self.status {
            let names = match bits {
                0 => "NONE".to_owned(),
                bits => bit_names(&STATUSES, bits),
            };
            options.push(("ctstatus", invert, names));
        }
        if let Some(original) = self.original {
            let text = if original { "ORIGINAL" } else { "REPLY" };
            options.push(("ctdir", false, text.to_owned()));
        }
        options
    }
}

impl Match for Conntrack {
    fn name(&self) -> &'static str {
        "conntrack"
    }

    fn matches(&self, view: &mut View<'_>) -> bool {
        if let Some((states, invert)) = self.states
            && states.contain(view) == invert
        {
            return false;
        }
        match view.conn {
            Some(conn) => self.matches_conn(conn, view),
            // Without a connection only the state can be asked about.
            None => {
                self.states.is_some()
                    && Conntrack {
                        states: None,
                        addresses: self.addresses,
                        ports: self.ports,
                        ..*self
                    }
                    .is_empty()
            }
        }
    }

    fn print(&self, out: &mut String) {
        for (name, invert, text) in self.options() {
            let _ = write!(out, "{} --{name} {text}", not(invert));
        }
    }

    fn list(&self, out: &mut String, _numeric: bool) {
        for (name, invert, text) in self.options() {
            let _ = write!(out, "{} {name} {text}", not(invert));
        }
    }

    fn needs_conntrack(&self) -> bool {
        true
    }
}
