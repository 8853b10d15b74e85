//! Which pods go first when there are too many.
//! Models pkg/controller/controller_utils.go (`ActivePodsWithRanks`).

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;

use api::{Str, Value};
use client::{Index, PODS, REPLICA_SETS};
use sim::Instant;

use crate::controller::Cx;
use crate::pods;

/// What a pod is compared by.
struct Candidate {
    pod: Value,
    assigned: bool,
    phase: u8,
    ready: Option<Instant>,
    cost: i64,
    /// How many related pods share its node.
    neighbours: i64,
    restarts: i64,
    created: Option<Instant>,
}

/// The `count` pods of a ReplicaSet to delete: those of the least worth.
pub(super) fn to_delete(cx: &Cx<'_>, rs: &Value, count: usize) -> Vec<Value> {
    let owned = cx.cache(&PODS).by(Index::Owner, rs.uid());
    let active: Vec<&Value> = owned
        .filter(|pod| pods::is_active(pod) && pod.is_controlled_by(rs.uid()))
        .collect();
    if active.len() <= count {
        return active.into_iter().cloned().collect();
    }
    let neighbours = neighbours(cx, rs);
    let candidate = |pod: &Value| {
        let node = Str::from(pod.str_at("spec.nodeName"));
        Candidate::of(pod, neighbours.get(&node).copied().unwrap_or(0))
    };
    let mut candidates: Vec<Candidate> = active.into_iter().map(candidate).collect();
    candidates.sort_by(|a, b| compare(a, b, cx.now));
    candidates.truncate(count);
    candidates
        .into_iter()
        .map(|candidate| candidate.pod)
        .collect()
}

/// How many active pods of the ReplicaSets of one owner there are on each node.
fn neighbours(cx: &Cx<'_>, rs: &Value) -> BTreeMap<Str, i64> {
    let mut counts = BTreeMap::new();
    let owner = rs.controller().map_or("", |owner| owner.str("uid"));
    let siblings: Vec<&str> = if owner.is_empty() {
        vec![rs.uid()]
    } else {
        cx.cache(&REPLICA_SETS)
            .by(Index::Owner, owner)
            .map(Value::uid)
            .collect()
    };
    for sibling in siblings {
        for pod in cx
            .cache(&PODS)
            .by(Index::Owner, sibling)
            .filter(|pod| pods::is_active(pod))
        {
            *counts
                .entry(Str::from(pod.str_at("spec.nodeName")))
                .or_default() += 1;
        }
    }
    counts
}

impl Candidate {
    fn of(pod: &Value, neighbours: i64) -> Candidate {
        let cost = pod.annotation("controller.kubernetes.io/pod-deletion-cost");
        let statuses = pod.list_at("status.containerStatuses").iter();
        Candidate {
            assigned: !pod.str_at("spec.nodeName").is_empty(),
            phase: match pod.str_at("status.phase") {
                "Pending" => 0,
                "Unknown" => 1,
                _ => 2,
            },
            ready: pods::ready_since(pod),
            cost: cost.parse().unwrap_or(0),
            neighbours,
            restarts: statuses
                .filter_map(|s| s.i64_at("restartCount"))
                .max()
                .unwrap_or(0),
            created: Instant::parse_rfc3339(pod.creation_timestamp()),
            pod: pod.clone(),
        }
    }
}

/// Less means: goes first.
fn compare(a: &Candidate, b: &Candidate, now: Instant) -> Ordering {
    let worth = |c: &Candidate| {
        (
            c.assigned,
            c.phase,
            c.ready.is_some(),
            c.cost,
            Reverse(c.neighbours),
        )
    };
    worth(a)
        .cmp(&worth(b))
        .then_with(|| by_age(a.ready, b.ready, now, a, b))
        .then_with(|| b.restarts.cmp(&a.restarts))
        .then_with(|| by_age(a.created, b.created, now, a, b))
}

/// The younger goes first, where one is at least twice as old as the other, roughly: ages are
/// compared by their binary logarithm, so that chance decides among pods of similar age.
fn by_age(
    a_since: Option<Instant>,
    b_since: Option<Instant>,
    now: Instant,
    a: &Candidate,
    b: &Candidate,
) -> Ordering {
    let (Some(a_since), Some(b_since)) = (a_since, b_since) else {
        return Ordering::Equal;
    };
    if a_since == b_since {
        return Ordering::Equal;
    }
    let rank = |since: Instant| {
        u64::try_from(now.since(since).as_nanos())
            .ok()
            .and_then(u64::checked_ilog2)
            .map(i64::from)
    };
    rank(a_since)
        .cmp(&rank(b_since))
        .then_with(|| a.pod.uid().cmp(b.pod.uid()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::object;
    use sim::Duration;

    fn pod(uid: &str, node: &str, phase: &str, ready_secs: Option<u64>) -> Value {
        let mut pod = object! {
            "metadata": { "uid": uid, "creationTimestamp": "2026-01-05T09:00:00Z" },
            "spec": { "nodeName": node }, "status": { "phase": phase },
        };
        if let Some(secs) = ready_secs {
            let since = (Instant::ZERO + Duration::from_secs(secs)).rfc3339();
            let condition =
                object! { "type": "Ready", "status": "True", "lastTransitionTime": since };
            pod.set("status.conditions", vec![condition]);
        }
        pod
    }

    #[test]
    fn the_least_worth_goes_first() {
        let running = |uid: &str, secs| pod(uid, "n1", "Running", Some(secs));
        let mut cheap = running("cheap", 0);
        cheap.set_annotation("controller.kubernetes.io/pod-deletion-cost", "-10");
        let mut restarted = running("restarted", 0);
        restarted.set(
            "status.containerStatuses",
            vec![object! { "restartCount": 4 }],
        );
        let order = [
            (pod("unassigned", "", "Pending", None), 0),
            (pod("pending", "n1", "Pending", None), 0),
            (pod("unready", "n1", "Running", None), 0),
            (cheap, 0),
            (running("crowded", 0), 3),
            (running("young", 90), 1),
            (restarted, 1),
            (running("old", 0), 1),
        ];
        let now = Instant::ZERO + Duration::from_secs(100);
        let mut candidates: Vec<Candidate> = order
            .iter()
            .rev()
            .map(|(pod, n)| Candidate::of(pod, *n))
            .collect();
        candidates.sort_by(|a, b| compare(a, b, now));
        let names = |list: &mut dyn Iterator<Item = &Value>| {
            list.map(|pod| pod.uid().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(
            names(&mut candidates.iter().map(|c| &c.pod)),
            names(&mut order.iter().map(|(pod, _)| pod))
        );
    }
}
