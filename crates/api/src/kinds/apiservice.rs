//! APIService: who serves a version of an API group.
//!
//! Models k8s.io/kube-aggregator/pkg/registry/apiservice and pkg/apis/apiregistration.

use sim::Instant;

use super::check::Errors;
use super::table::{self, Cell, Column};
use super::{Kind, Subresource};
use crate::field::{FieldError, Path};
use crate::{Value, names, value};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "apiservices",
    singular: "apiservice",
    categories: &["api-extensions"],
    namespaced: false,
    subresources: &[Subresource::status("APIService")],
    schema: "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService",
    storage: "apiregistration.k8s.io/apiservices",
    name: names::path_segment,
    defaults: |service| {
        if service.has("spec.service") && !service.has("spec.service.port") {
            service.set("spec.service.port", 443);
        }
    },
    prepare_for_create: |service| {
        service.set("status", value!({}));
        // Where no Service is named, the server that is asked serves it itself.
        if !service.has("spec.service") {
            let since = service.creation_timestamp().to_owned();
            service.set(
                "status",
                value!({
                    "conditions": [{
                        "lastTransitionTime": since,
                        "message": "Local APIServices are always available",
                        "reason": "Local",
                        "status": "True",
                        "type": "Available",
                    }],
                }),
            );
        }
    },
    validate,
    columns: &[
        Column::NAME,
        Column::text("Service"),
        Column::text("Available"),
        Column::AGE,
    ],
    row,
    sample: "
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata:
  name: v1.metrics.example.com
spec:
  group: metrics.example.com
  version: v1
  groupPriorityMinimum: 100
  versionPriority: 10
  service:
    name: metrics
    namespace: default
",
    ..Kind::plain("apiregistration.k8s.io", "v1", "APIService")
};

fn row(service: &Value, now: Instant) -> Vec<Cell> {
    let target = service.at("spec.service");
    let target = match target.is_null() {
        true => "Local".to_owned(),
        false => format!("{}/{}", target.str("namespace"), target.str("name")),
    };
    let mut conditions = service.list_at("status.conditions").iter();
    let available = match conditions.find(|condition| condition.str("type") == "Available") {
        None => "Unknown".to_owned(),
        Some(condition) if condition.str("status") == "True" => "True".to_owned(),
        Some(condition) => format!("{} ({})", condition.str("status"), condition.str("reason")),
    };
    vec![
        table::name(service),
        target.into(),
        available.into(),
        table::age(service, now),
    ]
}

fn validate(service: &Value, out: &mut Errors) {
    let (spec, path) = (service.get("spec"), Path::new("spec"));
    let required = format!("{}.{}", spec.str("version"), spec.str("group"));
    if service.name() != required {
        let text = format!("must be `spec.version+\".\"+spec.group`: \"{required}\"");
        out.push(FieldError::invalid("metadata.name", service.name(), text));
    }
    for (key, most) in [("groupPriorityMinimum", 20_000), ("versionPriority", 1000)] {
        let priority = spec.i64_at(key).unwrap_or(0);
        if priority <= 0 || priority > most {
            let text = format!("must be positive and less than {most}");
            out.push(FieldError::invalid(path.child(key), priority, text));
        }
    }
    let target = spec.get("service");
    if !target.is_null() {
        let path = path.child("service");
        for key in ["namespace", "name"] {
            if target.str(key).is_empty() {
                out.push(FieldError::required(path.child(key), ""));
            }
        }
    }
}
