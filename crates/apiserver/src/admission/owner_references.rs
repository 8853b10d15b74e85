//! Who lets an object hold up the deletion of its owner must be allowed to hold it up.
//!
//! Models plugin/pkg/admission/gc.

use api::kinds;
use api::{Status, Value};

use super::Plugin;
use crate::authz::Attributes;
use crate::server::ApiServer;
use crate::write::Write;

/// The plugin; off unless it is asked for.
pub(super) const PLUGIN: Plugin = Plugin {
    name: "OwnerReferencesPermissionEnforcement",
    on: false,
    validate: admit,
    ..Plugin::PLAIN
};

fn admit(
    server: &ApiServer,
    write: &mut Write,
    object: &Value,
    old: Option<&Value>,
) -> Result<(), Status> {
    let owners = |object: &Value| object.list_at("metadata.ownerReferences").to_vec();
    let before = old.map_or_else(Vec::new, owners);
    let now = owners(object);
    let allowed = |asked: Attributes<'_>| server.authorizer.decide(&write.user, &asked).allowed;
    let kind = write.stored_kind();
    if now != before && old.is_some() {
        let own = Attributes {
            verb: "delete",
            group: kind.group,
            resource: kind.plural,
            namespace: &write.namespace,
            name: &write.name,
            ..Attributes::default()
        };
        if !allowed(own) {
            let why = "cannot set an ownerRef on a resource you can't delete: ";
            return Err(write.forbidden(why));
        }
    }
    for owner in now.iter().filter(|owner| !before.contains(owner)) {
        if owner.get("blockOwnerDeletion").as_bool() != Some(true) {
            continue;
        }
        let Some(of) = kinds::by_kind(owner.str("apiVersion"), owner.str("kind")) else {
            continue;
        };
        let asked = Attributes {
            verb: "update",
            group: of.group,
            resource: of.plural,
            subresource: "finalizers",
            namespace: if of.namespaced { &write.namespace } else { "" },
            name: owner.str("name"),
            ..Attributes::default()
        };
        if !allowed(asked) {
            let why = "cannot set blockOwnerDeletion if an ownerReference refers to a resource you \
                       can't set finalizers on: ";
            return Err(write.forbidden(why));
        }
    }
    Ok(())
}
