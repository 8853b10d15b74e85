//! A pod goes only to nodes its node selector and node affinity pick, and prefers those its
//! preferences weigh most.
//! Models plugins/nodeaffinity/node_affinity.go and component-helpers/scheduling/corev1/nodeaffinity.

use api::selector::LabelSelector;
use api::{Map, Str, Value};

use crate::framework::{
    ClusterEvent, EventKind, Plugin, PreFilter, PreScore, Rejection, State, normalize_by_highest,
};
use crate::{Cluster, NodeInfo, PodInfo};

const REASON: &str = "node(s) didn't match Pod's node affinity/selector";
const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// The plugin.
pub(super) struct NodeAffinity;

/// What a pod requires of a node, read once.
struct Required {
    selector: LabelSelector,
    /// One of these must match; none if nothing is required.
    terms: Option<Vec<Term>>,
}

/// What a pod prefers, with weights.
struct Preferred(Vec<(Term, i64)>);

/// Conditions on labels and on the name that must all be met. An empty or unreadable one matches
/// nothing.
struct Term {
    labels: Option<LabelSelector>,
    fields: Option<LabelSelector>,
    empty: bool,
}

impl Term {
    fn of(term: &Value) -> Term {
        let (labels, fields) = (
            term.get("matchExpressions").list(),
            term.get("matchFields").list(),
        );
        Term {
            labels: LabelSelector::from_node_expressions(labels).ok(),
            fields: LabelSelector::from_node_expressions(fields).ok(),
            empty: labels.is_empty() && fields.is_empty(),
        }
    }

    fn matches(&self, node: &NodeInfo) -> bool {
        let (Some(labels), Some(fields)) = (&self.labels, &self.fields) else {
            return false;
        };
        !self.empty
            && labels.matches(&node.labels)
            && (fields.is_everything() || {
                let name = Value::from(&node.name);
                fields.matches(&Map::from_entries(vec![("metadata.name".into(), name)]))
            })
    }
}

impl Required {
    fn of(pod: &PodInfo) -> Required {
        let required = pod.affinity.get("nodeAffinity").get(REQUIRED);
        let terms = required.get("nodeSelectorTerms").list();
        Required {
            selector: LabelSelector::from_map(&pod.node_selector),
            terms: (!required.is_null()).then(|| terms.iter().map(Term::of).collect()),
        }
    }

    fn matches(&self, node: &NodeInfo) -> bool {
        let terms = self.terms.as_ref();
        self.selector.matches(&node.labels)
            && terms.is_none_or(|terms| terms.iter().any(|term| term.matches(node)))
    }
}

/// Whether a node is one that the pod's node selector and required node affinity pick.
#[must_use]
pub(crate) fn matches_required(pod: &PodInfo, node: &NodeInfo) -> bool {
    Required::of(pod).matches(node)
}

/// The names of the only nodes the pod can go to, if every term of its affinity names nodes.
fn named_nodes(pod: &PodInfo) -> Option<Vec<Str>> {
    let terms = pod
        .affinity
        .get("nodeAffinity")
        .get(REQUIRED)
        .get("nodeSelectorTerms")
        .list();
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
        let required = Required::of(pod);
        if required.terms.is_none() && required.selector.is_everything() {
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
            .is_none_or(|required: &Required| required.matches(node));
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
            .filter(|(term, _)| term.matches(node))
            .map(|(_, weight)| weight)
            .sum()
    }

    fn normalize(&self, _: &State, scores: &mut [i64]) {
        normalize_by_highest(scores, false);
    }
}
