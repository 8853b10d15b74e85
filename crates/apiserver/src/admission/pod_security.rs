//! The Pod Security Standards: what pods of a namespace may ask for, by the namespace's labels.
//!
//! Models k8s.io/pod-security-admission/admission and plugin/pkg/admission/security/podsecurity. The
//! defaults and exemptions of a configuration file are not modelled: the file is not read.

mod checks;

use std::collections::BTreeMap;
use std::fmt;

use api::{FieldError, Status, Value, status};

use super::Plugin;
use crate::cache;
use crate::server::ApiServer;
use crate::write::{Deed, Write};

/// The plugin.
pub(super) const PLUGIN: Plugin = Plugin {
    name: "PodSecurity",
    validate,
    ..Plugin::PLAIN
};

const PREFIX: &str = "pod-security.kubernetes.io/";
/// Most pods that are looked at when a namespace's policy changes.
const MAX_PODS: usize = 3000;

/// How much is forbidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Privileged,
    Baseline,
    Restricted,
}

const LEVELS: [(Level, &str); 3] = [
    (Level::Privileged, "privileged"),
    (Level::Baseline, "baseline"),
    (Level::Restricted, "restricted"),
];

/// A level as one release had it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Standard {
    level: Level,
    /// The minor version; none for the latest.
    minor: Option<u32>,
}

impl fmt::Display for Standard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = LEVELS.iter().find(|(level, _)| *level == self.level);
        f.write_str(name.map_or("", |(_, name)| name))?;
        match self.minor {
            None => f.write_str(":latest"),
            Some(minor) => write!(f, ":v1.{minor}"),
        }
    }
}

/// What a namespace asks of its pods.
#[derive(Debug)]
struct Policy {
    enforce: Standard,
    audit: Standard,
    warn: Standard,
    errors: Vec<FieldError>,
}

impl Policy {
    /// Reads a namespace's labels.
    fn of(namespace: &Value) -> Policy {
        let mut errors = Vec::new();
        let mut read = |mode: &str, wrong: Level| {
            let mut standard = Standard {
                level: Level::Privileged,
                minor: None,
            };
            let key = format!("{PREFIX}{mode}");
            let level = namespace.labels().get(&key).map(Value::as_str);
            if let Some(text) = level {
                let known = LEVELS.iter().find(|(_, name)| *name == text);
                standard.level = known.map_or(wrong, |(level, _)| *level);
                if known.is_none() {
                    let why = "must be one of privileged, baseline, restricted";
                    errors.push(invalid(&key, text, why));
                }
            }
            let key = format!("{PREFIX}{mode}-version");
            let version = namespace.labels().get(&key).map(Value::as_str);
            if let Some(text) = version.filter(|text| *text != "latest") {
                standard.minor = minor(text);
                if standard.minor.is_none() {
                    errors.push(invalid(&key, text, "must be \"latest\" or \"v1.x\""));
                }
            }
            (standard, level.is_some(), version.is_some())
        };
        let (enforce, enforced, _) = read("enforce", Level::Restricted);
        let (audit, ..) = read("audit", Level::Privileged);
        let (mut warn, warned, versioned) = read("warn", Level::Privileged);
        if !warned && enforced && enforce.level > warn.level {
            warn.level = enforce.level;
            if !versioned {
                warn.minor = enforce.minor;
            }
        }
        Policy {
            enforce,
            audit,
            warn,
            errors,
        }
    }
}

fn invalid(key: &str, text: &str, why: &str) -> FieldError {
    FieldError::invalid(format!("metadata.labels[{key}]"), text, why)
}

fn minor(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("v1.")?;
    let plain = digits == "0" || !digits.starts_with('0');
    let number = digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|_| plain && number)
}

fn validate(
    server: &ApiServer,
    write: &mut Write,
    object: &Value,
    old: Option<&Value>,
) -> Result<(), Status> {
    let kind = write.stored_kind();
    match (kind.group, kind.kind) {
        ("", "Namespace") => namespace(server, write, object, old),
        ("", "Pod") => pod(server, write, object, old),
        _ => match template(kind.kind, object) {
            Some(template) if write.subresource.is_empty() => {
                let Some(policy) = policy_of(server, write) else {
                    return Ok(());
                };
                warn(write, &policy, template);
                Ok(())
            }
            _ => Ok(()),
        },
    }
}

/// The pods a controller would make.
fn template<'o>(kind: &str, object: &'o Value) -> Option<&'o Value> {
    let template = match kind {
        "PodTemplate" => object.get("template"),
        "ReplicationController"
        | "ReplicaSet"
        | "Deployment"
        | "StatefulSet"
        | "DaemonSet"
        | "Job" => object.at("spec.template"),
        "CronJob" => object.at("spec.jobTemplate.spec.template"),
        _ => return None,
    };
    Some(template).filter(|template| template.is_map())
}

