//! Names of the cluster: Services, their endpoints, pods. Knows objects and questions, and nothing
//! of sockets.
//! Models coredns/plugin/kubernetes (parse.go, kubernetes.go, reverse.go, ns.go) and
//! coredns/plugin/backend_lookup.go.

use std::net::Ipv4Addr;

use api::Value;
use client::{Cache, Index, Key};
use net::dns::{Data, Name, Rcode, Record, RecordType, Soa};

use super::config::{Kubernetes, Pods, within};

/// The label that ties a slice to its Service.
pub(super) const SERVICE_NAME: &str = "kubernetes.io/service-name";
/// What the plugin says of the schema it follows.
const DNS_VERSION: &str = "1.1.0";

/// What is known of the cluster.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) services: &'a Cache,
    pub(super) slices: &'a Cache,
    pub(super) namespaces: &'a Cache,
    pub(super) pods: &'a Cache,
    /// When anything of it changed last, in seconds: the zone's serial number.
    pub(super) serial: u32,
    pub(super) synced: bool,
}

/// An answer's records, or who is to be asked next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Answer {
        rcode: Rcode,
        answers: Vec<Record>,
        authority: Vec<Record>,
        additional: Vec<Record>,
    },
    /// The proper name lies elsewhere and is to be looked up.
    Elsewhere(Record, Name),
    /// Another plugin may know.
    Next,
}

/// One thing a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    host: Host,
    port: u16,
    /// The name that stands for it alone.
    own_name: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Ip(Ipv4Addr),
    Name(String),
}

/// Nothing has that name.
struct NoItems;

/// A question of one zone.
struct Lookup<'a> {
    config: &'a Kubernetes,
    known: Known<'a>,
    zone: &'a str,
}

/// Answers a question, if its name lies in one of the plugin's zones.
pub(super) fn answer(
    config: &Kubernetes,
    known: Known<'_>,
    name: &Name,
    qtype: RecordType,
) -> Found {
    let folded = name.folded();
    let zones = config.zones.iter().filter(|zone| within(&folded, zone));
    let Some(zone) = zones.max_by_key(|zone| zone.len()) else {
        return Found::Next;
    };
    let lookup = Lookup {
        config,
        known,
        zone,
    };
    lookup.answer(name, &folded, qtype)
}

