//! Pods: each that has not ended, and what its containers ask for and are limited to.
//!
//! Models pkg/quota/v1/evaluator/core/pods.go.

use std::collections::{BTreeMap, BTreeSet};

use sim::{Duration, Instant};

use super::{Amounts, Evaluator, ONE};
use crate::kinds::support::{qos, resources};
use crate::{Quantity, Str, Value};

const NAMES: [&str; 10] = [
    "pods",
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
];
/// What every container must state, if it is limited.
const TO_BE_STATED: [&str; 6] = [
    "cpu",
    "memory",
    "requests.cpu",
    "requests.memory",
    "limits.cpu",
    "limits.memory",
];

pub(super) const EVALUATOR: Evaluator = Evaluator {
    plural: "pods",
    charges,
    usage,
    is_done,
    missing,
    in_scope,
    ..Evaluator::PLAIN
};

fn charges(name: &str) -> bool {
    let rest = name.strip_prefix("requests.").unwrap_or(name);
    // A resource somebody added is charged by what is requested of it.
    let extended = name != rest && rest.contains('/') && !rest.contains("kubernetes.io/");
    extended || rest.starts_with("hugepages-") || NAMES.contains(&name)
}

fn usage(pod: &Value, used: &mut Amounts) {
    used.insert("pods".into(), ONE);
    charge(used, resources::requests(pod), resources::limits(pod));
}

/// Charges what is requested, under its plain name too, and what is the limit.
fn charge(used: &mut Amounts, requests: resources::Amounts, limits: resources::Amounts) {
    let plain = |name: &str| NAMES.contains(&name) || name.starts_with("hugepages-");
    for (name, amount) in requests {
        used.insert(format!("requests.{name}").as_str().into(), amount);
        if plain(&name) {
            used.insert(name, amount);
        }
    }
    for (name, amount) in limits {
        if NAMES.contains(&&*name) {
            used.insert(format!("limits.{name}").as_str().into(), amount);
        }
    }
}

/// Whether a pod has ended, or should have by now.
fn is_done(pod: &Value, now: Instant) -> bool {
    if matches!(pod.str_at("status.phase"), "Succeeded" | "Failed") {
        return true;
    }
    let grace = pod.i64_at("metadata.deletionGracePeriodSeconds");
    let Some((at, grace)) = pod.deletion_timestamp().zip(grace) else {
        return false;
    };
    let grace = Duration::from_secs(u64::try_from(grace).unwrap_or(0));
    Instant::parse_rfc3339(at).is_some_and(|at| now > at + grace)
}

/// Each resource that is limited and not stated, with the containers that should state it.
fn missing(pod: &Value, limited: &[&str]) -> Vec<String> {
    let required = TO_BE_STATED.iter().filter(|name| limited.contains(name));
    let required: Vec<&str> = required.copied().collect();
    let mut missing: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for list in ["spec.containers", "spec.initContainers"] {
        for container in pod.list_at(list) {
            let of = |which: &str| -> resources::Amounts {
                let stated = container.get("resources").map_at(which).iter();
                let read =
                    |(name, amount): (&Str, &Value)| Some((name.clone(), Quantity::of(amount)?));
                stated.filter_map(read).collect()
            };
            let mut stated = Amounts::new();
            charge(&mut stated, of("requests"), of("limits"));
            for name in required.iter().filter(|name| !stated.contains_key(**name)) {
                missing
                    .entry(name)
                    .or_default()
                    .insert(container.str("name"));
            }
        }
    }
    let texts = missing.into_iter().map(|(name, containers)| {
        let containers: Vec<&str> = containers.into_iter().collect();
        format!("{name} for: {}", containers.join(","))
    });
    texts.collect()
}

fn in_scope(scope: &Value, pod: &Value) -> bool {
    let terminating = pod
        .i64_at("spec.activeDeadlineSeconds")
        .is_some_and(|secs| secs >= 0);
    match scope.str("scopeName") {
        "Terminating" => terminating,
        "NotTerminating" => !terminating,
        "BestEffort" => qos::class(pod) == "BestEffort",
        "NotBestEffort" => qos::class(pod) != "BestEffort",
        "PriorityClass" => matches_class(scope, pod),
        "CrossNamespacePodAffinity" => crosses_namespaces(pod),
        _ => false,
    }
}

fn matches_class(scope: &Value, pod: &Value) -> bool {
    let class = pod.str_at("spec.priorityClassName");
    let named = || {
        scope
            .list_at("values")
            .iter()
            .any(|one| one.as_str() == class)
    };
    match scope.str("operator") {
        "Exists" => !class.is_empty(),
        "DoesNotExist" => class.is_empty(),
        "In" => named(),
        "NotIn" => !named(),
        _ => false,
    }
}

/// Whether the pod's affinity looks at pods of other namespaces.
fn crosses_namespaces(pod: &Value) -> bool {
    let crosses =
        |term: &Value| !term.list_at("namespaces").is_empty() || term.has("namespaceSelector");
    let mut found = false;
    for kind in ["podAffinity", "podAntiAffinity"] {
        let affinity = pod.at("spec.affinity").get(kind);
        let required = affinity.list_at("requiredDuringSchedulingIgnoredDuringExecution");
        found |= required.iter().any(crosses);
        let preferred = affinity.list_at("preferredDuringSchedulingIgnoredDuringExecution");
        found |= preferred
            .iter()
            .any(|one| crosses(one.get("podAffinityTerm")));
    }
    found
}
