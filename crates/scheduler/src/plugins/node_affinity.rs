//! A pod goes only to nodes its node selector and node affinity pick, and prefers those its
//! preferences weigh most.
//! Models plugins/nodeaffinity/node_affinity.go.

use api::kinds::support::node_affinity::{REQUIRED, Required, Term};
use api::{Str, Value};

use crate::framework::{
    ClusterEvent, EventKind, Plugin, PreFilter, PreScore, Rejection, State, normalize_by_highest,
};
use crate::{Cluster, NodeInfo, PodInfo};

const REASON: &str = "node(s) didn't match Pod's node affinity/selector";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// The plugin.
pub(super) struct NodeAffinity;

/// What a pod prefers, with weights.
struct Preferred(Vec<(Term, i64)>);

fn required(pod: &PodInfo) -> Required {
    Required::of(&pod.node_selector, &pod.affinity)
}

/// Whether a node is one that the pod's node selector and required node affinity pick.
#[must_use]
pub(crate) fn matches_required(pod: &PodInfo, node: &NodeInfo) -> bool {
    required(pod).matches(&node.labels, &node.name)
}

/// The names of the only nodes the pod can go to, if every term of its affinity names nodes.
fn named_nodes(pod: &PodInfo) -> Option<Vec<Str>> {
    let required = pod.affinity.at_path(&REQUIRED);
    let terms = required.get("nodeSelectorTerms").list();
    if terms.is_empty() {
        return None;
    }
    let mut names = Vec::new();
    for term in terms {
        let mut fields = term.get("matchFields").list().iter();
        let named =
            fields.find(|f| f.str("key") == "metadata.name" && f.str("operator") == "In")?;
        names.extend(
            named
                .get("values")
                .list()
                .iter()
                .filter_map(Value::as_shared_str)
                .cloned(),
        );
    }
    Some(names)
}

impl Plugin for NodeAffinity {
    fn name(&self) -> &'static str {
        "NodeAffinity"
    }

    fn events(&self) -> &'static [EventKind] {
        &[EventKind::NodeAdded, EventKind::NodeLabels]
    }

    fn could_help(&self, pod: &PodInfo, event: &ClusterEvent<'_>) -> bool {
        event.node.is_none_or(|node| matches_required(pod, node))
    }

    fn pre_filter(&self, pod: &PodInfo, _: &Cluster) -> PreFilter {
        let required = required(pod);
        if required.is_nothing() {
            return PreFilter::Skip;
        }
        match named_nodes(pod) {
            Some(names) => PreFilter::Only(names, State::of(required)),
            None => PreFilter::Proceed(State::of(required)),
        }
    }

    fn filter(&self, state: &State, _: &PodInfo, node: &NodeInfo) -> Result<(), Rejection> {
        let fits = state
            .get()
            .is_none_or(|required: &Required| required.matches(&node.labels, &node.name));
        if fits {
            Ok(())
        } else {
            Err(Rejection::unresolvable(REASON))
        }
    }

    fn pre_score(&self, pod: &PodInfo, _: &[&NodeInfo], _: &Cluster) -> PreScore {
        let preferred = pod.affinity.get("nodeAffinity").get(PREFERRED).list();
        let term = |p: &Value| {
            (
                Term::of(p.get("preference")),
                p.get("weight").as_i64().unwrap_or(0),
            )
        };
        if preferred.is_empty() {
            PreScore::Skip
        } else {
            PreScore::Proceed(State::of(Preferred(preferred.iter().map(term).collect())))
        }
    }

    fn score(&self, state: &State, _: &PodInfo, node: &NodeInfo) -> i64 {
        let Some(Preferred(terms)) = state.get() else {
            return 0;
        };
        terms
            .iter()
            .filter(|(term, _)| term.matches(&node.labels, &node.name))
            .map(|(_, weight)| weight)
            .sum()
    }

    fn normalize(&self, _: &State, scores: &mut [i64]) {
        normalize_by_highest(scores, false);
    }
}
