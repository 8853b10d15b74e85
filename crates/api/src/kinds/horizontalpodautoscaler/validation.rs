//! What is wrong with a HorizontalPodAutoscaler.
//!
//! Models pkg/apis/autoscaling/validation.

use crate::field::{FieldError, Path};
use crate::kinds::check::{self, Errors};
use crate::kinds::resource_name;
use crate::quantity::Quantity;
use crate::{Value, names};

/// Kinds of metrics, with the fields that tell of them, in the order in which upstream looks.
const SOURCES: [(&str, &str); 5] = [
    ("Object", "object"),
    ("External", "external"),
    ("Pods", "pods"),
    ("Resource", "resource"),
    ("ContainerResource", "containerResource"),
];
const LONGEST_PERIOD: i64 = 1800;
const LONGEST_WINDOW: i64 = 3600;

pub(super) fn validate(scaler: &Value, out: &mut Errors) {
    let (spec, path) = (scaler.get("spec"), Path::new("spec"));
    let least = spec.i64_at("minReplicas").unwrap_or(1);
    let most = spec.i64_at("maxReplicas").unwrap_or(0);
    if least < 1 {
        let text = "must be greater than or equal to 1";
        out.push(FieldError::invalid(path.child("minReplicas"), least, text));
    }
    if most < 1 {
        let text = "must be set and greater than 0";
        out.push(FieldError::required(path.child("maxReplicas"), text));
    }
    if most < least {
        let text = "must be greater than or equal to `minReplicas`";
        out.push(FieldError::invalid(path.child("maxReplicas"), most, text));
    }
    let target = spec.get("scaleTargetRef");
    reference(target, &path.child("scaleTargetRef"), out);
    api_version(target, &path.child("scaleTargetRef"), out);
    let metrics_path = path.child("metrics");
    let metrics = spec.list_at("metrics");
    for (i, metric) in metrics.iter().enumerate() {
        validate_metric(metric, &metrics_path.index(i), out);
    }
    let others = |metric: &Value| matches!(metric.str("type"), "Object" | "External");
    if least == 0 && !metrics.iter().any(others) {
        let text = "must specify at least one Object or External metric to support scaling to zero \
                    replicas";
        out.push(FieldError::forbidden(metrics_path, text));
    }
    let (behavior, path) = (spec.get("behavior"), path.child("behavior"));
    for direction in ["scaleUp", "scaleDown"] {
        if behavior.has(direction) {
            rules(behavior.get(direction), &path.child(direction), out);
        }
    }
}

fn reference(of: &Value, path: &Path<'_>, out: &mut Errors) {
    for key in ["kind", "name"] {
        check::named(of, key, names::path_segment, path, out);
    }
}

/// What is scaled belongs to a group; only ReplicationControllers are of the group without a name.
fn api_version(reference: &Value, path: &Path<'_>, out: &mut Errors) {
    let version = reference.str("apiVersion");
    let text = match version.matches('/').count() {
        0 if reference.str("kind") != "ReplicationController" => {
            "apiVersion must specify API group".to_owned()
        }
        0 | 1 => return,
        _ => format!("unexpected GroupVersion string: {version}"),
    };
    out.push(FieldError::invalid(path.child("apiVersion"), version, text));
}

fn validate_metric(metric: &Value, path: &Path<'_>, out: &mut Errors) {
    let kind = metric.str("type");
    if kind.is_empty() {
        let text = "must specify a metric source type";
        out.push(FieldError::required(path.child("type"), text));
    }
    let mut known = SOURCES.map(|(kind, _)| kind);
    known.sort_unstable();
    check::known_word(metric, "type", &known, path, out);
    let present = SOURCES.iter().filter(|(_, field)| metric.has(field));
    if let Some((_, field)) = present.clone().next() {
        source(field, metric.get(field), &path.child(field), out);
    }
    match SOURCES.iter().find(|(known, _)| *known == kind) {
        Some((_, field)) if !metric.has(field) => {
            let text = "must populate information for the given metric source";
            out.push(FieldError::required(path.child(field), text));
        }
        Some(_) => {}
        None => check::known_word(metric, "type", &known, path, out),
    }
    if present.clone().count() != 1 {
        for (_, field) in present.filter(|(other, _)| *other != kind) {
            let text = "must populate the given metric source only";
            out.push(FieldError::forbidden(path.child(field), text));
        }
    }
}

