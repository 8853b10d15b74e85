//! Runs pods until enough of them have succeeded. A finished pod keeps a finalizer until the Job's
//! status has counted it, so that none is lost or counted twice.
//! Models pkg/controller/job/job_controller.go.

use api::kinds::job::JOB_NAME;
use api::selector::LabelSelector;
use api::{Value, object};
use client::{DeleteOptions, Delta, Index, Involved, JOBS, Key, PODS, Patch, Resource};
use imbl::OrdMap;

use crate::claim::Claim;
use crate::controller::{Agenda, Controller, Cx, Saying};
use crate::orphans::Orphans;

mod crew;
mod indexes;
mod pod;
mod policy;
mod status;

use crew::Crew;
use status::End;
pub(crate) use status::ended;

/// What a pod keeps until it was counted.
const FINALIZER: &str = "batch.kubernetes.io/job-tracking";
/// At most so many pods are made or deleted at once.
const BURST: usize = 500;
/// Who runs a Job that names nobody.
const OWN_NAME: &str = "kubernetes.io/job-controller";

/// The controller.
#[derive(Clone, Debug, Default)]
pub struct JobController {
    orphans: Orphans,
    /// How many pods the next batch makes. Batches double while all goes well.
    batches: OrdMap<Key, usize>,
}

impl Controller for JobController {
    fn name(&self) -> &'static str {
        "job-controller"
    }

    fn watches(&self) -> Vec<(Resource, &'static [Index])> {
        vec![(JOBS, &[Index::Owner]), (PODS, &[Index::Owner])]
    }

    fn on_delta(&mut self, agenda: &mut Agenda<'_>, resource: &Resource, delta: &Delta) {
        if *resource == JOBS {
            agenda.add(delta.key.clone());
            return;
        }
        self.orphans.on_pod(agenda, &JOBS, delta);
        // Pods that a Job left behind have nothing but its name.
        let name = delta.object().label(JOB_NAME);
        if !name.is_empty() {
            agenda.add(Key::new(&delta.key.namespace, name));
        }
    }

    fn sync(&mut self, cx: &mut Cx<'_>, key: &Key) {
        let Some(job) = cx.cache(&JOBS).get(key).cloned() else {
            self.batches.remove(key);
            let_go(cx, key);
            return;
        };
        if !matches!(job.str_at("spec.managedBy"), "" | OWN_NAME) {
            return;
        }
        if ended(&job).is_some() {
            self.batches.remove(key);
            let crew = Crew::of(cx, &job);
            for pod in crew.pods.iter().filter(|pod| pod.has_finalizer(FINALIZER)) {
                drop_finalizer(cx, pod);
            }
            return;
        }
        if !job.is_terminating() && self.claim(cx, &job) {
            return;
        }
        let mut crew = Crew::of(cx, &job);
        let end = crew.end(cx);
        if end.is_some() {
            crew.give_up();
        }
        for pod in crew.released() {
            drop_finalizer(cx, pod);
        }
        let mut wanted = crew.count();
        let involved = Involved::of(&JOBS, &job);
        if !wanted.has("status.startTime") && !job.bool_at("spec.suspend") {
            wanted.set("status.startTime", cx.now.rfc3339());
        }
        let mut saying = None;
        if let Some(end) = &end {
            for pod in crew.active.iter().take(BURST) {
                delete(cx, &involved, pod);
            }
            status::target(&mut wanted, end, cx.now);
        } else if !job.is_terminating() {
            self.manage(cx, key, &involved, &crew);
            saying = status::suspend(&mut wanted, &involved, cx.now);
        }
        if let Some(end) = end.filter(|_| crew.is_idle() && status::is_settled(&wanted)) {
            saying = Some(status::finish(&mut wanted, &end, &involved, cx.now));
        }
        if !wanted.get("status").same(job.get("status")) {
            let write = cx.update_status(&JOBS, wanted);
            if let Some(saying) = saying {
                write.says(saying);
            }
        }
    }

    fn boxed_clone(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}

impl JobController {
    fn claim(&self, cx: &mut Cx<'_>, job: &Value) -> bool {
        let selector = LabelSelector::from_object(job.at("spec.selector"));
        let claim = Claim {
            resource: &JOBS,
            owner: job,
            selector: &selector.unwrap_or_else(|_| LabelSelector::nothing()),
            finalizer: Some(FINALIZER),
        };
        claim.settle(cx, &self.orphans.keys, true)
    }

