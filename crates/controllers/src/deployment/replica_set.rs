//! A ReplicaSet as a rollout sees it: what it is, and what it is to become.

use api::Value;
use client::{Involved, REPLICA_SETS};
use sim::Instant;

use crate::controller::{Cx, Saying};
pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";
pub(super) const HISTORY: &str = "deployment.kubernetes.io/revision-history";
pub(super) const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
pub(super) const MAX: &str = "deployment.kubernetes.io/max-replicas";
pub(super) const HASH: &str = "pod-template-hash";

/// A ReplicaSet of the rollout.
#[derive(Clone, Debug)]
pub(super) struct ReplicaSet {
    /// As the cache has it.
    pub(super) object: Value,
    /// As it is to be, the number of replicas apart.
    pub(super) wanted: Value,
    /// How many replicas it is to have.
    pub(super) replicas: i64,
    pub(super) available: i64,
    pub(super) created: Instant,
}

impl ReplicaSet {
    pub(super) fn of(object: &Value) -> ReplicaSet {
        ReplicaSet {
            wanted: object.clone(),
            replicas: object.i64_at("spec.replicas").unwrap_or(0),
            available: object.i64_at("status.availableReplicas").unwrap_or(0),
            created: Instant::parse_rfc3339(object.creation_timestamp()).unwrap_or_default(),
            object: object.clone(),
        }
    }

    pub(super) fn name(&self) -> &str {
        self.object.name()
    }

    /// A number of its status.
    pub(super) fn status(&self, field: &str) -> i64 {
        self.object.get("status").get(field).as_i64().unwrap_or(0)
    }

    pub(super) fn revision(&self) -> i64 {
        self.object.annotation(REVISION).parse().unwrap_or(0)
    }

    /// For how many replicas of the Deployment it was last scaled.
    pub(super) fn desired(&self) -> Option<i64> {
        self.object.annotation(DESIRED).parse().ok()
    }

    pub(super) fn is_active(&self) -> bool {
        self.replicas > 0
    }

    /// Whether it was made from this template.
    pub(super) fn has_template(&self, template: &Value) -> bool {
        let mut own = self.object.at("spec.template").clone();
        own.remove_path(&["metadata", "labels", HASH]);
        own.same(template)
    }

    /// Notes for how many replicas of the Deployment it is scaled.
    pub(super) fn annotate(&mut self, desired: i64, max: i64) {
        self.wanted.set_annotation(DESIRED, &desired.to_string());
        self.wanted.set_annotation(MAX, &max.to_string());
    }

    /// Writes it if it is to change.
    pub(super) fn write(&self, cx: &mut Cx<'_>, deployment: &Involved) {
        let before = self.object.i64_at("spec.replicas").unwrap_or(0);
        let mut wanted = self.wanted.clone();
        wanted.set("spec.replicas", self.replicas);
        if wanted.same(&self.object) {
            return;
        }
        let write = cx.update(&REPLICA_SETS, wanted);
        if before != self.replicas {
            write.says(scaled(deployment, self.name(), before, self.replicas));
        }
    }
}

/// The event of a change of scale.
pub(super) fn scaled(deployment: &Involved, name: &str, from: i64, to: i64) -> Saying {
    let direction = if to > from { "up" } else { "down" };
    let message = format!("Scaled {direction} replica set {name} from {from} to {to}");
    Saying::normal(deployment, "ScalingReplicaSet", message)
}
