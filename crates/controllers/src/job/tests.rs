use api::kinds::support::conditions;
use api::object;
use client::{JOBS, PODS};

use super::*;
use crate::testing::{Bench, check};

fn bench(spec: Value) -> Bench {
    let mut bench = Bench::new(vec![Box::new(JobController)]);
    let mut spec = spec;
    let template =
        object! { "spec": { "restartPolicy": "Never", "containers": [{ "name": "c" }] } };
    spec.set("template", template);
    bench.put(
        &JOBS,
        object! {
            "metadata": { "name": "pi", "namespace": "default" }, "spec": spec,
        },
    );
    bench
}

/// Every pod that has not ended ends so.
fn end_all(bench: &mut Bench, phase: &str) {
    for pod in bench.list(&PODS) {
        if pod.str_at("status.phase").is_empty() {
            bench.change(&PODS, ("default", pod.name()), |pod| {
                pod.set("status.phase", phase)
            });
        }
    }
}

#[test]
fn work_is_done_in_parallel_until_enough_succeeded() {
    let mut bench = bench(object! { "completions": 3, "parallelism": 2, "backoffLimit": 6 });
    assert_eq!(bench.list(&PODS).len(), 2);
    end_all(&mut bench, "Succeeded");
    assert_eq!(bench.list(&PODS).len(), 3);
    end_all(&mut bench, "Succeeded");
    let job = bench.get(&JOBS, "default", "pi");
    assert!(conditions::is_true(&job, "Complete"));
    assert_eq!(job.i64_at("status.succeeded"), Some(3));
    assert!(
        bench
            .list(&PODS)
            .iter()
            .all(|pod| pod.finalizers().is_empty())
    );
    let events = bench.events();
    check(&events[3..], "Normal Completed Job completed");
}

#[test]
fn every_index_is_done_once() {
    let spec = object! {
        "completions": 3, "parallelism": 3, "completionMode": "Indexed", "backoffLimit": 6,
    };
    let mut bench = bench(spec);
    end_all(&mut bench, "Succeeded");
    let job = bench.get(&JOBS, "default", "pi");
    assert_eq!(job.str_at("status.completedIndexes"), "0-2");
    assert!(conditions::is_true(&job, "Complete"));
}

#[test]
fn too_many_failures_end_a_job() {
    let mut bench = bench(object! { "completions": 1, "parallelism": 1, "backoffLimit": 0 });
    end_all(&mut bench, "Failed");
    let job = bench.get(&JOBS, "default", "pi");
    assert_eq!(
        conditions::get(&job, "Failed").str("reason"),
        "BackoffLimitExceeded"
    );
    assert_eq!(job.i64_at("status.failed"), Some(1));
}
