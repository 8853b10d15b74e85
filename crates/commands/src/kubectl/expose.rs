//! `kubectl expose`.
//!
//! Models kubectl/pkg/cmd/expose/expose.go.

use api::{Value, object};

use super::Verb;
use super::act::{self, DryRun, Found, done, dry_run, find_in_order};
use super::apply::with_last_applied;
use super::discovery::Resource;
use super::failure::{Failure, Outcome, report};
use super::flags::{Flag, Line, switch, value};
use super::overrides::{OVERRIDE_TYPE, OVERRIDES, overridden};
use super::session::Session;
use super::target::or;

const FLAGS: &[Flag] = &[
    act::FILENAME,
    act::OUTPUT,
    act::DRY_RUN,
    act::MANAGER,
    value("cluster-ip"),
    value("external-ip"),
    value("labels").short('l'),
    value("load-balancer-ip"),
    value("name"),
    OVERRIDES,
    OVERRIDE_TYPE,
    value("port"),
    value("protocol"),
    value("selector"),
    value("session-affinity"),
    value("target-port"),
    value("type"),
    switch("save-config"),
    switch("recursive").short('R'),
];

/// The verb.
pub(super) const VERB: Verb = Verb {
    name: "expose",
    summary: "Take a replication controller, service, deployment or pod and expose it as a new \
              Kubernetes service",
    usage: "kubectl expose (-f FILENAME | TYPE NAME) [--port=port] [--protocol=TCP|UDP|SCTP] \
            [--target-port=number-or-name] [--name=name] [--external-ip=external-ip-of-service] \
            [--type=type] [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(expose(session, line)),
};

async fn expose(session: &Session, line: &Line) -> Outcome {
    let discovery = session.discovery().await?;
    let services = discovery.resolve("services")?;
    let affinity = line.text("session-affinity");
    if !["", "None", "ClientIP"].contains(&affinity) {
        let why = format!("unknown session affinity: {affinity}");
        return Err(Failure::message(why));
    }
    let mut failures = Vec::new();
    for found in find_in_order(session, line, &line.args).await? {
        let done = match found {
            Ok(found) => one(session, line, services, &found).await,
            Err(failure) => Err(failure),
        };
        failures.extend(done.err());
    }
    report(session, failures).await
}

async fn one(session: &Session, line: &Line, services: &Resource, found: &Found) -> Outcome {
    let dry = dry_run(line)?;
    let mut service = service(line, found)?;
    let namespace = session.namespace.as_str();
    if session.namespace_given || dry != DryRun::Client {
        service.set("metadata.namespace", namespace);
    }
    if line.on("save-config") {
        service = with_last_applied(&service);
    }
    let manager = "kubectl-expose";
    let made = act::create(session, line, services, namespace, &service, manager).await?;
    done(session, line, dry, &made, "exposed").await
}

