//! The way of a packet, explained: the stations in their order, the rules met at each and who wrote
//! them. `netwhy` prints it, the page draws it; both show what is said here.

use core::fmt;
use std::net::SocketAddrV4;
use std::rc::Rc;

use net::netfilter::TableName;
use net::{DropReason, Flow, Hop, HopRoute, NetnsId, Proto, Record, RuleHit, Verdict};
use sim::MachineId;

/// The way of one packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// What the packet is: `TCP SYN`.
    pub what: &'static str,
    /// Addresses as it was sent.
    pub flow: Addresses,
    /// How it ended, a phrase.
    pub end: String,
    /// The family of that end.
    pub fate: Fate,
    /// Where it came through.
    pub stations: Vec<Station>,
}

/// How a packet ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was delivered.
    Arrived,
    /// Its sender was told that it is not wanted.
    Refused,
    /// It was lost.
    Lost,
}

/// What one network namespace or bridge did with the packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Station {
    /// The machine.
    pub machine: MachineId,
    /// Its name.
    pub machine_name: Rc<str>,
    /// The namespace.
    pub netns: NetnsId,
    /// Its name, empty for the machine's own.
    pub netns_name: Rc<str>,
    /// The interface it came in by.
    pub inbound: Option<Rc<str>>,
    /// The interface it left by.
    pub outbound: Option<Rc<str>>,
    /// What was done with it, a phrase.
    pub did: String,
    /// The route that was chosen, where one was looked up: `default via 10.9.0.1`.
    pub route: Option<String>,
    /// The rules that it met, in order.
    pub rules: Vec<Met>,
    /// Addresses as it came.
    pub before: Addresses,
    /// Addresses as it left.
    pub after: Addresses,
}

/// A rule that was met, or the policy of a chain that dropped the packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Met {
    /// The table.
    pub table: TableName,
    /// The chain.
    pub chain: Rc<str>,
    /// Its place in the chain, 0 for the policy.
    pub number: u32,
    /// The rule as `iptables-save` prints it; none for the policy.
    pub text: Option<String>,
    /// Addresses it gave the packet.
    pub made: Option<Addresses>,
    /// For whom it was written, as far as that can be told.
    pub writer: Option<Writer>,
}

/// What a rule was written for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Writer {
    /// For all Services alike.
    EveryService,
    /// For one Service.
    Service {
        /// Its namespace.
        namespace: Rc<str>,
        /// Its name.
        name: Rc<str>,
        /// The one of its endpoints, for a rule of an EndpointSlice.
        endpoint: Option<SocketAddrV4>,
    },
}

/// Source and destination; a protocol without ports shows none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// From where to where.
    pub flow: Flow,
    /// Whether there are ports.
    pub ports: bool,
}

impl Way {
    /// Explains what was recorded; `machine` gives a machine's name.
    pub fn of(record: &Record, machine: &dyn Fn(MachineId) -> Rc<str>) -> Way {
        let ports = record.proto != Proto::Icmp;
        let hops = &record.trace.hops;
        Way {
            what: record.what,
            flow: Addresses {
                flow: record.flow,
                ports,
            },
            end: end(record),
            fate: match record.lost {
                None => Fate::Arrived,
                Some(DropReason::NoSocket | DropReason::Rejected(_)) => Fate::Refused,
                Some(_) => Fate::Lost,
            },
            stations: hops
                .iter()
                .map(|hop| station(hop, ports, machine(hop.machine)))
                .collect(),
        }
    }
}

fn end(record: &Record) -> String {
    let Record {
        proto,
        flow,
        trace,
        lost,
        ..
    } = record;
    let last = trace.hops.last().map(|hop| hop.after);
    match (lost, last) {
        (Some(DropReason::NoSocket), Some(last)) => {
            format!("refused, nobody listens on {}", last.dst)
        }
        (Some(reason), _) => reason.to_string(),
        (None, Some(last)) if last.dst != flow.dst && *proto != Proto::Icmp => {
            format!("delivered to {}", last.dst)
        }
        (None, Some(last)) if last.dst.ip() != flow.dst.ip() => {
            format!("delivered to {}", last.dst.ip())
        }
        (None, _) => "delivered".to_owned(),
    }
}

fn station(hop: &Hop, ports: bool, machine_name: Rc<str>) -> Station {
    Station {
        machine: hop.machine,
        machine_name,
        netns: hop.ns,
        netns_name: hop.netns.clone(),
        inbound: hop.inbound.clone(),
        outbound: hop.outbound.clone(),
        did: did(hop),
        route: hop.route.as_ref().map(route),
        rules: hop.rules.iter().map(|hit| met(hit, ports)).collect(),
        before: Addresses {
            flow: hop.before,
            ports,
        },
        after: Addresses {
            flow: hop.after,
            ports,
        },
    }
}

fn route(route: &HopRoute) -> String {
    let dst = match route.dst.prefix {
        0 => "default".to_owned(),
        _ => route.dst.to_string(),
    };
    let via = route.via.map_or(String::new(), |via| format!(" via {via}"));
    format!("{dst}{via}")
}

