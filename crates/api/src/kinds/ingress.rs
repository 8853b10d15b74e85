//! Ingress: which requests from outside go to which Service.
//!
//! Models pkg/registry/networking/ingress, pkg/apis/networking/validation and `printIngress`.

use std::net::IpAddr;

use sim::Instant;

use super::check::{self, Errors};
use super::table::{self, Cell, Column};
use super::{Kind, Subresource};
use crate::field::{FieldError, Path};
use crate::{Value, names, value};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "ingresses",
    singular: "ingress",
    short_names: &["ing"],
    subresources: &[Subresource::status("Ingress")],
    schema: "io.k8s.api.networking.v1.Ingress",
    storage: "ingress",
    counts_generation: true,
    prepare_for_create: |ingress| ingress.set("status", value!({ "loadBalancer": {} })),
    validate,
    warnings: |ingress| {
        let key = "kubernetes.io/ingress.class";
        let found = ingress.annotations().get(key).map(|_| {
            format!(
                "annotation \"{key}\" is deprecated, please use 'spec.ingressClassName' instead"
            )
        });
        found.into_iter().collect()
    },
    columns: &[
        Column::NAME,
        Column::text("Class"),
        Column::text("Hosts"),
        Column::text("Address"),
        Column::text("Ports"),
        Column::AGE,
    ],
    row,
    sample: SAMPLE,
    ..Kind::plain("networking.k8s.io", "v1", "Ingress")
};

const SAMPLE: &str = "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
spec:
  ingressClassName: nginx
  rules:
  - host: web.example.com
    http:
      paths:
      - path: /
        pathType: Prefix
        backend:
          service:
            name: web
            port:
              number: 80
";

fn row(ingress: &Value, now: Instant) -> Vec<Cell> {
    let spec = ingress.get("spec");
    let balancers = ingress.list_at("status.loadBalancer.ingress").iter();
    let addresses: Vec<&str> = balancers
        .map(|balancer| match balancer.str("ip") {
            "" => balancer.str("hostname"),
            ip => ip,
        })
        .filter(|address| !address.is_empty())
        .collect();
    let ports = match spec.list_at("tls").is_empty() {
        true => "80",
        false => "80, 443",
    };
    vec![
        table::name(ingress),
        table::or_none(spec.str("ingressClassName")),
        hosts(spec.list_at("rules")).into(),
        addresses.join(",").into(),
        ports.into(),
        table::age(ingress, now),
    ]
}

/// The first three hosts, and how many more there are.
fn hosts(rules: &[Value]) -> String {
    let mut shown: Vec<&str> = Vec::new();
    let mut more = false;
    for host in rules.iter().map(|rule| rule.str("host")) {
        more |= shown.len() == 3;
        if !more && !host.is_empty() {
            shown.push(host);
        }
    }
    match (shown.is_empty(), more) {
        (true, _) => "*".to_owned(),
        (_, false) => shown.join(","),
        (_, true) => format!("{} + {} more...", shown.join(","), rules.len() - 3),
    }
}

fn validate(ingress: &Value, out: &mut Errors) {
    let (spec, path) = (ingress.get("spec"), Path::new("spec"));
    let backend = spec.get("defaultBackend");
    if spec.list_at("rules").is_empty() && backend.is_null() {
        let text = "either `defaultBackend` or `rules` must be specified";
        out.push(FieldError::invalid(path, Value::Null, text).shown_as("null".to_owned()));
    }
    if !backend.is_null() {
        validate_backend(backend, &path.child("defaultBackend"), out);
    }
    let rules = path.child("rules");
    for (i, rule) in spec.list_at("rules").iter().enumerate() {
        validate_rule(rule, &rules.index(i), out);
    }
    let tls = path.child("tls");
    for (i, entry) in spec.list_at("tls").iter().enumerate() {
        let path = tls.index(i);
        let hosts = path.child("hosts");
        for (j, host) in entry.list_at("hosts").iter().map(Value::as_str).enumerate() {
            validate_host(host, &hosts.index(j), out);
        }
        check::named_if_set(entry, "secretName", names::dns1123_subdomain, &path, out);
    }
    check::named_if_set(
        spec,
        "ingressClassName",
        names::dns1123_subdomain,
        &path,
        out,
    );
}

