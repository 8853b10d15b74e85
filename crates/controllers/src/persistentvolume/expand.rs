//! Tells whoever asks for a larger volume that somebody else has to make it larger.
//! Models pkg/controller/volume/expand/expand_controller.go.

use api::Quantity;
use api::Value;

use super::about;
use crate::controller::{Cx, Saying};

/// A bound claim asks for more than its volume has.
pub(super) fn tell(cx: &mut Cx<'_>, claim: &Value) {
    let size = |path: &str| Quantity::of(claim.at(path)).map_or(0, |size| size.milli());
    let has = size("status.capacity.storage");
    if has == 0 || size("spec.resources.requests.storage") <= has {
        return;
    }
    let text = "waiting for an external controller to expand this PVC";
    cx.event(Saying::normal(&about(claim), "ExternalExpanding", text));
}
