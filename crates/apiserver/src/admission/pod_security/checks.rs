//! The checks of the levels baseline and restricted, in upstream's order, each from the release that
//! brought it.
//!
//! Models k8s.io/pod-security-admission/policy.

use std::collections::BTreeSet;

use api::{Value, go};

use super::{Level, Standard};

/// What a pod does that it must not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Violation {
    reason: String,
    detail: String,
}

/// A check: the level it belongs to, the releases that have it, and what it finds.
struct Check {
    level: Level,
    /// Only baseline has it: restricted has a stricter one.
    overlaps: bool,
    /// The first minor version.
    since: u32,
    /// What it finds wrong with a pod, by the rules of a minor version.
    find: fn(&Value, u32) -> Option<Violation>,
}

/// The release that `latest` stands for.
const LATEST: u32 = 36;

const CHECKS: &[Check] = &[
    baseline(0, app_armor),
    Check {
        overlaps: true,
        ..baseline(0, capabilities)
    },
    baseline(0, host_namespaces),
    baseline(0, host_paths),
    baseline(0, host_ports),
    baseline(34, probe_hosts),
    baseline(0, privileged),
    baseline(0, proc_mount),
    baseline(0, selinux),
    Check {
        overlaps: true,
        ..baseline(19, seccomp)
    },
    baseline(0, sysctls),
    baseline(0, windows_host_process),
    restricted(8, privilege_escalation),
    restricted(22, restricted_capabilities),
    restricted(0, volumes),
    restricted(0, run_as_non_root),
    restricted(23, run_as_user),
    restricted(19, restricted_seccomp),
];

const fn baseline(since: u32, find: fn(&Value, u32) -> Option<Violation>) -> Check {
    Check {
        level: Level::Baseline,
        overlaps: false,
        since,
        find,
    }
}

const fn restricted(since: u32, find: fn(&Value, u32) -> Option<Violation>) -> Check {
    Check {
        level: Level::Restricted,
        ..baseline(since, find)
    }
}

/// What a pod, or a template of one, does that a standard forbids.
pub(super) fn violations(standard: Standard, pod: &Value) -> Vec<Violation> {
    let minor = standard.minor.unwrap_or(LATEST).min(LATEST);
    let counts = |check: &&Check| {
        let overlapped = check.overlaps && standard.level == Level::Restricted;
        check.level <= standard.level && check.since <= minor && !overlapped
    };
    let checks = CHECKS.iter().filter(counts);
    checks
        .filter_map(|check| (check.find)(pod, minor))
        .collect()
}

/// `a (why), b`
pub(super) fn detail(found: &[Violation]) -> String {
    let text = |v: &Violation| match v.detail.as_str() {
        "" => v.reason.clone(),
        detail => format!("{} ({detail})", v.reason),
    };
    found.iter().map(text).collect::<Vec<_>>().join(", ")
}

/// `a, b`
pub(super) fn reason(found: &[Violation]) -> String {
    let texts: Vec<&str> = found.iter().map(|v| v.reason.as_str()).collect();
    texts.join(", ")
}

fn violation(reason: &str, detail: String) -> Option<Violation> {
    Some(Violation {
        reason: reason.to_owned(),
        detail,
    })
}

fn containers(pod: &Value) -> impl Iterator<Item = &Value> {
    let lists = [
        "spec.initContainers",
        "spec.containers",
        "spec.ephemeralContainers",
    ];
    lists.into_iter().flat_map(|list| pod.list_at(list))
}

/// The names of the containers that are so.
fn named(pod: &Value, bad: impl Fn(&Value) -> bool) -> Vec<&str> {
    containers(pod)
        .filter(|c| bad(c))
        .map(|c| c.str("name"))
        .collect()
}

fn quoted<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names
        .into_iter()
        .map(go::quote)
        .collect::<Vec<_>>()
        .join(", ")
}

fn plural<'a>(one: &'a str, many: &'a str, count: usize) -> &'a str {
    if count == 1 { one } else { many }
}

/// `container "a"`, `containers "a", "b"`
fn listed(names: &[&str]) -> String {
    let called = plural("container", "containers", names.len());
    format!("{called} {}", quoted(names.iter().copied()))
}

/// `pod and container "a"`
fn setters(pod: bool, names: &[&str]) -> Option<String> {
    match (pod, names) {
        (false, []) => None,
        (true, []) => Some("pod".to_owned()),
        (false, names) => Some(listed(names)),
        (true, names) => Some(format!("pod and {}", listed(names))),
    }
}

fn truth(value: &Value) -> bool {
    value.as_bool() == Some(true)
}

