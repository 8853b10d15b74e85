//! A StatefulSet and its pods in their order, as one sync sees them.

use std::collections::BTreeMap;
use std::ops::Range;

use api::Value;
use api::kinds::support::scaled::scaled;
use client::{Index, PODS, STATEFUL_SETS};
use sim::{Duration, Instant};

use super::pod;
use crate::controller::Cx;
use crate::history::{History, REVISION_HASH};
use crate::pods;

pub(super) struct Row {
    pub(super) set: Value,
    pub(super) history: History,
    /// The revision of the template as it is.
    pub(super) update: Value,
    /// The revision pods were made of before.
    pub(super) current: Value,
    /// One pod at a time.
    pub(super) ordered: bool,
    pods: BTreeMap<i64, Value>,
    /// Pods outside the range of ordinals, the last at the end.
    pub(super) condemned: Vec<Value>,
    min_ready: Duration,
}

impl Row {
    /// `None` until there is a revision of the template.
    pub(super) fn of(cx: &mut Cx<'_>, set: &Value) -> Option<Row> {
        let history = History::of(cx, set);
        let update = history.current(cx, &STATEFUL_SETS, set)?;
        let current = history.named(set.str_at("status.currentRevision"));
        let secs = set.i64_at("spec.minReadySeconds").unwrap_or(0);
        let mut row = Row {
            current: current.unwrap_or(&update).clone(),
            ordered: set.str_at("spec.podManagementPolicy") != "Parallel",
            pods: BTreeMap::new(),
            condemned: Vec::new(),
            min_ready: Duration::from_secs(u64::try_from(secs).unwrap_or(0)),
            set: set.clone(),
            history,
            update,
        };
        let own = cx.cache(&PODS).by(Index::Owner, set.uid());
        for pod in own.filter(|pod| pod.is_controlled_by(set.uid())) {
            if let Some(ordinal) = pod::ordinal(set, pod) {
                row.pods.insert(ordinal, pod.clone());
            }
        }
        let range = row.ordinals();
        let outside = row
            .pods
            .iter()
            .filter(|(ordinal, _)| !range.contains(ordinal));
        row.condemned = outside.map(|(_, pod)| pod.clone()).collect();
        Some(row)
    }

    /// The numbers of the pods there should be.
    pub(super) fn ordinals(&self) -> Range<i64> {
        let start = self.set.i64_at("spec.ordinals.start").unwrap_or(0);
        start..start + self.set.i64_at("spec.replicas").unwrap_or(1)
    }

    pub(super) fn pod(&self, ordinal: i64) -> Option<&Value> {
        self.pods.get(&ordinal)
    }

    /// Pods of an old template are replaced by and by.
    pub(super) fn is_rolling(&self) -> bool {
        self.set.str_at("spec.updateStrategy.type") == "RollingUpdate"
    }

    /// How many pods an update may leave without.
    pub(super) fn may_lack(&self) -> i64 {
        let most = self
            .set
            .at("spec.updateStrategy.rollingUpdate.maxUnavailable");
        let replicas = self.set.i64_at("spec.replicas").unwrap_or(1);
        scaled(most, replicas, false).unwrap_or(1).max(1)
    }

    pub(super) fn pods(&self) -> impl Iterator<Item = &Value> {
        self.pods.values()
    }

    /// The first ordinal an update replaces.
    pub(super) fn partition(&self) -> i64 {
        let partition = self
            .set
            .i64_at("spec.updateStrategy.rollingUpdate.partition");
        self.ordinals().start + partition.unwrap_or(0)
    }

    pub(super) fn is_new(&self, pod: &Value) -> bool {
        pod.label(REVISION_HASH) == self.update.name()
    }

    pub(super) fn is_current(&self, pod: &Value) -> bool {
        pod.label(REVISION_HASH) == self.current.name()
    }

    /// The revision a new pod is made of: below the partition, that of before.
    pub(super) fn revision_for(&self, ordinal: i64) -> &Value {
        match self.is_rolling() && ordinal < self.partition() {
            true => &self.current,
            false => &self.update,
        }
    }

    pub(super) fn is_available(&self, pod: &Value, now: Instant) -> bool {
        pods::ready_since(pod).is_some_and(|since| since + self.min_ready <= now)
    }

    /// Running, ready for long enough, and not on its way out.
    pub(super) fn is_healthy(&self, pod: &Value, now: Instant) -> bool {
        !pod.is_terminating() && self.is_available(pod, now)
    }

    pub(super) fn min_ready(&self) -> Duration {
        self.min_ready
    }
}
