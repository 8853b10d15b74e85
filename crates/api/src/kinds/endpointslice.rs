//! EndpointSlice.
//!
//! Models pkg/registry/discovery/endpointslice and pkg/apis/discovery.

use sim::Instant;

use super::table::{self, Cell, Column};
use super::{Kind, check};
use crate::field::{FieldError, Path};
use crate::{Value, names};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "endpointslices",
    singular: "endpointslice",
    schema: "io.k8s.api.discovery.v1.EndpointSlice",
    storage: "endpointslices",
    counts_generation: true,
    defaults,
    prepare_for_update: |new, old, _| {
        if new.labels() != old.labels() {
            new.set("metadata.generation", old.generation() + 1);
        }
    },
    validate,
    validate_update: |new, old, _, out| {
        if new.str("addressType") != old.str("addressType") {
            let value = new.str("addressType");
            out.push(FieldError::invalid(
                "addressType",
                value,
                "field is immutable",
            ));
        }
    },
    columns: &[
        Column::NAME,
        Column::text("AddressType"),
        Column::text("Ports"),
        Column::text("Endpoints"),
        Column::AGE,
    ],
    row,
    sample: SAMPLE,
    ..Kind::plain("discovery.k8s.io", "v1", "EndpointSlice")
};

const SAMPLE: &str = "
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: web-abc12
  labels:
    kubernetes.io/service-name: web
addressType: IPv4
endpoints:
- addresses:
  - 10.244.1.3
  conditions:
    ready: true
ports:
- port: 80
";

const TYPES: &[&str] = &["FQDN", "IPv4", "IPv6"];

/// Endpoints and ports a slice may have, and addresses an endpoint may have.
const MAX_ENDPOINTS: usize = 1000;
const MAX_PORTS: usize = 20_000;
const MAX_ADDRESSES: usize = 100;

fn defaults(slice: &mut Value) {
    if slice.get("ports").list().is_empty() {
        return;
    }
    for port in slice.list_mut("ports") {
        if port.get("name").is_null() {
            port.set("name", "");
        }
        if port.get("protocol").is_null() {
            port.set("protocol", "TCP");
        }
    }
}

fn row(slice: &Value, now: Instant) -> Vec<Cell> {
    let ports = slice
        .get("ports")
        .list()
        .iter()
        .map(|port| match port.get("port").as_i64() {
            Some(number) => number.to_string(),
            None if !port.str("name").is_empty() => port.str("name").to_owned(),
            None => "*".to_owned(),
        });
    let endpoints = slice.get("endpoints").list().iter();
    let addresses = endpoints
        .flat_map(|e| e.get("addresses").list())
        .map(|a| a.as_str().to_owned());
    vec![
        table::name(slice),
        slice.get("addressType").clone(),
        table::at_most_three(ports, "<unset>"),
        table::at_most_three(addresses, "<unset>"),
        table::age(slice, now),
    ]
}

fn validate(slice: &Value, out: &mut Vec<FieldError>) {
    let kind = slice.str("addressType");
    match kind {
        "" => out.push(FieldError::required("addressType", "")),
        other if TYPES.contains(&other) => {}
        other => out.push(FieldError::not_supported("addressType", other, TYPES)),
    }
    let endpoints = slice.get("endpoints").list();
    if endpoints.len() > MAX_ENDPOINTS {
        out.push(FieldError::too_many(
            "endpoints",
            endpoints.len(),
            MAX_ENDPOINTS,
        ));
        return;
    }
    let root = Path::new("endpoints");
    for (i, endpoint) in endpoints.iter().enumerate() {
        let path = root.index(i);
        let addresses_path = path.child("addresses");
        let addresses = endpoint.get("addresses").list();
        if addresses.is_empty() {
            out.push(FieldError::required(
                addresses_path,
                "must contain at least 1 address",
            ));
        } else if addresses.len() > MAX_ADDRESSES {
            out.push(FieldError::too_many(
                addresses_path,
                addresses.len(),
                MAX_ADDRESSES,
            ));
        }
        for (j, address) in addresses.iter().map(Value::as_str).enumerate() {
            let messages = match kind {
                "IPv4" | "IPv6" => bad_address(kind, address),
                _ => names::dns1123_subdomain(address),
            };
            check::invalid(messages, addresses_path.index(j), address, out);
        }
        check::named_if_set(endpoint, "hostname", names::dns1123_label, &path, out);
    }
    validate_ports(slice.get("ports").list(), out);
}

fn bad_address(kind: &str, address: &str) -> Vec<String> {
    let mut messages = names::ip(address);
    let fits = match kind {
        "IPv4" => address.parse::<std::net::Ipv4Addr>().is_ok(),
        _ => address.parse::<std::net::Ipv6Addr>().is_ok(),
    };
    if messages.is_empty() && !fits {
        messages.push(format!("must be an {kind} address"));
    }
    messages.append(&mut names::not_special(address));
    messages
}

fn validate_ports(ports: &[Value], out: &mut Vec<FieldError>) {
    let root = Path::new("ports");
    if ports.len() > MAX_PORTS {
        out.push(FieldError::too_many(root, ports.len(), MAX_PORTS));
        return;
    }
    for (i, port) in ports.iter().enumerate() {
        let path = root.index(i);
        let name = port.str("name");
        check::named_if_set(port, "name", names::dns1123_label, &path, out);
        if ports[..i].iter().any(|other| other.str("name") == name) {
            out.push(FieldError::duplicate(path.child("name"), name));
        }
        check::one_of(port, "protocol", &["SCTP", "TCP", "UDP"], &path, out);
        if port.has("port") {
            check::port(port, "port", &path, out);
        }
    }
}