fn is_windows(pod: &Value, minor: u32) -> bool {
    minor >= 25 && pod.str_at("spec.os.name") == "windows"
}

/// A pod in a user namespace of its own is root of nothing.
fn has_own_users(pod: &Value, minor: u32) -> bool {
    minor >= 35 && pod.at("spec.hostUsers").as_bool() == Some(false)
}

/// Types of profiles under `path` that do not do, whether the pod itself sets one, and the containers
/// that do.
fn bad_profiles<'a>(pod: &'a Value, path: &str) -> (BTreeSet<String>, bool, Vec<&'a str>) {
    let mut types = BTreeSet::new();
    let mut bad = |of: &Value| {
        let profile = of.at(path);
        let kind = profile.str("type");
        let wrong = profile.is_map() && !matches!(kind, "RuntimeDefault" | "Localhost");
        if wrong {
            types.insert(kind.to_owned());
        }
        wrong
    };
    let of_pod = bad(pod.get("spec"));
    let names = containers(pod)
        .filter(|c| bad(c))
        .map(|c| c.str("name"))
        .collect();
    (types, of_pod, names)
}

fn app_armor(pod: &Value, _: u32) -> Option<Violation> {
    let (bad_values, of_pod, names) = bad_profiles(pod, "securityContext.appArmorProfile");
    let mut who: Vec<String> = setters(of_pod, &names).into_iter().collect();
    let prefix = "container.apparmor.security.beta.kubernetes.io/";
    let mut annotations = Vec::new();
    for (key, value) in pod.annotations() {
        let value = value.as_str();
        let good =
            value.is_empty() || value == "runtime/default" || value.starts_with("localhost/");
        if key.starts_with(prefix) && !good {
            annotations.push(format!("{key}={}", go::quote(value)));
        }
    }
    if !annotations.is_empty() {
        let called = plural("annotation", "annotations", annotations.len());
        who.push(format!("{called} {}", annotations.join(", ")));
    }
    if who.is_empty() {
        return None;
    }
    let count = annotations.len() + bad_values.len();
    let reason = plural(
        "forbidden AppArmor profile",
        "forbidden AppArmor profiles",
        count,
    );
    if bad_values.is_empty() {
        return violation(reason, annotations.join(", "));
    }
    let values = quoted(bad_values.iter().map(String::as_str));
    let who = who.join(" and ");
    violation(
        reason,
        format!("{who} must not set AppArmor profile type to {values}"),
    )
}

/// Capabilities that containers have anyway.
const CAPABILITIES: [&str; 14] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
    "",
];

/// The capabilities added beside those allowed, and by which containers.
fn added<'p>(pod: &'p Value, allowed: &[&str]) -> Option<(Vec<&'p str>, String)> {
    let wrong = |one: &&Value| !allowed.contains(&one.as_str());
    let mut all = BTreeSet::new();
    let mut names = Vec::new();
    for container in containers(pod) {
        let add = container.list_at("securityContext.capabilities.add");
        let before = all.len();
        let mut any = false;
        for one in add.iter().filter(wrong) {
            any = true;
            all.insert(one.as_str());
        }
        if any || all.len() > before {
            names.push(container.str("name"));
        }
    }
    (!names.is_empty()).then(|| (names, quoted(all)))
}

fn capabilities(pod: &Value, _: u32) -> Option<Violation> {
    let (names, caps) = added(pod, &CAPABILITIES)?;
    let who = listed(&names);
    violation(
        "non-default capabilities",
        format!("{who} must not include {caps} in securityContext.capabilities.add"),
    )
}

fn host_namespaces(pod: &Value, _: u32) -> Option<Violation> {
    let used = ["hostNetwork", "hostPID", "hostIPC"]
        .into_iter()
        .filter(|key| truth(pod.get("spec").get(key)))
        .map(|key| format!("{key}=true"));
    let used: Vec<String> = used.collect();
    if used.is_empty() {
        return None;
    }
    violation("host namespaces", used.join(", "))
}

fn host_paths(pod: &Value, _: u32) -> Option<Violation> {
    let volumes = pod.list_at("spec.volumes").iter();
    let bad: Vec<&str> = volumes
        .filter(|v| v.get("hostPath").is_map())
        .map(|v| v.str("name"))
        .collect();
    if bad.is_empty() {
        return None;
    }
    let called = plural("volume", "volumes", bad.len());
    violation("hostPath volumes", format!("{called} {}", quoted(bad)))
}

