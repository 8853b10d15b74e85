//! A DaemonSet, the nodes and its pods on them, as one sync sees them.

use std::collections::BTreeMap;

use api::kinds::support::scaled::scaled;
use api::{Str, Value};
use client::{Index, NODES, PODS};
use sim::{Duration, Instant};

use super::eligible::{Placement, Wanted};
use super::pod;
use crate::controller::Cx;
use crate::history::REVISION_HASH;
use crate::pods;

pub(super) struct Fleet {
    pub(super) set: Value,
    /// The hash of the template as it is.
    pub(super) hash: String,
    /// Every node, in the order of names.
    pub(super) nodes: Vec<Node>,
    /// Pods by the node they are on or meant for, oldest first.
    pods: BTreeMap<Str, Vec<Value>>,
    pub(super) min_ready: Duration,
}

pub(super) struct Node {
    pub(super) name: Str,
    pub(super) placement: Placement,
}

impl Fleet {
    pub(super) fn of(cx: &Cx<'_>, set: &Value, revision: &Value) -> Fleet {
        let wanted = Wanted::of(set);
        let nodes = cx.cache(&NODES).iter().map(|(key, node)| Node {
            name: key.name.clone(),
            placement: wanted.on(node),
        });
        let mut pods: BTreeMap<Str, Vec<Value>> = BTreeMap::new();
        for pod in cx.cache(&PODS).by(Index::Owner, set.uid()) {
            // What has ended and is on its way out is the kubelet's business.
            let over = pods::is_finished(pod) && pod.is_terminating();
            if pod.is_controlled_by(set.uid()) && !over {
                let node = pod::target_node(pod).into();
                pods.entry(node).or_default().push(pod.clone());
            }
        }
        for pods in pods.values_mut() {
            pods.sort_by(|a, b| age(a).cmp(&age(b)));
        }
        let secs = set.i64_at("spec.minReadySeconds").unwrap_or(0);
        Fleet {
            hash: revision.label(REVISION_HASH).to_owned(),
            nodes: nodes.collect(),
            pods,
            min_ready: Duration::from_secs(u64::try_from(secs).unwrap_or(0)),
            set: set.clone(),
        }
    }

    /// The pods on a node, oldest first.
    pub(super) fn pods_on(&self, node: &str) -> &[Value] {
        self.pods.get(node).map_or(&[], Vec::as_slice)
    }

    /// Whether a pod was made of the template as it is.
    pub(super) fn is_new(&self, pod: &Value) -> bool {
        pod.label(REVISION_HASH) == self.hash
    }

    /// Whether there is a pod of the template with this hash.
    pub(super) fn uses(&self, hash: &str) -> bool {
        let mut pods = self.pods.values().flatten();
        pods.any(|pod| pod.label(REVISION_HASH) == hash)
    }

    pub(super) fn is_available(&self, pod: &Value, now: Instant) -> bool {
        pods::ready_since(pod).is_some_and(|since| since + self.min_ready <= now)
    }

    /// How many pods may be missing, and how many there may be too many, in an update.
    pub(super) fn slack(&self) -> (i64, i64) {
        let desired = self.nodes.iter().filter(|node| node.placement.run).count();
        let desired = i64::try_from(desired).unwrap_or(i64::MAX);
        let of = |field: &str| {
            let rolling = self.set.at("spec.updateStrategy.rollingUpdate");
            scaled(rolling.get(field), desired, true).unwrap_or(0)
        };
        match (of("maxUnavailable"), of("maxSurge")) {
            (0, 0) => (1, 0),
            slack => slack,
        }
    }

    /// Which of the running pods of one node, oldest first, are too many: all but the oldest, or
    /// the oldest of either template while one takes over from the other.
    pub(super) fn surplus(&self, running: &[&Value], now: Instant) -> Vec<Value> {
        let (_, surge) = self.slack();
        if running.len() <= 1 || surge == 0 {
            return running.iter().skip(1).map(|pod| (*pod).clone()).collect();
        }
        let (new, old): (Vec<&Value>, Vec<&Value>) = running.iter().partition(|p| self.is_new(p));
        let extra = new.iter().skip(1).chain(old.iter().skip(1));
        let mut surplus: Vec<Value> = extra.map(|pod| (*pod).clone()).collect();
        if let (Some(new), Some(old)) = (new.first(), old.first())
            && (!pods::is_ready(old) || self.is_available(new, now))
        {
            surplus.push((*old).clone());
        }
        surplus
    }
}

/// Pods on a node come before those that are not yet, then by when they were created.
fn age(pod: &Value) -> (bool, &str, &str) {
    let waiting = pod.str_at("spec.nodeName").is_empty();
    (waiting, pod.creation_timestamp(), pod.name())
}
