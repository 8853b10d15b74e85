//! What is wrong with the volumes of a pod.
//!
//! Models `ValidateVolumes` of pkg/apis/core/validation/validation.go.

use std::collections::BTreeSet;

use super::containers::{field_ref, resource_ref};
use super::mounts::file_path;
use crate::field::{FieldError, Path};
use crate::kinds::check::{self, Errors};
use crate::kinds::persistentvolumeclaim;
use crate::kinds::volume_source;
use crate::quantity::Quantity;
use crate::{Value, names};

/// Kinds of volumes in the order in which upstream looks for them; of several the first counts.
const KINDS: &[&str] = &[
    "emptyDir",
    "hostPath",
    "gitRepo",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "secret",
    "nfs",
    "iscsi",
    "glusterfs",
    "flocker",
    "persistentVolumeClaim",
    "rbd",
    "cinder",
    "cephfs",
    "quobyte",
    "downwardAPI",
    "fc",
    "flexVolume",
    "configMap",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "storageos",
    "projected",
    "scaleIO",
    "csi",
    "ephemeral",
    "image",
];
/// Fields of a pod a file can hold.
const FILE_FIELDS: &[&str] = &[
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
];

/// What is wrong with the volumes at `path`. Returns those that are in order.
pub(super) fn validate<'a>(
    volumes: &'a [Value],
    path: &Path<'_>,
    out: &mut Errors,
) -> Vec<&'a Value> {
    let mut good: Vec<&Value> = Vec::new();
    for (i, volume) in volumes.iter().enumerate() {
        let path = path.index(i);
        let before = out.len();
        source(volume, &path, out);
        check::named(volume, "name", names::dns1123_label, &path, out);
        let name = volume.str("name");
        if good.iter().any(|other| other.str("name") == name) {
            out.push(FieldError::duplicate(path.child("name"), name));
        }
        if out.len() == before {
            good.push(volume);
        }
    }
    good
}

fn source(volume: &Value, volume_path: &Path<'_>, out: &mut Errors) {
    let kinds = KINDS.iter().copied().filter(|kind| volume.has(kind));
    let Some(kind) = volume_source::only(kinds, volume_path, out) else {
        return;
    };
    let source = volume.get(kind);
    let path = volume_path.child(kind);
    match kind {
        "emptyDir" => {
            if Quantity::of(source.get("sizeLimit")).is_some_and(|size| size.sign() < 0) {
                let text = "SizeLimit field must be a valid resource quantity";
                out.push(FieldError::forbidden(path.child("sizeLimit"), text));
            }
        }
        "configMap" => {
            check::named(source, "name", |_| Vec::new(), &path, out);
            keyed(source, &path, out);
        }
        "secret" => {
            check::named(source, "secretName", |_| Vec::new(), &path, out);
            keyed(source, &path, out);
        }
        "downwardAPI" => {
            mode(source, &path, out);
            for file in source.list_at("items") {
                downward_file(file, &path, out);
            }
        }
        "projected" => {
            mode(source, &path, out);
            let sources_path = path.child("sources");
            for (i, part) in source.list_at("sources").iter().enumerate() {
                projection(part, &path, &sources_path.index(i), out);
            }
            paths_once(source, &path, out);
        }
        "csi" => {
            volume_source::csi_driver(source, &path, out);
            let secret = source.get("nodePublishSecretRef");
            if !secret.is_null() {
                let path = path.child("nodePublishSecretRef");
                check::named(secret, "name", names::dns1123_subdomain, &path, out);
            }
        }
        "ephemeral" => match source.get("volumeClaimTemplate") {
            Value::Null => out.push(FieldError::required(path.child("volumeClaimTemplate"), "")),
            template => claim_template(template, &path.child("volumeClaimTemplate"), out),
        },
        kind => volume_source::validate(kind, volume, volume_path, out),
    }
}

/// A template of claims has labels and annotations, and a spec.
fn claim_template(template: &Value, path: &Path<'_>, out: &mut Errors) {
    let (metadata, meta_path) = (template.metadata(), path.child("metadata"));
    let annotations = metadata.map_at("annotations");
    out.extend(names::validate_annotations(
        annotations,
        meta_path.child("annotations"),
    ));
    let labels_path = meta_path.child("labels");
    out.extend(names::validate_labels(
        metadata.map_at("labels"),
        labels_path,
    ));
    for (key, _) in metadata.entries() {
        if !matches!(&**key, "annotations" | "labels" | "creationTimestamp") {
            out.push(FieldError::forbidden(meta_path.child(key), "cannot be set"));
        }
    }
    persistentvolumeclaim::spec(template.get("spec"), &path.child("spec"), out);
}

