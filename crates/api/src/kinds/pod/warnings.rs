//! What a pod spec may say but hardly means.
//!
//! Models pkg/api/pod/warnings.go and the labels of pkg/api/node/util.go.

use crate::field::Path;
use crate::kinds::support::containers::LISTS;
use crate::quantity::Quantity;
use crate::{Value, go};

/// Labels of nodes that have another name now.
const OLD_LABELS: [(&str, &str); 5] = [
    (
        "beta.kubernetes.io/arch",
        "deprecated since v1.14; use \"kubernetes.io/arch\" instead",
    ),
    (
        "beta.kubernetes.io/os",
        "deprecated since v1.14; use \"kubernetes.io/os\" instead",
    ),
    (
        "failure-domain.beta.kubernetes.io/region",
        "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead",
    ),
    (
        "failure-domain.beta.kubernetes.io/zone",
        "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead",
    ),
    (
        "beta.kubernetes.io/instance-type",
        "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead",
    ),
];
const OLD_ANNOTATIONS: [(&str, &str); 3] = [
    (
        "scheduler.alpha.kubernetes.io/critical-pod",
        "non-functional in v1.16+; use the \"priorityClassName\" field instead",
    ),
    (
        "security.alpha.kubernetes.io/sysctls",
        "non-functional in v1.11+; use the \"sysctls\" field instead",
    ),
    (
        "security.alpha.kubernetes.io/unsafe-sysctls",
        "non-functional in v1.11+; use the \"sysctls\" field instead",
    ),
];
/// Kinds of volumes that are on their way out, by their fields and the names upstream writes.
const OLD_VOLUMES: [(&str, &str, &str); 9] = [
    (
        "photonPersistentDisk",
        "photonPersistentDisk",
        "deprecated in v1.11, non-functional in v1.16+",
    ),
    ("gitRepo", "gitRepo", "deprecated in v1.11"),
    (
        "scaleIO",
        "scaleIO",
        "deprecated in v1.16, non-functional in v1.22+",
    ),
    (
        "flocker",
        "flocker",
        "deprecated in v1.22, non-functional in v1.25+",
    ),
    (
        "storageos",
        "storageOS",
        "deprecated in v1.22, non-functional in v1.25+",
    ),
    (
        "quobyte",
        "quobyte",
        "deprecated in v1.22, non-functional in v1.25+",
    ),
    (
        "glusterfs",
        "glusterfs",
        "deprecated in v1.25, non-functional in v1.26+",
    ),
    (
        "cephfs",
        "cephfs",
        "deprecated in v1.28, non-functional in v1.31+",
    ),
    (
        "rbd",
        "rbd",
        "deprecated in v1.28, non-functional in v1.31+",
    ),
];
const NO_SELECTOR: &str = "a null labelSelector results in matching no pod";

type Warnings = Vec<String>;

/// Warnings about a pod or template (`metadata` and `spec`), whose metadata stands at `meta_path` and
/// whose spec at `path`.
pub(super) fn of(of: &Value, meta_path: &Path<'_>, path: &Path<'_>) -> Warnings {
    let (spec, mut out) = (of.get("spec"), Warnings::new());
    labels(spec, path, &mut out);
    let annotations_path = meta_path.child("annotations");
    for (key, says) in OLD_ANNOTATIONS {
        if of.annotations().get(key).is_some() {
            out.push(format!("{}: {says}", annotations_path.key(key)));
        }
    }
    let volumes_path = path.child("volumes");
    for (i, volume) in spec.list_at("volumes").iter().enumerate() {
        let path = volumes_path.index(i);
        for (field, name, says) in OLD_VOLUMES {
            if volume.has(field) {
                out.push(format!("{}: {says}", path.child(name)));
            }
        }
        let claim = volume.at("ephemeral.volumeClaimTemplate.spec");
        claim_spec(
            claim,
            &path.child("ephemeral.volumeClaimTemplate.spec"),
            &mut out,
        );
    }
    repeated(spec, "hostAliases", "ip", path, &mut out);
    repeated(spec, "imagePullSecrets", "name", path, &mut out);
    let secrets_path = path.child("imagePullSecrets");
    for (i, secret) in spec.list_at("imagePullSecrets").iter().enumerate() {
        if secret.str("name").is_empty() {
            let path = secrets_path.index(i);
            out.push(format!("{}: invalid empty name \"\"", path.child("name")));
        }
    }
    fractions(spec.get("overhead"), &path.child("overhead"), &mut out);
    containers(spec, path, &mut out);
    ports(spec, path, &mut out);
    if spec
        .i64_at("terminationGracePeriodSeconds")
        .is_some_and(|secs| secs < 0)
    {
        let path = path.child("terminationGracePeriodSeconds");
        let says = "must be >= 0; negative values are invalid and will be treated as 1";
        out.push(format!("{path}: {says}"));
    }
    pod_affinity(spec, path, &mut out);
    out
}

