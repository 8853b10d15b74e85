//! What is wrong with what a pod says of where it wants to run.
//!
//! Models `validateAffinity`, `ValidateTolerations` and `validateTopologySpreadConstraints` of
//! pkg/apis/core/validation/validation.go.

use crate::field::{FieldError, Path};
use crate::kinds::check::{self, Errors};
use crate::selector::validate_label_selector;
use crate::{Value, names};

const EFFECTS: &[&str] = &["NoSchedule", "PreferNoSchedule", "NoExecute"];
const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// What is wrong with the tolerations at `path`.
pub(super) fn validate_tolerations(all: &[Value], path: &Path<'_>, out: &mut Errors) {
    for (i, toleration) in all.iter().enumerate() {
        let path = path.index(i);
        check::named_if_set(toleration, "key", names::qualified_name, &path, out);
        let (key, operator) = (toleration.str("key"), toleration.str("operator"));
        let operator_path = path.child("operator");
        if key.is_empty() && operator != "Exists" {
            let text = "operator must be Exists when `key` is empty, which means \"match all \
                        values and all keys\"";
            out.push(FieldError::invalid(operator_path, operator, text));
        }
        let timed = toleration.has("tolerationSeconds");
        if timed && toleration.str("effect") != "NoExecute" {
            let text = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            out.push(FieldError::invalid(
                path.child("effect"),
                toleration.str("effect"),
                text,
            ));
        }
        match operator {
            "" | "Equal" => {
                let value = toleration.str("value");
                let messages = names::label_value(value);
                if !messages.is_empty() {
                    out.push(FieldError::invalid(
                        operator_path,
                        value,
                        messages.join(";"),
                    ));
                }
            }
            "Exists" if !toleration.str("value").is_empty() => {
                let text = "value must be empty when `operator` is 'Exists'";
                out.push(FieldError::invalid(
                    operator_path,
                    toleration.str("value"),
                    text,
                ));
            }
            "Exists" => {}
            other => {
                out.push(FieldError::not_supported(
                    operator_path,
                    other,
                    &["Equal", "Exists"],
                ));
            }
        }
        check::one_of_if_set(toleration, "effect", EFFECTS, &path, out);
    }
}

/// What is wrong with `topologySpreadConstraints` of the spec at `path`.
pub(super) fn validate_spread(spec: &Value, path: &Path<'_>, out: &mut Errors) {
    let all = spec.list_at("topologySpreadConstraints");
    let root = path.child("topologySpreadConstraints");
    for (i, constraint) in all.iter().enumerate() {
        let path = root.index(i);
        let skew = constraint.get("maxSkew").as_i64().unwrap_or(0);
        if skew <= 0 {
            let text = "must be greater than zero";
            out.push(FieldError::invalid(path.child("maxSkew"), skew, text));
        }
        if constraint.str("topologyKey").is_empty() {
            out.push(FieldError::required(
                path.child("topologyKey"),
                "can not be empty",
            ));
        }
        let known = ["DoNotSchedule", "ScheduleAnyway"];
        if !known.contains(&constraint.str("whenUnsatisfiable")) {
            let value = constraint.str("whenUnsatisfiable");
            let path = path.child("whenUnsatisfiable");
            out.push(FieldError::not_supported(path, value, &known));
        }
        let pair = |c: &Value| {
            (
                c.str("topologyKey").to_owned(),
                c.str("whenUnsatisfiable").to_owned(),
            )
        };
        if all[..i].iter().any(|other| pair(other) == pair(constraint)) {
            let (key, when) = pair(constraint);
            let shown = format!("{{{key}, {when}}}");
            out.push(FieldError::duplicate(
                path.child("{topologyKey, whenUnsatisfiable}"),
                shown,
            ));
        }
        let selector = constraint.get("labelSelector");
        out.extend(validate_label_selector(
            selector,
            &path.child("labelSelector"),
        ));
    }
}

