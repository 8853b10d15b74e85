//! ResourceQuota: how much a namespace may use.
//!
//! Models pkg/registry/core/resourcequota, `ValidateResourceQuota` and `printResourceQuota`.

use std::collections::BTreeSet;

use sim::Instant;

use super::check::Errors;
use super::table::{self, Cell, Column};
use super::{Kind, Subresource, resource_name};
use crate::field::{FieldError, Path};
use crate::{Map, Value, value};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "resourcequotas",
    singular: "resourcequota",
    short_names: &["quota"],
    subresources: &[Subresource::status("ResourceQuota")],
    schema: "io.k8s.api.core.v1.ResourceQuota",
    storage: "resourcequotas",
    prepare_for_create: |object| object.set("status", value!({})),
    validate,
    validate_update: |new, old, subresource, out| match subresource {
        "status" => {
            for field in ["hard", "used"] {
                let path = Path::new("status");
                amounts(new.get("status").map_at(field), &path.child(field), out);
            }
        }
        _ => scopes_stay(new, old, out),
    },
    columns: COLUMNS,
    row,
    sample: SAMPLE,
    ..Kind::plain("", "v1", "ResourceQuota")
};

const COLUMNS: &[Column] = &[
    Column::NAME,
    Column::text("Request"),
    Column::text("Limit"),
    Column::AGE,
];

const SAMPLE: &str = "
apiVersion: v1
kind: ResourceQuota
metadata:
  name: budget
spec:
  hard:
    pods: '10'
    requests.cpu: '4'
    limits.memory: 8Gi
";

const SCOPES: [&str; 7] = [
    "Terminating",
    "NotTerminating",
    "BestEffort",
    "NotBestEffort",
    "PriorityClass",
    "CrossNamespacePodAffinity",
    "VolumeAttributesClass",
];

fn row(quota: &Value, now: Instant) -> Vec<Cell> {
    let used = quota.map_at("status.used");
    let (mut requests, mut limits) = (Vec::new(), Vec::new());
    for (name, hard) in quota.map_at("status.hard") {
        let used = match used.str(name) {
            "" => "0",
            used => used,
        };
        let text = format!("{name}: {used}/{}", hard.as_str());
        match name.starts_with("limits") {
            true => limits.push(text),
            false => requests.push(text),
        }
    }
    vec![
        table::name(quota),
        requests.join(", ").into(),
        limits.join(", ").into(),
        table::age(quota, now),
    ]
}

fn validate(quota: &Value, out: &mut Errors) {
    let (spec, path) = (quota.get("spec"), Path::new("spec"));
    amounts(spec.map_at("hard"), &path.child("hard"), out);
    scopes(spec, &path.child("scopes"), out);
    let path = path.child("scopeSelector");
    scope_selector(spec, &path.child("matchExpressions"), out);
}

fn amounts(hard: &Map, path: &Path<'_>, out: &mut Errors) {
    for (name, amount) in hard {
        let path = path.key(name);
        resource_name::any(name, path, out);
        if !name.contains('/') && !resource_name::is_standard_for_quotas(name) {
            let text = "must be a standard resource for quota";
            out.push(FieldError::invalid(path, name, text));
        }
        resource_name::amount(name, amount, path, out);
    }
}

/// Whether a quota with this scope may limit a resource.
fn covers(scope: &str, resource: &str) -> bool {
    const COMPUTE: [&str; 7] = [
        "pods",
        "cpu",
        "memory",
        "limits.cpu",
        "limits.memory",
        "requests.cpu",
        "requests.memory",
    ];
    match scope {
        "BestEffort" => resource == "pods",
        "VolumeAttributesClass" => resource == "persistentvolumeclaims",
        scope if SCOPES.contains(&scope) => COMPUTE.contains(&resource),
        _ => true,
    }
}

