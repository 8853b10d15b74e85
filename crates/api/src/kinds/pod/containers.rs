//! What is wrong with the containers of a pod.
//!
//! Models `validateContainers` of pkg/apis/core/validation/validation.go.

use std::collections::BTreeSet;

use super::{handlers, mounts, resources, security};
use crate::field::{FieldError, Path};
use crate::kinds::check::{self, Errors};
use crate::kinds::support::containers::is_restartable;
use crate::quantity::Quantity;
use crate::{Value, names};

/// What a container that is added to a running pod cannot have.
const NOT_EPHEMERAL: [&str; 7] = [
    "ports",
    "resources",
    "resizePolicy",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "lifecycle",
];
/// Fields of a pod an environment variable can take.
const ENV_FIELDS: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];
/// More fields that have a name, though not everything can take them.
const DOWNWARD: &[&str] = &[
    "metadata.annotations",
    "metadata.labels",
    "spec.restartPolicy",
    "spec.schedulerName",
    "status.phase",
];
/// Resources of a container an environment variable or file can take.
pub(super) const RESOURCE_FIELDS: &[&str] = &[
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];
const PROTOCOLS: &[&str] = &["SCTP", "TCP", "UDP"];
const PULL_POLICIES: &[&str] = &["Always", "IfNotPresent", "Never"];

/// The pod around a container.
#[derive(Clone, Copy)]
struct Pod<'a> {
    spec: &'a Value,
    /// Its volumes, those that are in order.
    volumes: &'a [&'a Value],
}

/// What is wrong with all lists of containers of the spec at `path`, which may mount `volumes`.
pub(super) fn validate_all(spec: &Value, volumes: &[&Value], path: &Path<'_>, out: &mut Errors) {
    let pod = Pod { spec, volumes };
    let list_path = path.child("containers");
    let list = spec.list_at("containers");
    if list.is_empty() {
        out.push(FieldError::required(list_path, ""));
    }
    for (i, container) in list.iter().enumerate() {
        let path = list_path.index(i);
        common(container, pod, &path, out);
        restart_rules(container, &path, out);
        unique(&list[..i], container, &path, out);
        running(container, spec, &path, out);
    }
    host_ports(list, &list_path, out);
    let list_path = path.child("initContainers");
    let init = spec.list_at("initContainers");
    for (i, container) in init.iter().enumerate() {
        let path = list_path.index(i);
        common(container, pod, &path, out);
        restart_rules(container, &path, out);
        if !container.str("name").is_empty() {
            let others: Vec<Value> = list.iter().chain(&init[..i]).cloned().collect();
            unique(&others, container, &path, out);
        }
        // They run one after the other, so each has the ports of the host for itself.
        host_ports(std::slice::from_ref(container), &list_path, out);
        init_only(container, spec, &path, out);
    }
    for i in 0..spec.list_at("ephemeralContainers").len() {
        ephemeral(i, pod, &path.child("ephemeralContainers").index(i), out);
    }
}

/// What is wrong with the container that was added to a running pod as number `i` of them.
fn ephemeral(i: usize, pod: Pod<'_>, path: &Path<'_>, out: &mut Errors) {
    let list = pod.spec.list_at("ephemeralContainers");
    let container = &list[i];
    common(container, pod, path, out);
    let others = pod.spec.list_at("containers").iter();
    let others = others.chain(pod.spec.list_at("initContainers"));
    let all: Vec<Value> = others.clone().chain(&list[..i]).cloned().collect();
    unique(&all, container, path, out);
    let target = container.str("targetContainerName");
    let known = others.clone().any(|other| other.str("name") == target);
    if !target.is_empty() && !known {
        let path = path.child("targetContainerName");
        out.push(FieldError::not_found(path, target));
    }
    let text = "cannot be set for an Ephemeral Container";
    for field in NOT_EPHEMERAL {
        if !container.get(field).is_zero() {
            out.push(FieldError::forbidden(path.child(field), text));
        }
    }
    let mounts_path = path.child("volumeMounts");
    for (i, mount) in container.list_at("volumeMounts").iter().enumerate() {
        for key in ["subPath", "subPathExpr"] {
            if !mount.str(key).is_empty() {
                let path = mounts_path.index(i);
                out.push(FieldError::forbidden(path.child(key), text));
            }
        }
    }
}

