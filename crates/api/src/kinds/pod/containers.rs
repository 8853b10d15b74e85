//! What is wrong with the containers of a pod.
//!
//! Models `validateContainers` of pkg/apis/core/validation/validation.go.

use std::collections::BTreeSet;

use super::spec::user_id;
use crate::field::{FieldError, Path};
use crate::kinds::check::{self, Errors};
use crate::kinds::resource_name;
use crate::kinds::support::containers::is_restartable;
use crate::quantity::Quantity;
use crate::{Value, names};

const PROBES: [&str; 3] = ["livenessProbe", "readinessProbe", "startupProbe"];
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

/// What is wrong with all lists of containers of the spec at `path`, which may mount `volumes`.
pub(super) fn validate_all(spec: &Value, volumes: &[&str], path: &Path<'_>, out: &mut Errors) {
    let list_path = path.child("containers");
    let list = spec.list_at("containers");
    if list.is_empty() {
        out.push(FieldError::required(list_path, ""));
    }
    let policies = ["Always", "Never", "OnFailure"];
    for (i, container) in list.iter().enumerate() {
        let path = list_path.index(i);
        common(container, volumes, &path, out);
        unique(&list[..i], container, &path, out);
        lifecycle(container, &path, out);
        probes(container, &path, out);
        check::one_of_if_set(container, "restartPolicy", &policies, &path, out);
    }
    host_ports(list, &list_path, out);
    let list_path = path.child("initContainers");
    let init = spec.list_at("initContainers");
    for (i, container) in init.iter().enumerate() {
        let path = list_path.index(i);
        common(container, volumes, &path, out);
        check::one_of_if_set(container, "restartPolicy", &policies, &path, out);
        if !container.str("name").is_empty() {
            let others: Vec<Value> = list.iter().chain(&init[..i]).cloned().collect();
            unique(&others, container, &path, out);
        }
        // They run one after the other, so each has the ports of the host for itself.
        host_ports(std::slice::from_ref(container), &list_path, out);
        init_only(container, &path, out);
    }
    let list_path = path.child("ephemeralContainers");
    let ephemeral = spec.list_at("ephemeralContainers");
    for (i, container) in ephemeral.iter().enumerate() {
        let path = list_path.index(i);
        common(container, volumes, &path, out);
        let others: Vec<Value> = list
            .iter()
            .chain(init)
            .chain(&ephemeral[..i])
            .cloned()
            .collect();
        unique(&others, container, &path, out);
        let target = container.str("targetContainerName");
        let known = list
            .iter()
            .chain(init)
            .any(|other| other.str("name") == target);
        if !target.is_empty() && !known {
            out.push(FieldError::not_found(
                path.child("targetContainerName"),
                target,
            ));
        }
        for field in NOT_EPHEMERAL {
            if !container.get(field).is_zero() {
                let text = "cannot be set for an Ephemeral Container";
                out.push(FieldError::forbidden(path.child(field), text));
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

fn init_only(container: &Value, path: &Path<'_>, out: &mut Errors) {
    if is_restartable(container) {
        lifecycle(container, path, out);
        probes(container, path, out);
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

/// What holds for containers of every sort.
fn common(container: &Value, volumes: &[&str], path: &Path<'_>, out: &mut Errors) {
    check::named(container, "name", names::dns1123_label, path, out);
    if container.str("image").is_empty() {
        out.push(FieldError::required(path.child("image"), ""));
    }
    let policies = ["File", "FallbackToLogsOnError"];
    check::one_of(container, "terminationMessagePolicy", &policies, path, out);
    ports(container, &path.child("ports"), out);
    env(container, path, out);
    mounts(container, volumes, &path.child("volumeMounts"), out);
    check::one_of(container, "imagePullPolicy", PULL_POLICIES, path, out);
    resources(container.get("resources"), &path.child("resources"), out);
    let (context, path) = (
        container.get("securityContext"),
        path.child("securityContext"),
    );
    for key in ["runAsUser", "runAsGroup"] {
        user_id(context, key, &path, out);
    }
    if context.bool_at("privileged")
        && context.get("allowPrivilegeEscalation").as_bool() == Some(false)
    {
        let text = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
        out.push(FieldError::invalid(path, context, text));
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
            "resourceFieldRef" => check::one_of(of, "resource", RESOURCE_FIELDS, &path, out),
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

/// A reference to a field of the pod, one of `known` or a label or annotation by its key.
pub(super) fn field_ref(of: &Value, known: &[&str], path: &Path<'_>, out: &mut Errors) {
    let path = path.child("fieldPath");
    let field = of.str("fieldPath");
    let keyed = ["metadata.labels['", "metadata.annotations['"];
    let keyed = keyed.iter().any(|prefix| field.starts_with(prefix)) && field.ends_with("']");
    if field.is_empty() {
        out.push(FieldError::required(path, ""));
    } else if DOWNWARD.contains(&field) || ENV_FIELDS.contains(&field) {
        if !known.contains(&field) {
            out.push(FieldError::not_supported(path, field, known));
        }
    } else if !keyed {
        let text = format!("error converting fieldPath: field label not supported: {field}");
        out.push(FieldError::invalid(path, field, text));
    }
}

fn mounts(container: &Value, volumes: &[&str], list_path: &Path<'_>, out: &mut Errors) {
    let list = container.list_at("volumeMounts");
    for (i, mount) in list.iter().enumerate() {
        let path = list_path.index(i);
        let name = mount.str("name");
        if name.is_empty() {
            out.push(FieldError::required(path.child("name"), ""));
        }
        if !volumes.contains(&name) {
            out.push(FieldError::not_found(path.child("name"), name));
        }
        let place = mount.str("mountPath");
        if place.is_empty() {
            out.push(FieldError::required(path.child("mountPath"), ""));
        }
        if list[..i]
            .iter()
            .any(|other| other.str("mountPath") == place)
        {
            out.push(FieldError::invalid(
                path.child("mountPath"),
                place,
                "must be unique",
            ));
        }
        let (plain, expanded) = (mount.str("subPath"), mount.str("subPathExpr"));
        // Upstream leaves the index out of these paths.
        inner_path(plain, &list_path.child("subPath"), out);
        if !plain.is_empty() && !expanded.is_empty() {
            let text = "subPathExpr and subPath are mutually exclusive";
            out.push(FieldError::invalid(
                path.child("subPathExpr"),
                expanded,
                text,
            ));
        }
        inner_path(expanded, &list_path.child("subPathExpr"), out);
    }
}

/// A path that may not leave the volume.
pub(super) fn inner_path(text: &str, path: &Path<'_>, out: &mut Errors) {
    if text.starts_with('/') {
        out.push(FieldError::invalid(path, text, "must be a relative path"));
    }
    no_backsteps(text, path, out);
}

/// A path that may not go up.
pub(super) fn no_backsteps(text: &str, path: &Path<'_>, out: &mut Errors) {
    if text.split('/').any(|part| part == "..") {
        out.push(FieldError::invalid(path, text, "must not contain '..'"));
    }
}

fn resources(resources: &Value, path: &Path<'_>, out: &mut Errors) {
    let limits = resources.map_at("limits");
    let limits_path = path.child("limits");
    for (name, amount) in limits {
        resource(name, amount, &limits_path.key(name), out);
    }
    let requests_path = path.child("requests");
    for (name, amount) in resources.map_at("requests") {
        resource(name, amount, &requests_path.key(name), out);
        let request = Quantity::of(amount);
        let limit = limits.get(name).and_then(Quantity::of);
        if let Some((request, limit)) = request.zip(limit).filter(|(r, l)| r > l) {
            let text = format!("must be less than or equal to {name} limit of {limit}");
            out.push(FieldError::invalid(
                requests_path,
                request.to_string(),
                text,
            ));
        }
    }
}

fn resource(name: &str, amount: &Value, path: &Path<'_>, out: &mut Errors) {
    resource_name::of_container(name, *path, out);
    resource_name::amount(name, amount, *path, out);
}

fn lifecycle(container: &Value, path: &Path<'_>, out: &mut Errors) {
    let (hooks, path) = (container.get("lifecycle"), path.child("lifecycle"));
    for hook in ["postStart", "preStop"] {
        if hooks.has(hook) {
            handler(hooks.get(hook), &path.child(hook), out);
        }
    }
}

fn probes(container: &Value, path: &Path<'_>, out: &mut Errors) {
    for name in PROBES.into_iter().filter(|name| container.has(name)) {
        let (probe, path) = (container.get(name), path.child(name));
        handler(probe, &path, out);
        for key in [
            "initialDelaySeconds",
            "timeoutSeconds",
            "periodSeconds",
            "successThreshold",
            "failureThreshold",
        ] {
            check::non_negative(probe, key, &path, out);
        }
        if let Some(secs) = probe.get("terminationGracePeriodSeconds").as_i64() {
            let path = path.child("terminationGracePeriodSeconds");
            if secs <= 0 {
                out.push(FieldError::invalid(path, secs, "must be greater than 0"));
            }
            if name == "readinessProbe" {
                out.push(FieldError::invalid(
                    path,
                    secs,
                    "must not be set for readinessProbes",
                ));
            }
        }
        let successes = probe.get("successThreshold").as_i64().unwrap_or(0);
        if name != "readinessProbe" && successes != 1 {
            out.push(FieldError::invalid(
                path.child("successThreshold"),
                successes,
                "must be 1",
            ));
        }
    }
}

/// What a probe or hook does: exactly one thing.
fn handler(of: &Value, path: &Path<'_>, out: &mut Errors) {
    let kinds = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"];
    let given: Vec<&str> = kinds.into_iter().filter(|kind| of.has(kind)).collect();
    for (i, kind) in given.iter().enumerate() {
        let (action, path) = (of.get(kind), path.child(kind));
        if i > 0 {
            let text = "may not specify more than 1 handler type";
            out.push(FieldError::forbidden(path, text));
            continue;
        }
        match *kind {
            "exec" if action.list_at("command").is_empty() => {
                out.push(FieldError::required(path.child("command"), ""));
            }
            "httpGet" => {
                if action.str("path").is_empty() {
                    out.push(FieldError::required(path.child("path"), ""));
                }
                check::port(action, "port", &path, out);
                check::one_of(action, "scheme", &["HTTP", "HTTPS"], &path, out);
                for header in action.list_at("httpHeaders") {
                    let (name, path) = (header.str("name"), path.child("httpHeaders"));
                    check::invalid(names::http_header_name(name), path, name, out);
                }
            }
            "tcpSocket" | "grpc" => check::port(action, "port", &path, out),
            _ => {}
        }
    }
    if given.is_empty() {
        out.push(FieldError::required(path, "must specify a handler type"));
    }
}
