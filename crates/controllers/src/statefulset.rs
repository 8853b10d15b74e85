//! Keeps the pods of a StatefulSet, each with a name and claims of its own, and makes, replaces and
//! deletes them one after the other.
//! Models pkg/controller/statefulset/{stateful_set,stateful_set_control}.go.

use api::selector::LabelSelector;
use api::{Str, Value};
use client::{
    CONTROLLER_REVISIONS, DeleteOptions, Delta, Index, Involved, Key, PERSISTENT_VOLUME_CLAIMS,
    PODS, Resource, STATEFUL_SETS,
};
use imbl::OrdSet;

use crate::claim::Claim;
use crate::controller::{Agenda, Controller, Cx, Saying};
use crate::pods;

mod claims;
mod pod;
mod row;
mod status;

use row::Row;

/// The controller.
#[derive(Clone, Debug, Default)]
pub struct StatefulSetController {
    /// Active pods without a controller.
    orphans: OrdSet<Key>,
}

impl Controller for StatefulSetController {
    fn name(&self) -> &'static str {
        "statefulset-controller"
    }

    fn watches(&self) -> Vec<(Resource, &'static [Index])> {
        vec![
            (STATEFUL_SETS, &[]),
            (PODS, &[Index::Owner]),
            (CONTROLLER_REVISIONS, &[Index::Owner]),
            (PERSISTENT_VOLUME_CLAIMS, &[]),
        ]
    }

    fn on_delta(&mut self, agenda: &mut Agenda<'_>, resource: &Resource, delta: &Delta) {
        if *resource == STATEFUL_SETS {
            agenda.add(delta.key.clone());
        } else if *resource == PODS {
            self.on_pod(agenda, delta);
        } else if *resource == CONTROLLER_REVISIONS {
            // A set waits for the revision of its template.
            let owner = delta.object().controller();
            if let Some(owner) = owner.filter(|owner| owner.str("kind") == "StatefulSet") {
                agenda.add(Key::new(&delta.key.namespace, owner.str("name")));
            }
        }
    }

    fn sync(&mut self, cx: &mut Cx<'_>, key: &Key) {
        let Some(set) = cx.cache(&STATEFUL_SETS).get(key).cloned() else {
            return;
        };
        if set.is_terminating() {
            return;
        }
        let selector = LabelSelector::from_object(set.at("spec.selector"));
        let claim = Claim {
            resource: &STATEFUL_SETS,
            owner: &set,
            selector: &selector.unwrap_or_else(|_| LabelSelector::nothing()),
            finalizer: None,
        };
        if claim.settle(cx, &self.orphans, true) {
            return;
        }
        let Some(row) = Row::of(cx, &set) else {
            return;
        };
        if claims::settle(cx, &row) {
            cx.add(key.clone());
            return;
        }
        // The status tells of what was found, not of what comes of this step.
        row.step(cx);
        status::update(cx, &row);
    }

    fn boxed_clone(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}

impl StatefulSetController {
    fn on_pod(&mut self, agenda: &mut Agenda<'_>, delta: &Delta) {
        for pod in [&delta.old, &delta.new].into_iter().flatten() {
            let owner = pod.controller().filter(|o| o.str("kind") == "StatefulSet");
            if let Some(owner) = owner {
                agenda.add(Key::new(&delta.key.namespace, owner.str("name")));
            }
        }
        let orphan = delta.new.as_ref();
        match orphan.filter(|pod| pod.controller().is_none() && pods::is_active(pod)) {
            None => drop(self.orphans.remove(&delta.key)),
            Some(pod) => {
                self.orphans.insert(delta.key.clone());
                let sets = agenda.cache(&STATEFUL_SETS);
                for (key, set) in sets.in_namespace(&delta.key.namespace) {
                    let selector = LabelSelector::from_object(set.at("spec.selector"));
                    if selector.is_ok_and(|selector| selector.matches(pod.labels())) {
                        agenda.add(key.clone());
                    }
                }
            }
        }
    }
}

impl Row {
    /// The next step towards what the set should be.
    fn step(&self, cx: &mut Cx<'_>) {
        for ordinal in self.ordinals() {
            match self.pod(ordinal) {
                None if claims::are_stale(cx, &self.set, ordinal) => return,
                None => {
                    self.create(cx, ordinal);
                    if self.ordered {
                        return;
                    }
                }
                // There will be another once it is gone.
                Some(pod) if pods::is_finished(pod) => {
                    if !pod.is_terminating() {
                        self.recreate(cx, pod);
                    }
                    return;
                }
                Some(pod) if self.ordered && !self.is_healthy(pod, cx.now) => return,
                Some(_) => {}
            }
        }
        let shrinks = match self.ordered {
            true => self.shrink_by_one(cx),
            false => self.shrink(cx),
        };
        if !shrinks && self.is_rolling() {
            self.replace(cx);
        }
    }

