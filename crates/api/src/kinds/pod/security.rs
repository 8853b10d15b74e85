//! What is wrong with the security contexts of a pod and of its containers.
//!
//! Models `validatePodSpecSecurityContext` and `ValidateSecurityContext` of
//! pkg/apis/core/validation/validation.go.

use super::mounts::inner_path;
use crate::field::{FieldError, Path};
use crate::kinds::check::{self, Errors};
use crate::{Value, names};

/// What is wrong with the context of the container at `path`, in a pod of this spec.
pub(super) fn of_container(container: &Value, spec: &Value, path: &Path<'_>, out: &mut Errors) {
    let (context, path) = (
        container.get("securityContext"),
        path.child("securityContext"),
    );
    for key in ["runAsUser", "runAsGroup"] {
        id(context, key, &path, out);
    }
    check::one_of_if_set(context, "procMount", &["Default", "Unmasked"], &path, out);
    let own_users = spec.get("hostUsers").as_bool() == Some(false);
    if context.str("procMount") == "Unmasked" && !own_users {
        let text = "`hostUsers` must be false to use `Unmasked`";
        out.push(FieldError::invalid(
            path.child("procMount"),
            "Unmasked",
            text,
        ));
    }
    seccomp(context, &path, out);
    if context.get("allowPrivilegeEscalation").as_bool() == Some(false) {
        if context.bool_at("privileged") {
            let text = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
            out.push(FieldError::invalid(path, context, text));
        }
        let added = context.list_at("capabilities.add");
        for _ in added.iter().filter(|cap| cap.as_str() == "CAP_SYS_ADMIN") {
            let text = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` \
                        CAP_SYS_ADMIN";
            out.push(FieldError::invalid(path, context, text));
        }
    }
    app_armor(context, &path, out);
}

/// What is wrong with the context of the pod whose spec is at `path`.
pub(super) fn of_pod(spec: &Value, path: &Path<'_>, out: &mut Errors) {
    let (context, path) = (spec.get("securityContext"), path.child("securityContext"));
    for key in ["fsGroup", "runAsUser", "runAsGroup"] {
        id(context, key, &path, out);
    }
    let groups_path = path.child("supplementalGroups");
    for (i, group) in context.list_at("supplementalGroups").iter().enumerate() {
        in_range(group, &groups_path.index(i), out);
    }
    if spec.bool_at("hostPID") && spec.bool_at("shareProcessNamespace") {
        let text = "ShareProcessNamespace and HostPID cannot both be enabled";
        let path = path.child("shareProcessNamespace");
        out.push(FieldError::invalid(path, true, text));
    }
    sysctls(spec, &path.child("sysctls"), out);
    let known = ["Always", "OnRootMismatch"];
    check::one_of_if_set(context, "fsGroupChangePolicy", &known, &path, out);
    seccomp(context, &path, out);
    app_armor(context, &path, out);
    let known = ["Merge", "Strict"];
    check::one_of_if_set(context, "supplementalGroupsPolicy", &known, &path, out);
    let known = ["MountOption", "Recursive"];
    check::one_of_if_set(context, "seLinuxChangePolicy", &known, &path, out);
}

/// A user or group must be a 32-bit number without sign.
fn id(of: &Value, key: &str, path: &Path<'_>, out: &mut Errors) {
    in_range(of.get(key), &path.child(key), out);
}

fn in_range(id: &Value, path: &Path<'_>, out: &mut Errors) {
    const MAX: i64 = 2_147_483_647;
    if let Some(id) = id.as_i64().filter(|id| !(0..=MAX).contains(id)) {
        out.push(FieldError::invalid(path, id, names::range_error(0, MAX)));
    }
}

const PROFILES: [&str; 3] = ["Localhost", "RuntimeDefault", "Unconfined"];

fn seccomp(context: &Value, path: &Path<'_>, out: &mut Errors) {
    let (profile, path) = (context.get("seccompProfile"), path.child("seccompProfile"));
    if profile.is_null() {
        return;
    }
    profile_type(profile, "seccompProfile", &path, out);
    let (file, file_path) = (
        profile.get("localhostProfile"),
        path.child("localhostProfile"),
    );
    match (profile.str("type"), file) {
        ("Localhost", Value::Null) => {
            let text = "must be set when seccomp type is Localhost";
            out.push(FieldError::required(file_path, text));
        }
        ("Localhost", file) => inner_path(file.as_str(), &file_path, out),
        (_, Value::Null) => {}
        _ => {
            let text = "can only be set when seccomp type is Localhost";
            out.push(FieldError::invalid(file_path, profile, text));
        }
    }
}

fn app_armor(context: &Value, path: &Path<'_>, out: &mut Errors) {
    let (profile, path) = (
        context.get("appArmorProfile"),
        path.child("appArmorProfile"),
    );
    if profile.is_null() {
        return;
    }
    let kind = profile.str("type");
    let (file, file_path) = (
        profile.get("localhostProfile"),
        path.child("localhostProfile"),
    );
    if kind == "Localhost" {
        let name = file.as_str();
        if name.trim() != name {
            let text = "must not be padded with whitespace";
            out.push(FieldError::invalid(file_path, name, text));
        } else if name.is_empty() {
            let text = "must be set when AppArmor type is Localhost";
            out.push(FieldError::required(file_path, text));
        }
    } else if PROFILES.contains(&kind) && !file.is_null() {
        let text = "can only be set when AppArmor type is Localhost";
        out.push(FieldError::invalid(file_path, file, text));
    }
    profile_type(profile, "appArmorProfile", &path, out);
}

fn profile_type(profile: &Value, field: &str, path: &Path<'_>, out: &mut Errors) {
    let path = path.child("type");
    match profile.str("type") {
        "" => {
            let text = format!("type is required when {field} is set");
            out.push(FieldError::required(path, text));
        }
        kind if PROFILES.contains(&kind) => {}
        other => out.push(FieldError::not_supported(path, other, &PROFILES)),
    }
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
