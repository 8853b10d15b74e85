//! The kubelet's own rules: no packet from outside for an address of the loopback, and a chain that
//! tells others which iptables is in use.
//! Models pkg/kubelet/kubelet_network_linux.go.

use machine::Sys;
use net::netfilter::{self, Netfilter, TableName};
use sim::Duration;

use crate::iptables::{canaries, ensure_chain, ensure_rule, put_canaries};
use crate::kubelet::State;
use crate::kubelet::due::Due;

const CANARY: &str = "KUBE-KUBELET-CANARY";
const HINT: &str = "KUBE-IPTABLES-HINT";
const FIREWALL: &str = "KUBE-FIREWALL";
const BLOCK: &str = "KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 \
                     -m comment --comment \"block incoming localnet connections\" \
                     -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP";
/// Between two looks at the canaries.
const PERIOD: Duration = Duration::from_secs(60);

impl State {
    /// Makes sure of the rules if somebody has flushed them, or if they were never there.
    pub(crate) fn guard_rules(&mut self, sys: &mut Sys<'_>) {
        self.timetable.set(Due::Rules, Some(sys.now() + PERIOD));
        let ns = sys.host().netns;
        let (sings, _) = canaries(sys.net().netfilter(ns), CANARY);
        if sings {
            return;
        }
        sys.with_net(|net, _| {
            if let Some(netfilter) = net.netfilter_mut(ns) {
                // What failed is tried again at the next look.
                let _ = write(netfilter);
            }
        });
    }
}

fn write(netfilter: &mut Netfilter) -> Result<(), netfilter::Error> {
    ensure_chain(netfilter, TableName::Mangle, HINT)?;
    ensure_chain(netfilter, TableName::Filter, FIREWALL)?;
    ensure_rule(netfilter, TableName::Filter, "-A", BLOCK)?;
    for chain in ["OUTPUT", "INPUT"] {
        let jump = format!("{chain} -j {FIREWALL}");
        ensure_rule(netfilter, TableName::Filter, "-I", &jump)?;
    }
    put_canaries(netfilter, CANARY)
}

#[cfg(test)]
mod tests {
    use net::Net;
    use sim::MachineId;

    use super::*;

    #[test]
    fn rules_are_written_once() {
        let mut net = Net::new();
        let ns = net.add_netns(MachineId(1), "");
        let netfilter = net.netfilter_mut(ns).expect("it is there");
        assert_eq!(write(netfilter), Ok(()));
        assert_eq!(write(netfilter), Ok(()));
        let saved = netfilter.save(TableName::Filter, false);
        for line in [
            "-A INPUT -j KUBE-FIREWALL",
            "-A OUTPUT -j KUBE-FIREWALL",
            &format!("-A {BLOCK}"),
        ] {
            let count = saved.lines().filter(|known| *known == line).count();
            assert_eq!(count, 1, "{line}\n{saved}");
        }
        assert_eq!(canaries(net.netfilter(ns), CANARY), (true, true));
    }
}
