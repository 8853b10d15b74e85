//! The names of chains: fixed ones, and those that carry a hash of what they serve.
//! Models pkg/proxy/iptables/proxier.go (portProtoHash and the constants around it).

use api::Str;
use sim::sha256;

pub(super) const SERVICES: &str = "KUBE-SERVICES";
pub(super) const EXTERNAL_SERVICES: &str = "KUBE-EXTERNAL-SERVICES";
pub(super) const NODEPORTS: &str = "KUBE-NODEPORTS";
pub(super) const POSTROUTING: &str = "KUBE-POSTROUTING";
pub(super) const MARK_MASQ: &str = "KUBE-MARK-MASQ";
pub(super) const FORWARD: &str = "KUBE-FORWARD";
pub(super) const PROXY_FIREWALL: &str = "KUBE-PROXY-FIREWALL";
/// The kubelet's: kube-proxy makes sure of it as well, and leaves it behind when it cleans up.
pub(super) const KUBELET_FIREWALL: &str = "KUBE-FIREWALL";
/// Stands in three tables for nothing else than to be missed when somebody flushes them.
pub const CANARY: &str = "KUBE-PROXY-CANARY";

/// What the chains of one service port are called after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PortChains {
    /// `KUBE-SVC-…`: all endpoints, for traffic policy Cluster.
    pub(super) cluster: Str,
    /// `KUBE-SVL-…`: endpoints of this machine, for traffic policy Local.
    pub(super) local: Str,
    /// `KUBE-FW-…`: who may use the load balancer.
    pub(super) firewall: Str,
    /// `KUBE-EXT-…`: traffic from outside.
    pub(super) external: Str,
}

impl PortChains {
    pub(super) fn of(hash: &str) -> PortChains {
        let named = |prefix: &str| format!("{prefix}{hash}").into();
        PortChains {
            cluster: named("KUBE-SVC-"),
            local: named("KUBE-SVL-"),
            firewall: named("KUBE-FW-"),
            external: named("KUBE-EXT-"),
        }
    }
}

/// The sixteen letters for a service port: `port` is `demo/web:http`, `protocol` in lower case.
pub(super) fn port_hash(port: &str, protocol: &str) -> String {
    hash(&format!("{port}{protocol}"))
}

/// `KUBE-SEP-…`: the chain of one endpoint (`10.244.1.10:8080`) of a service port.
pub(super) fn endpoint_chain(port: &str, protocol: &str, endpoint: &str) -> Str {
    format!("KUBE-SEP-{}", hash(&format!("{port}{protocol}{endpoint}"))).into()
}

/// Whether a chain of table nat is one of a service: what a full sync may delete.
pub fn is_service_chain(name: &str) -> bool {
    [
        "KUBE-SVC-",
        "KUBE-SVL-",
        "KUBE-SEP-",
        "KUBE-FW-",
        "KUBE-EXT-",
    ]
    .iter()
    .any(|prefix| name.starts_with(prefix))
}

/// SHA-256 in base32, cut to sixteen letters: the name of a chain has room for 28.
fn hash(text: &str) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let digest = sha256::digest(text.as_bytes());
    // Sixteen letters of five bits are the first ten bytes.
    let bits = digest[..10]
        .iter()
        .fold(0u128, |bits, byte| bits << 8 | u128::from(*byte));
    (0..16)
        .map(|at| char::from(ALPHABET[(bits >> (75 - 5 * at)) as usize & 31]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_upstreams() {
        assert_eq!(port_hash("demo/web", "tcp"), "YTGZ2JEENUBCE3T3");
        assert_eq!(port_hash("demo/dns:dns", "udp"), "IXHL676EY46F5RLS");
        assert_eq!(
            &*endpoint_chain("demo/web", "tcp", "10.244.1.10:8080"),
            "KUBE-SEP-B7F3Y4MOIXDOMEM6"
        );
    }

    #[test]
    fn chains_of_services_are_known_by_their_names() {
        let chains = PortChains::of("X");
        for chain in [
            chains.cluster,
            chains.local,
            chains.firewall,
            chains.external,
        ] {
            assert!(is_service_chain(&chain), "{chain}");
        }
        assert!(!is_service_chain(SERVICES));
        assert!(!is_service_chain(CANARY));
    }
}