/// What holds for the containers of a pod, and not for those of a template.
pub(super) fn validate_for_pod(spec: &Value, path: &Path<'_>, out: &mut Errors) {
    for list in ["containers", "initContainers"] {
        let path = path.child(list);
        for (i, container) in spec.list_at(list).iter().enumerate() {
            let image = container.str("image");
            if image.trim() != image {
                let text = "must not have leading or trailing whitespace";
                out.push(FieldError::invalid(
                    path.index(i).child("image"),
                    image,
                    text,
                ));
            }
        }
    }
}

fn unique(others: &[Value], container: &Value, path: &Path<'_>, out: &mut Errors) {
    let name = container.str("name");
    if others.iter().any(|other| other.str("name") == name) {
        out.push(FieldError::duplicate(path.child("name"), name));
    }
}

/// What a container has that runs as long as its pod.
fn running(container: &Value, spec: &Value, path: &Path<'_>, out: &mut Errors) {
    let grace = spec.i64_at("terminationGracePeriodSeconds");
    handlers::lifecycle(container, grace, path, out);
    handlers::probes(container, path, out);
}

fn init_only(container: &Value, spec: &Value, path: &Path<'_>, out: &mut Errors) {
    if is_restartable(container) {
        running(container, spec, path, out);
        return;
    }
    for field in [
        "lifecycle",
        "livenessProbe",
        "readinessProbe",
        "startupProbe",
    ] {
        if container.has(field) {
            let text = "may not be set for init containers without restartPolicy=Always";
            out.push(FieldError::forbidden(path.child(field), text));
        }
    }
}

/// A policy of a container's own, and rules by which some ends count otherwise.
fn restart_rules(container: &Value, path: &Path<'_>, out: &mut Errors) {
    let policies = ["Always", "Never", "OnFailure"];
    check::one_of_if_set(container, "restartPolicy", &policies, path, out);
    let rules = container.list_at("restartPolicyRules");
    if !rules.is_empty() && container.str("restartPolicy").is_empty() {
        let text = "must specify restartPolicy when restart rules are used";
        out.push(FieldError::required(path.child("restartPolicy"), text));
    }
    let list_path = path.child("restartPolicyRules");
    for (i, rule) in rules.iter().enumerate() {
        let path = list_path.index(i);
        let actions = ["Restart", "RestartAllContainers"];
        check::known_word(rule, "action", &actions, &path, out);
        let (codes, path) = (rule.get("exitCodes"), path.child("exitCodes"));
        if codes.is_null() {
            out.push(FieldError::required(path, "must be specified"));
            continue;
        }
        check::known_word(codes, "operator", &["In", "NotIn"], &path, out);
    }
}

/// What holds for containers of every sort.
fn common(container: &Value, pod: Pod<'_>, path: &Path<'_>, out: &mut Errors) {
    check::named(container, "name", names::dns1123_label, path, out);
    if container.str("image").is_empty() {
        out.push(FieldError::required(path.child("image"), ""));
    }
    let policies = ["File", "FallbackToLogsOnError"];
    check::one_of(container, "terminationMessagePolicy", &policies, path, out);
    ports(container, &path.child("ports"), out);
    env(container, path, out);
    mounts::validate(container, pod.volumes, path, out);
    check::one_of(container, "imagePullPolicy", PULL_POLICIES, path, out);
    let claims = pod.spec.list_at("resourceClaims");
    let resources_path = path.child("resources");
    resources::of_container(container.get("resources"), claims, &resources_path, out);
    resize_policies(container, pod.spec, &path.child("resizePolicy"), out);
    security::of_container(container, pod.spec, path, out);
}

