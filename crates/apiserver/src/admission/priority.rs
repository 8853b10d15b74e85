//! A pod's priority, from its class.
//!
//! Models plugin/pkg/admission/priority.

use api::{Status, Value};

use super::{Plugin, creates_pod};
use crate::server::ApiServer;
use crate::write::Write;

/// The classes that every cluster has.
const SYSTEM_CLASSES: [(&str, i64); 2] = [
    ("system-cluster-critical", 2_000_000_000),
    ("system-node-critical", 2_000_001_000),
];

/// The plugin.
pub(super) const PLUGIN: Plugin = Plugin {
    name: "Priority",
    mutate: admit,
    ..Plugin::PLAIN
};

fn admit(
    server: &mut ApiServer,
    write: &Write,
    pod: &mut Value,
    old: Option<&Value>,
) -> Result<(), Status> {
    if !creates_pod(write, old) {
        return Ok(());
    }
    let mut priority = 0;
    let mut preemption = Value::from("PreemptLowerPriority");
    let mut name = pod.str_at("spec.priorityClassName").to_owned();
    if name.is_empty()
        && let Some(class) = global_default(server)
    {
        class.name().clone_into(&mut name);
        pod.set("spec.priorityClassName", name.as_str());
    }
    if !name.is_empty() {
        let class = server
            .resources
            .lookup("scheduling.k8s.io", "priorityclasses", &name);
        let system = SYSTEM_CLASSES.iter().find(|(system, _)| *system == name);
        match (class, system) {
            (Some(class), _) => {
                priority = class.value.get("value").as_i64().unwrap_or(0);
                if class.value.get("preemptionPolicy").is_str() {
                    preemption = class.value.get("preemptionPolicy").clone();
                }
            }
            (None, Some((_, value))) => priority = *value,
            (None, None) => {
                return Err(write.forbidden(format!("no PriorityClass with name {name} was found")));
            }
        }
    }
    let given = pod.i64_at("spec.priority");
    if given.is_some_and(|given| given != priority) {
        return Err(write.forbidden(format!(
            "the integer value of priority ({}) must not be provided in pod spec; priority \
             admission controller computed {priority} from the given PriorityClass name",
            given.unwrap_or(0)
        )));
    }
    pod.set("spec.priority", priority);
    if !pod.has("spec.preemptionPolicy") {
        pod.set("spec.preemptionPolicy", preemption);
    }
    Ok(())
}

/// The class of pods that name none: of those marked so, the one with the lowest value.
fn global_default(server: &ApiServer) -> Option<Value> {
    let classes = server
        .resources
        .named("scheduling.k8s.io", "priorityclasses")?;
    let marked = classes.cache.objects().values().map(|entry| &entry.value);
    marked
        .filter(|class| class.bool_at("globalDefault"))
        .min_by_key(|class| class.get("value").as_i64().unwrap_or(0))
        .cloned()
}
