//! PersistentVolume.
//!
//! Models pkg/registry/core/persistentvolume, pkg/apis/core/v1/defaults.go,
//! pkg/apis/core/validation and `printPersistentVolume`.

use sim::Instant;

use super::check::{self, Errors};
use super::pod::scheduling;
use super::pod::warnings::node_term;
use super::support::volumes::{ACCESS_MODES, access_modes, class};
use super::table::{self, Cell, Column};
use super::{Kind, Subresource, volume_source};
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
    warnings,
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
    capacity(spec, &path.child("capacity"), out);
    let policies = ["Delete", "Recycle", "Retain"];
    check::one_of_if_set(spec, "persistentVolumeReclaimPolicy", &policies, &path, out);
    node_affinity(spec, &path.child("nodeAffinity"), out);
    sources(volume, &path, out);
    if spec.str_at("hostPath.path") == "/" && spec.str("persistentVolumeReclaimPolicy") == "Recycle"
    {
        let text = "may not be 'recycle' for a hostPath mount of '/'";
        let path = path.child("persistentVolumeReclaimPolicy");
        out.push(FieldError::forbidden(path, text));
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

fn capacity(spec: &Value, path: &Path<'_>, out: &mut Errors) {
    let amounts = spec.map_at("capacity");
    if amounts.is_empty() {
        out.push(FieldError::required(path, ""));
    }
    if amounts.get("storage").is_none() || amounts.len() > 1 {
        let value = spec.get("capacity");
        out.push(FieldError::not_supported(path, value, &["storage"]));
    }
    for (name, amount) in amounts {
        positive(amount, &path.key(name), out);
    }
}

fn node_affinity(spec: &Value, path: &Path<'_>, out: &mut Errors) {
    let affinity = spec.get("nodeAffinity");
    if affinity.is_null() {
        return;
    }
    let path = path.child("required");
    match affinity.get("required") {
        Value::Null => {
            let text = "must specify required node constraints";
            out.push(FieldError::required(path, text));
        }
        required => scheduling::node_selector(required, &path, out),
    }
}

fn sources(volume: &Value, path: &Path<'_>, out: &mut Errors) {
    let spec = volume.get("spec");
    let kinds = spec.entries().keys().map(|key| key.as_str());
    let kinds = kinds.filter(|key| !NOT_SOURCES.contains(key));
    let Some(kind) = volume_source::only(kinds, path, out) else {
        return;
    };
    volume_source::validate(kind, spec, path, out);
    match kind {
        "local" if spec.get("nodeAffinity").is_null() => {
            let text = "Local volume requires node affinity";
            out.push(FieldError::required(path.child("nodeAffinity"), text));
        }
        "csi" => {
            let (source, path) = (spec.get("csi"), path.child("csi"));
            volume_source::csi_driver(source, &path, out);
            check::named(source, "volumeHandle", |_| Vec::new(), &path, out);
            for key in [
                "controllerPublishSecretRef",
                "controllerExpandSecretRef",
                "nodePublishSecretRef",
                "nodeExpandSecretRef",
            ] {
                volume_source::secret_ref(source, key, &path, out);
            }
        }
        _ => {}
    }
}

/// What is allowed but hardly meant. Models pkg/api/persistentvolume/util.go.
fn warnings(volume: &Value) -> Vec<String> {
    let mut out = class_annotation(volume);
    if volume
        .annotations()
        .get("volume.beta.kubernetes.io/mount-options")
        .is_some()
    {
        out.push(
            "metadata.annotations[volume.beta.kubernetes.io/mount-options]: deprecated since \
             v1.31; use \"mountOptions\" attribute instead"
                .to_owned(),
        );
    }
    let spec = volume.get("spec");
    if spec.str("persistentVolumeReclaimPolicy") == "Recycle" {
        out.push(
            "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. \
             Instead, the recommended approach is to use dynamic provisioning."
                .to_owned(),
        );
    }
    let path = Path::new("spec.nodeAffinity.required.nodeSelectorTerms");
    let terms = volume.list_at("spec.nodeAffinity.required.nodeSelectorTerms");
    for (i, term) in terms.iter().enumerate() {
        node_term(term, &path.index(i), &mut out);
    }
    out
}

/// A class that is named where it stood before the field was there.
pub(super) fn class_annotation(of: &Value) -> Vec<String> {
    let key = "volume.beta.kubernetes.io/storage-class";
    let found = of.annotations().get(key).map(|_| {
        format!(
            "metadata.annotations[{key}]: deprecated since v1.8; use \"storageClassName\" \
             attribute instead"
        )
    });
    found.into_iter().collect()
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
    let alone = |mode: &Value| mode.as_str() == "ReadWriteOncePod";
    let other = |mode: &Value| !alone(mode) && known.contains(&mode.as_str());
    if modes.iter().any(alone) && modes.iter().any(other) {
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
    let (mode, before) = (new.at("spec.volumeMode"), old.at("spec.volumeMode"));
    check::immutable(mode, before, "volumeMode", out);
    let (affinity, before) = (new.at("spec.nodeAffinity"), old.at("spec.nodeAffinity"));
    if !before.is_null() && !check::same(affinity, before) {
        let error = FieldError::invalid("nodeAffinity", affinity, "field is immutable");
        out.push(error.shown_as(affinity_in_go(affinity)));
    }
}

/// An affinity as Go writes the internal type, which has no names for its fields in JSON.
fn affinity_in_go(affinity: &Value) -> String {
    let expressions = |term: &Value, list: &str| {
        let all = term.list_at(list).iter().map(|one| {
            format!(
                "{{\"Key\":{},\"Operator\":{},\"Values\":{}}}",
                one.get("key").to_json(),
                one.get("operator").to_json(),
                one.get("values").to_json()
            )
        });
        let all: Vec<String> = all.collect();
        match all.is_empty() {
            true => "null".to_owned(),
            false => format!("[{}]", all.join(",")),
        }
    };
    let terms = affinity.list_at("required.nodeSelectorTerms").iter();
    let terms: Vec<String> = terms
        .map(|term| {
            let (labels, fields) = (
                expressions(term, "matchExpressions"),
                expressions(term, "matchFields"),
            );
            format!("{{\"MatchExpressions\":{labels},\"MatchFields\":{fields}}}")
        })
        .collect();
    match affinity.is_null() {
        true => "null".to_owned(),
        false => format!(
            "{{\"Required\":{{\"NodeSelectorTerms\":[{}]}}}}",
            terms.join(",")
        ),
    }
}
