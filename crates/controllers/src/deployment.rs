//! Rolls a Deployment's pods from one template to the next by scaling ReplicaSets, one per template.
//! Upstream does a rollout's steps one after the other within a sync; here a sync takes the steps
//! its caches call for, and the next one follows when they have shown their effect.
//! Models pkg/controller/deployment.

use api::selector::LabelSelector;
use api::{Str, Value, object};
use client::{DEPLOYMENTS, Delta, Index, Involved, Key, PODS, Patch, REPLICA_SETS, Resource};
use imbl::OrdMap;

use crate::controller::{Agenda, Controller, Cx, Saying};
use crate::pods;

mod replica_set;
mod revision;
mod rollout;
mod scale;
mod status;

use replica_set::ReplicaSet;
use rollout::Rollout;

/// The controller.
#[derive(Clone, Debug, Default)]
pub struct DeploymentController {
    /// The ReplicaSet that was just created for a Deployment: its status says so.
    created: OrdMap<Key, Str>,
}

impl Controller for DeploymentController {
    fn name(&self) -> &'static str {
        "deployment-controller"
    }

    fn watches(&self) -> Vec<(Resource, &'static [Index])> {
        vec![
            (DEPLOYMENTS, &[]),
            (REPLICA_SETS, &[Index::Owner]),
            (PODS, &[Index::Owner]),
        ]
    }

    fn on_delta(&mut self, agenda: &mut Agenda<'_>, resource: &Resource, delta: &Delta) {
        match &*resource.plural {
            "deployments" => agenda.add(delta.key.clone()),
            "replicasets" => on_replica_set(agenda, delta),
            _ => on_pod(agenda, delta),
        }
    }

    fn sync(&mut self, cx: &mut Cx<'_>, key: &Key) {
        let Some(deployment) = cx.cache(&DEPLOYMENTS).get(key).cloned() else {
            self.created.remove(key);
            return;
        };
        let selector = LabelSelector::from_object(deployment.at("spec.selector"));
        let selector = selector.unwrap_or_else(|_| LabelSelector::nothing());
        let involved = Involved::of(&DEPLOYMENTS, &deployment);
        if selector.is_everything() {
            let message =
                "This deployment is selecting all pods. A non-empty selector is required.";
            cx.event(Saying::warning(&involved, "SelectingAll", message));
            status::observe(cx, &deployment);
            return;
        }
        if deployment.is_terminating() {
            Rollout::new(cx, &deployment).write_status(cx);
            return;
        }
        if claim(cx, &deployment, &selector) {
            return;
        }
        let mut rollout = Rollout::new(cx, &deployment);
        rollout.note_pause(cx.now);
        rollout.note_creation(cx, &mut self.created);
        if rollout.is_paused() || rollout.is_scaling() {
            self.scale(cx, &mut rollout);
        } else if rollout.is_rolling() {
            self.roll(cx, &mut rollout);
        } else {
            self.recreate(cx, &mut rollout);
        }
    }

    fn boxed_clone(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}

impl DeploymentController {
    /// The number of replicas changed, or the rollout is paused: no pod changes its template.
    fn scale(&mut self, cx: &mut Cx<'_>, rollout: &mut Rollout) {
        rollout.sync_revision();
        rollout.scale_proportionally();
        if rollout.is_paused() {
            rollout.clean_up(cx);
        }
        rollout.write_replica_sets(cx);
        rollout.write_status(cx);
    }

    /// New pods come and old ones go, within the bounds of surge and unavailability.
    fn roll(&mut self, cx: &mut Cx<'_>, rollout: &mut Rollout) {
        if rollout.new.is_none() {
            self.create_new(cx, rollout);
            return;
        }
        rollout.sync_revision();
        if !rollout.scale_up_new() && !rollout.scale_down_old() && rollout.is_complete() {
            rollout.clean_up(cx);
        }
        rollout.write_replica_sets(cx);
        rollout.note_progress(cx);
        rollout.write_status(cx);
    }

