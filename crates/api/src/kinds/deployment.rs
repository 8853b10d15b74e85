//! Deployment.
//!
//! Models pkg/registry/apps/deployment, pkg/apis/apps/v1/defaults.go, pkg/apis/apps/validation and
//! `printDeployment`.

use sim::Instant;

use super::check::{self, Errors};
use super::pod::template;
use super::support::scaled;
use super::table::{self, Cell, Column};
use super::{Kind, Subresource};
use crate::field::{FieldError, Path};
use crate::selector::{LabelSelector, validate_label_selector};
use crate::{Value, names, object, value};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "deployments",
    singular: "deployment",
    short_names: &["deploy"],
    categories: &["all"],
    subresources: &[Subresource::scale(), Subresource::status("Deployment")],
    schema: "io.k8s.api.apps.v1.Deployment",
    storage: "deployments",
    counts_generation: true,
    defaults,
    prepare_for_create: |object| object.set("status", value!({})),
    prepare_for_update: |new, old, subresource| {
        if subresource == "status" {
            template::keep_labels(new, old);
        } else if new.annotations() != old.annotations() {
            // Annotations are copied to ReplicaSets, so they count as part of what is desired.
            new.set("metadata.generation", old.generation() + 1);
        }
    },
    validate,
    validate_update: |new, old, subresource, out| {
        if subresource.is_empty() {
            let (new, old) = (new.at("spec.selector"), old.at("spec.selector"));
            check::immutable(new, old, "spec.selector", out);
        } else {
            check::counts(new.get("status"), &COUNTS, &[], out);
        }
    },
    warnings: template::warnings_of_named,
    columns: COLUMNS,
    row,
    sample: SAMPLE,
    ..Kind::plain("apps", "v1", "Deployment")
};

/// Numbers of a status. That they fit each other is not asked: clients write one of them alone.
const COUNTS: [&str; 7] = [
    "observedGeneration",
    "replicas",
    "updatedReplicas",
    "readyReplicas",
    "availableReplicas",
    "unavailableReplicas",
    "collisionCount",
];
const COLUMNS: &[Column] = &[
    Column::NAME,
    Column::text("Ready"),
    Column::text("Up-to-date"),
    Column::text("Available"),
    Column::AGE,
    Column::wide("Containers"),
    Column::wide("Images"),
    Column::wide("Selector"),
];

const SAMPLE: &str = "
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels:
    app: web
spec:
  replicas: 3
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
      - name: nginx
        image: nginx:1.27
        ports:
        - containerPort: 80
";

fn defaults(deployment: &mut Value) {
    let spec = deployment.at_mut("spec");
    let mut default = |path: &str, value: Value| {
        if !spec.has(path) {
            spec.set(path, value);
        }
    };
    default("progressDeadlineSeconds", 600.into());
    default("replicas", 1.into());
    default("revisionHistoryLimit", 10.into());
    default("strategy.type", "RollingUpdate".into());
    if spec.str_at("strategy.type") == "RollingUpdate" {
        for field in ["maxSurge", "maxUnavailable"] {
            let path = format!("strategy.rollingUpdate.{field}");
            if !spec.has(&path) {
                spec.set(&path, "25%");
            }
        }
    }
    template::defaults(spec.at_mut("template"));
}

fn row(deployment: &Value, now: Instant) -> Vec<Cell> {
    let (spec, status) = (deployment.get("spec"), deployment.get("status"));
    let ready = status.get("readyReplicas").as_i64().unwrap_or(0);
    let desired = spec.get("replicas").as_i64().unwrap_or(0);
    let selector = LabelSelector::from_object(spec.get("selector"));
    let selector = selector.map_or_else(|_| "<invalid>".to_owned(), |s| s.to_string());
    let [names, images] = table::containers(spec.get("template"));
    vec![
        table::name(deployment),
        format!("{ready}/{desired}").into(),
        table::number(status.get("updatedReplicas")),
        table::number(status.get("availableReplicas")),
        table::age(deployment, now),
        names,
        images,
        selector.into(),
    ]
}

