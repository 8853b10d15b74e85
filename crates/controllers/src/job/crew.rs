//! A Job and its pods, as one sync sees them.
//! Models pkg/controller/job/{indexed_job_utils,backoff_utils}.go.

use std::collections::BTreeSet;

use api::{Value, object};
use client::{Index, PODS};
use sim::{Duration, Instant};

use super::{FINALIZER, pod};
use crate::controller::Cx;
use crate::pods;

/// The pause after a failure; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

pub(super) struct Crew {
    pub(super) job: Value,
    pub(super) pods: Vec<Value>,
    pub(super) active: Vec<Value>,
    /// Pods on their way out that have not ended yet.
    terminating: usize,
    /// Finished pods nobody has counted yet.
    succeeded: Vec<Value>,
    failed: Vec<Value>,
}

impl Crew {
    pub(super) fn of(cx: &Cx<'_>, job: &Value) -> Crew {
        let all = cx.cache(&PODS).by(Index::Owner, job.uid());
        let pods: Vec<Value> = all
            .filter(|pod| pod.is_controlled_by(job.uid()))
            .cloned()
            .collect();
        let mut crew = Crew {
            job: job.clone(),
            active: pods
                .iter()
                .filter(|pod| pods::is_active(pod))
                .cloned()
                .collect(),
            terminating: pods
                .iter()
                .filter(|pod| pod.is_terminating() && !pods::is_finished(pod))
                .count(),
            succeeded: Vec::new(),
            failed: Vec::new(),
            pods,
        };
        let counted = crew.counted();
        let only_failed = job.str_at("spec.podReplacementPolicy") == "Failed";
        for pod in crew.pods.iter().filter(|pod| pod.has_finalizer(FINALIZER)) {
            if counted.iter().any(|uid| uid.as_str() == pod.uid()) {
                continue;
            }
            match pod.str_at("status.phase") {
                "Succeeded" => crew.succeeded.push(pod.clone()),
                "Failed" => crew.failed.push(pod.clone()),
                _ if pod.is_terminating() && !only_failed => crew.failed.push(pod.clone()),
                _ => {}
            }
        }
        crew
    }

