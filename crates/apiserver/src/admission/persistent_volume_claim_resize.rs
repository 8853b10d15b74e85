//! A claim grows only if its class says that its volumes can.
//!
//! Models plugin/pkg/admission/storage/persistentvolume/resize.

use api::kinds::support::volumes::class;
use api::{Quantity, Status, Value};

use super::Plugin;
use crate::server::ApiServer;
use crate::write::Write;

/// The plugin.
pub(super) const PLUGIN: Plugin = Plugin {
    name: "PersistentVolumeClaimResize",
    validate,
    ..Plugin::PLAIN
};

fn validate(
    server: &ApiServer,
    write: &mut Write,
    claim: &Value,
    old: Option<&Value>,
) -> Result<(), Status> {
    let Some(old) = old.filter(|_| write.stored_kind().kind == "PersistentVolumeClaim") else {
        return Ok(());
    };
    let size = |claim: &Value| {
        Quantity::of(claim.at("spec.resources.requests.storage")).map_or(0, |size| size.milli())
    };
    if !write.subresource.is_empty() || size(claim) <= size(old) {
        return Ok(());
    }
    if old.str_at("status.phase") != "Bound" {
        return Err(write.forbidden("Only bound persistent volume claims can be expanded"));
    }
    let class = server
        .resources
        .lookup("storage.k8s.io", "storageclasses", class(claim));
    if class.is_some_and(|class| class.value.bool_at("allowVolumeExpansion")) {
        return Ok(());
    }
    let text = "only dynamically provisioned pvc can be resized and the storageclass that \
                provisions the pvc must support resize";
    Err(write.forbidden(text))
}