    /// All old pods go, then new ones come.
    fn recreate(&mut self, cx: &mut Cx<'_>, rollout: &mut Rollout) {
        rollout.sync_revision();
        let going = rollout.scale_old_to_zero() || rollout.has_old_pods(cx);
        if !going {
            if rollout.new.is_none() {
                self.create_new(cx, rollout);
                return;
            }
            rollout.scale_new_to(rollout.replicas);
            if rollout.is_complete() {
                rollout.clean_up(cx);
            }
        }
        rollout.write_replica_sets(cx);
        rollout.note_progress(cx);
        rollout.write_status(cx);
    }

    /// Creates the ReplicaSet of the template, unless a failure has to be told first.
    fn create_new(&mut self, cx: &mut Cx<'_>, rollout: &mut Rollout) {
        let error = cx.outcome.error.clone();
        let attempted = self.created.contains_key(&rollout.key);
        if let Some(error) = error.filter(|error| attempted && !error.is_conflict()) {
            if error.is_already_exists() {
                rollout.count_collision();
            } else {
                rollout.note_failed_creation(cx.now, &self.created[&rollout.key], &error);
            }
            rollout.write_status(cx);
        }
        let name = revision::create(cx, rollout);
        self.created.insert(rollout.key.clone(), name);
    }
}

fn on_replica_set(agenda: &mut Agenda<'_>, delta: &Delta) {
    let namespace = &delta.key.namespace;
    let versions = delta.old.iter().chain(&delta.new);
    for owner in versions.filter_map(Value::controller) {
        if owner.str("kind") == "Deployment" {
            agenda.add(Key::new(namespace, owner.str("name")));
        }
    }
    let orphan = delta.new.as_ref().filter(|rs| rs.controller().is_none());
    if let Some(orphan) = orphan {
        for (key, deployment) in agenda.cache(&DEPLOYMENTS).in_namespace(namespace) {
            let selector = LabelSelector::from_object(deployment.at("spec.selector"));
            if selector.is_ok_and(|selector| selector.matches(orphan.labels())) {
                agenda.add(key.clone());
            }
        }
    }
}

/// A `Recreate` rollout waits for the last old pod to be gone.
fn on_pod(agenda: &mut Agenda<'_>, delta: &Delta) {
    if delta
        .new
        .as_ref()
        .is_some_and(|pod| !pods::is_finished(pod))
    {
        return;
    }
    let namespace = &delta.key.namespace;
    let Some(owner) = delta.object().controller() else {
        return;
    };
    let replica_set = agenda
        .cache(&REPLICA_SETS)
        .named(namespace, owner.str("name"));
    let Some(owner) = replica_set.and_then(Value::controller) else {
        return;
    };
    let key = Key::new(namespace, owner.str("name"));
    let deployment = agenda.cache(&DEPLOYMENTS).get(&key);
    if deployment.is_some_and(|d| d.str_at("spec.strategy.type") == "Recreate") {
        agenda.add(key);
    }
}

/// Adopts ReplicaSets that match and have no owner, lets go of those that match no longer. True if
/// there was something to do.
fn claim(cx: &mut Cx<'_>, deployment: &Value, selector: &LabelSelector) -> bool {
    let cache = cx.cache(&REPLICA_SETS);
    let mut patches = Vec::new();
    for (key, rs) in cache.in_namespace(deployment.namespace()) {
        let matches = selector.matches(rs.labels());
        let reference = match rs.controller() {
            None if matches && !rs.is_terminating() => {
                pods::owner_reference(&DEPLOYMENTS, deployment)
            }
            Some(owner) if owner.str("uid") == deployment.uid() && !matches => {
                object! { "$patch": "delete", "uid": (deployment.uid()) }
            }
            _ => continue,
        };
        let metadata = object! { "uid": (rs.uid()), "ownerReferences": [reference] };
        patches.push((key, object! { "metadata": metadata }));
    }
    for (key, document) in &patches {
        cx.patch(&REPLICA_SETS, key, "", Patch::Strategic, document.clone());
    }
    !patches.is_empty()
}

#[cfg(test)]
mod tests;
