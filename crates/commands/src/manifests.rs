//! What kubeadm writes for a control plane: the static pods' manifests, and the add-ons it creates
//! through the API server.
//!
//! Models cmd/kubeadm/app/phases/controlplane, phases/etcd and phases/addons.

use std::net::Ipv4Addr;

use crate::releases::{self, Release};

/// The static pods of a control plane, in the order in which they are upgraded.
pub const COMPONENTS: [&str; 4] = [
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
];

/// What is created through the API server, in order.
pub const ADDONS: [&str; 4] = ["rbac", "coredns", "kube-proxy", "config"];

/// What to write for one control-plane machine of one version.
#[derive(Clone, Debug)]
pub struct Plan {
    version: String,
    release: Release,
    node: String,
    ip: Ipv4Addr,
}

impl Plan {
    /// The plan for a machine; a version that is no release gets the images of the newest.
    #[must_use]
    pub fn new(version: &str, node: &str, ip: Ipv4Addr) -> Plan {
        let release = releases::find(version);
        Plan {
            version: version.to_owned(),
            release: release
                .or_else(|| releases::find(releases::VERSIONS[0]))
                .expect("the newest release is one"),
            node: node.to_owned(),
            ip,
        }
    }

    /// The manifest of a static pod: one of [`COMPONENTS`].
    #[must_use]
    pub fn manifest(&self, component: &str) -> String {
        self.fill(match component {
            "etcd" => include_str!("../data/kubeadm/manifests/etcd.yaml"),
            "kube-apiserver" => include_str!("../data/kubeadm/manifests/kube-apiserver.yaml"),
            "kube-controller-manager" => {
                include_str!("../data/kubeadm/manifests/kube-controller-manager.yaml")
            }
            _ => include_str!("../data/kubeadm/manifests/kube-scheduler.yaml"),
        })
    }

    /// The manifests of an add-on: one of [`ADDONS`].
    #[must_use]
    pub fn addon(&self, name: &str) -> String {
        self.fill(match name {
            "rbac" => include_str!("../data/kubeadm/addons/rbac.yaml"),
            "coredns" => include_str!("../data/kubeadm/addons/coredns.yaml"),
            "kube-proxy" => include_str!("../data/kubeadm/addons/kube-proxy.yaml"),
            _ => include_str!("../data/kubeadm/addons/config.yaml"),
        })
    }

    fn fill(&self, template: &str) -> String {
        template
            .replace("{ip}", &self.ip.to_string())
            .replace("{name}", &self.node)
            .replace("{release}", &self.version)
            .replace("{etcd}", self.release.etcd)
            .replace("{coredns}", self.release.coredns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_has_its_images() {
        let plan = Plan::new("v1.35.6", "controlplane", Ipv4Addr::new(172, 30, 1, 2));
        let images: Vec<String> = COMPONENTS
            .iter()
            .map(|name| {
                let manifest = plan.manifest(name);
                let line = manifest.lines().find(|line| line.contains("image: "));
                line.unwrap_or_default().trim().to_owned()
            })
            .collect();
        assert_eq!(
            images,
            [
                "image: registry.k8s.io/etcd:3.6.6-0",
                "image: registry.k8s.io/kube-apiserver:v1.35.6",
                "image: registry.k8s.io/kube-controller-manager:v1.35.6",
                "image: registry.k8s.io/kube-scheduler:v1.35.6",
            ]
        );
        assert!(plan.addon("coredns").contains("coredns/coredns:v1.13.1"));
        for text in COMPONENTS.map(|name| plan.manifest(name)) {
            assert!(!text.contains('{') || text.contains("{}"), "{text}");
        }
    }
}