/// Warnings about what a claim asks for.
pub(in crate::kinds) fn claim_spec(spec: &Value, path: &Path<'_>, out: &mut Warnings) {
    for key in ["requests", "limits"] {
        let (list, path) = (spec.get("resources").get(key), path.child("resources"));
        fraction(list, "storage", &path.child(key), out);
    }
}

/// What there is to say of a label of nodes; `None` for one that is in use.
pub(in crate::kinds) fn old_label(key: &str) -> Option<&'static str> {
    let mut known = OLD_LABELS.iter();
    known.find(|(old, _)| *old == key).map(|(_, says)| *says)
}

/// Warnings about the expressions of one term.
pub(in crate::kinds) fn node_term(term: &Value, path: &Path<'_>, out: &mut Warnings) {
    let path = path.child("matchExpressions");
    for (i, expression) in term.list_at("matchExpressions").iter().enumerate() {
        let key = expression.str("key");
        if let Some(says) = old_label(key) {
            out.push(format!("{}: {key} is {says}", path.index(i).child("key")));
        }
    }
}

fn labels(spec: &Value, path: &Path<'_>, out: &mut Warnings) {
    let selector_path = path.child("nodeSelector");
    for (key, _) in spec.map_at("nodeSelector") {
        if let Some(says) = old_label(key) {
            out.push(format!("{}: {says}", selector_path.key(key)));
        }
    }
    let (affinity, path_of) = (spec.at("affinity.nodeAffinity"), path.child("affinity"));
    let path_of = path_of.child("nodeAffinity");
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    let required_path = path_of.child(required);
    let terms_path = required_path.child("nodeSelectorTerms");
    let terms = affinity.get(required).list_at("nodeSelectorTerms");
    for (i, term) in terms.iter().enumerate() {
        node_term(term, &terms_path.index(i), out);
    }
    let preferred = "preferredDuringSchedulingIgnoredDuringExecution";
    let terms_path = path_of.child(preferred);
    for (i, term) in affinity.list_at(preferred).iter().enumerate() {
        let path = terms_path.index(i);
        node_term(term.get("preference"), &path.child("preference"), out);
    }
    let list_path = path.child("topologySpreadConstraints");
    let constraints = spec.list_at("topologySpreadConstraints").iter();
    for (i, constraint) in constraints.enumerate() {
        let (path, key) = (list_path.index(i), constraint.str("topologyKey"));
        if let Some(says) = old_label(key) {
            out.push(format!("{}: {key} is {says}", path.child("topologyKey")));
        }
        if !constraint.has("labelSelector") {
            out.push(format!("{}: {NO_SELECTOR}", path.child("labelSelector")));
        }
    }
}

/// Items of a list that say the same.
fn repeated(spec: &Value, list: &str, key: &str, path: &Path<'_>, out: &mut Warnings) {
    let (items, path) = (spec.list_at(list), path.child(list));
    for (i, item) in items.iter().enumerate() {
        let value = item.str(key);
        if items[..i].iter().any(|other| other.str(key) == value) {
            let (path, value) = (path.index(i), go::quote(value));
            out.push(format!("{}: duplicate {key} {value}", path.child(key)));
        }
    }
}