fn host_ports(pod: &Value, _: u32) -> Option<Violation> {
    let mut ports = BTreeSet::new();
    let mut names = Vec::new();
    for container in containers(pod) {
        let used = container
            .list_at("ports")
            .iter()
            .filter_map(|p| p.i64_at("hostPort"));
        let used: Vec<i64> = used.filter(|port| *port != 0).collect();
        if !used.is_empty() {
            names.push(container.str("name"));
            ports.extend(used.iter().map(i64::to_string));
        }
    }
    if names.is_empty() {
        return None;
    }
    let (use_, called) = (
        plural("uses", "use", names.len()),
        plural("hostPort", "hostPorts", ports.len()),
    );
    let ports: Vec<String> = ports.into_iter().collect();
    let who = listed(&names);
    violation(
        "hostPort",
        format!("{who} {use_} {called} {}", ports.join(", ")),
    )
}

fn probe_hosts(pod: &Value, _: u32) -> Option<Violation> {
    let places = [
        "livenessProbe",
        "readinessProbe",
        "startupProbe",
        "lifecycle.postStart",
        "lifecycle.preStop",
    ];
    let mut hosts = BTreeSet::new();
    let mut names = Vec::new();
    for container in containers(pod) {
        let before = names.len();
        for (place, action) in places
            .iter()
            .flat_map(|p| [(*p, "httpGet"), (*p, "tcpSocket")])
        {
            let host = container.at(place).get(action).str("host");
            if !host.is_empty() && host != "127.0.0.1" && host != "::1" {
                hosts.insert(host);
                if names.len() == before {
                    names.push(container.str("name"));
                }
            }
        }
    }
    if names.is_empty() {
        return None;
    }
    let use_ = plural("uses", "use", names.len());
    let called = plural(
        "probe or lifecycle host",
        "probe or lifecycle hosts",
        hosts.len(),
    );
    let who = listed(&names);
    violation(
        "probe or lifecycle host",
        format!("{who} {use_} {called} {}", quoted(hosts)),
    )
}

fn privileged(pod: &Value, _: u32) -> Option<Violation> {
    let names = named(pod, |c| truth(c.at("securityContext.privileged")));
    let who = setters(false, &names)?;
    violation(
        "privileged",
        format!("{who} must not set securityContext.privileged=true"),
    )
}

fn proc_mount(pod: &Value, minor: u32) -> Option<Violation> {
    if has_own_users(pod, minor) {
        return None;
    }
    let of = |c: &Value| c.str_at("securityContext.procMount").to_owned();
    let bad = |c: &Value| !matches!(of(c).as_str(), "" | "Default");
    let names = named(pod, bad);
    let who = setters(false, &names)?;
    let kinds: BTreeSet<String> = containers(pod).filter(|c| bad(c)).map(of).collect();
    let kinds = quoted(kinds.iter().map(String::as_str));
    violation(
        "procMount",
        format!("{who} must not set securityContext.procMount to {kinds}"),
    )
}

fn selinux(pod: &Value, minor: u32) -> Option<Violation> {
    let (mut types, mut user, mut role) = (BTreeSet::new(), false, false);
    let mut bad = |of: &Value| {
        let options = of.at("securityContext.seLinuxOptions");
        let kind = options.str("type");
        let known = match kind {
            "" | "container_t" | "container_init_t" | "container_kvm_t" => true,
            "container_engine_t" => minor >= 31,
            _ => false,
        };
        if !known {
            types.insert(kind.to_owned());
        }
        let (has_user, has_role) = (options.has("user"), options.has("role"));
        user |= has_user;
        role |= has_role;
        !known || has_user || has_role
    };
    let of_pod = bad(pod.get("spec"));
    let names: Vec<&str> = containers(pod)
        .filter(|c| bad(c))
        .map(|c| c.str("name"))
        .collect();
    let who = setters(of_pod, &names)?;
    let mut data = Vec::new();
    if !types.is_empty() {
        let called = plural("type", "types", types.len());
        data.push(format!(
            "{called} {}",
            quoted(types.iter().map(String::as_str))
        ));
    }
    if user {
        data.push("user may not be set".to_owned());
    }
    if role {
        data.push("role may not be set".to_owned());
    }
    let data = data.join("; ");
    violation(
        "seLinuxOptions",
        format!("{who} set forbidden securityContext.seLinuxOptions: {data}"),
    )
}

/// Profiles that are set and do not do, and by whom.
fn bad_seccomp(pod: &Value) -> Option<Violation> {
    let (values, of_pod, names) = bad_profiles(pod, "securityContext.seccompProfile");
    let who = setters(of_pod, &names)?;
    let values = quoted(values.iter().map(String::as_str));
    violation(
        "seccompProfile",
        format!("{who} must not set securityContext.seccompProfile.type to {values}"),
    )
}

