//! What the kubelet is told at its start: flags, its configuration file, its kubeconfig.
//! Models cmd/kubelet/app/options and pkg/kubelet/apis/config, as far as it matters here.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use api::{Value, object, yaml};
use client::{Identity, kubeconfig};
use machine::Sys;
use sim::Duration;

/// The kubelet's settings.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The kubelet's own version: `v1.36.2`.
    pub(crate) version: Rc<str>,
    /// The node's name.
    pub(crate) node: Rc<str>,
    /// The machine's address.
    pub(crate) node_ip: Option<Ipv4Addr>,
    /// Where the API server is; none without a kubeconfig.
    pub(crate) server: Option<SocketAddrV4>,
    /// Who the kubelet is to the API server.
    pub(crate) identity: Identity,
    /// Directory of static pods' manifests; empty for none.
    pub(crate) manifests: Rc<str>,
    /// Addresses of the cluster's DNS.
    pub(crate) cluster_dns: Vec<Rc<str>>,
    /// `cluster.local`.
    pub(crate) cluster_domain: Rc<str>,
    /// Pods the node takes at most.
    pub(crate) max_pods: i64,
    /// One image at a time.
    pub(crate) serialize_pulls: bool,
    /// Port of the kubelet's server.
    pub(crate) port: u16,
    /// Port on which the kubelet says that it is well; 0 for none.
    pub(crate) healthz_port: u16,
    /// Labels the node registers with.
    pub(crate) labels: Vec<(Rc<str>, Rc<str>)>,
    /// Taints the node registers with.
    pub(crate) taints: Vec<Value>,
    /// Between writes of an unchanged node status.
    pub(crate) report_every: Duration,
}

impl Settings {
    /// Reads the flags, and the files they name.
    ///
    /// # Errors
    /// In the words the kubelet exits with.
    pub(crate) fn read(sys: &mut Sys<'_>) -> Result<Settings, String> {
        let args = sys.args();
        let flag = |name: &str| flag(&args, name);
        let config = match flag("--config") {
            Some(path) => read_yaml(sys, &path).map_err(|why| {
                format!(
                    "command failed\" err=\"failed to load kubelet config file, path: {path}, \
                     error: {why}"
                )
            })?,
            None => Value::Null,
        };
        let (server, mut identity) = match flag("--kubeconfig") {
            Some(path) => access(sys, &path)?,
            None => (None, Identity::default()),
        };
        let version = sys.version();
        identity.user_agent = format!("kubelet/{version} (linux/amd64) kubernetes/0000000").into();
        let texts = |field: &str| -> Vec<Rc<str>> {
            config
                .get(field)
                .list()
                .iter()
                .map(|v| v.as_str().into())
                .collect()
        };
        let number = |field: &str, otherwise: i64| config.get(field).as_i64().unwrap_or(otherwise);
        let port = |field: &str, otherwise: u16| {
            u16::try_from(number(field, i64::from(otherwise))).unwrap_or(otherwise)
        };
        let mut taints = config.get("registerWithTaints").list().to_vec();
        taints.extend(
            flag("--register-with-taints")
                .iter()
                .flat_map(|text| parse_taints(text)),
        );
        let domain = config.str("clusterDomain");
        Ok(Settings {
            version,
            node: flag("--hostname-override").unwrap_or_else(|| sys.hostname()),
            node_ip: flag("--node-ip")
                .and_then(|ip| ip.parse().ok())
                .or_else(|| own_ip(sys)),
            server,
            identity,
            manifests: config.str("staticPodPath").into(),
            cluster_dns: texts("clusterDNS"),
            cluster_domain: domain.into(),
            max_pods: number("maxPods", 110),
            serialize_pulls: config.get("serializeImagePulls").as_bool() != Some(false),
            port: port("port", 10250),
            healthz_port: port("healthzPort", 10248),
            labels: flag("--node-labels")
                .map(|text| parse_labels(&text))
                .unwrap_or_default(),
            taints,
            report_every: Duration::from_secs(300),
        })
    }
}

/// The value of `--name=value` or `--name value`; the last one counts.
fn flag(args: &[Rc<str>], name: &str) -> Option<Rc<str>> {
    let mut found = None;
    for (index, arg) in args.iter().enumerate() {
        match arg.strip_prefix(name) {
            Some("") => found = args.get(index + 1).cloned(),
            Some(rest) if rest.starts_with('=') => found = Some(rest[1..].into()),
            _ => {}
        }
    }
    found
}

fn read_yaml(sys: &mut Sys<'_>, path: &str) -> Result<Value, String> {
    let text = sys
        .read_to_string(path)
        .map_err(|errno| format!("open {path}: {}", errno.go_message()))?;
    let documents = yaml::parse_all(&text).map_err(|error| error.to_string())?;
    Ok(documents
        .into_iter()
        .next()
        .map(|document| document.value)
        .unwrap_or_default())
}

fn access(sys: &mut Sys<'_>, path: &str) -> Result<(Option<SocketAddrV4>, Identity), String> {
    let failed = |why: String| {
        format!(
            "command failed\" err=\"failed to run Kubelet: unable to load client CA or kubeconfig {path}: {why}"
        )
    };
    let text = sys
        .read_to_string(path)
        .map_err(|errno| failed(format!("open {path}: {}", errno.go_message())))?;
    let access =
        kubeconfig::resolve(&text, None, |file| sys.read_to_string(file).ok()).map_err(failed)?;
    Ok((access.addr(), access.identity))
}

/// The first address of the machine that is not its loopback's.
fn own_ip(sys: &Sys<'_>) -> Option<Ipv4Addr> {
    let netns = sys.host().netns;
    let addrs = sys
        .net()
        .links_of(netns)
        .flat_map(|link| link.addrs.iter().map(|net| net.addr));
    addrs.into_iter().find(|addr| !addr.is_loopback())
}

/// `a=b,c=d`.
fn parse_labels(text: &str) -> Vec<(Rc<str>, Rc<str>)> {
    let pair = |piece: &str| {
        piece
            .split_once('=')
            .map(|(key, value)| (key.into(), value.into()))
    };
    text.split(',').filter_map(pair).collect()
}

/// `key=value:Effect,…`; the value may be missing.
fn parse_taints(text: &str) -> Vec<Value> {
    let taint = |piece: &str| {
        let (rest, effect) = piece.rsplit_once(':')?;
        let (key, value) = rest.split_once('=').unwrap_or((rest, ""));
        let mut taint = object! { "key": key, "effect": effect };
        taint.set_or_remove("value", value);
        Some(taint)
    };
    text.split(',').filter_map(taint).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_taints_and_labels() {
        let args: Vec<Rc<str>> = ["kubelet", "--a=1", "--b", "2", "--a=3", "--ab=4"]
            .map(Rc::from)
            .to_vec();
        assert_eq!(flag(&args, "--a").as_deref(), Some("3"));
        assert_eq!(flag(&args, "--b").as_deref(), Some("2"));
        assert_eq!(flag(&args, "--c"), None);

        let taints =
            parse_taints("node-role.kubernetes.io/control-plane=:NoSchedule,x=y:NoExecute");
        assert_eq!(
            taints[0].to_json(),
            r#"{"effect":"NoSchedule","key":"node-role.kubernetes.io/control-plane"}"#
        );
        assert_eq!(taints[1].str("value"), "y");
        assert_eq!(parse_labels("a=b,c=")[1], ("c".into(), "".into()));
    }
}
