//! A pod goes near the pods its affinity names and keeps away from those its anti-affinity names,
//! as pods that are there already keep it away.
//! Models plugins/interpodaffinity.

use std::collections::BTreeMap;

use api::selector::LabelSelector;
use api::{Map, Str, Value};

use crate::framework::{
    ClusterEvent, EventKind, MAX_SCORE, Plugin, PreFilter, PreScore, Rejection, State,
};
use crate::{Cluster, NodeInfo, PodInfo};

const AFFINITY: &str = "node(s) didn't match pod affinity rules";
const ANTI_AFFINITY: &str = "node(s) didn't match pod anti-affinity rules";
const EXISTING: &str = "node(s) didn't satisfy existing pods anti-affinity rules";
const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";
/// What a pod's required affinity to this one counts as a preference (`hardPodAffinityWeight`).
const HARD_WEIGHT: i64 = 1;

/// The plugin.
pub(super) struct InterPodAffinity;

/// A condition on other pods.
struct Term {
    topology: Str,
    selector: LabelSelector,
    namespaces: Vec<Str>,
    every_namespace: bool,
}

/// Values of a topology label, each with a number.
type Pairs = BTreeMap<(Str, Str), i64>;

/// What is required, with the pods counted.
struct Required {
    near: Vec<Term>,
    near_pods: Pairs,
    /// The pod itself meets its own conditions: the first of a group may go anywhere.
    first: bool,
    far: Vec<Term>,
    far_pods: Pairs,
    /// Domains that pods there keep the pod out of.
    closed: Pairs,
}

impl Term {
    fn of(term: &Value, owner: &PodInfo, cluster: &Cluster) -> Term {
        let mut namespaces: Vec<Str> = term
            .get("namespaces")
            .list()
            .iter()
            .filter_map(Value::as_shared_str)
            .cloned()
            .collect();
        let by_labels = term.get("namespaceSelector");
        let mut every_namespace = false;
        if !by_labels.is_null() {
            let selector = LabelSelector::from_object(by_labels);
            let selector = selector.unwrap_or_else(|_| LabelSelector::nothing());
            every_namespace = selector.is_everything();
            namespaces.extend(cluster.namespaces_matching(&selector));
        } else if namespaces.is_empty() {
            namespaces.push(owner.key.namespace.clone());
        }
        let selector = LabelSelector::from_object(term.get("labelSelector"));
        Term {
            topology: Str::from(term.str("topologyKey")),
            selector: selector.unwrap_or_else(|_| LabelSelector::nothing()),
            namespaces,
            every_namespace,
        }
    }

    fn list(pod: &PodInfo, kind: &str, cluster: &Cluster) -> Vec<Term> {
        let terms = pod.affinity.get(kind).get(REQUIRED).list();
        terms
            .iter()
            .map(|term| Term::of(term, pod, cluster))
            .collect()
    }

    fn weighted(pod: &PodInfo, kind: &str, cluster: &Cluster) -> Vec<(Term, i64)> {
        let terms = pod.affinity.get(kind).get(PREFERRED).list();
        let read = |p: &Value| {
            let term = Term::of(p.get("podAffinityTerm"), pod, cluster);
            (term, p.get("weight").as_i64().unwrap_or(0))
        };
        terms.iter().map(read).collect()
    }

    fn picks(&self, namespace: &Str, labels: &Map) -> bool {
        (self.every_namespace || self.namespaces.contains(namespace))
            && self.selector.matches(labels)
    }

    /// The topology label and its value on a node.
    fn pair(&self, node: &NodeInfo) -> Option<(Str, Str)> {
        let value = node
            .labels
            .get(&self.topology)
            .and_then(Value::as_shared_str)?;
        Some((self.topology.clone(), value.clone()))
    }

    /// How many pods of a node it picks.
    fn count(&self, node: &NodeInfo) -> i64 {
        let groups = node.groups.iter();
        groups
            .filter(|g| self.picks(&g.namespace, &g.labels))
            .map(|g| g.count)
            .sum()
    }
}

impl Required {
    fn of(pod: &PodInfo, cluster: &Cluster) -> Required {
        let near = Term::list(pod, "podAffinity", cluster);
        let far = Term::list(pod, "podAntiAffinity", cluster);
        let (mut near_pods, mut far_pods, mut closed) = (Pairs::new(), Pairs::new(), Pairs::new());
        for node in cluster.nodes() {
            if !near.is_empty() {
                let all = |g: &&crate::LabelGroup| {
                    near.iter().all(|term| term.picks(&g.namespace, &g.labels))
                };
                let pods: i64 = node.groups.iter().filter(all).map(|g| g.count).sum();
                for pair in near
                    .iter()
                    .filter_map(|term| term.pair(node))
                    .filter(|_| pods > 0)
                {
                    *near_pods.entry(pair).or_default() += pods;
                }
            }
            for term in &far {
                let pods = term.count(node);
                if let Some(pair) = term.pair(node).filter(|_| pods > 0) {
                    *far_pods.entry(pair).or_default() += pods;
                }
            }
            if node.with_anti_affinity > 0 {
                for other in node.pods.values() {
                    for term in Term::list(other, "podAntiAffinity", cluster) {
                        if term.picks(&pod.key.namespace, &pod.labels) {
                            closed.extend(term.pair(node).map(|pair| (pair, 1)));
                        }
                    }
                }
            }
        }
        let itself = near
            .iter()
            .all(|term| term.picks(&pod.key.namespace, &pod.labels));
        let first = near_pods.is_empty() && itself;
        Required {
            near,
            near_pods,
            first,
            far,
            far_pods,
            closed,
        }
    }
}

