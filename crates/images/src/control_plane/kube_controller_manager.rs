//! kube-controller-manager.

use std::net::Ipv4Addr;
use std::rc::Rc;

use controllers::{ControllerManager, Options, Settings};
use machine::Sys;
use machine::fs::Node;

use super::RELEASES;
use super::component::{Hosted, holder};
use super::flags::Flags;
use crate::definition::Definition;
use crate::userland::put;

/// `registry.k8s.io/kube-controller-manager`
pub(crate) static IMAGE: Definition = Definition {
    repository: "registry.k8s.io/kube-controller-manager",
    tags: RELEASES,
    layers: &[
        ("kube base", 3_100_000),
        ("kube-controller-manager {tag}", 19_600_000),
    ],
    files: |tree, tag| {
        let path = "/usr/local/bin/kube-controller-manager";
        put(tree, path, Node::release("kube-controller-manager", tag));
    },
    env: &[(
        "PATH",
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    )],
    programs: &[("kube-controller-manager", || {
        Hosted::boxed("kube-controller-manager", 10257, |sys, flags, identity| {
            let options = Options {
                identity,
                holder: holder(sys, flags),
            };
            let controllers = controllers::all(&settings(sys, flags));
            Ok(ControllerManager::new(options, controllers))
        })
    })],
    ..Definition::PLAIN
};

fn settings(sys: &mut Sys<'_>, flags: &Flags) -> Settings {
    let path = flags
        .or("root-ca-file", "/etc/kubernetes/pki/ca.crt")
        .to_owned();
    let root_ca: Rc<str> = sys.read_to_string(&path).unwrap_or_default().into();
    let allocate = flags.or("allocate-node-cidrs", "false") == "true";
    let cluster = flags.get("cluster-cidr").and_then(|text| {
        let (network, prefix) = text.split_once('/')?;
        Some((network.parse::<Ipv4Addr>().ok()?, prefix.parse().ok()?))
    });
    let mask = flags
        .get("node-cidr-mask-size")
        .and_then(|size| size.parse().ok())
        .unwrap_or(24);
    let pod_network = cluster.filter(|_| allocate);
    Settings {
        root_ca,
        pod_network,
        node_mask: mask,
        ..Settings::default()
    }
}
