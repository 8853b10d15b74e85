//! What is wrong with a pod spec.
//!
//! Models `ValidatePodSpec` of pkg/apis/core/validation/validation.go, whose order the errors keep.

use super::{containers, resources, scheduling, security, volumes};
use crate::field::{FieldError, Path};
use crate::kinds::check::{self, Errors};
use crate::kinds::support::containers::LISTS;
use crate::{Value, names, object};

const MAX_DEADLINE: i64 = 2_147_483_647;

/// What is wrong with the pod spec at `path`.
pub(super) fn validate(spec: &Value, path: &Path<'_>, out: &mut Errors) {
    let volumes = volumes::validate(spec.get("volumes").list(), &path.child("volumes"), out);
    resource_claims(spec, &path.child("resourceClaims"), out);
    containers::validate_all(spec, &volumes, path, out);
    resources::of_pod(spec, path, out);
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
    security::of_pod(spec, path, out);
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
    host_users(spec, path, out);
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
    let overhead = object! { "limits": spec.get("overhead") };
    resources::of_container(&overhead, &[], &path.child("overhead"), out);
    system(spec, path, out);
}

/// What holds for the spec of a pod, and not for that of a template.
pub(super) fn validate_for_pod(spec: &Value, path: &Path<'_>, out: &mut Errors) {
    containers::validate_for_pod(spec, path, out);
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

/// Models `validatePodResourceClaims`.
fn resource_claims(spec: &Value, path: &Path<'_>, out: &mut Errors) {
    let claims = spec.list_at("resourceClaims");
    for (i, claim) in claims.iter().enumerate() {
        let (name, path) = (claim.str("name"), path.index(i));
        if !name.is_empty() && claims[..i].iter().any(|other| other.str("name") == name) {
            out.push(FieldError::duplicate(path.child("name"), name));
        } else {
            check::named(claim, "name", names::dns1123_label, &path, out);
        }
        let sources = ["resourceClaimName", "resourceClaimTemplateName"];
        let text = match sources.iter().filter(|key| claim.has(key)).count() {
            0 => "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`",
            1 => "",
            _ => {
                "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
            }
        };
        if !text.is_empty() {
            out.push(FieldError::invalid(path, claim, text));
        }
        for key in sources {
            check::named_if_set(claim, key, names::dns1123_subdomain, &path, out);
        }
    }
}

/// Users of the pod's own go with none of the host's namespaces.
fn host_users(spec: &Value, path: &Path<'_>, out: &mut Errors) {
    if spec.get("hostUsers").as_bool() != Some(false) {
        return;
    }
    for (key, shown) in [
        ("hostNetwork", "hostNetwork"),
        ("hostPID", "HostPID"),
        ("hostIPC", "HostIPC"),
    ] {
        if spec.bool_at(key) {
            let text = "when `pod.Spec.HostUsers` is false";
            out.push(FieldError::forbidden(path.child(shown), text));
        }
    }
}

/// What a pod cannot have on the system it is for. Models `validateLinux` and `validateWindows`.
fn system(spec: &Value, path: &Path<'_>, out: &mut Errors) {
    const OF_POD: [&str; 11] = [
        "appArmorProfile",
        "seLinuxOptions",
        "seccompProfile",
        "fsGroup",
        "fsGroupChangePolicy",
        "sysctls",
        "runAsUser",
        "runAsGroup",
        "supplementalGroups",
        "supplementalGroupsPolicy",
        "seLinuxChangePolicy",
    ];
    const OF_CONTAINER: [&str; 10] = [
        "appArmorProfile",
        "seLinuxOptions",
        "seccompProfile",
        "capabilities",
        "readOnlyRootFilesystem",
        "privileged",
        "allowPrivilegeEscalation",
        "procMount",
        "runAsUser",
        "runAsGroup",
    ];
    let os = spec.get("os");
    let (of_pod, of_container, text): (&[&str], &[&str], _) = match os.str("name") {
        _ if os.is_null() => return,
        "linux" => (
            &["windowsOptions"],
            &["windowsOptions"],
            "windows options cannot be set for a linux pod",
        ),
        "windows" => (&OF_POD, &OF_CONTAINER, "cannot be set for a windows pod"),
        _ => {
            check::one_of(os, "name", &["linux", "windows"], &path.child("os"), out);
            return;
        }
    };
    let mut forbid = |of: &Value, keys: &[&str], path: &Path<'_>| {
        for key in keys.iter().filter(|key| of.has(key)) {
            out.push(FieldError::forbidden(path.child(key), text));
        }
    };
    let context_path = path.child("securityContext");
    forbid(spec.get("securityContext"), of_pod, &context_path);
    if os.str("name") == "windows" {
        let of_host = ["hostUsers", "hostPID", "hostIPC", "shareProcessNamespace"];
        forbid(spec, &of_host, path);
    }
    for (list, _) in LISTS {
        let list_path = path.child(list);
        for (i, container) in spec.list_at(list).iter().enumerate() {
            let path = list_path.index(i);
            let path = path.child("securityContext");
            forbid(container.get("securityContext"), of_container, &path);
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
    let (searches, searches_path) = (config.list_at("searches"), path.child("searches"));
    let length: usize = searches
        .iter()
        .map(|search| search.as_str().len() + 1)
        .sum();
    for (too_much, text) in [
        (
            searches.len() > 32,
            "must not have more than 32 search paths",
        ),
        (
            length > 2049,
            "must not have more than 2048 characters (including spaces) in the search list",
        ),
    ] {
        if too_much {
            out.push(FieldError::invalid(
                searches_path,
                config.get("searches"),
                text,
            ));
        }
    }
    for (i, search) in searches.iter().map(Value::as_str).enumerate() {
        if search != "." {
            let search = search.strip_suffix('.').unwrap_or(search);
            let messages = names::dns1123_subdomain_with_underscore(search);
            check::invalid(messages, searches_path.index(i), search, out);
        }
    }
    let options_path = path.child("options");
    for (i, option) in config.list_at("options").iter().enumerate() {
        if option.str("name").is_empty() {
            out.push(FieldError::required(
                options_path.index(i),
                "must not be empty",
            ));
        }
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
