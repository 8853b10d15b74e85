//! The pods that wait for a node: those to be tried next, those waiting out a back-off, those that
//! nothing has happened for since they were rejected, and those that may not enter yet.
//! Models pkg/scheduler/backend/queue/scheduling_queue.go.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::rc::Rc;

use api::Str;
use imbl::{OrdMap, OrdSet};
use sim::{Duration, Instant};

use crate::framework::ClusterEvent;
use crate::{EventKind, PodInfo, Profile};

/// Back-off after the first failure and at most: `podInitialBackoffSeconds`, `podMaxBackoffSeconds`.
const BACKOFF_FIRST: Duration = Duration::from_secs(1);
const BACKOFF_MOST: Duration = Duration::from_secs(10);
/// A rejected pod is tried again after this time even if nothing happened.
const PATIENCE: Duration = Duration::from_secs(300);

/// The queue. Pods are known by uid.
#[derive(Clone, Debug, Default)]
pub struct SchedulingQueue {
    pods: OrdMap<Str, Waiting>,
    /// Higher priority first, then the longer waiting.
    active: OrdSet<(Reverse<i64>, Instant, u64, Str)>,
    backoff: OrdSet<(Instant, u64, Str)>,
    rejected: OrdSet<(Instant, u64, Str)>,
    added: u64,
}

/// A pod in the queue.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// The pod.
    pub pod: Rc<PodInfo>,
    /// How often it was tried.
    pub attempts: u32,
    /// Who rejected it last.
    pub rejected_by: BTreeSet<&'static str>,
    /// Where in the queue it is.
    pub place: Place,
    /// Attempts that failed, in a row, because no node would do; and because of errors.
    failures: (u32, u32),
    /// When it came here, or was last tried.
    since: Instant,
    number: u64,
}

/// Where in the queue a pod is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// To be tried next.
    Active,
    /// To be tried later; earlier if there is nothing else to do, unless an error put it here.
    Backoff {
        /// When it becomes active.
        until: Instant,
        /// An error put it here.
        error: bool,
    },
    /// Waiting for something to happen.
    Rejected,
    /// Kept out by a plugin.
    Gated,
    /// Taken out to be tried, or to be bound.
    Trying,
}

impl SchedulingQueue {
    /// A waiting pod.
    #[must_use]
    pub fn get(&self, uid: &str) -> Option<&Waiting> {
        self.pods.get(uid)
    }

    /// Every waiting pod, in the order of uids.
    pub fn iter(&self) -> impl Iterator<Item = &Waiting> {
        self.pods.values()
    }

    /// A pod is to be scheduled, or was changed while it waits.
    pub fn add(&mut self, now: Instant, profile: &Profile, pod: Rc<PodInfo>) {
        let uid = pod.uid.clone();
        let Some(known) = self.pods.get_mut(&uid) else {
            self.added += 1;
            let waiting = Waiting {
                pod,
                attempts: 0,
                rejected_by: BTreeSet::new(),
                place: Place::Gated,
                failures: (0, 0),
                since: now,
                number: self.added,
            };
            self.pods.insert(uid.clone(), waiting);
            self.activate(profile, &uid);
            return;
        };
        let old = std::mem::replace(&mut known.pod, pod);
        let changed = old.generation != known.pod.generation || old.labels != known.pod.labels;
        match known.place {
            Place::Gated => self.activate(profile, &uid),
            Place::Rejected if changed => {
                let kind = EventKind::PodItself;
                let event = ClusterEvent {
                    kind,
                    node: None,
                    pod: None,
                    claim: None,
                };
                self.reconsider(now, profile, &uid, &event);
            }
            _ => {}
        }
    }

    /// A pod is gone, or has a node.
    pub fn remove(&mut self, uid: &str) {
        self.displace(uid);
        self.pods.remove(uid);
    }

    /// Takes the next pod to be tried. It is `Trying` until it is removed or comes back by
    /// `rejected` or `failed`.
    pub fn pop(&mut self, now: Instant) -> Option<Waiting> {
        self.ripen(now);
        let uid = match self.active.get_min() {
            Some((.., uid)) => uid.clone(),
            None => self.idle_pick()?,
        };
        self.displace(&uid);
        let waiting = self.pods.get_mut(&uid)?;
        waiting.attempts += 1;
        waiting.place = Place::Trying;
        Some(waiting.clone())
    }

    /// No node would do for a pod that was tried.
    pub fn rejected(&mut self, now: Instant, uid: &str, by: BTreeSet<&'static str>) {
        if let Some(waiting) = self.pods.get_mut(uid) {
            waiting.failures = (waiting.failures.0 + 1, 0);
            waiting.rejected_by = by;
            waiting.since = now;
            waiting.place = Place::Rejected;
            self.rejected
                .insert((now, waiting.number, waiting.pod.uid.clone()));
        }
    }

