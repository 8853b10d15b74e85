//! A pod that names its node goes nowhere else.
//! Models plugins/nodename/node_name.go.

use crate::framework::{ClusterEvent, EventKind, Plugin, PreFilter, Rejection, State};
use crate::{Cluster, NodeInfo, PodInfo};

const REASON: &str = "node(s) didn't match the requested node name";

/// The plugin.
pub(super) struct NodeName;

fn fits(pod: &PodInfo, node: &NodeInfo) -> bool {
    pod.node.is_empty() || pod.node == node.name
}

impl Plugin for NodeName {
    fn name(&self) -> &'static str {
        "NodeName"
    }

    fn events(&self) -> &'static [EventKind] {
        &[EventKind::NodeAdded]
    }

    fn could_help(&self, pod: &PodInfo, event: &ClusterEvent<'_>) -> bool {
        event.node.is_some_and(|node| fits(pod, node))
    }

    fn pre_filter(&self, pod: &PodInfo, _: &Cluster) -> PreFilter {
        if pod.node.is_empty() {
            PreFilter::Skip
        } else {
            PreFilter::Proceed(State::default())
        }
    }

    fn filter(&self, _: &State, pod: &PodInfo, node: &NodeInfo) -> Result<(), Rejection> {
        if fits(pod, node) {
            Ok(())
        } else {
            Err(Rejection::unresolvable(REASON))
        }
    }
}
