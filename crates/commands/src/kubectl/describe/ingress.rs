//! `kubectl describe ingress` and `ingressclass`, and for the addresses of Services.

use api::Value;

use super::service::{addresses, slices_of};
use super::{annotations, date, labels};
use crate::kubectl::failure::Outcome;
use crate::kubectl::session::{Call, Session};
use crate::kubectl::target::or;

/// An Ingress, without events.
pub(super) async fn text(session: &Session, value: &Value) -> Outcome<String> {
    let spec = value.get("spec");
    let mut text = format!("Name:\t{}\n", value.name());
    text.push_str(&labels("Labels:", value.labels()));
    text.push_str(&format!("Namespace:\t{}\n", value.namespace()));
    let balancers = value.list_at("status.loadBalancer.ingress").iter();
    let balancers: Vec<&str> = balancers
        .map(|one| or(one.str("ip"), one.str("hostname")))
        .collect();
    text.push_str(&format!("Address:\t{}\n", balancers.join(",")));
    let class = or(spec.str("ingressClassName"), "<none>");
    text.push_str(&format!("Ingress Class:\t{class}\n"));
    let default = match spec.get("defaultBackend") {
        Value::Null => "<default>".to_owned(),
        backend => self::backend(session, value.namespace(), backend).await?,
    };
    text.push_str(&format!("Default backend:\t{default}\n"));
    text.push_str(&tls(spec.list_at("tls")));
    text.push_str("Rules:\n  Host\tPath\tBackends\n  ----\t----\t--------\n");
    let mut rules = 0;
    for rule in spec.list_at("rules") {
        if rule.get("http").is_null() {
            continue;
        }
        rules += 1;
        text.push_str(&format!("  {}\t\n", or(rule.str("host"), "*")));
        for path in rule.list_at("http.paths") {
            let backend = backend(session, value.namespace(), path.get("backend")).await?;
            text.push_str(&format!("    \t{} \t{backend}\n", path.str("path")));
        }
    }
    if rules == 0 {
        text.push_str(&format!("  *\t*\t{default}\n"));
    }
    Ok(text + &annotations("Annotations:", value.annotations()))
}

fn tls(entries: &[Value]) -> String {
    if entries.is_empty() {
        return String::new();
    }
    let mut text = "TLS:\n".to_owned();
    for entry in entries {
        let hosts: Vec<&str> = entry.list_at("hosts").iter().map(Value::as_str).collect();
        let hosts = hosts.join(",");
        text.push_str(&match entry.str("secretName") {
            "" => format!("  SNI routes {hosts}\n"),
            secret => format!("  {secret} terminates {hosts}\n"),
        });
    }
    text
}

/// `web:80 (10.244.1.2:80)`
async fn backend(session: &Session, namespace: &str, backend: &Value) -> Outcome<String> {
    let service = backend.get("service");
    if service.is_null() {
        let resource = backend.get("resource");
        return Ok(match resource {
            Value::Null => String::new(),
            _ => format!(
                "APIGroup: {}, Kind: {}, Name: {}",
                or(resource.str("apiGroup"), "<none>"),
                resource.str("kind"),
                resource.str("name")
            ),
        });
    }
    let name = service.str("name");
    let number = service.i64_at("port.number").unwrap_or(0);
    let port_name = service.str_at("port.name");
    let shown = match number {
        0 => format!("{name}:{port_name}"),
        number => format!("{name}:{number}"),
    };
    let path = format!("/api/v1/namespaces/{namespace}/services/{name}");
    let found = match session.call(Call::get(path)).await {
        Ok(found) => found,
        Err(failure) if failure.is_not_found() => {
            return Ok(format!("{shown} (<error: services {name:?} not found>)"));
        }
        Err(failure) => return Err(failure),
    };
    let ports = found.list_at("spec.ports").iter();
    let mut ports = ports.filter(|port| match number {
        0 => !port_name.is_empty() && port.str("name") == port_name,
        number => port.i64_at("port") == Some(number),
    });
    let port = ports.next_back().map_or("", |port| port.str("name"));
    let slices = slices_of(session, namespace, name).await?;
    Ok(format!("{shown} ({})", addresses(port, &slices)))
}

/// An IngressClass, without events.
pub(super) fn class(value: &Value) -> String {
    let mut text = format!("Name:\t{}\n", value.name());
    text.push_str(&labels("Labels:", value.labels()));
    text.push_str(&annotations("Annotations:", value.annotations()));
    let controller = value.str_at("spec.controller");
    text.push_str(&format!("Controller:\t{controller}\n"));
    let parameters = value.at("spec.parameters");
    if !parameters.is_null() {
        text.push_str("Parameters:\n");
        if parameters.has("apiGroup") {
            text.push_str(&format!("  APIGroup:\t{}\n", parameters.str("apiGroup")));
        }
        let (kind, name) = (parameters.str("kind"), parameters.str("name"));
        text.push_str(&format!("  Kind:\t{kind}\n  Name:\t{name}\n"));
    }
    text
}

/// A ServiceCIDR, without events.
pub(super) fn service_cidr(value: &Value) -> String {
    let cidrs: Vec<&str> = value
        .list_at("spec.cidrs")
        .iter()
        .map(Value::as_str)
        .collect();
    let mut text = format!("Name:\t{}\n", value.name());
    text.push_str(&labels("Labels:", value.labels()));
    text.push_str(&annotations("Annotations:", value.annotations()));
    text.push_str(&format!("CIDRs:\t{}\n", cidrs.join(", ")));
    let conditions = value.list_at("status.conditions");
    if !conditions.is_empty() {
        text.push_str(
            "Status:\nConditions:\n  Type\tStatus\tLastTransitionTime\tReason\tMessage\n  \
             ----\t------\t------------------\t------\t-------\n",
        );
    }
    for condition in conditions {
        text.push_str(&format!(
            "  {}\t{}\t{}\t{}\t{}\n",
            condition.str("type"),
            condition.str("status"),
            date(condition.str("lastTransitionTime")),
            condition.str("reason"),
            condition.str("message")
        ));
    }
    text
}

/// An IPAddress, without events.
pub(super) fn ip_address(value: &Value) -> String {
    let mut text = format!("Name:\t{}\n", value.name());
    text.push_str(&labels("Labels:", value.labels()));
    text.push_str(&annotations("Annotations:", value.annotations()));
    let parent = value.at("spec.parentRef");
    if !parent.is_null() {
        text.push_str("Parent Reference:\n");
        for (title, field) in [
            ("Group", "group"),
            ("Resource", "resource"),
            ("Namespace", "namespace"),
            ("Name", "name"),
        ] {
            text.push_str(&format!("  {title}:\t{}\n", parent.str(field)));
        }
    }
    text
}
