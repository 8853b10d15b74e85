//! A new node takes no pods until it is known to be ready.
//!
//! Models plugin/pkg/admission/nodetaint.

use api::{Status, Value, object};

use super::Plugin;
use crate::server::ApiServer;
use crate::write::Write;

const KEY: &str = "node.kubernetes.io/not-ready";

/// The plugin.
pub(super) const PLUGIN: Plugin = Plugin {
    name: "TaintNodesByCondition",
    mutate: admit,
    ..Plugin::PLAIN
};

fn admit(
    _server: &mut ApiServer,
    write: &Write,
    node: &mut Value,
    old: Option<&Value>,
) -> Result<(), Status> {
    if old.is_some() || write.stored_kind().kind != "Node" {
        return Ok(());
    }
    let has = |taint: &Value| taint.str("key") == KEY && taint.str("effect") == "NoSchedule";
    if !node.list_at("spec.taints").iter().any(has) {
        node.list_mut("spec.taints")
            .push(object! { "key": KEY, "effect": "NoSchedule" });
    }
    Ok(())
}
