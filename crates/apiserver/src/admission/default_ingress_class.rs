//! An Ingress without a class gets the default one.
//!
//! Models plugin/pkg/admission/network/defaultingressclass.

use api::{Status, Value};

use super::Plugin;
use crate::server::ApiServer;
use crate::write::Write;

/// The plugin.
pub(super) const PLUGIN: Plugin = Plugin {
    name: "DefaultIngressClass",
    mutate: admit,
    ..Plugin::PLAIN
};

/// The class that is used where none is named.
const DEFAULT: &str = "ingressclass.kubernetes.io/is-default-class";
/// The old way to name a class.
const OLD: &str = "kubernetes.io/ingress.class";

fn admit(
    server: &mut ApiServer,
    write: &Write,
    ingress: &mut Value,
    old: Option<&Value>,
) -> Result<(), Status> {
    let concerned = old.is_none() && write.stored_kind().kind == "Ingress";
    let named = !ingress.at("spec.ingressClassName").is_null();
    if !concerned || named || ingress.annotations().contains_key(OLD) {
        return Ok(());
    }
    let Some(classes) = server
        .resources
        .named("networking.k8s.io", "ingressclasses")
    else {
        return Ok(());
    };
    let all = classes.cache.objects().values().map(|entry| &entry.value);
    let defaults: Vec<&Value> = all
        .filter(|class| class.annotation(DEFAULT) == "true")
        .collect();
    match defaults.as_slice() {
        [] => {}
        [class] => {
            let name = class.name().to_owned();
            ingress.set("spec.ingressClassName", name);
        }
        several => {
            let count = several.len();
            return Err(write.forbidden(format!(
                "Internal error occurred: {count} default IngressClasses were found, only 1 allowed"
            )));
        }
    }
    Ok(())
}
