//! Keeps as many pods as a ReplicaSet or a ReplicationController asks for, adopts pods that match
//! and have no owner, lets go of those that match no longer, and counts them in the status.
//! Models pkg/controller/replicaset/replica_set.go and pkg/controller/replication.

use api::selector::LabelSelector;
use api::{Str, Value, object};
use client::{
    DeleteOptions, Delta, Index, Involved, Key, PODS, REPLICA_SETS, REPLICATION_CONTROLLERS,
    Resource,
};
use imbl::{OrdMap, OrdSet};
use sim::Duration;

use crate::claim::Claim;
use crate::controller::{Agenda, Controller, Cx, Saying};
use crate::pods;

mod ranking;
mod tally;

use tally::{Share, Tally};

/// At most so many pods are made or deleted at once.
const BURST: i64 = 500;

/// The controller.
#[derive(Clone, Debug)]
pub struct ReplicaSetController {
    name: &'static str,
    /// Whose pods it keeps: ReplicaSets, or what came before them.
    of: Resource,
    /// Pods counted by the uid of their controller, kept up by differences.
    tallies: OrdMap<Str, Tally>,
    /// Active pods without a controller.
    orphans: OrdSet<Key>,
    /// How many pods the next batch of a ReplicaSet makes. Batches double while all goes well, so
    /// that what is refused is refused once and not five hundred times.
    batches: OrdMap<Key, i64>,
}

impl Default for ReplicaSetController {
    fn default() -> Self {
        ReplicaSetController::new("replicaset-controller", REPLICA_SETS)
    }
}

/// A ReplicaSet as a sync sees it.
struct Target<'a> {
    of: &'a Resource,
    rs: &'a Value,
    involved: Involved,
    selector: LabelSelector,
    replicas: i64,
    tally: Tally,
}

impl Controller for ReplicaSetController {
    fn name(&self) -> &'static str {
        self.name
    }

    fn watches(&self) -> Vec<(Resource, &'static [Index])> {
        vec![(self.of.clone(), &[Index::Owner]), (PODS, &[Index::Owner])]
    }

    fn on_delta(&mut self, agenda: &mut Agenda<'_>, resource: &Resource, delta: &Delta) {
        if *resource == self.of {
            agenda.add(delta.key.clone());
        } else {
            self.on_pod(agenda, delta);
        }
    }

    fn sync(&mut self, cx: &mut Cx<'_>, key: &Key) {
        let of = self.of.clone();
        let Some(rs) = cx.cache(&of).get(key).cloned() else {
            self.batches.remove(key);
            return;
        };
        let target = Target {
            of: &of,
            involved: Involved::of(&of, &rs),
            selector: selector(&of, &rs),
            replicas: rs.i64_at("spec.replicas").unwrap_or(1),
            tally: self.tallies.get(rs.uid()).cloned().unwrap_or_default(),
            rs: &rs,
        };
        if !rs.is_terminating() && self.claim(cx, &target) {
            return;
        }
        let lacking = target.replicas - target.tally.active();
        if !rs.is_terminating() && self.manage(cx, key, &target, lacking) {
            // What comes of it goes into the status, as soon as it is known.
            if cx.outcome.error.is_none() {
                return;
            }
        }
        update_status(cx, &target, lacking);
    }

    fn boxed_clone(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}

impl ReplicaSetController {
    fn new(name: &'static str, of: Resource) -> ReplicaSetController {
        ReplicaSetController {
            name,
            of,
            tallies: OrdMap::new(),
            orphans: OrdSet::new(),
            batches: OrdMap::new(),
        }
    }

    /// The one that keeps the pods of ReplicationControllers.
    #[must_use]
    pub fn of_replication_controllers() -> ReplicaSetController {
        ReplicaSetController::new("replication-controller", REPLICATION_CONTROLLERS)
    }

    fn on_pod(&mut self, agenda: &mut Agenda<'_>, delta: &Delta) {
        let (old, new) = (share(delta.old.as_ref()), share(delta.new.as_ref()));
        if old == new {
            return;
        }
        for (share, add) in [(&old, false), (&new, true)] {
            if let Some(share) = share {
                self.count(share, &delta.key, add);
                if *share.owner_kind == *self.of.kind {
                    agenda.add(Key::new(&delta.key.namespace, &share.owner_name));
                }
            }
        }
        let orphan = new
            .as_ref()
            .filter(|share| share.owner.is_empty() && share.active);
        match orphan {
            None => drop(self.orphans.remove(&delta.key)),
            Some(share) => {
                self.orphans.insert(delta.key.clone());
                let all = agenda.cache(&self.of);
                for (key, rs) in all.in_namespace(&delta.key.namespace) {
                    if selector(&self.of, rs).matches(&share.labels) {
                        agenda.add(key.clone());
                    }
                }
            }
        }
    }

    fn count(&mut self, share: &Share, key: &Key, add: bool) {
        if share.owner.is_empty() {
            return;
        }
        let tally = self.tallies.entry(share.owner.clone()).or_default();
        tally.count(share, key, add);
        if tally.is_empty() {
            self.tallies.remove(&share.owner);
        }
    }

    /// Adopts and releases. True if there was something to do: pods are counted once that is seen.
    fn claim(&self, cx: &mut Cx<'_>, target: &Target<'_>) -> bool {
        let all_match = target.tally.all_match(&target.selector);
        let claim = Claim {
            resource: target.of,
            owner: target.rs,
            finalizer: None,
            selector: &target.selector,
        };
        claim.settle(cx, &self.orphans, !all_match)
    }

