use api::kinds::support::conditions;
use api::object;
use client::{JOBS, PODS};

use super::*;
use crate::testing::{Bench, check};

fn bench(spec: Value) -> Bench {
    let mut bench = Bench::new(vec![Box::new(JobController::default())]);
    let mut spec = spec;
    let labels = object! { "job-name": "pi" };
    let template = object! {
        "metadata": { "labels": &labels },
        "spec": { "restartPolicy": "Never", "containers": [{ "name": "c" }] },
    };
    spec.set("template", template);
    spec.set("selector", object! { "matchLabels": labels });
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

/// What the first condition of these types says: reason and message.
#[track_caller]
fn check_condition(bench: &Bench, kind: &str, reason: &str, message: &str) {
    let job = bench.get(&JOBS, "default", "pi");
    let condition = conditions::get(&job, kind);
    assert_eq!(
        (condition.str("reason"), condition.str("message")),
        (reason, message)
    );
}

fn end(bench: &mut Bench, index: i64, phase: &str, exit_code: i64) {
    let working =
        |pod: &&Value| pod::index(pod) == Some(index) && pod.str_at("status.phase").is_empty();
    let pods = bench.list(&PODS);
    let name = pods.iter().find(working).map(|pod| pod.name().to_owned());
    let name = name.expect("a pod at work");
    bench.change(&PODS, ("default", &name), |pod| {
        let terminated = object! { "exitCode": exit_code };
        let status = object! { "name": "c", "state": { "terminated": terminated } };
        pod.set("status.phase", phase);
        pod.set("status.containerStatuses", vec![status]);
    });
}

fn indexed(more: &str) -> Value {
    let mut spec = object! {
        "completions": 3, "parallelism": 3, "completionMode": "Indexed", "backoffLimit": 6,
    };
    let more = Value::from_json(more.as_bytes()).expect("JSON");
    for (key, value) in more.entries().iter() {
        spec.set(key, value.clone());
    }
    spec
}

#[test]
fn a_failure_that_may_not_happen_ends_a_job() {
    let rules = r#"{"podFailurePolicy":{"rules":[
        {"action":"Ignore","onExitCodes":{"operator":"In","values":[7]}},
        {"action":"FailJob","onExitCodes":{"containerName":"c","operator":"NotIn","values":[3]}}]}}"#;
    let mut bench = bench(indexed(rules));
    end(&mut bench, 0, "Failed", 7);
    end(&mut bench, 1, "Failed", 3);
    let job = bench.get(&JOBS, "default", "pi");
    assert_eq!(job.i64_at("status.failed"), Some(1));
    let pods = bench.list(&PODS);
    let name = pods.iter().find(|pod| pod::index(pod) == Some(2));
    let name = name.map(|pod| pod.name().to_owned()).expect("a pod");
    end(&mut bench, 2, "Failed", 42);
    let text = format!(
        "Container c for pod default/{name} failed with exit code 42 matching FailJob rule at \
         index 1"
    );
    check_condition(&bench, "FailureTarget", "PodFailurePolicy", &text);
}

#[test]
fn an_index_is_given_up_and_others_go_on() {
    let mut bench = bench(indexed(r#"{"backoffLimitPerIndex":1}"#));
    end(&mut bench, 0, "Failed", 1);
    // It is tried once more, after a pause.
    bench.pass_secs(11);
    end(&mut bench, 0, "Failed", 1);
    end(&mut bench, 1, "Succeeded", 0);
    let job = bench.get(&JOBS, "default", "pi");
    assert_eq!(job.str_at("status.failedIndexes"), "0");
    assert_eq!(job.str_at("status.completedIndexes"), "1");
    assert_eq!(job.i64_at("status.failed"), Some(2));
    end(&mut bench, 2, "Succeeded", 0);
    check_condition(&bench, "Failed", "FailedIndexes", "Job has failed indexes");
}

#[test]
fn too_many_lost_indexes_end_a_job() {
    let more = r#"{"backoffLimitPerIndex":0,"maxFailedIndexes":0}"#;
    let mut bench = bench(indexed(more));
    end(&mut bench, 1, "Failed", 1);
    let text = "Job has exceeded the specified maximal number of failed indexes";
    check_condition(&bench, "FailureTarget", "MaxFailedIndexesExceeded", text);
}

#[test]
fn some_successes_can_be_enough() {
    let more = r#"{"successPolicy":{"rules":[{"succeededIndexes":"0,2","succeededCount":1}]}}"#;
    let mut bench = bench(indexed(more));
    end(&mut bench, 1, "Succeeded", 0);
    check_condition(&bench, "SuccessCriteriaMet", "", "");
    end(&mut bench, 2, "Succeeded", 0);
    let text = "Matched rules at index 0";
    check_condition(&bench, "SuccessCriteriaMet", "SuccessPolicy", text);
}

#[test]
fn pods_are_taken_in_and_let_go() {
    let mut bench = bench(object! { "completions": 1, "parallelism": 1, "backoffLimit": 6 });
    let name = bench.list(&PODS)[0].name().to_owned();
    bench.change(&PODS, ("default", &name), |pod| {
        pod.set("metadata.ownerReferences", Value::list_of(Vec::new()));
    });
    let pod = bench.get(&PODS, "default", &name);
    assert_eq!(pod.controller().map(|owner| owner.str("name")), Some("pi"));
    assert_eq!(bench.list(&PODS).len(), 1);
    bench.change(&PODS, ("default", &name), |pod| {
        pod.set_label("job-name", "other")
    });
    assert!(bench.get(&PODS, "default", &name).controller().is_none());
    assert_eq!(bench.list(&PODS).len(), 2);
}

#[test]
fn a_suspended_job_has_no_pods() {
    let spec = object! { "completions": 1, "parallelism": 1, "suspend": true };
    let mut bench = bench(spec);
    assert!(bench.list(&PODS).is_empty());
    check(&bench.events(), "Normal Suspended Job suspended");
    bench.change(&JOBS, ("default", "pi"), |job| {
        job.set("spec.suspend", false)
    });
    assert_eq!(bench.list(&PODS).len(), 1);
    check(
        &bench.events(),
        "Normal SuccessfulCreate Created pod: pi-00001
         Normal Resumed Job resumed",
    );
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
