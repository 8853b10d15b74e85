//! The built-in admission plugins: what every write must pass after it is authorised. A plugin is a
//! file with the hooks it needs, and a line here.
//!
//! Models pkg/kubeapiserver/options/plugins.go: the order is its order.

mod default_toleration_seconds;
mod namespace_lifecycle;
mod priority;
mod runtime_class;
mod service_account;
mod taint_nodes_by_condition;

use api::{Status, Value};

use crate::server::ApiServer;
use crate::write::Write;

/// Changes an object on its way in. The last argument is the object it replaces, if any.
type Mutate = fn(&mut ApiServer, &Write, &mut Value, Option<&Value>) -> Result<(), Status>;
/// Refuses an object on its way in.
type Validate = fn(&ApiServer, &Write, &Value, Option<&Value>) -> Result<(), Status>;

/// A plugin that changes objects, by the name the command line knows it by.
const MUTATING: [(&str, Mutate); 6] = [
    ("NamespaceLifecycle", namespace_lifecycle::admit),
    ("ServiceAccount", service_account::admit),
    ("TaintNodesByCondition", taint_nodes_by_condition::admit),
    ("Priority", priority::admit),
    (
        "DefaultTolerationSeconds",
        default_toleration_seconds::admit,
    ),
    ("RuntimeClass", runtime_class::admit),
];

/// A plugin that only refuses.
const VALIDATING: [(&str, Validate); 0] = [];

/// Lets the plugins change an object.
pub(crate) fn mutate(
    server: &mut ApiServer,
    write: &Write,
    object: &mut Value,
    old: Option<&Value>,
) -> Result<(), Status> {
    for (name, admit) in MUTATING {
        if is_enabled(server, name) {
            admit(server, write, object, old)?;
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
    for (name, admit) in VALIDATING {
        if is_enabled(server, name) {
            admit(server, write, object, old)?;
        }
    }
    Ok(())
}

/// Lets the plugins refuse a deletion.
pub(crate) fn validate_delete(server: &ApiServer, write: &Write) -> Result<(), Status> {
    if is_enabled(server, "NamespaceLifecycle") {
        namespace_lifecycle::admit_delete(write)?;
    }
    Ok(())
}

fn is_enabled(server: &ApiServer, name: &str) -> bool {
    !server
        .config
        .disabled_admission_plugins
        .iter()
        .any(|off| &**off == name)
}

/// Whether a write creates a pod.
fn creates_pod(write: &Write, old: Option<&Value>) -> bool {
    old.is_none() && write.stored_kind().kind == "Pod"
}