/// What is wrong with one scope: that nobody knows it, or that it does not fit what is limited.
fn scope(name: &str, spec: &Value, unknown: FieldError, misplaced: &FieldError, out: &mut Errors) {
    if !SCOPES.contains(&name) {
        out.push(unknown);
    }
    for resource in spec.map_at("hard").keys() {
        if resource_name::is_standard_for_quotas(resource) && !covers(name, resource) {
            out.push(misplaced.clone());
        }
    }
}

const UNKNOWN: &str = "unsupported scope";
const MISPLACED: &str = "unsupported scope applied to resource";

fn scopes(spec: &Value, path: &Path<'_>, out: &mut Errors) {
    let list = spec.get("scopes");
    let blame = |text: &str| FieldError::invalid(path, list, text);
    let mut seen = BTreeSet::new();
    for one in list.list() {
        scope(one.as_str(), spec, blame(UNKNOWN), &blame(MISPLACED), out);
        seen.insert(one.as_str());
    }
    conflicts(&seen, blame("conflicting scopes"), out);
}

fn conflicts(seen: &BTreeSet<&str>, blame: FieldError, out: &mut Errors) {
    for (a, b) in [
        ("BestEffort", "NotBestEffort"),
        ("Terminating", "NotTerminating"),
    ] {
        if seen.contains(a) && seen.contains(b) {
            out.push(blame.clone());
        }
    }
}

fn scope_selector(spec: &Value, path: &Path<'_>, out: &mut Errors) {
    let selector = spec.get("scopeSelector");
    let shown = as_in_go(selector);
    let blame = |text: &str| FieldError::invalid(path, selector, text).shown_as(shown.clone());
    let mut seen = BTreeSet::new();
    for one in selector.list_at("matchExpressions") {
        let (name, operator) = (one.str("scopeName"), one.str("operator"));
        seen.insert(name);
        let unknown = FieldError::invalid(path.child("scopeName"), name, UNKNOWN);
        scope(name, spec, unknown, &blame(MISPLACED), out);
        if !matches!(name, "PriorityClass" | "VolumeAttributesClass")
            && SCOPES.contains(&name)
            && operator != "Exists"
        {
            let text = "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, \
                        ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, \
                        ResourceQuotaScopeNotBestEffort or \
                        ResourceQuotaScopeCrossNamespacePodAffinity";
            out.push(FieldError::invalid(path.child("operator"), operator, text));
        }
        let values = one.get("values");
        let path_of_values = path.child("values");
        match operator {
            "In" | "NotIn" if values.list().is_empty() => {
                let text = "must be at least one value when `operator` is 'In' or 'NotIn' for \
                            scope selector";
                out.push(FieldError::required(path_of_values, text));
            }
            "Exists" | "DoesNotExist" if !values.list().is_empty() => {
                let text = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for \
                            scope selector";
                out.push(FieldError::invalid(path_of_values, values, text));
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            other => {
                let text = "not a valid selector operator";
                out.push(FieldError::invalid(path.child("operator"), other, text));
            }
        }
    }
    conflicts(&seen, blame("conflicting scopes"), out);
}

/// A scope selector as upstream's internal type is written.
fn as_in_go(selector: &Value) -> String {
    let one = |one: &Value| {
        format!(
            "{{\"ScopeName\":{},\"Operator\":{},\"Values\":{}}}",
            one.get("scopeName").to_json(),
            one.get("operator").to_json(),
            one.get("values").to_json()
        )
    };
    let all: Vec<String> = selector
        .list_at("matchExpressions")
        .iter()
        .map(one)
        .collect();
    format!("{{\"MatchExpressions\":[{}]}}", all.join(","))
}

fn scopes_stay(new: &Value, old: &Value, out: &mut Errors) {
    let set = |quota: &Value| -> BTreeSet<String> {
        let list = quota.list_at("spec.scopes").iter();
        list.map(|scope| scope.as_str().to_owned()).collect()
    };
    if set(new) != set(old) {
        let path = Path::new("spec");
        let scopes = new.at("spec.scopes");
        out.push(FieldError::invalid(
            path.child("scopes"),
            scopes,
            "field is immutable",
        ));
    }
}