    /// Makes pods, or deletes some. False if there are as many as there should be.
    fn manage(&mut self, cx: &mut Cx<'_>, key: &Key, target: &Target<'_>, lacking: i64) -> bool {
        if lacking <= 0 {
            self.batches.remove(key);
        }
        if lacking > 0 {
            let first = cx.outcome.error.is_some();
            let batch = self
                .batches
                .get(key)
                .copied()
                .filter(|_| !first)
                .unwrap_or(1);
            self.batches.insert(key.clone(), (batch * 2).min(BURST));
            let pod = new_pod(target.of, target.rs);
            for _ in 0..lacking.min(batch) {
                create(cx, &target.involved, pod.clone());
            }
        } else if lacking < 0 {
            let surplus = usize::try_from((-lacking).min(BURST)).unwrap_or(0);
            for pod in ranking::to_delete(cx, target.rs, surplus) {
                delete(cx, &target.involved, &pod);
            }
        }
        lacking != 0
    }
}

fn create(cx: &mut Cx<'_>, involved: &Involved, pod: Value) {
    let created = Saying::normal(involved, "SuccessfulCreate", "Created pod: {name}");
    let failed = Saying::warning(involved, "FailedCreate", "Error creating: {error}");
    cx.create(&PODS, pod).says(created).laments(failed);
}

fn delete(cx: &mut Cx<'_>, involved: &Involved, pod: &Value) {
    let message = format!("Deleted pod: {}", pod.name());
    let deleted = Saying::normal(involved, "SuccessfulDelete", message);
    let failed = Saying::warning(involved, "FailedDelete", "Error deleting: {error}");
    cx.delete(&PODS, pod, DeleteOptions::default())
        .says(deleted)
        .laments(failed);
}

/// Which pods are meant. A ReplicationController's selector is nothing but labels.
fn selector(of: &Resource, rs: &Value) -> LabelSelector {
    let selector = rs.at("spec.selector");
    if *of == REPLICATION_CONTROLLERS {
        return match selector.entries().is_empty() {
            true => LabelSelector::nothing(),
            false => LabelSelector::from_map(selector.entries()),
        };
    }
    LabelSelector::from_object(selector).unwrap_or_else(|_| LabelSelector::nothing())
}

/// What a pod counts as, and for whom.
fn share(pod: Option<&Value>) -> Option<Share> {
    pod.map(Share::of)
}

/// A pod as the template says.
fn new_pod(of: &Resource, rs: &Value) -> Value {
    let template = rs.at("spec.template");
    let mut metadata = object! {
        "generateName": (format!("{}-", rs.name())),
        "namespace": (rs.namespace()),
        "ownerReferences": [(pods::owner_reference(of, rs))],
    };
    for field in ["labels", "annotations", "finalizers"] {
        metadata.set_or_remove(field, template.metadata().get(field));
    }
    object! {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": (template.get("spec")),
    }
}

fn update_status(cx: &mut Cx<'_>, target: &Target<'_>, lacking: i64) {
    let Target { rs, tally, .. } = target;
    let min_ready = u64::try_from(rs.i64_at("spec.minReadySeconds").unwrap_or(0)).unwrap_or(0);
    let (available, next) = tally.available(cx.now, Duration::from_secs(min_ready));
    if let Some(wait) = next {
        cx.requeue_after(wait);
    }
    let labels = rs.at("spec.template.metadata.labels").entries();
    let mut status = object! {
        "replicas": (tally.active()),
        "observedGeneration": (rs.generation()),
    };
    if *target.of == REPLICA_SETS {
        status.set("terminatingReplicas", tally.terminating);
    }
    status.set_or_remove("fullyLabeledReplicas", tally.labelled(labels));
    status.set_or_remove("readyReplicas", tally.ready());
    status.set_or_remove("availableReplicas", available);
    status.set_or_remove("conditions", conditions(cx, rs, lacking));
    if !rs.get("status").same(&status) {
        let mut rs = (*rs).clone();
        rs.set("status", status);
        cx.update_status(target.of, rs);
    }
}

/// The status' conditions: `ReplicaFailure` while pods could not be made or deleted.
fn conditions(cx: &Cx<'_>, rs: &Value, lacking: i64) -> Value {
    let known = rs.at("status.conditions");
    let others = known
        .list()
        .iter()
        .filter(|c| c.str("type") != "ReplicaFailure");
    let mut conditions: Vec<Value> = others.cloned().collect();
    let failure = known
        .list()
        .iter()
        .find(|c| c.str("type") == "ReplicaFailure");
    match (&cx.outcome.error, failure) {
        (None, Some(failure)) if lacking != 0 => conditions.push(failure.clone()),
        (None, _) => {}
        (Some(_), Some(failure)) => conditions.push(failure.clone()),
        (Some(error), None) => conditions.push(object! {
            "type": "ReplicaFailure",
            "status": "True",
            "lastTransitionTime": (cx.now.rfc3339()),
            "reason": (if lacking < 0 { "FailedDelete" } else { "FailedCreate" }),
            "message": &error.message,
        }),
    }
    Value::list_of(conditions)
}

#[cfg(test)]
mod tests;
