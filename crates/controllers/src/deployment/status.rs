//! What a Deployment's status says: counts, and whether it is available and makes progress.
//! Models pkg/controller/deployment/{progress,sync}.go and util/deployment_util.go (conditions).

use api::{Str, Value, object};
use client::{DEPLOYMENTS, Error, Key};
use imbl::OrdMap;
use sim::{Duration, Instant};

use super::ReplicaSet;
use super::rollout::Rollout;
use crate::controller::{Cx, Saying};

const AVAILABLE: &str = "Available";
const PROGRESSING: &str = "Progressing";
const FAILURE: &str = "ReplicaFailure";
const COMPLETE: &str = "NewReplicaSetAvailable";
const TIMED_OUT: &str = "ProgressDeadlineExceeded";
const PAUSED: &str = "DeploymentPaused";

impl Rollout {
    /// The progress deadline, unless there is none.
    fn deadline(&self) -> Option<Duration> {
        let secs = self.deployment.i64_at("spec.progressDeadlineSeconds")?;
        let none = secs == i64::from(i32::MAX);
        u64::try_from(secs)
            .ok()
            .filter(|_| !none)
            .map(Duration::from_secs)
    }

    fn progressing(&self) -> Option<&Value> {
        condition(self.wanted.get("status"), PROGRESSING)
    }

    fn progress(&mut self, now: Instant, status: &str, reason: &str, message: &str) {
        let new = new_condition(now, PROGRESSING, status, reason, message);
        set_condition(&mut self.wanted, new);
    }

    /// Says when a pause begins and ends: the clock of the progress deadline stands still.
    pub(super) fn note_pause(&mut self, now: Instant) {
        let reason = self
            .progressing()
            .map_or("", |condition| condition.str("reason"));
        if self.deadline().is_none() || reason == TIMED_OUT {
            return;
        }
        match (self.is_paused(), reason == PAUSED) {
            (true, false) => self.progress(now, "Unknown", PAUSED, "Deployment is paused"),
            (false, true) => {
                self.progress(now, "Unknown", "DeploymentResumed", "Deployment is resumed");
            }
            _ => {}
        }
    }

    /// Says which ReplicaSet was created for the template, or found.
    pub(super) fn note_creation(&mut self, cx: &Cx<'_>, created: &mut OrdMap<Key, Str>) {
        let Some(name) = self.new_set().map(|rs| rs.name().to_owned()) else {
            return;
        };
        let own = created
            .remove(&self.key)
            .is_some_and(|created| *created == *name);
        if self.deadline().is_none() {
            return;
        }
        if own {
            let message = format!("Created new replica set \"{name}\"");
            self.progress(cx.now, "True", "NewReplicaSetCreated", &message);
        } else if self.progressing().is_none() {
            let message = format!("Found new replica set \"{name}\"");
            self.progress(cx.now, "True", "FoundNewReplicaSet", &message);
        }
    }

    /// Says that the ReplicaSet of the template could not be created.
    pub(super) fn note_failed_creation(&mut self, now: Instant, name: &str, error: &Error) {
        let message = format!("Failed to create new replica set \"{name}\": {error}");
        if self.deadline().is_some() {
            self.progress(now, "False", "ReplicaSetCreateError", &message);
        }
    }

    /// Says how far the rollout has come, against the progress deadline.
    pub(super) fn note_progress(&mut self, cx: &mut Cx<'_>) {
        let status = self.counts();
        self.note_availability(cx.now, &status);
        let Some(deadline) = self.deadline() else {
            remove_condition(&mut self.wanted, PROGRESSING);
            return;
        };
        let known = self.progressing().cloned().unwrap_or_default();
        let counted = |field: &str| status.get(field).as_i64().unwrap_or(0);
        let settled = counted("replicas") == counted("updatedReplicas");
        if settled && known.str("reason") == COMPLETE {
            return;
        }
        let subject = match self.new_set() {
            Some(new) => format!("ReplicaSet \"{}\"", new.name()),
            None => format!("Deployment \"{}\"", self.deployment.name()),
        };
        if is_complete(&self.deployment, &status) {
            let message = format!("{subject} has successfully progressed.");
            self.progress(cx.now, "True", COMPLETE, &message);
        } else if progresses(self.deployment.get("status"), &status) {
            let message = format!("{subject} is progressing.");
            let mut new = new_condition(cx.now, PROGRESSING, "True", "ReplicaSetUpdated", &message);
            if known.str("status") == "True" {
                new.set("lastTransitionTime", known.get("lastTransitionTime"));
            }
            remove_condition(&mut self.wanted, PROGRESSING);
            set_condition(&mut self.wanted, new);
        } else if timed_out(&known, cx.now, deadline) {
            let message = format!("{subject} has timed out progressing.");
            self.progress(cx.now, "False", TIMED_OUT, &message);
        } else if let Some(updated) = Instant::parse_rfc3339(known.str("lastUpdateTime")) {
            let left = (updated + deadline).since(cx.now);
            cx.requeue_after(left + Duration::from_secs(1));
        }
    }

    /// The counts of the status, from what the ReplicaSets say of themselves.
    fn counts(&self) -> Value {
        let sum = |field: &str| self.sets.iter().map(|rs| rs.status(field)).sum::<i64>();
        let available = sum("availableReplicas");
        let mut status = object! { "observedGeneration": (self.deployment.generation()) };
        status.set_or_remove("replicas", sum("replicas"));
        let updated = self.new_set().map_or(0, |new| new.status("replicas"));
        status.set_or_remove("updatedReplicas", updated);
        status.set_or_remove("readyReplicas", sum("readyReplicas"));
        status.set_or_remove("availableReplicas", available);
        status.set_or_remove("unavailableReplicas", (self.total() - available).max(0));
        status.set("terminatingReplicas", sum("terminatingReplicas"));
        status
    }

