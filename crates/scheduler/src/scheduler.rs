//! The scheduler as a function of what it has seen: objects in, decisions out. Writes nothing;
//! `component` turns decisions into requests.
//! Models pkg/scheduler/schedule_one.go and eventhandlers.go.

use std::rc::Rc;

use api::{Str, Value};
use client::{Delta, Key};
use imbl::{OrdMap, Vector};
use sim::{Instant, Stream};

use crate::framework::{ClusterEvent, EventKind};
use crate::plugins::{self, Bind};
use crate::queue::SchedulingQueue;
use crate::{Cluster, Decision, NodeInfo, Outcome, PodInfo, Profile, cycle};

/// How many decisions are kept for those who ask why.
const KEPT: usize = 512;

/// All a scheduler knows.
#[derive(Clone, Debug)]
pub struct Scheduler {
    profiles: Vec<Profile>,
    cluster: Cluster,
    queue: SchedulingQueue,
    /// The node the next cycle begins with, where not all are looked at.
    first: usize,
    decisions: OrdMap<Str, Rc<Decision>>,
    decided: Vector<Str>,
    /// What is to be done for the claims of pods that were given a node.
    binds: OrdMap<Str, Vec<Bind>>,
}

impl Default for Scheduler {
    fn default() -> Self {
        Scheduler::new(vec![Profile::default()])
    }
}

impl Scheduler {
    /// A scheduler for pods that name one of these profiles.
    #[must_use]
    pub fn new(profiles: Vec<Profile>) -> Scheduler {
        Scheduler {
            profiles,
            cluster: Cluster::default(),
            queue: SchedulingQueue::default(),
            first: 0,
            decisions: OrdMap::new(),
            decided: Vector::new(),
            binds: OrdMap::new(),
        }
    }

    /// Nodes and the pods on them.
    #[must_use]
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// The same, to be told of Services, ReplicaSets and Namespaces.
    pub fn cluster_mut(&mut self) -> &mut Cluster {
        &mut self.cluster
    }

    /// The pods that wait.
    #[must_use]
    pub fn queue(&self) -> &SchedulingQueue {
        &self.queue
    }

    /// The last decision about a pod, if it is not too long ago.
    #[must_use]
    pub fn decision(&self, uid: &str) -> Option<&Rc<Decision>> {
        self.decisions.get(uid)
    }

    /// A node changed.
    pub fn on_node(&mut self, now: Instant, delta: &Delta) {
        let Some(node) = &delta.new else {
            self.cluster.remove_node(&delta.key.name);
            return;
        };
        let same = |path: &str| !delta.changed(path);
        if same("spec")
            && same("metadata.labels")
            && same("status.allocatable")
            && same("status.images")
        {
            return;
        }
        let before = self.cluster.node(&delta.key.name).cloned();
        self.cluster.set_node(node);
        let Some(after) = self.cluster.node(&delta.key.name) else {
            return;
        };
        for kind in node_events(before.as_ref(), after) {
            let event = ClusterEvent {
                kind,
                node: Some(after),
                pod: None,
                claim: None,
            };
            self.queue.on_event(now, &self.profiles, &event);
        }
    }

    /// A pod changed.
    pub fn on_pod(&mut self, now: Instant, delta: &Delta) {
        let object = delta.object();
        let uid = object.uid();
        let replaced = delta.old.as_ref().is_some_and(|old| old.uid() != uid);
        if let Some(old) = delta.old.as_ref().filter(|_| replaced) {
            self.forget(now, old.uid());
        }
        if delta.new.is_none() || is_finished(object) {
            self.forget(now, uid);
            return;
        }
        let same = |path: &str| !delta.changed(path);
        let alike = same("spec") && same("metadata.labels") && same("metadata.deletionTimestamp");
        if alike && !replaced && !object.str_at("spec.nodeName").is_empty() {
            return;
        }
        let pod = Rc::new(PodInfo::of(object));
        if !pod.node.is_empty() {
            self.on_assigned(now, pod);
        } else if pod.terminating {
            self.forget(now, uid);
        } else if !self.cluster.is_assumed(uid)
            && let Some(profile) = self.profiles.iter().find(|p| p.scheduler == pod.scheduler)
        {
            self.queue.add(now, profile, pod);
        }
    }

    /// A claim for a volume changed.
    pub fn on_claim(&mut self, now: Instant, delta: &Delta) {
        self.cluster.set_claim(&delta.key, delta.new.as_ref());
        self.on_storage(now, EventKind::Claim, Some(&delta.key));
    }

    /// A volume changed.
    pub fn on_volume(&mut self, now: Instant, delta: &Delta) {
        let volume = delta.new.as_ref();
        self.cluster.set_volume(&delta.key.name, volume);
        self.on_storage(now, EventKind::Volume, None);
    }

    /// A class of volumes changed.
    pub fn on_storage_class(&mut self, now: Instant, delta: &Delta) {
        let class = delta.new.as_ref();
        self.cluster.set_storage_class(&delta.key.name, class);
        self.on_storage(now, EventKind::StorageClass, None);
    }

    fn on_storage(&mut self, now: Instant, kind: EventKind, claim: Option<&Key>) {
        let event = ClusterEvent {
            kind,
            node: None,
            pod: None,
            claim,
        };
        self.queue.on_event(now, &self.profiles, &event);
    }

