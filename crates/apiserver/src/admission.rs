//! The built-in admission plugins: what every write must pass after it is authorised. A plugin is a
//! file with the hooks it needs, and a line here.
//!
//! Models pkg/kubeapiserver/options/plugins.go: the order is its order.

mod certificates;
mod default_ingress_class;
mod default_storage_class;
mod default_toleration_seconds;
mod limit_ranger;
mod mutating_policy;
mod namespace_lifecycle;
mod node_restriction;
mod owner_references;
mod persistent_volume_claim_resize;
mod pod_security;
pub(crate) mod policy;
mod priority;
mod resource_quota;
mod runtime_class;
mod service_account;
mod storage_object_in_use_protection;
mod taint_nodes_by_condition;
mod validating_policy;
pub(crate) mod webhooks;

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
    /// Whether it is on unless the command line says otherwise.
    on: bool,
    /// Changes the object.
    mutate: fn(&mut ApiServer, &Write, &mut Value, Option<&Value>) -> Result<(), Status>,
    /// Refuses the object.
    validate: fn(&ApiServer, &mut Write, &Value, Option<&Value>) -> Result<(), Status>,
    /// Names what is to be charged before the object is written, or refuses it.
    charge: Charges,
    /// Refuses the deletion of an object.
    validate_delete: fn(&ApiServer, &mut Write, &Value) -> Result<(), Status>,
}

type Charges =
    fn(&ApiServer, Instant, &Write, &Value, Option<&Value>) -> Result<Option<Charge>, Status>;

impl Plugin {
    const PLAIN: Plugin = Plugin {
        name: "",
        on: true,
        mutate: |_, _, _, _| Ok(()),
        validate: |_, _, _, _| Ok(()),
        charge: |_, _, _, _, _| Ok(None),
        validate_delete: |_, _, _| Ok(()),
    };
}

/// Every plugin, in upstream's order.
const PLUGINS: &[&Plugin] = &[
    &namespace_lifecycle::PLUGIN,
    &limit_ranger::PLUGIN,
    &service_account::PLUGIN,
    &node_restriction::PLUGIN,
    &taint_nodes_by_condition::PLUGIN,
    &pod_security::PLUGIN,
    &priority::PLUGIN,
    &default_toleration_seconds::PLUGIN,
    &default_storage_class::PLUGIN,
    &storage_object_in_use_protection::PLUGIN,
    &owner_references::PLUGIN,
    &persistent_volume_claim_resize::PLUGIN,
    &runtime_class::PLUGIN,
    &certificates::APPROVAL,
    &certificates::SIGNING,
    &certificates::SUBJECT,
    &default_ingress_class::PLUGIN,
    &mutating_policy::PLUGIN,
    &webhooks::MUTATING,
    &validating_policy::PLUGIN,
    &webhooks::VALIDATING,
    &resource_quota::PLUGIN,
];

/// Lets the plugins change an object. Where a policy or a webhook changed it, the others look at it once more.
pub(crate) fn mutate(
    server: &mut ApiServer,
    write: &mut Write,
    object: &mut Value,
    old: Option<&Value>,
) -> Result<(), Status> {
    let is_policy = |plugin: &Plugin| plugin.name == mutating_policy::PLUGIN.name;
    let is_webhook = |plugin: &Plugin| plugin.name == webhooks::MUTATING.name;
    let mut rounds = webhooks::Rounds::default();
    let mut changed = false;
    for plugin in PLUGINS {
        if !is_enabled(server, plugin) {
            continue;
        }
        if is_webhook(plugin) {
            changed |= webhooks::mutate(server, write, object, old, (0, &mut rounds))?;
            continue;
        }
        let before = is_policy(plugin).then(|| object.clone());
        (plugin.mutate)(server, write, object, old)?;
        changed |= before.is_some_and(|before| !before.same(object));
    }
    if !changed {
        return Ok(());
    }
    for plugin in PLUGINS {
        if !is_enabled(server, plugin) || is_policy(plugin) {
            continue;
        }
        if is_webhook(plugin) {
            webhooks::mutate(server, write, object, old, (1, &mut rounds))?;
        } else {
            (plugin.mutate)(server, write, object, old)?;
        }
    }
    Ok(())
}

/// Lets the plugins refuse an object.
pub(crate) fn validate(
    server: &ApiServer,
    write: &mut Write,
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
pub(crate) fn validate_delete(
    server: &ApiServer,
    write: &mut Write,
    old: &Value,
) -> Result<(), Status> {
    for plugin in enabled(server) {
        (plugin.validate_delete)(server, write, old)?;
    }
    Ok(())
}

fn enabled(server: &ApiServer) -> impl Iterator<Item = &'static Plugin> {
    let on = |plugin: &&Plugin| is_enabled(server, plugin);
    PLUGINS.iter().copied().filter(on)
}

fn is_enabled(server: &ApiServer, plugin: &Plugin) -> bool {
    let named = |list: &[std::rc::Rc<str>]| list.iter().any(|name| **name == *plugin.name);
    let on = plugin.on || named(&server.config.admission_plugins);
    on && !named(&server.config.disabled_admission_plugins)
}

/// Whether a write creates a pod.
fn creates_pod(write: &Write, old: Option<&Value>) -> bool {
    old.is_none() && write.stored_kind().kind == "Pod"
}