/// What the namespace of a write asks of pods; nothing where it asks nothing.
fn policy_of(server: &ApiServer, write: &Write) -> Option<Policy> {
    let namespace = server
        .resources
        .lookup("", "namespaces", &write.namespace)?;
    let mut labels = namespace.value.labels().keys();
    if !labels.any(|key| key.starts_with(PREFIX)) {
        return None;
    }
    Some(Policy::of(&namespace.value))
}

fn warn(write: &mut Write, policy: &Policy, pod: &Value) {
    let found = checks::violations(policy.audit, pod);
    if !found.is_empty() {
        let detail = checks::detail(&found);
        let text = format!("would violate PodSecurity \"{}\": {detail}", policy.audit);
        write.note(&format!("{PREFIX}audit-violations"), text);
    }
    let found = checks::violations(policy.warn, pod);
    if !found.is_empty() {
        let detail = checks::detail(&found);
        write.warn(format!(
            "would violate PodSecurity \"{}\": {detail}",
            policy.warn
        ));
    }
}

fn pod(
    server: &ApiServer,
    write: &mut Write,
    pod: &Value,
    old: Option<&Value>,
) -> Result<(), Status> {
    let ephemeral = matches!(write.subresource, "" | "ephemeralcontainers" | "resize");
    if !ephemeral || old.is_some_and(|old| !is_significant(pod, old)) {
        return Ok(());
    }
    let policy = policy_of(server, write);
    if server.audit.is_on() {
        let enforced = policy.as_ref().map(|policy| policy.enforce.to_string());
        let enforced = enforced.unwrap_or_else(|| "privileged:latest".to_owned());
        write.note(&format!("{PREFIX}enforce-policy"), enforced);
    }
    let Some(policy) = policy else {
        return Ok(());
    };
    let found = checks::violations(policy.enforce, pod);
    if !found.is_empty() {
        let detail = checks::detail(&found);
        let enforced = policy.enforce;
        return Err(write.forbidden(format!("violates PodSecurity \"{enforced}\": {detail}")));
    }
    warn(write, &policy, pod);
    Ok(())
}

/// Whether a change of a pod is one that the standards speak of: of images and of containers.
fn is_significant(pod: &Value, old: &Value) -> bool {
    let lists = [
        "spec.containers",
        "spec.initContainers",
        "spec.ephemeralContainers",
    ];
    lists.into_iter().any(|list| {
        let (new, old) = (pod.list_at(list), old.list_at(list));
        let same = |a: &Value, b: &Value| a.str("image") == b.str("image");
        new.len() != old.len() || new.iter().zip(old).any(|(a, b)| !same(a, b))
    })
}

fn namespace(
    server: &ApiServer,
    write: &mut Write,
    object: &Value,
    old: Option<&Value>,
) -> Result<(), Status> {
    if !write.subresource.is_empty() || matches!(write.deed, Deed::Charge(_)) {
        return Ok(());
    }
    let policy = Policy::of(object);
    let before = old.map(Policy::of);
    let known = before
        .as_ref()
        .is_some_and(|before| before.errors == policy.errors);
    if !policy.errors.is_empty() && !known {
        return Err(status::invalid(
            "",
            "Namespace",
            object.name(),
            &policy.errors,
        ));
    }
    let Some(before) = before else {
        return Ok(());
    };
    let (new, old) = (policy.enforce, before.enforce);
    let relaxed = new.minor == old.minor && new.level <= old.level;
    if new == old || new.level == Level::Privileged || relaxed {
        return Ok(());
    }
    for warning in existing(server, object.name(), new) {
        write.warn(warning);
    }
    Ok(())
}

/// What is to be said of the pods that a namespace has already.
fn existing(server: &ApiServer, namespace: &str, enforce: Standard) -> Vec<String> {
    let Some(pods) = server.resources.named("", "pods") else {
        return Vec::new();
    };
    let mut found: BTreeMap<String, (String, usize)> = BTreeMap::new();
    let pods = cache::in_namespace(pods.cache.objects(), namespace, "");
    for pod in pods.take(MAX_PODS).map(|entry| &entry.value) {
        let violations = checks::violations(enforce, pod);
        if violations.is_empty() {
            continue;
        }
        let entry = found
            .entry(checks::reason(&violations))
            .or_insert_with(|| (pod.name().to_owned(), 0));
        entry.1 += 1;
    }
    if found.is_empty() {
        return Vec::new();
    }
    let mut warnings: Vec<String> = found
        .into_iter()
        .map(|(reason, (name, count))| match count {
            1 => format!("{name}: {reason}"),
            2 => format!("{name} (and 1 other pod): {reason}"),
            _ => format!("{name} (and {} other pods): {reason}", count - 1),
        })
        .collect();
    warnings.sort();
    let first = format!(
        "existing pods in namespace {namespace:?} violate the new PodSecurity enforce level \
         \"{enforce}\""
    );
    warnings.insert(0, first);
    warnings
}
