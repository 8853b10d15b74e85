//! A Job and its pods, as one sync sees them.
//! Models pkg/controller/job/job_controller.go (`syncJobCtx`, `calculateSucceededIndexes`,
//! `calculateFailedIndexes`) and indexed_job_utils.go.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use api::{Value, object};
use client::{Index, PODS};
use sim::{Duration, Instant};

use super::FINALIZER;
use super::indexes::{parse_ranges, ranges};
use super::pod::{self, Failures};
use super::policy::{self, Verdict};
use crate::controller::Cx;
use crate::pods;

pub(super) struct Crew {
    pub(super) job: Value,
    pub(super) pods: Vec<Value>,
    pub(super) active: Vec<Value>,
    /// Pods on their way out that have not ended yet.
    terminating: Vec<Value>,
    /// Finished pods nobody has counted yet.
    succeeded: Vec<Value>,
    failed: Vec<Value>,
    /// Failed pods that do not count.
    ignored: Vec<Value>,
    /// Indexes that are done, and those that will not be tried again.
    done: BTreeSet<i64>,
    pub(super) lost: BTreeSet<i64>,
    /// The last failed pod of each index that is to be tried again. It tells how often the index
    /// has failed, and stays until there is another that does.
    last: BTreeMap<i64, Value>,
}

impl Crew {
    pub(super) fn of(cx: &Cx<'_>, job: &Value) -> Crew {
        let all = cx.cache(&PODS).by(Index::Owner, job.uid());
        let pods: Vec<Value> = all
            .filter(|pod| pod.is_controlled_by(job.uid()))
            .cloned()
            .collect();
        let chosen = |fits: fn(&Value) -> bool| -> Vec<Value> {
            pods.iter().filter(|pod| fits(pod)).cloned().collect()
        };
        let mut crew = Crew {
            job: job.clone(),
            active: chosen(pods::is_active),
            terminating: chosen(|pod| pod.is_terminating() && !pods::is_finished(pod)),
            succeeded: Vec::new(),
            failed: Vec::new(),
            ignored: Vec::new(),
            done: BTreeSet::new(),
            lost: BTreeSet::new(),
            last: BTreeMap::new(),
            pods,
        };
        crew.sort_out();
        if crew.is_indexed() {
            crew.done = crew.completed();
        }
        if crew.limits_indexes() {
            crew.lost = crew.given_up();
            crew.last = crew.last_failures();
        }
        crew
    }

    /// Finds the pods that ended, and what that means.
    fn sort_out(&mut self) {
        let counted = self.counted();
        for pod in self.pods.iter().filter(|pod| pod.has_finalizer(FINALIZER)) {
            if counted.iter().any(|uid| uid.as_str() == pod.uid()) {
                continue;
            }
            match pod.str_at("status.phase") {
                "Succeeded" => self.succeeded.push(pod.clone()),
                "Failed" if policy::verdict(&self.job, pod) == Verdict::Ignore => {
                    self.ignored.push(pod.clone());
                }
                "Failed" => self.failed.push(pod.clone()),
                _ if pod.is_terminating() && !self.replaces_failed_only() => {
                    self.failed.push(pod.clone());
                }
                _ => {}
            }
        }
    }

    fn replaces_failed_only(&self) -> bool {
        self.job.str_at("spec.podReplacementPolicy") == "Failed"
    }

    pub(super) fn is_indexed(&self) -> bool {
        self.job.str_at("spec.completionMode") == "Indexed"
    }

    /// Each index has a limit of its own.
    fn limits_indexes(&self) -> bool {
        self.is_indexed() && self.job.has("spec.backoffLimitPerIndex")
    }

    fn completions(&self) -> i64 {
        self.job.i64_at("spec.completions").unwrap_or(0)
    }

    /// The uids of finished pods that stand in the status by name.
    pub(super) fn counted(&self) -> Vec<Value> {
        let uncounted = self.job.at("status.uncountedTerminatedPods");
        let lists = ["succeeded", "failed"].map(|key| uncounted.list_at(key));
        lists.concat()
    }