impl Plugin for InterPodAffinity {
    fn name(&self) -> &'static str {
        "InterPodAffinity"
    }

    fn events(&self) -> &'static [EventKind] {
        &[
            EventKind::AssignedPodAdded,
            EventKind::AssignedPodLabels,
            EventKind::AssignedPodDeleted,
            EventKind::NodeAdded,
            EventKind::NodeLabels,
        ]
    }

    fn could_help(&self, pod: &PodInfo, event: &ClusterEvent<'_>) -> bool {
        let Some(other) = event.pod else { return true };
        let named = |owner: &PodInfo, kind: &str, about: &PodInfo| {
            let terms = owner.affinity.get(kind).get(REQUIRED).list();
            terms.iter().any(|term| {
                let selector = LabelSelector::from_object(term.get("labelSelector"));
                selector.is_ok_and(|selector| selector.matches(&about.labels))
            })
        };
        let attracts = named(pod, "podAffinity", other);
        let repels = named(pod, "podAntiAffinity", other) || named(other, "podAntiAffinity", pod);
        match event.kind {
            EventKind::AssignedPodAdded => attracts,
            EventKind::AssignedPodDeleted => repels,
            _ => attracts || repels,
        }
    }

    fn pre_filter(&self, pod: &PodInfo, cluster: &Cluster) -> PreFilter {
        let silent = pod.affinity.get("podAffinity").is_null()
            && pod.affinity.get("podAntiAffinity").is_null();
        if silent && cluster.nodes().all(|node| node.with_anti_affinity == 0) {
            return PreFilter::Skip;
        }
        let required = Required::of(pod, cluster);
        if required.near.is_empty() && required.far.is_empty() && required.closed.is_empty() {
            return PreFilter::Skip;
        }
        PreFilter::Proceed(State::of(required))
    }

    fn filter(&self, state: &State, _: &PodInfo, node: &NodeInfo) -> Result<(), Rejection> {
        let Some(required) = state.get::<Required>() else {
            return Ok(());
        };
        let holds = |pairs: &Pairs, term: &Term| {
            term.pair(node)
                .is_some_and(|pair| pairs.contains_key(&pair))
        };
        let near = required.near.iter().all(|term| {
            holds(&required.near_pods, term) || required.first && term.pair(node).is_some()
        });
        if !near {
            return Err(Rejection::unresolvable(AFFINITY));
        }
        if required
            .far
            .iter()
            .any(|term| holds(&required.far_pods, term))
        {
            return Err(Rejection::unschedulable(ANTI_AFFINITY));
        }
        let is_here = |(key, value): &(Str, Str)| node.labels.str(key) == &**value;
        if required.closed.keys().any(is_here) {
            return Err(Rejection::unschedulable(EXISTING));
        }
        Ok(())
    }

    fn pre_score(&self, pod: &PodInfo, _: &[&NodeInfo], cluster: &Cluster) -> PreScore {
        let near = Term::weighted(pod, "podAffinity", cluster);
        let far = Term::weighted(pod, "podAntiAffinity", cluster);
        let mut pairs = Pairs::new();
        for node in cluster.nodes() {
            for (term, weight) in near
                .iter()
                .map(|(t, w)| (t, *w))
                .chain(far.iter().map(|(t, w)| (t, -w)))
            {
                if let Some(pair) = term.pair(node) {
                    *pairs.entry(pair).or_default() += weight * term.count(node);
                }
            }
            if node.with_affinity > 0 {
                wishes_of_others(pod, node, cluster, &mut pairs);
            }
        }
        pairs.retain(|_, score| *score != 0);
        if pairs.is_empty() {
            PreScore::Skip
        } else {
            PreScore::Proceed(State::of(pairs))
        }
    }

    fn score(&self, state: &State, _: &PodInfo, node: &NodeInfo) -> i64 {
        let Some(pairs) = state.get::<Pairs>() else {
            return 0;
        };
        let here = pairs
            .iter()
            .filter(|((key, value), _)| node.labels.str(key) == &**value);
        here.map(|(_, score)| score).sum()
    }

    fn normalize(&self, _: &State, scores: &mut [i64]) {
        let least = scores.iter().copied().min().unwrap_or(0);
        let range = scores.iter().copied().max().unwrap_or(0) - least;
        for score in scores {
            *score = (MAX_SCORE * (*score - least))
                .checked_div(range)
                .unwrap_or(0);
        }
    }
}

/// What the pods of a node would have the pod do.
fn wishes_of_others(pod: &PodInfo, node: &NodeInfo, cluster: &Cluster, pairs: &mut Pairs) {
    let mut wish = |term: &Term, weight: i64| {
        if term.picks(&pod.key.namespace, &pod.labels)
            && let Some(pair) = term.pair(node)
        {
            *pairs.entry(pair).or_default() += weight;
        }
    };
    for other in node.pods.values().filter(|other| !other.affinity.is_null()) {
        for term in Term::list(other, "podAffinity", cluster) {
            wish(&term, HARD_WEIGHT);
        }
        for (term, weight) in Term::weighted(other, "podAffinity", cluster) {
            wish(&term, weight);
        }
        for (term, weight) in Term::weighted(other, "podAntiAffinity", cluster) {
            wish(&term, -weight);
        }
    }
}