fn validate_host(host: &str, path: &Path<'_>, out: &mut Errors) {
    let messages = match host.contains('*') {
        true => names::wildcard_dns1123_subdomain(host),
        false => names::dns1123_subdomain(host),
    };
    check::invalid(messages, path, host, out);
}

fn validate_rule(rule: &Value, path: &Path<'_>, out: &mut Errors) {
    let host = rule.str("host");
    if !host.is_empty() {
        let path = path.child("host");
        if host.parse::<IpAddr>().is_ok() {
            let text = "must be a DNS name, not an IP address";
            out.push(FieldError::invalid(path, host, text));
        }
        validate_host(host, &path, out);
    }
    if rule.get("http").is_null() {
        return;
    }
    let http = path.child("http");
    let path = http.child("paths");
    let paths = rule.list_at("http.paths");
    if paths.is_empty() {
        out.push(FieldError::required(path, ""));
    }
    for (i, entry) in paths.iter().enumerate() {
        validate_path(entry, &path.index(i), out);
    }
}

const PATH_TYPES: [&str; 3] = ["Exact", "ImplementationSpecific", "Prefix"];

fn validate_path(entry: &Value, path: &Path<'_>, out: &mut Errors) {
    let text = entry.str("path");
    let field = path.child("path");
    let absolute = text.starts_with('/');
    let mut refuse = |why: String| out.push(FieldError::invalid(field, text, why));
    match entry.str("pathType") {
        "" => {
            let why = "pathType must be specified";
            out.push(FieldError::required(path.child("pathType"), why));
        }
        "Exact" | "Prefix" => {
            if !absolute {
                refuse("must be an absolute path".to_owned());
            }
            if !text.is_empty() {
                for part in ["//", "/./", "/../", "%2f", "%2F"] {
                    if text.contains(part) {
                        refuse(format!("must not contain '{part}'"));
                    }
                }
                for end in ["/..", "/."] {
                    if text.ends_with(end) {
                        refuse(format!("cannot end with '{end}'"));
                    }
                }
            }
        }
        "ImplementationSpecific" => {
            if !text.is_empty() && !absolute {
                refuse("must be an absolute path".to_owned());
            }
        }
        other => {
            let path = path.child("pathType");
            out.push(FieldError::not_supported(path, other, &PATH_TYPES));
        }
    }
    validate_backend(entry.get("backend"), &path.child("backend"), out);
}

fn validate_backend(backend: &Value, path: &Path<'_>, out: &mut Errors) {
    let (service, resource) = (backend.get("service"), backend.get("resource"));
    match (service.is_null(), resource.is_null()) {
        (false, false) => {
            let text = "cannot set both resource and service backends";
            out.push(FieldError::invalid(path, "", text));
        }
        (true, true) => {
            let text = "resource or service backend is required";
            out.push(FieldError::invalid(path, "", text));
        }
        (true, false) => {
            let path = path.child("resource");
            for key in ["kind", "name"] {
                if resource.str(key).is_empty() {
                    out.push(FieldError::required(path.child(key), ""));
                }
            }
        }
        (false, true) => validate_service(service, path, out),
    }
}

fn validate_service(service: &Value, of: &Path<'_>, out: &mut Errors) {
    let path = of.child("service");
    check::named(service, "name", names::dns1035_label, &path, out);
    let (port, path) = (service.get("port"), path.child("port"));
    let number = port.i64_at("number").unwrap_or(0);
    match (port.str("name"), number) {
        ("", 0) => out.push(FieldError::required(of, "port name or number is required")),
        ("", number) => {
            check::invalid(
                names::port_number(number),
                path.child("number"),
                number,
                out,
            );
        }
        (name, 0) => check::invalid(names::port_name(name), path.child("name"), name, out),
        _ => {
            let text = "cannot set both port name & port number";
            out.push(FieldError::invalid(of, "", text));
        }
    }
}