/// What is wrong with the affinity at `path`.
pub(super) fn validate_affinity(affinity: &Value, path: &Path<'_>, out: &mut Errors) {
    node_affinity(
        affinity.get("nodeAffinity"),
        &path.child("nodeAffinity"),
        out,
    );
    for kind in ["podAffinity", "podAntiAffinity"] {
        let (of, path) = (affinity.get(kind), path.child(kind));
        let required_path = path.child(REQUIRED);
        for (i, term) in of.list_at(REQUIRED).iter().enumerate() {
            pod_term(term, &required_path.index(i), out);
        }
        let preferred_path = path.child(PREFERRED);
        for (i, weighted) in of.list_at(PREFERRED).iter().enumerate() {
            let path = preferred_path.index(i);
            weight(weighted, &path, out);
            pod_term(
                weighted.get("podAffinityTerm"),
                &path.child("podAffinityTerm"),
                out,
            );
        }
    }
}

fn weight(of: &Value, path: &Path<'_>, out: &mut Errors) {
    let weight = of.get("weight").as_i64().unwrap_or(0);
    if !(1..=100).contains(&weight) {
        let text = "must be in the range 1-100";
        out.push(FieldError::invalid(path.child("weight"), weight, text));
    }
}

fn pod_term(term: &Value, path: &Path<'_>, out: &mut Errors) {
    let selector = term.get("labelSelector");
    out.extend(validate_label_selector(
        selector,
        &path.child("labelSelector"),
    ));
    let namespaces_path = path.child("namespace");
    for name in term.list_at("namespaces").iter().map(Value::as_str) {
        check::invalid(names::dns1123_label(name), namespaces_path, name, out);
    }
    let key = term.str("topologyKey");
    let path = path.child("topologyKey");
    if key.is_empty() {
        out.push(FieldError::required(path, "can not be empty"));
    }
    check::invalid(names::qualified_name(key), path, key, out);
}

fn node_affinity(of: &Value, path: &Path<'_>, out: &mut Errors) {
    if of.has(REQUIRED) {
        let path = path.child(REQUIRED);
        let path = path.child("nodeSelectorTerms");
        let terms = of.get(REQUIRED).list_at("nodeSelectorTerms");
        if terms.is_empty() {
            let text = "must have at least one node selector term";
            out.push(FieldError::required(path, text));
        }
        for (i, term) in terms.iter().enumerate() {
            node_term(term, &path.index(i), out);
        }
    }
    let preferred_path = path.child(PREFERRED);
    for (i, weighted) in of.list_at(PREFERRED).iter().enumerate() {
        let path = preferred_path.index(i);
        weight(weighted, &path, out);
        node_term(weighted.get("preference"), &path.child("preference"), out);
    }
}

fn node_term(term: &Value, path: &Path<'_>, out: &mut Errors) {
    let list_path = path.child("matchExpressions");
    for (i, expression) in term.list_at("matchExpressions").iter().enumerate() {
        label_expression(expression, &list_path.index(i), out);
    }
    let list_path = path.child("matchFields");
    for (i, expression) in term.list_at("matchFields").iter().enumerate() {
        field_expression(expression, &list_path.index(i), out);
    }
}

fn label_expression(expression: &Value, path: &Path<'_>, out: &mut Errors) {
    let values = expression.list_at("values");
    let values_path = path.child("values");
    match expression.str("operator") {
        "In" | "NotIn" if values.is_empty() => {
            let text = "must be specified when `operator` is 'In' or 'NotIn'";
            out.push(FieldError::required(values_path, text));
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            let text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
            out.push(FieldError::forbidden(values_path, text));
        }
        "Gt" | "Lt" if values.len() != 1 => {
            let text = "must be specified single value when `operator` is 'Lt' or 'Gt'";
            out.push(FieldError::required(values_path, text));
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt" => {}
        other => {
            let text = "not a valid selector operator";
            out.push(FieldError::invalid(path.child("operator"), other, text));
        }
    }
    let key = expression.str("key");
    check::invalid(names::qualified_name(key), path.child("key"), key, out);
}

/// The name is the one field of a node that can be asked for.
fn field_expression(expression: &Value, path: &Path<'_>, out: &mut Errors) {
    match expression.str("operator") {
        "In" | "NotIn" if expression.list_at("values").len() != 1 => {
            let text = "must be only one value when `operator` is 'In' or 'NotIn' for node field \
                        selector";
            out.push(FieldError::required(path.child("values"), text));
        }
        "In" | "NotIn" => {}
        other => {
            let text = "not a valid selector operator";
            out.push(FieldError::invalid(path.child("operator"), other, text));
        }
    }
    let key = expression.str("key");
    if key != "metadata.name" {
        let text = "not a valid field selector key";
        out.push(FieldError::invalid(path.child("key"), key, text));
    }
}
