//! A kubelet changes its own node and the pods on it, and no more.
//!
//! Models plugin/pkg/admission/noderestriction. One difference: a node may come with the label of the
//! control plane's role, since worlds mark their control planes so, where kubeadm does it afterwards.

use std::collections::BTreeSet;

use api::{Map, Status, Value};

use super::Plugin;
use crate::server::ApiServer;
use crate::write::{Deed, Write};

/// The plugin; kubeadm turns it on.
pub(super) const PLUGIN: Plugin = Plugin {
    name: "NodeRestriction",
    on: false,
    validate: admit,
    validate_delete,
    ..Plugin::PLAIN
};

/// Static pods are mirrored with this annotation.
const MIRROR: &str = "kubernetes.io/config.mirror";
/// The role of control planes.
const ROLE: &str = "node-role.kubernetes.io/control-plane";
/// Labels under this domain are for the administrator alone.
const RESTRICTED: &str = "node-restriction.kubernetes.io";

/// The node a request comes from, if it is a kubelet's.
fn node(write: &Write) -> Option<String> {
    let name = write.user.name.strip_prefix("system:node:")?;
    let nodes = write
        .user
        .groups
        .iter()
        .any(|group| &**group == "system:nodes");
    nodes.then(|| name.to_owned())
}

fn admit(
    server: &ApiServer,
    write: &mut Write,
    object: &Value,
    old: Option<&Value>,
) -> Result<(), Status> {
    let Some(node) = node(write) else {
        return Ok(());
    };
    let why = match (write.stored_kind().kind, old) {
        ("Pod", None) if write.subresource.is_empty() => mirror(server, &node, object),
        ("Pod", Some(old)) if write.subresource == "status" => pod_status(&node, object, old),
        ("Pod", Some(_)) => {
            let text = format!(
                "unexpected operation \"UPDATE\", node {node:?} can only create and delete mirror \
                 pods"
            );
            Some(text)
        }
        ("Node", old) => own_node(&node, write.name.as_str(), object, old),
        ("Lease", _) => lease(&node, write),
        ("CSINode", _) if write.name.as_str() != node => {
            Some("can only access CSINode with the same name as the requesting node".to_owned())
        }
        _ => None,
    };
    why.map_or(Ok(()), |why| Err(write.forbidden(why)))
}

fn validate_delete(_: &ApiServer, write: &mut Write, old: &Value) -> Result<(), Status> {
    let Some(node) = node(write) else {
        return Ok(());
    };
    let on = old.str_at("spec.nodeName");
    let evicts = matches!(write.deed, Deed::Evict(_));
    let why = match write.stored_kind().kind {
        "Pod" if on == node => None,
        "Pod" if evicts => Some(format!(
            "node {node} can only evict pods with spec.nodeName set to itself"
        )),
        "Pod" => Some(format!(
            "node {node:?} can only delete pods with spec.nodeName set to itself"
        )),
        "Node" if write.name.as_str() != node => Some(format!(
            "node {node:?} is not allowed to modify node {:?}",
            &*write.name
        )),
        "Lease" => lease(&node, write),
        _ => None,
    };
    why.map_or(Ok(()), |why| Err(write.forbidden(why)))
}

/// What is wrong with a pod that a kubelet makes: only static pods may be shown so.
fn mirror(server: &ApiServer, node: &str, pod: &Value) -> Option<String> {
    if !pod.annotations().contains_key(MIRROR) {
        return Some(format!(
            "pod does not have {MIRROR:?} annotation, node {node:?} can only create mirror pods"
        ));
    }
    if pod.str_at("spec.nodeName") != node {
        return Some(format!(
            "node {node:?} can only create pods with spec.nodeName set to itself"
        ));
    }
    let owner = match pod.list_at("metadata.ownerReferences") {
        [owner] => owner,
        [] => {
            return Some(format!(
                "node {node:?} can only create pods with an owner reference set to itself"
            ));
        }
        _ => {
            return Some(format!(
                "node {node:?} can only create pods with a single owner reference set to itself"
            ));
        }
    };
    if (
        owner.str("apiVersion"),
        owner.str("kind"),
        owner.str("name"),
    ) != ("v1", "Node", node)
    {
        return Some(format!(
            "node {node:?} can only create pods with an owner reference set to itself"
        ));
    }
    if owner.get("controller").as_bool() != Some(true) {
        return Some(format!(
            "node {node:?} can only create pods with a controller owner reference set to itself"
        ));
    }
    if let Some(found) = server.resources.lookup("", "nodes", node)
        && found.value.uid() != owner.str("uid")
    {
        let (wanted, given) = (owner.str("uid"), found.value.uid());
        return Some(format!(
            "node {node} UID mismatch: expected {wanted} got {given}"
        ));
    }
    let volumes = pod.list_at("spec.volumes");
    let has = |source: &str| volumes.iter().any(|volume| volume.get(source).is_map());
    let account = !pod.str_at("spec.serviceAccountName").is_empty();
    let what = [
        (account, "a service account"),
        (has("secret"), "secrets"),
        (has("configMap"), "configmaps"),
        (has("persistentVolumeClaim"), "persistentvolumeclaims"),
    ];
    let bad = what.into_iter().find(|(bad, _)| *bad)?.1;
    Some(format!(
        "node {node:?} can not create pods that reference {bad}"
    ))
}

