//! One port of a Service, as far as rules depend on it.
//! Models pkg/proxy/serviceport.go and newServiceInfo of pkg/proxy/iptables/proxier.go.

use std::net::Ipv4Addr;

use api::{Str, Value};
use net::Ipv4Net;

use super::names::{self, PortChains};

/// The label that gives a Service to another proxy.
const PROXY_NAME: &str = "service.kubernetes.io/service-proxy-name";
/// Seconds a client stays with its endpoint, where the Service does not say.
const DEFAULT_AFFINITY_SECS: i64 = 10_800;

/// A port of a Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServicePort {
    /// `demo/web:http`, or `demo/web` for a port without a name.
    pub(super) name: Str,
    /// The port's own name, empty if it has none: endpoints are found by it.
    pub(super) port_name: Str,
    /// `tcp`, `udp` or `sctp`.
    pub(super) protocol: Str,
    /// The sixteen letters its chains are named with.
    pub(super) hash: Str,
    pub(super) chains: PortChains,
    pub(super) cluster_ip: Ipv4Addr,
    pub(super) port: i64,
    /// 0 for none.
    pub(super) node_port: i64,
    /// 0 for none.
    pub(super) health_check_node_port: i64,
    pub(super) external_ips: Vec<Ipv4Addr>,
    /// Addresses of the load balancer that packets still carry when they arrive.
    pub(super) load_balancer_vips: Vec<Ipv4Addr>,
    pub(super) load_balancer_source_ranges: Vec<Ipv4Net>,
    /// How long a client stays with its endpoint, if it does.
    pub(super) affinity_secs: Option<i64>,
    pub(super) internal_policy_local: bool,
    pub(super) external_policy_local: bool,
}

impl ServicePort {
    /// Whether anything but the cluster IP leads here.
    pub(super) fn externally_accessible(&self) -> bool {
        self.node_port != 0 || !self.load_balancer_vips.is_empty() || !self.external_ips.is_empty()
    }

    /// Whether all endpoints matter: even with policy Local for external traffic, what pods and
    /// the machine itself send to the outside address goes to any endpoint.
    pub(super) fn uses_cluster_endpoints(&self) -> bool {
        !self.internal_policy_local || self.externally_accessible()
    }

    /// Whether the endpoints of this machine matter by themselves.
    pub(super) fn uses_local_endpoints(&self) -> bool {
        self.internal_policy_local || (self.external_policy_local && self.externally_accessible())
    }
}

/// The ports of a Service that kube-proxy serves: none of a headless one, of an alias, or of one
/// that another proxy is to serve.
pub(super) fn ports(service: &Value) -> Vec<ServicePort> {
    let spec = service.get("spec");
    let Some(cluster_ip) = cluster_ip(spec) else {
        return Vec::new();
    };
    if spec.str("type") == "ExternalName" || service.labels().get(PROXY_NAME).is_some() {
        return Vec::new();
    }
    let shared = Shared::of(service, cluster_ip);
    let ports = spec.get("ports").list();
    ports.iter().map(|port| shared.port(port)).collect()
}

fn cluster_ip(spec: &Value) -> Option<Ipv4Addr> {
    let listed = spec.get("clusterIPs").list().iter().map(Value::as_str);
    listed
        .chain([spec.str("clusterIP")])
        .find_map(|ip| ip.parse().ok())
}

/// What the ports of a Service have in common.
struct Shared {
    /// `demo/web`
    key: String,
    cluster_ip: Ipv4Addr,
    health_check_node_port: i64,
    external_ips: Vec<Ipv4Addr>,
    load_balancer_vips: Vec<Ipv4Addr>,
    load_balancer_source_ranges: Vec<Ipv4Net>,
    affinity_secs: Option<i64>,
    internal_policy_local: bool,
    external_policy_local: bool,
}

impl Shared {
    fn of(service: &Value, cluster_ip: Ipv4Addr) -> Shared {
        let spec = service.get("spec");
        let external_ips: Vec<Ipv4Addr> = spec
            .get("externalIPs")
            .list()
            .iter()
            .filter_map(|ip| ip.as_str().parse().ok())
            .collect();
        let kind = spec.str("type");
        let reachable = matches!(kind, "LoadBalancer" | "NodePort")
            || !spec.get("externalIPs").list().is_empty();
        let external_policy_local = reachable && spec.str("externalTrafficPolicy") == "Local";
        let ingress = service.at("status.loadBalancer.ingress").list();
        let affinity = (spec.str("sessionAffinity") == "ClientIP").then(|| {
            spec.i64_at("sessionAffinityConfig.clientIP.timeoutSeconds")
                .unwrap_or(DEFAULT_AFFINITY_SECS)
        });
        let checked = kind == "LoadBalancer" && external_policy_local;
        let ranges = spec.get("loadBalancerSourceRanges").list();
        Shared {
            key: format!("{}/{}", service.namespace(), service.name()),
            cluster_ip,
            health_check_node_port: match checked {
                true => spec.i64_at("healthCheckNodePort").unwrap_or(0),
                false => 0,
            },
            external_ips,
            load_balancer_vips: ingress
                .iter()
                .filter(|entry| matches!(entry.str("ipMode"), "" | "VIP"))
                .filter_map(|entry| entry.str("ip").parse().ok())
                .collect(),
            load_balancer_source_ranges: ranges
                .iter()
                .filter_map(|range| range.as_str().trim().parse::<Ipv4Net>().ok())
                .map(Ipv4Net::network)
                .collect(),
            affinity_secs: affinity,
            internal_policy_local: spec.str("internalTrafficPolicy") == "Local",
            external_policy_local,
        }
    }

    fn port(&self, port: &Value) -> ServicePort {
        let port_name: Str = port.str("name").into();
        let name = match &*port_name {
            "" => self.key.clone(),
            port => format!("{}:{port}", self.key),
        };
        let protocol = protocol(port);
        let hash = names::port_hash(&name, &protocol);
        ServicePort {
            chains: PortChains::of(&hash),
            name: name.into(),
            port_name,
            protocol,
            hash: hash.into(),
            cluster_ip: self.cluster_ip,
            port: port.i64_at("port").unwrap_or(0),
            node_port: port.i64_at("nodePort").unwrap_or(0),
            health_check_node_port: self.health_check_node_port,
            external_ips: self.external_ips.clone(),
            load_balancer_vips: self.load_balancer_vips.clone(),
            load_balancer_source_ranges: self.load_balancer_source_ranges.clone(),
            affinity_secs: self.affinity_secs,
            internal_policy_local: self.internal_policy_local,
            external_policy_local: self.external_policy_local,
        }
    }
}

/// `tcp` for a port of a Service or of a slice; the default where it does not say.
pub(super) fn protocol(port: &Value) -> Str {
    match port.str("protocol") {
        "" => "tcp".into(),
        named => named.to_ascii_lowercase().into(),
    }
}