/// Files of a projected volume must not be in each other's way.
fn paths_once(source: &Value, path: &Path<'_>, out: &mut Errors) {
    let mut taken = BTreeSet::new();
    for part in source.list_at("sources") {
        for (kind, list) in [
            ("secret", "secret.items"),
            ("configMap", "configMap.items"),
            ("downwardAPI", "downwardAPI.items"),
        ] {
            for file in part.list_at(list) {
                let file_path = file.str("path");
                let of = match kind {
                    "downwardAPI" => file_path,
                    kind => part.get(kind).str("name"),
                };
                if !file_path.is_empty() && !taken.insert(file_path) {
                    out.push(FieldError::invalid(path, of, "conflicting duplicate paths"));
                }
            }
        }
    }
}

/// A file that holds a field of the pod. Upstream leaves its index out of the path.
fn downward_file(file: &Value, path: &Path<'_>, out: &mut Errors) {
    check::named(file, "path", |_| Vec::new(), path, out);
    file_path(file.str("path"), &path.child("path"), out);
    match (file.get("fieldRef"), file.get("resourceFieldRef")) {
        (Value::Null, Value::Null) => {
            let text = "one of fieldRef and resourceFieldRef is required";
            out.push(FieldError::required(path, text));
        }
        (Value::Null, resource) => {
            let path = path.child("resourceFieldRef");
            if resource.str("containerName").is_empty() {
                out.push(FieldError::required(path.child("containerName"), ""));
            } else {
                resource_ref(resource, &path, out);
            }
        }
        (field, resource) => {
            field_ref(field, FILE_FIELDS, &path.child("fieldRef"), out);
            if !resource.is_null() {
                let text = "fieldRef and resourceFieldRef can not be specified simultaneously";
                out.push(FieldError::invalid(path, "resource", text));
            }
        }
    }
    file_mode(file, "mode", path, out);
}

fn projection(part: &Value, volume_path: &Path<'_>, path: &Path<'_>, out: &mut Errors) {
    for kind in ["secret", "configMap"] {
        if part.has(kind) {
            let (source, path) = (part.get(kind), path.child(kind));
            check::named(source, "name", |_| Vec::new(), &path, out);
            keyed(source, &path, out);
        }
    }
    for file in part.get("downwardAPI").list_at("items") {
        downward_file(file, &path.child("downwardAPI"), out);
    }
    let kinds = [
        "secret",
        "configMap",
        "downwardAPI",
        "serviceAccountToken",
        "clusterTrustBundle",
    ];
    let token = part.get("serviceAccountToken");
    if !token.is_null() {
        service_account_token(token, volume_path, path, out);
    }
    if kinds.iter().filter(|kind| part.has(kind)).count() > 1 {
        let text = "may not specify more than 1 volume type per source";
        out.push(FieldError::forbidden(path, text));
    }
}

fn service_account_token(token: &Value, volume_path: &Path<'_>, path: &Path<'_>, out: &mut Errors) {
    let path = path.child("serviceAccountToken");
    let secs = token.get("expirationSeconds").as_i64().unwrap_or(0);
    if secs < 600 {
        let text = "may not specify a duration less than 10 minutes";
        out.push(FieldError::invalid(
            path.child("expirationSeconds"),
            secs,
            text,
        ));
    }
    check::named(token, "path", |_| Vec::new(), volume_path, out);
    file_path(token.str("path"), &volume_path.child("path"), out);
}

/// A volume of files named by keys.
fn keyed(source: &Value, path: &Path<'_>, out: &mut Errors) {
    mode(source, path, out);
    let items_path = path.child("items");
    for (i, item) in source.list_at("items").iter().enumerate() {
        let path = items_path.index(i);
        check::named(item, "key", |_| Vec::new(), &path, out);
        check::named(item, "path", |_| Vec::new(), &path, out);
        file_path(item.str("path"), &path.child("path"), out);
        file_mode(item, "mode", &path, out);
    }
}

fn mode(source: &Value, path: &Path<'_>, out: &mut Errors) {
    file_mode(source, "defaultMode", path, out);
}

fn file_mode(of: &Value, key: &str, path: &Path<'_>, out: &mut Errors) {
    if let Some(mode) = of
        .get(key)
        .as_i64()
        .filter(|mode| !(0..=0o777).contains(mode))
    {
        let text = "must be a number between 0 and 0777 (octal), both inclusive";
        out.push(FieldError::invalid(path.child(key), mode, text));
    }
}
