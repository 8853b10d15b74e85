//! ReplicationController: what ReplicaSets came after.
//!
//! Models pkg/registry/core/replicationcontroller, pkg/apis/core/{v1/defaults,validation} and
//! `printReplicationController`.

use sim::Instant;

use super::check::{self, Errors};
use super::pod::template;
use super::table::{self, Cell, Column};
use super::{Kind, Subresource};
use crate::field::{FieldError, Path};
use crate::selector::LabelSelector;
use crate::{Value, value};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "replicationcontrollers",
    singular: "replicationcontroller",
    short_names: &["rc"],
    categories: &["all"],
    subresources: &[
        Subresource::scale(),
        Subresource::status("ReplicationController"),
    ],
    schema: "io.k8s.api.core.v1.ReplicationController",
    storage: "controllers",
    counts_generation: true,
    propagation: "Orphan",
    fields: &["status.replicas"],
    defaults,
    prepare_for_create: |object| object.set("status", value!({ "replicas": 0 })),
    prepare_for_update: |new, old, subresource| {
        if subresource == "status" {
            template::keep_labels(new, old);
        }
    },
    validate,
    warnings: template::warnings_of_named,
    columns: &[
        Column::NAME,
        Column::integer("Desired"),
        Column::integer("Current"),
        Column::integer("Ready"),
        Column::AGE,
        Column::wide("Containers"),
        Column::wide("Images"),
        Column::wide("Selector"),
    ],
    row,
    sample: "
apiVersion: v1
kind: ReplicationController
metadata:
  name: old
spec:
  replicas: 1
  selector:
    app: old
  template:
    metadata:
      labels:
        app: old
    spec:
      containers:
      - name: c
        image: nginx
",
    ..Kind::plain("", "v1", "ReplicationController")
};

/// One replica, and labels and selector of the template.
fn defaults(object: &mut Value) {
    if !object.has("spec.replicas") {
        object.set("spec.replicas", 1);
    }
    template::defaults(object.at_mut("spec.template"));
    let labels = object.at("spec.template.metadata.labels").clone();
    if !labels.entries().is_empty() {
        if object.map_at("spec.selector").is_empty() {
            object.set("spec.selector", &labels);
        }
        if object.labels().is_empty() {
            object.set("metadata.labels", &labels);
        }
    }
}

fn row(object: &Value, now: Instant) -> Vec<Cell> {
    let (spec, status) = (object.get("spec"), object.get("status"));
    let [names, images] = table::containers(spec.get("template"));
    vec![
        table::name(object),
        table::number(spec.get("replicas")),
        table::number(status.get("replicas")),
        table::number(status.get("readyReplicas")),
        table::age(object, now),
        names,
        images,
        table::labels(spec.map_at("selector")),
    ]
}

fn validate(object: &Value, out: &mut Errors) {
    let (spec, path) = (object.get("spec"), Path::new("spec"));
    check::non_negative(spec, "minReadySeconds", &path, out);
    let selector = spec.map_at("selector");
    if selector.is_empty() {
        out.push(FieldError::required(path.child("selector"), ""));
    }
    check::non_negative(spec, "replicas", &path, out);
    let (template, field) = (spec.get("template"), path.child("template"));
    if template.is_null() {
        out.push(FieldError::required(field, ""));
        return;
    }
    let labels = template.labels();
    if !selector.is_empty() && !LabelSelector::from_map(selector).matches(labels) {
        let text = "`selector` does not match template `labels`";
        let field = field.child("metadata");
        let value = template.at("metadata.labels");
        out.push(FieldError::invalid(field.child("labels"), value, text));
    }
    template::validate(template, &field, out);
    let policy = template.str_at("spec.restartPolicy");
    if !policy.is_empty() && policy != "Always" {
        let field = field.child("spec");
        let field = field.child("restartPolicy");
        out.push(FieldError::not_supported(field, policy, &["Always"]));
    }
}
