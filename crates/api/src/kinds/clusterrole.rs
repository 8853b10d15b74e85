//! ClusterRole: what may be done anywhere, or what other roles are made of.
//!
//! Models pkg/registry/rbac/clusterrole, pkg/apis/rbac/validation and `printClusterRole`.

use super::check::Errors;
use super::{Kind, role, table};
use crate::field::{FieldError, Path};
use crate::selector::validate_label_selector;
use crate::{Value, names};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "clusterroles",
    singular: "clusterrole",
    namespaced: false,
    schema: "io.k8s.api.rbac.v1.ClusterRole",
    storage: "clusterroles",
    name: names::path_segment,
    defaults: role::rules_are_there,
    validate,
    columns: role::COLUMNS,
    row: |role, _| vec![table::name(role), table::created_at(role)],
    sample: SAMPLE,
    ..Kind::plain("rbac.authorization.k8s.io", "v1", "ClusterRole")
};

const SAMPLE: &str = "
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: node-reader
rules:
- apiGroups: ['']
  resources: [nodes]
  verbs: [get, list]
- nonResourceURLs: [/metrics]
  verbs: [get]
";

fn validate(role: &Value, out: &mut Errors) {
    role::rules(role, false, out);
    let rule = role.get("aggregationRule");
    if rule.is_null() {
        return;
    }
    let path = Path::new("aggregationRule");
    let path = path.child("clusterRoleSelectors");
    let selectors = rule.list_at("clusterRoleSelectors");
    if selectors.is_empty() {
        let text = "at least one clusterRoleSelector required if aggregationRule is non-nil";
        out.push(FieldError::required(path, text));
    }
    for (i, selector) in selectors.iter().enumerate() {
        out.extend(validate_label_selector(selector, &path.index(i)));
    }
}