    /// Something went wrong with a pod that was tried.
    pub fn failed(&mut self, now: Instant, uid: &str) {
        if let Some(waiting) = self.pods.get_mut(uid) {
            waiting.failures = (0, waiting.failures.1 + 1);
            waiting.since = now;
            let until = now + backoff(waiting.failures.1);
            waiting.place = Place::Backoff { until, error: true };
            self.backoff
                .insert((until, waiting.number, waiting.pod.uid.clone()));
        }
    }

    /// Something happened in the cluster: rejected pods whose plugins it could make change their
    /// minds are tried again.
    pub fn on_event(&mut self, now: Instant, profiles: &[Profile], event: &ClusterEvent<'_>) {
        if self.rejected.is_empty() {
            return;
        }
        let uids: Vec<Str> = self.rejected.iter().map(|(.., uid)| uid.clone()).collect();
        for uid in uids {
            let scheduler = self
                .pods
                .get(&uid)
                .map(|waiting| waiting.pod.scheduler.clone());
            let profile = profiles
                .iter()
                .find(|profile| Some(&profile.scheduler) == scheduler.as_ref());
            if let Some(profile) = profile {
                self.reconsider(now, profile, &uid, event);
            }
        }
    }

    /// When `pop` may give something: at once, or later.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        if !self.active.is_empty() || self.idle_pick().is_some() {
            return Some(Instant::ZERO);
        }
        let backoff = self.backoff.get_min().map(|(until, ..)| *until);
        let rejected = self.rejected.get_min().map(|(since, ..)| *since + PATIENCE);
        backoff.into_iter().chain(rejected).min()
    }

    fn reconsider(&mut self, now: Instant, profile: &Profile, uid: &Str, event: &ClusterEvent<'_>) {
        let Some(waiting) = self.pods.get(uid) else {
            return;
        };
        let worth = |name: &&'static str| {
            profile.plugin(name).is_none_or(|plugin| {
                plugin.events().contains(&event.kind) && plugin.could_help(&waiting.pod, event)
            })
        };
        if waiting.rejected_by.is_empty() || waiting.rejected_by.iter().any(worth) {
            self.retry(now, uid);
        }
    }

    /// Tries a rejected pod again once its back-off is over.
    fn retry(&mut self, now: Instant, uid: &Str) {
        self.displace(uid);
        let Some(waiting) = self.pods.get_mut(uid) else {
            return;
        };
        let until = waiting.since + backoff(waiting.failures.0);
        if until > now {
            waiting.place = Place::Backoff {
                until,
                error: false,
            };
            self.backoff.insert((until, waiting.number, uid.clone()));
        } else {
            self.make_active(uid);
        }
    }

    fn activate(&mut self, profile: &Profile, uid: &Str) {
        let Some(waiting) = self.pods.get_mut(uid) else {
            return;
        };
        let plugins = profile.plugins.iter();
        let gate = plugins
            .map(|enabled| enabled.plugin)
            .find(|p| p.pre_enqueue(&waiting.pod).is_err());
        match gate {
            Some(plugin) => {
                waiting.rejected_by = BTreeSet::from([plugin.name()]);
                waiting.place = Place::Gated;
            }
            None => self.make_active(uid),
        }
    }

    fn make_active(&mut self, uid: &Str) {
        if let Some(waiting) = self.pods.get_mut(uid) {
            waiting.place = Place::Active;
            let entry = (
                Reverse(waiting.pod.priority),
                waiting.since,
                waiting.number,
                uid.clone(),
            );
            self.active.insert(entry);
        }
    }

    /// Takes a pod out of the order it is in.
    fn displace(&mut self, uid: &str) {
        let Some(waiting) = self.pods.get(uid) else {
            return;
        };
        let (uid, number) = (waiting.pod.uid.clone(), waiting.number);
        match waiting.place {
            Place::Active => {
                let order = (Reverse(waiting.pod.priority), waiting.since, number, uid);
                drop(self.active.remove(&order));
            }
            Place::Backoff { until, .. } => drop(self.backoff.remove(&(until, number, uid))),
            Place::Rejected => drop(self.rejected.remove(&(waiting.since, number, uid))),
            Place::Gated | Place::Trying => {}
        }
    }

    fn ripen(&mut self, now: Instant) {
        while let Some((until, _, uid)) = self.backoff.get_min().cloned() {
            if until > now {
                break;
            }
            self.displace(&uid);
            self.make_active(&uid);
        }
        while let Some((since, _, uid)) = self.rejected.get_min().cloned() {
            if since + PATIENCE > now {
                break;
            }
            self.retry(now, &uid);
        }
    }

    /// With nothing active, a pod need not wait out its back-off, unless an error caused it.
    fn idle_pick(&self) -> Option<Str> {
        let no_error = |uid: &&Str| {
            let place = self.pods.get(*uid).map(|waiting| waiting.place);
            matches!(place, Some(Place::Backoff { error: false, .. }))
        };
        self.backoff
            .iter()
            .map(|(.., uid)| uid)
            .find(no_error)
            .cloned()
    }
}

