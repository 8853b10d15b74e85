//! A claim that names no class gets the default one, if there is one.
//!
//! Models plugin/pkg/admission/storage/storageclass/setdefault.

use api::kinds::storageclass::is_default;
use api::{Status, Value};

use super::Plugin;
use crate::server::ApiServer;
use crate::write::Write;

/// The plugin.
pub(super) const PLUGIN: Plugin = Plugin {
    name: "DefaultStorageClass",
    mutate: admit,
    ..Plugin::PLAIN
};

fn admit(
    server: &mut ApiServer,
    write: &Write,
    claim: &mut Value,
    old: Option<&Value>,
) -> Result<(), Status> {
    let beta = "volume.beta.kubernetes.io/storage-class";
    if old.is_some()
        || write.stored_kind().kind != "PersistentVolumeClaim"
        || claim.has("spec.storageClassName")
        || claim.annotations().get(beta).is_some()
    {
        return Ok(());
    }
    let Some(classes) = server.resources.named("storage.k8s.io", "storageclasses") else {
        return Ok(());
    };
    let marked = classes.cache.objects().values().map(|entry| &entry.value);
    // Of several, the newest counts; among those of one second, the first by name.
    let chosen = marked
        .filter(|class| is_default(class))
        .reduce(
            |best, class| match class.creation_timestamp() > best.creation_timestamp() {
                true => class,
                false => best,
            },
        );
    if let Some(name) = chosen.map(|class| class.name().to_owned()) {
        claim.set("spec.storageClassName", name);
    }
    Ok(())
}
