//! How the server is run: what its command line says.
//!
//! Models cmd/kube-apiserver/app/options.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use sim::Duration;

use crate::audit::Policy;

/// The settings that the model acts on.
#[derive(Clone, Debug)]
pub struct Config {
    /// The release it is of: `v1.36.2`.
    pub version: Rc<str>,
    /// `--advertise-address`: where the `kubernetes` Service leads.
    pub advertise_address: Ipv4Addr,
    /// `--secure-port`.
    pub secure_port: u16,
    /// `--etcd-servers`: the first of them.
    pub etcd: SocketAddrV4,
    /// `--service-cluster-ip-range`: network and prefix length.
    pub service_cidr: (Ipv4Addr, u8),
    /// `--service-node-port-range`: first and last port.
    pub node_ports: (u16, u16),
    /// `--anonymous-auth`.
    pub anonymous_auth: bool,
    /// `--default-not-ready-toleration-seconds`.
    pub not_ready_toleration_secs: i64,
    /// `--default-unreachable-toleration-seconds`.
    pub unreachable_toleration_secs: i64,
    /// `--authorization-mode`.
    pub authorization_modes: Vec<Rc<str>>,
    /// `--event-ttl`.
    pub event_ttl: Duration,
    /// `--request-timeout`.
    pub request_timeout: Duration,
    /// `--service-account-issuer`.
    pub issuer: Rc<str>,
    /// What tokens are signed with; made from the key file.
    pub signing_key: u64,
    /// The subject of the certificate shown to etcd; from `--etcd-certfile`.
    pub etcd_identity: Option<Rc<str>>,
    /// The subject of the certificate shown to kubelets; from `--kubelet-client-certificate`.
    pub kubelet_identity: Option<Rc<str>>,
    /// `--enable-admission-plugins`: those beyond the ones on by default.
    pub admission_plugins: Vec<Rc<str>>,
    /// What `--audit-policy-file` holds.
    pub audit_policy: Option<Rc<Policy>>,
    /// `--disable-admission-plugins`.
    pub disabled_admission_plugins: Vec<Rc<str>>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            version: "v1.36.2".into(),
            advertise_address: Ipv4Addr::new(172, 30, 1, 2),
            secure_port: 6443,
            etcd: SocketAddrV4::new(Ipv4Addr::LOCALHOST, 2379),
            service_cidr: (Ipv4Addr::new(10, 0, 0, 0), 24),
            node_ports: (30000, 32767),
            anonymous_auth: true,
            not_ready_toleration_secs: 300,
            unreachable_toleration_secs: 300,
            authorization_modes: vec!["AlwaysAllow".into()],
            event_ttl: Duration::from_secs(3600),
            request_timeout: Duration::from_secs(60),
            issuer: "https://kubernetes.default.svc.cluster.local".into(),
            signing_key: 0,
            etcd_identity: None,
            kubelet_identity: None,
            admission_plugins: Vec::new(),
            audit_policy: None,
            disabled_admission_plugins: Vec::new(),
        }
    }
}

