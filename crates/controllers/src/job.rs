//! Runs pods until enough of them have succeeded. A finished pod keeps a finalizer until the Job's
//! status has counted it, so that none is lost or counted twice.
//! Models pkg/controller/job/job_controller.go.

use api::kinds::job::JOB_NAME;
use api::{Value, object};
use client::{DeleteOptions, Delta, Index, Involved, JOBS, Key, PODS, Patch, Resource};

use crate::controller::{Agenda, Controller, Cx, Saying};

mod crew;
mod pod;
mod status;

use crew::Crew;
use status::End;

/// What a pod keeps until it was counted.
const FINALIZER: &str = "batch.kubernetes.io/job-tracking";
/// At most so many pods are made or deleted at once.
const BURST: usize = 500;

/// The controller.
#[derive(Clone, Debug, Default)]
pub struct JobController;

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
        for pod in [&delta.old, &delta.new].into_iter().flatten() {
            let owner = pod.controller().filter(|owner| owner.str("kind") == "Job");
            let name = owner.map_or(pod.label(JOB_NAME), |owner| owner.str("name"));
            if !name.is_empty() {
                agenda.add(Key::new(&delta.key.namespace, name));
            }
        }
    }

    fn sync(&mut self, cx: &mut Cx<'_>, key: &Key) {
        let Some(job) = cx.cache(&JOBS).get(key).cloned() else {
            let_go(cx, key);
            return;
        };
        if status::is_over(&job) {
            release(cx, &Crew::of(cx, &job), true);
            return;
        }
        let crew = Crew::of(cx, &job);
        let mut wanted = crew.count();
        let end = crew.end(cx, &wanted);
        release(cx, &crew, false);
        let involved = Involved::of(&JOBS, &job);
        if !wanted.has("status.startTime") && !job.bool_at("spec.suspend") {
            wanted.set("status.startTime", cx.now.rfc3339());
        }
        if let Some(end) = &end {
            for pod in crew.active.iter().take(BURST) {
                delete(cx, &involved, pod);
            }
            status::target(&mut wanted, end, cx.now);
        } else if !job.is_terminating() {
            suspend(cx, &involved, &job, &mut wanted, &crew);
            if !job.bool_at("spec.suspend") {
                manage(cx, &involved, &crew);
            }
        }
        let over = end.filter(|_| crew.is_idle() && status::is_settled(&wanted));
        let saying = over.map(|end| status::finish(&mut wanted, &end, &involved, cx.now));
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

/// Makes the pods that are missing, or deletes those that are too many.
fn manage(cx: &mut Cx<'_>, involved: &Involved, crew: &Crew) {
    let active = crew.active.len();
    let wanted = crew.wanted();
    if active > wanted {
        for pod in crew.surplus(active - wanted) {
            delete(cx, involved, &pod);
        }
        return;
    }
    let lacking = wanted - active;
    if lacking == 0 {
        return;
    }
    if let Some(wait) = crew.pause(cx.now) {
        cx.requeue_after(wait);
        return;
    }
    for pod in pod::new_pods(&crew.job, crew, lacking.min(BURST)) {
        let created = Saying::normal(involved, "SuccessfulCreate", "Created pod: {name}");
        let failed = Saying::warning(involved, "FailedCreate", "Error creating: {error}");
        cx.create(&PODS, pod).says(created).laments(failed);
    }
}

fn delete(cx: &mut Cx<'_>, involved: &Involved, pod: &Value) {
    let message = format!("Deleted pod: {}", pod.name());
    let deleted = Saying::normal(involved, "SuccessfulDelete", message);
    let failed = Saying::warning(involved, "FailedDelete", "Error deleting: {error}");
    cx.delete(&PODS, pod, DeleteOptions::default())
        .says(deleted)
        .laments(failed);
}

/// A Job that is suspended has no pods, and its time does not count.
fn suspend(cx: &mut Cx<'_>, involved: &Involved, job: &Value, wanted: &mut Value, crew: &Crew) {
    let suspended = job.bool_at("spec.suspend");
    let known = api::kinds::support::conditions::status(job, "Suspended");
    if suspended {
        for pod in crew.active.iter().take(BURST) {
            delete(cx, involved, pod);
        }
    }
    let (state, reason, message, event) = match (suspended, known) {
        (true, "True") | (false, "" | "False") => return,
        (true, _) => ("True", "JobSuspended", "Job suspended", "Suspended"),
        (false, _) => ("False", "JobResumed", "Job resumed", "Resumed"),
    };
    status::condition(wanted, "Suspended", state, reason, message, cx.now);
    if suspended {
        wanted.remove("status.startTime");
    } else {
        wanted.set("status.startTime", cx.now.rfc3339());
    }
    cx.event(Saying::normal(involved, event, message));
}

/// Takes the finalizer off the pods that the status counted, or off all.
fn release(cx: &mut Cx<'_>, crew: &Crew, all: bool) {
    let counted = crew.counted();
    for pod in crew.pods.iter().filter(|pod| pod.has_finalizer(FINALIZER)) {
        if all || counted.iter().any(|uid| uid.as_str() == pod.uid()) {
            drop_finalizer(cx, pod);
        }
    }
}

/// The Job is gone: nobody will count its pods.
fn let_go(cx: &mut Cx<'_>, key: &Key) {
    let pods = cx.cache(&PODS).in_namespace(&key.namespace);
    let left: Vec<Value> = pods
        .map(|(_, pod)| pod)
        .filter(|pod| pod.has_finalizer(FINALIZER) && *pod.label(JOB_NAME) == *key.name)
        .cloned()
        .collect();
    for pod in &left {
        drop_finalizer(cx, pod);
    }
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
    fn end(&self, cx: &mut Cx<'_>, wanted: &Value) -> Option<End> {
        if let Some(end) = status::targeted(&self.job) {
            return Some(end);
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
        let succeeded = self.succeeded_total(wanted);
        let complete = match spec.i64_at("completions") {
            Some(completions) => succeeded >= completions,
            None => succeeded > 0 && self.active.is_empty(),
        };
        complete.then(End::complete)
    }
}

#[cfg(test)]
mod tests;
