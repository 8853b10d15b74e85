//! Services and their EndpointSlices, as the picture shows them.

use std::rc::Rc;

use api::Value;

use crate::objects::Objects;

/// The label that names a slice's Service.
/// Models staging/src/k8s.io/api/discovery/v1/well_known_labels.go.
const SERVICE_LABEL: &str = "kubernetes.io/service-name";

/// A Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceView {
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// `spec.type`.
    pub kind: String,
    /// `spec.clusterIP`.
    pub cluster_ip: String,
    /// `spec.selector` as kubectl prints it.
    pub selector: String,
    /// Its ports.
    pub ports: Vec<PortView>,
    /// Its EndpointSlices.
    pub slices: Vec<SliceView>,
}

/// A port of a Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortView {
    /// `port`.
    pub port: u32,
    /// `nodePort`, 0 if it has none.
    pub node_port: u32,
    /// `protocol`.
    pub protocol: String,
}

/// An EndpointSlice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SliceView {
    /// `metadata.name`.
    pub name: String,
    /// Its endpoints.
    pub endpoints: Vec<EndpointView>,
}

/// An endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointView {
    /// Address and ports: `10.244.1.5:80`.
    pub address: String,
    /// `conditions.ready`.
    pub ready: bool,
    /// The pod's name, empty if it is none.
    pub pod: String,
    /// The machine's name, empty if it is not known.
    pub node: String,
}

/// Reads Services; remembers what it read.
#[derive(Clone, Debug, Default)]
pub(super) struct ServiceReader {
    seen: Vec<Value>,
    made: Vec<Rc<ServiceView>>,
}

impl ServiceReader {
    /// The Services as they are now; those that did not change are the same allocation.
    pub(super) fn read(&mut self, objects: &Objects) -> Vec<Rc<ServiceView>> {
        let services = objects.list("services");
        let slices = objects.list("endpointslices");
        let all = || services.iter().chain(&slices);
        let same = all().count() == self.seen.len()
            && all().zip(&self.seen).all(|(now, seen)| now.same(seen));
        if !same {
            let old = std::mem::take(&mut self.made);
            let view = |service: &Value| {
                let new = service_view(service, &slices);
                let known = old.iter().find(|known| ***known == new);
                known.cloned().unwrap_or_else(|| Rc::new(new))
            };
            self.made = services.iter().map(view).collect();
            self.seen = all().cloned().collect();
        }
        self.made.clone()
    }
}

fn service_view(service: &Value, slices: &[Value]) -> ServiceView {
    let text = |path: &str| service.str_at(path).to_owned();
    let number = |port: &Value, name: &str| {
        let number = port.i64_at(name).unwrap_or(0);
        u32::try_from(number).unwrap_or(0)
    };
    let port = |port: &Value| PortView {
        port: number(port, "port"),
        node_port: number(port, "nodePort"),
        protocol: port.str_at("protocol").to_owned(),
    };
    let selector = service.at("spec.selector");
    let pairs = selector.as_map().into_iter().flat_map(|map| map.iter());
    let pairs = pairs.map(|(key, value)| format!("{key}={}", value.as_str()));
    let own = slices.iter().filter(|slice| {
        slice.namespace() == service.namespace() && slice.label(SERVICE_LABEL) == service.name()
    });
    ServiceView {
        uid: service.uid().to_owned(),
        namespace: service.namespace().to_owned(),
        name: service.name().to_owned(),
        kind: text("spec.type"),
        cluster_ip: text("spec.clusterIP"),
        selector: pairs.collect::<Vec<_>>().join(","),
        ports: service.list_at("spec.ports").iter().map(port).collect(),
        slices: own.map(slice_view).collect(),
    }
}

fn slice_view(slice: &Value) -> SliceView {
    let ports = slice.list_at("ports").iter();
    let ports = ports.filter_map(|port| port.i64_at("port"));
    let ports = ports.map(|port| port.to_string()).collect::<Vec<_>>();
    let endpoint = |endpoint: &Value| {
        let address = endpoint.list_at("addresses").first();
        let ip = address.map_or("", Value::as_str);
        EndpointView {
            address: match ports.is_empty() {
                true => ip.to_owned(),
                false => format!("{ip}:{}", ports.join(",")),
            },
            ready: endpoint.at("conditions.ready").as_bool() != Some(false),
            pod: endpoint.str_at("targetRef.name").to_owned(),
            node: endpoint.str_at("nodeName").to_owned(),
        }
    };
    SliceView {
        name: slice.name().to_owned(),
        endpoints: slice.list_at("endpoints").iter().map(endpoint).collect(),
    }
}
