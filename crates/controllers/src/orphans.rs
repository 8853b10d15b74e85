//! Pods that nobody owns, which a workload may adopt.
//! Models the orphan cases of the pod handlers in pkg/controller.

use api::Value;
use api::selector::LabelSelector;
use client::{Delta, Key, Resource};
use imbl::OrdSet;

use crate::controller::Agenda;
use crate::pods;

/// The active pods without a controller, kept up by differences.
#[derive(Clone, Debug, Default)]
pub(crate) struct Orphans {
    pub(crate) keys: OrdSet<Key>,
}

impl Orphans {
    /// A pod changed: who owns or owned it is to look at it, and if nobody does, whoever of the
    /// resource wants it.
    pub(crate) fn on_pod(&mut self, agenda: &mut Agenda<'_>, of: &Resource, delta: &Delta) {
        for pod in [&delta.old, &delta.new].into_iter().flatten() {
            let owner = pod.controller().filter(|o| *o.str("kind") == *of.kind);
            if let Some(owner) = owner {
                agenda.add(Key::new(&delta.key.namespace, owner.str("name")));
            }
        }
        let free = |pod: &&Value| pod.controller().is_none() && pods::is_active(pod);
        let Some(pod) = delta.new.as_ref().filter(free) else {
            self.keys.remove(&delta.key);
            return;
        };
        self.keys.insert(delta.key.clone());
        let all = agenda.cache(of).in_namespace(&delta.key.namespace);
        for (key, owner) in all {
            let selector = LabelSelector::from_object(owner.at("spec.selector"));
            if selector.is_ok_and(|selector| selector.matches(pod.labels())) {
                agenda.add(key.clone());
            }
        }
    }
}
