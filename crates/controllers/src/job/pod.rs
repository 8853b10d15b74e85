//! The pods of a Job.
//! Models pkg/controller/job/indexed_job_utils.go (`addCompletionIndexEnvVariables`).

use std::collections::BTreeSet;

use api::{Value, object};
use client::JOBS;

use super::FINALIZER;
use super::crew::Crew;
use crate::pods;

/// Says which part of an Indexed Job a pod does: an annotation, and a label.
const INDEX: &str = "batch.kubernetes.io/job-completion-index";
const VARIABLE: &str = "JOB_COMPLETION_INDEX";

/// The part of the work a pod does.
pub(super) fn index(pod: &Value) -> Option<i64> {
    pod.annotation(INDEX).parse().ok()
}

/// As many pods as there is work for, at most `count`.
pub(super) fn new_pods(job: &Value, crew: &Crew, count: usize) -> Vec<Value> {
    if !crew.is_indexed() {
        return std::iter::repeat_n(new_pod(job), count).collect();
    }
    let completions = job.i64_at("spec.completions").unwrap_or(0);
    let mut taken: BTreeSet<i64> = crew.completed();
    taken.extend(crew.active.iter().filter_map(index));
    let free = (0..completions).filter(|index| !taken.contains(index));
    free.take(count).map(|index| indexed(job, index)).collect()
}

fn new_pod(job: &Value) -> Value {
    let template = job.at("spec.template");
    let mut metadata = object! {
        "generateName": (format!("{}-", job.name())),
        "namespace": (job.namespace()),
        "finalizers": [FINALIZER],
        "ownerReferences": [(pods::owner_reference(&JOBS, job))],
    };
    for field in ["labels", "annotations"] {
        metadata.set_or_remove(field, template.metadata().get(field));
    }
    object! {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": (template.get("spec")),
    }
}

fn indexed(job: &Value, index: i64) -> Value {
    let mut pod = new_pod(job);
    let text = index.to_string();
    pod.set_annotation(INDEX, &text);
    pod.set_label(INDEX, &text);
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
            if container
                .list_at("env")
                .iter()
                .any(|env| env.str("name") == VARIABLE)
            {
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
