//! Deletes pods from nodes with `NoExecute` taints, at once or when their tolerations run out.
//! Models pkg/controller/tainteviction/taint_eviction.go.

use api::{Value, object};
use client::{DeleteOptions, Delta, Index, Involved, Key, NODES, PODS, Patch, Resource};
use imbl::OrdMap;
use sim::{Duration, Instant};

use crate::controller::{Agenda, Controller, Cx, Saying};
use crate::nodes::{self, NO_EXECUTE};

/// The controller. Keys are pods.
#[derive(Clone, Debug, Default)]
pub struct TaintEvictionController {
    /// Since when each pod that tolerates its node's taints for a while has had to.
    since: OrdMap<Key, Instant>,
}

/// How long a pod may stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stay {
    Forever,
    For(Duration),
    No,
}

impl Controller for TaintEvictionController {
    fn name(&self) -> &'static str {
        "taint-eviction-controller"
    }

    fn watches(&self) -> Vec<(Resource, &'static [Index])> {
        vec![(NODES, &[]), (PODS, &[Index::Node])]
    }

    fn on_delta(&mut self, agenda: &mut Agenda<'_>, resource: &Resource, delta: &Delta) {
        if *resource == PODS {
            let relevant = ["spec.nodeName", "spec.tolerations", "metadata.uid"];
            let node = delta.object().str_at("spec.nodeName");
            let node = agenda.cache(&NODES).named("", node);
            let concerned = self.since.contains_key(&delta.key) || node.is_some_and(evicts);
            if concerned && relevant.into_iter().any(|path| delta.changed(path)) {
                agenda.add(delta.key.clone());
            }
        } else if delta.changed("spec.taints") {
            let versions = delta.old.iter().chain(&delta.new);
            if versions.into_iter().any(evicts) {
                for key in agenda.cache(&PODS).keys_by(Index::Node, &delta.key.name) {
                    agenda.add(key.clone());
                }
            }
        }
    }

    fn sync(&mut self, cx: &mut Cx<'_>, key: &Key) {
        let Some(pod) = cx.cache(&PODS).get(key).cloned() else {
            self.since.remove(key);
            return;
        };
        if pod.is_terminating() {
            self.since.remove(key);
            return;
        }
        let node = cx
            .cache(&NODES)
            .get(&nodes::key(pod.str_at("spec.nodeName")));
        match node.map_or(Stay::Forever, |node| stay(&pod, node)) {
            Stay::Forever => {
                if self.since.remove(key).is_some() {
                    let message = format!("Cancelling deletion of Pod {key}");
                    tell(cx, &pod, message);
                }
            }
            Stay::For(time) => {
                let from = self.since.get(key).copied().unwrap_or(cx.now);
                let at = from + time;
                if at <= cx.now {
                    self.evict(cx, key, &pod);
                } else {
                    self.since.insert(key.clone(), from);
                    cx.requeue_after(at.since(cx.now));
                }
            }
            Stay::No => self.evict(cx, key, &pod),
        }
    }

    fn boxed_clone(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}

impl TaintEvictionController {
    fn evict(&mut self, cx: &mut Cx<'_>, key: &Key, pod: &Value) {
        self.since.remove(key);
        tell(cx, pod, format!("Marking for deletion Pod {key}"));
        let condition = object! {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "DeletionByTaintManager",
            "message": "Taint manager: deleting due to NoExecute taint",
            "observedGeneration": (pod.generation()),
            "lastProbeTime": null,
            "lastTransitionTime": (cx.now.rfc3339()),
        };
        let document = object! {
            "metadata": { "uid": (pod.uid()) }, "status": { "conditions": [condition] },
        };
        cx.patch(&PODS, key, "status", Patch::Strategic, document);
        cx.delete(&PODS, pod, DeleteOptions::default());
    }
}

fn tell(cx: &mut Cx<'_>, pod: &Value, message: String) {
    let involved = Involved::of(&PODS, pod);
    cx.event(Saying::normal(&involved, "TaintManagerEviction", message));
}

