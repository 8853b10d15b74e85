//! Questions about a pod's state that every component answers alike.
//!
//! Models pkg/api/v1/pod/util.go and pkg/controller/controller_utils.go.

use std::time::Duration;

use sim::Instant;

use super::conditions;
use crate::{Value, time};

/// `Pending`, `Running`, `Succeeded`, `Failed`, `Unknown`; empty on a pod that was never created.
pub fn phase(pod: &Value) -> &str {
    pod.get("status").str("phase")
}

/// Whether all containers have ended for good.
pub fn is_terminal(pod: &Value) -> bool {
    matches!(phase(pod), "Succeeded" | "Failed")
}

/// Whether the pod counts as one that runs or will: not ended, not being deleted.
pub fn is_active(pod: &Value) -> bool {
    !is_terminal(pod) && !pod.is_terminating()
}

/// Whether the condition Ready is true.
pub fn is_ready(pod: &Value) -> bool {
    conditions::is_true(pod, "Ready")
}

/// Whether the pod has been ready for `min_ready`.
pub fn is_available(pod: &Value, min_ready: Duration, now: Instant) -> bool {
    let ready = conditions::get(pod, "Ready");
    if ready.str("status") != "True" {
        return false;
    }
    if min_ready.is_zero() {
        return true;
    }
    let now_nanos = time::unix_nanos(&now.rfc3339_nano());
    let since = time::unix_nanos(ready.str("lastTransitionTime"));
    let waited = now_nanos.zip(since).map(|(now, since)| now - since);
    waited.is_some_and(|waited| waited >= min_ready.as_nanos() as i128)
}

/// The node the pod is bound to; empty if none yet.
pub fn node_name(pod: &Value) -> &str {
    pod.get("spec").str("nodeName")
}

/// Whether the pod mirrors a static pod of a kubelet.
pub fn is_mirror(pod: &Value) -> bool {
    pod.annotations()
        .contains_key("kubernetes.io/config.mirror")
}

/// The priority, 0 where admission set none.
pub fn priority(pod: &Value) -> i64 {
    pod.i64_at("spec.priority").unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object;

    fn pod(phase: &str, ready: &str, since: &str) -> Value {
        object! { "status": {
            "phase": phase,
            "conditions": [{ "type": "Ready", "status": ready, "lastTransitionTime": since }],
        } }
    }

    #[test]
    fn states() {
        let running = pod("Running", "True", "2026-01-05T09:00:00Z");
        assert!(is_active(&running) && is_ready(&running));
        assert!(!is_active(&pod("Failed", "False", "")));
        let mut deleted = running.clone();
        deleted.set("metadata.deletionTimestamp", "2026-01-05T09:00:00Z");
        assert!(!is_active(&deleted) && !is_terminal(&deleted));
    }

    #[test]
    fn availability_takes_time() {
        let pod = pod("Running", "True", "2026-01-05T09:00:05Z");
        let ten = Duration::from_secs(10);
        let at = |secs| Instant::ZERO + Duration::from_secs(secs);
        assert!(is_available(&pod, Duration::ZERO, at(5)));
        assert!(!is_available(&pod, ten, at(14)));
        assert!(is_available(&pod, ten, at(15)));
    }
}