/// Models `validateResizePolicy`, which leaves the index out of most paths.
fn resize_policies(container: &Value, spec: &Value, path: &Path<'_>, out: &mut Errors) {
    let list = container.list_at("resizePolicy");
    for (i, policy) in list.iter().enumerate() {
        let (resource, restart) = (policy.str("resourceName"), policy.str("restartPolicy"));
        if list[..i]
            .iter()
            .any(|other| other.str("resourceName") == resource)
        {
            out.push(FieldError::duplicate(path.index(i), resource));
        }
        for (word, known) in [
            (resource, ["cpu", "memory"]),
            (restart, ["NotRequired", "RestartContainer"]),
        ] {
            match word {
                "" => out.push(FieldError::required(path, "")),
                word if known.contains(&word) => {}
                word => out.push(FieldError::not_supported(path, word, &known)),
            }
        }
        if spec.str("restartPolicy") == "Never" && restart != "NotRequired" {
            let text = "must be 'NotRequired' when `restartPolicy` is 'Never'";
            out.push(FieldError::invalid(path, restart, text));
        }
    }
}

fn ports(container: &Value, path: &Path<'_>, out: &mut Errors) {
    let list = container.list_at("ports");
    for (i, port) in list.iter().enumerate() {
        let path = path.index(i);
        let name = port.str("name");
        if !name.is_empty() {
            let messages = names::port_name(name);
            if messages.is_empty() && list[..i].iter().any(|other| other.str("name") == name) {
                out.push(FieldError::duplicate(path.child("name"), name));
            }
            check::invalid(messages, path.child("name"), name, out);
        }
        match port.get("containerPort").as_i64().unwrap_or(0) {
            0 => out.push(FieldError::required(path.child("containerPort"), "")),
            number => check::invalid(
                names::port_number(number),
                path.child("containerPort"),
                number,
                out,
            ),
        }
        if let Some(number) = port.get("hostPort").as_i64().filter(|number| *number != 0) {
            check::invalid(
                names::port_number(number),
                path.child("hostPort"),
                number,
                out,
            );
        }
        check::one_of(port, "protocol", PROTOCOLS, &path, out);
    }
}

/// A port of the host can be given once.
fn host_ports(containers: &[Value], path: &Path<'_>, out: &mut Errors) {
    let mut taken = BTreeSet::new();
    for (i, container) in containers.iter().enumerate() {
        let path = path.index(i);
        let path = path.child("ports");
        for (j, port) in container.list_at("ports").iter().enumerate() {
            let number = port.get("hostPort").as_i64().unwrap_or(0);
            let id = format!("{}/{}/{number}", port.str("protocol"), port.str("hostIP"));
            if number != 0 && !taken.insert(id.clone()) {
                out.push(FieldError::duplicate(path.index(j).child("hostPort"), id));
            }
        }
    }
}

fn env(container: &Value, path: &Path<'_>, out: &mut Errors) {
    let root = path.child("env");
    for (i, env) in container.list_at("env").iter().enumerate() {
        let path = root.index(i);
        check::named(env, "name", names::env_var_name, &path, out);
        if env.has("valueFrom") {
            value_from(env, &path.child("valueFrom"), out);
        }
    }
    let root = path.child("envFrom");
    for (i, source) in container.list_at("envFrom").iter().enumerate() {
        let path = root.index(i);
        check::named_if_set(source, "prefix", names::env_var_name, &path, out);
        let kinds = ["configMapRef", "secretRef"];
        let given: Vec<&str> = kinds.into_iter().filter(|kind| source.has(kind)).collect();
        for kind in &given {
            check::named(
                source.get(kind),
                "name",
                names::dns1123_subdomain,
                &path.child(kind),
                out,
            );
        }
        let text = match given.len() {
            0 => "must specify one of: `configMapRef` or `secretRef`",
            1 => continue,
            _ => "may not have more than one field specified at a time",
        };
        out.push(FieldError::invalid(root, "", text));
    }
}

