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
        let (key, key_path) = (constraint.str("topologyKey"), path.child("topologyKey"));
        match key {
            "" => out.push(FieldError::required(key_path, "can not be empty")),
            key => check::invalid(names::qualified_name(key), key_path, key, out),
        }
        let known = ["DoNotSchedule", "ScheduleAnyway"];
        check::known_word(constraint, "whenUnsatisfiable", &known, &path, out);
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
        spread_options(constraint, &path, out);
        let selector = constraint.get("labelSelector");
        out.extend(validate_label_selector(
            selector,
            &path.child("labelSelector"),
        ));
    }
}

fn spread_options(constraint: &Value, path: &Path<'_>, out: &mut Errors) {
    if let Some(least) = constraint.i64_at("minDomains") {
        let path = path.child("minDomains");
        if least <= 0 {
            let text = "must be greater than zero";
            out.push(FieldError::invalid(path, least, text));
        }
        let action = constraint.str("whenUnsatisfiable");
        if action != "DoNotSchedule" {
            let text =
                format!("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}");
            out.push(FieldError::invalid(path, least, text));
        }
    }
    for key in ["nodeAffinityPolicy", "nodeTaintsPolicy"] {
        if constraint.has(key) {
            check::known_word(constraint, key, &["Honor", "Ignore"], path, out);
        }
    }
    label_keys(constraint, &["matchLabelKeys"], path, out);
}

/// Keys of labels whose values a pod brings itself; they cannot be in the selector as well.
fn label_keys(of: &Value, lists: &[&str], path: &Path<'_>, out: &mut Errors) {
    let selector = of.get("labelSelector");
    let expressions = selector.list_at("matchExpressions").iter();
    let selected = |key: &str| {
        let mut keys = expressions.clone().map(|expression| expression.str("key"));
        selector.map_at("matchLabels").get(key).is_some() || keys.any(|known| known == key)
    };
    for list in lists {
        let (keys, path) = (of.list_at(list), path.child(list));
        if !keys.is_empty() && selector.is_null() {
            let text = "must not be specified when labelSelector is not set";
            out.push(FieldError::forbidden(path, text));
        }
        for (i, key) in keys.iter().map(Value::as_str).enumerate() {
            let path = path.index(i);
            check::invalid(names::qualified_name(key), path, key, out);
            let both = lists.len() > 1
                && *list != lists[0]
                && of
                    .list_at(lists[0])
                    .iter()
                    .any(|other| other.as_str() == key);
            if both {
                let text = "exists in both matchLabelKeys and mismatchLabelKeys";
                out.push(FieldError::invalid(path, key, text));
            } else if selected(key) {
                let text = "exists in both matchLabelKeys and labelSelector";
                out.push(FieldError::invalid(path, key, text));
            }
        }
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
    label_keys(term, &["matchLabelKeys", "mismatchLabelKeys"], path, out);
    let key = term.str("topologyKey");
    let path = path.child("topologyKey");
    if key.is_empty() {
        out.push(FieldError::required(path, "can not be empty"));
    }
    check::invalid(names::qualified_name(key), path, key, out);
}

fn node_affinity(of: &Value, path: &Path<'_>, out: &mut Errors) {
    if of.has(REQUIRED) {
        node_selector(of.get(REQUIRED), &path.child(REQUIRED), out);
    }
    let preferred_path = path.child(PREFERRED);
    for (i, weighted) in of.list_at(PREFERRED).iter().enumerate() {
        let path = preferred_path.index(i);
        weight(weighted, &path, out);
        // A preference may name what no node can have.
        let preference = weighted.get("preference");
        node_term(preference, false, &path.child("preference"), out);
    }
}

/// What is wrong with the terms of which a node has to meet one.
pub(in crate::kinds) fn node_selector(of: &Value, path: &Path<'_>, out: &mut Errors) {
    let (terms, path) = (
        of.list_at("nodeSelectorTerms"),
        path.child("nodeSelectorTerms"),
    );
    if terms.is_empty() {
        let text = "must have at least one node selector term";
        out.push(FieldError::required(path, text));
    }
    for (i, term) in terms.iter().enumerate() {
        node_term(term, true, &path.index(i), out);
    }
}

fn node_term(term: &Value, strict: bool, path: &Path<'_>, out: &mut Errors) {
    let list_path = path.child("matchExpressions");
    for (i, expression) in term.list_at("matchExpressions").iter().enumerate() {
        let path = list_path.index(i);
        label_expression(expression, &path, out);
        let values_path = path.child("values");
        let values = expression.list_at("values").iter().map(Value::as_str);
        for (i, value) in values.enumerate().filter(|_| strict) {
            check::invalid(names::label_value(value), values_path.index(i), value, out);
        }
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
        return;
    }
    let values_path = path.child("values");
    let values = expression.list_at("values").iter().map(Value::as_str);
    for (i, name) in values.enumerate() {
        check::invalid(
            names::dns1123_subdomain(name),
            values_path.index(i),
            name,
            out,
        );
    }
}