impl Config {
    /// Reads a command line without its first word. The error is what the real server prints before
    /// it exits with status 1. Flags that the model has no use for are accepted.
    pub fn from_args<'a>(args: impl IntoIterator<Item = &'a str>) -> Result<Config, String> {
        let mut config = Config::default();
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            let Some(flag) = arg.strip_prefix("--") else {
                return Err(format!("unknown command {arg:?} for \"kube-apiserver\""));
            };
            let (name, value) = match flag.split_once('=') {
                Some(both) => both,
                None if is_switch(flag) => (flag, "true"),
                None => {
                    let value = args.next();
                    (
                        flag,
                        value.ok_or(format!("flag needs an argument: --{flag}"))?,
                    )
                }
            };
            if !FLAGS.contains(&name) && !is_switch(name) {
                return Err(format!("unknown flag: --{name}"));
            }
            let set = config.set(name, value);
            set.map_err(|why| format!("invalid argument {value:?} for \"--{name}\" flag: {why}"))?;
        }
        Ok(config)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "advertise-address" => {
                let address = value.parse();
                self.advertise_address =
                    address.map_err(|_| format!("failed to parse IP: {value:?}"))?;
            }
            "secure-port" => self.secure_port = number(value)?,
            "etcd-servers" => self.etcd = server_address(value)?,
            "service-cluster-ip-range" => self.service_cidr = cidr(value)?,
            "service-node-port-range" => {
                let (first, last) = value
                    .split_once('-')
                    .ok_or(format!("unable to parse port range: {value}"))?;
                self.node_ports = (number(first)?, number(last)?);
            }
            "anonymous-auth" => self.anonymous_auth = value == "true",
            "default-not-ready-toleration-seconds" => {
                self.not_ready_toleration_secs = number(value)?;
            }
            "default-unreachable-toleration-seconds" => {
                self.unreachable_toleration_secs = number(value)?;
            }
            "authorization-mode" => {
                self.authorization_modes = value.split(',').map(Rc::from).collect();
                let known = [
                    "ABAC",
                    "AlwaysAllow",
                    "AlwaysDeny",
                    "Node",
                    "RBAC",
                    "Webhook",
                ];
                let mut modes = self.authorization_modes.iter();
                if let Some(mode) = modes.find(|mode| !known.contains(&&***mode)) {
                    return Err(format!("authorization-mode {mode:?} is not a valid mode"));
                }
            }
            "event-ttl" => self.event_ttl = duration(value)?,
            "request-timeout" => self.request_timeout = duration(value)?,
            "service-account-issuer" => self.issuer = value.into(),
            "enable-admission-plugins" => {
                self.admission_plugins = value.split(',').map(Rc::from).collect();
            }
            "disable-admission-plugins" => {
                self.disabled_admission_plugins = value.split(',').map(Rc::from).collect();
            }
            _ => {}
        }
        Ok(())
    }
}

/// Flags that take no value unless written with `=`.
fn is_switch(name: &str) -> bool {
    const SWITCHES: [&str; 15] = [
        "allow-privileged",
        "anonymous-auth",
        "audit-log-batch-throttle-enable",
        "audit-log-compress",
        "audit-log-truncate-enabled",
        "audit-webhook-batch-throttle-enable",
        "audit-webhook-truncate-enabled",
        "contention-profiling",
        "enable-aggregator-routing",
        "enable-bootstrap-token-auth",
        "enable-garbage-collector",
        "enable-priority-and-fairness",
        "profiling",
        "service-account-lookup",
        "watch-cache",
    ];
    SWITCHES.contains(&name)
}

/// Flags with a value that are accepted; any other is refused, as the real server refuses it.
const FLAGS: [&str; 96] = [
    "admission-control-config-file",
    "advertise-address",
    "api-audiences",
    "apiserver-count",
    "audit-log-batch-buffer-size",
    "audit-log-batch-max-size",
    "audit-log-batch-max-wait",
    "audit-log-batch-throttle-burst",
    "audit-log-batch-throttle-qps",
    "audit-log-format",
    "audit-log-maxage",
    "audit-log-maxbackup",
    "audit-log-maxsize",
    "audit-log-mode",
    "audit-log-path",
    "audit-log-truncate-max-batch-size",
    "audit-log-truncate-max-event-size",
    "audit-log-version",
    "audit-policy-file",
    "audit-webhook-batch-buffer-size",
    "audit-webhook-batch-initial-backoff",
    "audit-webhook-batch-max-size",
    "audit-webhook-batch-max-wait",
    "audit-webhook-batch-throttle-burst",
    "audit-webhook-batch-throttle-qps",
    "audit-webhook-config-file",
    "audit-webhook-initial-backoff",
    "audit-webhook-mode",
    "audit-webhook-truncate-max-batch-size",
    "audit-webhook-truncate-max-event-size",
    "audit-webhook-version",
    "authentication-config",
    "authentication-token-webhook-config-file",
    "authorization-config",
    "authorization-mode",
    "authorization-webhook-config-file",
    "bind-address",
    "cert-dir",
    "client-ca-file",
    "cloud-provider",
    "cors-allowed-origins",
    "default-not-ready-toleration-seconds",
    "default-unreachable-toleration-seconds",
    "default-watch-cache-size",
    "delete-collection-workers",
    "disable-admission-plugins",
    "egress-selector-config-file",
    "enable-admission-plugins",
    "encryption-provider-config",
    "endpoint-reconciler-type",
    "etcd-cafile",
    "etcd-certfile",
    "etcd-compaction-interval",
    "etcd-keyfile",
    "etcd-prefix",
    "etcd-servers",
    "etcd-servers-overrides",
    "event-ttl",
    "external-hostname",
    "feature-gates",
    "goaway-chance",
    "kubelet-certificate-authority",
    "kubelet-client-certificate",
    "kubelet-client-key",
    "kubelet-preferred-address-types",
    "kubelet-timeout",
    "logging-format",
    "max-mutating-requests-inflight",
    "max-requests-inflight",
    "min-request-timeout",
    "oidc-client-id",
    "oidc-issuer-url",
    "proxy-client-cert-file",
    "proxy-client-key-file",
    "request-timeout",
    "requestheader-allowed-names",
    "requestheader-client-ca-file",
    "requestheader-extra-headers-prefix",
    "requestheader-group-headers",
    "requestheader-username-headers",
    "runtime-config",
    "secure-port",
    "service-account-issuer",
    "service-account-key-file",
    "service-account-signing-key-file",
    "service-cluster-ip-range",
    "service-node-port-range",
    "shutdown-delay-duration",
    "storage-backend",
    "storage-media-type",
    "tls-cert-file",
    "tls-cipher-suites",
    "tls-min-version",
    "tls-private-key-file",
    "v",
    "vmodule",
];

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|_| format!("strconv.ParseInt: parsing {text:?}: invalid syntax"))
}

