//! Kinds that are not built in: which resource a CustomResourceDefinition describes.

use api::Value;
use api::kinds::customresourcedefinition::conditions;
use client::Resource;

/// The resource that a definition's objects are served as, in the version that is stored where that
/// is served; `None` while none is.
pub(crate) fn described(definition: &Value) -> Option<Resource> {
    if !conditions::is_true(definition, "Established") {
        return None;
    }
    let versions = definition.list_at("spec.versions");
    let served = |version: &&Value| version.bool_at("served");
    let stored = versions.iter().find(|version| version.bool_at("storage"));
    let version = stored
        .filter(served)
        .or_else(|| versions.iter().find(served))?;
    let group = definition.str_at("spec.group");
    let names = definition.at("status.acceptedNames");
    Some(Resource::named(
        &format!("{group}/{}", version.str("name")),
        names.str("plural"),
        names.str("kind"),
        definition.str_at("spec.scope") == "Namespaced",
    ))
}
