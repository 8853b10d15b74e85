//! The rolling update: which pods of an old template go next, and which nodes may have a new one
//! beside it.
//! Models pkg/controller/daemon/update.go.

use api::Value;
use sim::Instant;

use super::Plan;
use super::fleet::Fleet;

/// The next step of the update; an empty plan if there is none, or if it has to wait.
pub(super) fn plan(fleet: &Fleet, now: Instant) -> Plan {
    match fleet.slack() {
        (unavailable, 0) => replace(fleet, now, unavailable),
        (_, surge) => surpass(fleet, now, surge),
    }
}

/// The pod of the template as it is, and one of an older template; `None` if there are several of
/// either, which is nothing an update should touch.
fn pair(fleet: &Fleet, pods: &[Value]) -> Option<(Option<Value>, Option<Value>)> {
    let (new, old): (Vec<&Value>, Vec<&Value>) = pods
        .iter()
        .filter(|pod| !pod.is_terminating())
        .partition(|pod| fleet.is_new(pod));
    if new.len() > 1 || old.len() > 1 {
        return None;
    }
    Some((new.first().copied().cloned(), old.first().copied().cloned()))
}

/// Old pods go first. Those that do not work go at any rate; others as far as that leaves enough.
fn replace(fleet: &Fleet, now: Instant, may_lack: i64) -> Plan {
    let mut lacking = 0;
    let (mut broken, mut candidates) = (Vec::new(), Vec::new());
    for node in fleet.nodes.iter().filter(|node| wanted(fleet, node)) {
        match pair(fleet, fleet.pods_on(&node.name)) {
            Some((Some(new), None)) => lacking += i64::from(!fleet.is_available(&new, now)),
            Some((None, Some(old))) if !fleet.is_available(&old, now) => broken.push(old),
            Some((None, Some(old))) => candidates.push(old),
            // None or several: seen to already.
            _ => lacking += 1,
        }
    }
    let room = usize::try_from(may_lack - lacking).unwrap_or(0);
    broken.extend(candidates.into_iter().take(room));
    Plan {
        delete: broken,
        ..Plan::default()
    }
}

/// New pods come first, beside the old ones, which go when the new ones work.
fn surpass(fleet: &Fleet, now: Instant, may_exceed: i64) -> Plan {
    let mut plan = Plan::default();
    let mut exceeding = 0;
    let mut candidates = Vec::new();
    for node in fleet.nodes.iter().filter(|node| wanted(fleet, node)) {
        match pair(fleet, fleet.pods_on(&node.name)) {
            None => exceeding += 1,
            Some((_, None)) => {}
            Some((None, Some(old))) if !fleet.is_available(&old, now) => {
                plan.create.push(node.name.clone());
            }
            Some((None, Some(_))) => candidates.push(node.name.clone()),
            Some((Some(new), Some(old))) => match fleet.is_available(&new, now) {
                true => plan.delete.push(old),
                false => exceeding += 1,
            },
        }
    }
    let room = usize::try_from(may_exceed - exceeding).unwrap_or(0);
    plan.create.extend(candidates.into_iter().take(room));
    plan
}

/// Nodes an update cares for: those that should have a pod, and those that have one.
fn wanted(fleet: &Fleet, node: &super::fleet::Node) -> bool {
    node.placement.run || !fleet.pods_on(&node.name).is_empty()
}
