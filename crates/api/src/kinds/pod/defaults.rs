//! What a pod gets that does not say.
//!
//! Models pkg/apis/core/v1/defaults.go.

use crate::kinds::support::resources;
use crate::{Str, Value, value};

/// Defaults of a pod: those of its spec, and some that a template does not get.
pub(super) fn pod(pod: &mut Value) {
    let spec = pod.at_mut("spec");
    pod_spec(spec);
    for list in ["initContainers", "containers"] {
        each(spec, list, requests_from_limits);
    }
    requests_of_pod(spec);
    if !spec.has("enableServiceLinks") {
        spec.set("enableServiceLinks", true);
    }
    if spec.bool_at("hostNetwork") {
        for list in ["initContainers", "containers"] {
            each(spec, list, |container| each(container, "ports", host_port));
        }
    }
}

/// Defaults of a pod spec, wherever it stands.
pub(super) fn pod_spec(spec: &mut Value) {
    fill(spec, "dnsPolicy", "ClusterFirst");
    fill(spec, "restartPolicy", "Always");
    fill(spec, "schedulerName", "default-scheduler");
    if !spec.has("terminationGracePeriodSeconds") {
        spec.set("terminationGracePeriodSeconds", 30);
    }
    if !spec.has("securityContext") {
        spec.set("securityContext", value!({}));
    }
    // Two names of one field.
    let account = match spec.str("serviceAccountName") {
        "" => spec.str("serviceAccount").to_owned(),
        name => name.to_owned(),
    };
    if !account.is_empty() {
        spec.set("serviceAccountName", &account);
        spec.set("serviceAccount", account);
    }
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        each(spec, list, container);
    }
    each(spec, "volumes", volume);
}

/// Calls `change` with each element of a list, if it has any.
fn each(of: &mut Value, list: &str, mut change: impl FnMut(&mut Value)) {
    if !of.get(list).list().is_empty() {
        of.list_mut(list).iter_mut().for_each(&mut change);
    }
}

fn fill(of: &mut Value, key: &str, text: &str) {
    if of.str(key).is_empty() {
        of.set(key, text);
    }
}

fn fill_number(of: &mut Value, key: &str, number: i64) {
    if of.get(key).is_zero() {
        of.set(key, number);
    }
}

fn container(container: &mut Value) {
    fill(container, "terminationMessagePath", "/dev/termination-log");
    fill(container, "terminationMessagePolicy", "File");
    if container.str("imagePullPolicy").is_empty() {
        let policy = pull_policy(container.str("image"));
        container.set("imagePullPolicy", policy);
    }
    each(container, "ports", |port| fill(port, "protocol", "TCP"));
    each(container, "env", |env| {
        from(env.get("valueFrom").clone(), env)
    });
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if container.has(probe) {
            defaults_of_probe(container.at_mut(probe));
        }
    }
    for hook in ["lifecycle.postStart", "lifecycle.preStop"] {
        if container.at(hook).has("httpGet") {
            http_get(container.at_mut(hook).at_mut("httpGet"));
        }
    }
}

fn from(source: Value, env: &mut Value) {
    if source.has("fieldRef") {
        fill(env.at_mut("valueFrom.fieldRef"), "apiVersion", "v1");
    }
    if source.has("resourceFieldRef") {
        divisor(env.at_mut("valueFrom.resourceFieldRef"));
    }
}

/// A divisor is always printed, 0 where it was not given.
fn divisor(of: &mut Value) {
    if !of.has("divisor") {
        of.set("divisor", "0");
    }
}

/// `Always` for images without a tag or with `latest`, which may change behind their name.
fn pull_policy(image: &str) -> &'static str {
    if image.contains('@') {
        return "IfNotPresent";
    }
    let name = image.rsplit('/').next().unwrap_or(image);
    match name.split_once(':') {
        None | Some((_, "latest" | "")) => "Always",
        Some(_) => "IfNotPresent",
    }
}

