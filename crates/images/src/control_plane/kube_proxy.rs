//! kube-proxy.

use machine::fs::Node;
use machine::{Fd, Sys};
use node::proxy::{Config, Host, KubeProxy};

use super::RELEASES;
use super::component::{Hands, Hosted};
use super::flags::Flags;
use crate::definition::Definition;
use crate::userland::put;

/// `registry.k8s.io/kube-proxy`
pub(crate) static IMAGE: Definition = Definition {
    repository: "registry.k8s.io/kube-proxy",
    tags: RELEASES,
    layers: &[
        ("distroless iptables", 16_200_000),
        ("kube-proxy {tag}", 15_400_000),
    ],
    files: |tree, tag| {
        let path = "/usr/local/bin/kube-proxy";
        put(tree, path, Node::release("kube-proxy", tag));
    },
    env: &[(
        "PATH",
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    )],
    programs: &[("kube-proxy", || {
        Hosted::<KubeProxy, Host>::with_hands("kube-proxy", 0, |sys, flags, identity| {
            Ok(KubeProxy::new(config(sys, flags)?, identity))
        })
    })],
    ..Definition::PLAIN
};

impl Hands<KubeProxy> for Host {
    fn kubeconfig(sys: &mut Sys<'_>, flags: &Flags) -> Result<String, String> {
        config(sys, flags).map(|config| config.kubeconfig)
    }

    fn act(&mut self, sys: &mut Sys<'_>, component: &mut KubeProxy) {
        Host::act(self, sys, component);
    }

    fn on_ready(&mut self, sys: &mut Sys<'_>, fd: Fd, component: &KubeProxy) -> bool {
        Host::on_ready(self, sys, fd, component)
    }
}

fn config(sys: &mut Sys<'_>, flags: &Flags) -> Result<Config, String> {
    let path = flags.get("config").ok_or("--config is not set")?.to_owned();
    let text = sys
        .read_to_string(&path)
        .map_err(|errno| format!("open {path}: {}", errno.message().to_lowercase()))?;
    let hostname = sys.hostname();
    Config::read(&text, &hostname, flags.or("hostname-override", ""))
}
