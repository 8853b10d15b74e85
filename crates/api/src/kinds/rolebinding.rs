//! RoleBinding: who has a role in a namespace.
//!
//! Models pkg/registry/rbac/rolebinding, pkg/apis/rbac/{v1/defaults,validation} and
//! `printRoleBinding`.

use sim::Instant;

use super::Kind;
use super::check::{self, Errors};
use super::table::{self, Cell, Column};
use crate::field::{FieldError, Path};
use crate::{Value, names};

/// The group of everything about roles.
const GROUP: &str = "rbac.authorization.k8s.io";

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "rolebindings",
    singular: "rolebinding",
    schema: "io.k8s.api.rbac.v1.RoleBinding",
    storage: "rolebindings",
    name: names::path_segment,
    defaults,
    validate: |binding, out| validate(binding, true, out),
    validate_update,
    columns: COLUMNS,
    row,
    sample: SAMPLE,
    ..Kind::plain(GROUP, "v1", "RoleBinding")
};

pub(super) const COLUMNS: &[Column] = &[
    Column::NAME,
    Column::text("Role"),
    Column::AGE,
    Column::wide("Users"),
    Column::wide("Groups"),
    Column::wide("ServiceAccounts"),
];

const SAMPLE: &str = "
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: readers
roleRef:
  kind: Role
  name: pod-reader
subjects:
- kind: User
  name: alice
- kind: ServiceAccount
  name: robot
";

pub(super) fn defaults(binding: &mut Value) {
    if binding.str_at("roleRef.apiGroup").is_empty() {
        binding.set("roleRef.apiGroup", GROUP);
    }
    if binding.list_at("subjects").is_empty() {
        return;
    }
    for subject in binding.list_mut("subjects") {
        let in_group = matches!(subject.str("kind"), "User" | "Group");
        if in_group && subject.str("apiGroup").is_empty() {
            subject.set("apiGroup", GROUP);
        }
    }
}

pub(super) fn row(binding: &Value, now: Instant) -> Vec<Cell> {
    let named = |kind: &str| -> Cell {
        let subjects = binding.list_at("subjects").iter();
        let chosen = subjects.filter(|subject| subject.str("kind") == kind);
        let names: Vec<String> = chosen
            .map(|subject| match kind {
                "ServiceAccount" => format!("{}/{}", subject.str("namespace"), subject.str("name")),
                _ => subject.str("name").to_owned(),
            })
            .collect();
        names.join(", ").into()
    };
    let role = binding.get("roleRef");
    vec![
        table::name(binding),
        format!("{}/{}", role.str("kind"), role.str("name")).into(),
        table::age(binding, now),
        named("User"),
        named("Group"),
        named("ServiceAccount"),
    ]
}

pub(super) fn validate(binding: &Value, namespaced: bool, out: &mut Errors) {
    let (role, path) = (binding.get("roleRef"), Path::new("roleRef"));
    if role.str("apiGroup") != GROUP {
        let group = role.str("apiGroup");
        out.push(FieldError::not_supported(
            path.child("apiGroup"),
            group,
            &[GROUP],
        ));
    }
    let kinds: &[&str] = match namespaced {
        true => &["Role", "ClusterRole"],
        false => &["ClusterRole"],
    };
    if !kinds.contains(&role.str("kind")) {
        let kind = role.str("kind");
        out.push(FieldError::not_supported(path.child("kind"), kind, kinds));
    }
    check::named(role, "name", names::path_segment, &path, out);
    let path = Path::new("subjects");
    for (i, subject) in binding.list_at("subjects").iter().enumerate() {
        validate_subject(subject, namespaced, &path.index(i), out);
    }
}

fn validate_subject(subject: &Value, namespaced: bool, path: &Path<'_>, out: &mut Errors) {
    if subject.str("name").is_empty() {
        out.push(FieldError::required(path.child("name"), ""));
    }
    let group = subject.str("apiGroup");
    let mut in_group = |wanted: &str| {
        if group != wanted {
            out.push(FieldError::not_supported(
                path.child("apiGroup"),
                group,
                &[wanted],
            ));
        }
    };
    match subject.str("kind") {
        "ServiceAccount" => {
            in_group("");
            check::named_if_set(subject, "name", names::dns1123_subdomain, path, out);
            if !namespaced && subject.str("namespace").is_empty() {
                out.push(FieldError::required(path.child("namespace"), ""));
            }
        }
        "User" | "Group" => in_group(GROUP),
        other => {
            let known = ["ServiceAccount", "User", "Group"];
            out.push(FieldError::not_supported(path.child("kind"), other, &known));
        }
    }
}

pub(super) fn validate_update(new: &Value, old: &Value, _: &str, out: &mut Errors) {
    let (new, old) = (new.get("roleRef"), old.get("roleRef"));
    if new.same(old) {
        return;
    }
    // The value is a Go struct without names for its fields in JSON.
    let fields = [("APIGroup", "apiGroup"), ("Kind", "kind"), ("Name", "name")];
    let fields =
        fields.map(|(name, key)| format!("\"{name}\":{}", Value::from(new.str(key)).to_json()));
    let shown = format!("{{{}}}", fields.join(","));
    out.push(FieldError::invalid("roleRef", new, "cannot change roleRef").shown_as(shown));
}
