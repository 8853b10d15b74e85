//! The endpoints of a service port, gathered from the slices of the Service.
//! Models pkg/proxy/{endpoint,endpointslicecache}.go.

use std::collections::BTreeMap;

use api::{Str, Value};

use super::service::protocol;

/// The label that names the Service of a slice.
pub const SERVICE_NAME: &str = "kubernetes.io/service-name";
/// The labels of slices kube-proxy does not look at.
const NOT_OURS: [&str; 2] = [
    "service.kubernetes.io/service-proxy-name",
    "service.kubernetes.io/headless",
];

/// An address that serves a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// `10.244.1.10`
    pub(super) ip: Str,
    /// `10.244.1.10:8080`
    pub(super) address: Str,
    pub(super) ready: bool,
    pub(super) serving: bool,
    pub(super) terminating: bool,
    /// Whether it is on this machine.
    pub(super) local: bool,
    /// The zones it should be used from.
    pub(super) zone_hints: Vec<Str>,
    /// The nodes it should be used from.
    pub(super) node_hints: Vec<Str>,
}

/// Whether a slice counts: one of IPv4 addresses, of a Service, and not somebody else's.
pub(super) fn is_ours(slice: &Value) -> bool {
    slice.str("addressType") == "IPv4"
        && !slice.label(SERVICE_NAME).is_empty()
        && NOT_OURS
            .iter()
            .all(|label| slice.labels().get(label).is_none())
}

/// The endpoints of a Service by its ports' names and protocols, each list in the order of
/// addresses. An address that stands in two slices is taken once.
pub(super) fn by_port<'a>(
    slices: impl IntoIterator<Item = &'a Value>,
    node_name: &str,
) -> BTreeMap<(Str, Str), Vec<Endpoint>> {
    let mut found: BTreeMap<(Str, Str), BTreeMap<Str, Endpoint>> = BTreeMap::new();
    for slice in slices {
        for port in slice.get("ports").list() {
            let Some(number) = port.i64_at("port").filter(|number| *number != 0) else {
                continue;
            };
            let key = (port.str("name").into(), protocol(port));
            let known = found.entry(key).or_default();
            for endpoint in slice.get("endpoints").list() {
                let Some(endpoint) = read(endpoint, number, node_name) else {
                    continue;
                };
                if endpoint.local || !known.contains_key(&endpoint.address) {
                    known.insert(endpoint.address.clone(), endpoint);
                }
            }
        }
    }
    found
        .into_iter()
        .map(|(port, endpoints)| (port, endpoints.into_values().collect()))
        .collect()
}

fn read(endpoint: &Value, port: i64, node_name: &str) -> Option<Endpoint> {
    // More than one address never came to mean anything.
    let ip = endpoint.get("addresses").list().first()?.as_str();
    let conditions = endpoint.get("conditions");
    let unless_said = |name: &str| conditions.get(name).as_bool().unwrap_or(true);
    let hints = |of: &str| {
        let named = endpoint.get("hints").get(of).list().iter();
        named.map(|hint| hint.str("name").into()).collect()
    };
    Some(Endpoint {
        ip: ip.into(),
        address: format!("{ip}:{port}").into(),
        ready: unless_said("ready"),
        serving: unless_said("serving"),
        terminating: conditions.bool_at("terminating"),
        local: !node_name.is_empty() && endpoint.str("nodeName") == node_name,
        zone_hints: hints("forZones"),
        node_hints: hints("forNodes"),
    })
}
