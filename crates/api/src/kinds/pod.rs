//! Pod.
//!
//! Models pkg/registry/core/pod/strategy.go.

use super::check::Errors;
use super::support::{conditions, pods, qos};
use super::table::Column;
use super::{Kind, Subresource};
use crate::{FieldError, Path, Value, names, object};

mod containers;
mod defaults;
mod handlers;
pub(super) mod internal;
pub(super) mod mounts;
mod resources;
pub(super) mod scheduling;
mod security;
mod spec;
mod table;
pub(super) mod template;
mod update;
mod volumes;
pub(super) mod warnings;

pub use internal::pod_spec as internal_pod_spec;
pub use table::{Summary, summary};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "pods",
    singular: "pod",
    short_names: &["po"],
    categories: &["all"],
    subresources: SUBRESOURCES,
    schema: "io.k8s.api.core.v1.Pod",
    storage: "pods",
    counts_generation: true,
    fields: FIELDS,
    field: |pod, label| match label {
        "spec.hostNetwork" if pod.bool_at(label) => "true",
        "spec.hostNetwork" => "false",
        "status.podIPs" => pod.str_at("status.podIPs.0.ip"),
        label => pod.str_at(label),
    },
    defaults: defaults::pod,
    prepare_for_create,
    prepare_for_update,
    validate,
    validate_new,
    validate_update: update::validate,
    warnings: warnings_of,
    grace_period: Some(grace_period),
    columns: COLUMNS,
    row: table::row,
    sample: SAMPLE,
    ..Kind::plain("", "v1", "Pod")
};

const GET_CREATE: &[&str] = &["create", "get"];
const GET_PATCH_UPDATE: &[&str] = &["get", "patch", "update"];

const SUBRESOURCES: &[Subresource] = &[
    Subresource::new("attach", GET_CREATE, "", "PodAttachOptions"),
    Subresource::new("binding", &["create"], "", "Binding"),
    Subresource::new("ephemeralcontainers", GET_PATCH_UPDATE, "", "Pod"),
    Subresource::new("eviction", &["create"], "policy/v1", "Eviction"),
    Subresource::new("exec", GET_CREATE, "", "PodExecOptions"),
    Subresource::new("log", &["get"], "", "Pod"),
    Subresource::new("portforward", GET_CREATE, "", "PodPortForwardOptions"),
    Subresource::new(
        "proxy",
        &["create", "delete", "get", "patch", "update"],
        "",
        "PodProxyOptions",
    ),
    Subresource::new("resize", GET_PATCH_UPDATE, "", "Pod"),
    Subresource::status("Pod"),
];

const FIELDS: &[&str] = &[
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "status.phase",
    "status.podIP",
    "status.podIPs",
    "status.nominatedNodeName",
];

const COLUMNS: &[Column] = &[
    Column::NAME,
    Column::text("Ready"),
    Column::text("Status"),
    Column::text("Restarts"),
    Column::AGE,
    Column::wide("IP"),
    Column::wide("Node"),
    Column::wide("Nominated Node"),
    Column::wide("Readiness Gates"),
];

const SAMPLE: &str = "
apiVersion: v1
kind: Pod
metadata:
  name: web
  labels:
    app: web
spec:
  initContainers:
  - name: setup
    image: busybox:1.36
    command: [sh, -c, 'echo ready']
  containers:
  - name: nginx
    image: nginx:1.27
    ports:
    - name: http
      containerPort: 80
    env:
    - name: POD_NAME
      valueFrom:
        fieldRef:
          fieldPath: metadata.name
    resources:
      requests:
        cpu: 100m
        memory: 64Mi
      limits:
        memory: 128Mi
    readinessProbe:
      httpGet:
        path: /
        port: http
    volumeMounts:
    - name: scratch
      mountPath: /scratch
  volumes:
  - name: scratch
    emptyDir: {}
  tolerations:
  - key: dedicated
    operator: Exists
    effect: NoSchedule
";

fn validate(pod: &Value, out: &mut Errors) {
    let (spec, path) = (pod.get("spec"), Path::new("spec"));
    spec::validate(spec, &path, out);
    spec::validate_for_pod(spec, &path, out);
}

/// What a pod gets later only.
fn validate_new(pod: &Value, out: &mut Errors) {
    let (spec, path) = (pod.get("spec"), Path::new("spec"));
    if !spec.list_at("ephemeralContainers").is_empty() {
        let path = path.child("ephemeralContainers");
        out.push(FieldError::forbidden(path, "cannot be set on create"));
    }
    if !pods::node_name(pod).is_empty() && !spec.list_at("schedulingGates").is_empty() {
        let text = "cannot be set until all schedulingGates have been cleared";
        out.push(FieldError::forbidden(path.child("nodeName"), text));
    }
}

