//! Says what preemption would come to for a pod that fits nowhere. Preempts nothing: a pod that it
//! would help is told that it is not modelled, and stays pending.
//! Models pkg/scheduler/framework/preemption/preemption.go (the messages).

use crate::decision::{Verdict, fit_error};
use crate::{NodeInfo, PodInfo, Rejection};

const NOT_HELPFUL: &str = "Preemption is not helpful for scheduling";
const NO_VICTIMS: &str = "No preemption victims found for incoming pod";

/// The second half of the `FailedScheduling` sentence, with the space before it. `retry` filters a node as if it were
/// without them; none if it has none.
pub(crate) fn diagnose(
    pod: &PodInfo,
    verdicts: &[Verdict],
    mut retry: impl FnMut(&str) -> Option<Result<(), Rejection>>,
) -> String {
    if !pod.may_preempt {
        return " no new claims to deallocate, preemption: not eligible due to \
                preemptionPolicy=Never."
            .into();
    }
    let mut reasons = Vec::new();
    for verdict in verdicts {
        let Some((_, rejection)) = &verdict.rejected else {
            continue;
        };
        if !rejection.resolvable {
            reasons.push(Rejection::unresolvable(NOT_HELPFUL));
            continue;
        }
        match retry(&verdict.node) {
            None => reasons.push(Rejection::unschedulable(NO_VICTIMS)),
            Some(Err(rejection)) => reasons.push(rejection),
            // Upstream says nothing here, and makes room.
            Some(Ok(())) => {
                let what = sim::unmodelled!("preemption of pods of lower priority");
                return format!(" {what}");
            }
        }
    }
    let sentence = fit_error(verdicts.len(), reasons.iter());
    format!(" no new claims to deallocate, preemption: {sentence}")
}

/// The node without the pods of lower priority than this one; none if there are none.
pub(crate) fn without_lower_priority(pod: &PodInfo, node: &NodeInfo) -> Option<NodeInfo> {
    let lower = node
        .pods
        .values()
        .filter(|other| other.priority < pod.priority);
    let uids: Vec<_> = lower.map(|other| other.uid.clone()).collect();
    if uids.is_empty() {
        return None;
    }
    let mut alone = node.clone();
    for uid in &uids {
        alone.remove_pod(uid);
    }
    Some(alone)
}
