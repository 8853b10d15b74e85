//! How the slices of one Service are to change, so that few are written and none is too large.
//! Models staging/src/k8s.io/endpointslice/reconciler.go (`reconcileByPortMapping`, `finalize`).

use api::{Value, object};
use client::{Cache, DeleteOptions, ENDPOINT_SLICES, Key, SERVICES};
use sim::Instant;

use super::{CONTROLLER, MANAGED_BY, SERVICE_LABEL, SERVICE_NAME};
use crate::controller::Cx;
use crate::{pods, services};

/// At most so many endpoints are in a slice.
const MOST: usize = 100;
const TRIGGER: &str = "endpoints.kubernetes.io/last-change-trigger-time";

/// The changes of one Service's slices.
pub(super) struct Plan<'a> {
    service: &'a Value,
    slices: Vec<Slice>,
    /// Endpoints that are in no slice yet, by their ports.
    homeless: Vec<(Value, Vec<Value>)>,
}

/// A slice, as it is to be.
struct Slice {
    key: Key,
    /// The object as the cache has it; null if it is new.
    object: Value,
    ports: Value,
    endpoints: Value,
    changed: bool,
}

impl<'a> Plan<'a> {
    pub(super) fn new(cx: &Cx<'_>, service: &'a Value, key: &Key) -> Plan<'a> {
        let labels = slice_labels(service);
        let known = cx.cache(&ENDPOINT_SLICES).by(SERVICE_LABEL, &key.name);
        let own = known.filter(|slice| {
            slice.namespace() == &*key.namespace
                && slice.label(MANAGED_BY) == CONTROLLER
                && !slice.is_terminating()
        });
        let slices = own.map(|slice| Slice {
            key: Key::of(slice),
            ports: slice.get("ports").clone(),
            endpoints: slice.get("endpoints").clone(),
            changed: !slice.metadata().get("labels").same(&labels),
            object: slice.clone(),
        });
        Plan {
            service,
            slices: slices.collect(),
            homeless: Vec::new(),
        }
    }

    /// Takes a pod's endpoint out of a slice; whether it was there.
    pub(super) fn take_out(&mut self, pod: &Key, slice: &Key) -> bool {
        let Some(slice) = self.slices.iter_mut().find(|known| known.key == *slice) else {
            return false;
        };
        let Some(at) = slice.position(pod) else {
            return false;
        };
        slice.endpoints.vec_mut().remove(at);
        slice.changed = true;
        true
    }

    /// Puts a pod's endpoint where it belongs. `place` is the slice it is in.
    pub(super) fn look_at(
        &mut self,
        key: &Key,
        pod: Option<&Value>,
        place: Option<&Key>,
        nodes: &Cache,
    ) {
        let selector = self.service.at("spec.selector").entries();
        let picked = pod.filter(|pod| {
            let selector = api::selector::LabelSelector::from_map(selector);
            services::has_endpoint(pod) && selector.matches(pod.labels())
        });
        let wanted = picked.map(|pod| {
            (
                services::ports(self.service, pod),
                services::endpoint(self.service, pod, nodes),
            )
        });
        let slice = place.and_then(|place| self.slices.iter_mut().find(|s| s.key == *place));
        let at = slice.as_ref().and_then(|slice| slice.position(key));
        match (slice, at, wanted) {
            (Some(slice), Some(at), Some((ports, endpoint)))
                if slice.ports.list() == ports.list() =>
            {
                if !slice.endpoints.list()[at].same(&endpoint) {
                    slice.endpoints.vec_mut()[at] = endpoint;
                    slice.changed = true;
                }
            }
            (slice, at, wanted) => {
                if let (Some(slice), Some(at)) = (slice, at) {
                    slice.endpoints.vec_mut().remove(at);
                    slice.changed = true;
                }
                if let Some((ports, endpoint)) = wanted {
                    self.house(ports, endpoint);
                }
            }
        }
    }

    fn house(&mut self, ports: Value, endpoint: Value) {
        match self
            .homeless
            .iter_mut()
            .find(|(known, _)| known.same(&ports))
        {
            Some((_, endpoints)) => endpoints.push(endpoint),
            None => self.homeless.push((ports, vec![endpoint])),
        }
    }

    /// Finds room for endpoints that have none: in slices that are written anyway, else in one
    /// that has room for all the rest, else in new ones.
    fn settle(&mut self) {
        for (ports, mut endpoints) in std::mem::take(&mut self.homeless) {
            let fits = |slice: &&mut Slice| slice.ports.list() == ports.list();
            for slice in self
                .slices
                .iter_mut()
                .filter(fits)
                .filter(|slice| slice.changed)
            {
                slice.fill(&mut endpoints);
            }
            let rest = endpoints.len();
            let roomy = |slice: &&mut Slice| slice.len() + rest <= MOST && slice.len() > 0;
            if rest > 0
                && let Some(slice) = self
                    .slices
                    .iter_mut()
                    .filter(fits)
                    .filter(roomy)
                    .max_by_key(|s| s.len())
            {
                slice.fill(&mut endpoints);
            }
            while !endpoints.is_empty() {
                let mut slice = Slice::new(ports.clone());
                slice.fill(&mut endpoints);
                self.slices.push(slice);
            }
        }
    }

    /// New slices take the place of empty ones, and one empty slice stands for a Service without
    /// endpoints.
    fn reuse(&mut self) {
        if self.slices.iter().all(|slice| slice.len() == 0)
            && !self.slices.iter().any(Slice::is_bare)
        {
            self.slices.push(Slice::new(Value::Null));
        }
        let keep_bare = self.slices.iter().all(|slice| slice.len() == 0);
        while let Some(new) = self.slices.iter().position(|slice| slice.object.is_null()) {
            let is_empty = |slice: &Slice| slice.len() == 0 && !slice.object.is_null();
            let Some(empty) = self.slices.iter().position(is_empty) else {
                break;
            };
            let made = self.slices.remove(new);
            let slice = &mut self.slices[empty - usize::from(new < empty)];
            (slice.ports, slice.endpoints, slice.changed) = (made.ports, made.endpoints, true);
            if keep_bare {
                break;
            }
        }
    }

    /// Writes the changes. Returns the endpoints of each slice that is written under its name.
    pub(super) fn write(
        mut self,
        cx: &mut Cx<'_>,
        triggered: Option<Instant>,
    ) -> Vec<(Key, Value)> {
        self.settle();
        self.reuse();
        let mut bare_kept = self.slices.iter().any(|slice| slice.len() > 0);
        let mut written = Vec::new();
        for slice in &self.slices {
            if slice.len() == 0 {
                if bare_kept {
                    cx.delete(&ENDPOINT_SLICES, &slice.object, DeleteOptions::default());
                    continue;
                }
                bare_kept = true;
            }
            if !slice.changed {
                continue;
            }
            let object = self.object(slice, triggered);
            if slice.object.is_null() {
                cx.create(&ENDPOINT_SLICES, object);
            } else {
                cx.update(&ENDPOINT_SLICES, object);
                written.push((slice.key.clone(), slice.endpoints.clone()));
            }
        }
        written
    }

    fn object(&self, slice: &Slice, triggered: Option<Instant>) -> Value {
        let mut object = slice.object.clone();
        if object.is_null() {
            object = object! {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": {
                    "generateName": (format!("{}-", self.service.name())),
                    "namespace": (self.service.namespace()),
                    "ownerReferences": [(pods::owner_reference(&SERVICES, self.service))],
                },
                "addressType": "IPv4",
            };
        }
        object.set("metadata.labels", slice_labels(self.service));
        match triggered {
            Some(at) => object.set_annotation(TRIGGER, &at.rfc3339()),
            None => drop(object.remove_path(&["metadata", "annotations", TRIGGER])),
        }
        let list = |list: &Value| {
            if list.list().is_empty() {
                Value::Null
            } else {
                list.clone()
            }
        };
        object.set("endpoints", list(&slice.endpoints));
        object.set("ports", list(&slice.ports));
        object
    }
}

impl Slice {
    fn new(ports: Value) -> Slice {
        let (key, object, endpoints) = (Key::default(), Value::Null, Value::list_of(Vec::new()));
        Slice {
            key,
            object,
            ports,
            endpoints,
            changed: true,
        }
    }

    fn len(&self) -> usize {
        self.endpoints.list().len()
    }

    /// Whether it stands for a Service without endpoints.
    fn is_bare(&self) -> bool {
        self.len() == 0 && self.ports.list().is_empty()
    }

    fn position(&self, pod: &Key) -> Option<usize> {
        let name = |endpoint: &Value| endpoint.get("targetRef").str("name") == &*pod.name;
        self.endpoints.list().iter().position(name)
    }

    fn fill(&mut self, endpoints: &mut Vec<Value>) {
        let room = MOST.saturating_sub(self.len()).min(endpoints.len());
        if room > 0 {
            self.endpoints.vec_mut().extend(endpoints.drain(..room));
            self.changed = true;
        }
    }
}

fn slice_labels(service: &Value) -> Value {
    let mut labels = services::labels(service);
    labels.map_mut().insert(SERVICE_NAME, service.name());
    labels.map_mut().insert(MANAGED_BY, CONTROLLER);
    labels
}
