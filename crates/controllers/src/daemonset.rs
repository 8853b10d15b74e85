//! Keeps a pod of each DaemonSet on every node that should have one. The scheduler places them:
//! each pod's affinity names its node.
//! Models pkg/controller/daemon/daemon_controller.go.

use api::selector::LabelSelector;
use api::{Str, Value};
use client::{
    CONTROLLER_REVISIONS, DAEMON_SETS, DeleteOptions, Delta, Index, Involved, Key, NODES, PODS,
    Resource,
};
use imbl::{OrdMap, OrdSet};
use sim::{Duration, Instant};

use crate::claim::Claim;
use crate::controller::{Agenda, Controller, Cx, Saying};
use crate::history::{History, REVISION_HASH};
use crate::pods;

mod eligible;
mod fleet;
mod pod;
mod status;
mod update;

use eligible::Wanted;
use fleet::Fleet;

/// At most so many pods are made or deleted at once.
const BURST: usize = 250;
/// A pod that failed is deleted at once, then after pauses that double.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// The controller.
#[derive(Clone, Debug, Default)]
pub struct DaemonSetController {
    /// Active pods without a controller.
    orphans: OrdSet<Key>,
    /// How many pods the next batch makes. Batches double while all goes well.
    batches: OrdMap<Key, usize>,
    /// Until when failed pods stay, by DaemonSet and node, and the pause that makes.
    pauses: OrdMap<(Key, Str), (Instant, Duration)>,
}

/// What a sync wants done.
#[derive(Debug, Default)]
struct Plan {
    /// Nodes that get a pod.
    create: Vec<Str>,
    /// Pods that go.
    delete: Vec<Value>,
}

impl Plan {
    fn is_empty(&self) -> bool {
        self.create.is_empty() && self.delete.is_empty()
    }
}

impl Controller for DaemonSetController {
    fn name(&self) -> &'static str {
        "daemonset-controller"
    }

    fn watches(&self) -> Vec<(Resource, &'static [Index])> {
        vec![
            (DAEMON_SETS, &[]),
            (PODS, &[Index::Owner]),
            (NODES, &[]),
            (CONTROLLER_REVISIONS, &[Index::Owner]),
        ]
    }

    fn on_delta(&mut self, agenda: &mut Agenda<'_>, resource: &Resource, delta: &Delta) {
        if *resource == DAEMON_SETS {
            agenda.add(delta.key.clone());
        } else if *resource == NODES {
            on_node(agenda, delta);
        } else if *resource == CONTROLLER_REVISIONS {
            // A set waits for the revision of its template.
            let owner = delta.object().controller();
            if let Some(owner) = owner.filter(|owner| owner.str("kind") == "DaemonSet") {
                agenda.add(Key::new(&delta.key.namespace, owner.str("name")));
            }
        } else {
            self.on_pod(agenda, delta);
        }
    }

    fn sync(&mut self, cx: &mut Cx<'_>, key: &Key) {
        let Some(set) = cx.cache(&DAEMON_SETS).get(key).cloned() else {
            self.forget(key);
            return;
        };
        if set.is_terminating() {
            return;
        }
        let selector = LabelSelector::from_object(set.at("spec.selector"));
        let claim = Claim {
            resource: &DAEMON_SETS,
            owner: &set,
            selector: &selector.unwrap_or_else(|_| LabelSelector::nothing()),
            finalizer: None,
        };
        if claim.settle(cx, &self.orphans, true) {
            return;
        }
        let history = History::of(cx, &set);
        let Some(revision) = history.current(cx, &DAEMON_SETS, &set) else {
            return;
        };
        let fleet = Fleet::of(cx, &set, &revision);
        let mut plan = self.manage(cx, key, &fleet);
        if plan.is_empty() && set.str_at("spec.updateStrategy.type") == "RollingUpdate" {
            plan = update::plan(&fleet, cx.now);
        }
        if plan.create.is_empty() {
            self.batches.remove(key);
        }
        let busy = !plan.is_empty();
        self.carry_out(cx, key, &fleet, plan);
        // The status tells of what was found; what comes of the plan follows.
        status::update(cx, &fleet);
        if !busy {
            let limit = set.i64_at("spec.revisionHistoryLimit").unwrap_or(10);
            history.truncate(cx, limit, |known| {
                known.name() == revision.name() || fleet.uses(known.label(REVISION_HASH))
            });
        }
    }

    fn boxed_clone(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}

/// What makes a node fit or not has changed: the DaemonSets for which it makes a difference.
fn on_node(agenda: &mut Agenda<'_>, delta: &Delta) {
    if !(delta.changed("metadata.labels") || delta.changed("spec.taints")) {
        return;
    }
    for (key, set) in agenda.cache(&DAEMON_SETS).iter() {
        let wanted = Wanted::of(set);
        let on = |node: &Option<Value>| node.as_ref().map(|node| wanted.on(node));
        if on(&delta.old) != on(&delta.new) {
            agenda.add(key.clone());
        }
    }
}