fn pod_status(node: &str, pod: &Value, old: &Value) -> Option<String> {
    if old.str_at("spec.nodeName") != node {
        return Some(format!(
            "node {node:?} can only update pod status for pods with spec.nodeName set to itself"
        ));
    }
    let same = pod.labels() == old.labels();
    (!same).then(|| format!("node {node:?} cannot update labels through pod status"))
}

fn own_node(node: &str, name: &str, object: &Value, old: Option<&Value>) -> Option<String> {
    if name != node {
        return Some(format!(
            "node {node:?} is not allowed to modify node {name:?}"
        ));
    }
    let empty = Map::new();
    let before = old.map_or(&empty, |old| old.labels());
    let mut given = object.labels().clone();
    if old.is_none() {
        given.remove(ROLE);
    }
    let labels = forbidden_labels(&given, before);
    match old {
        None if !labels.is_empty() => Some(format!(
            "node {node:?} is not allowed to set the following labels: {labels}"
        )),
        Some(old) if object.list_at("spec.taints") != old.list_at("spec.taints") => {
            Some(format!("node {node:?} is not allowed to modify taints"))
        }
        Some(_) if !labels.is_empty() => Some(format!("is not allowed to modify labels: {labels}")),
        _ => None,
    }
}

/// The labels that differ and are none of a kubelet's business, in one line.
fn forbidden_labels(new: &Map, old: &Map) -> String {
    let changed = |(key, _): &(&api::Str, &Value)| new.get(key) != old.get(key);
    let keys: BTreeSet<&str> = new
        .iter()
        .chain(old.iter())
        .filter(changed)
        .map(|(key, _)| key.as_str())
        .filter(|key| is_forbidden(key))
        .collect();
    keys.into_iter().collect::<Vec<_>>().join(", ")
}

fn is_forbidden(key: &str) -> bool {
    const OWN: [&str; 10] = [
        "kubernetes.io/hostname",
        "kubernetes.io/os",
        "kubernetes.io/arch",
        "beta.kubernetes.io/os",
        "beta.kubernetes.io/arch",
        "node.kubernetes.io/instance-type",
        "beta.kubernetes.io/instance-type",
        "topology.kubernetes.io/zone",
        "topology.kubernetes.io/region",
        "node.kubernetes.io/windows-build",
    ];
    const OWN_DOMAINS: [&str; 2] = ["kubelet.kubernetes.io", "node.kubernetes.io"];
    let domain = key.split_once('/').map_or("", |(domain, _)| domain);
    let under = |root: &str| domain == root || domain.ends_with(&format!(".{root}"));
    if under(RESTRICTED) {
        return true;
    }
    let failure_domain = domain == "failure-domain.beta.kubernetes.io";
    let own = OWN.contains(&key) || failure_domain || OWN_DOMAINS.into_iter().any(under);
    (under("kubernetes.io") || under("k8s.io")) && !own
}

fn lease(node: &str, write: &Write) -> Option<String> {
    let home = "kube-node-lease";
    if write.namespace.as_str() != home {
        return Some(format!(
            "can only access leases in the {home:?} system namespace"
        ));
    }
    (write.name.as_str() != node)
        .then(|| "can only access node lease with the same name as the requesting node".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_the_administrator() {
        for (key, expect) in [
            ("kubernetes.io/hostname", false),
            ("team", false),
            ("example.com/x", false),
            (
                "node.kubernetes.io/exclude-from-external-load-balancers",
                false,
            ),
            ("node-restriction.kubernetes.io/x", true),
            ("a.node-restriction.kubernetes.io/x", true),
            ("node-role.kubernetes.io/control-plane", true),
            ("k8s.io/x", true),
        ] {
            assert_eq!(is_forbidden(key), expect, "{key}");
        }
    }
}
