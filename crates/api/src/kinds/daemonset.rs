//! DaemonSet.
//!
//! Models pkg/registry/apps/daemonset, pkg/apis/apps/v1/{defaults,conversion}.go,
//! pkg/apis/apps/validation and `printDaemonSet`.

use sim::Instant;

use super::check::{self, Errors};
use super::deployment::{at_most_all, int_or_percent};
use super::pod::template;
use super::support::scaled;
use super::table::{self, Cell, Column};
use super::{Kind, Subresource};
use crate::field::{FieldError, Path};
use crate::selector::{format_label_selector, validate_label_selector};
use crate::{Value, object, value};

/// Counts the changes of the template. It was a field once; apps/v1 keeps it as an annotation.
pub const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "daemonsets",
    singular: "daemonset",
    short_names: &["ds"],
    categories: &["all"],
    subresources: &[Subresource::status("DaemonSet")],
    schema: "io.k8s.api.apps.v1.DaemonSet",
    storage: "daemonsets",
    counts_generation: true,
    defaults,
    prepare_for_create: |object| {
        let none = value!({
            "currentNumberScheduled": 0,
            "desiredNumberScheduled": 0,
            "numberMisscheduled": 0,
            "numberReady": 0,
        });
        object.set("status", none);
        let generation = template_generation(object).max(1);
        object.set_annotation(TEMPLATE_GENERATION, &generation.to_string());
    },
    prepare_for_update: |new, old, subresource| {
        if subresource == "status" {
            template::keep_labels(new, old);
            return;
        }
        let same = new.at("spec.template").same(old.at("spec.template"));
        let generation = template_generation(old) + i64::from(!same);
        new.set_annotation(TEMPLATE_GENERATION, &generation.to_string());
    },
    validate,
    validate_update,
    warnings: template::warnings_of,
    columns: COLUMNS,
    row,
    sample: SAMPLE,
    ..Kind::plain("apps", "v1", "DaemonSet")
};

const COLUMNS: &[Column] = &[
    Column::NAME,
    Column::integer("Desired"),
    Column::integer("Current"),
    Column::integer("Ready"),
    Column::integer("Up-to-date"),
    Column::integer("Available"),
    Column::text("Node Selector"),
    Column::AGE,
    Column::wide("Containers"),
    Column::wide("Images"),
    Column::wide("Selector"),
];

const SAMPLE: &str = "
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: agent
spec:
  selector:
    matchLabels:
      app: agent
  template:
    metadata:
      labels:
        app: agent
    spec:
      nodeSelector:
        kubernetes.io/os: linux
      containers:
      - name: c
        image: busybox
";

fn template_generation(set: &Value) -> i64 {
    set.annotation(TEMPLATE_GENERATION).parse().unwrap_or(0)
}

fn defaults(set: &mut Value) {
    let spec = set.at_mut("spec");
    let mut default = |path: &str, value: Value| {
        if !spec.has(path) {
            spec.set(path, value);
        }
    };
    default("revisionHistoryLimit", 10.into());
    default("updateStrategy.type", "RollingUpdate".into());
    if spec.str_at("updateStrategy.type") == "RollingUpdate" {
        for (field, count) in [("maxUnavailable", 1), ("maxSurge", 0)] {
            let path = format!("updateStrategy.rollingUpdate.{field}");
            if !spec.has(&path) {
                spec.set(&path, count);
            }
        }
    }
    template::defaults(spec.at_mut("template"));
}

fn row(set: &Value, now: Instant) -> Vec<Cell> {
    let (spec, status) = (set.get("spec"), set.get("status"));
    let [names, images] = table::containers(spec.get("template"));
    vec![
        table::name(set),
        table::number(status.get("desiredNumberScheduled")),
        table::number(status.get("currentNumberScheduled")),
        table::number(status.get("numberReady")),
        table::number(status.get("updatedNumberScheduled")),
        table::number(status.get("numberAvailable")),
        table::labels(spec.map_at("template.spec.nodeSelector")),
        table::age(set, now),
        names,
        images,
        format_label_selector(spec.get("selector")).into(),
    ]
}

fn validate(set: &Value, out: &mut Errors) {
    let (spec, path) = (set.get("spec"), Path::new("spec"));
    let selector = spec.get("selector");
    let selector_path = path.child("selector");
    if !selector.is_null() {
        out.extend(validate_label_selector(selector, &selector_path));
        let (labels, expressions) = ("matchLabels", "matchExpressions");
        if selector.map_at(labels).is_empty() && selector.list_at(expressions).is_empty() {
            let text = "empty selector is invalid for daemonset";
            out.push(FieldError::invalid(selector_path, selector, text));
        }
    }
    template::validate_for_selector(spec, "DaemonSet", &path, out);
    check::non_negative(spec, "minReadySeconds", &path, out);
    strategy(
        spec.get("updateStrategy"),
        &path.child("updateStrategy"),
        out,
    );
    check::non_negative(spec, "revisionHistoryLimit", &path, out);
}

fn strategy(strategy: &Value, path: &Path<'_>, out: &mut Errors) {
    let rolling = strategy.get("rollingUpdate");
    let rolling_path = path.child("rollingUpdate");
    match strategy.str("type") {
        "OnDelete" => {}
        "RollingUpdate" if rolling.is_null() => {
            out.push(FieldError::required(rolling_path, ""));
        }
        "RollingUpdate" => rolling_update(rolling, &rolling_path, out),
        kind => {
            let shown = object! { "Type": kind, "RollingUpdate": rolling };
            let known = ["RollingUpdate", "OnDelete"];
            out.push(FieldError::not_supported(path, shown, &known));
        }
    }
}

/// Either pods go before their successors come, or after; so exactly one of both is not 0.
fn rolling_update(rolling: &Value, path: &Path<'_>, out: &mut Errors) {
    let (surge, unavailable) = (rolling.get("maxSurge"), rolling.get("maxUnavailable"));
    let (surge_path, unavailable_path) = (path.child("maxSurge"), path.child("maxUnavailable"));
    int_or_percent(unavailable, &unavailable_path, out);
    int_or_percent(surge, &surge_path, out);
    at_most_all(unavailable, &unavailable_path, out);
    at_most_all(surge, &surge_path, out);
    match (scaled::plain(unavailable).0, scaled::plain(surge).0) {
        (0, 0) => {
            let text = "cannot be 0 when maxSurge is 0";
            out.push(FieldError::required(unavailable_path, text));
        }
        (0, _) | (_, 0) => {}
        _ => {
            let text = "may not be set when maxUnavailable is non-zero";
            out.push(FieldError::invalid(surge_path, surge, text));
        }
    }
}

fn validate_update(new: &Value, old: &Value, subresource: &str, out: &mut Errors) {
    if subresource.is_empty() {
        let (new, old) = (new.at("spec.selector"), old.at("spec.selector"));
        check::immutable(new, old, "spec.selector", out);
        return;
    }
    const COUNTS: [&str; 9] = [
        "currentNumberScheduled",
        "numberMisscheduled",
        "desiredNumberScheduled",
        "numberReady",
        "observedGeneration",
        "updatedNumberScheduled",
        "numberAvailable",
        "numberUnavailable",
        "collisionCount",
    ];
    check::counts(new.get("status"), &COUNTS, &[], out);
}
