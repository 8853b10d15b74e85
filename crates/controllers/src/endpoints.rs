//! Keeps the Endpoints object of each Service, the older form of its EndpointSlices: one object with
//! all addresses. Since every change rewrites it as a whole, large ones are written less often.
//! Models pkg/controller/endpoint/endpoints_controller.go.

use std::collections::BTreeMap;

use api::{Str, Value, object};
use client::{DeleteOptions, Delta, ENDPOINTS, Index, Key, PODS, Resource, SERVICES};
use imbl::OrdMap;
use sim::{Duration, Instant};

use crate::controller::{Agenda, Controller, Cx};
use crate::pods;
use crate::services::{self, Backend, Selected};

const MANAGED_BY: &str = "endpoints.kubernetes.io/managed-by";
const CONTROLLER: &str = "endpoint-controller";
const TRIGGER: &str = "endpoints.kubernetes.io/last-change-trigger-time";
const OVER_CAPACITY: &str = "endpoints.kubernetes.io/over-capacity";
/// At most so many addresses are told.
const MOST: usize = 1000;
/// After a write, so much time passes per address before the next. Upstream is slowed down by its
/// limit of requests a second instead.
const PACE: Duration = Duration::from_millis(1);

/// The controller. Keys are Services.
#[derive(Clone, Debug, Default)]
pub struct EndpointsController {
    services: OrdMap<Key, Selected>,
    /// When each may be written again.
    not_before: OrdMap<Key, Instant>,
    /// When the first change since the last write happened.
    triggered: OrdMap<Key, Instant>,
}

/// Addresses by ports: ready and not ready.
type Subsets = BTreeMap<Value, [Vec<Value>; 2]>;

impl Controller for EndpointsController {
    fn name(&self) -> &'static str {
        CONTROLLER
    }

    fn watches(&self) -> Vec<(Resource, &'static [Index])> {
        vec![(SERVICES, &[]), (PODS, &[]), (ENDPOINTS, &[])]
    }

    fn on_delta(&mut self, agenda: &mut Agenda<'_>, resource: &Resource, delta: &Delta) {
        match &*resource.plural {
            "services" => {
                match delta.new.as_ref().and_then(Selected::of) {
                    Some(selected) => drop(self.services.insert(delta.key.clone(), selected)),
                    None => drop(self.services.remove(&delta.key)),
                }
                let created = Instant::parse_rfc3339(delta.object().creation_timestamp());
                self.trigger(&delta.key, created.filter(|_| delta.old.is_none()));
                agenda.add(delta.key.clone());
            }
            "pods" => self.on_pod(agenda, delta),
            _ => agenda.add(delta.key.clone()),
        }
    }

    fn sync(&mut self, cx: &mut Cx<'_>, key: &Key) {
        let known = cx.cache(&ENDPOINTS).get(key).cloned();
        let Some(service) = cx.cache(&SERVICES).get(key).cloned() else {
            self.not_before.remove(key);
            self.triggered.remove(key);
            if let Some(known) = known.filter(|known| known.label(MANAGED_BY) == CONTROLLER) {
                cx.delete(&ENDPOINTS, &known, DeleteOptions::default());
            }
            return;
        };
        let Some(selected) = self.services.get(key) else {
            return;
        };
        if let Some(at) = self.not_before.get(key).filter(|at| **at > cx.now) {
            cx.requeue_after(at.since(cx.now));
            return;
        }
        let (subsets, addresses) = subsets(cx, &service, selected);
        let mut wanted = known.clone().unwrap_or_else(|| {
            object! {
                "apiVersion": "v1",
                "kind": "Endpoints",
                "metadata": { "name": &key.name, "namespace": &key.namespace },
            }
        });
        wanted.set_or_remove("subsets", subsets);
        let mut labels = services::labels(&service);
        labels.map_mut().insert(MANAGED_BY, CONTROLLER);
        wanted.set("metadata.labels", labels);
        if addresses > MOST {
            wanted.set_annotation(OVER_CAPACITY, "truncated");
        } else {
            wanted.remove_path(&["metadata", "annotations", OVER_CAPACITY]);
        }
        if known.as_ref().is_some_and(|known| known.same(&wanted)) {
            return;
        }
        match self.triggered.remove(key) {
            Some(at) => wanted.set_annotation(TRIGGER, &at.rfc3339()),
            None => drop(wanted.remove_path(&["metadata", "annotations", TRIGGER])),
        }
        let pace = PACE * u32::try_from(addresses).unwrap_or(u32::MAX);
        self.not_before.insert(key.clone(), cx.now + pace);
        if known.is_some() {
            cx.update(&ENDPOINTS, wanted);
        } else {
            cx.create(&ENDPOINTS, wanted);
        }
    }

    fn boxed_clone(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}

