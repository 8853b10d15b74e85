//! PodDisruptionBudget: how many pods of a set may be taken away on purpose.
//!
//! Models pkg/registry/policy/poddisruptionbudget, pkg/apis/policy/validation and
//! `printPodDisruptionBudget`.

use sim::Instant;

use super::check::{self, Errors};
use super::deployment::{at_most_all, int_or_percent};
use super::table::{self, Cell, Column};
use super::{Kind, Subresource};
use crate::field::{FieldError, Path};
use crate::selector::validate_label_selector;
use crate::{Value, value};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "poddisruptionbudgets",
    singular: "poddisruptionbudget",
    short_names: &["pdb"],
    subresources: &[Subresource::status("PodDisruptionBudget")],
    schema: "io.k8s.api.policy.v1.PodDisruptionBudget",
    storage: "poddisruptionbudgets",
    counts_generation: true,
    unconditional_update: false,
    prepare_for_create: |object| {
        let none = value!({
            "currentHealthy": 0,
            "desiredHealthy": 0,
            "disruptionsAllowed": 0,
            "expectedPods": 0,
        });
        object.set("status", none);
    },
    validate,
    validate_update: |new, _, subresource, out| {
        if subresource == "status" {
            validate_status(new, out);
        }
    },
    columns: COLUMNS,
    row,
    sample: SAMPLE,
    ..Kind::plain("policy", "v1", "PodDisruptionBudget")
};

const COLUMNS: &[Column] = &[
    Column::NAME,
    Column::text("Min Available"),
    Column::text("Max Unavailable"),
    Column::integer("Allowed Disruptions"),
    Column::AGE,
];

const SAMPLE: &str = "
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: web
spec:
  minAvailable: 2
  selector:
    matchLabels:
      app: web
";

fn row(budget: &Value, now: Instant) -> Vec<Cell> {
    let amount = |field: &str| match budget.get("spec").get(field) {
        Value::Null => "N/A".into(),
        Value::Str(share) => Cell::from(share.as_str()),
        count => count.to_json().into(),
    };
    vec![
        table::name(budget),
        amount("minAvailable"),
        amount("maxUnavailable"),
        table::number(budget.at("status.disruptionsAllowed")),
        table::age(budget, now),
    ]
}

fn validate(budget: &Value, out: &mut Errors) {
    let (spec, path) = (budget.get("spec"), Path::new("spec"));
    let (min, max) = (spec.get("minAvailable"), spec.get("maxUnavailable"));
    if !min.is_null() && !max.is_null() {
        let text = "minAvailable and maxUnavailable cannot be both set";
        out.push(FieldError::invalid(path, spec, text).shown_as(as_in_go(spec)));
    }
    for (field, amount) in [("minAvailable", min), ("maxUnavailable", max)] {
        int_or_percent(amount, &path.child(field), out);
        at_most_all(amount, &path.child(field), out);
    }
    let selector = spec.get("selector");
    if !selector.is_null() {
        out.extend(validate_label_selector(selector, &path.child("selector")));
    }
    let policies = ["AlwaysAllow", "IfHealthyBudget"];
    check::one_of_if_set(spec, "unhealthyPodEvictionPolicy", &policies, &path, out);
}

/// The spec as upstream's internal type is written: fields in the order of the struct.
fn as_in_go(spec: &Value) -> String {
    let fields = [
        ("MinAvailable", "minAvailable"),
        ("Selector", "selector"),
        ("MaxUnavailable", "maxUnavailable"),
        ("UnhealthyPodEvictionPolicy", "unhealthyPodEvictionPolicy"),
    ];
    let fields = fields.map(|(name, field)| format!("\"{name}\":{}", spec.get(field).to_json()));
    format!("{{{}}}", fields.join(","))
}

fn validate_status(budget: &Value, out: &mut Errors) {
    let (status, path) = (budget.get("status"), Path::new("status"));
    for key in [
        "disruptionsAllowed",
        "currentHealthy",
        "desiredHealthy",
        "expectedPods",
    ] {
        check::non_negative(status, key, &path, out);
    }
}
