//! Whether a cluster is ready for use, and what it still lacks.

use api::Value;

use crate::objects::Objects;
use crate::spec::{Role, WorldSpec};

const CONTROL_PLANE: [&str; 4] = [
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
];

/// The first thing missing, in the order in which things come.
pub(crate) fn missing(spec: &WorldSpec, objects: &Objects) -> Option<String> {
    let members = || spec.nodes.iter().filter(|node| node.role != Role::Plain);
    let control_plane = members().find(|node| node.role == Role::ControlPlane)?;
    for component in CONTROL_PLANE {
        let pod = format!("{component}-{}", control_plane.name);
        let ready = objects
            .get("pods", "kube-system", &pod)
            .is_some_and(|pod| is_true(&pod, "Ready"));
        if !ready {
            return Some(format!("pod kube-system/{pod} is not ready"));
        }
    }
    for node in members() {
        let object = objects.get("nodes", "", &node.name);
        match object {
            None => return Some(format!("node {} has not registered", node.name)),
            Some(object) if !is_true(&object, "Ready") => {
                return Some(format!("node {} is not ready", node.name));
            }
            Some(object)
                if object
                    .list_at("spec.taints")
                    .iter()
                    .any(|taint| taint.str_at("key").starts_with("node.kubernetes.io/")) =>
            {
                return Some(format!("node {} is still tainted", node.name));
            }
            Some(_) => {}
        }
    }
    for node in members() {
        let pods = objects.list("pods");
        let proxies = pods.iter().any(|pod| {
            pod.namespace() == "kube-system"
                && pod.label("k8s-app") == "kube-proxy"
                && pod.str_at("spec.nodeName") == &*node.name
                && is_true(pod, "Ready")
        });
        if !proxies {
            return Some(format!("kube-proxy is not ready on {}", node.name));
        }
    }
    let dns = objects.get("deployments", "kube-system", "coredns");
    let dns = dns.unwrap_or_default();
    let (ready, wanted) = (dns.at("status.readyReplicas"), dns.at("spec.replicas"));
    if ready.as_i64().is_none() || ready.as_i64() < wanted.as_i64() {
        return Some("CoreDNS is not ready".to_owned());
    }
    if objects
        .get("serviceaccounts", "default", "default")
        .is_none()
    {
        return Some("the default service account is not there".to_owned());
    }
    None
}

fn is_true(object: &Value, condition: &str) -> bool {
    object
        .list_at("status.conditions")
        .iter()
        .any(|c| c.str_at("type") == condition && c.str_at("status") == "True")
}
