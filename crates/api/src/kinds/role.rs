//! Role: what may be done in a namespace.
//!
//! Models pkg/registry/rbac/role, pkg/apis/rbac/validation and `printRole`.

use super::Kind;
use super::check::Errors;
use super::table::{self, Column};
use crate::field::{FieldError, Path};
use crate::{Value, names};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "roles",
    singular: "role",
    schema: "io.k8s.api.rbac.v1.Role",
    storage: "roles",
    name: names::path_segment,
    defaults: rules_are_there,
    validate: |role, out| rules(role, true, out),
    columns: COLUMNS,
    row: |role, _| vec![table::name(role), table::created_at(role)],
    sample: SAMPLE,
    ..Kind::plain("rbac.authorization.k8s.io", "v1", "Role")
};

pub(super) const COLUMNS: &[Column] = &[
    Column::NAME,
    Column {
        kind: "date",
        ..Column::text("Created At")
    },
];

const SAMPLE: &str = "
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: pod-reader
rules:
- apiGroups: ['']
  resources: [pods]
  verbs: [get, list, watch]
";

/// A role without rules says so.
pub(super) fn rules_are_there(role: &mut Value) {
    if role.get("rules").is_null() {
        role.set("rules", Value::Null);
    }
}

/// What is wrong with the rules of a role.
pub(super) fn rules(role: &Value, namespaced: bool, out: &mut Errors) {
    let path = Path::new("rules");
    for (i, rule) in role.list_at("rules").iter().enumerate() {
        let path = path.index(i);
        let empty = |key: &str| rule.list_at(key).is_empty();
        if empty("verbs") {
            let text = "verbs must contain at least one value";
            out.push(FieldError::required(path.child("verbs"), text));
        }
        if !empty("nonResourceURLs") {
            let urls = path.child("nonResourceURLs");
            let value = rule.get("nonResourceURLs");
            if namespaced {
                let text = "namespaced rules cannot apply to non-resource URLs";
                out.push(FieldError::invalid(urls, value, text));
            }
            if !empty("apiGroups") || !empty("resources") || !empty("resourceNames") {
                let text = "rules cannot apply to both regular resources and non-resource URLs";
                out.push(FieldError::invalid(urls, value, text));
            }
            continue;
        }
        if empty("apiGroups") {
            let text = "resource rules must supply at least one api group";
            out.push(FieldError::required(path.child("apiGroups"), text));
        }
        if empty("resources") {
            let text = "resource rules must supply at least one resource";
            out.push(FieldError::required(path.child("resources"), text));
        }
    }
}
