//! What must hold of `metadata`, whatever the kind.
//!
//! Models k8s.io/apimachinery/pkg/api/validation/objectmeta.go.

use crate::field::{FieldError, Path};
use crate::names::{self, Messages};
use crate::{Value, go};

const METADATA: Path<'static> = Path::new("metadata");
/// Finalizers that need no domain.
const STANDARD_FINALIZERS: &[&str] = &["orphan", "foregroundDeletion", "kubernetes"];

/// What is said of a finalizer that names no domain.
pub(super) const PLAIN_FINALIZER: &str =
    "name is neither a standard finalizer name nor is it fully qualified";

/// What is wrong with the metadata of an object that is to be created.
pub(super) fn validate(
    object: &Value,
    namespaced: bool,
    name_rule: fn(&str) -> Messages,
) -> Vec<FieldError> {
    let mut out = Vec::new();
    let invalid = |field: &'static str, value: &str, messages: Messages| {
        messages
            .into_iter()
            .map(move |message| FieldError::invalid(METADATA.child(field), value, message))
            .collect::<Vec<_>>()
    };
    let prefix = object.generate_name();
    if !prefix.is_empty() {
        out.extend(invalid(
            "generateName",
            prefix,
            name_rule(&names::mask_trailing_dash(prefix)),
        ));
    }
    match object.name() {
        "" => out.push(FieldError::required(
            METADATA.child("name"),
            "name or generateName is required",
        )),
        name => out.extend(invalid("name", name, name_rule(name))),
    }
    let namespace_path = METADATA.child("namespace");
    match (namespaced, object.namespace()) {
        (true, "") => out.push(FieldError::required(namespace_path, "")),
        (true, name) => out.extend(invalid("namespace", name, names::dns1123_label(name))),
        (false, "") => {}
        (false, _) => out.push(FieldError::forbidden(
            namespace_path,
            "not allowed on this type",
        )),
    }
    common(object, &mut out);
    out
}

/// What holds at creation and at every change.
pub(super) fn common(object: &Value, out: &mut Vec<FieldError>) {
    out.extend(names::validate_labels(
        object.labels(),
        METADATA.child("labels"),
    ));
    out.extend(names::validate_annotations(
        object.annotations(),
        METADATA.child("annotations"),
    ));
    owners(object, out);
    finalizers(object.finalizers(), &METADATA.child("finalizers"), out);
}

/// What is wrong with a list of finalizers.
pub(super) fn finalizers(all: &[Value], path: &Path<'_>, out: &mut Vec<FieldError>) {
    for (i, finalizer) in all.iter().map(Value::as_str).enumerate() {
        let messages = names::qualified_name(finalizer);
        if messages.is_empty()
            && !finalizer.contains('/')
            && !STANDARD_FINALIZERS.contains(&finalizer)
        {
            out.push(FieldError::invalid(
                path.index(i),
                finalizer,
                PLAIN_FINALIZER,
            ));
        }
        out.extend(
            messages
                .into_iter()
                .map(|message| FieldError::invalid(path, finalizer, message)),
        );
    }
}

fn owners(object: &Value, out: &mut Vec<FieldError>) {
    let path = METADATA.child("ownerReferences");
    let mut controller = "";
    for (i, owner) in object.owner_references().iter().enumerate() {
        let path = path.index(i);
        let says = [
            ("apiVersion", "version must not be empty"),
            ("kind", "must not be empty"),
            ("name", "must not be empty"),
            ("uid", "must not be empty"),
        ];
        for (key, text) in says {
            if owner.str(key).is_empty() {
                out.push(FieldError::invalid(path.child(key), "", text));
            }
        }
        if !owner.bool_at("controller") {
            continue;
        }
        if !controller.is_empty() {
            let text = format!(
                "Only one reference can have Controller set to true. Found \"true\" in references \
                 for {controller} and {}",
                owner.str("name")
            );
            out.push(FieldError::invalid(
                METADATA.child("ownerReferences"),
                owner,
                text,
            ));
        }
        controller = owner.str("name");
    }
}

/// What is wrong with a change of metadata.
pub(super) fn validate_update(new: &Value, old: &Value) -> Vec<FieldError> {
    let mut out = Vec::new();
    if old.is_terminating() {
        let added: Vec<Value> = new
            .finalizers()
            .iter()
            .filter(|f| !old.finalizers().contains(f))
            .cloned()
            .collect();
        if !added.is_empty() {
            let quoted: Vec<String> = added.iter().map(|f| go::quote(f.as_str())).collect();
            let text = format!(
                "no new finalizers can be added if the object is being deleted, found new \
                 finalizers []string{{{}}}",
                quoted.join(", ")
            );
            out.push(FieldError::forbidden(METADATA.child("finalizers"), text));
        }
    }
    for key in ["name", "namespace", "uid"] {
        let value = new.metadata().get(key);
        if !value.same(old.metadata().get(key)) {
            let shown = Value::from(value.as_str());
            out.push(FieldError::invalid(
                METADATA.child(key),
                shown,
                "field is immutable",
            ));
        }
    }
    common(new, &mut out);
    out
}