fn defaults_of_probe(probe: &mut Value) {
    fill_number(probe, "timeoutSeconds", 1);
    fill_number(probe, "periodSeconds", 10);
    fill_number(probe, "successThreshold", 1);
    fill_number(probe, "failureThreshold", 3);
    if probe.has("httpGet") {
        http_get(probe.at_mut("httpGet"));
    }
    if probe.has("grpc") && !probe.at("grpc").has("service") {
        probe.set("grpc.service", "");
    }
}

fn http_get(action: &mut Value) {
    fill(action, "path", "/");
    fill(action, "scheme", "HTTP");
}

/// What is limited and not requested is requested up to the limit.
fn requests_from_limits(container: &mut Value) {
    let resources = container.get("resources");
    let limits = resources.map_at("limits").clone();
    for (name, amount) in &limits {
        if !container
            .at_path(&["resources", "requests", name])
            .is_null()
        {
            continue;
        }
        container.set_path(&["resources", "requests", name], amount);
    }
}

/// A pod that limits itself as a whole asks for what its containers do, else for what it is limited
/// to. Models `defaultPodRequests`.
fn requests_of_pod(spec: &mut Value) {
    let limits = spec.map_at("resources.limits").clone();
    if limits.is_empty() {
        return;
    }
    let own = |name: &str| matches!(name, "cpu" | "memory") || name.starts_with("hugepages-");
    let sums = resources::of_containers(spec, "requests");
    let sums = sums
        .into_iter()
        .map(|(name, sum)| (name, sum.to_string().into()));
    let limits = limits
        .into_iter()
        .map(|(name, limit)| (name.clone(), limit.clone()));
    let wanted: Vec<(Str, Value)> = sums.chain(limits).filter(|(name, _)| own(name)).collect();
    for (name, amount) in wanted {
        if spec.at_path(&["resources", "requests", &name]).is_null() {
            spec.set_path(&["resources", "requests", &name], amount);
        }
    }
}

/// Ports of a pod in the host's network are ports of the host.
fn host_port(port: &mut Value) {
    if port.get("hostPort").is_zero() {
        let number = port.get("containerPort").clone();
        port.set("hostPort", number);
    }
}

fn volume(volume: &mut Value) {
    let sources = volume
        .entries()
        .keys()
        .filter(|key| &***key != "name")
        .count();
    if sources == 0 {
        volume.set("emptyDir", value!({}));
    }
    for kind in ["secret", "configMap", "downwardAPI", "projected"] {
        if volume.has(kind) {
            let source = volume.at_mut(kind);
            if !source.has("defaultMode") {
                source.set("defaultMode", 0o644);
            }
        }
    }
    if volume.has("downwardAPI") {
        each(volume.at_mut("downwardAPI"), "items", downward_item);
    }
    if volume.has("projected") {
        each(volume.at_mut("projected"), "sources", projection);
    }
    if volume.has("hostPath") && !volume.at("hostPath").has("type") {
        volume.set("hostPath.type", "");
    }
    if volume.has("iscsi") {
        fill(volume.at_mut("iscsi"), "iscsiInterface", "default");
    }
    if volume.has("image") {
        let policy = pull_policy(volume.str_at("image.reference"));
        fill(volume.at_mut("image"), "pullPolicy", policy);
    }
    if volume.at("ephemeral").has("volumeClaimTemplate") {
        fill(
            volume.at_mut("ephemeral.volumeClaimTemplate.spec"),
            "volumeMode",
            "Filesystem",
        );
    }
}

fn downward_item(item: &mut Value) {
    if item.has("fieldRef") {
        fill(item.at_mut("fieldRef"), "apiVersion", "v1");
    }
    if item.has("resourceFieldRef") {
        divisor(item.at_mut("resourceFieldRef"));
    }
}

fn projection(source: &mut Value) {
    if source.has("serviceAccountToken") {
        fill_number(
            source.at_mut("serviceAccountToken"),
            "expirationSeconds",
            3600,
        );
    }
    if source.has("downwardAPI") {
        each(source.at_mut("downwardAPI"), "items", downward_item);
    }
}