    /// Writes the Deployment's status and revision if they are to change.
    pub(super) fn write_status(&mut self, cx: &mut Cx<'_>) {
        let mut status = self.counts();
        self.note_availability(cx.now, &status);
        self.note_replica_failure();
        status.set_or_remove("conditions", self.wanted.at("status.conditions"));
        status.set_or_remove("collisionCount", self.wanted.at("status.collisionCount"));
        self.wanted.set("status", status);
        if !self.wanted.same(&self.deployment) {
            cx.update_status(&DEPLOYMENTS, self.wanted.clone());
        }
        self.tell_failure(cx);
    }

    fn note_availability(&mut self, now: Instant, status: &Value) {
        let available = status.i64_at("availableReplicas").unwrap_or(0);
        let new = if available >= self.replicas - self.max_unavailable {
            let message = "Deployment has minimum availability.";
            new_condition(now, AVAILABLE, "True", "MinimumReplicasAvailable", message)
        } else {
            let message = "Deployment does not have minimum availability.";
            new_condition(
                now,
                AVAILABLE,
                "False",
                "MinimumReplicasUnavailable",
                message,
            )
        };
        set_condition(&mut self.wanted, new);
    }

    /// Takes over why pods could not be made: of the new ReplicaSet first.
    fn note_replica_failure(&mut self) {
        let failure = |rs: &ReplicaSet| condition(rs.object.get("status"), FAILURE).cloned();
        let of_new = self.new_set().and_then(failure);
        match of_new.or_else(|| self.sets.iter().find_map(failure)) {
            None => remove_condition(&mut self.wanted, FAILURE),
            Some(mut failure) => {
                failure.set("lastUpdateTime", failure.get("lastTransitionTime").clone());
                set_condition(&mut self.wanted, failure);
            }
        }
    }

    /// A creation that failed is told as an event as well.
    fn tell_failure(&self, cx: &mut Cx<'_>) {
        let told = condition(self.wanted.get("status"), PROGRESSING);
        let Some(told) = told.filter(|c| c.str("reason") == "ReplicaSetCreateError") else {
            return;
        };
        let message = told.str("message").to_owned();
        if cx.outcome.error.is_some() {
            cx.event(Saying::warning(
                &self.involved,
                "ReplicaSetCreateError",
                message,
            ));
        }
    }
}

/// Writes that a Deployment was seen, and nothing else.
pub(super) fn observe(cx: &mut Cx<'_>, deployment: &Value) {
    if deployment.i64_at("status.observedGeneration").unwrap_or(0) < deployment.generation() {
        let mut seen = deployment.clone();
        seen.set("status.observedGeneration", deployment.generation());
        cx.update_status(&DEPLOYMENTS, seen);
    }
}

/// Whether a status says that all pods have the template and are available.
pub(super) fn is_complete(deployment: &Value, status: &Value) -> bool {
    let replicas = deployment.i64_at("spec.replicas").unwrap_or(1);
    let counted = |field: &str| status.get(field).as_i64().unwrap_or(0);
    ["updatedReplicas", "replicas", "availableReplicas"]
        .into_iter()
        .all(|f| counted(f) == replicas)
        && counted("observedGeneration") >= deployment.generation()
}

fn progresses(before: &Value, after: &Value) -> bool {
    let count = |status: &Value, field: &str| status.get(field).as_i64().unwrap_or(0);
    let old = |status: &Value| count(status, "replicas") - count(status, "updatedReplicas");
    let grows = |field: &str| count(after, field) > count(before, field);
    grows("updatedReplicas")
        || old(after) < old(before)
        || grows("readyReplicas")
        || grows("availableReplicas")
}

fn timed_out(progressing: &Value, now: Instant, deadline: Duration) -> bool {
    match progressing.str("reason") {
        COMPLETE => false,
        TIMED_OUT => true,
        _ => Instant::parse_rfc3339(progressing.str("lastUpdateTime"))
            .is_some_and(|updated| updated + deadline < now),
    }
}

fn condition<'a>(status: &'a Value, kind: &str) -> Option<&'a Value> {
    status
        .get("conditions")
        .list()
        .iter()
        .find(|condition| condition.str("type") == kind)
}

fn new_condition(now: Instant, kind: &str, status: &str, reason: &str, message: &str) -> Value {
    let now = now.rfc3339();
    object! {
        "type": kind, "status": status, "lastUpdateTime": &now, "lastTransitionTime": now,
        "reason": reason, "message": message,
    }
}

/// Puts a condition last, unless there is one of the same status and reason.
fn set_condition(deployment: &mut Value, mut new: Value) {
    if let Some(known) = condition(deployment.get("status"), new.str("type")).cloned() {
        let same_status = known.get("status") == new.get("status");
        if same_status && known.get("reason") == new.get("reason") {
            return;
        }
        if same_status {
            new.set("lastTransitionTime", known.get("lastTransitionTime"));
        }
        remove_condition(deployment, new.str("type"));
    }
    deployment.list_mut("status.conditions").push(new);
}

fn remove_condition(deployment: &mut Value, kind: &str) {
    if condition(deployment.get("status"), kind).is_some() {
        deployment
            .list_mut("status.conditions")
            .retain(|condition| condition.str("type") != kind);
    }
}