fn service(line: &Line, found: &Found) -> Outcome<Value> {
    let (kind, value) = (found.resource.kind.as_str(), &found.value);
    let selector = match line.get("selector") {
        Some(text) => pairs(text)?,
        None => selector(found)?,
    };
    let name = line.get("name").unwrap_or(value.name());
    let protocol = line.get("protocol").unwrap_or("TCP");
    let target = line.get("target-port");
    let ports: Vec<Value> = match line.get("port") {
        Some(text) => text
            .split(',')
            .map(|text| {
                let number: i64 = text
                    .parse()
                    .map_err(|_| Failure::message(super::failure::atoi(text)))?;
                Ok(port(number, protocol, target))
            })
            .collect::<Outcome<_>>()?,
        None => declared(kind, value)
            .into_iter()
            .map(|(number, protocol)| port(number, &protocol, target))
            .collect(),
    };
    if ports.is_empty() {
        return Err(Failure::message(
            "couldn't find port via --port flag or introspection",
        ));
    }
    let several = ports.len() > 1;
    let ports: Vec<Value> = ports
        .into_iter()
        .enumerate()
        .map(|(at, mut port)| {
            if several {
                port.set("name", format!("port-{}", at + 1));
            }
            port
        })
        .collect();
    let labels = match line.get("labels") {
        Some(text) => pairs(text)?,
        None => Value::from(value.labels()),
    };
    let mut service = object!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": { "name": (name) },
        "spec": { "ports": (Value::from(ports)), "selector": (selector) },
        "status": { "loadBalancer": {} },
    });
    if !labels.is_null() {
        service.set("metadata.labels", labels);
    }
    let fields = [
        ("type", "spec.type"),
        ("cluster-ip", "spec.clusterIP"),
        ("session-affinity", "spec.sessionAffinity"),
        ("load-balancer-ip", "spec.loadBalancerIP"),
    ];
    let balanced = line.get("type") == Some("LoadBalancer");
    for (flag, field) in fields {
        if flag == "load-balancer-ip" && !balanced {
            continue;
        }
        if let Some(text) = line.get(flag) {
            service.set(field, text);
        }
    }
    if let Some(ip) = line.get("external-ip") {
        service.set("spec.externalIPs", Value::from(vec![Value::from(ip)]));
    }
    overridden(line, service)
}

fn port(number: i64, protocol: &str, target: Option<&str>) -> Value {
    let mut port = object!({ "port": (number), "protocol": (protocol) });
    match target {
        None => port.set("targetPort", number),
        Some(text) => match text.parse::<i64>() {
            Ok(number) => port.set("targetPort", number),
            Err(_) => port.set("targetPort", text),
        },
    }
    port
}

fn selector(Found { resource, value }: &Found) -> Outcome<Value> {
    let (found, lacks) = match resource.kind.as_str() {
        "Pod" => (
            &Value::from(value.labels()),
            "the pod has no labels and cannot be exposed",
        ),
        "Service" => (
            value.at("spec.selector"),
            "the service has no pod selector set",
        ),
        "ReplicationController" => (
            value.at("spec.selector"),
            "the replication controller has no pod selector set",
        ),
        "Deployment" | "ReplicaSet" => {
            if !value.list_at("spec.selector.matchExpressions").is_empty() {
                return Err(Failure::message(format!(
                    "couldn't convert expressions - \"{}\" to map-based selector format",
                    value.at("spec.selector.matchExpressions").to_json()
                )));
            }
            (
                value.at("spec.selector.matchLabels"),
                "invalid deployment: no selectors, therefore cannot be exposed",
            )
        }
        kind => {
            let shown = match resource.group.as_str() {
                "" => kind.to_owned(),
                group => format!("{kind}.{group}"),
            };
            return Err(Failure::message(format!("cannot expose a {shown}")));
        }
    };
    if found.entries().is_empty() {
        return Err(Failure::message(format!(
            "couldn't retrieve selectors via --selector flag or introspection: {lacks}"
        )));
    }
    Ok(found.clone())
}

/// The ports an object's containers, or a service, declare.
fn declared(kind: &str, value: &Value) -> Vec<(i64, String)> {
    if kind == "Service" {
        return value
            .list_at("spec.ports")
            .iter()
            .filter_map(|port| Some((port.i64_at("port")?, port.str_at("protocol").to_owned())))
            .collect();
    }
    let containers = match kind {
        "Pod" => value.list_at("spec.containers"),
        _ => value.list_at("spec.template.spec.containers"),
    };
    containers
        .iter()
        .flat_map(|container| container.list_at("ports"))
        .filter_map(|port| {
            let protocol = or(port.str("protocol"), "TCP").to_owned();
            Some((port.i64_at("containerPort")?, protocol))
        })
        .collect()
}

fn pairs(text: &str) -> Outcome<Value> {
    let mut map = Value::empty_map();
    for pair in text.split(',') {
        let (key, value) = pair
            .split_once('=')
            .ok_or_else(|| Failure::message(format!("unexpected label spec: {pair}")))?;
        map.set_path(&[key], value);
    }
    Ok(map)
}
