//! The chain of plugins: from a question to an answer, or to whom it is passed on. The order is that
//! of CoreDNS' plugin.cfg, whatever the Corefile's: cache, loadbalance, hosts, kubernetes, forward.
//! Models coredns/core/dnsserver/server.go and the plugins named.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use net::dns::{Data, Message, Name, Question, Rcode, Record, RecordType};
use sim::{Duration, Instant, Stream};

use super::config::{Caching, Config, Hosts, Server, within};
use super::kubernetes::{self, Found, Known};

/// Answers the cache holds at most of each kind.
const CAPACITY: usize = 9984;

/// What becomes of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is answered.
    Reply(Message),
    /// Somebody else is asked about this name; these records stand in front of his.
    Ask {
        name: Name,
        to: Rc<[SocketAddrV4]>,
        prefix: Vec<Record>,
    },
}

/// Answers that were given, by name and type.
#[derive(Clone, Debug, Default)]
pub(super) struct Cache {
    kept: Rc<BTreeMap<(String, RecordType), Kept>>,
}

#[derive(Clone, Debug)]
struct Kept {
    at: Instant,
    until: Instant,
    reply: Message,
}

/// The server of a port that knows a name best.
pub(super) fn server_for(config: &Config, port: u16, name: &Name) -> Option<Rc<Server>> {
    let folded = name.folded();
    let servers = config.servers.iter();
    servers
        .filter(|server| server.port == port && within(&folded, &server.zone))
        .max_by_key(|server| server.zone.len())
        .cloned()
}

/// Asks the plugins, one after the other.
pub(super) fn ask(
    server: &Server,
    known: Known<'_>,
    hosts_file: &dyn Fn(&str) -> Option<String>,
    query: &Message,
    question: &Question,
) -> Outcome {
    let mut prefix = Vec::new();
    let mut name = question.name.clone();
    // A name may lead to another one, which may lead to the next.
    for _ in 0..8 {
        match once(server, known, hosts_file, &name, question.qtype) {
            Found::Answer {
                rcode,
                answers,
                authority,
                additional,
            } => {
                let mut reply = query.reply(rcode);
                reply.authoritative = true;
                reply.answers = prefix;
                reply.answers.extend(answers);
                reply.authority = authority;
                reply.additional = additional;
                return Outcome::Reply(reply);
            }
            Found::Elsewhere(record, target) => {
                prefix.push(record);
                name = target;
            }
            Found::Next => {
                let folded = name.folded();
                let forward = server.forward.as_ref().filter(|forward| {
                    within(&folded, &forward.from)
                        && !forward.except.iter().any(|zone| within(&folded, zone))
                });
                return match forward {
                    Some(forward) => Outcome::Ask {
                        name,
                        to: forward.to.clone().into(),
                        prefix,
                    },
                    None => Outcome::Reply(query.reply(Rcode::SERVFAIL)),
                };
            }
        }
    }
    Outcome::Reply(query.reply(Rcode::SERVFAIL))
}

fn once(
    server: &Server,
    known: Known<'_>,
    hosts_file: &dyn Fn(&str) -> Option<String>,
    name: &Name,
    qtype: RecordType,
) -> Found {
    if let Some(hosts) = &server.hosts {
        match from_hosts(hosts, hosts_file, name, qtype) {
            Found::Next => {}
            found => return found,
        }
    }
    match &server.kubernetes {
        Some(plugin) => kubernetes::answer(plugin, known, name, qtype),
        None => Found::Next,
    }
}

/// Models coredns/plugin/hosts.
fn from_hosts(
    hosts: &Hosts,
    file: &dyn Fn(&str) -> Option<String>,
    name: &Name,
    qtype: RecordType,
) -> Found {
    let mut entries: Vec<(Ipv4Addr, Vec<String>)> = Vec::new();
    if let Some(text) = hosts.file.as_deref().and_then(file) {
        for line in text.lines() {
            let mut words = line
                .split('#')
                .next()
                .unwrap_or_default()
                .split_whitespace();
            if let Some(Ok(ip)) = words.next().map(str::parse) {
                entries.push((ip, words.map(str::to_ascii_lowercase).collect()));
            }
        }
    }
    entries.extend(hosts.entries.iter().cloned());
    let folded = name.folded();
    let record = |data: Data| Record::new(name.clone(), hosts.ttl, data);
    let own = kubernetes::reverse(&folded);
    let known = entries
        .iter()
        .any(|(ip, names)| own == Some(*ip) || names.contains(&folded));
    if !known {
        return Found::Next;
    }
    let answers: Vec<Record> = entries
        .iter()
        .filter_map(|(ip, names)| match qtype {
            RecordType::A if names.contains(&folded) => Some(record(Data::A(*ip))),
            RecordType::PTR if own == Some(*ip) => {
                Some(record(Data::Ptr(names.first()?.parse().ok()?)))
            }
            _ => None,
        })
        .collect();
    Found::Answer {
        rcode: Rcode::NOERROR,
        answers,
        authority: Vec::new(),
        additional: Vec::new(),
    }
}

/// Puts the addresses in another order for each client. Models coredns/plugin/loadbalance.
pub(super) fn balance(reply: &mut Message, random: &mut Stream) {
    let is_address = |record: &Record| matches!(record.data, Data::A(_) | Data::Aaaa(_));
    let Some(first) = reply.answers.iter().position(is_address) else {
        return;
    };
    let addresses = &mut reply.answers[first..];
    for at in (1..addresses.len()).rev() {
        let other = random.below(at as u64 + 1) as usize;
        addresses.swap(at, other);
    }
}

impl Cache {
    /// The answer to a question, if it is still kept; its times to live are what is left of them.
    pub(super) fn find(&self, now: Instant, query: &Message, asked: &Question) -> Option<Message> {
        let kept = self.kept.get(&(asked.name.folded(), asked.qtype))?;
        if kept.until <= now {
            return None;
        }
        let age = u32::try_from(now.since(kept.at).as_secs()).unwrap_or(u32::MAX);
        let mut reply = query.reply(kept.reply.rcode);
        reply.recursion_available = kept.reply.recursion_available;
        reply.answers = kept.reply.answers.clone();
        reply.authority = kept.reply.authority.clone();
        let records = reply.answers.iter_mut().chain(&mut reply.authority);
        records.for_each(|record| record.ttl = record.ttl.saturating_sub(age));
        Some(reply)
    }

    /// Keeps an answer, as long as its records and the configuration let it.
    pub(super) fn keep(
        &mut self,
        now: Instant,
        caching: &Caching,
        asked: &Question,
        reply: &Message,
    ) {
        let folded = asked.name.folded();
        let denies = reply.rcode == Rcode::NXDOMAIN || reply.answers.is_empty();
        let (most, except) = match denies {
            true => (caching.denial, &caching.no_denial),
            false => (caching.success, &caching.no_success),
        };
        let is_sure = matches!(reply.rcode, Rcode::NOERROR | Rcode::NXDOMAIN) && !reply.truncated;
        if !is_sure || except.iter().any(|zone| within(&folded, zone)) {
            return;
        }
        let records = reply.answers.iter().chain(&reply.authority);
        let ttl = records
            .map(|record| record.ttl)
            .min()
            .unwrap_or(0)
            .min(most);
        if ttl == 0 {
            return;
        }
        let kept = Rc::make_mut(&mut self.kept);
        if kept.len() >= CAPACITY {
            kept.retain(|_, kept| kept.until > now);
        }
        let entry = Kept {
            at: now,
            until: now + Duration::from_secs(ttl.into()),
            reply: reply.clone(),
        };
        kept.insert((folded, asked.qtype), entry);
    }
}
