//! Spreads the pods a selector picks evenly over nodes, zones or other domains: as a condition
//! (`DoNotSchedule`) or as a preference. Replicas without constraints of their own are spread over
//! nodes and zones by the system's defaults.
//! Models plugins/podtopologyspread.

mod domains;

use crate::framework::{
    ClusterEvent, EventKind, MAX_SCORE, Plugin, PreFilter, PreScore, Rejection, State,
};
use crate::{Cluster, NodeInfo, PodInfo};

use domains::{Constraint, HOSTNAME, Spread, ln};

const REASON: &str = "node(s) didn't match pod topology spread constraints";
const MISSING: &str =
    "node(s) didn't match pod topology spread constraints (missing required label)";

/// The plugin.
pub(super) struct PodTopologySpread;

/// What a node that lacks a label scores until scores are normalised.
const IGNORED: i64 = -1;

/// The preferences with how much each counts.
struct Preferences {
    spread: Spread,
    weights: Vec<f64>,
    /// Nodes must have every label the constraints name.
    strict: bool,
}

impl Plugin for PodTopologySpread {
    fn name(&self) -> &'static str {
        "PodTopologySpread"
    }

    fn events(&self) -> &'static [EventKind] {
        &[
            EventKind::AssignedPodAdded,
            EventKind::AssignedPodLabels,
            EventKind::AssignedPodDeleted,
            EventKind::NodeAdded,
            EventKind::NodeLabels,
            EventKind::NodeTaints,
        ]
    }

    fn could_help(&self, pod: &PodInfo, event: &ClusterEvent<'_>) -> bool {
        event.pod.is_none_or(|other| {
            other.key.namespace == pod.key.namespace
                && Constraint::of_pod(pod, "DoNotSchedule")
                    .iter()
                    .any(|constraint| constraint.picks(&other.labels))
        })
    }

    fn pre_filter(&self, pod: &PodInfo, cluster: &Cluster) -> PreFilter {
        let constraints = Constraint::of_pod(pod, "DoNotSchedule");
        if constraints.is_empty() {
            return PreFilter::Skip;
        }
        PreFilter::Proceed(State::of(Spread::count(constraints, pod, cluster, true)))
    }

    fn filter(&self, state: &State, pod: &PodInfo, node: &NodeInfo) -> Result<(), Rejection> {
        let Some(spread) = state.get::<Spread>() else {
            return Ok(());
        };
        for (i, constraint) in spread.constraints.iter().enumerate() {
            let Some(domain) = constraint.domain(node) else {
                return Err(Rejection::unresolvable(MISSING));
            };
            let itself = i64::from(constraint.picks(&pod.labels));
            let skew = spread.pods_in(i, domain) + itself - spread.least(i);
            if skew > constraint.max_skew {
                return Err(Rejection::unschedulable(REASON));
            }
        }
        Ok(())
    }

    fn pre_score(&self, pod: &PodInfo, nodes: &[&NodeInfo], cluster: &Cluster) -> PreScore {
        let own = !pod.spread.list().is_empty();
        let constraints = if own {
            Constraint::of_pod(pod, "ScheduleAnyway")
        } else {
            Constraint::defaults(pod, cluster)
        };
        if constraints.is_empty() {
            return PreScore::Skip;
        }
        let complete = |node: &&&NodeInfo| constraints.iter().all(|c| c.domain(node).is_some());
        let counted = if own {
            nodes.iter().filter(complete).count()
        } else {
            nodes.len()
        };
        let mut spread = Spread::count(constraints, pod, cluster, own);
        spread.keep_domains_of(nodes);
        let weights = (0..spread.constraints.len()).map(|i| {
            let hostname = &*spread.constraints[i].key == HOSTNAME;
            let size = if hostname { counted } else { spread.domains(i) };
            ln(size as f64 + 2.0)
        });
        let weights = weights.collect();
        PreScore::Proceed(State::of(Preferences {
            spread,
            weights,
            strict: own,
        }))
    }

    fn score(&self, state: &State, pod: &PodInfo, node: &NodeInfo) -> i64 {
        let Some(Preferences {
            spread,
            weights,
            strict,
        }) = state.get()
        else {
            return 0;
        };
        let mut score = 0.0;
        for (i, constraint) in spread.constraints.iter().enumerate() {
            let Some(domain) = constraint.domain(node) else {
                if *strict {
                    return IGNORED;
                }
                continue;
            };
            let pods = if &*constraint.key == HOSTNAME {
                node.count_matching(&pod.key.namespace, |labels| constraint.picks(labels))
            } else {
                spread.pods_in(i, domain)
            };
            score += pods as f64 * weights[i] + (constraint.max_skew - 1) as f64;
        }
        (score + 0.5) as i64
    }

    fn normalize(&self, _: &State, scores: &mut [i64]) {
        let known = || scores.iter().copied().filter(|score| *score != IGNORED);
        let (least, most) = (known().min().unwrap_or(0), known().max().unwrap_or(0));
        for score in scores {
            *score = match *score {
                IGNORED => 0,
                _ if most == 0 => MAX_SCORE,
                score => MAX_SCORE * (most + least - score) / most,
            };
        }
    }
}
