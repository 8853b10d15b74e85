//! Prefers nodes whose CPU and memory would be used to similar degrees.
//! Models plugins/noderesources/balanced_allocation.go.

use crate::framework::{MAX_SCORE, Plugin, PreScore, State};
use crate::{Cluster, NodeInfo, PodInfo};

/// The plugin.
pub(super) struct NodeResourcesBalancedAllocation;

impl Plugin for NodeResourcesBalancedAllocation {
    fn name(&self) -> &'static str {
        "NodeResourcesBalancedAllocation"
    }

    fn pre_score(&self, pod: &PodInfo, _: &[&NodeInfo], _: &Cluster) -> PreScore {
        let asked = &pod.requests.asked;
        if asked.milli_cpu == 0 && asked.memory == 0 {
            PreScore::Skip
        } else {
            PreScore::Proceed(State::default())
        }
    }

    /// 100 less the standard deviation of the used fractions, in percent. Of two fractions it is
    /// half their distance.
    fn score(&self, _: &State, pod: &PodInfo, node: &NodeInfo) -> i64 {
        let (asked, has, used) = (
            &pod.requests.asked,
            &node.allocatable,
            &node.requested.asked,
        );
        let fraction = |used: i64, has: i64| {
            if has == 0 || used > has {
                1.0
            } else {
                used as f64 / has as f64
            }
        };
        let cpu = fraction(used.milli_cpu + asked.milli_cpu, has.milli_cpu);
        let memory = fraction(used.memory + asked.memory, has.memory);
        let deviation = if cpu > memory {
            (cpu - memory) / 2.0
        } else {
            (memory - cpu) / 2.0
        };
        ((1.0 - deviation) * MAX_SCORE as f64) as i64
    }
}
