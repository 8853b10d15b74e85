//! ReplicaSet.
//!
//! Models pkg/registry/apps/replicaset, pkg/apis/apps/v1/defaults.go, pkg/apis/apps/validation and
//! `printReplicaSet`.

use sim::Instant;

use super::check::{self, Errors};
use super::pod::template;
use super::table::{self, Cell, Column};
use super::{Kind, Subresource, deployment};
use crate::field::Path;
use crate::selector::format_label_selector;
use crate::{Value, value};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "replicasets",
    singular: "replicaset",
    short_names: &["rs"],
    categories: &["all"],
    subresources: &[Subresource::scale(), Subresource::status("ReplicaSet")],
    schema: "io.k8s.api.apps.v1.ReplicaSet",
    storage: "replicasets",
    counts_generation: true,
    defaults: |object| {
        if !object.has("spec.replicas") {
            object.set("spec.replicas", 1);
        }
        template::defaults(object.at_mut("spec.template"));
    },
    prepare_for_create: |object| object.set("status", value!({ "replicas": 0 })),
    prepare_for_update: |new, old, subresource| {
        if subresource == "status" {
            template::keep_labels(new, old);
        }
    },
    validate,
    validate_update,
    warnings: template::warnings_of_named,
    columns: COLUMNS,
    row,
    sample: SAMPLE,
    ..Kind::plain("apps", "v1", "ReplicaSet")
};

const COLUMNS: &[Column] = &[
    Column::NAME,
    Column::integer("Desired"),
    Column::integer("Current"),
    Column::integer("Ready"),
    Column::AGE,
    Column::wide("Containers"),
    Column::wide("Images"),
    Column::wide("Selector"),
];

const SAMPLE: &str = "
apiVersion: apps/v1
kind: ReplicaSet
metadata:
  name: lone
spec:
  replicas: 2
  selector:
    matchLabels:
      app: lone
  template:
    metadata:
      labels:
        app: lone
    spec:
      containers:
      - name: c
        image: nginx
";

fn row(set: &Value, now: Instant) -> Vec<Cell> {
    let (spec, status) = (set.get("spec"), set.get("status"));
    let [names, images] = table::containers(spec.get("template"));
    vec![
        table::name(set),
        table::number(spec.get("replicas")),
        table::number(status.get("replicas")),
        table::number(status.get("readyReplicas")),
        table::age(set, now),
        names,
        images,
        format_label_selector(spec.get("selector")).into(),
    ]
}

fn validate(set: &Value, out: &mut Errors) {
    let (spec, path) = (set.get("spec"), Path::new("spec"));
    check::non_negative(spec, "replicas", &path, out);
    check::non_negative(spec, "minReadySeconds", &path, out);
    deployment::selector(spec, "replicaset", &path, out);
    template::validate_for_selector(spec, "ReplicaSet", &path, out);
}

fn validate_update(new: &Value, old: &Value, subresource: &str, out: &mut Errors) {
    if subresource.is_empty() {
        let (new, old) = (new.at("spec.selector"), old.at("spec.selector"));
        check::immutable(new, old, "spec.selector", out);
        return;
    }
    const COUNTS: [&str; 4] = [
        "replicas",
        "fullyLabeledReplicas",
        "readyReplicas",
        "availableReplicas",
    ];
    let pairs = [
        ("fullyLabeledReplicas", "replicas", "status.replicas"),
        ("readyReplicas", "replicas", "status.replicas"),
        ("availableReplicas", "replicas", "status.replicas"),
        ("availableReplicas", "readyReplicas", "readyReplicas"),
    ];
    check::counts(new.get("status"), &COUNTS, &pairs, out);
}
