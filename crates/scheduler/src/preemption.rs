//! Whose place a pod may take that fits nowhere: the pods of lower priority on some node whose going
//! would let it in. Deletes nothing; `component` does. Budgets are not asked (PodDisruptionBudget).
//! Models pkg/scheduler/framework/preemption/preemption.go and plugins/defaultpreemption.

use std::cmp::Reverse;
use std::rc::Rc;

use api::Str;
use client::Key;

use crate::decision::{Verdict, fit_error};
use crate::{Cluster, NodeInfo, PodInfo, Rejection};

const NOT_HELPFUL: &str = "Preemption is not helpful for scheduling";
const NO_VICTIMS: &str = "No preemption victims found for incoming pod";

/// The pods that are to go, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preemption {
    /// The node on which they make room.
    pub node: Str,
    /// Their names and uids.
    pub victims: Vec<(Key, Str)>,
}

/// What preemption comes to.
pub(crate) enum Help {
    /// It does not help. The second half of the `FailedScheduling` sentence, with the space before.
    None(String),
    /// It makes room.
    Room(Preemption),
}

/// Looks for victims. `ask` filters a node that some pods were taken from.
pub(crate) fn look(
    pod: &PodInfo,
    cluster: &Cluster,
    verdicts: &[Verdict],
    mut ask: impl FnMut(&NodeInfo) -> Result<(), Rejection>,
) -> Help {
    let lead = " no new claims to deallocate, preemption:";
    if !pod.may_preempt {
        return Help::None(format!(
            "{lead} not eligible due to preemptionPolicy=Never."
        ));
    }
    if waits_for_victims(pod, cluster) {
        return Help::None(format!(
            "{lead} not eligible due to a terminating pod on the nominated node."
        ));
    }
    let (mut reasons, mut found) = (Vec::new(), Vec::new());
    for verdict in verdicts {
        let Some((_, rejection)) = &verdict.rejected else {
            continue;
        };
        let Some(node) = cluster.node(&verdict.node).filter(|_| rejection.resolvable) else {
            reasons.push(Rejection::unresolvable(NOT_HELPFUL));
            continue;
        };
        match victims(pod, node, &mut ask) {
            Ok(victims) => found.push((node, victims)),
            Err(rejection) => reasons.push(rejection),
        }
    }
    match found.into_iter().min_by_key(|(_, victims)| cost(victims)) {
        Some((node, victims)) => Help::Room(Preemption {
            node: node.name.clone(),
            victims: victims
                .iter()
                .map(|victim| (victim.key.clone(), victim.uid.clone()))
                .collect(),
        }),
        None => {
            let sentence = fit_error(verdicts.len(), reasons.iter());
            Help::None(format!("{lead} {sentence}"))
        }
    }
}

/// Whether pods are about to leave the node that the pod was promised.
fn waits_for_victims(pod: &PodInfo, cluster: &Cluster) -> bool {
    let promised = cluster.nomination(&pod.uid);
    let node = promised.and_then(|promised| cluster.node(&promised.node));
    node.is_some_and(|node| {
        let mut pods = node.pods.values();
        pods.any(|other| other.terminating && other.priority < pod.priority)
    })
}

/// The pods that have to go from a node: of those of lower priority, the ones that cannot stay.
fn victims(
    pod: &PodInfo,
    node: &NodeInfo,
    ask: &mut impl FnMut(&NodeInfo) -> Result<(), Rejection>,
) -> Result<Vec<Rc<PodInfo>>, Rejection> {
    let lower = node.pods.values();
    let mut lower: Vec<Rc<PodInfo>> = lower
        .filter(|other| other.priority < pod.priority)
        .cloned()
        .collect();
    if lower.is_empty() {
        return Err(Rejection::unschedulable(NO_VICTIMS));
    }
    let mut alone = node.clone();
    for other in &lower {
        alone.remove_pod(&other.uid);
    }
    ask(&alone)?;
    // The more important come back first.
    lower.sort_by_key(|other| (Reverse(other.priority), other.created));
    let mut victims = Vec::new();
    for other in lower {
        alone.add_pod(&other);
        if ask(&alone).is_err() {
            alone.remove_pod(&other.uid);
            victims.push(other);
        }
    }
    Ok(victims)
}

/// The less the better: the highest priority that goes, the sum of priorities, how many go, and how
/// long the most important of them has been there.
fn cost(victims: &[Rc<PodInfo>]) -> (i64, i64, usize, Reverse<sim::Instant>) {
    let highest = victims.first().map_or(i64::MIN, |victim| victim.priority);
    let sum = victims
        .iter()
        .map(|victim| victim.priority + i64::from(i32::MAX) + 1)
        .sum();
    let most_important = victims.iter().filter(|victim| victim.priority == highest);
    let since = most_important.map(|victim| victim.created).min();
    (
        highest,
        sum,
        victims.len(),
        Reverse(since.unwrap_or_default()),
    )
}