fn cidr(text: &str) -> Result<(Ipv4Addr, u8), String> {
    let wrong = || format!("invalid CIDR address: {text}");
    let (network, len) = text
        .split(',')
        .next()
        .unwrap_or("")
        .split_once('/')
        .ok_or_else(wrong)?;
    let network = network.parse().map_err(|_| wrong())?;
    let len = len
        .parse()
        .ok()
        .filter(|len| *len <= 32)
        .ok_or_else(wrong)?;
    Ok((network, len))
}

fn server_address(text: &str) -> Result<SocketAddrV4, String> {
    let first = text.split(',').next().unwrap_or("");
    let host = first
        .split_once("://")
        .map_or(first, |(_, rest)| rest)
        .trim_end_matches('/');
    host.replace("localhost", "127.0.0.1")
        .parse()
        .map_err(|_| format!("parse {first:?}: invalid host and port"))
}

/// A Go duration of hours, minutes and seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("time: invalid duration {text:?}");
    let mut secs = 0;
    let mut digits = String::new();
    for c in text.chars() {
        let unit = match c {
            '0'..='9' => {
                digits.push(c);
                continue;
            }
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return Err(wrong()),
        };
        secs += unit * digits.parse::<u64>().map_err(|_| wrong())?;
        digits.clear();
    }
    if digits.is_empty() {
        Ok(Duration::from_secs(secs))
    } else {
        Err(wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifests_command_line_is_understood() {
        let config = Config::from_args([
            "--advertise-address=172.30.1.9",
            "--allow-privileged=true",
            "--etcd-servers=https://127.0.0.1:2379",
            "--secure-port",
            "6444",
            "--service-cluster-ip-range=10.96.0.0/12",
            "--event-ttl=1h30m",
        ])
        .expect("a good command line");
        assert_eq!(config.advertise_address, Ipv4Addr::new(172, 30, 1, 9));
        assert_eq!((config.secure_port, config.etcd.port()), (6444, 2379));
        assert_eq!(config.service_cidr, (Ipv4Addr::new(10, 96, 0, 0), 12));
        assert_eq!(config.event_ttl, Duration::from_secs(5400));
    }

    #[track_caller]
    fn check_refused(args: &[&str], message: &str) {
        assert_eq!(
            Config::from_args(args.iter().copied()).map(|_| ()),
            Err(message.to_owned())
        );
    }

    #[test]
    fn mistakes_are_named() {
        check_refused(&["--no-such-flag=1"], "unknown flag: --no-such-flag");
        check_refused(&["--secure-port"], "flag needs an argument: --secure-port");
        check_refused(
            &["--service-cluster-ip-range=10.96.0.0"],
            "invalid argument \"10.96.0.0\" for \"--service-cluster-ip-range\" flag: \
             invalid CIDR address: 10.96.0.0",
        );
    }
}
