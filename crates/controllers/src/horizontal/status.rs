//! The status of an autoscaler: conditions, and how many replicas there are and should be.
//! Models pkg/controller/podautoscaler/horizontal.go (`setStatus`, `setConditionInList`).

use api::{Value, object};
use client::POD_AUTOSCALERS;
use sim::Instant;

use super::Round;
use crate::controller::Cx;

impl Round<'_> {
    /// The scale was read.
    pub(super) fn able(&mut self, now: Instant) {
        let text = "the HPA controller was able to get the target's current scale";
        self.condition(now, "AbleToScale", true, "SucceededGetScale", text);
    }

    /// Sets a condition; the time changes only if its status does.
    pub(super) fn condition(
        &mut self,
        now: Instant,
        kind: &str,
        status: bool,
        reason: &str,
        message: &str,
    ) {
        let status = if status { "True" } else { "False" };
        let conditions = self.changed.list_mut("status.conditions");
        let known = conditions.iter().position(|one| one.str("type") == kind);
        let at = known.unwrap_or_else(|| {
            conditions.push(object! { "type": kind });
            conditions.len() - 1
        });
        let condition = &mut conditions[at];
        if condition.str("status") != status {
            condition.set("status", status);
            condition.set("lastTransitionTime", now.rfc3339());
        }
        condition.set("reason", reason);
        condition.set("message", message);
    }

    pub(super) fn replicas(&mut self, current: i64, desired: i64, metrics: Value) {
        self.changed.set("status.currentReplicas", current);
        self.changed.set("status.desiredReplicas", desired);
        self.changed.set("status.currentMetrics", metrics);
    }

    /// Writes the status, if it is another.
    pub(super) fn write(&mut self, cx: &mut Cx<'_>) {
        if !self.changed.get("status").same(self.scaler.get("status")) {
            cx.update_status(&POD_AUTOSCALERS, self.changed.clone());
        }
    }
}
