//! What is wrong with the volumes of a pod.
//!
//! Models `ValidateVolumes` of pkg/apis/core/validation/validation.go.

use super::containers::{RESOURCE_FIELDS, field_ref, inner_path, no_backsteps};
use crate::field::{FieldError, Path};
use crate::kinds::check::{self, Errors};
use crate::{Value, names};

const HOST_PATH_TYPES: &[&str] = &[
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
];

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

/// What is wrong with the volumes at `path`. Returns the names of those that are in order.
pub(super) fn validate<'a>(
    volumes: &'a [Value],
    path: &Path<'_>,
    out: &mut Errors,
) -> Vec<&'a str> {
    let mut good: Vec<&str> = Vec::new();
    for (i, volume) in volumes.iter().enumerate() {
        let path = path.index(i);
        let before = out.len();
        source(volume, &path, out);
        check::named(volume, "name", names::dns1123_label, &path, out);
        let name = volume.str("name");
        if good.contains(&name) {
            out.push(FieldError::duplicate(path.child("name"), name));
        }
        if out.len() == before {
            good.push(name);
        }
    }
    good
}

fn source(volume: &Value, path: &Path<'_>, out: &mut Errors) {
    let mut kinds = KINDS.iter().filter(|kind| volume.has(kind));
    let Some(kind) = kinds.next() else {
        out.push(FieldError::required(path, "must specify a volume type"));
        return;
    };
    for other in kinds {
        let text = "may not specify more than 1 volume type";
        out.push(FieldError::forbidden(path.child(other), text));
    }
    let source = volume.get(kind);
    let path = path.child(kind);
    match *kind {
        "hostPath" => {
            check::named(source, "path", |_| Vec::new(), &path, out);
            no_backsteps(source.str("path"), &path.child("path"), out);
            check::one_of_if_set(source, "type", HOST_PATH_TYPES, &path, out);
        }
        "configMap" => {
            check::named(source, "name", |_| Vec::new(), &path, out);
            keyed(source, &path, out);
        }
        "secret" => {
            check::named(source, "secretName", |_| Vec::new(), &path, out);
            keyed(source, &path, out);
        }
        "persistentVolumeClaim" => {
            check::named(source, "claimName", |_| Vec::new(), &path, out);
        }
        "downwardAPI" => {
            mode(source, &path, out);
            for file in source.list_at("items") {
                downward_file(file, &path, out);
            }
        }
        "nfs" => {
            check::named(source, "server", |_| Vec::new(), &path, out);
            check::named(source, "path", |_| Vec::new(), &path, out);
            if !source.str("path").starts_with('/') {
                let text = "must be an absolute path";
                out.push(FieldError::invalid(
                    path.child("path"),
                    source.str("path"),
                    text,
                ));
            }
        }
        "projected" => {
            mode(source, &path, out);
            let sources_path = path.child("sources");
            for (i, part) in source.list_at("sources").iter().enumerate() {
                projection(part, &path, &sources_path.index(i), out);
            }
        }
        _ => {}
    }
}

/// A file that holds a field of the pod. Upstream leaves its index out of the path.
fn downward_file(file: &Value, path: &Path<'_>, out: &mut Errors) {
    check::named(file, "path", |_| Vec::new(), path, out);
    inner_path(file.str("path"), &path.child("path"), out);
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
                check::one_of(resource, "resource", RESOURCE_FIELDS, &path, out);
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
    let token = part.get("serviceAccountToken");
    if token.is_null() {
        return;
    }
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
    inner_path(token.str("path"), &volume_path.child("path"), out);
}

/// A volume of files named by keys.
fn keyed(source: &Value, path: &Path<'_>, out: &mut Errors) {
    mode(source, path, out);
    let items_path = path.child("items");
    for (i, item) in source.list_at("items").iter().enumerate() {
        let path = items_path.index(i);
        check::named(item, "key", |_| Vec::new(), &path, out);
        check::named(item, "path", |_| Vec::new(), &path, out);
        inner_path(item.str("path"), &path.child("path"), out);
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
