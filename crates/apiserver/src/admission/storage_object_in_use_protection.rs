//! New claims and volumes are protected from being deleted while they are used.
//!
//! Models plugin/pkg/admission/storage/storageobjectinuseprotection.

use api::{Status, Value};

use super::Plugin;
use crate::server::ApiServer;
use crate::write::Write;

/// The plugin.
pub(super) const PLUGIN: Plugin = Plugin {
    name: "StorageObjectInUseProtection",
    mutate: admit,
    ..Plugin::PLAIN
};

fn admit(
    _: &mut ApiServer,
    write: &Write,
    object: &mut Value,
    old: Option<&Value>,
) -> Result<(), Status> {
    let finalizer = match write.stored_kind().kind {
        "PersistentVolume" => "kubernetes.io/pv-protection",
        "PersistentVolumeClaim" => "kubernetes.io/pvc-protection",
        _ => return Ok(()),
    };
    if old.is_none() && !object.has_finalizer(finalizer) {
        object
            .list_mut("metadata.finalizers")
            .push(finalizer.into());
    }
    Ok(())
}
