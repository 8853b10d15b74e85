//! Copies Endpoints that somebody wrote by hand, for a Service without a selector, to
//! EndpointSlices: those are what routes are made of.
//! Models pkg/controller/endpointslicemirroring.

use std::collections::BTreeMap;

use api::{Value, object};
use client::{DeleteOptions, Delta, ENDPOINT_SLICES, ENDPOINTS, Index, Key, Resource, SERVICES};

use crate::controller::{Agenda, Controller, Cx};
use crate::endpointslice::{MANAGED_BY, SERVICE_NAME};
use crate::pods;

const SERVICE_LABEL: Index = Index::Label(SERVICE_NAME);
const CONTROLLER: &str = "endpointslicemirroring-controller.k8s.io";
/// Endpoints with this label are not copied, nor are those by which leaders are elected.
const SKIP: &str = "endpointslice.kubernetes.io/skip-mirror";
const LEADER: &str = "control-plane.alpha.kubernetes.io/leader";
/// What is said of the Endpoints themselves and not of their addresses.
const NOT_COPIED: [&str; 2] = [
    "endpoints.kubernetes.io/last-change-trigger-time",
    "kubectl.kubernetes.io/last-applied-configuration",
];
/// At most so many addresses of a subset are copied.
const MOST: usize = 1000;

/// The controller.
#[derive(Clone, Debug, Default)]
pub struct EndpointSliceMirroringController;