fn seccomp(pod: &Value, _: u32) -> Option<Violation> {
    bad_seccomp(pod)
}

fn sysctls(pod: &Value, minor: u32) -> Option<Violation> {
    let allowed = |name: &str| match name {
        "kernel.shm_rmid_forced"
        | "net.ipv4.ip_local_port_range"
        | "net.ipv4.tcp_syncookies"
        | "net.ipv4.ping_group_range"
        | "net.ipv4.ip_unprivileged_port_start" => true,
        "net.ipv4.ip_local_reserved_ports" => minor >= 27,
        "net.ipv4.tcp_keepalive_time"
        | "net.ipv4.tcp_fin_timeout"
        | "net.ipv4.tcp_keepalive_intvl"
        | "net.ipv4.tcp_keepalive_probes" => minor >= 29,
        "net.ipv4.tcp_rmem" | "net.ipv4.tcp_wmem" => minor >= 32,
        _ => false,
    };
    let all = pod.list_at("spec.securityContext.sysctls").iter();
    let bad: Vec<&str> = all
        .map(|s| s.str("name"))
        .filter(|name| !allowed(name))
        .collect();
    if bad.is_empty() {
        return None;
    }
    violation("forbidden sysctls", bad.join(", "))
}

fn windows_host_process(pod: &Value, _: u32) -> Option<Violation> {
    let bad = |of: &Value| truth(of.at("securityContext.windowsOptions.hostProcess"));
    let who = setters(bad(pod.get("spec")), &named(pod, bad))?;
    violation(
        "hostProcess",
        format!("{who} must not set securityContext.windowsOptions.hostProcess=true"),
    )
}

fn privilege_escalation(pod: &Value, minor: u32) -> Option<Violation> {
    if is_windows(pod, minor) {
        return None;
    }
    let bad = |c: &Value| c.at("securityContext.allowPrivilegeEscalation").as_bool() != Some(false);
    let who = setters(false, &named(pod, bad))?;
    violation(
        "allowPrivilegeEscalation != false",
        format!("{who} must set securityContext.allowPrivilegeEscalation=false"),
    )
}

fn restricted_capabilities(pod: &Value, minor: u32) -> Option<Violation> {
    if is_windows(pod, minor) {
        return None;
    }
    let keeps = |c: &Value| {
        let dropped = c.list_at("securityContext.capabilities.drop");
        !dropped.iter().any(|one| one.as_str() == "ALL")
    };
    let mut details = Vec::new();
    if let Some(who) = setters(false, &named(pod, keeps)) {
        details.push(format!(
            "{who} must set securityContext.capabilities.drop=[\"ALL\"]"
        ));
    }
    if let Some((names, caps)) = added(pod, &["NET_BIND_SERVICE"]) {
        let who = listed(&names);
        details.push(format!(
            "{who} must not include {caps} in securityContext.capabilities.add"
        ));
    }
    if details.is_empty() {
        return None;
    }
    violation("unrestricted capabilities", details.join("; "))
}

fn volumes(pod: &Value, _: u32) -> Option<Violation> {
    const GOOD: [&str; 9] = [
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    ];
    let (mut names, mut types) = (Vec::new(), BTreeSet::new());
    for volume in pod.list_at("spec.volumes") {
        let mut sources = volume.entries().keys().filter(|key| key.as_str() != "name");
        let source = sources.next().map_or("unknown", |key| key.as_str());
        if !GOOD.contains(&source) {
            names.push(volume.str("name"));
            types.insert(source);
        }
    }
    if names.is_empty() {
        return None;
    }
    let called = plural("volume", "volumes", names.len());
    let use_ = plural("uses", "use", names.len());
    let kinds = plural(
        "restricted volume type",
        "restricted volume types",
        types.len(),
    );
    let (names, types) = (quoted(names), quoted(types));
    violation(
        "restricted volume types",
        format!("{called} {names} {use_} {kinds} {types}"),
    )
}

fn run_as_non_root(pod: &Value, minor: u32) -> Option<Violation> {
    if has_own_users(pod, minor) {
        return None;
    }
    let reason = "runAsNonRoot != true";
    let said = |of: &Value| of.at("securityContext.runAsNonRoot").as_bool();
    let of_pod = said(pod.get("spec"));
    let explicit = named(pod, |c| said(c) == Some(false));
    if let Some(who) = setters(of_pod == Some(false), &explicit) {
        let text = format!("{who} must not set securityContext.runAsNonRoot=false");
        return violation(reason, text);
    }
    if of_pod == Some(true) {
        return None;
    }
    let who = setters(false, &named(pod, |c| said(c).is_none()))?;
    violation(
        reason,
        format!("pod or {who} must set securityContext.runAsNonRoot=true"),
    )
}

