//! Budgets counted.

use api::{Value, object};
use client::{DEPLOYMENTS, POD_DISRUPTION_BUDGETS, PODS, REPLICA_SETS};

use super::*;
use crate::testing::Bench;

/// A cluster with a Deployment of `replicas` pods, of which `ready` are ready, and a budget.
fn bench(replicas: i64, ready: usize, spec: Value) -> Bench {
    let scalable = vec![REPLICA_SETS, DEPLOYMENTS];
    let mut bench = Bench::new(vec![Box::new(DisruptionController::new(scalable))]);
    let spec_of = |replicas: i64| object! { "replicas": replicas };
    bench.put(
        &DEPLOYMENTS,
        object! {
            "metadata": { "name": "web", "namespace": "default" }, "spec": (spec_of(replicas)),
        },
    );
    let owner = pods::owner_reference(&DEPLOYMENTS, &bench.get(&DEPLOYMENTS, "default", "web"));
    bench.put(
        &REPLICA_SETS,
        object! {
            "metadata": { "name": "web-1", "namespace": "default", "ownerReferences": [owner] },
            "spec": (spec_of(replicas)),
        },
    );
    let set = bench.get(&REPLICA_SETS, "default", "web-1");
    for n in 0..usize::try_from(replicas).unwrap() {
        let owner = pods::owner_reference(&REPLICA_SETS, &set);
        put_pod(&mut bench, &format!("web-{n}"), vec![owner]);
        if n < ready {
            bench.make_ready(&format!("web-{n}"));
        }
    }
    let mut budget = object! {
        "metadata": { "name": "web", "namespace": "default", "generation": 1 },
        "spec": { "selector": { "matchLabels": { "app": "web" } } },
    };
    for (field, value) in spec.entries() {
        budget.at_mut("spec").set(field, value.clone());
    }
    bench.put(&POD_DISRUPTION_BUDGETS, budget);
    bench
}

fn put_pod(bench: &mut Bench, name: &str, owners: Vec<Value>) {
    bench.put(
        &PODS,
        object! {
            "metadata": {
                "name": name,
                "namespace": "default",
                "labels": { "app": "web" },
                "ownerReferences": owners,
            },
        },
    );
}

/// Allowed, healthy, desired, expected, and the condition's reason.
#[track_caller]
fn check(bench: &Bench, counts: [i64; 4], reason: &str) {
    let budget = bench.get(&POD_DISRUPTION_BUDGETS, "default", "web");
    let fields = [
        "disruptionsAllowed",
        "currentHealthy",
        "desiredHealthy",
        "expectedPods",
    ];
    let found = fields.map(|field| budget.get("status").i64_at(field).unwrap_or(-1));
    let condition = pods::condition(&budget, "DisruptionAllowed").expect("a condition");
    assert_eq!((found, condition.str("reason")), (counts, reason));
}

#[test]
fn counts_and_shares() {
    let spec = |field: &str, amount: Value| object! { (field): amount };
    let min = |amount: Value| spec("minAvailable", amount);
    let max = |amount: Value| spec("maxUnavailable", amount);
    check(
        &bench(3, 3, min(3.into())),
        [0, 3, 3, 3],
        "InsufficientPods",
    );
    check(&bench(3, 3, min(1.into())), [2, 3, 1, 3], "SufficientPods");
    check(
        &bench(3, 1, min(2.into())),
        [0, 1, 2, 3],
        "InsufficientPods",
    );
    check(
        &bench(3, 3, max("50%".into())),
        [2, 3, 1, 3],
        "SufficientPods",
    );
    check(
        &bench(3, 3, min("50%".into())),
        [1, 3, 2, 3],
        "SufficientPods",
    );
    check(&bench(2, 2, max(5.into())), [2, 2, 0, 2], "SufficientPods");
    check(
        &bench(0, 0, max(1.into())),
        [0, 0, 0, 0],
        "InsufficientPods",
    );
}

#[test]
fn what_was_granted_counts_as_gone_until_it_is_seen_to_stay() {
    let mut bench = bench(3, 3, object! { "minAvailable": 1 });
    let since = bench.now.rfc3339();
    bench.change(&POD_DISRUPTION_BUDGETS, ("default", "web"), |budget| {
        budget.set("status.disruptedPods", object! { "web-0": since });
        budget.set("status.disruptionsAllowed", 1);
    });
    check(&bench, [1, 2, 1, 3], "SufficientPods");
    bench.events();
    bench.pass_secs(121);
    check(&bench, [2, 3, 1, 3], "SufficientPods");
    let told = bench.events();
    assert_eq!(
        told,
        ["Warning NotDeleted Pod was expected by PDB default/web to be deleted but it wasn't"]
    );
}

#[test]
fn pods_of_nobody_and_of_what_does_not_scale() {
    let mut bench = bench(1, 1, object! { "maxUnavailable": 1 });
    put_pod(&mut bench, "bare", Vec::new());
    let told = bench.events();
    let last = told.last().expect("an event");
    assert!(
        last.starts_with(
            "Warning UnmanagedPods Pods selected by this PodDisruptionBudget (selector: \
             &LabelSelector{MatchLabels:map[string]string{app: web,},\
             MatchExpressions:[]LabelSelectorRequirement{},}) were found to be unmanaged."
        ),
        "{last}"
    );
    let owner = object! {
        "apiVersion": "apps/v1", "kind": "DaemonSet", "name": "a", "uid": "u", "controller": true,
    };
    put_pod(&mut bench, "agent", vec![owner]);
    let budget = bench.get(&POD_DISRUPTION_BUDGETS, "default", "web");
    let condition = pods::condition(&budget, "DisruptionAllowed").expect("a condition");
    assert_eq!(
        (condition.str("reason"), condition.str("message")),
        (
            "SyncFailed",
            "daemonsets.apps does not implement the scale subresource"
        )
    );
}
