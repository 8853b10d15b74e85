//! What is wrong with where a container mounts its volumes.
//!
//! Models `ValidateVolumeMounts` and `ValidateVolumeDevices` of
//! pkg/apis/core/validation/validation.go.

use crate::Value;
use crate::field::{FieldError, Path};
use crate::kinds::check::{self, Errors};

/// What is wrong with the mounts and devices of the container at `path`, whose pod has these volumes
/// in order.
pub(super) fn validate(container: &Value, volumes: &[&Value], path: &Path<'_>, out: &mut Errors) {
    let list_path = path.child("volumeMounts");
    let list = container.list_at("volumeMounts");
    let devices = container.list_at("volumeDevices");
    for (i, mount) in list.iter().enumerate() {
        let path = list_path.index(i);
        let (name, name_path) = (mount.str("name"), path.child("name"));
        if name.is_empty() {
            out.push(FieldError::required(name_path, ""));
        }
        let volume = volumes.iter().find(|volume| volume.str("name") == name);
        if volume.is_none() {
            out.push(FieldError::not_found(name_path, name));
        }
        let (place, place_path) = (mount.str("mountPath"), path.child("mountPath"));
        if place.is_empty() {
            out.push(FieldError::required(place_path, ""));
        }
        if list[..i]
            .iter()
            .any(|other| other.str("mountPath") == place)
        {
            out.push(FieldError::invalid(place_path, place, "must be unique"));
        }
        if devices.iter().any(|device| device.str("name") == name) {
            let text = "must not already exist in volumeDevices";
            out.push(FieldError::invalid(name_path, name, text));
        }
        if devices
            .iter()
            .any(|device| device.str("devicePath") == place)
        {
            let text = "must not already exist as a path in volumeDevices";
            out.push(FieldError::invalid(place_path, place, text));
        }
        if volume.is_some_and(|volume| volume.has("image")) {
            for key in ["subPath", "subPathExpr"] {
                if !mount.str(key).is_empty() {
                    let text = "not allowed in image volume sources";
                    out.push(FieldError::invalid(path.child(key), mount.str(key), text));
                }
            }
        }
        // Upstream leaves the index out of these paths.
        sub_paths(mount, &path, &list_path, out);
        propagation(mount, container, &list_path, out);
    }
    block_devices(devices, list, volumes, &path.child("volumeDevices"), out);
}

fn sub_paths(mount: &Value, path: &Path<'_>, list_path: &Path<'_>, out: &mut Errors) {
    let (plain, expanded) = (mount.str("subPath"), mount.str("subPathExpr"));
    inner_path(plain, &list_path.child("subPath"), out);
    if !plain.is_empty() && !expanded.is_empty() {
        let text = "subPathExpr and subPath are mutually exclusive";
        out.push(FieldError::invalid(
            path.child("subPathExpr"),
            expanded,
            text,
        ));
    }
    inner_path(expanded, &list_path.child("subPathExpr"), out);
}

fn propagation(mount: &Value, container: &Value, path: &Path<'_>, out: &mut Errors) {
    let known = ["Bidirectional", "HostToContainer", "None"];
    check::one_of_if_set(mount, "mountPropagation", &known, path, out);
    let mode = mount.str("mountPropagation");
    if mode == "Bidirectional" && !container.bool_at("securityContext.privileged") {
        let text = "Bidirectional mount propagation is available only to privileged containers";
        out.push(FieldError::forbidden(path.child("mountPropagation"), text));
    }
    let path = path.child("recursiveReadOnly");
    match mount.str("recursiveReadOnly") {
        "" | "Disabled" => {}
        "Enabled" | "IfPossible" => {
            if !mount.bool_at("readOnly") {
                let text = "may only be specified when readOnly is true";
                out.push(FieldError::forbidden(path, text));
            }
            if !matches!(mode, "" | "None") {
                let text = "may only be specified when mountPropagation is None or not specified";
                out.push(FieldError::forbidden(path, text));
            }
        }
        other => {
            let known = ["Disabled", "Enabled", "IfPossible"];
            out.push(FieldError::not_supported(path, other, &known));
        }
    }
}

fn block_devices(
    devices: &[Value],
    mounts: &[Value],
    volumes: &[&Value],
    path: &Path<'_>,
    out: &mut Errors,
) {
    for (i, device) in devices.iter().enumerate() {
        let path = path.index(i);
        let (name, name_path) = (device.str("name"), path.child("name"));
        let (place, place_path) = (device.str("devicePath"), path.child("devicePath"));
        let volume = volumes.iter().find(|volume| volume.str("name") == name);
        if name.is_empty() {
            out.push(FieldError::required(name_path, ""));
        }
        let same = |key: &str| devices[..i].iter().any(|d| d.str(key) == device.str(key));
        if same("name") && !name.is_empty() {
            out.push(FieldError::invalid(name_path, name, "must be unique"));
        }
        match volume {
            None => out.push(FieldError::not_found(name_path, name)),
            Some(of) if !of.has("persistentVolumeClaim") && !of.has("ephemeral") => {
                let text = "can only use volume source type of PersistentVolumeClaim or Ephemeral \
                            for block mode";
                out.push(FieldError::invalid(name_path, name, text));
            }
            Some(_) => {}
        }
        if place.is_empty() {
            out.push(FieldError::required(place_path, ""));
        }
        if same("devicePath") {
            out.push(FieldError::invalid(place_path, place, "must be unique"));
        }
        if goes_up(place) {
            let text = "can not contain backsteps ('..')";
            out.push(FieldError::invalid(place_path, place, text));
        }
        if mounts.iter().any(|mount| mount.str("name") == name) {
            let text = "must not already exist in volumeMounts";
            out.push(FieldError::invalid(name_path, name, text));
        }
        if mounts.iter().any(|mount| mount.str("mountPath") == place) {
            let text = "must not already exist as a path in volumeMounts";
            out.push(FieldError::invalid(place_path, place, text));
        }
    }
}

/// A path that may not leave the volume.
pub(in crate::kinds) fn inner_path(text: &str, path: &Path<'_>, out: &mut Errors) {
    if text.starts_with('/') {
        out.push(FieldError::invalid(path, text, "must be a relative path"));
    }
    no_backsteps(text, path, out);
}

/// The same of a file that is written there: names that begin with dots are taken.
pub(in crate::kinds) fn file_path(text: &str, path: &Path<'_>, out: &mut Errors) {
    inner_path(text, path, out);
    if text.starts_with("..") && !text.starts_with("../") {
        out.push(FieldError::invalid(path, text, "must not start with '..'"));
    }
}

/// A path that may not go up.
pub(in crate::kinds) fn no_backsteps(text: &str, path: &Path<'_>, out: &mut Errors) {
    if goes_up(text) {
        out.push(FieldError::invalid(path, text, "must not contain '..'"));
    }
}

fn goes_up(text: &str) -> bool {
    text.split('/').any(|part| part == "..")
}