fn value_from(env: &Value, path: &Path<'_>, out: &mut Errors) {
    let source = env.get("valueFrom");
    let kinds = [
        "fieldRef",
        "resourceFieldRef",
        "configMapKeyRef",
        "secretKeyRef",
        "fileKeyRef",
    ];
    let given: Vec<&str> = kinds.into_iter().filter(|kind| source.has(kind)).collect();
    for kind in &given {
        let (of, path) = (source.get(kind), path.child(kind));
        match *kind {
            "fieldRef" => field_ref(of, ENV_FIELDS, &path, out),
            "fileKeyRef" => {
                check::named(of, "key", names::env_var_name, &path, out);
                check::named(of, "volumeName", names::dns1123_label, &path, out);
                check::named(of, "path", |_| Vec::new(), &path, out);
            }
            "resourceFieldRef" => resource_ref(of, &path, out),
            _ => {
                let name = of.str("name");
                check::invalid(
                    names::dns1123_subdomain(name),
                    path.child("name"),
                    name,
                    out,
                );
                check::named(of, "key", names::config_key, &path, out);
            }
        }
    }
    let text = match given.len() {
        0 => {
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, \
             `secretKeyRef` or `fileKeyRef`"
        }
        _ if !env.str("value").is_empty() => "may not be specified when `value` is not empty",
        1 => return,
        _ => "may not have more than one field specified at a time",
    };
    out.push(FieldError::invalid(path, "", text));
}

/// A reference to a resource of a container.
pub(super) fn resource_ref(of: &Value, path: &Path<'_>, out: &mut Errors) {
    const BYTES: &str = "1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei";
    let resource = of.str("resource");
    let of_pages = ["requests.hugepages-", "limits.hugepages-"];
    let of_pages = of_pages.iter().any(|prefix| resource.starts_with(prefix));
    if !of_pages {
        check::one_of(of, "resource", RESOURCE_FIELDS, path, out);
    }
    let Some(divisor) = Quantity::of(of.get("divisor")).filter(|divisor| !divisor.is_zero()) else {
        return;
    };
    let (known, what) = match resource.split_once('.').map_or("", |(_, name)| name) {
        "cpu" => ("1m, 1", "cpu"),
        "memory" => (BYTES, "memory"),
        "ephemeral-storage" => (BYTES, "local ephemeral storage"),
        _ if of_pages => (BYTES, "hugepages"),
        _ => return,
    };
    if !known.split(", ").any(|known| known == divisor.to_string()) {
        let known = if what == "cpu" { "1m and 1" } else { known };
        let text = format!("only divisor's values {known} are supported with the {what} resource");
        out.push(FieldError::invalid(path.child("divisor"), resource, text));
    }
}

/// A reference to a field of the pod, one of `known` or a label or annotation by its key.
pub(super) fn field_ref(of: &Value, known: &[&str], path: &Path<'_>, out: &mut Errors) {
    let (whole, path) = (path, path.child("fieldPath"));
    let field = of.str("fieldPath");
    let keyed = field
        .strip_suffix("']")
        .and_then(|field| field.split_once("['"));
    if field.is_empty() {
        out.push(FieldError::required(path, ""));
    } else if DOWNWARD.contains(&field) || ENV_FIELDS.contains(&field) {
        if !known.contains(&field) {
            out.push(FieldError::not_supported(path, field, known));
        }
    } else if let Some(("metadata.labels", key)) = keyed {
        check::invalid(names::qualified_name(key), whole, key, out);
    } else if let Some(("metadata.annotations", key)) = keyed {
        let key = key.to_lowercase();
        check::invalid(names::qualified_name(&key), whole, key.as_str(), out);
    } else {
        let text = format!("error converting fieldPath: field label not supported: {field}");
        out.push(FieldError::invalid(path, field, text));
    }
}