fn validate(deployment: &Value, out: &mut Errors) {
    let (spec, path) = (deployment.get("spec"), Path::new("spec"));
    check::non_negative(spec, "replicas", &path, out);
    selector(spec, "deployment", &path, out);
    template::validate_for_selector(spec, "ReplicaSet", &path, out);
    strategy(spec.get("strategy"), &path.child("strategy"), out);
    for key in [
        "minReadySeconds",
        "revisionHistoryLimit",
        "progressDeadlineSeconds",
    ] {
        check::non_negative(spec, key, &path, out);
    }
    let min_ready = spec.get("minReadySeconds").as_i64().unwrap_or(0);
    let deadline = spec.get("progressDeadlineSeconds").as_i64();
    if let Some(deadline) = deadline.filter(|deadline| *deadline <= min_ready) {
        let path = path.child("progressDeadlineSeconds");
        out.push(FieldError::invalid(
            path,
            deadline,
            "must be greater than minReadySeconds",
        ));
    }
}

/// The selector of a workload: there, well formed and not empty.
pub(super) fn selector(spec: &Value, kind: &str, path: &Path<'_>, out: &mut Errors) {
    let path = path.child("selector");
    let selector = spec.get("selector");
    if selector.is_null() {
        out.push(FieldError::required(path, ""));
        return;
    }
    out.extend(validate_label_selector(selector, &path));
    let parts = selector.map_at("matchLabels").len() + selector.list_at("matchExpressions").len();
    if parts == 0 {
        let text = format!("empty selector is invalid for {kind}");
        out.push(FieldError::invalid(path, selector, text));
    }
}

fn strategy(strategy: &Value, path: &Path<'_>, out: &mut Errors) {
    let rolling = strategy.get("rollingUpdate");
    let rolling_path = path.child("rollingUpdate");
    match strategy.str("type") {
        "Recreate" if !rolling.is_null() => {
            let text = "may not be specified when strategy `type` is 'Recreate'";
            out.push(FieldError::forbidden(rolling_path, text));
        }
        "Recreate" => {}
        "RollingUpdate" => rolling_update(rolling, &rolling_path, out),
        kind => {
            let shown = object! { "Type": kind, "RollingUpdate": rolling };
            out.push(FieldError::not_supported(
                path,
                shown,
                &["Recreate", "RollingUpdate"],
            ));
        }
    }
}

fn rolling_update(rolling: &Value, path: &Path<'_>, out: &mut Errors) {
    let (surge, unavailable) = (rolling.get("maxSurge"), rolling.get("maxUnavailable"));
    int_or_percent(unavailable, &path.child("maxUnavailable"), out);
    int_or_percent(surge, &path.child("maxSurge"), out);
    let number = |value: &Value| scaled::plain(value).0;
    let path = path.child("maxUnavailable");
    if number(surge) == 0 && number(unavailable) == 0 {
        let text = "may not be 0 when `maxSurge` is 0";
        out.push(FieldError::invalid(path, unavailable, text));
    }
    at_most_all(unavailable, &path, out);
}

/// A share of pods that, if given in percent, must not be more than there are.
pub(super) fn at_most_all(share: &Value, path: &Path<'_>, out: &mut Errors) {
    if let (101.., true) = scaled::plain(share) {
        let text = "must not be greater than 100%";
        out.push(FieldError::invalid(*path, share, text));
    }
}

/// A count or a share of pods, well formed and not below zero.
pub(super) fn int_or_percent(value: &Value, path: &Path<'_>, out: &mut Errors) {
    match value {
        Value::Str(text) => check::invalid(names::percent(text), *path, text, out),
        Value::Int(number) if *number < 0 => {
            let text = "must be greater than or equal to 0";
            out.push(FieldError::invalid(path, *number, text));
        }
        _ => {}
    }
}