    /// Pods that need their finalizer no more: they stand in the status, or do not count.
    pub(super) fn released(&self) -> impl Iterator<Item = &Value> {
        let counted = self.counted();
        let pods = self.pods.iter().filter(|pod| pod.has_finalizer(FINALIZER));
        pods.filter(move |pod| {
            let listed = counted.iter().any(|uid| uid.as_str() == pod.uid());
            let ignored = self.ignored.iter().any(|known| known.uid() == pod.uid());
            listed || ignored && !self.stays(pod)
        })
    }

    fn stays(&self, pod: &Value) -> bool {
        self.last.values().any(|last| last.uid() == pod.uid())
    }

    /// It is decided how the Job ends: no index is tried again.
    pub(super) fn give_up(&mut self) {
        self.last.clear();
    }

    /// The Job with a status that tells of its pods as they are.
    pub(super) fn count(&self) -> Value {
        let mut job = self.job.clone();
        let holds = |uid: &Value| {
            let pod = self.pods.iter().find(|pod| pod.uid() == uid.as_str());
            pod.is_some_and(|pod| pod.has_finalizer(FINALIZER))
        };
        let mut uncounted = object! {};
        for (key, new) in [("succeeded", &self.succeeded), ("failed", &self.failed)] {
            let path = format!("status.uncountedTerminatedPods.{key}");
            let (kept, done): (Vec<Value>, Vec<Value>) =
                self.job.list_at(&path).iter().cloned().partition(holds);
            let total = self.number(key) + count(&done);
            job.set_or_remove(&format!("status.{key}"), total);
            let new = new.iter().filter(|pod| !self.stays(pod));
            let new = new.map(|pod| Value::from(pod.uid()));
            let listed: Vec<Value> = kept.into_iter().chain(new).collect();
            if !listed.is_empty() {
                uncounted.set(key, Value::list_of(listed));
            }
        }
        job.set("status.uncountedTerminatedPods", uncounted);
        if self.is_indexed() {
            let done = i64::try_from(self.done.len()).unwrap_or(0);
            job.set_or_remove("status.succeeded", done);
            job.set_or_remove("status.completedIndexes", ranges(&self.done));
        }
        if self.limits_indexes() {
            job.set("status.failedIndexes", ranges(&self.lost));
        }
        let ready = self.active.iter().filter(|pod| pods::is_ready(pod)).count();
        job.set_or_remove("status.active", count(&self.active));
        job.set("status.ready", i64::try_from(ready).unwrap_or(0));
        job.set("status.terminating", count(&self.terminating));
        job
    }

    fn number(&self, key: &str) -> i64 {
        self.job.get("status").i64_at(key).unwrap_or(0)
    }

    fn total(&self, key: &str, new: &[Value]) -> i64 {
        let path = format!("status.uncountedTerminatedPods.{key}");
        self.number(key) + count(self.job.list_at(&path)) + count(new)
    }

    /// How many have succeeded, those included that are being counted.
    pub(super) fn succeeded_total(&self) -> i64 {
        match self.is_indexed() {
            true => i64::try_from(self.done.len()).unwrap_or(0),
            false => self.total("succeeded", &self.succeeded),
        }
    }

    /// Nobody works any more.
    pub(super) fn is_idle(&self) -> bool {
        self.active.is_empty() && self.terminating.is_empty()
    }

    /// The indexes that are done: those the status has, and those of pods that succeeded.
    fn completed(&self) -> BTreeSet<i64> {
        let most = self.completions();
        let mut done = parse_ranges(self.job.str_at("status.completedIndexes"), most);
        let ended = self
            .pods
            .iter()
            .filter(|pod| pod.str_at("status.phase") == "Succeeded");
        done.extend(ended.filter_map(pod::index).filter(|index| *index < most));
        done
    }

    /// The indexes that failed too often, or as they may not.
    fn given_up(&self) -> BTreeSet<i64> {
        let most = self.completions();
        let mut lost = parse_ranges(self.job.str_at("status.failedIndexes"), most);
        let limit = self.job.i64_at("spec.backoffLimitPerIndex").unwrap_or(0);
        for pod in &self.failed {
            let too_often = Failures::before(pod).counted >= limit;
            if too_often || policy::verdict(&self.job, pod) == Verdict::FailIndex {
                lost.extend(pod::index(pod).filter(|index| *index < most));
            }
        }
        lost.retain(|index| !self.done.contains(index));
        lost
    }