/// What a hop did with the packet.
fn did(hop: &Hop) -> String {
    let name = |link: &Option<Rc<str>>| link.clone().unwrap_or_else(|| "nowhere".into());
    let (inbound, outbound) = (name(&hop.inbound), name(&hop.outbound));
    match hop.verdict {
        Verdict::Sent => format!("sent by {outbound}"),
        Verdict::Forwarded => format!("forwarded from {inbound} to {outbound}"),
        Verdict::Bridged => format!("bridged from {inbound} to {outbound}"),
        Verdict::OnTheWire => format!("on the wire at {outbound}"),
        Verdict::Delivered => format!("delivered from {inbound}"),
        Verdict::AwaitsNeighbour => format!("asks on {outbound} who has the next address"),
        Verdict::Dropped(reason @ (DropReason::Filtered | DropReason::Rejected(_))) => {
            reason.to_string()
        }
        Verdict::Dropped(reason) => format!("dropped, {reason}"),
    }
}

fn met(hit: &RuleHit, ports: bool) -> Met {
    let RuleHit {
        table,
        chain,
        number,
        rule,
        before,
        after,
    } = hit;
    Met {
        table: *table,
        chain: chain.clone(),
        number: *number,
        text: rule
            .as_ref()
            .map(|rule| format!("-A {chain}{}", rule.text())),
        made: (before != after).then_some(Addresses {
            flow: *after,
            ports,
        }),
        writer: rule.as_ref().and_then(|rule| written_for(rule.text())),
    }
}

/// The object a rule was written for, as far as its comment names one: kube-proxy's do.
/// Models the comments of pkg/proxy/iptables/proxier.go.
fn written_for(rule: &str) -> Option<Writer> {
    let (_, rest) = rule.split_once("--comment ")?;
    let comment = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => rest.split(' ').next()?,
    };
    if comment.starts_with("kubernetes ") {
        return Some(Writer::EveryService);
    }
    let is_label = |text: &str| {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !text.is_empty() && text.chars().all(plain)
    };
    // A rule that leads to an endpoint names it, one that translates to it has it as its goal.
    let arrow = comment.split_once(" -> ").map(|(_, address)| address);
    let goal = rule.split_once("--to-destination ");
    let goal = goal.and_then(|(_, rest)| rest.split(' ').next());
    let endpoint = arrow.or(goal).and_then(|address| address.parse().ok());
    comment.split(' ').find_map(|word| {
        let (namespace, name) = word.split_once('/')?;
        let name = name.split(':').next()?;
        let named = is_label(namespace) && is_label(name);
        named.then(|| Writer::Service {
            namespace: namespace.into(),
            name: name.into(),
            endpoint,
        })
    })
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {}: {}", self.what, self.flow, self.end)?;
        for (at, station) in self.stations.iter().enumerate() {
            write!(f, "  {}. {station}", at + 1)?;
        }
        Ok(())
    }
}

impl fmt::Display for Station {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.machine_name)?;
        if !self.netns_name.is_empty() {
            write!(f, ", {}", self.netns_name)?;
        }
        writeln!(f, ": {}", self.did)?;
        if let Some(route) = &self.route {
            writeln!(f, "       route {route}")?;
        }
        for met in &self.rules {
            write!(f, "{met}")?;
        }
        if self.before != self.after {
            writeln!(f, "       {} becomes {}", self.before, self.after)?;
        }
        Ok(())
    }
}

impl fmt::Display for Met {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Met { table, chain, .. } = self;
        match &self.text {
            Some(text) => write!(f, "       {table} {chain} {}: {text}", self.number)?,
            None => write!(f, "       {table} {chain}: policy DROP")?,
        }
        if let Some(made) = &self.made {
            write!(f, " makes it {made}")?;
        }
        writeln!(f)?;
        match &self.writer {
            Some(writer) => writeln!(f, "         written for {writer}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Writer::EveryService => f.write_str("every Service, by kube-proxy"),
            Writer::Service {
                namespace,
                name,
                endpoint,
            } => {
                write!(f, "Service {namespace}/{name}")?;
                match endpoint {
                    Some(endpoint) => write!(f, ", endpoint {endpoint}"),
                    None => Ok(()),
                }
            }
        }
    }
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Flow { src, dst } = self.flow;
        match self.ports {
            true => self.flow.fmt(f),
            false => write!(f, "{} > {}", src.ip(), dst.ip()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(comment: &str, expected: Option<&str>) {
        let rule = format!(" -d 10.0.0.1/32 -m comment --comment {comment} -j X");
        let writer = written_for(&rule).map(|writer| writer.to_string());
        assert_eq!(writer.as_deref(), expected, "{comment}");
    }

    #[test]
    fn comments_name_services() {
        check(
            "\"default/web:http cluster IP\"",
            Some("Service default/web"),
        );
        check("default/web:http", Some("Service default/web"));
        check(
            "\"default/web:http -> 10.244.1.5:8080\"",
            Some("Service default/web, endpoint 10.244.1.5:8080"),
        );
        check(
            "\"masquerade traffic for a/b external destinations\"",
            Some("Service a/b"),
        );
        check(
            "\"kubernetes service portals\"",
            Some("every Service, by kube-proxy"),
        );
        check("\"way out/IN\"", None);
        check(
            "default/web -j DNAT --to-destination 10.244.1.5:80",
            Some("Service default/web, endpoint 10.244.1.5:80"),
        );
        assert_eq!(written_for(" -j ACCEPT"), None);
    }
}
