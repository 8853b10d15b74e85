//! What controllers ask of a node and write to it.

use api::{Str, Value, object};
use client::{Key, NODES, Patch};

use crate::controller::Cx;

/// Taints the node lifecycle writes.
pub(crate) const NOT_READY: &str = "node.kubernetes.io/not-ready";
pub(crate) const UNREACHABLE: &str = "node.kubernetes.io/unreachable";
pub(crate) const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";
pub(crate) const NO_SCHEDULE: &str = "NoSchedule";
pub(crate) const NO_EXECUTE: &str = "NoExecute";

/// A taint by key and effect.
pub(crate) type TaintKey = (&'static str, &'static str);

/// Whether a node has a taint.
pub(crate) fn has_taint(node: &Value, (key, effect): TaintKey) -> bool {
    let mut taints = node.list_at("spec.taints").iter();
    taints.any(|taint| taint.str("key") == key && taint.str("effect") == effect)
}

/// Adds some taints and takes others away, if that changes anything.
pub(crate) fn swap_taints(cx: &mut Cx<'_>, node: &Value, add: &[TaintKey], remove: &[TaintKey]) {
    let missing: Vec<&TaintKey> = add
        .iter()
        .filter(|taint| !has_taint(node, **taint))
        .collect();
    if missing.is_empty() && !remove.iter().any(|taint| has_taint(node, *taint)) {
        return;
    }
    let is_removed = |taint: &Value| {
        let (key, effect) = (taint.str("key"), taint.str("effect"));
        remove.iter().any(|(k, e)| *k == key && *e == effect)
    };
    let kept = node
        .list_at("spec.taints")
        .iter()
        .filter(|taint| !is_removed(taint))
        .cloned();
    let mut taints: Vec<Value> = kept.collect();
    for (key, effect) in missing {
        let now = cx.now.rfc3339();
        taints.push(object! { "key": *key, "effect": *effect, "timeAdded": now });
    }
    // The list is replaced as a whole: the version makes sure that nobody's taint is lost.
    let taints = if taints.is_empty() {
        Value::Null
    } else {
        Value::list_of(taints)
    };
    let document = object! {
        "metadata": { "resourceVersion": (node.resource_version()) },
        "spec": { "taints": taints },
    };
    cx.patch(&NODES, &Key::of(node), "", Patch::Merge, document);
}

/// The status of the `Ready` condition: `True`, `False`, `Unknown`; empty if there is none.
pub(crate) fn ready_status(node: &Value) -> &str {
    crate::pods::condition(node, "Ready").map_or("", |condition| condition.str("status"))
}

/// The key of a node's name.
pub(crate) fn key(name: &str) -> Key {
    Key::new(Str::default(), name)
}
