//! What the scheduler decided about a pod and why, node by node. Plain data, for events, for the
//! page's "why is it pending?", and for tests.
//! Models pkg/scheduler/framework/types.go (`Diagnosis`, `FitError`).

use std::collections::{BTreeMap, BTreeSet};

use api::Str;
use client::Key;
use sim::Instant;

use crate::{Preemption, Rejection};

/// A decision about one pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// When it was taken.
    pub at: Instant,
    /// About which pod.
    pub pod: Key,
    /// The pod's uid.
    pub uid: Str,
    /// Which attempt this was, from 1.
    pub attempt: u32,
    /// What each node met, in the order of names. Nodes that were not looked at are left out.
    pub verdicts: Vec<Verdict>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The pod goes to this node.
    Placed {
        /// Its name.
        node: Str,
        /// How many nodes had the same, highest score; chance chose among them.
        ties: u32,
    },
    /// No node will do.
    Unschedulable {
        /// The sentence of the `FailedScheduling` event.
        message: String,
        /// The plugins that said no, in the order of names.
        rejected_by: BTreeSet<&'static str>,
        /// The pods that are to make room for it.
        preemption: Option<Preemption>,
    },
}

/// What one node met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The node.
    pub node: Str,
    /// The plugin that said no, and why.
    pub rejected: Option<(&'static str, Rejection)>,
    /// What each plugin gave it, in the order they were asked.
    pub scores: Vec<Score>,
    /// The sum of the weighted scores.
    pub total: i64,
}

/// What one plugin gave one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Score {
    /// The plugin.
    pub plugin: &'static str,
    /// 0 to 100.
    pub score: i64,
    /// How much it counts.
    pub weight: i64,
}

impl Decision {
    /// The node the pod goes to, if any.
    #[must_use]
    pub fn node(&self) -> Option<&Str> {
        match &self.outcome {
            Outcome::Placed { node, .. } => Some(node),
            Outcome::Unschedulable { .. } => None,
        }
    }

    /// The sentence that says why no node will do; empty if one does.
    #[must_use]
    pub fn message(&self) -> &str {
        match &self.outcome {
            Outcome::Placed { .. } => "",
            Outcome::Unschedulable { message, .. } => message,
        }
    }
}

/// `0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu.`, with the
/// reasons counted and sorted as text.
pub(crate) fn fit_error<'a>(
    nodes: usize,
    rejections: impl Iterator<Item = &'a Rejection>,
) -> String {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for reason in rejections.flat_map(|rejection| &rejection.reasons) {
        *counts.entry(reason).or_default() += 1;
    }
    let mut lines: Vec<String> = counts
        .iter()
        .map(|(why, count)| format!("{count} {why}"))
        .collect();
    lines.sort();
    match lines.join(", ").as_str() {
        "" => format!("0/{nodes} nodes are available:"),
        reasons => format!("0/{nodes} nodes are available: {reasons}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_counted_and_sorted_as_text() {
        let taint = Rejection::unresolvable("node(s) had untolerated taint(s)");
        let mut both = Rejection::unresolvable("Insufficient cpu");
        both.reasons.push("Insufficient memory".into());
        assert_eq!(
            fit_error(3, [&both, &taint, &both].into_iter()),
            "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu, \
             2 Insufficient memory."
        );
        let many = [&taint; 10].into_iter().chain([&both, &both]);
        assert!(fit_error(12, many).starts_with("0/12 nodes are available: 10 node(s) had"));
    }
}
