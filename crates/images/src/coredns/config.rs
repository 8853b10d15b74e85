//! What a Corefile comes to: servers with their plugins, in the order of CoreDNS' chain, not of the
//! file. Models the setup functions of coredns/plugin/*/setup.go.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use sim::Duration;

use super::corefile::{Directive, error, read};

/// Plugins of the image that are not modelled: named, and refused.
const OTHERS: [&str; 38] = [
    "root",
    "metadata",
    "geoip",
    "cancel",
    "tls",
    "timeouts",
    "multisocket",
    "quic",
    "grpc_server",
    "nomad",
    "bufsize",
    "bind",
    "debug",
    "trace",
    "local",
    "dnstap",
    "dns64",
    "acl",
    "any",
    "chaos",
    "tsig",
    "rewrite",
    "header",
    "minimal",
    "dnssec",
    "autopath",
    "template",
    "transfer",
    "route53",
    "azure",
    "clouddns",
    "k8s_external",
    "file",
    "auto",
    "secondary",
    "etcd",
    "grpc",
    "whoami",
];

/// A server: what it answers for, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Server {
    /// Small letters, without the dot at the end; empty for the root.
    pub(super) zone: Rc<str>,
    pub(super) port: u16,
    pub(super) errors: bool,
    pub(super) log: bool,
    pub(super) loops: bool,
    pub(super) balances: bool,
    pub(super) hosts: Option<Rc<Hosts>>,
    pub(super) kubernetes: Option<Rc<Kubernetes>>,
    pub(super) forward: Option<Rc<Forward>>,
    pub(super) cache: Option<Rc<Caching>>,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Config {
    pub(super) servers: Vec<Rc<Server>>,
    /// Port of the health page, and how long the server goes on after it was asked to end.
    pub(super) health: Option<(u16, Duration)>,
    pub(super) ready: Option<u16>,
    pub(super) prometheus: Option<u16>,
    pub(super) reload: bool,
}

/// Addresses of names, as `/etc/hosts` has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Hosts {
    pub(super) file: Option<Rc<str>>,
    pub(super) entries: Vec<(Ipv4Addr, Vec<String>)>,
    pub(super) ttl: u32,
    pub(super) fallthrough: bool,
}

/// Whether pods have names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Pods {
    #[default]
    Disabled,
    /// Any address has one.
    Insecure,
    /// Addresses of pods have one.
    Verified,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Kubernetes {
    pub(super) zones: Vec<Rc<str>>,
    pub(super) pods: Pods,
    pub(super) ttl: u32,
    /// For which zones the next plugin is asked if there is no such name; all if a zone is empty.
    pub(super) fallthrough: Vec<Rc<str>>,
    pub(super) endpoint_pod_names: bool,
    pub(super) namespaces: Vec<Rc<str>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Forward {
    pub(super) from: Rc<str>,
    pub(super) to: Vec<SocketAddrV4>,
    pub(super) except: Vec<Rc<str>>,
}

/// How long answers are kept, and for which zones they are not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Caching {
    pub(super) success: u32,
    pub(super) denial: u32,
    pub(super) no_success: Vec<Rc<str>>,
    pub(super) no_denial: Vec<Rc<str>>,
}

/// A zone as names are compared: small letters, no dot at the end.
pub(super) fn zone(text: &str) -> Rc<str> {
    text.trim_end_matches('.').to_ascii_lowercase().into()
}

