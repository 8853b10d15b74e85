//! Keeps the EndpointSlices of each Service equal to the pods its selector picks. A change of a pod
//! is a change of one endpoint in one slice; nobody goes through the other pods.
//! Models pkg/controller/endpointslice and staging/src/k8s.io/endpointslice/reconciler.go.

use api::Value;
use client::{Delta, ENDPOINT_SLICES, Index, Key, NODES, PODS, Resource, SERVICES};
use imbl::{OrdMap, OrdSet};
use sim::Instant;

use crate::controller::{Agenda, Controller, Cx};
use crate::services::{self, Backend, Selected};

mod plan;

use plan::Plan;

/// The label by which a slice names its Service.
pub(crate) const SERVICE_NAME: &str = "kubernetes.io/service-name";
const SERVICE_LABEL: Index = Index::Label(SERVICE_NAME);
/// The label by which a slice says who keeps it.
pub(crate) const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
const CONTROLLER: &str = "endpointslice-controller.k8s.io";

/// The controller.
#[derive(Clone, Debug, Default)]
pub struct EndpointSliceController {
    services: OrdMap<Key, Selected>,
    state: OrdMap<Key, State>,
}

/// What is known of a Service's slices.
#[derive(Clone, Debug, Default)]
struct State {
    /// Pods to be looked at.
    dirty: OrdSet<Key>,
    /// Pods that were looked at in the last sync, whose writes are not answered yet.
    in_doubt: OrdSet<Key>,
    /// Which slice a pod's endpoint is in.
    placed: OrdMap<Key, Key>,
    /// Pods with another slice that has them too, as where a restored store brings slices back.
    doubled: OrdSet<(Key, Key)>,
    /// Endpoints as last written, to know one's own writes when they come back.
    written: OrdMap<Key, Value>,
    /// When the first change since the last sync happened.
    triggered: Option<Instant>,
}

impl Controller for EndpointSliceController {
    fn name(&self) -> &'static str {
        "endpoint-slice-controller"
    }

    fn watches(&self) -> Vec<(Resource, &'static [Index])> {
        vec![
            (SERVICES, &[]),
            (PODS, &[]),
            (NODES, &[]),
            (ENDPOINT_SLICES, &[SERVICE_LABEL]),
        ]
    }

    fn on_delta(&mut self, agenda: &mut Agenda<'_>, resource: &Resource, delta: &Delta) {
        match &*resource.plural {
            "services" => self.on_service(agenda, delta),
            "pods" => self.on_pod(agenda, delta),
            "endpointslices" => self.on_slice(agenda, delta),
            _ => {}
        }
    }

    fn sync(&mut self, cx: &mut Cx<'_>, key: &Key) {
        let service = cx.cache(&SERVICES).get(key).cloned();
        let (Some(service), Some(_)) = (service, self.services.get(key)) else {
            self.state.remove(key);
            return;
        };
        let state = self.state.entry(key.clone()).or_default();
        if cx.outcome.error.is_some() {
            let again = std::mem::take(&mut state.in_doubt);
            state.dirty = std::mem::take(&mut state.dirty).union(again);
        }
        let mut plan = Plan::new(cx, &service, key);
        let placed = &state.placed;
        state.doubled = std::mem::take(&mut state.doubled)
            .into_iter()
            .filter(|(pod, slice)| placed.get(pod) != Some(slice) && plan.take_out(pod, slice))
            .collect();
        for pod in &state.dirty {
            let place = state.placed.get(pod);
            plan.look_at(pod, cx.cache(&PODS).get(pod), place, cx.cache(&NODES));
        }
        state.in_doubt = std::mem::take(&mut state.dirty);
        let triggered = state.triggered.take();
        for (slice, endpoints) in plan.write(cx, triggered) {
            state.written.insert(slice, endpoints);
        }
    }

    fn boxed_clone(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}