fn run_as_user(pod: &Value, minor: u32) -> Option<Violation> {
    if has_own_users(pod, minor) {
        return None;
    }
    let root = |of: &Value| of.at("securityContext.runAsUser").as_i64() == Some(0);
    let who = setters(root(pod.get("spec")), &named(pod, root))?;
    violation("runAsUser=0", format!("{who} must not set runAsUser=0"))
}

fn restricted_seccomp(pod: &Value, minor: u32) -> Option<Violation> {
    if is_windows(pod, minor) {
        return None;
    }
    if let Some(bad) = bad_seccomp(pod) {
        return Some(bad);
    }
    let set = |of: &Value| of.at("securityContext.seccompProfile").is_map();
    if set(pod.get("spec")) {
        return None;
    }
    let who = setters(false, &named(pod, |c| !set(c)))?;
    let types = "\"RuntimeDefault\" or \"Localhost\"";
    violation(
        "seccompProfile",
        format!("pod or {who} must set securityContext.seccompProfile.type to {types}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::object;

    #[track_caller]
    fn check(level: Level, minor: Option<u32>, spec: Value, expect: &str) {
        let pod = object! { "metadata": { "name": "p" }, "spec": spec };
        let found = violations(Standard { level, minor }, &pod);
        assert_eq!(detail(&found), expect);
    }

    #[test]
    fn baseline_forbids_what_reaches_the_host() {
        let of = |spec, expect: &str| check(Level::Baseline, None, spec, expect);
        of(object! { "containers": [{ "name": "a" }] }, "");
        of(
            object! {
                "hostNetwork": true, "hostPID": true,
                "volumes": [{ "name": "v", "hostPath": { "path": "/" } }],
                "containers": [
                    { "name": "a", "ports": [{ "hostPort": 80 }, { "hostPort": 443 }],
                      "securityContext": { "privileged": true } },
                    { "name": "b", "securityContext": { "capabilities": { "add": ["SYS_ADMIN", "CHOWN"] } } },
                ],
            },
            "non-default capabilities (container \"b\" must not include \"SYS_ADMIN\" in \
             securityContext.capabilities.add), host namespaces (hostNetwork=true, hostPID=true), \
             hostPath volumes (volume \"v\"), hostPort (container \"a\" uses hostPorts 443, 80), \
             privileged (container \"a\" must not set securityContext.privileged=true)",
        );
        of(
            object! {
                "securityContext": {
                    "seccompProfile": { "type": "Unconfined" },
                    "seLinuxOptions": { "type": "x_t", "user": "u" },
                    "sysctls": [{ "name": "kernel.msgmax", "value": "1" }],
                },
                "containers": [{ "name": "a" }],
            },
            "seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type \"x_t\"; user \
             may not be set), seccompProfile (pod must not set securityContext.seccompProfile.type \
             to \"Unconfined\"), forbidden sysctls (kernel.msgmax)",
        );
    }

    #[test]
    fn restricted_asks_for_hardening() {
        let of = |spec, expect: &str| check(Level::Restricted, None, spec, expect);
        let context = object! {
            "allowPrivilegeEscalation": false, "runAsNonRoot": true,
            "capabilities": { "drop": ["ALL"] }, "seccompProfile": { "type": "RuntimeDefault" },
        };
        of(
            object! { "containers": [{ "name": "a", "securityContext": context.clone() }] },
            "",
        );
        of(
            object! { "containers": [{ "name": "a" }, { "name": "b", "securityContext": context }] },
            "allowPrivilegeEscalation != false (container \"a\" must set \
             securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container \
             \"a\" must set securityContext.capabilities.drop=[\"ALL\"]), runAsNonRoot != true \
             (pod or container \"a\" must set securityContext.runAsNonRoot=true), seccompProfile \
             (pod or container \"a\" must set securityContext.seccompProfile.type to \
             \"RuntimeDefault\" or \"Localhost\")",
        );
    }

    #[test]
    fn older_releases_asked_less() {
        let spec = object! { "containers": [{ "name": "a" }] };
        let expect = "allowPrivilegeEscalation != false (container \"a\" must set \
                      securityContext.allowPrivilegeEscalation=false), runAsNonRoot != true (pod \
                      or container \"a\" must set securityContext.runAsNonRoot=true)";
        check(Level::Restricted, Some(18), spec, expect);
    }
}