impl EndpointsController {
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
        let here = here.take_while(|(key, _)| key.namespace == *namespace);
        let picked = here.filter(|(_, service)| {
            let mut backends = old.iter().chain(&new);
            backends.any(|backend| service.selector.matches(&backend.labels))
        });
        let keys: Vec<Key> = picked.map(|(key, _)| key.clone()).collect();
        for key in keys {
            self.trigger(&key, delta.new.as_ref().and_then(services::ready_changed));
            agenda.add(key);
        }
    }

    fn trigger(&mut self, key: &Key, at: Option<Instant>) {
        if let Some(at) = self.triggered.get(key).copied().into_iter().chain(at).min() {
            self.triggered.insert(key.clone(), at);
        }
    }
}

/// The subsets of a Service, and how many addresses there would be without a limit.
fn subsets(cx: &Cx<'_>, service: &Value, selected: &Selected) -> (Vec<Value>, usize) {
    let pods = cx
        .cache(&PODS)
        .in_namespace(service.namespace())
        .map(|(_, pod)| pod);
    let picked = pods.filter(|pod| selected.selector.matches(pod.labels()));
    let published = service.bool_at("spec.publishNotReadyAddresses");
    let mut found: Vec<(&str, &Value)> = picked
        .filter(|pod| services::has_endpoint(pod) && (published || !pod.is_terminating()))
        .map(|pod| (pod.str_at("status.podIP"), pod))
        .collect();
    found.sort_by_key(|(ip, pod)| (ip.parse::<std::net::Ipv4Addr>().ok(), pod.name()));
    let addresses = found.len();
    let mut subsets = Subsets::new();
    for (_, pod) in found.into_iter().take(MOST) {
        let ports = services::ports(service, pod);
        let ready = published || pods::is_ready(pod);
        subsets.entry(ports).or_default()[usize::from(!ready)].push(address(pod));
    }
    let subset = |(ports, [ready, not_ready]): (Value, [Vec<Value>; 2])| {
        let mut subset = object! {};
        subset.set_or_remove("addresses", ready);
        subset.set_or_remove("notReadyAddresses", not_ready);
        subset.set_or_remove("ports", ports.list().iter().map(port).collect::<Vec<_>>());
        subset
    };
    (subsets.into_iter().map(subset).collect(), addresses)
}

/// A port of a slice as Endpoints have it: without a name if there is none.
fn port(port: &Value) -> Value {
    let mut port = port.clone();
    let name = port.get("name").clone();
    port.set_or_remove("name", name);
    port
}

fn address(pod: &Value) -> Value {
    let mut address = object! {
        "ip": (pod.at("status.podIP")),
        "targetRef": {
            "kind": "Pod",
            "namespace": (pod.metadata().get("namespace")),
            "name": (pod.metadata().get("name")),
            "uid": (pod.metadata().get("uid")),
        },
    };
    let node = pod.at("spec.nodeName").as_shared_str().cloned();
    address.set_or_remove("nodeName", node.unwrap_or_else(Str::default));
    address
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;
    use api::value;

    fn pod(name: &str, ip: &str, ready: &str) -> Value {
        object! {
            "metadata": { "name": name, "namespace": "default", "labels": { "app": "web" } },
            "spec": { "nodeName": "node01" },
            "status": {
                "podIP": ip, "phase": "Running",
                "conditions": [{ "type": "Ready", "status": ready }],
            },
        }
    }

    fn service() -> Value {
        object! {
            "metadata": { "name": "web", "namespace": "default" },
            "spec": {
                "clusterIP": "10.96.0.7", "selector": { "app": "web" },
                "ports": [{ "port": 80, "targetPort": 8080, "protocol": "TCP" }],
            },
        }
    }

    #[test]
    fn addresses_are_told_ready_and_not() {
        let mut bench = Bench::new(vec![Box::new(EndpointsController::default())]);
        bench.put(&SERVICES, service());
        bench.put(&PODS, pod("b", "10.244.1.10", "True"));
        bench.put(&PODS, pod("a", "10.244.1.9", "True"));
        bench.put(&PODS, pod("c", "10.244.1.11", "False"));
        bench.pass_secs(1);
        let endpoints = bench.get(&ENDPOINTS, "default", "web");
        assert_eq!(endpoints.label(MANAGED_BY), CONTROLLER);
        let subset = endpoints.at("subsets.0");
        let ips = |field: &str| {
            let list = subset.get(field).list().iter();
            list.map(|a| a.str("ip").to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(ips("addresses"), ["10.244.1.9", "10.244.1.10"]);
        assert_eq!(ips("notReadyAddresses"), ["10.244.1.11"]);
        let ports = value!([{ "port": 8080, "protocol": "TCP" }]);
        assert_eq!(subset.get("ports"), &ports);

        bench.delete(&SERVICES, "default", "web");
        assert!(bench.find(&ENDPOINTS, "default", "web").is_none());
    }
}
