//! What `kubeadm init` and `kubeadm join` look at before they touch a machine. On one that is part of
//! a cluster already, this is where they end.
//!
//! Models cmd/kubeadm/app/preflight/checks.go.

use std::collections::BTreeSet;

use machine::{Io, Sys};
use net::Proto;

use super::health::{Failed, judge, must_be_root};
use super::{Done, Options, Stop, fail_phase, stop};

/// What is looked at, in order.
#[derive(Clone, Copy, Debug)]
enum Check {
    Port(u16),
    FileAvailable(&'static str),
    DirAvailable(&'static str),
    NumCpu(u32),
}

use Check::{DirAvailable, FileAvailable, NumCpu, Port};

const INIT: &[Check] = &[
    NumCpu(2),
    Port(6443),
    Port(10259),
    Port(10257),
    FileAvailable("/etc/kubernetes/manifests/kube-apiserver.yaml"),
    FileAvailable("/etc/kubernetes/manifests/kube-controller-manager.yaml"),
    FileAvailable("/etc/kubernetes/manifests/kube-scheduler.yaml"),
    FileAvailable("/etc/kubernetes/manifests/etcd.yaml"),
    Port(10250),
    Port(2379),
    Port(2380),
    DirAvailable("/var/lib/etcd"),
];

const JOIN: &[Check] = &[
    FileAvailable("/etc/kubernetes/kubelet.conf"),
    FileAvailable("/etc/kubernetes/bootstrap-kubelet.conf"),
    Port(10250),
    FileAvailable("/etc/kubernetes/pki/ca.crt"),
];

/// Looks at everything `init` wants to know.
pub(crate) async fn init(io: &Io, options: &Options) -> Done {
    let version = match &options.kubernetes_version {
        Some(version) if !version.starts_with('v') => format!("v{version}"),
        Some(version) => version.clone(),
        None => super::own_version(io).await,
    };
    io.print(&format!(
        "[init] Using Kubernetes version: {version}\n[preflight] Running pre-flight checks\n"
    ))
    .await;
    run(io, INIT, options).await?;
    let what = sim::unmodelled!("setting up a control plane with kubeadm init");
    stop(what.to_string())
}

/// Looks at what `join` was told, and at the machine.
pub(crate) async fn join(io: &Io, servers: &[&str], options: &Options) -> Done {
    let told = Told::of(servers, options);
    if let Some(wrong) = told.wrong(options) {
        return stop(wrong);
    }
    io.print("[preflight] Running pre-flight checks\n").await;
    run(io, JOIN, options).await?;
    let what = sim::unmodelled!("the bootstrap of a node by kubeadm join");
    stop(what.to_string())
}

/// What a command line says of how the cluster is found.
struct Told<'a> {
    server: Option<&'a str>,
    token: &'a str,
}

impl Told<'_> {
    fn of<'a>(servers: &[&'a str], options: &'a Options) -> Told<'a> {
        Told {
            server: servers.first().copied(),
            token: options.token.as_deref().unwrap_or_default(),
        }
    }

    /// Everything that is wrong with it, as one sentence.
    fn wrong(&self, options: &Options) -> Option<String> {
        let Some(server) = self.server else {
            return Some(
                "discovery: Invalid value: \"\": bootstrapToken or file must be set".to_owned(),
            );
        };
        let mut all = Vec::new();
        if options.ca_hashes.is_empty() && !options.unsafe_ca {
            all.push(
                "discovery.bootstrapToken.caCertHashes: Invalid value: \"\": using token-based \
                 discovery without caCertHashes can be unsafe. Set unsafeSkipCAVerification as \
                 true in your kubeadm config file or pass \
                 --discovery-token-unsafe-skip-ca-verification flag to continue"
                    .to_owned(),
            );
        }
        let token = self.token;
        if super::token::halves(token).is_err() {
            for field in [
                "discovery.bootstrapToken.token",
                "discovery.tlsBootstrapToken",
            ] {
                all.push(format!(
                    "{field}: Invalid value: \"{token}\": the bootstrap token is invalid"
                ));
            }
        }
        if !server.contains(':') {
            all.push(format!(
                "discovery.bootstrapToken: Invalid value: \"{server}\": address {server}: missing \
                 port in address"
            ));
        }
        match all.len() {
            0 => None,
            1 => all.pop(),
            _ => Some(format!("[{}]", all.join(", "))),
        }
    }
}

async fn run(io: &Io, checks: &'static [Check], options: &Options) -> Done {
    let wrapped = |Stop(why): Stop| fail_phase("preflight", why);
    must_be_root(io, options).await.or_else(wrapped)?;
    let found = io.sys(move |sys| look(sys, checks)).await;
    judge(io, found, options).await.or_else(wrapped)
}

fn look(sys: &mut Sys<'_>, checks: &[Check]) -> Vec<Failed> {
    let sockets = sys.net().sockets_of(sys.netns());
    let listening = sockets
        .iter()
        .filter(|info| info.proto == Proto::Tcp && info.state == "LISTEN");
    let ports: BTreeSet<u16> = listening.map(|info| info.local.port()).collect();
    let dashed = |path: &str| path.replace('/', "-");
    let mut found = Vec::new();
    for check in checks {
        let (name, error) = match *check {
            Port(port) if ports.contains(&port) => {
                (format!("Port-{port}"), format!("Port {port} is in use"))
            }
            FileAvailable(path) if sys.exists(path) => (
                format!("FileAvailable-{}", dashed(path)),
                format!("{path} already exists"),
            ),
            DirAvailable(path) if sys.read_dir(path).is_ok_and(|all| !all.is_empty()) => (
                format!("DirAvailable-{}", dashed(path)),
                format!("{path} is not empty"),
            ),
            NumCpu(wanted) if sys.host().spec.cpus < wanted => {
                let cpus = sys.host().spec.cpus;
                let error = format!(
                    "the number of available CPUs {cpus} is less than the required {wanted}"
                );
                ("NumCPU".to_owned(), error)
            }
            Port(_) | FileAvailable(_) | DirAvailable(_) | NumCpu(_) => continue,
        };
        found.push((name.into(), error));
    }
    found
}
