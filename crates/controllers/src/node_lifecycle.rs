//! Watches whether nodes are alive: marks those that went silent, taints nodes by their conditions,
//! and evicts pods that do not tolerate it.
//! Models pkg/controller/nodelifecycle/node_lifecycle_controller.go and pkg/controller/tainteviction.

use std::collections::BTreeMap;

use api::kinds::support::{conditions, pods, taints};
use api::{Value, object};
use client::{DeleteOptions, Delta, Index, Involved, Key, LEASES, NODES, PODS, Patch, Resource};
use sim::{Duration, Instant};

use crate::controller::{Agenda, Controller, Cx, Saying};

/// `--node-monitor-grace-period`: silence for so long makes a node's state unknown.
const GRACE: Duration = Duration::from_secs(50);
const LEASE_NAMESPACE: &str = "kube-node-lease";
const NOT_READY: &str = "node.kubernetes.io/not-ready";
const UNREACHABLE: &str = "node.kubernetes.io/unreachable";
const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

/// Conditions that become taints while they are `True`.
const PRESSURES: [(&str, &str); 4] = [
    ("MemoryPressure", "node.kubernetes.io/memory-pressure"),
    ("DiskPressure", "node.kubernetes.io/disk-pressure"),
    ("PIDPressure", "node.kubernetes.io/pid-pressure"),
    (
        "NetworkUnavailable",
        "node.kubernetes.io/network-unavailable",
    ),
];

/// The controller. Keys of nodes have no namespace; those of pods have one.
#[derive(Clone, Debug, Default)]
pub struct NodeLifecycleController {
    /// When each node was last heard of, and by which renewal.
    heard: BTreeMap<Key, (String, Instant)>,
}

impl Controller for NodeLifecycleController {
    fn name(&self) -> &'static str {
        "node-controller"
    }

    fn watches(&self) -> Vec<(Resource, &'static [Index])> {
        vec![(NODES, &[]), (LEASES, &[]), (PODS, &[Index::Node])]
    }

    fn on_delta(&mut self, agenda: &mut Agenda<'_>, resource: &Resource, delta: &Delta) {
        if *resource == NODES {
            if delta.new.is_none() {
                self.heard.remove(&delta.key);
            }
            if delta.changed("spec") || delta.changed("status.conditions") {
                agenda.add(delta.key.clone());
                if delta.changed("spec.taints") {
                    let pods = agenda.cache(&PODS).keys_by(Index::Node, &delta.key.name);
                    pods.cloned()
                        .collect::<Vec<_>>()
                        .into_iter()
                        .for_each(|key| agenda.add(key));
                }
            }
        } else if *resource == LEASES {
            if &*delta.key.namespace == LEASE_NAMESPACE {
                let node = Key::new("", &delta.key.name);
                let renewed = delta.object().str_at("spec.renewTime").to_owned();
                self.heard.insert(node.clone(), (renewed, agenda.now));
                agenda.add_after(node, GRACE);
            }
        } else if delta.new.is_some() && delta.changed("spec.nodeName") {
            agenda.add(delta.key.clone());
        }
    }

    fn sync(&mut self, cx: &mut Cx<'_>, key: &Key) {
        if !key.namespace.is_empty() {
            evict(cx, key);
            return;
        }
        let Some(node) = cx.cache(&NODES).get(key).cloned() else {
            return;
        };
        let now = cx.now;
        let (_, heard) = self
            .heard
            .entry(key.clone())
            .or_insert((String::new(), now));
        let silent = now.since(*heard) >= GRACE;
        if silent {
            if conditions::status(&node, "Ready") != "Unknown" {
                mark_unknown(cx, key, &node);
                return;
            }
        } else {
            let left = GRACE - now.since(*heard);
            cx.requeue_after(left);
        }
        sync_taints(cx, key, &node);
    }

    fn boxed_clone(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}

