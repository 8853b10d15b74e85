//! `kubectl create service clusterip | nodeport | externalname`.

use api::{Value, object};

use super::{exactly_one_name, generated_as, generator_flags};
use crate::kubectl::Verb;
use crate::kubectl::failure::{Failure, Outcome};
use crate::kubectl::flags::{Line, value, values};
use crate::kubectl::session::Session;

/// `kubectl create service clusterip`.
pub(super) const CLUSTER_IP: Verb = Verb {
    name: "create service clusterip",
    summary: "Create a ClusterIP service",
    usage: "kubectl create service clusterip NAME [--tcp=<port>:<targetPort>] \
            [--dry-run=server|client|none] [options]",
    flags: generator_flags!(values("tcp"), value("clusterip")),
    interspersed: true,
    run: |session, line| Box::pin(create(session, line, "ClusterIP")),
};

/// `kubectl create service nodeport`.
pub(super) const NODE_PORT: Verb = Verb {
    name: "create service nodeport",
    summary: "Create a NodePort service",
    usage: "kubectl create service nodeport NAME [--tcp=port:targetPort] \
            [--dry-run=server|client|none] [options]",
    flags: generator_flags!(values("tcp"), value("node-port")),
    interspersed: true,
    run: |session, line| Box::pin(create(session, line, "NodePort")),
};

/// `kubectl create service externalname`.
pub(super) const EXTERNAL_NAME: Verb = Verb {
    name: "create service externalname",
    summary: "Create an ExternalName service",
    usage: "kubectl create service externalname NAME --external-name external.name \
            [--dry-run=server|client|none] [options]",
    flags: generator_flags!(values("tcp"), value("external-name")),
    interspersed: true,
    run: |session, line| Box::pin(create(session, line, "ExternalName")),
};

/// `kubectl create service loadbalancer`.
pub(super) const LOAD_BALANCER: Verb = Verb {
    name: "create service loadbalancer",
    summary: "Create a LoadBalancer service",
    usage: "kubectl create service loadbalancer NAME [--tcp=port:targetPort] \
            [--dry-run=server|client|none] [options]",
    flags: generator_flags!(values("tcp")),
    interspersed: true,
    run: |session, line| Box::pin(create(session, line, "LoadBalancer")),
};

async fn create(session: &Session, line: &Line, kind: &'static str) -> Outcome {
    let name = exactly_one_name(line)?;
    let labels = object!({ "app": (name) });
    let mut service = object!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": { "labels": (labels.clone()), "name": (name) },
        "spec": { "selector": (labels), "type": (kind) },
        "status": { "loadBalancer": {} },
    });
    let mut ports = Vec::new();
    if let Some(external) = line.get("external-name")
        && !api::names::dns1123_subdomain(external).is_empty()
    {
        return Err(Failure::message(format!(
            "invalid service external name {external}"
        )));
    }
    for text in line.list("tcp") {
        ports.push(port(&text, line.number("node-port")?)?);
    }
    let headless = line.get("clusterip") == Some("None");
    if ports.is_empty() && kind != "ExternalName" && !headless {
        return Err(Failure::message(
            "at least one tcp port specifier must be provided",
        ));
    }
    if !ports.is_empty() {
        service.set("spec.ports", Value::from(ports));
    }
    if let Some(ip) = line.get("clusterip") {
        service.set("spec.clusterIP", ip);
    }
    if kind == "ExternalName" {
        let external = line
            .get("external-name")
            .ok_or_else(|| Failure::message("required flag(s) \"external-name\" not set"))?;
        service.set("spec.externalName", external);
    }
    generated_as(session, line, service, &format!("{kind} service")).await
}

fn port(text: &str, node_port: Option<i64>) -> Outcome<Value> {
    let mut parts = text.split(':');
    let port = parts.next().unwrap_or_default();
    let target = parts.next();
    let digits = !port.is_empty() && port.chars().all(|c| c.is_ascii_digit());
    let number = i64::from(port.parse::<u16>().map_err(|_| {
        let why = match digits {
            true => "value out of range",
            false => "invalid syntax",
        };
        Failure::message(format!("strconv.ParseUint: parsing {port:?}: {why}"))
    })?);
    let mut made = object!({
        "name": (text.replace(':', "-")),
        "port": (number),
        "protocol": "TCP",
    });
    let Some(target) = target else {
        made.set("targetPort", number);
        return Ok(with_node_port(made, node_port));
    };
    match target.parse::<i64>() {
        Ok(number) if !(1..=65535).contains(&number) => {
            return Err(Failure::message("must be between 1 and 65535, inclusive"));
        }
        Ok(number) => made.set("targetPort", number),
        Err(_) => {
            let wrong = api::names::port_name(target);
            if !wrong.is_empty() {
                return Err(Failure::message(wrong.join(",")));
            }
            made.set("targetPort", target);
        }
    }
    Ok(with_node_port(made, node_port))
}

fn with_node_port(mut port: Value, node_port: Option<i64>) -> Value {
    if let Some(node_port) = node_port.filter(|port| *port > 0) {
        port.set("nodePort", node_port);
    }
    port
}
