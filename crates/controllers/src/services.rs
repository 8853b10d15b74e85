//! What Services and the pods behind them come to, for those who write it down.
//! Models staging/src/k8s.io/endpointslice/util and pkg/api/v1/endpoints.

use api::selector::LabelSelector;
use api::{Map, Str, Value, object};
use client::Cache;
use sim::Instant;

use crate::pods;

/// A Service that picks pods.
#[derive(Clone, Debug)]
pub(crate) struct Selected {
    pub(crate) selector: LabelSelector,
}

/// What of a pod matters to the Services over it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Backend {
    pub(crate) labels: Map,
    uid: Str,
    ip: Str,
    node: Str,
    ready: bool,
    terminating: bool,
    finished: bool,
    /// Containers can change while the pod lives; their ports cannot.
    hostname: Value,
}

impl Selected {
    /// None if the Service picks no pods.
    pub(crate) fn of(service: &Value) -> Option<Selected> {
        let spec = service.get("spec");
        let labels = spec.get("selector").entries();
        if labels.is_empty() || spec.str("type") == "ExternalName" {
            return None;
        }
        Some(Selected {
            selector: LabelSelector::from_map(labels),
        })
    }
}

impl Backend {
    pub(crate) fn of(pod: &Value) -> Backend {
        let (spec, status) = (pod.get("spec"), pod.get("status"));
        let shared = |value: &Value| value.as_shared_str().cloned().unwrap_or_default();
        Backend {
            labels: pod.labels().clone(),
            uid: shared(pod.metadata().get("uid")),
            ip: shared(status.get("podIP")),
            node: shared(spec.get("nodeName")),
            ready: pods::is_ready(pod),
            terminating: pod.is_terminating(),
            finished: pods::is_finished(pod),
            hostname: spec.get("hostname").clone(),
        }
    }
}

/// When the pod last became ready or unready.
pub(crate) fn ready_changed(pod: &Value) -> Option<Instant> {
    Instant::parse_rfc3339(pods::condition(pod, "Ready")?.str("lastTransitionTime"))
}

/// Whether a pod has an address that others may be told of.
pub(crate) fn has_endpoint(pod: &Value) -> bool {
    !pods::is_finished(pod) && !pod.get("status").str("podIP").is_empty()
}

/// The endpoint of a pod behind a Service.
pub(crate) fn endpoint(service: &Value, pod: &Value, nodes: &Cache) -> Value {
    let serving = pods::is_ready(pod);
    let terminating = pod.is_terminating();
    let published = service.bool_at("spec.publishNotReadyAddresses");
    let node = pod.get("spec").get("nodeName");
    let mut endpoint = object! {
        "addresses": [(pod.at("status.podIP"))],
        "conditions": {
            "ready": (published || serving && !terminating),
            "serving": serving,
            "terminating": terminating,
        },
        "targetRef": {
            "kind": "Pod",
            "namespace": (pod.metadata().get("namespace")),
            "name": (pod.metadata().get("name")),
            "uid": (pod.metadata().get("uid")),
        },
    };
    endpoint.set_or_remove("nodeName", node);
    let zone = nodes
        .named("", node.as_str())
        .map(|n| n.label("topology.kubernetes.io/zone"));
    endpoint.set_or_remove("zone", zone.unwrap_or_default());
    if pod.str_at("spec.subdomain") == service.name() {
        endpoint.set_or_remove("hostname", pod.at("spec.hostname"));
    }
    endpoint
}

/// The ports of a pod behind a Service. A port whose name the pod does not know is left out.
pub(crate) fn ports(service: &Value, pod: &Value) -> Value {
    let ports = service.list_at("spec.ports").iter();
    let ports = ports.filter_map(|port| {
        let mut endpoint = object! {
            "name": (port.str("name")),
            "port": (target_port(port, pod)?),
            "protocol": (port.get("protocol")),
        };
        endpoint.set_or_remove("appProtocol", port.get("appProtocol"));
        Some(endpoint)
    });
    Value::list_of(ports.collect())
}

fn target_port(port: &Value, pod: &Value) -> Option<i64> {
    let target = port.get("targetPort");
    match target {
        Value::Int(number) => Some(*number),
        Value::Str(name) => {
            let containers = pod.at("spec.containers").list().iter();
            let known = containers.flat_map(|container| container.get("ports").list());
            let mut named = known.filter(|known| {
                known.str("name") == &**name && known.get("protocol") == port.get("protocol")
            });
            named
                .next()
                .and_then(|known| known.get("containerPort").as_i64())
        }
        _ => port.get("port").as_i64(),
    }
}

/// The labels a Service hands on to what is derived from it.
pub(crate) fn labels(service: &Value) -> Value {
    let mut labels = Value::from(service.labels());
    for reserved in [
        "endpointslice.kubernetes.io/managed-by",
        "kubernetes.io/service-name",
    ] {
        labels.map_mut().remove(reserved);
    }
    if is_headless(service) {
        labels
            .map_mut()
            .insert("service.kubernetes.io/headless", "");
    } else {
        labels.map_mut().remove("service.kubernetes.io/headless");
    }
    labels
}

fn is_headless(service: &Value) -> bool {
    matches!(service.str_at("spec.clusterIP"), "None" | "")
}