    /// Deletes the last of the pods that are too many, one by one and no two that do not work.
    /// True if there are any.
    fn shrink_by_one(&self, cx: &mut Cx<'_>) -> bool {
        let unhealthy = |pod: &&Value| !self.is_healthy(pod, cx.now);
        let first = self.condemned.iter().find(unhealthy).map(Value::uid);
        let first = first.unwrap_or_default().to_owned();
        let Some(pod) = self.condemned.last() else {
            return false;
        };
        let waits = !self.is_healthy(pod, cx.now) && pod.uid() != first;
        if !pod.is_terminating() && !waits {
            self.delete(cx, pod);
        }
        true
    }

    /// Deletes all pods that are too many. True if there was something to do.
    fn shrink(&self, cx: &mut Cx<'_>) -> bool {
        let surplus = self.condemned.iter().rev();
        let mut shrinks = false;
        for pod in surplus.filter(|pod| !pod.is_terminating()) {
            self.delete(cx, pod);
            shrinks = true;
        }
        shrinks
    }

    /// Deletes pods of an old template, the last first, as far as that leaves enough.
    fn replace(&self, cx: &mut Cx<'_>) {
        let mut room = self.may_lack();
        let due = self.ordinals().rev().take_while(|n| *n >= self.partition());
        for pod in due.map(|ordinal| self.pod(ordinal)) {
            if room <= 0 {
                break;
            }
            match pod {
                Some(pod) if !self.is_new(pod) && !pod.is_terminating() => {
                    self.delete(cx, pod);
                    room -= 1;
                }
                Some(pod) if self.is_healthy(pod, cx.now) => {}
                _ => room -= 1,
            }
        }
    }

    /// Deletes a pod that has ended, so that there is another.
    fn recreate(&self, cx: &mut Cx<'_>, pod: &Value) {
        let involved = Involved::of(&STATEFUL_SETS, &self.set);
        let (namespace, name) = (self.set.namespace(), self.set.name());
        let text = |state: &str| {
            let pod = pod.name();
            format!("StatefulSet {namespace}/{name} is recreating {state} Pod {pod}")
        };
        cx.event(match pod.str_at("status.phase") {
            "Failed" => Saying::warning(&involved, "RecreatingFailedPod", text("failed")),
            _ => Saying::normal(&involved, "RecreatingTerminatedPod", text("terminated")),
        });
        self.delete(cx, pod);
    }

    fn create(&self, cx: &mut Cx<'_>, ordinal: i64) {
        let (set, involved) = (&self.set, Involved::of(&STATEFUL_SETS, &self.set));
        let pod = pod::at(set, self.revision_for(ordinal), ordinal);
        let name = Str::from(pod.name());
        for claim in pod::claims(set, ordinal) {
            if cx
                .cache(&PERSISTENT_VOLUME_CLAIMS)
                .get(&Key::of(&claim))
                .is_some()
            {
                continue;
            }
            let what = format!(
                "Claim {} Pod {name} in StatefulSet {}",
                claim.name(),
                set.name()
            );
            let made = format!("Create {what} success");
            let failed = format!("Create {what} failed error: {{error}}");
            cx.create(&PERSISTENT_VOLUME_CLAIMS, claim)
                .says(Saying::normal(&involved, "SuccessfulCreate", made))
                .laments(Saying::warning(&involved, "FailedCreate", failed));
        }
        let what = format!("Pod {name} in StatefulSet {}", set.name());
        let failed = format!("Create {what} failed error: {{error}}");
        let made = format!("Create {what} successful");
        cx.create(&PODS, pod)
            .says(Saying::normal(&involved, "SuccessfulCreate", made))
            .laments(Saying::warning(&involved, "FailedCreate", failed));
    }

    fn delete(&self, cx: &mut Cx<'_>, pod: &Value) {
        let involved = Involved::of(&STATEFUL_SETS, &self.set);
        let what = format!("Pod {} in StatefulSet {}", pod.name(), self.set.name());
        let deleted = format!("Delete {what} successful");
        let failed = format!("Delete {what} failed error: {{error}}");
        cx.delete(&PODS, pod, DeleteOptions::default())
            .says(Saying::normal(&involved, "SuccessfulDelete", deleted))
            .laments(Saying::warning(&involved, "FailedDelete", failed));
    }
}

#[cfg(test)]
mod tests;
