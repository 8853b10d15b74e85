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
        };
        if claim.settle(cx, &self.orphans, true) {
            return;
        }
        let Some(row) = Row::of(cx, &set) else {
            return;
        };
        let busy = row.step(cx);
        if !busy || cx.outcome.error.is_some() {
            status::update(cx, &row);
        }
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
    /// The next step towards what the set should be. True if there was something to do.
    fn step(&self, cx: &mut Cx<'_>) -> bool {
        let mut busy = false;
        for ordinal in self.ordinals() {
            match self.pod(ordinal) {
                None => {
                    self.create(cx, ordinal);
                    busy = true;
                    if self.ordered {
                        return true;
                    }
                }
                Some(pod) if pods::is_finished(pod) && !pod.is_terminating() => {
                    self.delete(cx, pod);
                    return true;
                }
                Some(pod) if self.ordered && !self.is_healthy(pod, cx.now) => return false,
                Some(_) => {}
            }
        }
        self.shrink(cx, &mut busy) || busy || self.replace(cx)
    }

    /// Deletes the last of the pods that are too many.
    fn shrink(&self, cx: &mut Cx<'_>, busy: &mut bool) -> bool {
        for pod in self.condemned.iter().rev() {
            if pod.is_terminating() {
                if self.ordered {
                    return *busy;
                }
                continue;
            }
            self.delete(cx, pod);
            *busy = true;
            if self.ordered {
                return true;
            }
        }
        *busy
    }

    /// Deletes the last pod of an old template, once all after it work.
    fn replace(&self, cx: &mut Cx<'_>) -> bool {
        if self.set.str_at("spec.updateStrategy.type") != "RollingUpdate" {
            return false;
        }
        for ordinal in self.ordinals().rev().take_while(|n| *n >= self.partition()) {
            let Some(pod) = self.pod(ordinal) else {
                return false;
            };
            if !self.is_new(pod) && !pod.is_terminating() {
                self.delete(cx, pod);
                return true;
            }
            if !self.is_healthy(pod, cx.now) {
                return false;
            }
        }
        false
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