    /// Makes the pods that are missing, or deletes those that are too many. A Job that is
    /// suspended has none.
    fn manage(&mut self, cx: &mut Cx<'_>, key: &Key, involved: &Involved, crew: &Crew) {
        let suspended = crew.job.bool_at("spec.suspend");
        let surplus = match suspended {
            true => crew.active.clone(),
            false => crew.surplus(),
        };
        for pod in surplus.iter().take(BURST) {
            delete(cx, involved, pod);
        }
        let lacking = crew.lacking();
        if suspended || !surplus.is_empty() || lacking == 0 {
            self.batches.remove(key);
            return;
        }
        let refused = cx.outcome.error.is_some();
        let batch = self.batches.get(key).copied().filter(|_| !refused);
        let batch = batch.unwrap_or(1).min(BURST);
        match crew.new_pods(lacking.min(batch), cx.now) {
            Err(wait) => cx.requeue_after(wait),
            Ok(pods) => {
                self.batches.insert(key.clone(), batch * 2);
                for pod in pods {
                    create(cx, involved, pod);
                }
            }
        }
    }
}

fn create(cx: &mut Cx<'_>, involved: &Involved, pod: Value) {
    let created = Saying::normal(involved, "SuccessfulCreate", "Created pod: {name}");
    let failed = Saying::warning(involved, "FailedCreate", "Error creating: {error}");
    cx.create(&PODS, pod).says(created).laments(failed);
}

fn delete(cx: &mut Cx<'_>, involved: &Involved, pod: &Value) {
    let message = format!("Deleted pod: {}", pod.name());
    let deleted = Saying::normal(involved, "SuccessfulDelete", message);
    let failed = Saying::warning(involved, "FailedDelete", "Error deleting: {error}");
    cx.delete(&PODS, pod, DeleteOptions::default())
        .says(deleted)
        .laments(failed);
}

/// The Job is gone: nobody will count its pods.
fn let_go(cx: &mut Cx<'_>, key: &Key) {
    let pods = cx.cache(&PODS).in_namespace(&key.namespace);
    let left: Vec<Value> = pods
        .map(|(_, pod)| pod)
        .filter(|pod| pod.has_finalizer(FINALIZER) && belonged(pod, key))
        .cloned()
        .collect();
    for pod in &left {
        drop_finalizer(cx, pod);
    }
}

/// Whether a pod is, or was, that of the Job of this key.
fn belonged(pod: &Value, key: &Key) -> bool {
    let owner = pod.controller().filter(|owner| owner.str("kind") == "Job");
    let name = owner.map_or(pod.label(JOB_NAME), |owner| owner.str("name"));
    *name == *key.name
}

fn drop_finalizer(cx: &mut Cx<'_>, pod: &Value) {
    let kept = pod.finalizers().iter().filter(|f| f.as_str() != FINALIZER);
    let kept: Vec<Value> = kept.cloned().collect();
    let kept = if kept.is_empty() {
        Value::Null
    } else {
        Value::list_of(kept)
    };
    let document = object! { "metadata": { "uid": (pod.uid()), "finalizers": kept } };
    cx.patch(&PODS, &Key::of(pod), "", Patch::Merge, document);
}

impl Crew {
    /// Whether the Job is to end, and how.
    fn end(&self, cx: &mut Cx<'_>) -> Option<End> {
        if let Some(end) = status::targeted(&self.job) {
            return Some(end);
        }
        if let Some(message) = self.failure() {
            return Some(End::failed("PodFailurePolicy", &message));
        }
        let spec = self.job.get("spec");
        if let Some(limit) = spec.i64_at("backoffLimit")
            && self.exceeds(limit)
        {
            return Some(End::failed(
                "BackoffLimitExceeded",
                "Job has reached the specified backoff limit",
            ));
        }
        if let Some(wait) = self.time_left(cx.now) {
            if wait.is_zero() {
                return Some(End::failed(
                    "DeadlineExceeded",
                    "Job was active longer than specified deadline",
                ));
            }
            cx.requeue_after(wait);
        }
        if let Some((reason, message)) = self.lost_too_many() {
            return Some(End::failed(reason, message));
        }
        if let Some(message) = self.success() {
            return Some(End::success("SuccessPolicy", &message));
        }
        let succeeded = self.succeeded_total();
        let complete = match spec.i64_at("completions") {
            Some(completions) => succeeded >= completions,
            None => succeeded > 0 && self.active.is_empty(),
        };
        complete.then(End::complete)
    }
}

#[cfg(test)]
mod tests;
