//! What the rules depend on beside objects. Models KubeProxyConfiguration
//! (kubeproxy.config.k8s.io/v1alpha1) as far as mode iptables reads it.

use std::net::Ipv4Addr;

use net::Ipv4Net;

/// The settings of one machine's kube-proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The node it runs on: `hostnameOverride`, else the machine's name.
    pub node_name: String,
    /// The node's address: a load balancer's source ranges may mean it.
    pub node_ip: Ipv4Addr,
    /// `clusterCIDR`: what counts as a pod of this cluster. Without it nothing is told apart.
    pub cluster_cidr: Option<Ipv4Net>,
    /// `iptables.masqueradeAll`
    pub masquerade_all: bool,
    /// `1 << iptables.masqueradeBit`
    pub masquerade_mark: u32,
    /// `iptables.localhostNodePorts`: whether node ports answer on 127.0.0.1.
    pub localhost_node_ports: bool,
    /// The addresses node ports answer on, where `nodePortAddresses` picks some.
    pub node_port_addresses: Option<Vec<Ipv4Addr>>,
}

impl Settings {
    /// The defaults of KubeProxyConfiguration.
    #[must_use]
    pub fn new(node_name: &str, node_ip: Ipv4Addr, cluster_cidr: Option<Ipv4Net>) -> Settings {
        Settings {
            node_name: node_name.to_owned(),
            node_ip,
            cluster_cidr,
            masquerade_all: false,
            masquerade_mark: 1 << 14,
            localhost_node_ports: true,
            node_port_addresses: None,
        }
    }
}
