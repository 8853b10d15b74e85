//! A cordoned node takes only pods that tolerate it.
//! Models plugins/nodeunschedulable/node_unschedulable.go.

use crate::framework::{ClusterEvent, EventKind, Plugin, Rejection, State};
use crate::{NodeInfo, PodInfo, Taint};

const REASON: &str = "node(s) were unschedulable";
const TAINT: &str = "node.kubernetes.io/unschedulable";

/// The plugin.
pub(super) struct NodeUnschedulable;

fn fits(pod: &PodInfo, node: &NodeInfo) -> bool {
    !node.unschedulable || {
        let effect = "NoSchedule".into();
        pod.tolerates(&Taint {
            key: TAINT.into(),
            value: "".into(),
            effect,
        })
    }
}

impl Plugin for NodeUnschedulable {
    fn name(&self) -> &'static str {
        "NodeUnschedulable"
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
}
