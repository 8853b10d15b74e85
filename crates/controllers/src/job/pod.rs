//! The pods of a Job.
//! Models pkg/controller/job/indexed_job_utils.go (`addCompletionIndexEnvVariables`).

use api::{Value, object};
use client::JOBS;

use super::FINALIZER;
use crate::pods;

/// Says which part of an Indexed Job a pod does: an annotation, and a label.
const INDEX: &str = "batch.kubernetes.io/job-completion-index";
const VARIABLE: &str = "JOB_COMPLETION_INDEX";
/// How often pods of this index failed before, and how often without it counting.
const FAILURES: &str = "batch.kubernetes.io/job-index-failure-count";
const IGNORED: &str = "batch.kubernetes.io/job-index-ignored-failure-count";

/// The part of the work a pod does.
pub(super) fn index(pod: &Value) -> Option<i64> {
    pod.annotation(INDEX).parse().ok()
}

/// How often pods of an index have failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Failures {
    pub(super) counted: i64,
    pub(super) ignored: i64,
}

impl Failures {
    /// Those before a pod.
    pub(super) fn before(pod: &Value) -> Failures {
        let number = |key: &str| pod.annotation(key).parse().unwrap_or(0);
        Failures {
            counted: number(FAILURES),
            ignored: number(IGNORED),
        }
    }

    pub(super) fn total(self) -> i64 {
        self.counted + self.ignored
    }
}

/// A pod as the template says.
pub(super) fn new_pod(job: &Value) -> Value {
    let template = job.at("spec.template");
    let mut metadata = object! {
        "generateName": (format!("{}-", job.name())),
        "namespace": (job.namespace()),
        "ownerReferences": [(pods::owner_reference(&JOBS, job))],
    };
    for field in ["labels", "annotations", "finalizers"] {
        metadata.set_or_remove(field, template.metadata().get(field));
    }
    metadata
        .list_mut("finalizers")
        .retain(|finalizer| finalizer.as_str() != FINALIZER);
    metadata.list_mut("finalizers").push(FINALIZER.into());
    object! {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": (template.get("spec")),
    }
}

/// The pod of an index; how often it failed before is written down where that has a limit of its
/// own.
pub(super) fn indexed(job: &Value, index: i64, failures: Failures) -> Value {
    let mut pod = new_pod(job);
    let text = index.to_string();
    pod.set_annotation(INDEX, &text);
    pod.set_label(INDEX, &text);
    if job.has("spec.backoffLimitPerIndex") {
        pod.set_annotation(FAILURES, &failures.counted.to_string());
        if failures.ignored > 0 {
            pod.set_annotation(IGNORED, &failures.ignored.to_string());
        }
    }
    let name = format!("{}-{index}", job.name());
    pod.set("metadata.generateName", format!("{name}-"));
    if !pod.has("spec.hostname") {
        pod.set("spec.hostname", name);
    }
    for list in ["initContainers", "containers"] {
        if pod.get("spec").list_at(list).is_empty() {
            continue;
        }
        for container in pod.list_mut(&format!("spec.{list}")) {
            let mut known = container.list_at("env").iter();
            if known.any(|env| env.str("name") == VARIABLE) {
                continue;
            }
            let path = format!("metadata.labels['{INDEX}']");
            let source = object! { "fieldRef": { "fieldPath": path } };
            container
                .list_mut("env")
                .push(object! { "name": VARIABLE, "valueFrom": source });
        }
    }
    pod
}
