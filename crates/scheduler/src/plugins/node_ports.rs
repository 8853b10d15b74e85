//! Two pods cannot hold the same port of one node.
//! Models plugins/nodeports/node_ports.go.

use crate::framework::{ClusterEvent, EventKind, Plugin, PreFilter, Rejection, State};
use crate::{Cluster, HostPort, NodeInfo, PodInfo};

const REASON: &str = "node(s) didn't have free ports for the requested pod ports";

/// The plugin.
pub(super) struct NodePorts;

fn fits(pod: &PodInfo, node: &NodeInfo) -> bool {
    let free = |port: &HostPort| !node.ports.iter().any(|held| port.conflicts(held));
    pod.host_ports.iter().all(free)
}

impl Plugin for NodePorts {
    fn name(&self) -> &'static str {
        "NodePorts"
    }

    fn events(&self) -> &'static [EventKind] {
        &[EventKind::AssignedPodDeleted, EventKind::NodeAdded]
    }

    fn could_help(&self, pod: &PodInfo, event: &ClusterEvent<'_>) -> bool {
        event.pod.is_none_or(|gone| {
            let mut wanted = pod.host_ports.iter();
            wanted.any(|port| gone.host_ports.iter().any(|freed| port.conflicts(freed)))
        })
    }

    fn pre_filter(&self, pod: &PodInfo, _: &Cluster) -> PreFilter {
        if pod.host_ports.is_empty() {
            PreFilter::Skip
        } else {
            PreFilter::Proceed(State::default())
        }
    }

    fn filter(&self, _: &State, pod: &PodInfo, node: &NodeInfo) -> Result<(), Rejection> {
        if fits(pod, node) {
            Ok(())
        } else {
            Err(Rejection::unschedulable(REASON))
        }
    }
}
