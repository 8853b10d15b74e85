//! What is wrong with a pod spec.
//!
//! Models `ValidatePodSpec` of pkg/apis/core/validation/validation.go, whose order the errors keep.

use super::{containers, scheduling, volumes};
use crate::field::{FieldError, Path};
use crate::kinds::check::{self, Errors};
use crate::quantity::Quantity;
use crate::{Value, names};

const MAX_DEADLINE: i64 = 2_147_483_647;

/// What is wrong with the pod spec at `path`.
pub(super) fn validate(spec: &Value, path: &Path<'_>, out: &mut Errors) {
    let volumes = volumes::validate(spec.get("volumes").list(), &path.child("volumes"), out);
    containers::validate_all(spec, &volumes, path, out);
    host_network(spec, path, out);
    check::one_of(
        spec,
        "restartPolicy",
        &["Always", "OnFailure", "Never"],
        path,
        out,
    );
    let dns = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
    check::one_of(spec, "dnsPolicy", &dns, path, out);
    out.extend(names::validate_labels(
        spec.map_at("nodeSelector"),
        path.child("nodeSelector"),
    ));
    security(spec, path, out);
    scheduling::validate_affinity(spec.get("affinity"), &path.child("affinity"), out);
    dns_config(spec, path, out);
    let gates_path = path.child("readinessGates");
    for (i, gate) in spec.list_at("readinessGates").iter().enumerate() {
        let path = gates_path.index(i);
        let kind = gate.str("conditionType");
        check::invalid(
            names::qualified_name(kind),
            path.child("conditionType"),
            kind,
            out,
        );
    }
    let (gates, gates_path) = (
        spec.list_at("schedulingGates"),
        path.child("schedulingGates"),
    );
    for (i, gate) in gates.iter().map(|gate| gate.str("name")).enumerate() {
        check::invalid(names::qualified_name(gate), gates_path.index(i), gate, out);
        if gates[..i].iter().any(|other| other.str("name") == gate) {
            out.push(FieldError::duplicate(gates_path.index(i), gate));
        }
    }
    scheduling::validate_spread(spec, path, out);
    named_fields(spec, path, out);
    if let Some(secs) = spec.get("activeDeadlineSeconds").as_i64() {
        let path = path.child("activeDeadlineSeconds");
        if !(1..=MAX_DEADLINE).contains(&secs) {
            out.push(FieldError::invalid(
                path,
                secs,
                names::range_error(1, MAX_DEADLINE),
            ));
        }
    }
    scheduling::validate_tolerations(spec.list_at("tolerations"), &path.child("tolerations"), out);
    host_aliases(spec, path, out);
    let preemption = ["PreemptLowerPriority", "Never"];
    check::one_of_if_set(spec, "preemptionPolicy", &preemption, path, out);
    let overhead_path = path.child("overhead");
    for (name, amount) in spec.map_at("overhead") {
        if Quantity::of(amount).is_some_and(|q| q.sign() < 0) {
            let text = "must be greater than or equal to 0";
            out.push(FieldError::invalid(overhead_path.key(name), amount, text));
        }
    }
}

/// What holds for the spec of a pod, and not for that of a template.
pub(super) fn validate_for_pod(spec: &Value, path: &Path<'_>, out: &mut Errors) {
    containers::validate_for_pod(spec, path, out);
}

/// What is allowed in the spec at `path` but hardly meant. Models pkg/api/pod/warnings.go.
pub(super) fn warnings(spec: &Value, path: &Path<'_>) -> Vec<String> {
    let mut out = Vec::new();
    for list in ["initContainers", "containers"] {
        let path = path.child(list);
        for (i, container) in spec.list_at(list).iter().enumerate() {
            let path = path.index(i);
            let path = path.child("env");
            let env = container.list_at("env");
            for (j, name) in env.iter().map(|env| env.str("name")).enumerate() {
                if env[..j].iter().any(|other| other.str("name") == name) {
                    let (path, name) = (path.index(j), crate::go::quote(name));
                    out.push(format!(
                        "{path}: hides previous definition of {name}, which may be dropped when \
                         using apply"
                    ));
                }
            }
        }
    }
    out
}

/// In the network of the host, a port of a container is that port of the host.
fn host_network(spec: &Value, path: &Path<'_>, out: &mut Errors) {
    if !spec.bool_at("hostNetwork") {
        return;
    }
    let path = path.child("containers");
    for (i, container) in spec.list_at("containers").iter().enumerate() {
        let path = path.index(i);
        let path = path.child("ports");
        for (j, port) in container.list_at("ports").iter().enumerate() {
            let host = port.get("hostPort");
            // A template may leave it out: its pods will get it.
            if !host.is_zero() && host != port.get("containerPort") {
                let text = "must match `containerPort` when `hostNetwork` is true";
                out.push(FieldError::invalid(
                    path.index(j).child("hostPort"),
                    host,
                    text,
                ));
            }
        }
    }
}

