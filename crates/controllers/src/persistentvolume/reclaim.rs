//! What becomes of a volume whose claim is gone.
//! Models pkg/controller/volume/persistentvolume/pv_controller.go (`reclaimVolume`) and
//! pkg/volume/hostpath (its deleter).

use api::Value;
use api::kinds::persistentvolume::source;
use client::{DeleteOptions, Involved, PERSISTENT_VOLUMES};

use super::bind;
use crate::controller::{Cx, Saying};

/// Names the provisioner that made a volume.
const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";

pub(super) fn was_provisioned(volume: &Value) -> bool {
    !volume.annotation(PROVISIONED_BY).is_empty()
}

/// The claim is gone: the volume is released, and then its reclaim policy is followed.
pub(super) fn released(cx: &mut Cx<'_>, volume: &Value) {
    if !matches!(volume.str_at("status.phase"), "Released" | "Failed") {
        return bind::set_volume_phase(cx, volume, "Released", "");
    }
    match volume.str_at("spec.persistentVolumeReclaimPolicy") {
        "Delete" => delete(cx, volume),
        "Recycle" => {
            let what = sim::unmodelled!("recycling volumes").to_string();
            fail(cx, volume, "VolumeFailedRecycle", &what);
        }
        _ => {}
    }
}

fn delete(cx: &mut Cx<'_>, volume: &Value) {
    let provisioner = volume.annotation(PROVISIONED_BY);
    // A provisioner outside deletes what it made.
    if volume.is_terminating()
        || (was_provisioned(volume) && !provisioner.starts_with("kubernetes.io/"))
    {
        return;
    }
    let (kind, at) = source(volume).unwrap_or(("", api::NULL));
    let path = at.str("path");
    if kind != "hostPath" {
        let why = format!(
            "error getting deleter volume plugin for volume {:?}: no deletable volume plugin matched",
            volume.name()
        );
        return fail(cx, volume, "VolumeFailedDelete", &why);
    }
    if path.strip_prefix("/tmp/").is_none_or(str::is_empty) {
        let why = format!("host_path deleter only supports /tmp/.+ but received provided {path}");
        return fail(cx, volume, "VolumeFailedDelete", &why);
    }
    cx.delete(&PERSISTENT_VOLUMES, volume, DeleteOptions::default());
}

/// Says why the policy cannot be followed; once, until the phase is another.
fn fail(cx: &mut Cx<'_>, volume: &Value, reason: &'static str, why: &str) {
    if volume.str_at("status.phase") != "Failed" {
        bind::set_volume_phase(cx, volume, "Failed", why);
        let involved = Involved::of(&PERSISTENT_VOLUMES, volume);
        cx.event(Saying::warning(&involved, reason, why));
    }
}
