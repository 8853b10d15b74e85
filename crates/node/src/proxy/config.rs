//! What kube-proxy is told at its start: its configuration file, and flags that override it.
//! Models pkg/proxy/apis/config (KubeProxyConfiguration and its defaults) and
//! cmd/kube-proxy/app/options.go.

use std::net::{Ipv4Addr, SocketAddrV4};

use api::time::parse_go_duration;
use api::{Value, yaml};
use net::Ipv4Net;
use sim::Duration;

use super::settings::Settings;

/// The configuration, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// What the rules depend on; the node's address is learnt later.
    pub settings: Settings,
    /// `clientConnection.kubeconfig`
    pub kubeconfig: String,
    /// `healthzBindAddress`
    pub healthz: SocketAddrV4,
    /// `iptables.minSyncPeriod`: between two syncs, at least.
    pub min_sync_period: Duration,
    /// `iptables.syncPeriod`: after a failed sync, and between looks at the canary.
    pub sync_period: Duration,
}

impl Config {
    /// Reads a configuration file for a machine of this name, unless the file or
    /// `--hostname-override` names it otherwise.
    ///
    /// # Errors
    /// What kube-proxy ends with.
    pub fn read(text: &str, hostname: &str, hostname_override: &str) -> Result<Config, String> {
        let documents = yaml::parse_all(text).map_err(|why| why.to_string())?;
        let config = documents.into_iter().next().map(|d| d.value);
        let config = config.unwrap_or_default();
        let kind = (config.api_version(), config.kind());
        if kind != ("kubeproxy.config.k8s.io/v1alpha1", "KubeProxyConfiguration") {
            return Err(format!(
                "no kind \"{}\" is registered for version \"{}\"",
                kind.1, kind.0
            ));
        }
        modelled(&config)?;
        let names = [hostname_override, config.str("hostnameOverride"), hostname];
        let name = names.into_iter().find(|name| !name.is_empty());
        let cidr = config.str("clusterCIDR").split(',');
        let cidr = cidr.into_iter().find_map(|net| net.parse::<Ipv4Net>().ok());
        let node = name.unwrap_or_default().trim().to_lowercase();
        let mut settings = Settings::new(&node, Ipv4Addr::UNSPECIFIED, cidr);
        let iptables = config.get("iptables");
        settings.masquerade_all = iptables.bool_at("masqueradeAll");
        if let Some(bit) = iptables.get("masqueradeBit").as_i64() {
            let bit = u32::try_from(bit).ok().filter(|bit| *bit < 32);
            settings.masquerade_mark = 1 << bit.ok_or("masqueradeBit: must be within 0 to 31")?;
        }
        let localhost = iptables.get("localhostNodePorts").as_bool();
        settings.localhost_node_ports = localhost.unwrap_or(true);
        let healthz = match config.str("healthzBindAddress") {
            "" => "0.0.0.0:10256",
            given => given,
        };
        Ok(Config {
            settings,
            kubeconfig: config.str_at("clientConnection.kubeconfig").to_owned(),
            healthz: address(healthz)?,
            min_sync_period: period(iptables, "minSyncPeriod", Duration::from_secs(1)),
            sync_period: period(iptables, "syncPeriod", Duration::from_secs(30)),
        })
    }
}

/// Ways to run that this kube-proxy does not know.
fn modelled(config: &Value) -> Result<(), String> {
    let what = match config.str("mode") {
        "" | "iptables" => None,
        "nftables" => Some(sim::unmodelled!("kube-proxy in mode nftables")),
        "ipvs" => Some(sim::unmodelled!("kube-proxy in mode ipvs")),
        other => {
            return Err(format!(
                "KubeProxyConfiguration.Mode: Invalid value: \"{other}\": must be iptables, ipvs, \
                 nftables or blank (blank means the best-available proxy [currently iptables])"
            ));
        }
    };
    let local = match config.str("detectLocalMode") {
        "" | "ClusterCIDR" => None,
        _ => Some(sim::unmodelled!(
            "kube-proxy's detectLocalMode other than ClusterCIDR"
        )),
    };
    let ports = match config.get("nodePortAddresses").list() {
        [] => None,
        [only] if only.as_str() == "0.0.0.0/0" => None,
        _ => Some(sim::unmodelled!("kube-proxy's nodePortAddresses")),
    };
    match what.or(local).or(ports) {
        None => Ok(()),
        Some(what) => Err(what.to_string()),
    }
}

/// A period; what is left out, and `0s`, mean the default.
fn period(of: &Value, field: &str, default: Duration) -> Duration {
    let given = parse_go_duration(of.str(field));
    given.filter(|given| !given.is_zero()).unwrap_or(default)
}

fn address(text: &str) -> Result<SocketAddrV4, String> {
    let parsed = text.parse();
    parsed.map_err(|_| format!("healthzBindAddress: Invalid value: \"{text}\": must be IP:port"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n";

    #[test]
    fn what_kubeadm_leaves_out_gets_its_default() {
        let text = format!(
            "{HEAD}clusterCIDR: 10.244.0.0/16\nhealthzBindAddress: \"\"\nmode: \"\"\n\
             clientConnection:\n  kubeconfig: /k\n\
             iptables:\n  localhostNodePorts: null\n  masqueradeBit: null\n  minSyncPeriod: 0s\n  \
             syncPeriod: 0s\nnodePortAddresses: null\n"
        );
        let config = Config::read(&text, "node01", "").expect("valid");
        let cidr = "10.244.0.0/16".parse().ok();
        let settings = Settings::new("node01", Ipv4Addr::UNSPECIFIED, cidr);
        assert_eq!(config.settings, settings);
        assert_eq!(config.kubeconfig, "/k");
        assert_eq!(config.healthz.port(), 10256);
        assert_eq!(config.min_sync_period, Duration::from_secs(1));
        assert_eq!(config.sync_period, Duration::from_secs(30));
    }

    #[test]
    fn what_is_given_counts() {
        let text = format!(
            "{HEAD}hostnameOverride: a\niptables:\n  masqueradeBit: 3\n  masqueradeAll: true\n  \
             localhostNodePorts: false\n  minSyncPeriod: 10s\n"
        );
        let config = Config::read(&text, "node01", "").expect("valid");
        assert_eq!(config.settings.node_name, "a");
        assert_eq!(config.settings.masquerade_mark, 8);
        assert!(config.settings.masquerade_all && !config.settings.localhost_node_ports);
        assert_eq!(config.min_sync_period, Duration::from_secs(10));
        let config = Config::read(&text, "node01", "b").expect("valid");
        assert_eq!(config.settings.node_name, "b");
    }

    #[test]
    fn what_cannot_be_is_told() {
        #[track_caller]
        fn check(text: &str, says: &str) {
            let why = Config::read(text, "n", "").expect_err("refused");
            assert!(why.contains(says), "{why}");
        }
        check("kind: Pod\napiVersion: v1\n", "no kind \"Pod\"");
        check(&format!("{HEAD}mode: magic\n"), "Invalid value: \"magic\"");
        check(
            &format!("{HEAD}mode: nftables\n"),
            "not modelled: kube-proxy",
        );
    }
}
