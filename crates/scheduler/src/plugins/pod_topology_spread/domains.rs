//! Spread constraints, and how many pods each domain holds.
//! Models plugins/podtopologyspread/common.go.

use std::collections::BTreeMap;

use api::selector::{LabelSelector, Operator, Requirement};
use api::{Map, Str, Value};

use crate::plugins::matches_node_affinity;
use crate::{Cluster, NodeInfo, PodInfo};

pub(super) const HOSTNAME: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";

/// One constraint.
pub(super) struct Constraint {
    /// The label whose values are the domains.
    pub(super) key: Str,
    /// How many pods more than the emptiest domain a domain may hold.
    pub(super) max_skew: i64,
    selectors: Vec<LabelSelector>,
    min_domains: i64,
    /// Nodes the pod's affinity leaves out do not count.
    honour_affinity: bool,
    /// Nodes whose taints the pod does not tolerate do not count.
    honour_taints: bool,
}

/// Constraints with the pods counted.
pub(super) struct Spread {
    pub(super) constraints: Vec<Constraint>,
    counts: Vec<BTreeMap<Str, i64>>,
}

impl Constraint {
    /// The pod's own constraints of one kind: `DoNotSchedule` or `ScheduleAnyway`.
    pub(super) fn of_pod(pod: &PodInfo, when: &str) -> Vec<Constraint> {
        let constraints = pod.spread.list().iter();
        constraints
            .filter(|constraint| constraint.str("whenUnsatisfiable") == when)
            .map(|constraint| Constraint::of(constraint, pod))
            .collect()
    }

    fn of(constraint: &Value, pod: &PodInfo) -> Constraint {
        let nothing = |_| LabelSelector::nothing();
        let selector = constraint.get("labelSelector");
        let mut selector = LabelSelector::from_object(selector).unwrap_or_else(nothing);
        for key in constraint.get("matchLabelKeys").list() {
            if let Some(value) = pod.labels.get(key.as_str()).and_then(Value::as_shared_str) {
                selector.requirements.push(Requirement {
                    key: Str::from(key.as_str()),
                    operator: Operator::In,
                    values: vec![value.clone()],
                });
            }
        }
        Constraint {
            key: Str::from(constraint.str("topologyKey")),
            max_skew: constraint.get("maxSkew").as_i64().unwrap_or(1),
            selectors: vec![selector],
            min_domains: constraint.get("minDomains").as_i64().unwrap_or(1),
            honour_affinity: constraint.str("nodeAffinityPolicy") != "Ignore",
            honour_taints: constraint.str("nodeTaintsPolicy") == "Honor",
        }
    }

    /// The system's defaults for a pod that has replicas: 3 more on a node, 5 more in a zone.
    pub(super) fn defaults(pod: &PodInfo, cluster: &Cluster) -> Vec<Constraint> {
        let found = cluster.replica_selectors(pod);
        if found.is_empty() {
            return Vec::new();
        }
        let selectors: Vec<LabelSelector> = found.iter().map(|s| (**s).clone()).collect();
        let constraint = |(key, max_skew): (&str, i64)| Constraint {
            key: key.into(),
            max_skew,
            selectors: selectors.clone(),
            min_domains: 1,
            honour_affinity: true,
            honour_taints: false,
        };
        [(HOSTNAME, 3), (ZONE, 5)].map(constraint).into()
    }

    /// The domain a node is in.
    pub(super) fn domain<'a>(&self, node: &'a NodeInfo) -> Option<&'a Str> {
        node.labels.get(&self.key).and_then(Value::as_shared_str)
    }

    /// Whether it spreads pods of these labels.
    pub(super) fn picks(&self, labels: &Map) -> bool {
        self.selectors
            .iter()
            .all(|selector| selector.matches(labels))
    }

    fn counts(&self, pod: &PodInfo, node: &NodeInfo, affine: bool) -> bool {
        let hard = |effect: &str| matches!(effect, "NoSchedule" | "NoExecute");
        (affine || !self.honour_affinity)
            && (!self.honour_taints
                || node
                    .taints
                    .iter()
                    .all(|taint| !hard(&taint.effect) || pod.tolerates(taint)))
    }
}

impl Spread {
    /// Counts the pods of every domain. If `strict`, nodes that lack one of the labels do not count.
    pub(super) fn count(
        constraints: Vec<Constraint>,
        pod: &PodInfo,
        cluster: &Cluster,
        strict: bool,
    ) -> Spread {
        let mut counts = vec![BTreeMap::new(); constraints.len()];
        for node in cluster.nodes() {
            if strict && constraints.iter().any(|c| c.domain(node).is_none()) {
                continue;
            }
            let affine = matches_node_affinity(pod, node);
            for (constraint, counts) in constraints.iter().zip(&mut counts) {
                let Some(domain) = constraint.domain(node) else {
                    continue;
                };
                if constraint.counts(pod, node, affine) {
                    let pods =
                        node.count_matching(&pod.key.namespace, |labels| constraint.picks(labels));
                    *counts.entry(domain.clone()).or_default() += pods;
                }
            }
        }
        Spread {
            constraints,
            counts,
        }
    }

    /// Forgets the domains none of these nodes is in.
    pub(super) fn keep_domains_of(&mut self, nodes: &[&NodeInfo]) {
        for (constraint, counts) in self.constraints.iter().zip(&mut self.counts) {
            let kept = nodes.iter().filter_map(|node| constraint.domain(node));
            let kept: std::collections::BTreeSet<&Str> = kept.collect();
            counts.retain(|domain, _| kept.contains(domain));
        }
    }

    /// How many domains constraint number `i` knows.
    pub(super) fn domains(&self, i: usize) -> usize {
        self.counts[i].len()
    }

    /// How many pods a domain holds.
    pub(super) fn pods_in(&self, i: usize, domain: &Str) -> i64 {
        self.counts[i].get(domain).copied().unwrap_or(0)
    }

    /// How many pods the emptiest domain holds; 0 if there are too few domains.
    pub(super) fn least(&self, i: usize) -> i64 {
        let few =
            i64::try_from(self.counts[i].len()).is_ok_and(|n| n < self.constraints[i].min_domains);
        if few {
            0
        } else {
            self.counts[i].values().copied().min().unwrap_or(0)
        }
    }
}

/// The natural logarithm of a number from 1 up, by the four operations alone, so that it has the
/// same bits on every target: halved down to below 2, then the series of the inverse hyperbolic
/// tangent.
pub(super) fn ln(mut x: f64) -> f64 {
    const LN_2: f64 = core::f64::consts::LN_2;
    let mut halvings = 0.0;
    while x >= 2.0 {
        x /= 2.0;
        halvings += 1.0;
    }
    let z = (x - 1.0) / (x + 1.0);
    let (mut term, mut sum, mut n) = (z, 0.0, 1.0);
    while n < 60.0 {
        sum += term / n;
        term *= z * z;
        n += 2.0;
    }
    2.0 * sum + halvings * LN_2
}

#[cfg(test)]
mod tests {
    use super::ln;

    #[test]
    fn logarithms() {
        for (x, expect) in [(1.0, 0.0), (3.0, 1.098_612_288_67), (5.0, 1.609_437_912_43)] {
            assert!((ln(x) - expect).abs() < 1e-10, "{x}");
        }
        assert!((ln(14.0) - 2.639_057_329_62).abs() < 1e-10);
    }
}