fn taints(node: &Value) -> impl Iterator<Item = &Value> {
    node.list_at("spec.taints")
        .iter()
        .filter(|taint| taint.str("effect") == NO_EXECUTE)
}

fn evicts(node: &Value) -> bool {
    taints(node).next().is_some()
}

/// How long a pod tolerates a node's taints: the shortest of the tolerations that are used.
fn stay(pod: &Value, node: &Value) -> Stay {
    let mut stay = Stay::Forever;
    for taint in taints(node) {
        let mut used = pod
            .list_at("spec.tolerations")
            .iter()
            .filter(|t| tolerates(t, taint));
        let Some(first) = used.next() else {
            return Stay::No;
        };
        for toleration in [first].into_iter().chain(used) {
            let Some(secs) = toleration.get("tolerationSeconds").as_i64() else {
                continue;
            };
            let time = Duration::from_secs(u64::try_from(secs).unwrap_or(0));
            stay = match stay {
                _ if time.is_zero() => return Stay::No,
                Stay::For(known) => Stay::For(known.min(time)),
                _ => Stay::For(time),
            };
        }
    }
    stay
}

fn tolerates(toleration: &Value, taint: &Value) -> bool {
    let fits = |field: &str| {
        let wanted = toleration.str(field);
        wanted.is_empty() || wanted == taint.str(field)
    };
    let exists = toleration.str("operator") == "Exists";
    fits("effect") && fits("key") && (exists || toleration.str("value") == taint.str("value"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, check};
    use api::value;

    /// A node, and pods on it that tolerate nothing, everything for a while, and everything.
    fn bench() -> Bench {
        let mut bench = Bench::new(vec![Box::new(TaintEvictionController::default())]);
        bench.put(&NODES, object! { "metadata": { "name": "node02" } });
        let tolerations = [
            ("none", value!([])),
            (
                "while",
                value!([{ "operator": "Exists", "tolerationSeconds": 300 }]),
            ),
            ("all", value!([{ "operator": "Exists" }])),
        ];
        for (name, tolerations) in tolerations {
            bench.put(
                &PODS,
                object! {
                    "metadata": { "name": name, "namespace": "default" },
                    "spec": { "nodeName": "node02", "tolerations": tolerations },
                },
            );
        }
        bench
    }

    fn taint(bench: &mut Bench, taints: Value) {
        bench.change(&NODES, ("", "node02"), |node| {
            node.set("spec.taints", taints)
        });
    }

    fn terminating(bench: &Bench) -> Vec<String> {
        let pods = bench.list(&PODS);
        let gone = pods.iter().filter(|pod| pod.is_terminating());
        gone.map(|pod| pod.name().to_owned()).collect()
    }

    #[test]
    fn pods_go_when_their_tolerations_run_out() {
        let mut bench = bench();
        taint(
            &mut bench,
            value!([{ "key": "evict", "value": "now", "effect": "NoExecute" }]),
        );
        assert_eq!(terminating(&bench), ["none"]);
        check(
            &bench.events(),
            "Normal TaintManagerEviction Marking for deletion Pod default/none",
        );
        let pod = bench.get(&PODS, "default", "none");
        assert_eq!(
            pod.str_at("status.conditions.0.reason"),
            "DeletionByTaintManager"
        );
        bench.pass_secs(299);
        assert_eq!(terminating(&bench), ["none"]);
        bench.pass_secs(1);
        assert_eq!(terminating(&bench), ["none", "while"]);
    }

    #[test]
    fn a_taint_that_goes_away_in_time_is_forgiven() {
        let mut bench = bench();
        taint(
            &mut bench,
            value!([{ "key": "evict", "effect": "NoExecute" }]),
        );
        bench.pass_secs(200);
        bench.events();
        taint(
            &mut bench,
            value!([{ "key": "evict", "effect": "NoSchedule" }]),
        );
        check(
            &bench.events(),
            "Normal TaintManagerEviction Cancelling deletion of Pod default/while",
        );
        bench.pass_secs(200);
        assert_eq!(terminating(&bench), ["none"]);
    }
}