fn source(field: &str, of: &Value, path: &Path<'_>, out: &mut Errors) {
    match field {
        "object" => reference(
            of.get("describedObject"),
            &path.child("describedObject"),
            out,
        ),
        "resource" | "containerResource" => match of.str("name") {
            "" => {
                let text = "must specify a resource name";
                out.push(FieldError::required(path.child("name"), text));
            }
            name if field == "containerResource" => {
                resource_name::of_container(name, path.child("name"), out);
            }
            _ => {}
        },
        _ => {}
    }
    if field == "containerResource" {
        match of.str("container") {
            "" => {
                let text = "must specify a container";
                out.push(FieldError::required(path.child("container"), text));
            }
            _ => check::named(of, "container", names::dns1123_label, path, out),
        }
    }
    if !field.to_lowercase().ends_with("resource") {
        let (name, path) = (of.str_at("metric.name"), path.child("metric"));
        match name {
            "" => {
                let text = "must specify a metric name";
                out.push(FieldError::required(path.child("name"), text));
            }
            name => check::invalid(names::path_segment(name), path.child("name"), name, out),
        }
    }
    let (target, path) = (of.get("target"), path.child("target"));
    validate_target(target, &path, out);
    aims(field, target, &path, out);
}

fn validate_target(target: &Value, path: &Path<'_>, out: &mut Errors) {
    let kind = target.str("type");
    if kind.is_empty() {
        let text = "must specify a metric target type";
        out.push(FieldError::required(path.child("type"), text));
    }
    if !matches!(kind, "Utilization" | "Value" | "AverageValue") {
        let text = "must be either Utilization, Value, or AverageValue";
        out.push(FieldError::invalid(path.child("type"), kind, text));
    }
    for key in ["value", "averageValue"] {
        if let Some(amount) = Quantity::of(target.get(key)).filter(|amount| amount.sign() <= 0) {
            let amount = amount.to_string();
            out.push(FieldError::invalid(
                path.child(key),
                amount,
                "must be positive",
            ));
        }
    }
    if let Some(share) = target
        .i64_at("averageUtilization")
        .filter(|share| *share < 1)
    {
        let path = path.child("averageUtilization");
        out.push(FieldError::invalid(path, share, "must be greater than 0"));
    }
}

/// What of a target has to be there, and what cannot be there as well.
fn aims(field: &str, target: &Value, path: &Path<'_>, out: &mut Errors) {
    let (value, average) = (target.has("value"), target.has("averageValue"));
    let share = target.has("averageUtilization");
    let (needed, missing) = match field {
        "object" if !value && !average => (
            "averageValue",
            "must set either a target value or averageValue",
        ),
        "external" if !value && !average => (
            "averageValue",
            "must set either a target value for metric or a per-pod target",
        ),
        "pods" if !average => (
            "averageValue",
            "must specify a positive target averageValue",
        ),
        "resource" | "containerResource" if !share && !average => (
            "averageUtilization",
            "must set either a target raw value or a target utilization",
        ),
        _ => ("", ""),
    };
    if !needed.is_empty() {
        out.push(FieldError::required(path.child(needed), missing));
    }
    let (key, text) = match field {
        "external" if value && average => (
            "value",
            "may not set both a target value for metric and a per-pod target",
        ),
        "resource" | "containerResource" if share && average => (
            "averageValue",
            "may not set both a target raw value and a target utilization",
        ),
        _ => return,
    };
    out.push(FieldError::forbidden(path.child(key), text));
}

/// How fast to go in one direction.
fn rules(rules: &Value, path: &Path<'_>, out: &mut Errors) {
    if let Some(secs) = rules.i64_at("stabilizationWindowSeconds") {
        let path = path.child("stabilizationWindowSeconds");
        if secs < 0 {
            let text = "must be greater than or equal to zero";
            out.push(FieldError::invalid(path, secs, text));
        }
        at_most(secs, LONGEST_WINDOW, &path, out);
    }
    if rules.has("selectPolicy") {
        check::known_word(
            rules,
            "selectPolicy",
            &["Disabled", "Max", "Min"],
            path,
            out,
        );
    }
    let (policies, list_path) = (rules.list_at("policies"), path.child("policies"));
    if policies.is_empty() {
        let text = "must specify at least one Policy";
        out.push(FieldError::required(list_path, text));
    }
    for (i, policy) in policies.iter().enumerate() {
        let path = list_path.index(i);
        check::known_word(policy, "type", &["Percent", "Pods"], &path, out);
        for key in ["value", "periodSeconds"] {
            let number = policy.i64_at(key).unwrap_or(0);
            if number <= 0 {
                let text = "must be greater than zero";
                out.push(FieldError::invalid(path.child(key), number, text));
            }
        }
        let secs = policy.i64_at("periodSeconds").unwrap_or(0);
        at_most(secs, LONGEST_PERIOD, &path.child("periodSeconds"), out);
    }
}

fn at_most(number: i64, most: i64, path: &Path<'_>, out: &mut Errors) {
    if number > most {
        let text = format!("must be less than or equal to {most}");
        out.push(FieldError::invalid(path, number, text));
    }
}