impl Lookup<'_> {
    fn answer(&self, name: &Name, folded: &str, qtype: RecordType) -> Found {
        let record = |data: Data| Record::new(name.clone(), self.config.ttl, data);
        if let Some(ip) = reverse(folded) {
            let names = self.names_of(ip);
            let answers = names
                .iter()
                .filter_map(|name| Some(record(Data::Ptr(name.parse().ok()?))));
            let answers: Vec<Record> = answers.collect();
            return match (answers.is_empty(), qtype) {
                (true, _) => self.nothing(folded),
                (false, RecordType::PTR | RecordType::ANY) => found(answers, Vec::new()),
                (false, _) => self.no_data(),
            };
        }
        if folded == self.zone {
            return self.apex(name, qtype);
        }
        if folded.strip_suffix(self.zone) == Some("dns-version.") && qtype == RecordType::TXT {
            let text = Data::Txt(vec![DNS_VERSION.as_bytes().into()]);
            return found(vec![record(text)], Vec::new());
        }
        if folded.strip_suffix(self.zone) == Some("ns.dns.") {
            return self.name_server(name, qtype);
        }
        let rest = folded.strip_suffix(self.zone).unwrap_or_default();
        let Ok(entries) = self.entries(rest.trim_end_matches('.')) else {
            return self.nothing(folded);
        };
        if let [
            Entry {
                host: Host::Name(host),
                ..
            },
        ] = &entries[..]
            && let Ok(target) = host.parse::<Name>()
        {
            return match qtype {
                RecordType::CNAME => found(vec![record(Data::Cname(target))], Vec::new()),
                RecordType::A | RecordType::AAAA => {
                    Found::Elsewhere(record(Data::Cname(target.clone())), target)
                }
                _ => self.no_data(),
            };
        }
        let (answers, additional) = match qtype {
            RecordType::A => (
                addresses(&entries).map(|ip| record(Data::A(ip))).collect(),
                Vec::new(),
            ),
            RecordType::SRV => self.services(name, &entries),
            _ => (Vec::new(), Vec::new()),
        };
        match answers.is_empty() {
            true => self.no_data(),
            false => found(answers, additional),
        }
    }

    /// The zone's own name.
    fn apex(&self, name: &Name, qtype: RecordType) -> Found {
        match qtype {
            RecordType::SOA => found(self.soa(), Vec::new()),
            RecordType::NS => {
                let server = format!("ns.dns.{}", self.zone);
                let Ok(server) = server.parse::<Name>() else {
                    return self.no_data();
                };
                let record = |name: &Name, data| Record::new(name.clone(), self.config.ttl, data);
                let ips = self.own_addresses();
                let additional = ips.iter().map(|ip| record(&server, Data::A(*ip))).collect();
                found(vec![record(name, Data::Ns(server.clone()))], additional)
            }
            _ => self.no_data(),
        }
    }

    fn name_server(&self, name: &Name, qtype: RecordType) -> Found {
        let record = |ip: &Ipv4Addr| Record::new(name.clone(), self.config.ttl, Data::A(*ip));
        match qtype {
            RecordType::A => found(
                self.own_addresses().iter().map(record).collect(),
                Vec::new(),
            ),
            _ => self.no_data(),
        }
    }

    /// Where the name server itself is reached.
    fn own_addresses(&self) -> Vec<Ipv4Addr> {
        let service = self.known.services.named("kube-system", "kube-dns");
        let ip = service.and_then(|service| service.str_at("spec.clusterIP").parse().ok());
        ip.into_iter().collect()
    }

    /// What a name below the zone stands for.
    fn entries(&self, rest: &str) -> Result<Vec<Entry>, NoItems> {
        let mut words: Vec<&str> = rest.split('.').collect();
        let kind = words.pop().unwrap_or_default();
        if !matches!(kind, "svc" | "pod") {
            return Err(NoItems);
        }
        let Some(namespace) = words.pop() else {
            return Ok(Vec::new());
        };
        let exposed = &self.config.namespaces;
        let is_exposed = exposed.is_empty() || exposed.iter().any(|one| &**one == namespace);
        let there = self.known.namespaces.named("", namespace).is_some();
        if !is_exposed || !there {
            return Err(NoItems);
        }
        let Some(name) = words.pop() else {
            return Ok(Vec::new());
        };
        match kind {
            "pod" if words.is_empty() => self.pod(namespace, name).map(|entry| vec![entry]),
            "svc" => self.service(namespace, name, &words),
            _ => Err(NoItems),
        }
    }

    fn pod(&self, namespace: &str, name: &str) -> Result<Entry, NoItems> {
        let ip: Ipv4Addr = name.replace('-', ".").parse().map_err(|_| NoItems)?;
        let text = ip.to_string();
        let is_pods = || {
            let mut pods = self.known.pods.in_namespace(namespace);
            pods.any(|(_, pod)| pod.str_at("status.podIP") == text)
        };
        match self.config.pods {
            Pods::Insecure => {}
            Pods::Verified if is_pods() => {}
            _ => return Err(NoItems),
        }
        Ok(Entry {
            host: Host::Ip(ip),
            port: 0,
            own_name: format!("{name}.{namespace}.pod.{}", self.zone),
        })
    }

    /// `before` stands in front of the Service's name: an endpoint, or protocol and port.
    fn service(&self, namespace: &str, name: &str, before: &[&str]) -> Result<Vec<Entry>, NoItems> {
        let service = self.known.services.named(namespace, name).ok_or(NoItems)?;
        let base = format!("{name}.{namespace}.svc.{}", self.zone);
        let (endpoint, port, protocol) = match before {
            [] => ("", "", ""),
            [endpoint] => (*endpoint, "", ""),
            [port, protocol] => ("", under(port), under(protocol)),
            _ => return Err(NoItems),
        };
        let matches = |entry: &Value| {
            let of = match entry.str("protocol") {
                "" => "tcp".to_owned(),
                protocol => protocol.to_ascii_lowercase(),
            };
            (port.is_empty() || port == entry.str("name"))
                && (protocol.is_empty() || protocol == of)
        };
        let number = |port: &Value| {
            let number = port.get("port").as_i64().unwrap_or(0);
            u16::try_from(number).unwrap_or(0)
        };
        if service.str_at("spec.type") == "ExternalName" {
            let host = service.str_at("spec.externalName");
            return match endpoint.is_empty() && port.is_empty() {
                true => Ok(vec![Entry {
                    host: Host::Name(host.to_owned()),
                    port: 0,
                    own_name: base,
                }]),
                false => Err(NoItems),
            };
        }
        let mut found = Vec::new();
        let cluster_ip = service.str_at("spec.clusterIP");
        if cluster_ip == "None" || !endpoint.is_empty() {
            for slice in self.slices(namespace, name) {
                let ports = slice.get("ports").list();
                for (ip, host) in self.endpoints(slice) {
                    if !endpoint.is_empty() && endpoint != host {
                        continue;
                    }
                    // Endpoints without a port have addresses all the same.
                    let own_name = format!("{host}.{base}");
                    let entry = |port| Entry {
                        host: Host::Ip(ip),
                        port,
                        own_name: own_name.clone(),
                    };
                    if ports.is_empty() && port.is_empty() {
                        found.push(entry(0));
                    }
                    found.extend(
                        ports
                            .iter()
                            .filter(|p| matches(p))
                            .map(|p| entry(number(p))),
                    );
                }
            }
        } else if let Ok(ip) = cluster_ip.parse() {
            let ports = service.list_at("spec.ports").iter();
            found.extend(ports.filter(|port| matches(port)).map(|port| Entry {
                host: Host::Ip(ip),
                port: number(port),
                own_name: base.clone(),
            }));
        }
        match found.is_empty() {
            true => Err(NoItems),
            false => Ok(found),
        }
    }

    fn slices<'s>(&'s self, namespace: &'s str, name: &'s str) -> impl Iterator<Item = &'s Value> {
        let slices = self.known.slices.by(Index::Label(SERVICE_NAME), name);
        slices.filter(move |slice| slice.namespace() == namespace)
    }

    /// Addresses and host names of a slice's ready endpoints.
    fn endpoints(&self, slice: &Value) -> Vec<(Ipv4Addr, String)> {
        let mut found = Vec::new();
        for endpoint in slice.get("endpoints").list() {
            if endpoint.at("conditions.ready").as_bool() == Some(false) {
                continue;
            }
            let target = endpoint.str_at("targetRef.name");
            for ip in endpoint.get("addresses").list() {
                let Ok(address) = ip.as_str().parse() else {
                    continue;
                };
                let host = match endpoint.str("hostname") {
                    "" if self.config.endpoint_pod_names && !target.is_empty() => target.to_owned(),
                    "" => ip.as_str().replace('.', "-"),
                    hostname => hostname.to_owned(),
                };
                found.push((address, host));
            }
        }
        found
    }

    /// SRV records, and the addresses of what they name.
    fn services(&self, name: &Name, entries: &[Entry]) -> (Vec<Record>, Vec<Record>) {
        let (mut answers, mut additional) = (Vec::new(), Vec::new());
        let weight = 100 / u16::try_from(entries.len().max(1)).unwrap_or(100);
        for entry in entries {
            let (Ok(target), Host::Ip(ip)) = (entry.own_name.parse::<Name>(), &entry.host) else {
                continue;
            };
            let data = Data::Srv {
                priority: 0,
                weight,
                port: entry.port,
                target: target.clone(),
            };
            let record = Record::new(name.clone(), self.config.ttl, data);
            if !answers.contains(&record) {
                answers.push(record);
            }
            let record = Record::new(target, self.config.ttl, Data::A(*ip));
            if !additional.contains(&record) {
                additional.push(record);
            }
        }
        (answers, additional)
    }

    /// The names of an address: a Service's, or those of endpoints.
    fn names_of(&self, ip: Ipv4Addr) -> Vec<String> {
        let text = ip.to_string();
        let main = self
            .config
            .zones
            .iter()
            .find(|zone| !zone.ends_with(".arpa"));
        let zone = main.map_or("cluster.local", |zone| &**zone);
        let named = |key: &Key| format!("{}.{}.svc.{zone}", key.name, key.namespace);
        let mut services = self.known.services.iter();
        if let Some((key, _)) = services.find(|(_, s)| s.str_at("spec.clusterIP") == text) {
            return vec![named(key)];
        }
        let mut found = Vec::new();
        for (key, slice) in self.known.slices.iter() {
            let service = Key::new(&key.namespace, slice.label(SERVICE_NAME));
            let own = self
                .endpoints(slice)
                .into_iter()
                .filter(|(own, _)| *own == ip);
            found.extend(own.map(|(_, host)| format!("{host}.{}", named(&service))));
        }
        found
    }

    fn soa(&self) -> Vec<Record> {
        let ttl = self.config.ttl;
        let below = |label: &str| format!("{label}.{}", self.zone).parse::<Name>();
        let (Ok(zone), Ok(primary), Ok(mailbox)) =
            (self.zone.parse(), below("ns.dns"), below("hostmaster"))
        else {
            return Vec::new();
        };
        let soa = Soa {
            primary,
            mailbox,
            serial: self.known.serial,
            refresh: 7200,
            retry: 1800,
            expire: 86400,
            minimum: ttl,
        };
        vec![Record::new(zone, ttl, Data::Soa(soa))]
    }

    fn no_data(&self) -> Found {
        self.without(Rcode::NOERROR)
    }

    fn nothing(&self, folded: &str) -> Found {
        if self
            .config
            .fallthrough
            .iter()
            .any(|zone| within(folded, zone))
        {
            return Found::Next;
        }
        match self.known.synced {
            true => self.without(Rcode::NXDOMAIN),
            false => self.without(Rcode::SERVFAIL),
        }
    }

    fn without(&self, rcode: Rcode) -> Found {
        Found::Answer {
            rcode,
            answers: Vec::new(),
            authority: self.soa(),
            additional: Vec::new(),
        }
    }
}

fn found(answers: Vec<Record>, additional: Vec<Record>) -> Found {
    Found::Answer {
        rcode: Rcode::NOERROR,
        answers,
        authority: Vec::new(),
        additional,
    }
}

/// The different addresses, in order.
fn addresses(entries: &[Entry]) -> impl Iterator<Item = Ipv4Addr> {
    let mut all: Vec<Ipv4Addr> = Vec::new();
    for entry in entries {
        if let Host::Ip(ip) = entry.host
            && !all.contains(&ip)
        {
            all.push(ip);
        }
    }
    all.into_iter()
}

/// `_tcp` without its underscore.
fn under(word: &str) -> &str {
    word.strip_prefix('_').unwrap_or(word)
}

/// The address a name of `in-addr.arpa` stands for.
pub(super) fn reverse(folded: &str) -> Option<Ipv4Addr> {
    let digits = folded.strip_suffix(".in-addr.arpa")?;
    let mut bytes: Vec<&str> = digits.split('.').collect();
    bytes.reverse();
    bytes.join(".").parse().ok()
}

#[cfg(test)]
#[path = "kubernetes_tests.rs"]
mod tests;
