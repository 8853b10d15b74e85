//! The pods of a DaemonSet.
//! Models pkg/controller/daemon/util/daemonset_util.go.

use api::kinds::daemonset::TEMPLATE_GENERATION;
use api::kinds::support::node_affinity::REQUIRED;
use api::{Value, object};
use client::DAEMON_SETS;

use crate::history::REVISION_HASH;
use crate::pods;

const POD_GENERATION: &str = "pod-template-generation";

/// What every pod of a DaemonSet tolerates: it is to run on nodes that are in trouble, too.
const TOLERATED: [(&str, &str); 6] = [
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
];
/// And what those in the node's own network tolerate: one of them may be what brings the network.
const NETWORK: (&str, &str) = ("node.kubernetes.io/network-unavailable", "NoSchedule");

/// The tolerations of a template's pods.
pub(super) fn tolerations(spec: &Value) -> Vec<Value> {
    let mut all = spec.get("tolerations").list().to_vec();
    let network = spec.bool_at("hostNetwork").then_some(NETWORK);
    for (key, effect) in TOLERATED.into_iter().chain(network) {
        let same = |known: &&mut Value| known.str("key") == key && known.str("effect") == effect;
        let toleration = object! { "key": key, "operator": "Exists", "effect": effect };
        match all.iter_mut().find(same) {
            Some(known) => *known = toleration,
            None => all.push(toleration),
        }
    }
    all
}

/// A pod for a node, as the template says.
pub(super) fn on_node(set: &Value, hash: &str, node: &str) -> Value {
    let template = set.at("spec.template");
    let mut metadata = object! {
        "generateName": (format!("{}-", set.name())),
        "namespace": (set.namespace()),
        "ownerReferences": [(pods::owner_reference(&DAEMON_SETS, set))],
    };
    for field in ["labels", "annotations", "finalizers"] {
        metadata.set_or_remove(field, template.metadata().get(field));
    }
    metadata.set_path(&["labels", REVISION_HASH], hash);
    let generation = set.annotation(TEMPLATE_GENERATION);
    if !generation.is_empty() {
        metadata.set_path(&["labels", POD_GENERATION], generation);
    }
    let mut spec = template.get("spec").clone();
    spec.set("tolerations", tolerations(&spec));
    let named = object! { "key": "metadata.name", "operator": "In", "values": [node] };
    let terms = object! { "nodeSelectorTerms": [{ "matchFields": [named] }] };
    // The node was chosen by what stood here; now only its name counts.
    spec.set_path(&["affinity", REQUIRED[0], REQUIRED[1]], terms);
    object! { "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec }
}

/// The node a pod is on, or is meant for.
pub(super) fn target_node(pod: &Value) -> &str {
    let bound = pod.str_at("spec.nodeName");
    if !bound.is_empty() {
        return bound;
    }
    let required = pod.at("spec.affinity").at_path(&REQUIRED);
    let terms = required.get("nodeSelectorTerms").list();
    let mut fields = terms.iter().flat_map(|term| term.get("matchFields").list());
    let named = fields.find(|field| field.str("key") == "metadata.name");
    named.map_or("", |field| field.get("values").item(0).as_str())
}