impl EndpointSliceController {
    fn on_service(&mut self, agenda: &mut Agenda<'_>, delta: &Delta) {
        let relevant = ["spec", "metadata.labels", "metadata.uid"];
        if !relevant.into_iter().any(|path| delta.changed(path)) {
            return;
        }
        match delta.new.as_ref().and_then(Selected::of) {
            None => drop(self.services.remove(&delta.key)),
            Some(selected) => {
                let state = self.state.entry(delta.key.clone()).or_default();
                let pods = agenda.cache(&PODS).in_namespace(&delta.key.namespace);
                let picked = pods.filter(|(_, pod)| selected.selector.matches(pod.labels()));
                state.dirty.extend(picked.map(|(key, _)| key.clone()));
                state.dirty.extend(state.placed.keys().cloned());
                let created = Instant::parse_rfc3339(delta.object().creation_timestamp());
                state.triggered = earlier(state.triggered, created);
                self.services.insert(delta.key.clone(), selected);
            }
        }
        agenda.add(delta.key.clone());
    }

    fn on_pod(&mut self, agenda: &mut Agenda<'_>, delta: &Delta) {
        let (old, new) = (
            delta.old.as_ref().map(Backend::of),
            delta.new.as_ref().map(Backend::of),
        );
        if old == new {
            return;
        }
        let namespace = &delta.key.namespace;
        let here = self.services.range(Key::new(namespace, "")..);
        for (key, service) in here.take_while(|(key, _)| key.namespace == *namespace) {
            let picks = |backend: &Option<Backend>| {
                backend
                    .as_ref()
                    .is_some_and(|backend| service.selector.matches(&backend.labels))
            };
            if picks(&old) || picks(&new) {
                let state = self.state.entry(key.clone()).or_default();
                state.dirty.insert(delta.key.clone());
                let changed = delta.new.as_ref().and_then(services::ready_changed);
                state.triggered = earlier(state.triggered, changed);
                agenda.add(key.clone());
            }
        }
    }

    /// A slice came, changed or went. If it was not this controller's doing, its pods are looked at
    /// again.
    fn on_slice(&mut self, agenda: &mut Agenda<'_>, delta: &Delta) {
        let slice = delta.object();
        if slice.label(MANAGED_BY) != CONTROLLER {
            return;
        }
        let service = Key::new(&delta.key.namespace, slice.label(SERVICE_NAME));
        let state = self.state.entry(service.clone()).or_default();
        let old = delta.old.as_ref().map(|old| old.get("endpoints"));
        for pod in old
            .iter()
            .flat_map(|endpoints| pods_of(&delta.key, endpoints))
        {
            if state.placed.get(&pod) == Some(&delta.key) {
                state.placed.remove(&pod);
            }
        }
        let new = delta.new.as_ref().map(|new| new.get("endpoints"));
        for pod in new
            .iter()
            .flat_map(|endpoints| pods_of(&delta.key, endpoints))
        {
            let before = state.placed.insert(pod.clone(), delta.key.clone());
            if let Some(other) = before.filter(|other| *other != delta.key) {
                state.doubled.insert((pod, other));
                agenda.add(service.clone());
            }
        }
        let own = state.written.get(&delta.key);
        if own.map(Value::list) == new.map(Value::list) && new.is_some() {
            return;
        }
        for endpoints in old.iter().chain(&new) {
            state.dirty.extend(pods_of(&delta.key, endpoints));
        }
        if new.is_none() {
            state.written.remove(&delta.key);
        }
        agenda.add(service);
    }
}

/// The pods a slice's endpoints stand for.
fn pods_of<'a>(slice: &'a Key, endpoints: &'a Value) -> impl Iterator<Item = Key> {
    let names = endpoints
        .list()
        .iter()
        .map(|e| e.get("targetRef").get("name"));
    let names = names.filter_map(Value::as_shared_str);
    names.map(|name| Key {
        namespace: slice.namespace.clone(),
        name: name.clone(),
    })
}

fn earlier(known: Option<Instant>, new: Option<Instant>) -> Option<Instant> {
    known.into_iter().chain(new).min()
}

#[cfg(test)]
mod tests;
