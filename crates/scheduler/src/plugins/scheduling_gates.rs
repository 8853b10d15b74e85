//! Keeps a pod out of the queue while it has scheduling gates.
//! Models plugins/schedulinggates/scheduling_gates.go.

use crate::PodInfo;
use crate::framework::{EventKind, Plugin, Rejection};

/// The plugin.
pub(super) struct SchedulingGates;

impl Plugin for SchedulingGates {
    fn name(&self) -> &'static str {
        "SchedulingGates"
    }

    fn events(&self) -> &'static [EventKind] {
        &[EventKind::PodItself]
    }

    fn pre_enqueue(&self, pod: &PodInfo) -> Result<(), Rejection> {
        if pod.gates.is_empty() {
            return Ok(());
        }
        let gates = pod.gates.join(" ");
        Err(Rejection::unresolvable(format!(
            "waiting for scheduling gates: [{gates}]"
        )))
    }
}