/// All conditions the kubelet keeps become Unknown, and its pods count as not ready.
fn mark_unknown(cx: &mut Cx<'_>, key: &Key, node: &Value) {
    let now = cx.now.rfc3339();
    let unknown: Vec<Value> = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"]
        .into_iter()
        .filter(|kind| conditions::status(node, kind) != "Unknown")
        .map(|kind| {
            object!({
                "type": (kind),
                "status": "Unknown",
                "reason": "NodeStatusUnknown",
                "message": "Kubelet stopped posting node status.",
                "lastTransitionTime": (now.as_str()),
            })
        })
        .collect();
    let patch = object!({ "status": { "conditions": (unknown) } });
    let involved = Involved::of(&NODES, node);
    cx.patch(&NODES, key, "status", Patch::Strategic, patch)
        .says(Saying::normal(
            &involved,
            "NodeNotReady",
            format!("Node {} status is now: NodeNotReady", node.name()),
        ));
    let stranded: Vec<Value> = cx
        .cache(&PODS)
        .by(Index::Node, node.name())
        .cloned()
        .collect();
    for pod in stranded
        .iter()
        .filter(|pod| conditions::is_true(pod, "Ready"))
    {
        let condition = object!({
            "type": "Ready",
            "status": "False",
            "lastTransitionTime": (now.as_str()),
        });
        let patch = object!({ "status": { "conditions": [(condition)] } });
        let involved = Involved::of(&PODS, pod);
        cx.patch(&PODS, &Key::of(pod), "status", Patch::Strategic, patch)
            .says(Saying::warning(
                &involved,
                "NodeNotReady",
                "Node is not ready",
            ));
    }
}

/// Makes the taints this controller owns those that the node's state asks for.
fn sync_taints(cx: &mut Cx<'_>, key: &Key, node: &Value) {
    let mut wanted: Vec<(&str, &str)> = Vec::new();
    match conditions::status(node, "Ready") {
        "True" => {}
        "Unknown" => wanted.extend([(UNREACHABLE, "NoSchedule"), (UNREACHABLE, "NoExecute")]),
        _ => wanted.extend([(NOT_READY, "NoSchedule"), (NOT_READY, "NoExecute")]),
    }
    for (condition, taint) in PRESSURES {
        if conditions::is_true(node, condition) {
            wanted.push((taint, "NoSchedule"));
        }
    }
    if node.bool_at("spec.unschedulable") {
        wanted.push((UNSCHEDULABLE, "NoSchedule"));
    }
    let own = |key: &str| {
        [NOT_READY, UNREACHABLE, UNSCHEDULABLE].contains(&key)
            || PRESSURES.iter().any(|(_, taint)| *taint == key)
    };
    let current = node.list_at("spec.taints");
    let pair = |taint: &Value| {
        (
            taint.str_at("key").to_owned(),
            taint.str_at("effect").to_owned(),
        )
    };
    let keep = |taint: &&Value| {
        let (key, effect) = pair(taint);
        !own(&key) || wanted.contains(&(key.as_str(), effect.as_str()))
    };
    let mut new: Vec<Value> = current.iter().filter(keep).cloned().collect();
    for (taint, effect) in wanted {
        let known = new
            .iter()
            .any(|t| t.str_at("key") == taint && t.str_at("effect") == effect);
        if !known {
            let mut made = object!({ "effect": (effect), "key": (taint) });
            if effect == "NoExecute" {
                made.set("timeAdded", cx.now.rfc3339());
            }
            new.push(made);
        }
    }
    if new.as_slice() == current {
        return;
    }
    let mut updated = node.clone();
    if new.is_empty() {
        updated.remove("spec.taints");
    } else {
        updated.set("spec.taints", Value::from(new));
    }
    let patch = object!({ "spec": { "taints": (updated.at("spec.taints")) } });
    let mut patch = patch;
    patch.set("metadata.resourceVersion", node.resource_version());
    cx.patch(&NODES, key, "", Patch::Merge, patch);
}

