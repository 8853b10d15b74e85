use client::{PODS, REPLICA_SETS};

use super::*;
use crate::testing::{Bench, check};

fn bench() -> Bench {
    Bench::new(vec![Box::new(ReplicaSetController::default())])
}

fn replica_set(replicas: i64) -> Value {
    object! {
        "metadata": { "name": "web", "namespace": "default" },
        "spec": {
            "replicas": replicas,
            "selector": { "matchLabels": { "app": "web" } },
            "template": {
                "metadata": { "labels": { "app": "web" } },
                "spec": { "containers": [{ "name": "nginx", "image": "nginx" }] },
            },
        },
    }
}

fn status(bench: &Bench) -> Value {
    bench
        .get(&REPLICA_SETS, "default", "web")
        .get("status")
        .clone()
}

#[test]
fn pods_are_made_and_counted() {
    let mut bench = bench();
    bench.put(&REPLICA_SETS, replica_set(3));
    check(
        &bench.events(),
        "Normal SuccessfulCreate Created pod: web-00001
         Normal SuccessfulCreate Created pod: web-00002
         Normal SuccessfulCreate Created pod: web-00003",
    );
    let pod = bench.get(&PODS, "default", "web-00001");
    assert_eq!(pod.label("app"), "web");
    assert_eq!(
        pod.controller().map(|owner| owner.str("kind")),
        Some("ReplicaSet")
    );
    for name in ["web-00001", "web-00002"] {
        bench.make_ready(name);
    }
    assert_eq!(
        status(&bench),
        object! {
            "replicas": 3, "fullyLabeledReplicas": 3, "readyReplicas": 2, "availableReplicas": 2,
            "terminatingReplicas": 0, "observedGeneration": 1,
        }
    );
}

#[test]
fn a_batch_is_twice_the_one_before() {
    let mut bench = bench();
    bench.put(&REPLICA_SETS, replica_set(100));
    assert_eq!(bench.list(&PODS).len(), 100, "and not one more");
    let statuses = bench
        .writes()
        .iter()
        .filter(|w| w.starts_with("PUT"))
        .count();
    assert!(statuses <= 9, "a status a batch: {statuses}");
}

#[test]
fn a_deleted_pod_is_replaced_and_surplus_goes() {
    let mut bench = bench();
    bench.put(&REPLICA_SETS, replica_set(2));
    bench.make_ready("web-00001");
    bench.delete(&PODS, "default", "web-00001");
    assert_eq!(bench.list(&PODS).len(), 3, "one terminates, one is new");
    assert_eq!(status(&bench).i64_at("terminatingReplicas"), Some(1));
    bench.vanish(&PODS, "default", "web-00001");
    bench.make_ready("web-00003");
    bench.events();

    bench.change(&REPLICA_SETS, ("default", "web"), |rs| {
        rs.set("spec.replicas", 1)
    });
    check(
        &bench.events(),
        "Normal SuccessfulDelete Deleted pod: web-00002",
    );
    assert_eq!(status(&bench).i64_at("observedGeneration"), Some(2));
    bench.change(&REPLICA_SETS, ("default", "web"), |rs| {
        rs.set("spec.replicas", 0)
    });
    assert_eq!(status(&bench).i64_at("terminatingReplicas"), Some(1));
    bench.vanish(&PODS, "default", "web-00003");
    assert_eq!(
        status(&bench),
        object! { "replicas": 0, "terminatingReplicas": 0, "observedGeneration": 3 }
    );
}

#[test]
fn refused_pods_are_tried_again_with_growing_pauses() {
    let mut bench = bench();
    let message = "pods \"web-\" is forbidden: exceeded quota";
    bench.refuse = Some(("pods", message));
    bench.put(&REPLICA_SETS, replica_set(10));
    let told = bench.events();
    check(
        &told,
        &format!("Warning FailedCreate Error creating: {message}"),
    );
    let refused = |w: &[String]| w.iter().filter(|w| w.contains("refused")).count();
    assert_eq!(refused(&bench.writes()), 1, "one of ten is enough to know");
    bench.pass_secs(10);
    let tries = refused(&bench.writes());
    assert!((9..=12).contains(&tries), "5 ms, 10 ms, … 5 s: {tries}");
    let failure = status(&bench).at("conditions.0").clone();
    assert_eq!(
        (failure.str("type"), failure.str("reason")),
        ("ReplicaFailure", "FailedCreate")
    );
    assert_eq!(failure.str("message"), message);

    bench.refuse = None;
    bench.pass_secs(20);
    assert_eq!(bench.list(&PODS).len(), 10);
    assert!(status(&bench).at("conditions").is_null());
}

#[test]
fn orphans_are_adopted_and_strangers_released() {
    let mut bench = bench();
    let orphan = object! {
        "metadata": { "name": "orphan", "namespace": "default", "labels": { "app": "web" } },
    };
    bench.put(&PODS, orphan);
    bench.put(&REPLICA_SETS, replica_set(2));
    let owner = |bench: &Bench, name: &str| {
        bench
            .get(&PODS, "default", name)
            .controller()
            .map(|owner| owner.name_of())
    };
    assert_eq!(owner(&bench, "orphan").as_deref(), Some("web"));
    assert_eq!(bench.list(&PODS).len(), 2);

    bench.change(&PODS, ("default", "orphan"), |pod| {
        pod.set_label("app", "other")
    });
    assert_eq!(owner(&bench, "orphan"), None);
    assert_eq!(bench.list(&PODS).len(), 3, "it is replaced");
}

#[test]
fn availability_takes_its_time() {
    let mut bench = bench();
    let mut rs = replica_set(1);
    rs.set("spec.minReadySeconds", 10);
    bench.put(&REPLICA_SETS, rs);
    bench.make_ready("web-00001");
    assert_eq!(status(&bench).i64_at("readyReplicas"), Some(1));
    assert_eq!(status(&bench).i64_at("availableReplicas"), None);
    bench.pass_secs(10);
    assert_eq!(status(&bench).i64_at("availableReplicas"), Some(1));
}

trait NameOf {
    fn name_of(&self) -> String;
}

impl NameOf for Value {
    /// The name an owner reference gives.
    fn name_of(&self) -> String {
        self.str("name").to_owned()
    }
}
