//! ClusterRoleBinding: who has a role everywhere.
//!
//! Models pkg/registry/rbac/clusterrolebinding and `printClusterRoleBinding`.

use super::{Kind, rolebinding};
use crate::names;

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "clusterrolebindings",
    singular: "clusterrolebinding",
    namespaced: false,
    schema: "io.k8s.api.rbac.v1.ClusterRoleBinding",
    storage: "clusterrolebindings",
    name: names::path_segment,
    defaults: rolebinding::defaults,
    validate: |binding, out| rolebinding::validate(binding, false, out),
    validate_update: rolebinding::validate_update,
    columns: rolebinding::COLUMNS,
    row: rolebinding::row,
    sample: SAMPLE,
    ..Kind::plain("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding")
};

const SAMPLE: &str = "
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: admins
roleRef:
  kind: ClusterRole
  name: cluster-admin
subjects:
- kind: Group
  name: admins
";
