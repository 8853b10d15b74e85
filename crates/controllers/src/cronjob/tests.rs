use api::object;
use client::{CRON_JOBS, JOBS};

use super::*;
use crate::testing::{Bench, check};

fn bench(spec: Value) -> Bench {
    let mut bench = Bench::new(vec![Box::new(CronJobController)]);
    let mut all = object! {
        "schedule": "*/1 * * * *",
        "concurrencyPolicy": "Allow",
        "suspend": false,
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 1,
        "jobTemplate": { "spec": { "template": { "spec": { "containers": [] } } } },
    };
    for (key, value) in spec.entries().iter() {
        all.set(key, value.clone());
    }
    let cron = object! {
        "metadata": {
            "name": "tick", "namespace": "default", "creationTimestamp": "2026-01-05T09:00:00Z",
        },
        "spec": all,
    };
    bench.put(&CRON_JOBS, cron);
    bench
}

/// The Jobs, and those that the status says are active.
fn jobs(bench: &Bench) -> (Vec<String>, usize) {
    let jobs = bench.list(&JOBS).into_iter();
    let live = jobs.filter(|job| !job.is_terminating());
    let cron = bench.get(&CRON_JOBS, "default", "tick");
    (
        live.map(|job| job.name().to_owned()).collect(),
        cron.list_at("status.active").len(),
    )
}

fn end(bench: &mut Bench, name: &str, condition: &str) {
    let now = bench.now.rfc3339();
    bench.change(&JOBS, ("default", name), |job| {
        let condition = object! { "type": condition, "status": "True" };
        job.set("status.conditions", vec![condition]);
        job.set("status.completionTime", now);
    });
}

#[test]
fn a_job_starts_every_minute() {
    let mut bench = bench(object! {});
    assert_eq!(jobs(&bench), (vec![], 0));
    bench.pass_secs(125);
    let names = vec!["tick-29460061".to_owned(), "tick-29460062".to_owned()];
    assert_eq!(jobs(&bench), (names, 2));
    let cron = bench.get(&CRON_JOBS, "default", "tick");
    assert_eq!(
        cron.str_at("status.lastScheduleTime"),
        "2026-01-05T09:02:00Z"
    );
    end(&mut bench, "tick-29460061", "Complete");
    assert_eq!(jobs(&bench).1, 1);
    let cron = bench.get(&CRON_JOBS, "default", "tick");
    assert_eq!(
        cron.str_at("status.lastSuccessfulTime"),
        "2026-01-05T09:02:05Z"
    );
    check(
        &bench.events(),
        "Normal SuccessfulCreate Created job tick-29460061
         Normal SuccessfulCreate Created job tick-29460062
         Normal SawCompletedJob Saw completed job: tick-29460061, condition: Complete",
    );
}

#[test]
fn who_forbids_company_waits_and_who_replaces_does_not() {
    let mut waits = bench(object! { "concurrencyPolicy": "Forbid" });
    waits.pass_secs(125);
    assert_eq!(jobs(&waits), (vec!["tick-29460061".to_owned()], 1));
    assert!(
        waits
            .events()
            .iter()
            .any(|event| event.starts_with("Normal JobAlreadyActive"))
    );
    let mut replaces = bench(object! { "concurrencyPolicy": "Replace" });
    replaces.pass_secs(125);
    assert_eq!(jobs(&replaces), (vec!["tick-29460062".to_owned()], 1));
}

#[test]
fn a_suspended_one_starts_nothing_and_a_late_one_starts_once() {
    let mut bench = bench(object! { "suspend": true });
    bench.pass_secs(300);
    assert_eq!(jobs(&bench), (vec![], 0));
    bench.change(&CRON_JOBS, ("default", "tick"), |cron| {
        cron.set("spec.suspend", false);
    });
    assert_eq!(jobs(&bench), (vec!["tick-29460065".to_owned()], 1));
}

#[test]
fn what_is_too_late_is_missed() {
    let mut bench = bench(object! { "suspend": true, "startingDeadlineSeconds": 10 });
    bench.pass_secs(290);
    bench.change(&CRON_JOBS, ("default", "tick"), |cron| {
        cron.set("spec.suspend", false);
    });
    assert_eq!(jobs(&bench), (vec![], 0));
    bench.pass_secs(15);
    assert_eq!(jobs(&bench), (vec!["tick-29460065".to_owned()], 1));
}

#[test]
fn the_oldest_of_those_that_are_over_go() {
    let mut bench = bench(object! { "successfulJobsHistoryLimit": 1 });
    for minute in 1..=3 {
        bench.pass_secs(61);
        end(&mut bench, &format!("tick-2946006{minute}"), "Complete");
    }
    assert_eq!(jobs(&bench), (vec!["tick-29460063".to_owned()], 0));
}

#[test]
fn a_job_made_by_hand_is_told_of() {
    let mut bench = bench(object! { "suspend": true });
    let cron = bench.get(&CRON_JOBS, "default", "tick");
    let owner = crate::pods::owner_reference(&CRON_JOBS, &cron);
    let metadata = object! { "name": "hand", "namespace": "default", "ownerReferences": [owner] };
    bench.put(&JOBS, object! { "metadata": metadata });
    check(
        &bench.events(),
        "Warning UnexpectedJob Saw a job that the controller did not create or forgot: hand",
    );
    assert_eq!(jobs(&bench).1, 0);
}
