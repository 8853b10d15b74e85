//! Endpoints, the form EndpointSlice replaced.
//!
//! Models pkg/registry/core/endpoint and `formatEndpoints`.

use sim::Instant;

use super::table::{self, Cell, Column};
use super::{Kind, check};
use crate::field::{FieldError, Path};
use crate::{Value, names};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "endpoints",
    singular: "endpoints",
    short_names: &["ep"],
    schema: "io.k8s.api.core.v1.Endpoints",
    storage: "services/endpoints",
    create_on_update: true,
    deprecation: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
    defaults,
    validate,
    columns: &[Column::NAME, Column::text("Endpoints"), Column::AGE],
    row,
    sample: SAMPLE,
    ..Kind::plain("", "v1", "Endpoints")
};

const SAMPLE: &str = "
apiVersion: v1
kind: Endpoints
metadata:
  name: outside
subsets:
- addresses:
  - ip: 10.9.9.9
  ports:
  - port: 80
";

fn defaults(endpoints: &mut Value) {
    if endpoints.get("subsets").list().is_empty() {
        return;
    }
    for subset in endpoints.list_mut("subsets") {
        if subset.get("ports").list().is_empty() {
            continue;
        }
        for port in subset.list_mut("ports") {
            if port.get("protocol").is_null() {
                port.set("protocol", "TCP");
            }
        }
    }
}

fn row(endpoints: &Value, now: Instant) -> Vec<Cell> {
    let mut all = Vec::new();
    for subset in endpoints.get("subsets").list() {
        let addresses = || subset.get("addresses").list().iter().map(|a| a.str("ip"));
        let ports = subset.get("ports").list();
        if ports.is_empty() {
            all.extend(addresses().map(str::to_owned));
        }
        for port in ports {
            let port = port.get("port").as_i64().unwrap_or(0);
            all.extend(addresses().map(|ip| format!("{ip}:{port}")));
        }
    }
    vec![
        table::name(endpoints),
        table::at_most_three(all.into_iter(), "<none>"),
        table::age(endpoints, now),
    ]
}

fn validate(endpoints: &Value, out: &mut Vec<FieldError>) {
    let root = Path::new("subsets");
    for (i, subset) in endpoints.get("subsets").list().iter().enumerate() {
        let path = root.index(i);
        let lists = ["addresses", "notReadyAddresses"];
        if lists.iter().all(|list| subset.get(list).list().is_empty()) {
            let text = "must specify `addresses` or `notReadyAddresses`";
            out.push(FieldError::required(path, text));
        }
        for list in lists {
            let path = path.child(list);
            for (j, address) in subset.get(list).list().iter().enumerate() {
                let ip = address.str("ip");
                let path = path.index(j);
                check::invalid(names::ip(ip), path.child("ip"), ip, out);
                check::named_if_set(address, "hostname", names::dns1123_label, &path, out);
                check::invalid(names::not_special(ip), path.child("ip"), ip, out);
            }
        }
        let ports = subset.get("ports").list();
        let ports_path = path.child("ports");
        for (j, port) in ports.iter().enumerate() {
            let path = ports_path.index(j);
            if ports.len() > 1 && port.str("name").is_empty() {
                out.push(FieldError::required(path.child("name"), ""));
            }
            check::port(port, "port", &path, out);
        }
    }
}