fn prepare_for_create(pod: &mut Value) {
    let status = object! { "phase": "Pending", "qosClass": qos::class(pod) };
    pod.set("status", status);
    if !pod.list_at("spec.schedulingGates").is_empty() {
        let created = pod.at("metadata.creationTimestamp").clone();
        pod.set(
            "status.conditions",
            vec![object! {
                "type": "PodScheduled",
                "lastProbeTime": null,
                "lastTransitionTime": (created),
                "status": "False",
                "reason": "SchedulingGated",
                "message": "Scheduling is blocked due to non-empty scheduling gates",
            }],
        );
    }
}

fn prepare_for_update(new: &mut Value, old: &Value, subresource: &str) {
    match subresource {
        "status" => {
            match old.metadata().get("ownerReferences") {
                Value::Null => drop(new.remove("metadata.ownerReferences")),
                owners => new.set("metadata.ownerReferences", owners),
            }
            if new.str_at("status.qosClass").is_empty() {
                new.set("status.qosClass", qos::class(old));
            }
            keep_observed_generations(new, old);
        }
        "ephemeralcontainers" => {
            let added = new.at("spec.ephemeralContainers").clone();
            reset(new, old);
            match added {
                Value::Null => drop(new.remove("spec.ephemeralContainers")),
                added => new.set("spec.ephemeralContainers", added),
            }
        }
        "resize" => {
            let wanted = new.get("spec").clone();
            reset(new, old);
            for list in ["containers", "initContainers"] {
                let count = old.get("spec").get(list).list().len();
                for i in 0..count {
                    let name = old.str_at(&format!("spec.{list}.{i}.name"));
                    let mut containers = wanted.list_at(list).iter();
                    if let Some(container) = containers.find(|c| c.str("name") == name) {
                        let path = format!("spec.{list}.{i}.resources");
                        new.set(&path, container.get("resources"));
                    }
                }
            }
        }
        _ => {}
    }
}

/// Puts everything back as it was, so that a subresource changes only what it is for.
fn reset(new: &mut Value, old: &Value) {
    let version = new.metadata().get("resourceVersion").clone();
    *new = old.clone();
    if !version.is_null() {
        new.set("metadata.resourceVersion", version);
    }
}

/// A writer that does not know these fields does not mean to clear them.
fn keep_observed_generations(new: &mut Value, old: &Value) {
    let key = "observedGeneration";
    let before = old.get("status").get(key);
    if new.get("status").get(key).is_zero() && !before.is_zero() {
        new.set_path(&["status", key], before);
    }
    let count = new.list_at("status.conditions").len();
    for i in 0..count {
        let path = format!("status.conditions.{i}");
        let condition = new.at(&path);
        let before = conditions::get(old, condition.str("type")).get(key);
        if condition.get(key).is_zero() && !before.is_zero() {
            new.set(&format!("{path}.{key}"), before);
        }
    }
}

/// What is allowed but hardly meant.
fn warnings_of(pod: &Value) -> Vec<String> {
    let mut out = warnings::of(pod, &Path::new("metadata"), &Path::new("spec"));
    let messages = names::dns1123_label(pod.name());
    if !messages.is_empty() {
        let text = format!(
            "metadata.name: this is used in the Pod's hostname, which can result in surprising \
             behavior; a DNS label is recommended: [{}]",
            messages.join(" ")
        );
        out.insert(0, text);
    }
    out
}

/// Seconds a pod gets to end: none if no node runs it, or its containers have ended.
fn grace_period(pod: &Value, asked: Option<i64>) -> i64 {
    if pods::node_name(pod).is_empty() || pods::is_terminal(pod) {
        return 0;
    }
    let own = pod.i64_at("spec.terminationGracePeriodSeconds");
    match asked.or(own).unwrap_or(0) {
        negative if negative < 0 => 1,
        secs => secs,
    }
}

/// Ties a pod to a node, as the subresource `binding` does. `now` is RFC 3339. Fails with upstream's
/// sentence if the pod cannot be bound any more.
pub fn bind(pod: &mut Value, binding: &Value, now: &str) -> Result<(), String> {
    let node = binding.str_at("target.name");
    let name = pod.name().to_owned();
    if pod.is_terminating() {
        return Err(format!(
            "pod {name} is being deleted, cannot be assigned to a host"
        ));
    }
    if !pods::node_name(pod).is_empty() {
        let taken = crate::go::quote(pods::node_name(pod));
        return Err(format!("pod {name} is already assigned to node {taken}"));
    }
    if !pod.list_at("spec.schedulingGates").is_empty() {
        return Err(format!("pod {name} has non-empty .spec.schedulingGates"));
    }
    pod.set("spec.nodeName", node);
    for (key, value) in binding.annotations() {
        pod.set_path(&["metadata", "annotations", key], value);
    }
    let scheduled = conditions::Condition {
        kind: "PodScheduled",
        status: "True",
        reason: "",
        message: "",
    };
    conditions::set(pod, scheduled, now);
    Ok(())
}

#[cfg(test)]
mod tests;