    /// The uids of finished pods that stand in the status by name.
    pub(super) fn counted(&self) -> Vec<Value> {
        let uncounted = self.job.at("status.uncountedTerminatedPods");
        let lists = ["succeeded", "failed"].map(|key| uncounted.list_at(key));
        lists.concat()
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
            let total = self.number(key) + i64::try_from(done.len()).unwrap_or(0);
            job.set_or_remove(&format!("status.{key}"), total);
            let new = new.iter().map(|pod| Value::from(pod.uid()));
            let listed: Vec<Value> = kept.into_iter().chain(new).collect();
            if !listed.is_empty() {
                uncounted.set(key, Value::list_of(listed));
            }
        }
        job.set("status.uncountedTerminatedPods", uncounted);
        if self.is_indexed() {
            let done = self.completed();
            let succeeded = i64::try_from(done.len()).unwrap_or(0);
            job.set_or_remove("status.succeeded", succeeded);
            job.set_or_remove("status.completedIndexes", ranges(&done));
        }
        let ready = self.active.iter().filter(|pod| pods::is_ready(pod)).count();
        let number = |count: usize| i64::try_from(count).unwrap_or(0);
        job.set_or_remove("status.active", number(self.active.len()));
        job.set("status.ready", number(ready));
        job.set("status.terminating", number(self.terminating));
        job
    }

    fn number(&self, key: &str) -> i64 {
        self.job.get("status").i64_at(key).unwrap_or(0)
    }

    fn all_failed(&self) -> i64 {
        let listed = self
            .job
            .list_at("status.uncountedTerminatedPods.failed")
            .len();
        self.number("failed") + i64::try_from(listed + self.failed.len()).unwrap_or(0)
    }

    /// How many have succeeded, those included that are being counted.
    pub(super) fn succeeded_total(&self, wanted: &Value) -> i64 {
        if self.is_indexed() {
            return wanted.i64_at("status.succeeded").unwrap_or(0);
        }
        let listed = self
            .job
            .list_at("status.uncountedTerminatedPods.succeeded")
            .len();
        self.number("succeeded") + i64::try_from(listed + self.succeeded.len()).unwrap_or(0)
    }

    /// Nobody works any more.
    pub(super) fn is_idle(&self) -> bool {
        self.active.is_empty() && self.terminating == 0
    }

    pub(super) fn is_indexed(&self) -> bool {
        self.job.str_at("spec.completionMode") == "Indexed"
    }

    /// The indexes that are done: those the status has, and those of pods that succeeded.
    pub(super) fn completed(&self) -> BTreeSet<i64> {
        let mut done = parse_ranges(self.job.str_at("status.completedIndexes"));
        let ended = self
            .pods
            .iter()
            .filter(|pod| pod.str_at("status.phase") == "Succeeded");
        done.extend(ended.filter_map(pod::index));
        let most = self.job.i64_at("spec.completions").unwrap_or(0);
        done.retain(|index| *index < most);
        done
    }

    /// How many pods there should be now.
    pub(super) fn wanted(&self) -> usize {
        let parallel = self.job.i64_at("spec.parallelism").unwrap_or(1);
        let succeeded = self.succeeded_total(&self.count());
        let wanted = match self.job.i64_at("spec.completions") {
            Some(completions) => parallel.min(completions - succeeded),
            // The first to succeed tells that the work is done: no more are begun.
            None if succeeded > 0 => parallel.min(i64::try_from(self.active.len()).unwrap_or(0)),
            None => parallel,
        };
        let wanted = usize::try_from(wanted).unwrap_or(0);
        match self.job.str_at("spec.podReplacementPolicy") {
            "Failed" => wanted.saturating_sub(self.terminating),
            _ => wanted,
        }
    }

    /// The pods to go first: those that are not ready, and of these the youngest.
    pub(super) fn surplus(&self, count: usize) -> Vec<Value> {
        let mut pods = self.active.clone();
        pods.sort_by_key(|pod| {
            let created = pod.creation_timestamp().to_owned();
            (pods::is_ready(pod), std::cmp::Reverse(created))
        });
        pods.truncate(count);
        pods
    }

    /// Whether pods failed, or containers were restarted, more often than allowed.
    pub(super) fn exceeds(&self, limit: i64) -> bool {
        if self.all_failed() > limit {
            return true;
        }
        if self.job.str_at("spec.template.spec.restartPolicy") != "OnFailure" {
            return false;
        }
        let restarts: i64 = self
            .active
            .iter()
            .flat_map(|pod| {
                let lists = ["status.initContainerStatuses", "status.containerStatuses"];
                lists.map(|list| pod.list_at(list)).concat()
            })
            .filter_map(|status| status.i64_at("restartCount"))
            .sum();
        if limit == 0 {
            restarts > 0
        } else {
            restarts >= limit
        }
    }

    /// How much of `activeDeadlineSeconds` is left.
    pub(super) fn time_left(&self, now: Instant) -> Option<Duration> {
        let secs = self.job.i64_at("spec.activeDeadlineSeconds")?;
        if self.job.bool_at("spec.suspend") {
            return None;
        }
        let start = Instant::parse_rfc3339(self.job.str_at("status.startTime"))?;
        let end = start + Duration::from_secs(u64::try_from(secs).unwrap_or(0));
        Some(if end <= now {
            Duration::ZERO
        } else {
            end.since(now)
        })
    }

    /// How long to wait after the last failure before there is another pod.
    pub(super) fn pause(&self, now: Instant) -> Option<Duration> {
        let ended = |phase: &str| {
            let pods = self
                .pods
                .iter()
                .filter(move |pod| pod.str_at("status.phase") == phase);
            pods.filter_map(finished_at).collect::<Vec<Instant>>()
        };
        let last_success = ended("Succeeded").into_iter().max().unwrap_or_default();
        let failures = ended("Failed").into_iter().filter(|at| *at > last_success);
        let failures: Vec<Instant> = failures.collect();
        let last = failures.iter().max()?;
        let doublings = u32::try_from(failures.len() - 1).unwrap_or(0).min(6);
        let until = *last + (FIRST_PAUSE * 2u32.pow(doublings)).min(LONGEST_PAUSE);
        (until > now).then(|| until.since(now))
    }
}

fn finished_at(pod: &Value) -> Option<Instant> {
    let statuses = pod.list_at("status.containerStatuses").iter();
    let times = statuses.map(|status| status.str_at("state.terminated.finishedAt"));
    times.filter_map(Instant::parse_rfc3339).max()
}

/// `0-2,5`
fn ranges(indexes: &BTreeSet<i64>) -> String {
    let mut parts: Vec<(i64, i64)> = Vec::new();
    for index in indexes {
        match parts.last_mut() {
            Some((_, last)) if *last + 1 == *index => *last = *index,
            _ => parts.push((*index, *index)),
        }
    }
    let shown = parts.iter().map(|(first, last)| match last - first {
        0 => first.to_string(),
        1 => format!("{first},{last}"),
        _ => format!("{first}-{last}"),
    });
    shown.collect::<Vec<_>>().join(",")
}

fn parse_ranges(text: &str) -> BTreeSet<i64> {
    let mut indexes = BTreeSet::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        if let (Ok(first), Ok(last)) = (first.parse::<i64>(), last.parse::<i64>()) {
            indexes.extend(first..=last);
        }
    }
    indexes
}