fn named_fields(spec: &Value, path: &Path<'_>, out: &mut Errors) {
    for key in ["serviceAccountName", "nodeName"] {
        check::named_if_set(spec, key, names::dns1123_subdomain, path, out);
    }
    for key in ["hostname", "subdomain"] {
        check::named_if_set(spec, key, names::dns1123_label, path, out);
    }
    for key in ["priorityClassName", "runtimeClassName"] {
        check::named_if_set(spec, key, names::dns1123_subdomain, path, out);
    }
}

fn security(spec: &Value, path: &Path<'_>, out: &mut Errors) {
    let (context, path) = (spec.get("securityContext"), path.child("securityContext"));
    for key in ["fsGroup", "runAsUser", "runAsGroup"] {
        user_id(context, key, &path, out);
    }
    let both = spec.bool_at("hostPID") && spec.bool_at("shareProcessNamespace");
    if both {
        let text = "ShareProcessNamespace and HostPID cannot both be enabled";
        out.push(FieldError::invalid(
            path.child("shareProcessNamespace"),
            true,
            text,
        ));
    }
    sysctls(spec, &path.child("sysctls"), out);
}

/// Models `validateSysctls`.
fn sysctls(spec: &Value, path: &Path<'_>, out: &mut Errors) {
    const SEGMENT: &str = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
    let mut names = Vec::new();
    for (i, sysctl) in spec.list_at("securityContext.sysctls").iter().enumerate() {
        let (name, index) = (sysctl.str("name"), path.index(i));
        let path = index.child("name");
        if name.is_empty() {
            out.push(FieldError::required(path, ""));
            continue;
        }
        if !is_sysctl(name) {
            let text = format!(
                "must have at most 253 characters and match regex \
                 ^({SEGMENT}[\\./])*{SEGMENT}$"
            );
            out.push(FieldError::invalid(path, name, text));
        } else if names.contains(&name) {
            out.push(FieldError::duplicate(path, name));
        }
        for (of_host, prefixes) in [
            ("hostNetwork", &["net."][..]),
            (
                "hostIPC",
                &["kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue."],
            ),
        ] {
            let dotted = name.replace('/', ".");
            if spec.bool_at(of_host) && prefixes.iter().any(|prefix| dotted.starts_with(prefix)) {
                let text = format!("may not be specified when '{of_host}' is true");
                out.push(FieldError::invalid(path, name, text));
            }
        }
        names.push(name);
    }
}

/// `IsValidSysctlName`: words between dots or slashes.
fn is_sysctl(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= 253
        && name.split(['.', '/']).all(|word| {
            word.starts_with(plain)
                && word.ends_with(plain)
                && word.chars().all(|c| plain(c) || "-_".contains(c))
        })
}

/// A user or group must be a 32-bit number without sign.
pub(super) fn user_id(of: &Value, key: &str, path: &Path<'_>, out: &mut Errors) {
    const MAX: i64 = 2_147_483_647;
    if let Some(id) = of.get(key).as_i64().filter(|id| !(0..=MAX).contains(id)) {
        out.push(FieldError::invalid(
            path.child(key),
            id,
            names::range_error(0, MAX),
        ));
    }
}

fn dns_config(spec: &Value, path: &Path<'_>, out: &mut Errors) {
    let (config, path) = (spec.get("dnsConfig"), path.child("dnsConfig"));
    let servers = config.list_at("nameservers");
    let servers_path = path.child("nameservers");
    if spec.str("dnsPolicy") == "None" {
        if config.is_null() {
            let text = "must provide `dnsConfig` when `dnsPolicy` is None";
            out.push(FieldError::required(path, text));
            return;
        }
        if servers.is_empty() {
            let text = "must provide at least one DNS nameserver when `dnsPolicy` is None";
            out.push(FieldError::required(servers_path, text));
            return;
        }
    }
    if servers.len() > 3 {
        let text = "must not have more than 3 nameservers";
        out.push(FieldError::invalid(
            servers_path,
            config.get("nameservers"),
            text,
        ));
    }
    for (i, server) in servers.iter().map(Value::as_str).enumerate() {
        check::invalid(names::ip(server), servers_path.index(i), server, out);
    }
}

fn host_aliases(spec: &Value, path: &Path<'_>, out: &mut Errors) {
    let root = path.child("hostAliases");
    for (i, alias) in spec.list_at("hostAliases").iter().enumerate() {
        let path = root.index(i);
        let ip = alias.str("ip");
        check::invalid(names::ip(ip), path.child("ip"), ip, out);
        let hosts_path = path.child("hostnames");
        for (j, host) in alias
            .list_at("hostnames")
            .iter()
            .map(Value::as_str)
            .enumerate()
        {
            check::invalid(
                names::dns1123_subdomain(host),
                hosts_path.index(j),
                host,
                out,
            );
        }
    }
}
