//! Service. Addresses and node ports are allocated by the API server; what they must look like and
//! what becomes of them when a Service changes is said here.
//!
//! Models pkg/registry/core/service and `printService`.

use sim::Instant;

use super::table::{self, Cell, Column};
use super::{Kind, Subresource};
use crate::{Value, names, value};

mod update;
mod validation;
mod warnings;

pub use update::{needs_cluster_ip, needs_node_port};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "services",
    singular: "service",
    short_names: &["svc"],
    categories: &["all"],
    verbs: super::ALL_VERBS,
    subresources: &[
        Subresource::new(
            "proxy",
            &["create", "delete", "get", "patch", "update"],
            "",
            "ServiceProxyOptions",
        ),
        Subresource::status("Service"),
    ],
    schema: "io.k8s.api.core.v1.Service",
    storage: "services/specs",
    name: names::dns1123_label,
    create_on_update: true,
    fields: &["spec.clusterIP", "spec.type"],
    defaults,
    prepare_for_create: |service| {
        service.set("status", value!({ "loadBalancer": {} }));
        update::normalize_cluster_ips(service, None);
        update::families(service);
    },
    prepare_for_update: |new, old, subresource| {
        if subresource.is_empty() {
            update::prepare(new, old);
        }
    },
    validate: validation::validate,
    validate_update: validation::validate_update,
    warnings: warnings::of,
    columns: COLUMNS,
    row,
    sample: SAMPLE,
    ..Kind::plain("", "v1", "Service")
};

const COLUMNS: &[Column] = &[
    Column::NAME,
    Column::text("Type"),
    Column::text("Cluster-IP"),
    Column::text("External-IP"),
    Column::text("Port(s)"),
    Column::AGE,
    Column::wide("Selector"),
];

const SAMPLE: &str = "
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector:
    app: web
  ports:
  - port: 80
    targetPort: 80
";

/// Whether the Service has neither address nor rules: `clusterIP: None`.
pub fn is_headless(service: &Value) -> bool {
    service.str_at("spec.clusterIP") == "None" || service.str_at("spec.clusterIPs.0") == "None"
}

fn defaults(service: &mut Value) {
    let spec = service.at_mut("spec");
    let mut default = |path: &str, value: Value| {
        if !spec.has(path) {
            spec.set(path, value);
        }
    };
    default("sessionAffinity", "None".into());
    default("type", "ClusterIP".into());
    let kind = spec.str("type").to_owned();
    match spec.str("sessionAffinity") {
        "None" => drop(spec.remove("sessionAffinityConfig")),
        "ClientIP" => {
            let path = "sessionAffinityConfig.clientIP.timeoutSeconds";
            if !spec.has(path) {
                spec.set(path, 10_800);
            }
        }
        _ => {}
    }
    let count = spec.list_at("ports").len();
    for i in 0..count {
        let port = spec.at_mut(&format!("ports.{i}"));
        if port.str("protocol").is_empty() {
            port.set("protocol", "TCP");
        }
        if port.get("targetPort").is_zero() {
            port.set("targetPort", port.get("port").clone());
        }
    }
    let external = matches!(&*kind, "NodePort" | "LoadBalancer")
        || (kind == "ClusterIP" && !spec.list_at("externalIPs").is_empty());
    if external && spec.str("externalTrafficPolicy").is_empty() {
        spec.set("externalTrafficPolicy", "Cluster");
    }
    let internal = matches!(&*kind, "NodePort" | "LoadBalancer" | "ClusterIP");
    if internal && spec.str("internalTrafficPolicy").is_empty() {
        spec.set("internalTrafficPolicy", "Cluster");
    }
    if kind == "LoadBalancer" && !spec.has("allocateLoadBalancerNodePorts") {
        spec.set("allocateLoadBalancerNodePorts", true);
    }
    if kind == "LoadBalancer" {
        let count = service.list_at("status.loadBalancer.ingress").len();
        for i in 0..count {
            let ingress = service.at_mut(&format!("status.loadBalancer.ingress.{i}"));
            if !ingress.str("ip").is_empty() && !ingress.has("ipMode") {
                ingress.set("ipMode", "VIP");
            }
        }
    }
}

fn row(service: &Value, now: Instant) -> Vec<Cell> {
    let spec = service.get("spec");
    let ports = spec.list_at("ports").iter().map(|port| {
        let number = port.get("port").as_i64().unwrap_or(0);
        let protocol = port.str("protocol");
        match port.get("nodePort").as_i64() {
            None | Some(0) => format!("{number}/{protocol}"),
            Some(node_port) => format!("{number}:{node_port}/{protocol}"),
        }
    });
    vec![
        table::name(service),
        spec.str("type").into(),
        table::or_none(spec.str_at("clusterIPs.0")),
        external_ip(service),
        table::or_none(&ports.collect::<Vec<_>>().join(",")),
        table::age(service, now),
        table::labels(spec.map_at("selector")),
    ]
}

/// What the column EXTERNAL-IP shows.
fn external_ip(service: &Value) -> Cell {
    let spec = service.get("spec");
    let external = spec.list_at("externalIPs").iter().map(Value::as_str);
    match spec.str("type") {
        "ClusterIP" | "NodePort" => table::or_none(&external.collect::<Vec<_>>().join(",")),
        "LoadBalancer" => {
            let ingress = service.list_at("status.loadBalancer.ingress").iter();
            let mut addresses: Vec<&str> = ingress
                .map(|i| match i.str("ip") {
                    "" => i.str("hostname"),
                    ip => ip,
                })
                .filter(|address| !address.is_empty())
                .collect();
            addresses.sort_unstable();
            addresses.dedup();
            addresses.extend(external);
            match addresses.is_empty() {
                true => "<pending>".into(),
                false => addresses.join(",").into(),
            }
        }
        "ExternalName" => spec.str("externalName").into(),
        _ => "<unknown>".into(),
    }
}