impl DaemonSetController {
    fn on_pod(&mut self, agenda: &mut Agenda<'_>, delta: &Delta) {
        let relevant = [
            "metadata.deletionTimestamp",
            "metadata.labels",
            "metadata.ownerReferences",
            "spec.nodeName",
            "status.phase",
            "status.conditions",
        ];
        if !relevant.iter().any(|path| delta.changed(path)) {
            return;
        }
        for pod in [&delta.old, &delta.new].into_iter().flatten() {
            let owner = pod.controller().filter(|o| o.str("kind") == "DaemonSet");
            if let Some(owner) = owner {
                agenda.add(Key::new(&delta.key.namespace, owner.str("name")));
            }
        }
        let orphan = delta.new.as_ref();
        match orphan.filter(|pod| pod.controller().is_none() && pods::is_active(pod)) {
            None => drop(self.orphans.remove(&delta.key)),
            Some(pod) => {
                self.orphans.insert(delta.key.clone());
                let sets = agenda.cache(&DAEMON_SETS);
                for (key, set) in sets.in_namespace(&delta.key.namespace) {
                    let selector = LabelSelector::from_object(set.at("spec.selector"));
                    if selector.is_ok_and(|selector| selector.matches(pod.labels())) {
                        agenda.add(key.clone());
                    }
                }
            }
        }
    }

    fn forget(&mut self, key: &Key) {
        self.batches.remove(key);
        let first = (key.clone(), Str::default());
        let pauses = self.pauses.range(first..);
        let gone: Vec<_> = pauses
            .map(|(place, _)| place.clone())
            .take_while(|(set, _)| set == key)
            .collect();
        for place in gone {
            self.pauses.remove(&place);
        }
    }

    /// A pod where one is missing; none where there should be none, or one too many.
    fn manage(&mut self, cx: &mut Cx<'_>, key: &Key, fleet: &Fleet) -> Plan {
        let mut plan = Plan::default();
        for node in &fleet.nodes {
            let pods = fleet.pods_on(&node.name);
            if pods.is_empty() {
                if node.placement.run {
                    plan.create.push(node.name.clone());
                }
                continue;
            }
            if !node.placement.stay {
                let present = pods.iter().filter(|pod| !pod.is_terminating());
                plan.delete.extend(present.cloned());
                continue;
            }
            let mut running = Vec::new();
            for pod in pods.iter().filter(|pod| !pod.is_terminating()) {
                match pod.str_at("status.phase") {
                    "Failed" if self.pauses(cx, key, &node.name) => {}
                    phase @ ("Failed" | "Succeeded") => {
                        ended(cx, fleet, pod, phase, &node.name);
                        plan.delete.push(pod.clone());
                    }
                    _ => running.push(pod),
                }
            }
            plan.delete.extend(fleet.surplus(&running, cx.now));
        }
        plan
    }

    /// Whether a failed pod stays for now. If not, the next one on this node will, for longer.
    fn pauses(&mut self, cx: &mut Cx<'_>, key: &Key, node: &Str) -> bool {
        let place = (key.clone(), node.clone());
        let known = self.pauses.get(&place).copied();
        if let Some((until, _)) = known.filter(|(until, _)| *until > cx.now) {
            cx.requeue_after(until.since(cx.now));
            return true;
        }
        // Whoever behaved for a long time begins anew.
        let recent = known.filter(|(until, _)| *until + LONGEST_PAUSE * 2 > cx.now);
        let pause = recent.map_or(FIRST_PAUSE, |(_, last)| (last * 2).min(LONGEST_PAUSE));
        self.pauses.insert(place, (cx.now + pause, pause));
        false
    }

    fn carry_out(&mut self, cx: &mut Cx<'_>, key: &Key, fleet: &Fleet, plan: Plan) {
        let Plan { create, delete } = plan;
        let involved = Involved::of(&DAEMON_SETS, &fleet.set);
        if !create.is_empty() {
            let refused = cx.outcome.error.is_some();
            let batch = self.batches.get(key).copied().filter(|_| !refused);
            let batch = batch.unwrap_or(1);
            self.batches.insert(key.clone(), (batch * 2).min(BURST));
            for node in create.iter().take(batch) {
                let created = Saying::normal(&involved, "SuccessfulCreate", "Created pod: {name}");
                let failed = Saying::warning(&involved, "FailedCreate", "Error creating: {error}");
                cx.create(&PODS, pod::on_node(&fleet.set, &fleet.hash, node))
                    .says(created)
                    .laments(failed);
            }
        }
        for pod in delete.iter().take(BURST) {
            let message = format!("Deleted pod: {}", pod.name());
            let deleted = Saying::normal(&involved, "SuccessfulDelete", message);
            let failed = Saying::warning(&involved, "FailedDelete", "Error deleting: {error}");
            cx.delete(&PODS, pod, DeleteOptions::default())
                .says(deleted)
                .laments(failed);
        }
    }
}

/// Tells that a pod which should run for ever has ended.
fn ended(cx: &mut Cx<'_>, fleet: &Fleet, pod: &Value, phase: &str, node: &str) {
    let involved = Involved::of(&DAEMON_SETS, &fleet.set);
    let name = format!("{}/{}", pod.namespace(), pod.name());
    let saying = match phase {
        "Failed" => {
            let text =
                format!("Found failed daemon pod {name} on node {node}, will try to kill it");
            Saying::warning(&involved, "FailedDaemonPod", text)
        }
        _ => {
            let text =
                format!("Found succeeded daemon pod {name} on node {node}, will try to delete it");
            Saying::normal(&involved, "SucceededDaemonPod", text)
        }
    };
    cx.event(saying);
}

#[cfg(test)]
mod tests;