fn containers(spec: &Value, path: &Path<'_>, out: &mut Warnings) {
    for (list, _) in LISTS {
        let list_path = path.child(list);
        for (i, container) in spec.list_at(list).iter().enumerate() {
            let path = list_path.index(i);
            let (resources, resources_path) = (container.get("resources"), path.child("resources"));
            for name in ["memory", "ephemeral-storage"] {
                for of in ["limits", "requests"] {
                    fraction(resources.get(of), name, &resources_path.child(of), out);
                }
            }
            variables(container, &path.child("env"), out);
        }
    }
}

fn fractions(amounts: &Value, path: &Path<'_>, out: &mut Warnings) {
    for name in ["memory", "ephemeral-storage"] {
        fraction(amounts, name, path, out);
    }
}

/// A part of a byte.
fn fraction(amounts: &Value, name: &str, path: &Path<'_>, out: &mut Warnings) {
    let amount = Quantity::of(amounts.get(name)).filter(|amount| amount.milli() % 1000 != 0);
    if let Some(amount) = amount {
        let shown = go::quote(&amount.to_string());
        let path = path.key(name);
        out.push(format!(
            "{path}: fractional byte value {shown} is invalid, must be an integer"
        ));
    }
}

/// Variables that are given twice, unless the second builds on the first.
fn variables(container: &Value, path: &Path<'_>, out: &mut Warnings) {
    let env = container.list_at("env");
    for (i, variable) in env.iter().enumerate() {
        let (name, value) = (variable.str("name"), variable.str("value"));
        if !env[..i].iter().any(|other| other.str("name") == name) {
            continue;
        }
        let own = format!("$({name})");
        if variable.has("valueFrom") || value == own || !value.contains(&own) {
            let (path, name) = (path.index(i), go::quote(name));
            out.push(format!(
                "{path}: hides previous definition of {name}, which may be dropped when using apply"
            ));
        }
    }
}

/// Ports that stand in each other's way.
fn ports(spec: &Value, path: &Path<'_>, out: &mut Warnings) {
    let mut seen: Vec<(String, &Value)> = Vec::new();
    for (list, _) in LISTS {
        let list_path = path.child(list);
        for (i, container) in spec.list_at(list).iter().enumerate() {
            let path = list_path.index(i);
            let path = path.child("ports");
            for (j, port) in container.list_at("ports").iter().enumerate() {
                let path = path.index(j);
                let others = seen.iter().filter(|(_, other)| {
                    other.get("containerPort") == port.get("containerPort")
                        && other.str("protocol") == port.str("protocol")
                });
                for (place, other) in others {
                    if let Some(how) = clash(port, other) {
                        out.push(format!("{path}: {how} port definition with {place}"));
                    }
                }
                seen.push((path.to_string(), port));
            }
        }
    }
}

fn clash(port: &Value, other: &Value) -> Option<&'static str> {
    let number = |port: &Value| port.i64_at("hostPort").unwrap_or(0);
    let (ip, other_ip) = (port.str("hostIP"), other.str("hostIP"));
    if ip == other_ip && number(port) == number(other) {
        Some("duplicate")
    } else if number(port) == 0 || number(other) == 0 {
        Some("overlapping")
    } else if number(port) == number(other) && ip.is_empty() != other_ip.is_empty() {
        Some("dangerously ambiguous")
    } else {
        None
    }
}

fn pod_affinity(spec: &Value, path: &Path<'_>, out: &mut Warnings) {
    let affinity_path = path.child("affinity");
    for kind in ["podAffinity", "podAntiAffinity"] {
        let (of, path) = (spec.get("affinity").get(kind), affinity_path.child(kind));
        for (list, term, selector) in [
            (
                "requiredDuringSchedulingIgnoredDuringExecution",
                "",
                "labelSelector",
            ),
            (
                "preferredDuringSchedulingIgnoredDuringExecution",
                "podAffinityTerm",
                "podAffinityTerm.labelSelector",
            ),
        ] {
            let path = path.child(list);
            for (i, item) in of.list_at(list).iter().enumerate() {
                let of = if term.is_empty() {
                    item
                } else {
                    item.get(term)
                };
                if !of.has("labelSelector") {
                    out.push(format!("{}: {NO_SELECTOR}", path.index(i).child(selector)));
                }
            }
        }
    }
}
