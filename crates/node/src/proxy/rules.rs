//! The rules of one service port: its lines in the chains all Services share, and its own chains.
//! Models the loop of syncProxyRules and writeServiceToEndpointRules of
//! pkg/proxy/iptables/proxier.go.

use std::collections::BTreeMap;
use std::fmt::Display;

use api::Str;

use super::batch::Chain;
use super::endpoint::Endpoint;
use super::names::{self, MARK_MASQ};
use super::probability;
use super::service::ServicePort;
use super::settings::Settings;
use super::topology::{self, Place, Usable};

/// A chain all Services have lines in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Common {
    FilterServices,
    FilterExternal,
    FilterNodePorts,
    FilterFirewall,
    NatServices,
    NatNodePorts,
}

impl Common {
    pub(super) const ALL: [Common; 6] = [
        Common::FilterServices,
        Common::FilterExternal,
        Common::FilterNodePorts,
        Common::FilterFirewall,
        Common::NatServices,
        Common::NatNodePorts,
    ];

    pub(super) fn chain(self) -> &'static str {
        match self {
            Common::FilterServices | Common::NatServices => names::SERVICES,
            Common::FilterExternal => names::EXTERNAL_SERVICES,
            Common::FilterNodePorts | Common::NatNodePorts => names::NODEPORTS,
            Common::FilterFirewall => names::PROXY_FIREWALL,
        }
    }

    pub(super) fn is_nat(self) -> bool {
        matches!(self, Common::NatServices | Common::NatNodePorts)
    }
}

/// All rules of a service port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PortRules {
    /// Its lines in each of [`Common::ALL`].
    pub(super) common: [Vec<Str>; 6],
    /// Its own chains, all of table nat.
    pub(super) chains: Vec<Chain>,
    /// Endpoints it was built from, usable or not.
    pub(super) endpoints: usize,
    /// Whether the rules were left without comments, there being so many.
    pub(super) terse: bool,
}

impl PortRules {
    fn push(&mut self, to: Common, rule: impl Display) {
        let line = format!("-A {} {rule}", to.chain());
        self.common[to as usize].push(line.into());
    }
}

/// Builds the rules of a service port.
pub(super) fn build(
    settings: &Settings,
    place: &Place<'_>,
    port: &ServicePort,
    endpoints: &[Endpoint],
    terse: bool,
) -> PortRules {
    let mut rules = PortRules {
        endpoints: endpoints.len(),
        terse,
        ..PortRules::default()
    };
    let usable = topology::usable(port, endpoints, place);
    let named = |endpoint: &&'_ Endpoint| {
        let chain = names::endpoint_chain(&port.name, &port.protocol, &endpoint.address);
        (endpoint.address.clone(), chain)
    };
    let builder = Builder {
        settings,
        port,
        endpoint_chains: usable.reachable.iter().map(named).collect(),
        usable,
        terse,
    };
    builder.internal(&mut rules);
    builder.external(&mut rules);
    builder.node_port(&mut rules);
    rules.chains = builder.chains();
    rules
}

struct Builder<'a> {
    settings: &'a Settings,
    port: &'a ServicePort,
    usable: Usable<'a>,
    /// The chain of each endpoint within reach, by its address.
    endpoint_chains: BTreeMap<Str, Str>,
    terse: bool,
}

