//! The pod template inside workloads.
//!
//! Models `ValidatePodTemplateSpecForReplicaSet` of pkg/apis/apps/validation.

use super::{defaults, spec, warnings};
use crate::Value;
use crate::field::{FieldError, Path};
use crate::kinds::check::Errors;
use crate::names;
use crate::selector::LabelSelector;

/// Defaults of a pod template.
pub(in crate::kinds) fn defaults(template: &mut Value) {
    defaults::pod_spec(template.at_mut("spec"));
}

/// A status update does not touch labels.
pub(in crate::kinds) fn keep_labels(new: &mut Value, old: &Value) {
    match old.metadata().get("labels") {
        Value::Null => drop(new.remove("metadata.labels")),
        labels => new.set("metadata.labels", labels),
    }
}

/// Warnings about the template of a workload.
pub(in crate::kinds) fn warnings_of(of: &Value) -> Vec<String> {
    let path = Path::new("spec.template");
    warnings_at(of.at("spec.template"), &path)
}

/// The same, and about its name, with which the names of its pods begin.
pub(in crate::kinds) fn warnings_of_named(of: &Value) -> Vec<String> {
    let mut out = name_warning(of);
    out.append(&mut warnings_of(of));
    out
}

/// Warnings about the template at `path`.
pub(in crate::kinds) fn warnings_at(template: &Value, path: &Path<'_>) -> Vec<String> {
    warnings::of(template, &path.child("metadata"), &path.child("spec"))
}

/// A name that will be a host's should be a DNS label.
pub(in crate::kinds) fn name_warning(of: &Value) -> Vec<String> {
    let messages = names::dns1123_label(of.name());
    if messages.is_empty() {
        return Vec::new();
    }
    vec![format!(
        "metadata.name: this is used in Pod names and hostnames, which can result in surprising \
         behavior; a DNS label is recommended: [{}]",
        messages.join(" ")
    )]
}

/// What is wrong with `spec.template` of a workload that runs pods for ever, picked by
/// `spec.selector`. `kind` stands in a sentence.
pub(in crate::kinds) fn validate_for_selector(
    of: &Value,
    kind: &str,
    path: &Path<'_>,
    out: &mut Errors,
) {
    let selector = of.get("selector");
    let parsed = match LabelSelector::from_object(selector) {
        Ok(parsed) => parsed,
        Err(_) => {
            let text = "invalid label selector";
            out.push(FieldError::invalid(path.child("selector"), selector, text));
            return;
        }
    };
    let (template, path) = (of.get("template"), path.child("template"));
    let labels = template.at("metadata.labels");
    if !parsed.is_everything() && !parsed.matches(labels.entries()) {
        let text = "`selector` does not match template `labels`";
        out.push(FieldError::invalid(
            path.child("metadata.labels"),
            labels,
            text,
        ));
    }
    validate(template, &path, out);
    let spec_path = path.child("spec");
    let policy = template.str_at("spec.restartPolicy");
    if policy != "Always" {
        let path = spec_path.child("restartPolicy");
        out.push(FieldError::not_supported(path, policy, &["Always"]));
    }
    if template.has("spec.activeDeadlineSeconds") {
        let text = format!("activeDeadlineSeconds in {kind} is not Supported");
        out.push(FieldError::forbidden(
            spec_path.child("activeDeadlineSeconds"),
            text,
        ));
    }
}

/// What is wrong with a template, whatever runs it.
pub(in crate::kinds) fn validate(template: &Value, path: &Path<'_>, out: &mut Errors) {
    // Upstream leaves `metadata` out of these paths.
    let labels = template.map_at("metadata.labels");
    out.extend(names::validate_labels(labels, path.child("labels")));
    let annotations = template.map_at("metadata.annotations");
    out.extend(names::validate_annotations(
        annotations,
        path.child("annotations"),
    ));
    let spec_path = path.child("spec");
    spec::validate(template.get("spec"), &spec_path, out);
    if !template.list_at("spec.ephemeralContainers").is_empty() {
        let text = "ephemeral containers not allowed in pod template";
        out.push(FieldError::forbidden(
            spec_path.child("ephemeralContainers"),
            text,
        ));
    }
}
