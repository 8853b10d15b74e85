//! The status of a StatefulSet: how many pods there are of which revision.
//! Models pkg/controller/statefulset/stateful_set_control.go (`updateStatefulSetStatus`).

use api::{Value, object};
use client::STATEFUL_SETS;

use super::row::Row;
use crate::controller::Cx;
use crate::pods;

pub(super) fn update(cx: &mut Cx<'_>, row: &Row) {
    let set = &row.set;
    let count = |fits: &dyn Fn(&Value) -> bool| -> i64 {
        i64::try_from(row.pods().filter(|pod| fits(pod)).count()).unwrap_or(0)
    };
    let replicas = count(&|_| true);
    let ready = count(&|pod| pods::is_ready(pod));
    let available = count(&|pod| row.is_available(pod, cx.now));
    let live = |pod: &Value| !pod.is_terminating();
    let updated = count(&|pod| live(pod) && row.is_new(pod));
    let mut current = count(&|pod| live(pod) && row.is_current(pod));
    let mut current_revision = row.current.name();
    if row.is_rolling() && updated == replicas && ready == replicas {
        current_revision = row.update.name();
        current = updated;
    }
    if ready != available {
        cx.requeue_after(row.min_ready());
    }
    let mut status = object! {
        "observedGeneration": (set.generation()),
        "replicas": replicas,
        "availableReplicas": available,
        "currentRevision": current_revision,
        "updateRevision": (row.update.name()),
        "collisionCount": (set.i64_at("status.collisionCount").unwrap_or(0)),
    };
    status.set_or_remove("readyReplicas", ready);
    status.set_or_remove("currentReplicas", current);
    status.set_or_remove("updatedReplicas", updated);
    status.set_or_remove("conditions", set.at("status.conditions"));
    if !set.get("status").same(&status) {
        let mut set = set.clone();
        set.set("status", status);
        cx.update_status(&STATEFUL_SETS, set);
        return;
    }
    let limit = set.i64_at("spec.revisionHistoryLimit").unwrap_or(10);
    row.history.truncate(cx, limit, |revision| {
        let used = |pod: &Value| pod.label(crate::history::REVISION_HASH) == revision.name();
        [row.update.name(), row.current.name()].contains(&revision.name()) || row.pods().any(used)
    });
}
