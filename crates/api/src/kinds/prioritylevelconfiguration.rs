//! PriorityLevelConfiguration: how many requests of a priority are served at once.
//!
//! Models pkg/registry/flowcontrol/prioritylevelconfiguration, pkg/apis/flowcontrol/v1/defaults.go
//! and `printPriorityLevelConfiguration`.

use sim::Instant;

use super::check::{self, Errors};
use super::table::{self, Cell, Column};
use super::{Kind, Subresource};
use crate::field::{FieldError, Path};
use crate::{Value, value};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "prioritylevelconfigurations",
    singular: "prioritylevelconfiguration",
    namespaced: false,
    subresources: &[Subresource::status("PriorityLevelConfiguration")],
    schema: "io.k8s.api.flowcontrol.v1.PriorityLevelConfiguration",
    storage: "prioritylevelconfigurations",
    counts_generation: true,
    defaults,
    prepare_for_create: |level| level.set("status", value!({})),
    validate,
    columns: &[
        Column::NAME,
        Column::text("Type"),
        Column::text("NominalConcurrencyShares"),
        Column::text("Queues"),
        Column::text("HandSize"),
        Column::text("QueueLengthLimit"),
        Column::AGE,
    ],
    row,
    sample: "
apiVersion: flowcontrol.apiserver.k8s.io/v1
kind: PriorityLevelConfiguration
metadata:
  name: robots
spec:
  type: Limited
  limited:
    limitResponse:
      type: Queue
      queuing: {}
",
    ..Kind::plain(
        "flowcontrol.apiserver.k8s.io",
        "v1",
        "PriorityLevelConfiguration",
    )
};

fn defaults(level: &mut Value) {
    let mut fill = |within: &str, key: &str, value: i64| {
        let path = format!("{within}.{key}");
        if level.has(within) && !level.has(&path) {
            level.set(&path, value);
        }
    };
    fill("spec.exempt", "nominalConcurrencyShares", 0);
    fill("spec.exempt", "lendablePercent", 0);
    fill("spec.limited", "nominalConcurrencyShares", 30);
    fill("spec.limited", "lendablePercent", 0);
    // These count as left out when they are zero.
    let queuing = "spec.limited.limitResponse.queuing";
    for (key, value) in [("queues", 64), ("handSize", 8), ("queueLengthLimit", 50)] {
        let path = format!("{queuing}.{key}");
        if level.has(queuing) && level.i64_at(&path).unwrap_or(0) == 0 {
            level.set(&path, value);
        }
    }
}

fn row(level: &Value, now: Instant) -> Vec<Cell> {
    let shown = |path: &str| match level.at(path) {
        Value::Null => "<none>".into(),
        number => number.clone(),
    };
    let queuing = |key: &str| shown(&format!("spec.limited.limitResponse.queuing.{key}"));
    vec![
        table::name(level),
        level.at("spec.type").clone(),
        shown("spec.limited.nominalConcurrencyShares"),
        queuing("queues"),
        queuing("handSize"),
        queuing("queueLengthLimit"),
        table::age(level, now),
    ]
}

fn validate(level: &Value, out: &mut Errors) {
    let (spec, path) = (level.get("spec"), Path::new("spec"));
    check::one_of(spec, "type", &["Exempt", "Limited"], &path, out);
    let limited = spec.get("limited");
    match spec.str("type") {
        "Limited" if limited.is_null() => {
            let text = "must not be empty when type is Limited";
            out.push(FieldError::required(path.child("limited"), text));
        }
        "Exempt" if !limited.is_null() => {
            let text = "must be nil if the type is not Limited";
            out.push(FieldError::forbidden(path.child("limited"), text));
        }
        "Limited" => {
            let (response, field) = (limited.get("limitResponse"), path.child("limited"));
            let field = field.child("limitResponse");
            check::one_of(response, "type", &["Queue", "Reject"], &field, out);
        }
        _ => {}
    }
}
