//! The steps by which a claim and a volume become one another's: each is a write, and the next is
//! taken when it was seen.
//! Models pkg/controller/volume/persistentvolume/pv_controller.go (`bind`, `unbindVolume`).

use api::kinds::support::volumes::{BIND_COMPLETED, BOUND_BY_CONTROLLER, is_for};
use api::{NULL, Value};
use client::{PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES};

use super::reference;
use crate::controller::Cx;

/// The next step, if one is left.
pub(super) fn step(cx: &mut Cx<'_>, volume: &Value, claim: &Value) {
    if volume.str_at("spec.claimRef.uid") != claim.uid() {
        let mut bound = volume.clone();
        if !is_for(volume, claim) {
            bound.set_annotation(BOUND_BY_CONTROLLER, "yes");
        }
        bound.set("spec.claimRef", reference(claim));
        cx.update(&PERSISTENT_VOLUMES, bound);
    } else if volume.str_at("status.phase") != "Bound" {
        set_volume_phase(cx, volume, "Bound", "");
    } else if claim.annotations().get(BIND_COMPLETED).is_none() {
        let mut bound = claim.clone();
        if claim.str_at("spec.volumeName") != volume.name() {
            bound.set("spec.volumeName", volume.name());
            bound.set_annotation(BOUND_BY_CONTROLLER, "yes");
        }
        bound.set_annotation(BIND_COMPLETED, "yes");
        // Nobody is to see a claim that is bound and pending for long: the status follows at once,
        // whatever version the claim has by then.
        let mut told = bound.clone();
        told.remove("metadata.resourceVersion");
        cx.update(&PERSISTENT_VOLUME_CLAIMS, bound);
        set_phase(cx, &told, "Bound", Some(volume));
    } else {
        set_phase(cx, claim, "Bound", Some(volume));
    }
}

/// Writes a claim's phase, and what its volume offers, unless the status says so already.
pub(super) fn set_phase(cx: &mut Cx<'_>, claim: &Value, phase: &str, volume: Option<&Value>) {
    let mut changed = claim.clone();
    changed.set("status.phase", phase);
    let spec = volume.map_or(NULL, |volume| volume.get("spec"));
    changed.set_or_remove("status.accessModes", spec.get("accessModes"));
    // A volume that grew is the resizer's to report.
    if claim.str_at("status.phase") != phase || !claim.has("status.capacity") {
        changed.set_or_remove("status.capacity", spec.get("capacity"));
    }
    if !changed.get("status").same(claim.get("status")) {
        cx.update_status(&PERSISTENT_VOLUME_CLAIMS, changed);
    }
}

/// Writes a volume's phase, unless it is in it.
pub(super) fn set_volume_phase(cx: &mut Cx<'_>, volume: &Value, phase: &str, message: &str) {
    if volume.str_at("status.phase") == phase {
        return;
    }
    let mut changed = volume.clone();
    changed.set("status.phase", phase);
    changed.set("status.lastPhaseTransitionTime", cx.now.rfc3339());
    changed.set_or_remove("status.message", message);
    cx.update_status(&PERSISTENT_VOLUMES, changed);
}

/// Takes a binding back: all of what the controller wrote, or the uid of a claim that somebody
/// wants the volume for.
pub(super) fn undo(cx: &mut Cx<'_>, volume: &Value) {
    let mut free = volume.clone();
    if volume.annotations().get(BOUND_BY_CONTROLLER).is_some() {
        free.remove("spec.claimRef");
        free.remove_path(&["metadata", "annotations", BOUND_BY_CONTROLLER]);
    } else {
        free.remove("spec.claimRef.uid");
    }
    cx.update(&PERSISTENT_VOLUMES, free);
}
