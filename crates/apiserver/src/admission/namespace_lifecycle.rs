//! Nothing is created in a namespace that does not exist or is going, and some namespaces stay.
//!
//! Models apiserver/pkg/admission/plugin/namespace/lifecycle.

use api::{Status, Value, object, status};

use super::Plugin;
use crate::server::ApiServer;
use crate::write::Write;

/// Namespaces that cannot be deleted.
const IMMORTAL: [&str; 3] = ["default", "kube-system", "kube-public"];

/// The plugin.
pub(super) const PLUGIN: Plugin = Plugin {
    name: "NamespaceLifecycle",
    mutate: admit,
    validate_delete: admit_delete,
    ..Plugin::PLAIN
};

fn admit(
    server: &mut ApiServer,
    write: &Write,
    _object: &mut Value,
    old: Option<&Value>,
) -> Result<(), Status> {
    let namespace = write.namespace.as_str();
    if old.is_some() || namespace.is_empty() {
        return Ok(());
    }
    let Some(found) = server.resources.lookup("", "namespaces", namespace) else {
        return Err(status::not_found("", "namespaces", namespace));
    };
    if !found.value.is_terminating() && found.value.str_at("status.phase") != "Terminating" {
        return Ok(());
    }
    let why = format!(
        "unable to create new content in namespace {namespace} because it is being terminated"
    );
    let status = write.forbidden(why);
    let cause = object! {
        "reason": "NamespaceTerminating",
        "message": format!("namespace {namespace} is being terminated"),
        "field": "metadata.namespace",
    };
    Err(status.causes(vec![cause]))
}

fn admit_delete(_: &ApiServer, write: &mut Write, _: &Value) -> Result<(), Status> {
    let namespace = write.stored_kind().kind == "Namespace";
    if namespace && IMMORTAL.contains(&write.name.as_str()) {
        return Err(write.forbidden("this namespace may not be deleted"));
    }
    Ok(())
}
