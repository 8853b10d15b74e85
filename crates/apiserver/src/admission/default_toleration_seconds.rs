//! Pods tolerate for a while that their node is not ready or unreachable.
//!
//! Models plugin/pkg/admission/defaulttolerationseconds.

use api::{Status, Value, object};

use super::{Plugin, creates_pod};
use crate::server::ApiServer;
use crate::write::Write;

/// The plugin.
pub(super) const PLUGIN: Plugin = Plugin {
    name: "DefaultTolerationSeconds",
    mutate: admit,
    ..Plugin::PLAIN
};

fn admit(
    server: &mut ApiServer,
    write: &Write,
    object: &mut Value,
    old: Option<&Value>,
) -> Result<(), Status> {
    let update = old.is_some() && write.stored_kind().kind == "Pod" && write.subresource.is_empty();
    if !creates_pod(write, old) && !update {
        return Ok(());
    }
    let wanted = [
        (
            "node.kubernetes.io/not-ready",
            server.config.not_ready_toleration_secs,
        ),
        (
            "node.kubernetes.io/unreachable",
            server.config.unreachable_toleration_secs,
        ),
    ];
    for (key, secs) in wanted {
        let tolerates = |one: &Value| {
            let (by, effect) = (one.str("key"), one.str("effect"));
            (by.is_empty() || by == key) && (effect.is_empty() || effect == "NoExecute")
        };
        if !object.list_at("spec.tolerations").iter().any(tolerates) {
            object.list_mut("spec.tolerations").push(object! {
                "key": key,
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": secs,
            });
        }
    }
    Ok(())
}
