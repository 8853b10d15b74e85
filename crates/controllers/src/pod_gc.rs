//! Deletes pods that nobody else will: those whose node is gone, those that terminate without ever
//! having had a node, and the oldest of too many finished ones.
//! Models pkg/controller/podgc/gc_controller.go.

use api::{Str, Value, object};
use client::{DeleteOptions, Delta, Index, Key, NODES, PODS, Patch, Resource};
use imbl::OrdMap;
use sim::{Duration, Instant};

use crate::controller::{Agenda, Controller, Cx};
use crate::{nodes, pods};

const PERIOD: Duration = Duration::from_secs(20);
/// A node is missed for so long before its pods are given up.
const QUARANTINE: Duration = Duration::from_secs(40);
/// `--terminated-pod-gc-threshold`
const MOST_FINISHED: usize = 12_500;

/// The controller. It has one key, and comes round every 20 seconds.
#[derive(Clone, Debug, Default)]
pub struct PodGcController {
    /// Nodes that pods name and nobody knows, and since when that was noticed.
    missed: OrdMap<Str, Instant>,
}

impl Controller for PodGcController {
    fn name(&self) -> &'static str {
        "pod-garbage-collector-controller"
    }

    fn watches(&self) -> Vec<(Resource, &'static [Index])> {
        vec![(PODS, &[Index::Node]), (NODES, &[])]
    }

    fn start(&mut self, agenda: &mut Agenda<'_>) {
        agenda.add(Key::default());
    }

    fn on_delta(&mut self, _: &mut Agenda<'_>, _: &Resource, _: &Delta) {}

    fn sync(&mut self, cx: &mut Cx<'_>, _: &Key) {
        self.miss_nodes(cx);
        let now = cx.now;
        for (node, _) in self
            .missed
            .iter()
            .filter(|(_, since)| **since + QUARANTINE <= now)
        {
            for pod in cx.cache(&PODS).by(Index::Node, node) {
                give_up(cx, pod, Some("PodGC: node no longer exists"));
            }
        }
        for pod in cx
            .cache(&PODS)
            .by(Index::Node, "")
            .filter(|pod| pod.is_terminating())
        {
            give_up(cx, pod, None);
        }
        let finished: Vec<&Value> = cx
            .cache(&PODS)
            .iter()
            .map(|(_, pod)| pod)
            .filter(|pod| pods::is_finished(pod))
            .collect();
        if finished.len() > MOST_FINISHED {
            let surplus = finished.len() - MOST_FINISHED;
            let mut oldest = finished;
            oldest.sort_by_key(|pod| (pod.creation_timestamp(), pod.namespace(), pod.name()));
            for pod in oldest.into_iter().take(surplus) {
                give_up(cx, pod, None);
            }
        }
        cx.requeue_after(PERIOD);
    }

    fn boxed_clone(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}

impl PodGcController {
    fn miss_nodes(&mut self, cx: &Cx<'_>) {
        let mut missed = OrdMap::new();
        for (_, pod) in cx.cache(&PODS).iter() {
            let node = pod.get("spec").get("nodeName");
            let Some(name) = node.as_shared_str().filter(|name| !name.is_empty()) else {
                continue;
            };
            if cx.cache(&NODES).get(&nodes::key(name)).is_none() {
                let since = self.missed.get(name).copied().unwrap_or(cx.now);
                missed.insert(name.clone(), since);
            }
        }
        self.missed = missed;
    }
}

/// Deletes a pod without waiting for a kubelet. `why` is told in its status.
fn give_up(cx: &mut Cx<'_>, pod: &Value, why: Option<&str>) {
    if let Some(why) = why.filter(|_| !pods::is_finished(pod)) {
        let condition = object! {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "DeletionByPodGC",
            "message": why,
            "observedGeneration": (pod.generation()),
            "lastProbeTime": null,
            "lastTransitionTime": (cx.now.rfc3339()),
        };
        let document = object! {
            "metadata": { "uid": (pod.uid()) },
            "status": { "phase": "Failed", "conditions": [condition] },
        };
        cx.patch(&PODS, &Key::of(pod), "status", Patch::Strategic, document);
    }
    cx.delete(&PODS, pod, DeleteOptions::default().with_grace(0));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    #[test]
    fn pods_of_no_node_are_given_up() {
        let mut bench = Bench::new(vec![Box::new(PodGcController::default())]);
        bench.put(&NODES, object! { "metadata": { "name": "node01" } });
        for (name, node) in [("here", "node01"), ("lost", "node99")] {
            bench.put(&PODS, object! {
                "metadata": { "name": name, "namespace": "default" }, "spec": { "nodeName": node },
            });
        }
        bench.pass_secs(59);
        assert_eq!(bench.list(&PODS).len(), 2);
        bench.pass_secs(10);
        assert!(bench.find(&PODS, "default", "lost").is_none());
        assert!(bench.find(&PODS, "default", "here").is_some());
    }
}
