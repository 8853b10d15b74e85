//! `kubectl describe`: one file per kind; a kind without one is shown field by field.
//!
//! Models kubectl/pkg/describe/describe.go. Texts are written with tabs and aligned at the end.

mod access;
mod autoscaler;
mod batch;
mod certificate;
mod configs;
mod containers;
mod endpoints;
mod events;
mod generic;
mod ingress;
mod namespace;
mod networkpolicy;
mod node;
mod pod;
mod poddisruptionbudget;
mod quotas;
mod rare;
mod service;
mod storage;
mod volumes;
mod workloads;

pub(super) use workloads::template_text;

use std::collections::BTreeSet;

use api::{Map, Value};
use sim::Instant;

use super::Verb;
use super::act::{self, Found, list};
use super::discovery::Resource;
use super::failure::{Failure, Outcome, combined, report};
use super::flags::{Flag, Line, switch, value};
use super::print::tabulate;
use super::session::Session;
use super::target::{Target, manifests, namespace_of, resource_of, targets};

const FLAGS: &[Flag] = &[
    act::FILENAME,
    act::SELECTOR,
    act::ALL_NAMESPACES,
    value("chunk-size"),
    value("kustomize").short('k'),
    switch("recursive").short('R'),
    switch("show-events"),
];

/// The verb.
pub(super) const VERB: Verb = Verb {
    name: "describe",
    summary: "Show details of a specific resource or group of resources",
    usage: "kubectl describe (-f FILENAME | TYPE [NAME_PREFIX | -l label] | TYPE/NAME) [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(describe(session, line)),
};

async fn describe(session: &Session, line: &Line) -> Outcome {
    let (found, failures) = found(session, line).await?;
    if found.is_empty() && failures.is_empty() {
        let text = match line.on("all-namespaces") {
            true => "No resources found\n".to_owned(),
            false => format!("No resources found in {} namespace.\n", session.namespace),
        };
        session.io.eprint(&text).await;
        return Ok(());
    }
    let mut texts = Vec::new();
    // Of several objects no events are shown, unless they are asked for.
    let events = line.on_unless_off("show-events") && (found.len() == 1 || line.has("show-events"));
    for Found { resource, value } in found {
        texts.push(tabulate(&one(session, events, &resource, &value).await?));
    }
    session.io.print(&texts.join("\n\n")).await;
    report(session, failures).await
}