    /// Decides about the next pod that waits, if there is one. A pod that is placed counts on its
    /// node from here on; the caller binds it and says how that went.
    pub fn schedule_one(&mut self, now: Instant, random: &mut Stream) -> Option<Rc<Decision>> {
        let (waiting, profile) = loop {
            let waiting = self.queue.pop(now)?;
            let scheduler = &waiting.pod.scheduler;
            match self
                .profiles
                .iter()
                .find(|profile| profile.scheduler == *scheduler)
            {
                Some(profile) => break (waiting, profile),
                None => self.queue.remove(&waiting.pod.uid),
            }
        };
        let pod = &waiting.pod;
        let cycle = cycle::run(profile, &self.cluster, pod, self.first, random);
        self.first = (self.first + cycle.looked_at) % self.cluster.node_count().max(1);
        match &cycle.outcome {
            Outcome::Placed { node, .. } => {
                let mut placed = (**pod).clone();
                placed.node.clone_from(node);
                self.cluster.forget_nomination(&pod.uid);
                self.assume_volumes(pod, node);
                self.cluster.place(Rc::new(placed), true);
            }
            Outcome::Unschedulable {
                rejected_by,
                preemption,
                ..
            } => {
                self.queue.rejected(now, &pod.uid, rejected_by.clone());
                if let Some(preemption) = preemption {
                    self.cluster.nominate(pod, &preemption.node);
                }
            }
        }
        let decision = Rc::new(Decision {
            at: now,
            pod: pod.key.clone(),
            uid: pod.uid.clone(),
            attempt: waiting.attempts,
            verdicts: cycle.verdicts,
            outcome: cycle.outcome,
        });
        self.keep(&decision);
        Some(decision)
    }

    /// What is to be done for a pod's claims before it is bound. Asked for once.
    pub(crate) fn take_binds(&mut self, uid: &str) -> Vec<Bind> {
        self.binds.remove(uid).unwrap_or_default()
    }

    fn assume_volumes(&mut self, pod: &PodInfo, node: &Str) {
        let Some(node) = self.cluster.node(node).filter(|_| !pod.claims.is_empty()) else {
            return;
        };
        let binds = plugins::bindings(pod, &self.cluster, node);
        for bind in &binds {
            if let Bind::Volume(volume, claim) = bind {
                self.cluster.assume_volume(volume, claim);
            }
        }
        self.binds.insert(pod.uid.clone(), binds);
    }

    /// The API accepted a binding.
    pub fn bound(&mut self, uid: &str) {
        self.queue.remove(uid);
    }

    /// The API refused a binding, or could not be reached: the pod is tried again.
    pub fn bind_failed(&mut self, now: Instant, uid: &str) {
        if self.cluster.is_assumed(uid) {
            self.leave_node(now, uid);
            self.queue.failed(now, uid);
        }
    }

    /// When `schedule_one` may give something.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.queue.next_deadline()
    }

    fn on_assigned(&mut self, now: Instant, pod: Rc<PodInfo>) {
        self.queue.remove(&pod.uid);
        self.cluster.forget_nomination(&pod.uid);
        let before = self.cluster.pod(&pod.uid).cloned();
        let assumed = self.cluster.is_assumed(&pod.uid);
        self.cluster.place(pod.clone(), false);
        let kind = match &before {
            Some(before) if before.labels != pod.labels => EventKind::AssignedPodLabels,
            Some(before) if before.requests != pod.requests => EventKind::AssignedPodDeleted,
            Some(_) if !assumed => return,
            _ => EventKind::AssignedPodAdded,
        };
        let event = ClusterEvent {
            kind,
            node: None,
            pod: Some(&pod),
            claim: None,
        };
        self.queue.on_event(now, &self.profiles, &event);
    }

    /// A pod is gone, or takes no room any more.
    fn forget(&mut self, now: Instant, uid: &str) {
        self.queue.remove(uid);
        self.cluster.forget_nomination(uid);
        self.leave_node(now, uid);
    }

    fn leave_node(&mut self, now: Instant, uid: &str) {
        if let Some(pod) = self.cluster.displace(uid) {
            let kind = EventKind::AssignedPodDeleted;
            let event = ClusterEvent {
                kind,
                node: None,
                pod: Some(&pod),
                claim: None,
            };
            self.queue.on_event(now, &self.profiles, &event);
        }
    }

    fn keep(&mut self, decision: &Rc<Decision>) {
        let known = self
            .decisions
            .insert(decision.uid.clone(), decision.clone());
        if known.is_none() {
            self.decided.push_back(decision.uid.clone());
            if self.decided.len() > KEPT
                && let Some(oldest) = self.decided.pop_front()
            {
                self.decisions.remove(&oldest);
            }
        }
    }
}

fn is_finished(pod: &Value) -> bool {
    matches!(pod.get("status").str("phase"), "Succeeded" | "Failed")
}

fn node_events(before: Option<&NodeInfo>, after: &NodeInfo) -> Vec<EventKind> {
    let Some(before) = before else {
        return vec![EventKind::NodeAdded];
    };
    let mut kinds = Vec::new();
    if before.allocatable != after.allocatable || before.allocatable_pods != after.allocatable_pods
    {
        kinds.push(EventKind::NodeAllocatable);
    }
    if before.labels != after.labels {
        kinds.push(EventKind::NodeLabels);
    }
    if before.taints != after.taints || before.unschedulable != after.unschedulable {
        kinds.push(EventKind::NodeTaints);
    }
    kinds
}

#[cfg(test)]
mod tests;