fn backoff(failures: u32) -> Duration {
    BACKOFF_FIRST
        .saturating_mul(1 << failures.saturating_sub(1).min(8))
        .min(BACKOFF_MOST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::{Value, object};

    struct Bench {
        queue: SchedulingQueue,
        profiles: Vec<Profile>,
        now: Instant,
    }

    impl Bench {
        fn new() -> Bench {
            let queue = SchedulingQueue::default();
            Bench {
                queue,
                profiles: vec![Profile::default()],
                now: Instant::ZERO,
            }
        }

        fn add(&mut self, uid: &str, spec: Value, generation: i64) {
            let mut pod = object! {
                "metadata": { "uid": uid, "generation": generation }, "spec": spec,
            };
            pod.set("spec.schedulerName", "default-scheduler");
            self.queue
                .add(self.now, &self.profiles[0], Rc::new(PodInfo::of(&pod)));
        }

        fn pop(&mut self) -> String {
            self.queue
                .pop(self.now)
                .map_or("nothing".into(), |w| w.pod.uid.to_string())
        }

        fn reject(&mut self, uid: &str, by: &'static str) {
            self.queue.rejected(self.now, uid, BTreeSet::from([by]));
        }

        fn event(&mut self, kind: EventKind) {
            let event = ClusterEvent {
                kind,
                node: None,
                pod: None,
                claim: None,
            };
            self.queue.on_event(self.now, &self.profiles, &event);
        }

        fn pass(&mut self, secs: u64) {
            self.now = self.now + Duration::from_secs(secs);
        }
    }

    #[test]
    fn priority_goes_first_then_age() {
        let mut bench = Bench::new();
        bench.add("a", object! {}, 1);
        bench.add("b", object! {}, 1);
        bench.add("vip", object! { "priority": 10 }, 1);
        assert_eq!(
            [bench.pop(), bench.pop(), bench.pop(), bench.pop()],
            ["vip", "a", "b", "nothing"]
        );
        assert_eq!(bench.queue.next_deadline(), None);
    }

    #[test]
    fn a_rejected_pod_waits_for_an_event_that_matters() {
        let mut bench = Bench::new();
        bench.add("a", object! {}, 1);
        bench.pop();
        bench.reject("a", "TaintToleration");
        bench.event(EventKind::AssignedPodDeleted);
        assert_eq!(bench.pop(), "nothing");
        bench.event(EventKind::NodeTaints);
        assert_eq!(
            bench.pop(),
            "a",
            "with nothing else to do, back-off is not waited out"
        );
        bench.reject("a", "TaintToleration");
        assert_eq!(bench.queue.next_deadline(), Some(bench.now + PATIENCE));
        bench.pass(300);
        assert_eq!(bench.pop(), "a", "five minutes are enough");
        assert_eq!(bench.queue.get("a").map(|w| w.attempts), Some(3));
    }

    #[test]
    fn after_an_error_back_off_is_waited_out() {
        let mut bench = Bench::new();
        bench.add("a", object! {}, 1);
        for secs in [1, 2, 4, 8, 10, 10] {
            assert_eq!(bench.pop(), "a");
            bench.queue.failed(bench.now, "a");
            assert_eq!(
                bench.queue.next_deadline(),
                Some(bench.now + Duration::from_secs(secs))
            );
            bench.pass(secs - 1);
            assert_eq!(bench.pop(), "nothing");
            bench.pass(1);
        }
    }

    #[test]
    fn gates_keep_out_and_a_changed_pod_is_looked_at_again() {
        let mut bench = Bench::new();
        bench.add("a", object! { "schedulingGates": [{ "name": "x/y" }] }, 1);
        assert_eq!(bench.pop(), "nothing");
        bench.add("a", object! {}, 2);
        assert_eq!(bench.pop(), "a");
        bench.reject("a", "TaintToleration");
        bench.add("a", object! {}, 2);
        assert_eq!(bench.pop(), "nothing", "only its status changed");
        bench.add(
            "a",
            object! { "tolerations": [{ "operator": "Exists" }] },
            3,
        );
        assert_eq!(bench.pop(), "a");
        bench.queue.remove("a");
        assert_eq!(bench.queue.iter().count(), 0);
    }
}