/// Endpoints by the kind of their addresses and by their ports.
type Groups = BTreeMap<(&'static str, Value), Vec<Value>>;

impl Controller for EndpointSliceMirroringController {
    fn name(&self) -> &'static str {
        "endpoint-slice-mirroring-controller"
    }

    fn watches(&self) -> Vec<(Resource, &'static [Index])> {
        vec![
            (ENDPOINTS, &[]),
            (SERVICES, &[]),
            (ENDPOINT_SLICES, &[SERVICE_LABEL]),
        ]
    }

    fn on_delta(&mut self, agenda: &mut Agenda<'_>, resource: &Resource, delta: &Delta) {
        if *resource != ENDPOINT_SLICES {
            agenda.add(delta.key.clone());
        } else if delta.object().label(MANAGED_BY) == CONTROLLER {
            let service = delta.object().label(SERVICE_NAME);
            agenda.add(Key::new(&delta.key.namespace, service));
        }
    }

    fn sync(&mut self, cx: &mut Cx<'_>, key: &Key) {
        let mut known: Vec<Value> = cx
            .cache(&ENDPOINT_SLICES)
            .by(SERVICE_LABEL, &key.name)
            .filter(|slice| slice.namespace() == &*key.namespace)
            .filter(|slice| slice.label(MANAGED_BY) == CONTROLLER && !slice.is_terminating())
            .cloned()
            .collect();
        let service = cx.cache(&SERVICES).get(key);
        let free = service.is_some_and(|s| s.map_at("spec.selector").is_empty());
        let source = cx.cache(&ENDPOINTS).get(key).filter(|e| is_copied(e));
        if let Some(source) = source.filter(|_| free).cloned() {
            for ((kind, ports), endpoints) in groups(&source) {
                let fits = |slice: &Value| {
                    slice.str("addressType") == kind && slice.get("ports").list() == ports.list()
                };
                match known.iter().position(fits) {
                    Some(at) => update(cx, &source, known.remove(at), endpoints),
                    None => {
                        let mut slice = object! {
                            "apiVersion": "discovery.k8s.io/v1",
                            "kind": "EndpointSlice",
                            "metadata": {
                                "generateName": (format!("{}-", source.name())),
                                "namespace": (source.namespace()),
                                "ownerReferences": [(pods::owner_reference(&ENDPOINTS, &source))],
                            },
                            "addressType": kind,
                            "endpoints": endpoints,
                            "ports": ports,
                        };
                        say_whose(&mut slice, &source);
                        cx.create(&ENDPOINT_SLICES, slice);
                    }
                }
            }
        }
        for slice in known {
            cx.delete(&ENDPOINT_SLICES, &slice, DeleteOptions::default());
        }
    }

    fn boxed_clone(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}

fn is_copied(endpoints: &Value) -> bool {
    endpoints.label(SKIP) != "true" && !endpoints.annotations().contains_key(LEADER)
}

fn update(cx: &mut Cx<'_>, source: &Value, known: Value, endpoints: Vec<Value>) {
    let mut wanted = known.clone();
    wanted.set("endpoints", endpoints);
    say_whose(&mut wanted, source);
    if !wanted.same(&known) {
        cx.update(&ENDPOINT_SLICES, wanted);
    }
}

/// Labels and annotations of a copy.
fn say_whose(slice: &mut Value, source: &Value) {
    slice.set("metadata.labels", Value::from(source.labels()));
    slice.set_label(SERVICE_NAME, source.name());
    slice.set_label(MANAGED_BY, CONTROLLER);
    let mut annotations = source.annotations().clone();
    for key in NOT_COPIED {
        annotations.remove(key);
    }
    slice.set_or_remove("metadata.annotations", Value::from(&annotations));
}

fn groups(source: &Value) -> Groups {
    let mut groups = Groups::new();
    for subset in source.list_at("subsets") {
        let ports = Value::list_of(subset.list_at("ports").iter().map(port).collect());
        let ready = subset.list_at("addresses").iter();
        let others = subset.list_at("notReadyAddresses").iter();
        let all = ready.map(|a| (a, true)).chain(others.map(|a| (a, false)));
        for (address, ready) in all.take(MOST) {
            let kind = match address.str("ip").contains(':') {
                true => "IPv6",
                false => "IPv4",
            };
            let group = groups.entry((kind, ports.clone())).or_default();
            group.push(endpoint(address, ready));
        }
    }
    groups
}

fn port(port: &Value) -> Value {
    let mut copy = object! {
        "name": (port.str("name")),
        "port": (port.get("port")),
        "protocol": (port.get("protocol")),
    };
    copy.set_or_remove("appProtocol", port.get("appProtocol"));
    copy
}

fn endpoint(address: &Value, ready: bool) -> Value {
    let mut endpoint = object! {
        "addresses": [(address.get("ip"))],
        "conditions": { "ready": ready },
    };
    for key in ["hostname", "nodeName", "targetRef"] {
        endpoint.set_or_remove(key, address.get(key));
    }
    endpoint
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    fn bench(selector: Value) -> Bench {
        let mut bench = Bench::new(vec![Box::new(EndpointSliceMirroringController)]);
        let metadata = object! { "name": "outside", "namespace": "default" };
        bench.put(
            &SERVICES,
            object! { "metadata": &metadata, "spec": { "selector": selector } },
        );
        bench.put(
            &ENDPOINTS,
            object! {
                "metadata": &metadata,
                "subsets": [{
                    "addresses": [{ "ip": "10.1.2.3" }, { "ip": "fd00::1" }],
                    "notReadyAddresses": [{ "ip": "10.1.2.4" }],
                    "ports": [{ "port": 80, "protocol": "TCP" }],
                }],
            },
        );
        bench
    }

    /// `IPv4 10.1.2.3 true`, an endpoint a line.
    fn shown(bench: &Bench) -> Vec<String> {
        let slices = bench.list(&ENDPOINT_SLICES);
        let lines = slices.iter().flat_map(|slice| {
            slice.list_at("endpoints").iter().map(|endpoint| {
                let kind = slice.str("addressType");
                let ready = endpoint.bool_at("conditions.ready");
                format!("{kind} {} {ready}", endpoint.str_at("addresses.0"))
            })
        });
        lines.collect()
    }

    #[test]
    fn a_copy_comes_changes_and_goes() {
        let mut bench = bench(object! {});
        let mut lines = shown(&bench);
        lines.sort();
        let all = [
            "IPv4 10.1.2.3 true",
            "IPv4 10.1.2.4 false",
            "IPv6 fd00::1 true",
        ];
        assert_eq!(lines, all);
        bench.change(&ENDPOINTS, ("default", "outside"), |endpoints| {
            let subset = object! {
                "addresses": [{ "ip": "10.2.3.4" }],
                "ports": [{ "port": 80, "protocol": "TCP" }],
            };
            endpoints.set("subsets", vec![subset]);
        });
        assert_eq!(shown(&bench), ["IPv4 10.2.3.4 true"]);
        bench.vanish(&ENDPOINTS, "default", "outside");
        assert_eq!(shown(&bench), Vec::<String>::new());
    }

    #[test]
    fn a_service_that_picks_pods_has_no_copies() {
        assert_eq!(
            shown(&bench(object! { "app": "web" })),
            Vec::<String>::new()
        );
    }
}
