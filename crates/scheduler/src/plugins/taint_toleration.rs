//! A node with taints takes only pods that tolerate them; nodes whose `PreferNoSchedule` taints are
//! tolerated come first.
//! Models plugins/tainttoleration/taint_toleration.go.

use crate::framework::{
    ClusterEvent, EventKind, Plugin, PreScore, Rejection, State, normalize_by_highest,
};
use crate::{Cluster, NodeInfo, PodInfo};

const REASON: &str = "node(s) had untolerated taint(s)";

/// The plugin.
pub(super) struct TaintToleration;

fn fits(pod: &PodInfo, node: &NodeInfo) -> bool {
    let mut hard = node
        .taints
        .iter()
        .filter(|taint| &*taint.effect != "PreferNoSchedule");
    hard.all(|taint| pod.tolerates(taint))
}

impl Plugin for TaintToleration {
    fn name(&self) -> &'static str {
        "TaintToleration"
    }

    fn events(&self) -> &'static [EventKind] {
        &[
            EventKind::NodeAdded,
            EventKind::NodeTaints,
            EventKind::PodItself,
        ]
    }

    fn could_help(&self, pod: &PodInfo, event: &ClusterEvent<'_>) -> bool {
        event.node.is_none_or(|node| fits(pod, node))
    }

    fn filter(&self, _: &State, pod: &PodInfo, node: &NodeInfo) -> Result<(), Rejection> {
        if fits(pod, node) {
            Ok(())
        } else {
            Err(Rejection::unresolvable(REASON))
        }
    }

    fn pre_score(&self, _: &PodInfo, _: &[&NodeInfo], _: &Cluster) -> PreScore {
        PreScore::Proceed(State::default())
    }

    /// How many soft taints are not tolerated.
    fn score(&self, _: &State, pod: &PodInfo, node: &NodeInfo) -> i64 {
        let soft = node
            .taints
            .iter()
            .filter(|taint| &*taint.effect == "PreferNoSchedule");
        let untolerated = soft.filter(|taint| {
            let mut tolerations = pod.tolerations.iter();
            let soft = |effect: &str| effect.is_empty() || effect == "PreferNoSchedule";
            !tolerations.any(|toleration| soft(&toleration.effect) && toleration.tolerates(taint))
        });
        i64::try_from(untolerated.count()).unwrap_or(i64::MAX)
    }

    fn normalize(&self, _: &State, scores: &mut [i64]) {
        normalize_by_highest(scores, true);
    }
}