    fn last_failures(&self) -> BTreeMap<i64, Value> {
        let mut last: BTreeMap<i64, Value> = BTreeMap::new();
        for pod in self.failed.iter().chain(&self.ignored) {
            let Some(index) = pod::index(pod) else {
                continue;
            };
            let open = !self.done.contains(&index) && !self.lost.contains(&index);
            let before = Failures::before(pod).total();
            let newer = |other: &Value| {
                pod::index(other) == Some(index) && Failures::before(other).total() > before
            };
            if open && !self.pods.iter().any(newer) {
                last.insert(index, pod.clone());
            }
        }
        last
    }

    /// How many pods there should be now.
    pub(super) fn wanted(&self) -> usize {
        let parallel = self.job.i64_at("spec.parallelism").unwrap_or(1);
        let succeeded = self.succeeded_total();
        let wanted = match self.job.i64_at("spec.completions") {
            Some(completions) => parallel.min(completions - succeeded),
            // The first to succeed tells that the work is done: no more are begun.
            None if succeeded > 0 => count(&self.active),
            None => parallel,
        };
        usize::try_from(wanted).unwrap_or(0)
    }

    /// How many pods are missing. Those on their way out may have to be gone first.
    pub(super) fn lacking(&self) -> usize {
        let present = match self.replaces_failed_only() {
            true => self.active.len() + self.terminating.len(),
            false => self.active.len(),
        };
        self.wanted().saturating_sub(present)
    }

    /// The pods that go: those that do what another does or nobody asked for, and as many others
    /// as are too many: first those that are not ready, and of these the youngest.
    pub(super) fn surplus(&self) -> Vec<Value> {
        let mut pods = self.active.clone();
        pods.sort_by_key(|pod| {
            let created = pod.creation_timestamp().to_owned();
            (pods::is_ready(pod), Reverse(created))
        });
        let mut gone = Vec::new();
        if self.is_indexed() {
            let mut taken = BTreeSet::new();
            // The best of each index stays.
            for pod in std::mem::take(&mut pods).into_iter().rev() {
                match pod::index(&pod).filter(|index| *index < self.completions()) {
                    Some(index) if taken.insert(index) => pods.insert(0, pod),
                    _ => gone.push(pod),
                }
            }
        }
        let surplus = self.active.len().saturating_sub(self.wanted());
        let more = surplus.saturating_sub(gone.len());
        gone.extend(pods.into_iter().take(more));
        gone
    }

    /// At most `most` pods for what is to be done, or how long to wait for that.
    pub(super) fn new_pods(&self, most: usize, now: Instant) -> Result<Vec<Value>, Duration> {
        if !self.limits_indexes()
            && let Some(wait) = self.pause(now)
        {
            return Err(wait);
        }
        if !self.is_indexed() {
            return Ok(std::iter::repeat_n(pod::new_pod(&self.job), most).collect());
        }
        let mut taken: BTreeSet<i64> = self.done.union(&self.lost).copied().collect();
        taken.extend(self.active.iter().filter_map(pod::index));
        if self.replaces_failed_only() {
            taken.extend(self.terminating.iter().filter_map(pod::index));
        }
        let free = (0..self.completions()).filter(|index| !taken.contains(index));
        let mut wait: Option<Duration> = None;
        let mut new = Vec::new();
        for index in free.take(most) {
            let (failures, pause) = self.failures(index, now);
            match pause {
                Some(pause) => wait = Some(wait.unwrap_or(pause).min(pause)),
                None => new.push(pod::indexed(&self.job, index, failures)),
            }
        }
        match wait {
            Some(wait) if new.is_empty() => Err(wait),
            _ => Ok(new),
        }
    }

    /// How often an index has failed, and how long it is to rest.
    fn failures(&self, index: i64, now: Instant) -> (Failures, Option<Duration>) {
        let Some(last) = self.last.get(&index) else {
            return (Failures::default(), None);
        };
        let mut failures = Failures::before(last);
        match self.ignored.iter().any(|pod| pod.uid() == last.uid()) {
            true => failures.ignored += 1,
            false => failures.counted += 1,
        }
        let times = usize::try_from(failures.total()).unwrap_or(1);
        (failures, rest(finished_at(last), times, now))
    }

