//! Which nodes a pod's node selector and node affinity pick.
//!
//! Models k8s.io/component-helpers/scheduling/corev1/nodeaffinity.

use crate::selector::LabelSelector;
use crate::{Map, Value};

/// The path of what a pod requires of a node, below `spec.affinity`.
pub const REQUIRED: [&str; 2] = [
    "nodeAffinity",
    "requiredDuringSchedulingIgnoredDuringExecution",
];

/// Conditions on labels and on the name that must all be met. An empty or unreadable one matches
/// nothing.
#[derive(Clone, Debug)]
pub struct Term {
    labels: Option<LabelSelector>,
    fields: Option<LabelSelector>,
    empty: bool,
}

impl Term {
    /// A NodeSelectorTerm, read once.
    #[must_use]
    pub fn of(term: &Value) -> Term {
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

    /// Whether a node of these labels and this name meets it.
    #[must_use]
    pub fn matches(&self, labels: &Map, name: &str) -> bool {
        let (Some(wanted), Some(fields)) = (&self.labels, &self.fields) else {
            return false;
        };
        !self.empty
            && wanted.matches(labels)
            && (fields.is_everything() || {
                let name = Value::from(name);
                fields.matches(&Map::from_entries(vec![("metadata.name".into(), name)]))
            })
    }
}

/// What a pod requires of a node, read once.
#[derive(Clone, Debug)]
pub struct Required {
    selector: LabelSelector,
    /// One of these must match; none if nothing is required.
    terms: Option<Vec<Term>>,
}

impl Required {
    /// Of a pod's `spec.nodeSelector` and `spec.affinity`.
    #[must_use]
    pub fn of(node_selector: &Map, affinity: &Value) -> Required {
        let required = affinity.at_path(&REQUIRED);
        let terms = required.get("nodeSelectorTerms").list();
        Required {
            selector: LabelSelector::from_map(node_selector),
            terms: (!required.is_null()).then(|| terms.iter().map(Term::of).collect()),
        }
    }

    /// Whether every node will do.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.terms.is_none() && self.selector.is_everything()
    }

    /// Whether a node of these labels and this name will do.
    #[must_use]
    pub fn matches(&self, labels: &Map, name: &str) -> bool {
        let terms = self.terms.as_ref();
        self.selector.matches(labels)
            && terms.is_none_or(|terms| terms.iter().any(|term| term.matches(labels, name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{object, value};

    #[track_caller]
    fn check(selector: Value, terms: Value, expect: bool) {
        let affinity = match terms {
            Value::Null => Value::Null,
            terms => {
                let mut affinity = object! {};
                let required = object! { "nodeSelectorTerms": terms };
                affinity.set_path(&REQUIRED, required);
                affinity
            }
        };
        let labels = object! { "os": "linux" };
        let required = Required::of(selector.entries(), &affinity);
        assert_eq!(required.matches(labels.entries(), "node01"), expect);
    }

    #[test]
    fn nodes_are_picked_by_labels_and_by_name() {
        let named = |name: &str| {
            value!([{ "matchFields": [
                { "key": "metadata.name", "operator": "In", "values": [(name)] }
            ] }])
        };
        check(object! {}, Value::Null, true);
        check(object! { "os": "linux" }, Value::Null, true);
        check(object! { "os": "plan9" }, Value::Null, false);
        check(object! {}, named("node01"), true);
        check(object! {}, named("node02"), false);
        check(object! { "os": "plan9" }, named("node01"), false);
        check(object! {}, value!([{}]), false);
        let label =
            |key: &str| value!([{ "matchExpressions": [{ "key": (key), "operator": "Exists" }] }]);
        check(object! {}, label("os"), true);
        check(object! {}, label("gpu"), false);
    }
}
