//! The chains that do not depend on Services, and the rules of the kernel's own chains that lead
//! to kube-proxy's.
//! Models iptablesJumpChains and the top and end of syncProxyRules of pkg/proxy/iptables/proxier.go.

use super::batch::{Chain, Table};
use super::names;
use super::settings::Settings;

/// A rule that a full sync puts in front of a chain of the kernel, unless it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jump {
    /// The table of both chains.
    pub table: Table,
    /// The kernel's chain: `INPUT`.
    pub from: &'static str,
    /// kube-proxy's, made if it is missing: `KUBE-SERVICES`.
    pub to: &'static str,
    /// The rule as iptables-save prints it.
    pub rule: &'static str,
}

macro_rules! jump {
    ($table:ident, $from:literal, $to:literal, $matches:literal) => {
        Jump {
            table: Table::$table,
            from: $from,
            to: $to,
            rule: concat!("-A ", $from, $matches, " -j ", $to),
        }
    };
}

/// In the order they are put in front: the last one ends up first.
pub const JUMPS: [Jump; 14] = [
    jump!(
        Filter,
        "INPUT",
        "KUBE-EXTERNAL-SERVICES",
        r#" -m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals""#
    ),
    jump!(
        Filter,
        "FORWARD",
        "KUBE-EXTERNAL-SERVICES",
        r#" -m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals""#
    ),
    jump!(
        Filter,
        "INPUT",
        "KUBE-NODEPORTS",
        r#" -m comment --comment "kubernetes health check service ports""#
    ),
    jump!(
        Filter,
        "FORWARD",
        "KUBE-SERVICES",
        r#" -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals""#
    ),
    jump!(
        Filter,
        "OUTPUT",
        "KUBE-SERVICES",
        r#" -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals""#
    ),
    jump!(
        Filter,
        "FORWARD",
        "KUBE-FORWARD",
        r#" -m comment --comment "kubernetes forwarding rules""#
    ),
    jump!(
        Filter,
        "INPUT",
        "KUBE-PROXY-FIREWALL",
        r#" -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall""#
    ),
    jump!(
        Filter,
        "OUTPUT",
        "KUBE-PROXY-FIREWALL",
        r#" -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall""#
    ),
    jump!(
        Filter,
        "FORWARD",
        "KUBE-PROXY-FIREWALL",
        r#" -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall""#
    ),
    jump!(
        Nat,
        "OUTPUT",
        "KUBE-SERVICES",
        r#" -m comment --comment "kubernetes service portals""#
    ),
    jump!(
        Nat,
        "PREROUTING",
        "KUBE-SERVICES",
        r#" -m comment --comment "kubernetes service portals""#
    ),
    jump!(
        Nat,
        "POSTROUTING",
        "KUBE-POSTROUTING",
        r#" -m comment --comment "kubernetes postrouting rules""#
    ),
    jump!(Filter, "INPUT", "KUBE-FIREWALL", ""),
    jump!(Filter, "OUTPUT", "KUBE-FIREWALL", ""),
];

/// The tables a canary stands in.
pub const CANARY_TABLES: [Table; 3] = [Table::Mangle, Table::Nat, Table::Filter];

/// Chains whose rules depend on the settings alone.
pub(super) fn chains(settings: &Settings) -> Vec<(Table, Chain)> {
    let mark = format!("{:#x}", settings.masquerade_mark);
    let mut chains = vec![
        (Table::Filter, forward(&mark)),
        (Table::Nat, postrouting(&mark)),
        (
            Table::Nat,
            Chain::of(
                names::MARK_MASQ,
                [format!("-j MARK --set-xmark {mark}/{mark}")],
            ),
        ),
    ];
    if settings.localhost_node_ports {
        // Node ports on 127.0.0.1 need route_localnet, which would let neighbours in as well.
        let rule = "! -s 127.0.0.0/8 -d 127.0.0.0/8 \
                    -m comment --comment \"block incoming localnet connections\" \
                    -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP";
        chains.push((
            Table::Filter,
            Chain::of(names::KUBELET_FIREWALL, [rule.to_owned()]),
        ));
    }
    chains
}

fn forward(mark: &str) -> Chain {
    // xt_nfacct prints its name behind two blanks.
    Chain::of(
        names::FORWARD,
        [
            "-m conntrack --ctstate INVALID \
             -m nfacct --nfacct-name  ct_state_invalid_dropped_pkts -j DROP"
                .to_owned(),
            format!(
                "-m comment --comment \"kubernetes forwarding rules\" \
                 -m mark --mark {mark}/{mark} -j ACCEPT"
            ),
            "-m comment --comment \"kubernetes forwarding conntrack rule\" \
             -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
                .to_owned(),
        ],
    )
}

fn postrouting(mark: &str) -> Chain {
    Chain::of(
        names::POSTROUTING,
        [
            format!("-m mark ! --mark {mark}/{mark} -j RETURN"),
            // Taken off again, so that a packet that passes a second time is not hidden twice.
            format!("-j MARK --set-xmark {mark}/0x0"),
            "-m comment --comment \"kubernetes service traffic requiring SNAT\" \
             -j MASQUERADE --random-fully"
                .to_owned(),
        ],
    )
}

/// The last rules of KUBE-SERVICES in table nat: whatever is for this machine may be for a node
/// port.
pub(super) fn to_node_ports(settings: &Settings) -> Vec<String> {
    let comment = "-m comment --comment \"kubernetes service nodeports; \
                   NOTE: this must be the last rule in this chain\"";
    let to = names::NODEPORTS;
    let Some(addresses) = &settings.node_port_addresses else {
        let from = match settings.localhost_node_ports {
            true => "",
            false => "! -d 127.0.0.0/8 ",
        };
        return vec![format!(
            "{from}{comment} -m addrtype --dst-type LOCAL -j {to}"
        )];
    };
    addresses
        .iter()
        .filter(|ip| settings.localhost_node_ports || !ip.is_loopback())
        .map(|ip| format!("-d {ip}/32 {comment} -j {to}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jumps_say_where_they_stand() {
        for jump in JUMPS {
            assert!(jump.rule.starts_with(&format!("-A {} -", jump.from)));
            assert!(jump.rule.ends_with(&format!(" -j {}", jump.to)));
        }
    }

    #[test]
    fn node_ports_keep_to_the_addresses_they_are_given() {
        let mut settings = Settings::new("node01", [172, 30, 2, 2].into(), None);
        settings.localhost_node_ports = false;
        assert!(to_node_ports(&settings)[0].starts_with("! -d 127.0.0.0/8 -m comment"));
        settings.node_port_addresses = Some(vec![[127, 0, 0, 1].into(), [172, 30, 2, 2].into()]);
        let rules = to_node_ports(&settings);
        assert_eq!(rules.len(), 1);
        assert!(rules[0].starts_with("-d 172.30.2.2/32 -m comment"));
    }
}
