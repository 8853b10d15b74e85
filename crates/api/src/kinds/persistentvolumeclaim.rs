//! PersistentVolumeClaim.
//!
//! Models pkg/registry/core/persistentvolumeclaim, pkg/apis/core/v1/defaults.go,
//! pkg/apis/core/validation and `printPersistentVolumeClaim`.

use sim::Instant;

use super::check::{self, Errors};
use super::persistentvolume::{access, class_annotation, positive};
use super::pod::internal;
use super::pod::warnings::claim_spec;
use super::support::diff;
use super::support::volumes::{access_modes, class};
use super::table::{self, Cell, Column};
use super::{Kind, Subresource};
use crate::field::{FieldError, Path};
use crate::quantity::Quantity;
use crate::selector::validate_label_selector;
use crate::{Value, names, object};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "persistentvolumeclaims",
    singular: "persistentvolumeclaim",
    short_names: &["pvc"],
    subresources: &[Subresource::status("PersistentVolumeClaim")],
    schema: "io.k8s.api.core.v1.PersistentVolumeClaim",
    storage: "persistentvolumeclaims",
    defaults: |claim| {
        if !claim.has("status.phase") {
            claim.set("status.phase", "Pending");
        }
        if !claim.has("spec.volumeMode") {
            claim.set("spec.volumeMode", "Filesystem");
        }
    },
    prepare_for_create: |claim| claim.set("status", object! { "phase": "Pending" }),
    validate,
    validate_update,
    warnings: |claim| {
        let mut out = class_annotation(claim);
        claim_spec(claim.get("spec"), &Path::new("spec"), &mut out);
        out
    },
    columns: COLUMNS,
    row,
    sample: SAMPLE,
    ..Kind::plain("", "v1", "PersistentVolumeClaim")
};

const COLUMNS: &[Column] = &[
    Column::NAME,
    Column::text("Status"),
    Column::text("Volume"),
    Column::text("Capacity"),
    Column::text("Access Modes"),
    Column::text("StorageClass"),
    Column::text("VolumeAttributesClass"),
    Column::AGE,
    Column::wide("VolumeMode"),
];

const SAMPLE: &str = "
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: data
spec:
  accessModes:
  - ReadWriteOnce
  storageClassName: manual
  resources:
    requests:
      storage: 1Gi
";

fn row(claim: &Value, now: Instant) -> Vec<Cell> {
    let (spec, status) = (claim.get("spec"), claim.get("status"));
    let phase = if claim.is_terminating() {
        "Terminating"
    } else {
        status.str("phase")
    };
    let volume = spec.str("volumeName");
    let (capacity, modes) = match volume {
        "" => ("", String::new()),
        _ => (
            status.str_at("capacity.storage"),
            access_modes(status.get("accessModes")),
        ),
    };
    let or_unset = |text: &str| {
        if text.is_empty() {
            "<unset>".into()
        } else {
            Cell::from(text)
        }
    };
    vec![
        table::name(claim),
        phase.into(),
        volume.into(),
        capacity.into(),
        modes.into(),
        class(claim).into(),
        or_unset(spec.str("volumeAttributesClassName")),
        table::age(claim, now),
        or_unset(spec.str("volumeMode")),
    ]
}

fn validate(claim: &Value, out: &mut Errors) {
    spec(claim.get("spec"), &Path::new("spec"), out);
}

/// What is wrong with the spec of a claim, or of a template of claims, at `path`.
pub(super) fn spec(spec: &Value, path: &Path<'_>, out: &mut Errors) {
    access(spec, "at least 1 access mode is required", path, out);
    if !spec.get("selector").is_null() {
        out.extend(validate_label_selector(
            spec.get("selector"),
            &path.child("selector"),
        ));
    }
    let storage_path = path.child("resources");
    let storage_path = storage_path.key("storage");
    match spec.at("resources.requests.storage") {
        Value::Null => out.push(FieldError::required(storage_path, "")),
        amount => positive(amount, &storage_path, out),
    }
    check::named_if_set(
        spec,
        "storageClassName",
        names::dns1123_subdomain,
        path,
        out,
    );
    check::one_of_if_set(spec, "volumeMode", &["Block", "Filesystem"], path, out);
    for key in ["dataSource", "dataSourceRef"] {
        if spec.has(key) {
            data_source(spec.get(key), &path.child(key), out);
        }
    }
    check::named_if_set(
        spec,
        "volumeAttributesClassName",
        names::dns1123_subdomain,
        path,
        out,
    );
}