/// Whether a folded name lies in a zone.
pub(super) fn within(name: &str, zone: &str) -> bool {
    zone.is_empty()
        || name
            .strip_suffix(zone)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

impl Config {
    /// Reads a Corefile; `files` reads what it names.
    ///
    /// # Errors
    /// In CoreDNS' words.
    pub(super) fn read(
        text: &str,
        files: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Config, String> {
        let mut config = Config::default();
        for block in read(text)? {
            let mut server = Server::default();
            let zones: Vec<(Rc<str>, u16)> = block.keys.iter().map(|key| key_of(key)).collect();
            for directive in &block.directives {
                config.directive(&mut server, &zones, directive, files)?;
            }
            for (zone, port) in zones {
                let mut own = server.clone();
                (own.zone, own.port) = (zone, port);
                config.servers.push(Rc::new(own));
            }
        }
        Ok(config)
    }

    fn directive(
        &mut self,
        server: &mut Server,
        zones: &[(Rc<str>, u16)],
        directive: &Directive,
        files: &dyn Fn(&str) -> Option<String>,
    ) -> Result<(), String> {
        let args = &directive.words[1..];
        let port = |args: &[Rc<str>], otherwise: u16| {
            let port = args
                .first()
                .and_then(|arg| arg.rsplit(':').next()?.parse().ok());
            port.unwrap_or(otherwise)
        };
        match &*directive.words[0] {
            "errors" => server.errors = true,
            "log" => server.log = true,
            "loop" => server.loops = true,
            "loadbalance" => server.balances = true,
            "reload" => self.reload = true,
            "ready" => self.ready = Some(port(args, 8181)),
            "prometheus" => self.prometheus = Some(port(args, 9153)),
            "health" => {
                let lameduck = directive.block.iter().find(|l| &*l.words[0] == "lameduck");
                let lameduck = lameduck.and_then(|l| duration(l.words.get(1)?));
                self.health = Some((port(args, 8080), lameduck.unwrap_or(Duration::ZERO)));
            }
            "hosts" => server.hosts = Some(Rc::new(hosts(directive)?)),
            "kubernetes" => server.kubernetes = Some(Rc::new(kubernetes(directive, zones)?)),
            "forward" => server.forward = Some(Rc::new(forward(directive, files)?)),
            "cache" => server.cache = Some(Rc::new(cache(directive)?)),
            known if OTHERS.contains(&known) => {
                let what = sim::unmodelled!("this plugin of CoreDNS");
                return Err(error(directive.line, &format!("{what}: {known}")));
            }
            unknown => {
                let what = format!("Unknown directive '{unknown}'");
                return Err(error(directive.line, &what));
            }
        }
        Ok(())
    }
}

fn key_of(key: &str) -> (Rc<str>, u16) {
    let key = key.strip_prefix("dns://").unwrap_or(key);
    let port = key
        .rsplit_once(':')
        .and_then(|(name, port)| Some((name, port.parse().ok()?)));
    let (name, port) = port.unwrap_or((key, net::dns::PORT));
    (zone(name), port)
}

/// `30`, `5s`, `1m`.
fn duration(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().ok()?;
    match &text[digits.len()..] {
        "" | "s" => Some(Duration::from_secs(number)),
        "ms" => Some(Duration::from_millis(number)),
        "m" => Some(Duration::from_secs(number * 60)),
        "h" => Some(Duration::from_secs(number * 3600)),
        _ => None,
    }
}

fn unknown(plugin: &str, line: &Directive) -> String {
    let what = error(line.line, &format!("unknown property '{}'", line.words[0]));
    format!("plugin/{plugin}: {what}")
}

fn hosts(directive: &Directive) -> Result<Hosts, String> {
    let mut hosts = Hosts {
        file: directive.words.get(1).cloned(),
        ttl: 3600,
        ..Hosts::default()
    };
    for line in &directive.block {
        match (&*line.words[0], line.words[0].parse::<Ipv4Addr>()) {
            (_, Ok(ip)) => {
                let names = line.words[1..].iter().map(|name| zone(name).to_string());
                hosts.entries.push((ip, names.collect()));
            }
            ("fallthrough", _) => hosts.fallthrough = true,
            ("no_reverse" | "reload", _) => {}
            ("ttl", _) => {
                let ttl = line.words.get(1).and_then(|ttl| ttl.parse().ok());
                hosts.ttl = ttl.unwrap_or(hosts.ttl);
            }
            _ => return Err(unknown("hosts", line)),
        }
    }
    if hosts.file.is_none() && hosts.entries.is_empty() {
        hosts.file = Some("/etc/hosts".into());
    }
    Ok(hosts)
}

fn kubernetes(directive: &Directive, zones: &[(Rc<str>, u16)]) -> Result<Kubernetes, String> {
    let mut found = Kubernetes {
        zones: directive.words[1..].iter().map(|word| zone(word)).collect(),
        ttl: 5,
        ..Kubernetes::default()
    };
    if found.zones.is_empty() {
        found.zones = zones.iter().map(|(zone, _)| zone.clone()).collect();
    }
    for line in &directive.block {
        let args = &line.words[1..];
        let first = args.first().map_or("", |arg| &**arg);
        match &*line.words[0] {
            "pods" => {
                found.pods = match first {
                    "disabled" => Pods::Disabled,
                    "insecure" => Pods::Insecure,
                    "verified" => Pods::Verified,
                    other => {
                        let what = format!(
                            "wrong value for pods: {other},  must be one of: disabled, verified, \
                             insecure"
                        );
                        return Err(format!("plugin/kubernetes: {what}"));
                    }
                };
            }
            "fallthrough" if args.is_empty() => found.fallthrough = vec!["".into()],
            "fallthrough" => found.fallthrough = args.iter().map(|arg| zone(arg)).collect(),
            "ttl" => match first.parse() {
                Ok(ttl @ 0..=3600) => found.ttl = ttl,
                _ => {
                    let what = format!("ttl must be in range [0, 3600]: {first}");
                    return Err(format!("plugin/kubernetes: {}", error(line.line, &what)));
                }
            },
            "endpoint_pod_names" => found.endpoint_pod_names = true,
            "namespaces" => found.namespaces = args.to_vec(),
            // How the API is reached: as the pod's service account, always.
            "upstream" | "resyncperiod" => {}
            _ => return Err(unknown("kubernetes", line)),
        }
    }
    Ok(found)
}

fn forward(
    directive: &Directive,
    files: &dyn Fn(&str) -> Option<String>,
) -> Result<Forward, String> {
    let count = || {
        let last = directive.words.last().map_or("", |word| &**word);
        let what = format!("Wrong argument count or unexpected line ending after '{last}'");
        format!("plugin/forward: {}", error(directive.line, &what))
    };
    let (from, to) = directive.words[1..].split_first().ok_or_else(count)?;
    if to.is_empty() {
        return Err(count());
    }
    let mut found = Forward {
        from: zone(from),
        ..Forward::default()
    };
    for word in to {
        if let Some(addr) = server(word) {
            found.to.push(addr);
            continue;
        }
        let text = files(word)
            .ok_or_else(|| format!("plugin/forward: not an IP address or file: {word:?}"))?;
        let lines = text
            .lines()
            .filter_map(|line| line.strip_prefix("nameserver "));
        found
            .to
            .extend(lines.filter_map(|line| server(line.trim())));
    }
    if found.to.is_empty() {
        return Err("plugin/forward: no nameservers found".to_owned());
    }
    for line in &directive.block {
        match &*line.words[0] {
            "except" => found
                .except
                .extend(line.words[1..].iter().map(|word| zone(word))),
            // How many, how often, in which order: nothing that shows with few questions.
            "max_concurrent" | "max_fails" | "policy" | "expire" | "health_check"
            | "prefer_udp" | "max_idle_conns" | "failover" | "next" => {}
            "force_tcp" | "tls" | "tls_servername" => {
                let what = sim::unmodelled!("CoreDNS forwarding over TCP or TLS");
                return Err(format!(
                    "plugin/forward: {}",
                    error(line.line, &what.to_string())
                ));
            }
            _ => return Err(unknown("forward", line)),
        }
    }
    Ok(found)
}

fn server(word: &str) -> Option<SocketAddrV4> {
    let word = word.strip_prefix("dns://").unwrap_or(word);
    let alone = || Some(SocketAddrV4::new(word.parse().ok()?, net::dns::PORT));
    word.parse().ok().or_else(alone)
}

fn cache(directive: &Directive) -> Result<Caching, String> {
    let most = directive.words.get(1).and_then(|word| word.parse().ok());
    let mut found = Caching {
        success: most.unwrap_or(3600),
        denial: most.unwrap_or(1800).min(1800),
        ..Caching::default()
    };
    for line in &directive.block {
        let words: BTreeMap<usize, &str> = (0..).zip(line.words.iter().map(|w| &**w)).collect();
        let number = |at: usize| words.get(&at).and_then(|word| word.parse().ok());
        match (words[&0], words.get(&1).copied().unwrap_or_default()) {
            ("success", _) => found.success = number(2).unwrap_or(found.success),
            ("denial", _) => found.denial = number(2).unwrap_or(found.denial),
            ("disable", what) => {
                let named: Vec<Rc<str>> = line.words.iter().skip(2).map(|w| zone(w)).collect();
                let zones = if named.is_empty() {
                    vec!["".into()]
                } else {
                    named
                };
                match what {
                    "success" => found.no_success = zones,
                    "denial" => found.no_denial = zones,
                    _ => return Err(unknown("cache", line)),
                }
            }
            ("prefetch" | "serve_stale" | "servfail" | "keepttl", _) => {}
            _ => return Err(unknown("cache", line)),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KUBEADM: &str = ".:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30 {
       disable success cluster.local
       disable denial cluster.local
    }
    loop
    reload
    loadbalance
}
";

    fn config(text: &str) -> Result<Config, String> {
        Config::read(text, &|path| {
            (path == "/etc/resolv.conf").then(|| "nameserver 172.30.0.1\n".to_owned())
        })
    }

    #[test]
    fn the_corefile_of_kubeadm_is_understood() {
        let config = config(KUBEADM).expect("it can be read");
        assert_eq!(config.health, Some((8080, Duration::from_secs(5))));
        assert_eq!((config.ready, config.prometheus), (Some(8181), Some(9153)));
        assert!(config.reload);
        let server = &config.servers[0];
        assert_eq!((&*server.zone, server.port), ("", 53));
        assert!(server.errors && server.loops && server.balances && !server.log);
        let kubernetes = server.kubernetes.as_ref().expect("the plugin");
        assert_eq!((kubernetes.pods, kubernetes.ttl), (Pods::Insecure, 30));
        assert_eq!(kubernetes.zones.len(), 3);
        let forward = server.forward.as_ref().expect("the plugin");
        assert_eq!(forward.to, ["172.30.0.1:53".parse().unwrap()]);
        let cache = server.cache.as_ref().expect("the plugin");
        assert_eq!((cache.success, cache.denial), (30, 30));
        assert_eq!(cache.no_denial, ["cluster.local".into()]);
    }

    #[track_caller]
    fn check(body: &str, expect: &str) {
        let text = format!(".:53 {{\n    {body}\n}}\n");
        assert_eq!(config(&text).unwrap_err(), expect);
    }

    #[test]
    fn what_is_wrong_is_told_in_coredns_words() {
        check(
            "kubernets cluster.local",
            "/etc/coredns/Corefile:2 - Error during parsing: Unknown directive 'kubernets'",
        );
        check(
            "kubernetes cluster.local {\n  nonsense\n}",
            "plugin/kubernetes: /etc/coredns/Corefile:3 - Error during parsing: unknown property \
             'nonsense'",
        );
        check(
            "forward .",
            "plugin/forward: /etc/coredns/Corefile:2 - Error during parsing: Wrong argument count \
             or unexpected line ending after '.'",
        );
        check(
            "forward . nonsense",
            "plugin/forward: not an IP address or file: \"nonsense\"",
        );
    }

    #[test]
    fn names_lie_in_zones() {
        assert!(within("web.cluster.local", "cluster.local"));
        assert!(within("cluster.local", "cluster.local") && within("a", ""));
        assert!(!within("mycluster.local", "cluster.local"));
    }
}
