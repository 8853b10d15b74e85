//! PersistentVolume.
//!
//! Models pkg/registry/core/persistentvolume, pkg/apis/core/v1/defaults.go,
//! pkg/apis/core/validation and `printPersistentVolume`.

use sim::Instant;

use super::check::{self, Errors};
use super::support::volumes::{ACCESS_MODES, access_modes, class};
use super::table::{self, Cell, Column};
use super::{Kind, Subresource};
use crate::field::{FieldError, Path};
use crate::quantity::Quantity;
use crate::{Value, names, object};

/// Fields of a spec that do not say where the volume is.
const NOT_SOURCES: [&str; 9] = [
    "accessModes",
    "capacity",
    "claimRef",
    "mountOptions",
    "nodeAffinity",
    "persistentVolumeReclaimPolicy",
    "storageClassName",
    "volumeAttributesClassName",
    "volumeMode",
];

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "persistentvolumes",
    singular: "persistentvolume",
    short_names: &["pv"],
    namespaced: false,
    subresources: &[Subresource::status("PersistentVolume")],
    schema: "io.k8s.api.core.v1.PersistentVolume",
    storage: "persistentvolumes",
    defaults,
    prepare_for_create: |volume| {
        let mut status = object! { "phase": "Pending" };
        status.set_or_remove("lastPhaseTransitionTime", volume.creation_timestamp());
        volume.set("status", status);
    },
    validate,
    validate_update,
    columns: COLUMNS,
    row,
    sample: SAMPLE,
    ..Kind::plain("", "v1", "PersistentVolume")
};

const COLUMNS: &[Column] = &[
    Column::NAME,
    Column::text("Capacity"),
    Column::text("Access Modes"),
    Column::text("Reclaim Policy"),
    Column::text("Status"),
    Column::text("Claim"),
    Column::text("StorageClass"),
    Column::text("VolumeAttributesClass"),
    Column::text("Reason"),
    Column::AGE,
    Column::wide("VolumeMode"),
];

const SAMPLE: &str = "
apiVersion: v1
kind: PersistentVolume
metadata:
  name: pv1
spec:
  capacity:
    storage: 1Gi
  accessModes:
  - ReadWriteOnce
  storageClassName: manual
  hostPath:
    path: /mnt/1
";

fn defaults(volume: &mut Value) {
    let spec = volume.at_mut("spec");
    for (key, text) in [
        ("persistentVolumeReclaimPolicy", "Retain"),
        ("volumeMode", "Filesystem"),
    ] {
        if !spec.has(key) {
            spec.set(key, text);
        }
    }
    if spec.has("hostPath") && !spec.has("hostPath.type") {
        spec.set("hostPath.type", "");
    }
}

fn row(volume: &Value, now: Instant) -> Vec<Cell> {
    let (spec, status) = (volume.get("spec"), volume.get("status"));
    let claim = match spec.get("claimRef") {
        Value::Null => String::new(),
        claim => format!("{}/{}", claim.str("namespace"), claim.str("name")),
    };
    let phase = if volume.is_terminating() {
        "Terminating"
    } else {
        status.str("phase")
    };
    let or_unset = |text: &str| {
        if text.is_empty() {
            "<unset>".into()
        } else {
            Cell::from(text)
        }
    };
    vec![
        table::name(volume),
        spec.str_at("capacity.storage").into(),
        access_modes(spec.get("accessModes")).into(),
        spec.str("persistentVolumeReclaimPolicy").into(),
        phase.into(),
        claim.into(),
        class(volume).into(),
        or_unset(spec.str("volumeAttributesClassName")),
        status.str("reason").into(),
        table::age(volume, now),
        or_unset(spec.str("volumeMode")),
    ]
}

/// Where the volume is: the name of the field that says so, and what it says.
pub fn source(volume: &Value) -> Option<(&str, &Value)> {
    let spec = volume.get("spec").entries();
    let mut sources = spec
        .iter()
        .filter(|(key, _)| !NOT_SOURCES.contains(&&***key));
    sources.next().map(|(key, value)| (key.as_str(), value))
}

fn validate(volume: &Value, out: &mut Errors) {
    let (spec, path) = (volume.get("spec"), Path::new("spec"));
    access(spec, "", &path, out);
    let capacity = spec.map_at("capacity");
    if capacity.is_empty() {
        out.push(FieldError::required(path.child("capacity"), ""));
    } else if capacity.get("storage").is_none() {
        let path = path.child("capacity");
        out.push(FieldError::not_supported(
            path,
            spec.get("capacity"),
            &["storage"],
        ));
    } else {
        positive(
            spec.at("capacity.storage"),
            &path.child("capacity").key("storage"),
            out,
        );
    }
    let policies = ["Delete", "Recycle", "Retain"];
    check::one_of_if_set(spec, "persistentVolumeReclaimPolicy", &policies, &path, out);
    if source(volume).is_none() {
        out.push(FieldError::required(path, "must specify a volume type"));
    }
    let host_path = spec.get("hostPath");
    if !host_path.is_null() {
        check::named(
            host_path,
            "path",
            |_| Vec::new(),
            &path.child("hostPath"),
            out,
        );
    }
    if spec.has("local") && spec.get("nodeAffinity").is_null() {
        let text = "Local volume requires node affinity";
        out.push(FieldError::required(
            Path::new("metadata.annotations"),
            text,
        ));
    }
    check::named_if_set(
        spec,
        "storageClassName",
        names::dns1123_subdomain,
        &path,
        out,
    );
    check::one_of_if_set(spec, "volumeMode", &["Block", "Filesystem"], &path, out);
}

/// Access modes: at least one, known, and that of one pod alone.
pub(super) fn access(spec: &Value, missing: &str, path: &Path<'_>, out: &mut Errors) {
    let path = path.child("accessModes");
    let modes = spec.list_at("accessModes");
    if modes.is_empty() {
        out.push(FieldError::required(path, missing));
    }
    let mut known: Vec<&str> = ACCESS_MODES.iter().map(|(name, _)| *name).collect();
    known.sort_unstable();
    for mode in modes.iter().map(Value::as_str) {
        if !known.contains(&mode) {
            out.push(FieldError::not_supported(path, mode, &known));
        }
    }
    if modes.len() > 1 && modes.iter().any(|mode| mode.as_str() == "ReadWriteOncePod") {
        let text = "may not use ReadWriteOncePod with other access modes";
        out.push(FieldError::forbidden(path, text));
    }
}

/// An amount above nothing.
pub(super) fn positive(amount: &Value, path: &Path<'_>, out: &mut Errors) {
    if Quantity::of(amount).is_some_and(|amount| amount.sign() <= 0) {
        let text = "must be greater than zero";
        out.push(FieldError::invalid(path, amount, text));
    }
}

fn validate_update(new: &Value, old: &Value, subresource: &str, out: &mut Errors) {
    if !subresource.is_empty() {
        return;
    }
    if source(new) != source(old) {
        let text = "spec.persistentvolumesource is immutable after creation";
        out.push(FieldError::forbidden("spec.persistentvolumesource", text));
    }
    let (new, old) = (new.at("spec.volumeMode"), old.at("spec.volumeMode"));
    check::immutable(new, old, "volumeMode", out);
}
