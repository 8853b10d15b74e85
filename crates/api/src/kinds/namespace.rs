//! Namespace.
//!
//! Models pkg/registry/core/namespace and pkg/apis/core/validation/validation.go.

use super::table::{self, Column};
use super::{Kind, Subresource, meta};
use crate::field::{FieldError, Path};
use crate::{Value, names, value};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "namespaces",
    singular: "namespace",
    short_names: &["ns"],
    namespaced: false,
    verbs: &[
        "create", "delete", "get", "list", "patch", "update", "watch",
    ],
    subresources: &[
        Subresource::new("finalize", &["update"], "", "Namespace"),
        Subresource::status("Namespace"),
    ],
    schema: "io.k8s.api.core.v1.Namespace",
    storage: "namespaces",
    name: names::dns1123_label,
    fields: &["status.phase"],
    defaults,
    prepare_for_create,
    prepare_for_update: |new, old, subresource| {
        if subresource != "finalize" {
            new.set("spec", old.get("spec"));
        }
    },
    validate,
    validate_update,
    columns: &[Column::NAME, Column::text("Status"), Column::AGE],
    row: |object, now| {
        let phase = object.str_at("status.phase");
        vec![table::name(object), phase.into(), table::age(object, now)]
    },
    sample: SAMPLE,
    ..Kind::plain("", "v1", "Namespace")
};

const SAMPLE: &str = "
apiVersion: v1
kind: Namespace
metadata:
  name: team-a
";

/// The label every namespace bears.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

fn defaults(object: &mut Value) {
    let name = object.name().to_owned();
    if !name.is_empty() && object.label(NAME_LABEL) != name {
        object.set_label(NAME_LABEL, &name);
    }
}

fn prepare_for_create(object: &mut Value) {
    object.set("status", value!({ "phase": "Active" }));
    let finalizers = object.list_mut("spec.finalizers");
    if !finalizers.iter().any(|f| f.as_str() == "kubernetes") {
        finalizers.push("kubernetes".into());
    }
}

fn validate(object: &Value, out: &mut Vec<FieldError>) {
    let spec = Path::new("spec");
    meta::finalizers(
        object.list_at("spec.finalizers"),
        &spec.child("finalizers"),
        out,
    );
    // Upstream leaves these labels to the admission plugin PodSecurity, in the same words.
    for mode in ["enforce", "audit", "warn"] {
        let key = format!("pod-security.kubernetes.io/{mode}");
        let Some(level) = object.labels().get(&key) else {
            continue;
        };
        if !matches!(level.as_str(), "privileged" | "baseline" | "restricted") {
            let text = "must be one of privileged, baseline, restricted";
            out.push(FieldError::invalid(
                format!("metadata.labels[{key}]"),
                level,
                text,
            ));
        }
    }
}

fn validate_update(new: &Value, _: &Value, subresource: &str, out: &mut Vec<FieldError>) {
    if subresource != "status" {
        return;
    }
    let phase = new.str_at("status.phase");
    let (expect, text) = match new.is_terminating() {
        true => (
            "Terminating",
            "may only be 'Terminating' if `deletionTimestamp` is not empty",
        ),
        false => (
            "Active",
            "may only be 'Active' if `deletionTimestamp` is empty",
        ),
    };
    if phase != expect {
        out.push(FieldError::invalid("status.Phase", phase, text));
    }
}
