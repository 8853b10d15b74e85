//! Node.
//!
//! Models pkg/registry/core/node, pkg/apis/core/validation/validation.go and `printNode`.

use std::collections::BTreeSet;

use sim::Instant;

use super::support::conditions;
use super::table::{self, Cell, Column};
use super::{Kind, Subresource, check};
use crate::field::{FieldError, Path};
use crate::{Value, names};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "nodes",
    singular: "node",
    short_names: &["no"],
    namespaced: false,
    subresources: &[
        Subresource::new(
            "proxy",
            &["create", "delete", "get", "patch", "update"],
            "",
            "NodeProxyOptions",
        ),
        Subresource::status("Node"),
    ],
    schema: "io.k8s.api.core.v1.Node",
    storage: "minions",
    fields: &["spec.unschedulable"],
    field: |node, _| {
        if is_unschedulable(node) {
            "true"
        } else {
            "false"
        }
    },
    validate,
    validate_update,
    columns: COLUMNS,
    row,
    sample: SAMPLE,
    ..Kind::plain("", "v1", "Node")
};

const COLUMNS: &[Column] = &[
    Column::NAME,
    Column::text("Status"),
    Column::text("Roles"),
    Column::AGE,
    Column::text("Version"),
    Column::wide("Internal-IP"),
    Column::wide("External-IP"),
    Column::wide("OS-Image"),
    Column::wide("Kernel-Version"),
    Column::wide("Container-Runtime"),
];

const SAMPLE: &str = "
apiVersion: v1
kind: Node
metadata:
  name: node09
spec:
  taints:
  - key: dedicated
    value: team-a
    effect: NoSchedule
";

/// What a taint does.
const EFFECTS: &[&str] = &["NoSchedule", "PreferNoSchedule", "NoExecute"];

/// Whether the node is cordoned.
pub fn is_unschedulable(node: &Value) -> bool {
    node.bool_at("spec.unschedulable")
}

/// Whether the condition Ready is true.
pub fn is_ready(node: &Value) -> bool {
    conditions::is_true(node, "Ready")
}

/// The first address of this type, `InternalIP`; empty if there is none.
pub fn address<'a>(node: &'a Value, kind: &str) -> &'a str {
    let all = node.list_at("status.addresses");
    all.iter()
        .find(|a| a.str("type") == kind)
        .map_or("", |a| a.str("address"))
}

/// The roles the labels of a node name, in order.
pub fn roles(node: &Value) -> Vec<&str> {
    let mut roles = BTreeSet::new();
    for (key, value) in node.labels() {
        if let Some(role) = key.strip_prefix("node-role.kubernetes.io/") {
            roles.insert(role);
        } else if &**key == "kubernetes.io/role" {
            roles.insert(value.as_str());
        }
    }
    roles.into_iter().filter(|role| !role.is_empty()).collect()
}

fn row(node: &Value, now: Instant) -> Vec<Cell> {
    let mut status = match conditions::status(node, "Ready") {
        "" => "Unknown".to_owned(),
        "True" => "Ready".to_owned(),
        _ => "NotReady".to_owned(),
    };
    if is_unschedulable(node) {
        status.push_str(",SchedulingDisabled");
    }
    let info = node.at("status.nodeInfo");
    let or_unknown = |text: &str| Cell::from(if text.is_empty() { "<unknown>" } else { text });
    let kernel = match (info.str("kernelVersion"), info.str("architecture")) {
        (kernel, "") => kernel.to_owned(),
        ("", _) => String::new(),
        (kernel, arch) => format!("{kernel} ({arch})"),
    };
    vec![
        table::name(node),
        status.into(),
        table::or_none(&roles(node).join(",")),
        table::age(node, now),
        info.str("kubeletVersion").into(),
        table::or_none(address(node, "InternalIP")),
        table::or_none(address(node, "ExternalIP")),
        or_unknown(info.str("osImage")),
        or_unknown(&kernel),
        or_unknown(info.str("containerRuntimeVersion")),
    ]
}

fn validate(node: &Value, out: &mut Vec<FieldError>) {
    // Upstream says `metadata` where `spec` is meant.
    let taints_path = Path::new("metadata.taints");
    let taints = node.list_at("spec.taints");
    for (i, taint) in taints.iter().enumerate() {
        let path = taints_path.index(i);
        let (key, value) = (taint.str("key"), taint.str("value"));
        check::invalid(names::qualified_name(key), path.child("key"), key, out);
        let messages = names::label_value(value);
        if !messages.is_empty() {
            out.push(FieldError::invalid(
                path.child("value"),
                value,
                messages.join(";"),
            ));
        }
        check::one_of(taint, "effect", EFFECTS, &path, out);
        let id = |t: &Value| (t.str("key").to_owned(), t.str("effect").to_owned());
        if taints[..i].iter().any(|other| id(other) == id(taint)) {
            let text = "taints must be unique by key and effect pair";
            let mut error = FieldError::duplicate(path, taint);
            error.detail = text.to_owned();
            out.push(error);
        }
    }
}

fn validate_update(new: &Value, old: &Value, _: &str, out: &mut Vec<FieldError>) {
    let (before, after) = (old.at("spec.podCIDR"), new.at("spec.podCIDR"));
    if !before.as_str().is_empty() && !before.same(after) {
        let text = "node updates may not change podCIDR except from \"\" to valid";
        out.push(FieldError::forbidden("spec.podCIDRs", text));
    }
    let (before, after) = (old.str_at("spec.providerID"), new.str_at("spec.providerID"));
    if !before.is_empty() && before != after {
        let text = "node updates may not change providerID except from \"\" to valid";
        out.push(FieldError::forbidden("spec.providerID", text));
    }
}