    /// Whether pods failed, or containers were restarted, more often than allowed.
    pub(super) fn exceeds(&self, limit: i64) -> bool {
        if self.total("failed", &self.failed) > limit {
            return true;
        }
        if self.job.str_at("spec.template.spec.restartPolicy") != "OnFailure" {
            return false;
        }
        let lists = ["status.initContainerStatuses", "status.containerStatuses"];
        let statuses = self
            .active
            .iter()
            .flat_map(|pod| lists.map(|list| pod.list_at(list)).concat());
        let restarts: i64 = statuses
            .filter_map(|status| status.i64_at("restartCount"))
            .sum();
        if limit == 0 {
            restarts > 0
        } else {
            restarts >= limit
        }
    }

    /// Why the Job has failed, if a pod failed as none may.
    pub(super) fn failure(&self) -> Option<String> {
        let verdicts = self.pods.iter().map(|pod| policy::verdict(&self.job, pod));
        let mut messages = verdicts.filter_map(|verdict| match verdict {
            Verdict::FailJob(message) => Some(message),
            _ => None,
        });
        messages.next()
    }

    /// Why the Job has failed, if indexes have.
    pub(super) fn lost_too_many(&self) -> Option<(&'static str, &'static str)> {
        let lost = i64::try_from(self.lost.len()).unwrap_or(0);
        let most = self.job.i64_at("spec.maxFailedIndexes");
        if most.is_some_and(|most| lost > most) {
            return Some((
                "MaxFailedIndexesExceeded",
                "Job has exceeded the specified maximal number of failed indexes",
            ));
        }
        let all = lost + self.succeeded_total() >= self.completions();
        (lost > 0 && all).then_some(("FailedIndexes", "Job has failed indexes"))
    }

    /// Why the Job has succeeded, if some indexes are enough.
    pub(super) fn success(&self) -> Option<String> {
        policy::success(&self.job, &self.done)
    }

    /// How much of `activeDeadlineSeconds` is left.
    pub(super) fn time_left(&self, now: Instant) -> Option<Duration> {
        let secs = self.job.i64_at("spec.activeDeadlineSeconds")?;
        if self.job.bool_at("spec.suspend") {
            return None;
        }
        let start = Instant::parse_rfc3339(self.job.str_at("status.startTime"))?;
        let end = start + Duration::from_secs(u64::try_from(secs).unwrap_or(0));
        Some(end.since(now))
    }

    /// How long to wait after the last failure before there is another pod.
    fn pause(&self, now: Instant) -> Option<Duration> {
        let ended = |phase: &str| {
            let pods = self
                .pods
                .iter()
                .filter(move |pod| pod.str_at("status.phase") == phase);
            pods.map(finished_at).collect::<Vec<Instant>>()
        };
        let last_success = ended("Succeeded").into_iter().max().unwrap_or_default();
        let failures = ended("Failed").into_iter().filter(|at| *at > last_success);
        let failures: Vec<Instant> = failures.collect();
        rest(*failures.iter().max()?, failures.len(), now)
    }
}

/// How long to rest after the last of some failures: the time doubles with each.
fn rest(last: Instant, failures: usize, now: Instant) -> Option<Duration> {
    const FIRST: Duration = Duration::from_secs(10);
    const LONGEST: Duration = Duration::from_secs(600);
    let doublings = u32::try_from(failures.saturating_sub(1))
        .unwrap_or(0)
        .min(6);
    let until = last + (FIRST * 2u32.pow(doublings)).min(LONGEST);
    (until > now).then(|| until.since(now))
}

/// When the last container of a pod ended; when the pod was deleted or made, if that is not known.
fn finished_at(pod: &Value) -> Instant {
    let statuses = pod.list_at("status.containerStatuses").iter();
    let times = statuses.map(|status| status.str_at("state.terminated.finishedAt"));
    let ready = pods::condition(pod, "Ready").map_or("", |c| c.str("lastTransitionTime"));
    let others = [
        ready,
        pod.str_at("metadata.deletionTimestamp"),
        pod.creation_timestamp(),
    ];
    let last = times.filter_map(Instant::parse_rfc3339).max();
    let mut others = others.into_iter().filter_map(Instant::parse_rfc3339);
    last.or_else(|| others.next()).unwrap_or_default()
}

fn count(list: &[Value]) -> i64 {
    i64::try_from(list.len()).unwrap_or(i64::MAX)
}