impl Builder<'_> {
    fn any(&self) -> bool {
        self.usable.any
    }

    /// Whether traffic of a policy finds an endpoint.
    fn finds(&self, local: bool) -> bool {
        self.any() && !(local && self.usable.local.is_empty())
    }

    /// The chain of endpoints for a policy.
    fn policy_chain(&self, local: bool) -> &Str {
        match local {
            true => &self.port.chains.local,
            false => &self.port.chains.cluster,
        }
    }

    fn uses_firewall(&self) -> bool {
        let port = self.port;
        self.any()
            && !port.load_balancer_vips.is_empty()
            && !port.load_balancer_source_ranges.is_empty()
    }

    /// `-d IP/32 -p tcp -m comment --comment "…" -m tcp --dport 80`
    fn to(&self, ip: impl Display, comment: impl Display) -> String {
        let (protocol, port) = (&self.port.protocol, self.port.port);
        format!(
            "-d {ip}/32 -p {protocol} -m comment --comment \"{comment}\" \
             -m {protocol} --dport {port}"
        )
    }

    fn to_cluster_ip(&self) -> String {
        let comment = format!("{} cluster IP", self.port.name);
        self.to(self.port.cluster_ip, comment)
    }

    /// What becomes of packets that find no endpoint, and the comment that says why: refused if
    /// there is none anywhere, dropped if only this machine has none.
    fn no_endpoints(&self) -> (String, &'static str) {
        let name = &self.port.name;
        match self.any() {
            true => (format!("{name} has no local endpoints"), "DROP"),
            false => (
                format!("{name} has no endpoints"),
                "REJECT --reject-with icmp-port-unreachable",
            ),
        }
    }

    fn internal(&self, rules: &mut PortRules) {
        let local = self.port.internal_policy_local;
        if self.finds(local) {
            let rule = format!("{} -j {}", self.to_cluster_ip(), self.policy_chain(local));
            rules.push(Common::NatServices, rule);
        } else {
            let (why, target) = self.no_endpoints();
            let rule = format!("{} -j {target}", self.to(self.port.cluster_ip, why));
            rules.push(Common::FilterServices, rule);
        }
    }

    fn external(&self, rules: &mut PortRules) {
        let port = self.port;
        let finds = self.finds(port.external_policy_local);
        let refuse = |rules: &mut PortRules, ip| {
            let (why, target) = self.no_endpoints();
            rules.push(
                Common::FilterExternal,
                format!("{} -j {target}", self.to(ip, why)),
            );
        };
        for ip in &port.external_ips {
            if self.any() {
                let to = self.to(ip, format!("{} external IP", port.name));
                rules.push(
                    Common::NatServices,
                    format!("{to} -j {}", port.chains.external),
                );
            }
            if !finds {
                refuse(rules, ip);
            }
        }
        for ip in &port.load_balancer_vips {
            if self.any() {
                let to = self.to(ip, format!("{} loadbalancer IP", port.name));
                let chain = match self.uses_firewall() {
                    true => &port.chains.firewall,
                    false => &port.chains.external,
                };
                rules.push(Common::NatServices, format!("{to} -j {chain}"));
            }
            if self.uses_firewall() {
                let (name, chain) = (&port.name, &port.chains.firewall);
                let to = self.to(ip, format!("{name} traffic not accepted by {chain}"));
                rules.push(Common::FilterFirewall, format!("{to} -j DROP"));
            }
            if !finds {
                refuse(rules, ip);
            }
        }
    }

    fn node_port(&self, rules: &mut PortRules) {
        let port = self.port;
        let (name, protocol, number) = (&port.name, &port.protocol, port.node_port);
        if number != 0 && self.any() {
            let to = format!(
                "-p {protocol} -m comment --comment \"{name}\" -m {protocol} --dport {number}"
            );
            let chain = &port.chains.external;
            if self.settings.localhost_node_ports {
                // Counts who still uses this way in.
                rules.push(
                    Common::NatNodePorts,
                    format!(
                        "-d 127.0.0.0/8 {to} \
                         -m nfacct --nfacct-name  localhost_nps_accepted_pkts -j {chain}"
                    ),
                );
            }
            rules.push(Common::NatNodePorts, format!("{to} -j {chain}"));
        }
        if number != 0 && !self.finds(port.external_policy_local) {
            let (why, target) = self.no_endpoints();
            rules.push(
                Common::FilterExternal,
                format!(
                    "-p {protocol} -m comment --comment \"{why}\" -m addrtype --dst-type LOCAL \
                     -m {protocol} --dport {number} -j {target}"
                ),
            );
        }
        if port.health_check_node_port != 0 {
            rules.push(
                Common::FilterNodePorts,
                format!(
                    "-p tcp -m comment --comment \"{name} health check node port\" \
                     -m tcp --dport {} -j ACCEPT",
                    port.health_check_node_port
                ),
            );
        }
    }

    fn chains(&self) -> Vec<Chain> {
        let port = self.port;
        let mut chains = Vec::new();
        if self.any() && port.externally_accessible() {
            chains.push(self.external_chain());
        }
        if self.uses_firewall() {
            chains.push(self.firewall_chain());
        }
        if port.uses_cluster_endpoints() && !self.usable.cluster.is_empty() {
            chains.push(self.policy(false));
        }
        if port.uses_local_endpoints() && !self.usable.local.is_empty() {
            chains.push(self.policy(true));
        }
        let endpoints = self.usable.reachable.iter();
        chains.extend(endpoints.map(|endpoint| self.endpoint_chain(endpoint)));
        chains
    }

    /// Traffic from outside, whichever way in it took.
    fn external_chain(&self) -> Chain {
        let port = self.port;
        let (name, cluster) = (&port.name, &port.chains.cluster);
        let mut rules = Vec::new();
        if !port.external_policy_local {
            // The endpoint may be on another machine, whose answer has to come back through here.
            rules.push(format!(
                "-m comment --comment \"masquerade traffic for {name} external destinations\" \
                 -j {MARK_MASQ}"
            ));
        } else {
            // Pods and the machine itself need not keep to the endpoints here: for them it is as if
            // they had gone out to the load balancer and come back in.
            if let Some(cidr) = self.settings.cluster_cidr {
                rules.push(format!(
                    "-s {cidr} -m comment --comment \"pod traffic for {name} external \
                     destinations\" -j {cluster}"
                ));
            }
            rules.push(format!(
                "-m comment --comment \"masquerade LOCAL traffic for {name} external \
                 destinations\" -m addrtype --src-type LOCAL -j {MARK_MASQ}"
            ));
            rules.push(format!(
                "-m comment --comment \"route LOCAL traffic for {name} external destinations\" \
                 -m addrtype --src-type LOCAL -j {cluster}"
            ));
        }
        if self.finds(port.external_policy_local) {
            let chain = self.policy_chain(port.external_policy_local);
            rules.push(format!("-j {chain}"));
        }
        Chain::of(&port.chains.external, rules)
    }

    /// Who may use the load balancer; who gets to its end was not let through.
    fn firewall_chain(&self) -> Chain {
        let port = self.port;
        let (name, external) = (&port.name, &port.chains.external);
        let comment = format!("-m comment --comment \"{name} loadbalancer IP\"");
        let ranges = &port.load_balancer_source_ranges;
        let mut rules: Vec<String> = ranges
            .iter()
            .map(|range| match range.prefix {
                0 => format!("{comment} -j {external}"),
                _ => format!("-s {range} {comment} -j {external}"),
            })
            .collect();
        if ranges.iter().any(|r| r.contains(self.settings.node_ip)) {
            // What this machine sends to the load balancer's address carries it as its source.
            let vips = port.load_balancer_vips.iter();
            rules.extend(vips.map(|ip| format!("-s {ip}/32 {comment} -j {external}")));
        }
        rules.push(format!(
            "-m comment --comment \"other traffic to {name} will be dropped by \
             KUBE-PROXY-FIREWALL\""
        ));
        Chain::of(&port.chains.firewall, rules)
    }

    /// The chain that picks an endpoint.
    fn policy(&self, local: bool) -> Chain {
        let endpoints = match local {
            true => &self.usable.local,
            false => &self.usable.cluster,
        };
        let mut rules = Vec::new();
        if self.port.internal_policy_local == local && self.finds(local) {
            rules.extend(self.masquerade_foreign());
        }
        if let Some(secs) = self.port.affinity_secs {
            rules.extend(endpoints.iter().map(|endpoint| {
                let (comment, chain) = (self.leads_to(endpoint), self.chain_of(endpoint));
                format!(
                    "{comment}-m recent --rcheck --seconds {secs} --reap --name {chain} \
                     --mask 255.255.255.255 --rsource -j {chain}"
                )
            }));
        }
        for (at, endpoint) in endpoints.iter().enumerate() {
            let (comment, chain) = (self.leads_to(endpoint), self.chain_of(endpoint));
            let chance = match endpoints.len() - at {
                1 => String::new(),
                left => format!(
                    "-m statistic --mode random --probability {} ",
                    probability::one_in(left)
                ),
            };
            rules.push(format!("{comment}{chance}-j {chain}"));
        }
        Chain::of(self.policy_chain(local), rules)
    }

    /// Whoever is no pod of the cluster needs its answer to come back through this machine.
    fn masquerade_foreign(&self) -> Option<String> {
        let to = self.to_cluster_ip();
        match self.settings.cluster_cidr {
            _ if self.settings.masquerade_all => Some(format!("{to} -j {MARK_MASQ}")),
            Some(cidr) => Some(format!("! -s {cidr} {to} -j {MARK_MASQ}")),
            None => None,
        }
    }

    fn chain_of(&self, endpoint: &Endpoint) -> &Str {
        &self.endpoint_chains[&endpoint.address]
    }

    fn leads_to(&self, endpoint: &Endpoint) -> String {
        match self.terse {
            true => String::new(),
            false => format!(
                "-m comment --comment \"{} -> {}\" ",
                self.port.name, endpoint.address
            ),
        }
    }

    fn endpoint_chain(&self, endpoint: &Endpoint) -> Chain {
        let chain = self.chain_of(endpoint);
        let (protocol, address) = (&self.port.protocol, &endpoint.address);
        let comment = match self.terse {
            true => String::new(),
            false => format!("-m comment --comment \"{}\" ", self.port.name),
        };
        let remember = match self.port.affinity_secs {
            None => String::new(),
            Some(_) => format!("-m recent --set --name {chain} --mask 255.255.255.255 --rsource "),
        };
        Chain::of(
            chain,
            [
                // A pod that reached itself would drop an answer from its own address.
                format!("-s {}/32 {comment}-j {MARK_MASQ}", endpoint.ip),
                format!(
                    "-p {protocol} {comment}{remember}-m {protocol} -j DNAT \
                     --to-destination {address}"
                ),
            ],
        )
    }
}
