//! The built-in admission plugins: what every write must pass after it is authorised. A plugin is a
//! file with the hooks it needs, and a line here.
//!
//! Models pkg/kubeapiserver/options/plugins.go: the order is its order.

mod certificate_approval;
mod certificate_subject_restriction;
mod default_storage_class;
mod default_toleration_seconds;
mod limit_ranger;
mod namespace_lifecycle;
mod persistent_volume_claim_resize;
mod priority;
mod resource_quota;
mod runtime_class;
mod service_account;
mod storage_object_in_use_protection;
mod taint_nodes_by_condition;

use api::{Status, Value};
use sim::Instant;

use crate::server::ApiServer;
use crate::write::Write;

pub(crate) use resource_quota::{Charge, charged};

/// A plugin: what it does with a write on its way in, each by the object and the one it replaces, if
/// any. What a plugin does not say, it has nothing to do with.
struct Plugin {
    /// The name the command line knows it by.
    name: &'static str,
    /// Changes the object.
    mutate: fn(&mut ApiServer, &Write, &mut Value, Option<&Value>) -> Result<(), Status>,
    /// Refuses the object.
    validate: fn(&ApiServer, &Write, &Value, Option<&Value>) -> Result<(), Status>,
    /// Names what is to be charged before the object is written, or refuses it.
    charge: Charges,
    /// Refuses a deletion.
    validate_delete: fn(&Write) -> Result<(), Status>,
}

type Charges =
    fn(&ApiServer, Instant, &Write, &Value, Option<&Value>) -> Result<Option<Charge>, Status>;

impl Plugin {
    const PLAIN: Plugin = Plugin {
        name: "",
        mutate: |_, _, _, _| Ok(()),
        validate: |_, _, _, _| Ok(()),
        charge: |_, _, _, _, _| Ok(None),
        validate_delete: |_| Ok(()),
    };
}

/// Every plugin, in upstream's order.
const PLUGINS: [&Plugin; 13] = [
    &namespace_lifecycle::PLUGIN,
    &limit_ranger::PLUGIN,
    &service_account::PLUGIN,
    &taint_nodes_by_condition::PLUGIN,
    &priority::PLUGIN,
    &default_toleration_seconds::PLUGIN,
    &default_storage_class::PLUGIN,
    &storage_object_in_use_protection::PLUGIN,
    &persistent_volume_claim_resize::PLUGIN,
    &runtime_class::PLUGIN,
    &certificate_approval::PLUGIN,
    &certificate_subject_restriction::PLUGIN,
    &resource_quota::PLUGIN,
];

/// Lets the plugins change an object.
pub(crate) fn mutate(
    server: &mut ApiServer,
    write: &Write,
    object: &mut Value,
    old: Option<&Value>,
) -> Result<(), Status> {
    for plugin in PLUGINS {
        if is_enabled(server, plugin) {
            (plugin.mutate)(server, write, object, old)?;
        }
    }
    Ok(())
}

/// Lets the plugins refuse an object.
pub(crate) fn validate(
    server: &ApiServer,
    write: &Write,
    object: &Value,
    old: Option<&Value>,
) -> Result<(), Status> {
    for plugin in enabled(server) {
        (plugin.validate)(server, write, object, old)?;
    }
    Ok(())
}

/// What is to be charged before an object may be written: one thing at a time, until nothing is left.
pub(crate) fn charge(
    server: &ApiServer,
    now: Instant,
    write: &Write,
    object: &Value,
    old: Option<&Value>,
) -> Result<Option<Charge>, Status> {
    for plugin in enabled(server) {
        if let Some(charge) = (plugin.charge)(server, now, write, object, old)? {
            return Ok(Some(charge));
        }
    }
    Ok(None)
}

/// Lets the plugins refuse a deletion.
pub(crate) fn validate_delete(server: &ApiServer, write: &Write) -> Result<(), Status> {
    for plugin in enabled(server) {
        (plugin.validate_delete)(write)?;
    }
    Ok(())
}

fn enabled(server: &ApiServer) -> impl Iterator<Item = &'static Plugin> {
    let on = |plugin: &&Plugin| is_enabled(server, plugin);
    PLUGINS.into_iter().filter(on)
}

fn is_enabled(server: &ApiServer, plugin: &Plugin) -> bool {
    let mut off = server.config.disabled_admission_plugins.iter();
    !off.any(|name| **name == *plugin.name)
}

/// Whether a write creates a pod.
fn creates_pod(write: &Write, old: Option<&Value>) -> bool {
    old.is_none() && write.stored_kind().kind == "Pod"
}