/// The objects to describe, and why others are not there.
async fn found(session: &Session, line: &Line) -> Outcome<(Vec<Found>, Vec<Failure>)> {
    let discovery = session.discovery().await?;
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    if line.has("filename") || line.has("kustomize") {
        let mut unread = Vec::new();
        for manifest in manifests(&session.io, line).await? {
            let resource = match resource_of(&discovery, &manifest) {
                Ok(resource) => resource.clone(),
                Err(Failure::Message(text)) => {
                    unread.push(Failure::Plain(text));
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            let namespace = namespace_of(session, &resource, &manifest.value)?;
            match act::read(session, &resource, &namespace, manifest.value.name()).await {
                Ok(value) => found.push(Found { resource, value }),
                Err(failure) => failures.push(failure),
            }
        }
        if !failures.is_empty() {
            unread = combined(unread).into_iter().collect();
        }
        unread.extend(failures);
        return Ok((found, unread));
    }
    act::refuse_selected_names(line, &line.args, false)?;
    if line.args.is_empty() {
        return Err(Failure::message(
            "You must specify the type of resource to describe. Use \"kubectl api-resources\" for \
             a complete list of supported resources.",
        ));
    }
    let targets = targets(&discovery, &line.args)?;
    act::refuse_names_of_all(line, &targets)?;
    for Target { resource, name } in targets {
        let Some(name) = name else {
            found.extend(list(session, line, &resource).await?);
            continue;
        };
        match act::read(session, &resource, &session.namespace, &name).await {
            Ok(value) => found.push(Found { resource, value }),
            Err(failure) if failure.is_not_found() => {
                // A name that is not found may be the beginning of others.
                let all = list(session, line, &resource).await?;
                let before = found.len();
                found.extend(
                    all.into_iter()
                        .filter(|f| f.value.name().starts_with(&name)),
                );
                if found.len() == before {
                    failures.push(failure);
                }
            }
            Err(failure) => failures.push(failure),
        }
    }
    Ok((found, failures))
}

/// The description of one object, with tabs.
async fn one(
    session: &Session,
    events: bool,
    resource: &Resource,
    value: &Value,
) -> Outcome<String> {
    let now = session.io.now().await;
    let events = if events {
        Some(events::text(&events::of(session, value).await?, now))
    } else {
        None
    };
    let events = events.unwrap_or_default();
    let text = match (resource.group.as_str(), resource.kind.as_str()) {
        ("", "Pod") => pod::text(value, now) + &events,
        ("apps", "Deployment") => workloads::deployment(session, value).await? + &events,
        ("apps", "ReplicaSet") => workloads::replica_set(session, value).await? + &events,
        ("apps", "StatefulSet") => batch::stateful_set(session, value).await? + &events,
        ("apps", "DaemonSet") => workloads::daemon_set(session, value).await? + &events,
        ("", "ReplicationController") => {
            workloads::replication_controller(session, value).await? + &events
        }
        ("batch", "Job") => batch::job(value) + &events,
        ("batch", "CronJob") => batch::cron_job(value) + &events,
        ("", "Service") => service::text(session, value).await? + &events,
        ("", "Endpoints") => endpoints::endpoints(value) + &events,
        ("discovery.k8s.io", "EndpointSlice") => endpoints::slice(value) + &events,
        ("", "Node") => node::text(session, value, now).await? + &events,
        ("", "Namespace") => namespace::text(session, value).await?,
        ("", "ConfigMap") => configs::config_map(value) + &events,
        ("", "Secret") => configs::secret(value),
        ("policy", "PodDisruptionBudget") => poddisruptionbudget::text(value) + &events,
        ("", "ResourceQuota") => quotas::quota(value),
        ("", "LimitRange") => quotas::limits(value),
        ("", "ServiceAccount") => configs::service_account(value) + &events,
        ("rbac.authorization.k8s.io", "Role" | "ClusterRole") => access::role(value),
        ("rbac.authorization.k8s.io", _) => access::binding(value),
        ("autoscaling", "HorizontalPodAutoscaler") => autoscaler::text(value) + &events,
        ("", "PersistentVolume") => storage::volume(value, now) + &events,
        ("", "PersistentVolumeClaim") => storage::claim(session, value, now).await? + &events,
        ("storage.k8s.io", "StorageClass") => storage::storage_class(value) + &events,
        ("storage.k8s.io", "VolumeAttributesClass") => storage::attributes_class(value) + &events,
        ("storage.k8s.io", "CSINode") => storage::csi_node(value) + &events,
        ("networking.k8s.io", "Ingress") => ingress::text(session, value).await? + &events,
        ("networking.k8s.io", "IngressClass") => ingress::class(value) + &events,
        ("networking.k8s.io", "NetworkPolicy") => networkpolicy::text(value),
        ("networking.k8s.io", "ServiceCIDR") => ingress::service_cidr(value) + &events,
        ("networking.k8s.io", "IPAddress") => ingress::ip_address(value) + &events,
        ("certificates.k8s.io", "CertificateSigningRequest") => certificate::text(value)? + &events,
        ("scheduling.k8s.io", "PriorityClass") => access::priority_class(value) + &events,
        _ => generic::text(value) + &events,
    };
    Ok(text)
}

/// `Sat, 21 Nov 2026 01:30:17 +0000`; `<unset>` without a time.
fn date(timestamp: &str) -> String {
    let Some(at) = Instant::parse_rfc3339(timestamp) else {
        return "<unset>".to_owned();
    };
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let c = at.civil();
    format!(
        "{}, {:02} {} {} {:02}:{:02}:{:02} +0000",
        DAYS[c.weekday as usize % 7],
        c.day,
        MONTHS[(c.month as usize - 1) % 12],
        c.year,
        c.hour,
        c.minute,
        c.second
    )
}

/// `Labels:` and its lines; `title` may be indented.
fn labels(title: &str, labels: &Map) -> String {
    multiline(
        title,
        labels
            .iter()
            .map(|(key, value)| format!("{key}={}", value.as_str())),
    )
}

/// `Annotations:` and its lines, without what kubectl itself keeps there.
fn annotations(title: &str, annotations: &Map) -> String {
    multiline(
        title,
        annotations
            .iter()
            .filter(|(key, _)| **key != *super::apply::LAST_APPLIED)
            .map(|(key, value)| {
                let value = value.as_str();
                let value = value.strip_suffix('\n').unwrap_or(value);
                if value.contains('\n') || key.len() + value.len() + 2 > LONGEST {
                    let lines: Vec<String> = value
                        .split('\n')
                        .map(|line| format!("\n\t  {}", shortened(line, LONGEST - 2)))
                        .collect();
                    format!("{key}:{}", lines.concat())
                } else {
                    format!("{key}: {value}")
                }
            }),
    )
}

/// An annotation that takes more columns stands below its key, and is cut.
const LONGEST: usize = 140;

/// The first `length` bytes of a text, with a mark where something is left out.
fn shortened(text: &str, length: usize) -> String {
    if text.len() <= length {
        return text.to_owned();
    }
    let end = (0..=length).rev().find(|end| text.is_char_boundary(*end));
    format!("{}...", &text[..end.unwrap_or(0)])
}

fn multiline(title: &str, lines: impl Iterator<Item = String>) -> String {
    let mut text = String::new();
    for (at, line) in lines.enumerate() {
        let lead = if at == 0 { title } else { "" };
        text.push_str(&format!("{lead}\t{line}\n"));
    }
    if text.is_empty() {
        format!("{title}\t<none>\n")
    } else {
        text
    }
}

/// The first lines of most descriptions.
fn head(value: &Value) -> String {
    let mut text = format!("Name:\t{}\n", value.name());
    if !value.namespace().is_empty() {
        text.push_str(&format!("Namespace:\t{}\n", value.namespace()));
    }
    text + &labels("Labels:", value.labels()) + &annotations("Annotations:", value.annotations())
}

/// `Deployment/web`, if a controller owns the object.
fn controlled_by(value: &Value) -> Option<String> {
    let owner = value.controller()?;
    Some(format!("{}/{}", owner.str_at("kind"), owner.str_at("name")))
}

/// `a=b,c=d`, `<none>` for nothing.
fn pairs(map: &Map) -> String {
    super::print::labels_text(map)
}

/// A LabelSelector in one line.
fn selector(selector: &Value) -> String {
    let mut parts: Vec<(&str, String)> = selector
        .get("matchLabels")
        .entries()
        .iter()
        .map(|(key, value)| (&**key, format!("{key}={}", value.as_str())))
        .collect();
    for expression in selector.list_at("matchExpressions") {
        let key = expression.str_at("key");
        let values: BTreeSet<&str> = expression
            .list_at("values")
            .iter()
            .map(Value::as_str)
            .collect();
        let values = Vec::from_iter(values).join(",");
        let text = match expression.str_at("operator") {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "DoesNotExist" => format!("!{key}"),
            _ => key.to_owned(),
        };
        parts.push((key, text));
    }
    if parts.is_empty() {
        return "<none>".to_owned();
    }
    parts.sort_by_key(|(key, _)| *key);
    let parts: Vec<String> = parts.into_iter().map(|(_, text)| text).collect();
    parts.join(",")
}
