//! A node must have left what a pod asks for; nodes with the most left come first
//! (`LeastAllocated`).
//! Models plugins/noderesources/fit.go and least_allocated.go.

use std::borrow::Cow;

use crate::framework::{ClusterEvent, EventKind, MAX_SCORE, Plugin, PreScore, Rejection, State};
use crate::{Cluster, NodeInfo, PodInfo};

/// The plugin.
pub(super) struct NodeResourcesFit;

/// What a node lacks for a pod, in upstream's order.
fn lacking(pod: &PodInfo, node: &NodeInfo) -> Option<Rejection> {
    let mut rejection = Rejection {
        reasons: Vec::new(),
        resolvable: true,
    };
    if i64::try_from(node.pods.len()).unwrap_or(i64::MAX) + 1 > node.allocatable_pods {
        rejection.reasons.push("Too many pods".into());
    }
    let (asked, has, used) = (
        &pod.requests.asked,
        &node.allocatable,
        &node.requested.asked,
    );
    let mut check = |reason: Cow<'static, str>, asked: i64, has: i64, used: i64| {
        if asked > 0 && asked > has - used {
            rejection.reasons.push(reason);
            rejection.resolvable &= asked <= has;
        }
    };
    check(
        "Insufficient cpu".into(),
        asked.milli_cpu,
        has.milli_cpu,
        used.milli_cpu,
    );
    check(
        "Insufficient memory".into(),
        asked.memory,
        has.memory,
        used.memory,
    );
    check(
        "Insufficient ephemeral-storage".into(),
        asked.ephemeral_storage,
        has.ephemeral_storage,
        used.ephemeral_storage,
    );
    for (name, amount) in &asked.others {
        let reason = format!("Insufficient {name}");
        check(reason.into(), *amount, has.other(name), used.other(name));
    }
    (!rejection.reasons.is_empty()).then_some(rejection)
}

impl Plugin for NodeResourcesFit {
    fn name(&self) -> &'static str {
        "NodeResourcesFit"
    }

    fn events(&self) -> &'static [EventKind] {
        &[
            EventKind::AssignedPodDeleted,
            EventKind::NodeAdded,
            EventKind::NodeAllocatable,
            EventKind::PodItself,
        ]
    }

    fn could_help(&self, pod: &PodInfo, event: &ClusterEvent<'_>) -> bool {
        // A node must be large enough at all; a pod that leaves must leave something.
        event.node.is_none_or(|node| {
            let mut empty = node.clone();
            empty.pods.clear();
            empty.requested = crate::Requests::default();
            lacking(pod, &empty).is_none()
        })
    }

    fn filter(&self, _: &State, pod: &PodInfo, node: &NodeInfo) -> Result<(), Rejection> {
        lacking(pod, node).map_or(Ok(()), Err)
    }

    fn pre_score(&self, _: &PodInfo, _: &[&NodeInfo], _: &Cluster) -> PreScore {
        PreScore::Proceed(State::default())
    }

    /// The mean of what would be left of CPU and of memory, in percent.
    fn score(&self, _: &State, pod: &PodInfo, node: &NodeInfo) -> i64 {
        let (asked, has, used) = (
            &pod.requests.assumed,
            &node.allocatable,
            &node.requested.assumed,
        );
        let left = |has: i64, used: i64| {
            if has == 0 || used > has {
                0
            } else {
                (has - used) * MAX_SCORE / has
            }
        };
        let cpu = left(has.milli_cpu, used.milli_cpu + asked.milli_cpu);
        let memory = left(has.memory, used.memory + asked.memory);
        let kinds = i64::from(has.milli_cpu > 0) + i64::from(has.memory > 0);
        (cpu + memory).checked_div(kinds).unwrap_or(0)
    }
}
