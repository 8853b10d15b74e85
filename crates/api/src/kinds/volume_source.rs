//! What is wrong with where a volume comes from, be it named by a pod or by a PersistentVolume.
//!
//! Models the volume sources of pkg/apis/core/validation/validation.go.

use super::check::{self, Errors};
use super::pod::mounts::{inner_path, no_backsteps};
use crate::field::{FieldError, Path};
use crate::{Value, names};

const HOST_PATH_TYPES: &[&str] = &[
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
];
/// Fields that cannot be empty, by kind of source.
const NEEDED: &[(&str, &[&str])] = &[
    ("hostPath", &["path"]),
    ("local", &["path"]),
    ("nfs", &["server", "path"]),
    ("gitRepo", &["repository"]),
    ("gcePersistentDisk", &["pdName"]),
    ("awsElasticBlockStore", &["volumeID"]),
    ("iscsi", &["targetPortal", "iqn"]),
    ("glusterfs", &["endpoints", "path"]),
    ("persistentVolumeClaim", &["claimName"]),
    ("rbd", &["monitors", "image"]),
    ("cinder", &["volumeID"]),
    ("cephfs", &["monitors"]),
    ("quobyte", &["registry", "volume"]),
    ("flexVolume", &["driver"]),
    ("azureFile", &["secretName", "shareName"]),
    ("vsphereVolume", &["volumePath"]),
    ("photonPersistentDisk", &["pdID"]),
    ("portworxVolume", &["volumeID"]),
    ("azureDisk", &["diskName", "diskURI"]),
    ("storageos", &["volumeName"]),
    ("scaleIO", &["gateway", "system", "volumeName"]),
];

/// The one kind of source that is given, the first where there are more; what is wrong if there is
/// not just one.
pub(super) fn only<'a>(
    mut kinds: impl Iterator<Item = &'a str>,
    path: &Path<'_>,
    out: &mut Errors,
) -> Option<&'a str> {
    let Some(kind) = kinds.next() else {
        out.push(FieldError::required(path, "must specify a volume type"));
        return None;
    };
    for other in kinds {
        let text = "may not specify more than 1 volume type";
        out.push(FieldError::forbidden(path.child(other), text));
    }
    Some(kind)
}

/// What is wrong with the source of this kind in what stands at `path`.
pub(super) fn validate(kind: &str, of: &Value, path: &Path<'_>, out: &mut Errors) {
    let source = of.get(kind);
    // Upstream calls this one by another name here.
    let path = &path.child(match kind {
        "gcePersistentDisk" => "persistentDisk",
        kind => kind,
    });
    let needed = NEEDED.iter().find(|(known, _)| *known == kind);
    for key in needed.map_or(&[][..], |(_, keys)| keys) {
        if source.get(key).is_zero() {
            out.push(FieldError::required(path.child(key), ""));
        }
    }
    let place = source.str("path");
    match kind {
        "hostPath" | "local" => {
            no_backsteps(place, &path.child("path"), out);
            if source.has("type") && !place.is_empty() {
                check::known_word(source, "type", HOST_PATH_TYPES, path, out);
            }
        }
        "nfs" if !place.starts_with('/') => {
            let text = "must be an absolute path";
            out.push(FieldError::invalid(path.child("path"), place, text));
        }
        "gitRepo" => inner_path(source.str("directory"), &path.child("directory"), out),
        "gcePersistentDisk" | "awsElasticBlockStore" => {
            let number = source.i64_at("partition").unwrap_or(0);
            if !(0..=255).contains(&number) {
                let text = names::range_error(1, 255);
                out.push(FieldError::invalid(path.child("partition"), number, text));
            }
        }
        "iscsi" => {
            let number = source.i64_at("lun").unwrap_or(0);
            if !(0..=255).contains(&number) {
                let text = names::range_error(0, 255);
                out.push(FieldError::invalid(path.child("lun"), number, text));
            }
        }
        "fc" => fibre_channel(source, path, out),
        _ => {}
    }
}

fn fibre_channel(source: &Value, path: &Path<'_>, out: &mut Errors) {
    let (names, ids) = (source.list_at("targetWWNs"), source.list_at("wwids"));
    let names_path = path.child("targetWWNs");
    if names.is_empty() && ids.is_empty() {
        let text = "must specify either targetWWNs or wwids, but not both";
        out.push(FieldError::required(names_path, text));
    }
    if !names.is_empty() && !ids.is_empty() {
        let text = "targetWWNs and wwids can not be specified simultaneously";
        out.push(FieldError::invalid(
            names_path,
            source.get("targetWWNs"),
            text,
        ));
    }
    if !names.is_empty() && !source.has("lun") {
        let text = "lun is required if targetWWNs is specified";
        out.push(FieldError::required(path.child("lun"), text));
    }
}

/// What is wrong with the driver of the CSI source at `path`.
pub(super) fn csi_driver(source: &Value, path: &Path<'_>, out: &mut Errors) {
    let (driver, path) = (source.str("driver"), path.child("driver"));
    if driver.is_empty() {
        out.push(FieldError::required(path, ""));
    }
    if driver.len() > 63 {
        out.push(FieldError::too_long(path, 63));
    }
    let messages = names::dns1123_subdomain(&driver.to_lowercase());
    check::invalid(messages, path, driver, out);
}

/// What is wrong with a reference to a secret in any namespace.
pub(super) fn secret_ref(of: &Value, key: &str, path: &Path<'_>, out: &mut Errors) {
    let (secret, path) = (of.get(key), path.child(key));
    if !secret.is_null() {
        check::named(secret, "name", names::dns1123_subdomain, &path, out);
        check::named(secret, "namespace", names::dns1123_label, &path, out);
    }
}
