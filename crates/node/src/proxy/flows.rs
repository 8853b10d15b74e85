//! Which UDP flows lead to endpoints that are gone. UDP has no end of its own: a client that keeps
//! its port would be sent to the old endpoint for as long as it keeps asking.
//! Models pkg/proxy/conntrack/cleanup.go.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use net::Proto;
use net::netfilter::Conn;

use super::endpoint::Endpoint;
use super::service::ServicePort;

/// A UDP port of a Service, and who answers for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UdpPort {
    addresses: Vec<Ipv4Addr>,
    port: u16,
    /// 0 for none.
    node_port: u16,
    serving: BTreeSet<Ipv4Addr>,
}

impl UdpPort {
    /// What matters of a port; none if it is not of UDP.
    pub(super) fn of(port: &ServicePort, endpoints: &[Endpoint]) -> Option<UdpPort> {
        if &*port.protocol != "udp" {
            return None;
        }
        let mut addresses = vec![port.cluster_ip];
        addresses.extend(&port.external_ips);
        addresses.extend(&port.load_balancer_vips);
        let number = |port: i64| u16::try_from(port).unwrap_or(0);
        let serving = endpoints.iter().filter(|endpoint| endpoint.serving);
        Some(UdpPort {
            addresses,
            port: number(port.port),
            node_port: number(port.node_port),
            serving: serving.filter_map(|e| e.ip.parse().ok()).collect(),
        })
    }

    /// Whether a flow came for this port and is answered by nobody who still serves it.
    #[must_use]
    pub fn is_stale(&self, flow: &Conn) -> bool {
        let to = &flow.original;
        let for_address = to.dport == self.port && self.addresses.contains(&to.dst);
        let for_node = self.node_port != 0 && to.dport == self.node_port;
        to.proto == Proto::Udp
            && (for_address || for_node)
            && !self.serving.contains(&flow.reply.src)
    }
}
