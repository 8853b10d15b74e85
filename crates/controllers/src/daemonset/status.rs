//! The status of a DaemonSet: how many nodes should have a pod, and how many have a good one.
//! Models updateDaemonSetStatus of pkg/controller/daemon/daemon_controller.go.

use api::object;
use client::DAEMON_SETS;

use super::fleet::Fleet;
use crate::controller::Cx;
use crate::pods;

pub(super) fn update(cx: &mut Cx<'_>, fleet: &Fleet) {
    let (mut desired, mut current, mut misscheduled) = (0i64, 0i64, 0i64);
    let (mut ready, mut available, mut updated) = (0i64, 0i64, 0i64);
    for node in &fleet.nodes {
        let oldest = fleet.pods_on(&node.name).first();
        if !node.placement.run {
            misscheduled += i64::from(oldest.is_some());
            continue;
        }
        desired += 1;
        let Some(pod) = oldest else {
            continue;
        };
        current += 1;
        ready += i64::from(pods::is_ready(pod));
        available += i64::from(fleet.is_available(pod, cx.now));
        updated += i64::from(fleet.is_new(pod));
    }
    if ready != available {
        cx.requeue_after(fleet.min_ready);
    }
    let set = &fleet.set;
    let mut status = object! {
        "currentNumberScheduled": current,
        "numberMisscheduled": misscheduled,
        "desiredNumberScheduled": desired,
        "numberReady": ready,
        "observedGeneration": (set.generation()),
    };
    status.set_or_remove("updatedNumberScheduled", updated);
    status.set_or_remove("numberAvailable", available);
    status.set_or_remove("numberUnavailable", desired - available);
    for kept in ["collisionCount", "conditions"] {
        status.set_or_remove(kept, set.get("status").get(kept));
    }
    if !set.get("status").same(&status) {
        let mut set = set.clone();
        set.set("status", status);
        cx.update_status(&DAEMON_SETS, set);
    }
}
