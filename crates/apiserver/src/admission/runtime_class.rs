//! A pod's runtime class exists, and adds its overhead and placement.
//!
//! Models plugin/pkg/admission/runtimeclass.

use api::{Status, Value};

use super::{Plugin, creates_pod};
use crate::server::ApiServer;
use crate::write::Write;

/// The plugin.
pub(super) const PLUGIN: Plugin = Plugin {
    name: "RuntimeClass",
    mutate: admit,
    ..Plugin::PLAIN
};

fn admit(
    server: &mut ApiServer,
    write: &Write,
    pod: &mut Value,
    old: Option<&Value>,
) -> Result<(), Status> {
    let name = pod.str_at("spec.runtimeClassName").to_owned();
    if !creates_pod(write, old) || name.is_empty() {
        return Ok(());
    }
    let Some(class) = server
        .resources
        .lookup("node.k8s.io", "runtimeclasses", &name)
    else {
        return Err(write.forbidden(format!("pod rejected: RuntimeClass {name:?} not found")));
    };
    let class = class.value.clone();
    if class.has("overhead.podFixed") && !pod.has("spec.overhead") {
        pod.set("spec.overhead", class.at("overhead.podFixed"));
    }
    for (key, value) in class.map_at("scheduling.nodeSelector").iter() {
        pod.set_path(&["spec", "nodeSelector", key], value);
    }
    for toleration in class.list_at("scheduling.tolerations") {
        if !pod.list_at("spec.tolerations").contains(toleration) {
            pod.list_mut("spec.tolerations").push(toleration.clone());
        }
    }
    Ok(())
}
