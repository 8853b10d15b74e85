//! What controllers ask of a pod. Models pkg/api/v1/pod/util.go.

use api::{Value, object};
use client::Resource;
use sim::Instant;

/// The pod has ended.
pub(crate) fn is_finished(pod: &Value) -> bool {
    matches!(pod.get("status").str("phase"), "Succeeded" | "Failed")
}

/// The pod runs or will run, and nobody has begun to delete it.
pub(crate) fn is_active(pod: &Value) -> bool {
    !is_finished(pod) && !pod.is_terminating()
}

/// A condition of a status.
pub(crate) fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    let conditions = object.get("status").get("conditions").list();
    conditions
        .iter()
        .find(|condition| condition.str("type") == kind)
}

/// Whether the pod is ready.
pub(crate) fn is_ready(pod: &Value) -> bool {
    condition(pod, "Ready").is_some_and(|condition| condition.str("status") == "True")
}

/// Since when the pod is ready, if it is.
pub(crate) fn ready_since(pod: &Value) -> Option<Instant> {
    let ready = condition(pod, "Ready").filter(|condition| condition.str("status") == "True")?;
    Some(Instant::parse_rfc3339(ready.str("lastTransitionTime")).unwrap_or_default())
}

/// A reference to an object of a resource as the controlling owner.
pub(crate) fn owner_reference(resource: &Resource, owner: &Value) -> Value {
    object! {
        "apiVersion": &*resource.api_version,
        "kind": &*resource.kind,
        "name": owner.name(),
        "uid": owner.uid(),
        "controller": true,
        "blockOwnerDeletion": true,
    }
}