/// Deletes a pod that does not tolerate a `NoExecute` taint of its node, when its time is up.
fn evict(cx: &mut Cx<'_>, key: &Key) {
    let Some(pod) = cx.cache(&PODS).get(key).cloned() else {
        return;
    };
    let Some(node) = cx.cache(&NODES).named("", pods::node_name(&pod)).cloned() else {
        return;
    };
    if pod.is_terminating() || pods::is_mirror(&pod) {
        return;
    }
    let tolerations = pod.list_at("spec.tolerations");
    let mut due: Option<Instant> = None;
    for taint in node
        .list_at("spec.taints")
        .iter()
        .filter(|t| t.str_at("effect") == "NoExecute")
    {
        let added = Instant::parse_rfc3339(taint.str_at("timeAdded")).unwrap_or(cx.now);
        let matching: Vec<&Value> = tolerations
            .iter()
            .filter(|toleration| taints::tolerates(toleration, taint))
            .collect();
        let shortest = matching
            .iter()
            .filter_map(|toleration| toleration.i64_at("tolerationSeconds"))
            .map(|seconds| u64::try_from(seconds).unwrap_or(0))
            .min();
        let end = match (matching.is_empty(), shortest) {
            (true, _) => added,
            (false, Some(seconds)) => added + Duration::from_secs(seconds),
            (false, None) => continue,
        };
        due = Some(due.map_or(end, |known| known.min(end)));
    }
    match due {
        None => {}
        Some(at) if at > cx.now => cx.requeue_after(at.since(cx.now)),
        Some(_) => {
            let involved = Involved::of(&PODS, &pod);
            cx.delete(&PODS, &pod, DeleteOptions::default())
                .says(Saying::normal(
                    &involved,
                    "TaintManagerEviction",
                    format!("Marking for deletion Pod {}", pod.key()),
                ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    fn node(name: &str) -> Value {
        object!({
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": { "name": (name) },
            "spec": {},
            "status": { "conditions": [{ "type": "Ready", "status": "True" }] },
        })
    }

    fn lease(name: &str, renewed: &str) -> Value {
        object!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": { "name": (name), "namespace": (LEASE_NAMESPACE) },
            "spec": { "renewTime": (renewed) },
        })
    }

    fn taints_of(bench: &Bench, name: &str) -> Vec<String> {
        let node = bench.get(&NODES, "", name);
        node.list_at("spec.taints")
            .iter()
            .map(taints::to_string)
            .collect()
    }

    #[test]
    fn a_silent_node_becomes_unknown_and_is_tainted_until_it_speaks() {
        let mut bench = Bench::new(vec![Box::new(NodeLifecycleController::default())]);
        bench.put(&NODES, node("a"));
        bench.put(&LEASES, lease("a", "2026-01-05T09:00:01Z"));
        bench.pass_secs(49);
        assert_eq!(
            conditions::status(&bench.get(&NODES, "", "a"), "Ready"),
            "True"
        );
        bench.pass_secs(2);
        assert_eq!(
            conditions::status(&bench.get(&NODES, "", "a"), "Ready"),
            "Unknown"
        );
        assert_eq!(
            taints_of(&bench, "a"),
            [
                format!("{UNREACHABLE}:NoSchedule"),
                format!("{UNREACHABLE}:NoExecute")
            ]
        );
        bench.put(&LEASES, lease("a", "2026-01-05T09:01:00Z"));
        bench.change(&NODES, ("", "a"), |node| {
            node.set(
                "status.conditions",
                Value::from(vec![object!({ "type": "Ready", "status": "True" })]),
            );
        });
        assert!(taints_of(&bench, "a").is_empty());
    }

    #[test]
    fn pods_are_evicted_when_they_tolerate_it_no_longer() {
        let mut bench = Bench::new(vec![Box::new(NodeLifecycleController::default())]);
        let mut tainted = node("a");
        tainted.set(
            "status.conditions",
            Value::from(vec![object!({ "type": "Ready", "status": "False" })]),
        );
        bench.put(&NODES, tainted);
        bench.put(
            &PODS,
            object!({
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": { "name": "p", "namespace": "default" },
                "spec": {
                    "nodeName": "a",
                    "tolerations": [{
                        "key": (NOT_READY),
                        "operator": "Exists",
                        "effect": "NoExecute",
                        "tolerationSeconds": 300,
                    }],
                },
            }),
        );
        let alive = |bench: &Bench| {
            bench
                .find(&PODS, "default", "p")
                .is_some_and(|pod| !pod.is_terminating())
        };
        for second in 0..29 {
            bench.put(
                &LEASES,
                lease("a", &format!("2026-01-05T09:00:{second:02}Z")),
            );
            bench.pass_secs(10);
        }
        assert!(alive(&bench));
        bench.pass_secs(20);
        assert!(!alive(&bench));
    }
}
