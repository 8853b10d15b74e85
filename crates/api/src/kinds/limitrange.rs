//! LimitRange: how much each container, pod or claim of a namespace may ask for, and what it asks
//! for if it does not say.
//!
//! Models pkg/registry/core/limitrange, `ValidateLimitRange` and `SetDefaults_LimitRangeItem`.

use std::collections::BTreeSet;

use super::check::Errors;
use super::table::{self, Column};
use super::{Kind, check, resource_name};
use crate::field::{FieldError, Path};
use crate::{Quantity, Value, names};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "limitranges",
    singular: "limitrange",
    short_names: &["limits"],
    schema: "io.k8s.api.core.v1.LimitRange",
    storage: "limitranges",
    defaults,
    validate,
    columns: &[
        Column::NAME,
        Column {
            kind: "date",
            ..Column::text("Created At")
        },
    ],
    row: |object, _| {
        let created = object.metadata().get("creationTimestamp").clone();
        vec![table::name(object), created]
    },
    sample: SAMPLE,
    ..Kind::plain("", "v1", "LimitRange")
};

const SAMPLE: &str = "
apiVersion: v1
kind: LimitRange
metadata:
  name: sizes
spec:
  limits:
  - type: Container
    default:
      cpu: 500m
    defaultRequest:
      cpu: 100m
    max:
      cpu: '1'
";

/// What containers get that say nothing: the most they may have, else the least.
fn defaults(range: &mut Value) {
    if range.list_at("spec.limits").is_empty() {
        return;
    }
    for limit in range.list_mut("spec.limits") {
        if limit.str("type") != "Container" {
            continue;
        }
        for (from, to) in [
            ("max", "default"),
            ("default", "defaultRequest"),
            ("min", "defaultRequest"),
        ] {
            for (name, amount) in &limit.map_at(from).clone() {
                if !limit.map_at(to).contains_key(name) {
                    limit.set_path(&[to, name], amount);
                }
            }
        }
    }
}

fn validate(range: &Value, out: &mut Errors) {
    let spec = Path::new("spec");
    let path = spec.child("limits");
    let mut seen = BTreeSet::new();
    for (i, limit) in range.list_at("spec.limits").iter().enumerate() {
        let path = path.index(i);
        let kind = limit.str("type");
        type_name(kind, &path.child("type"), out);
        if !seen.insert(kind) {
            out.push(FieldError::duplicate(path.child("type"), kind));
        }
        let known = fields(limit, kind, &path, out);
        for name in known {
            compare(limit, name, &path, out);
        }
    }
}

fn type_name(kind: &str, path: &Path<'_>, out: &mut Errors) {
    let before = out.len();
    check::invalid(names::qualified_name(kind), *path, kind, out);
    let standard = ["Pod", "Container", "PersistentVolumeClaim"].contains(&kind);
    if out.len() == before && !kind.contains('/') && !standard {
        let text = "must be a standard limit type or fully qualified";
        out.push(FieldError::invalid(path, kind, text));
    }
}

/// Checks each field by itself. Gives the resources that are named anywhere.
fn fields<'a>(
    limit: &'a Value,
    kind: &str,
    path: &Path<'_>,
    out: &mut Errors,
) -> BTreeSet<&'a str> {
    let mut known = BTreeSet::new();
    for field in [
        "max",
        "min",
        "default",
        "defaultRequest",
        "maxLimitRequestRatio",
    ] {
        let amounts = limit.map_at(field);
        if kind == "Pod" && field.starts_with("default") {
            if !amounts.is_empty() {
                let text = "may not be specified when `type` is 'Pod'";
                out.push(FieldError::forbidden(path.child(field), text));
            }
            continue;
        }
        if kind == "PersistentVolumeClaim" && field == "maxLimitRequestRatio" {
            let named = |field: &str| limit.map_at(field).contains_key("storage");
            if !named("min") && !named("max") {
                let text = "either minimum or maximum storage value is required, but neither was \
                            provided";
                out.push(FieldError::required(path.child("limits"), text));
            }
        }
        for name in amounts.keys() {
            let field = path.child(field);
            match kind {
                "Pod" | "Container" => resource_name::of_container(name, field.key(name), out),
                _ => drop(resource_name::any(name, field.key(name), out)),
            }
            known.insert(name.as_str());
        }
    }
    known
}

/// Two amounts that contradict each other: the greater one, the lesser one, which field is blamed
/// with whose amount, and how they are called.
const ORDERS: [(&str, &str, &str, &str, &str, &str); 6] = [
    ("min", "max", "min", "min", "min", "max"),
    (
        "min",
        "defaultRequest",
        "defaultRequest",
        "defaultRequest",
        "min",
        "default request",
    ),
    (
        "defaultRequest",
        "max",
        "defaultRequest",
        "defaultRequest",
        "default request",
        "max",
    ),
    (
        "defaultRequest",
        "default",
        "defaultRequest",
        "defaultRequest",
        "default request",
        "default limit",
    ),
    ("min", "default", "default", "min", "min", "default"),
    ("default", "max", "default", "max", "default", "max"),
];

/// Checks the amounts of one resource against each other.
fn compare(limit: &Value, name: &str, of: &Path<'_>, out: &mut Errors) {
    let pod = limit.str("type") == "Pod";
    let amount = |field: &str| match pod && field.starts_with("default") {
        true => None,
        false => limit.map_at(field).get(name).and_then(Quantity::of),
    };
    for (low, high, field, shown, low_name, high_name) in ORDERS {
        let (Some(low), Some(high)) = (amount(low), amount(high)) else {
            continue;
        };
        if low > high {
            let text = format!("{low_name} value {low} is greater than {high_name} value {high}");
            let shown = limit.map_at(shown).str(name);
            out.push(FieldError::invalid(of.child(field).key(name), shown, text));
        }
    }
    let field = of.child("maxLimitRequestRatio");
    let path = field.key(name);
    if let Some(ratio) = amount("maxLimitRequestRatio") {
        if ratio < Quantity::from_milli(1000) {
            let text = format!("ratio {ratio} is less than 1");
            out.push(FieldError::invalid(path, ratio.to_string(), text));
        }
        if let (Some(min), Some(max)) = (amount("min"), amount("max")) {
            let most = max.as_f64() / min.as_f64();
            if ratio.as_f64() > most {
                let text = format!("ratio {ratio} is greater than max/min = {most:.6}");
                out.push(FieldError::invalid(path, ratio.to_string(), text));
            }
        }
    }
    let (default, request) = (amount("default"), amount("defaultRequest"));
    if let (Some(default), Some(request)) = (default, request)
        && default != request
        && (name.starts_with("hugepages-") || resource_name::is_extended(name))
    {
        let text = format!(
            "default value {default} must equal to defaultRequest value {request} in {name}"
        );
        let field = of.child("defaultRequest");
        out.push(FieldError::invalid(
            field.key(name),
            request.to_string(),
            text,
        ));
    }
}