/// What a claim's volume is filled with.
fn data_source(of: &Value, path: &Path<'_>, out: &mut Errors) {
    for key in ["kind", "name"] {
        check::named(of, key, |_| Vec::new(), path, out);
    }
    let (group, kind) = (of.str("apiGroup"), of.str("kind"));
    if group.is_empty() && !kind.is_empty() && kind != "PersistentVolumeClaim" {
        let text = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
        out.push(FieldError::invalid(path, kind, text));
    }
    check::named_if_set(of, "apiGroup", names::dns1123_subdomain, path, out);
}

/// Gives a field the value it has in another object, an empty one, too.
fn put_back(spec: &mut Value, key: &str, old: &Value) {
    match old.get(key) {
        Value::Null => {
            spec.remove(key);
        }
        value => spec.set(key, value.clone()),
    }
}

fn validate_update(new: &Value, old: &Value, subresource: &str, out: &mut Errors) {
    if !subresource.is_empty() {
        return;
    }
    let (old_phase, old_spec) = (old.str_at("status.phase"), old.get("spec"));
    let mut spec = new.get("spec").clone();
    let requests = "resources.requests";
    if old_phase == "Bound" {
        spec.set_or_remove(requests, old_spec.at(requests));
        let class = "volumeAttributesClassName";
        spec.set_or_remove(class, old_spec.get(class));
    }
    // The binder names the volume, once.
    if old_spec.str("volumeName").is_empty() {
        put_back(&mut spec, "volumeName", old_spec);
    }
    // A class may be given to a claim that has none. The empty one is one: it asks for volumes without.
    if old_spec.get("storageClassName").is_null() {
        put_back(&mut spec, "storageClassName", old_spec);
    }
    if !check::same(&spec, old_spec) {
        let shown = diff::unified(
            &internal::claim_spec(old_spec),
            &internal::claim_spec(&spec),
        );
        let text = "spec is immutable after creation except resources.requests and \
                    volumeAttributesClassName for bound claims";
        out.push(FieldError::forbidden("spec", format!("{text}\n{shown}")));
    }
    let amount = |claim: &Value, path: &str| Quantity::of(claim.at(path)).map(|q| q.milli());
    let storage = "spec.resources.requests.storage";
    let (wanted, before) = (amount(new, storage), amount(old, storage));
    // A request may go back on an expansion that has not happened yet, but not below what there is.
    if wanted < before && wanted <= amount(old, "status.capacity.storage") {
        let text = "field can not be less than status.capacity";
        out.push(FieldError::forbidden(storage, text));
    }
    let mode = |claim: &Value| claim.at("spec.volumeMode").clone();
    check::immutable(&mode(new), &mode(old), "volumeMode", out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_update(old_class: Value, new_class: Value, volume: &str, allowed: bool) {
        let claim = |class: Value, volume: &str| {
            let mut spec = object! { "volumeMode": "Filesystem" };
            if !class.is_null() {
                spec.set("storageClassName", class);
            }
            if !volume.is_empty() {
                spec.set("volumeName", volume);
            }
            object! { "spec": spec, "status": object! { "phase": "Pending" } }
        };
        let mut out = Errors::default();
        validate_update(
            &claim(new_class, volume),
            &claim(old_class, ""),
            "",
            &mut out,
        );
        assert_eq!(out.is_empty(), allowed, "{out:?}");
    }

    #[test]
    fn a_volume_is_named_once_and_a_class_given_once() {
        let class = |name: &str| Value::from(name);
        check_update(class(""), class(""), "pv", true);
        check_update(class("slow"), class("slow"), "pv", true);
        check_update(Value::Null, class("slow"), "", true);
        check_update(class(""), class("slow"), "", false);
        check_update(class("slow"), class("fast"), "pv", false);
    }
}
