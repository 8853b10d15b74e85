//! Evictions: what a disruption budget allows, and what it is charged.

mod bench;

use api::{Value, object};
use bench::{Bench, PODS, pod};
use net::http::Method;

const BUDGETS: &str = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";

/// A pod on a node, ready or not, in a phase.
fn running(bench: &mut Bench, name: &str, phase: &str, ready: bool) {
    let mut object = pod(name);
    object.set("spec.nodeName", "node01");
    let (code, made) = bench.call(Method::Post, PODS, object);
    assert_eq!(code, 201, "{made}");
    let ready = object! { "type": "Ready", "status": (if ready { "True" } else { "False" }) };
    let status = object! { "status": { "phase": phase, "conditions": [ready] } };
    let (code, status) = bench.patch(&format!("{PODS}/{name}/status"), "merge-patch", status);
    assert_eq!(code, 200, "{status}");
}

/// A budget as its controller left it.
fn budget(bench: &mut Bench, name: &str, policy: &str, allowed: i64, [has, needs]: [i64; 2]) {
    let mut budget = object! {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": { "name": name },
        "spec": { "minAvailable": needs, "selector": { "matchLabels": { "app": "web" } } },
    };
    budget.set_or_remove("spec.unhealthyPodEvictionPolicy", policy);
    let (code, made) = bench.call(Method::Post, BUDGETS, budget);
    assert_eq!(code, 201, "{made}");
    let status = object! { "status": {
        "disruptionsAllowed": allowed,
        "currentHealthy": has,
        "desiredHealthy": needs,
        "expectedPods": has,
        "observedGeneration": 1,
        "conditions": [{
            "type": "DisruptionAllowed", "status": "True", "reason": "SufficientPods",
            "message": "", "lastTransitionTime": "2026-01-05T09:00:00Z",
        }],
    } };
    bench.patch(&format!("{BUDGETS}/{name}/status"), "merge-patch", status);
}

fn evict(bench: &mut Bench, name: &str) -> (u16, Value) {
    let eviction = object! {
        "apiVersion": "policy/v1", "kind": "Eviction", "metadata": { "name": name },
    };
    bench.call(Method::Post, &format!("{PODS}/{name}/eviction"), eviction)
}

fn bench() -> Bench {
    let mut bench = Bench::new();
    bench.service_account("default");
    bench
}

#[test]
fn an_eviction_is_a_deletion_with_a_reason() {
    let mut bench = bench();
    running(&mut bench, "web", "Running", true);
    let (code, answer) = evict(&mut bench, "web");
    assert_eq!((code, answer.str("status")), (201, "Success"));
    let pod = bench.get(&format!("{PODS}/web"));
    assert!(pod.is_terminating());
    let target = pod
        .list_at("status.conditions")
        .last()
        .expect("a condition");
    assert_eq!(
        (
            target.str("type"),
            target.str("reason"),
            target.str("message")
        ),
        (
            "DisruptionTarget",
            "EvictionByEvictionAPI",
            "Eviction API: evicting"
        )
    );
    assert_eq!(evict(&mut bench, "nosuch").0, 404);
}

#[test]
fn a_budget_is_charged_until_it_is_spent() {
    let mut bench = bench();
    for name in ["a", "b"] {
        running(&mut bench, name, "Running", true);
    }
    budget(&mut bench, "web", "", 1, [2, 1]);
    assert_eq!(evict(&mut bench, "a").0, 201);
    let charged = bench.get(&format!("{BUDGETS}/web"));
    assert_eq!(charged.i64_at("status.disruptionsAllowed"), Some(0));
    assert!(charged.map_at("status.disruptedPods").contains_key("a"));
    let condition = charged
        .list_at("status.conditions")
        .first()
        .expect("a condition");
    assert_eq!(condition.str("reason"), "InsufficientPods");
    let (code, refused) = evict(&mut bench, "b");
    assert_eq!(
        (code, refused.str("reason"), refused.str("message")),
        (
            429,
            "TooManyRequests",
            "Cannot evict pod as it would violate the pod's disruption budget."
        )
    );
    let cause = refused.list_at("details.causes").first().expect("a cause");
    assert_eq!(
        cause.str("message"),
        "The disruption budget web needs 1 healthy pods and has 2 currently"
    );
    // What is on its way out already costs nothing.
    assert_eq!(evict(&mut bench, "a").0, 201);
}

#[test]
fn a_budget_that_was_just_changed_is_not_relied_on() {
    let mut bench = bench();
    running(&mut bench, "a", "Running", true);
    budget(&mut bench, "web", "", 1, [1, 0]);
    let spec = object! { "spec": { "minAvailable": 1 } };
    bench.patch(&format!("{BUDGETS}/web"), "merge-patch", spec);
    let (code, refused) = evict(&mut bench, "a");
    assert_eq!(
        (code, refused.i64_at("details.retryAfterSeconds")),
        (429, Some(10))
    );
    let cause = refused.list_at("details.causes").first().expect("a cause");
    assert_eq!(
        cause.str("message"),
        "The disruption budget web is still being processed by the server."
    );
}

#[test]
fn pods_that_are_not_ready() {
    #[track_caller]
    fn check(phase: &str, policy: &str, counts: [i64; 2], expect: u16) {
        let mut bench = bench();
        running(&mut bench, "a", phase, false);
        budget(&mut bench, "web", policy, 0, counts);
        assert_eq!(evict(&mut bench, "a").0, expect, "{phase} {policy:?}");
    }
    check("Running", "", [1, 2], 429);
    check("Running", "", [2, 2], 201);
    check("Running", "IfHealthyBudget", [2, 2], 201);
    check("Running", "AlwaysAllow", [1, 2], 201);
    check("Pending", "", [1, 2], 201);
    check("Failed", "", [1, 2], 201);
}

#[test]
fn two_budgets_are_one_too_many() {
    let mut bench = bench();
    running(&mut bench, "a", "Running", true);
    budget(&mut bench, "one", "", 1, [2, 1]);
    budget(&mut bench, "two", "", 1, [2, 1]);
    let (code, refused) = evict(&mut bench, "a");
    assert_eq!(
        (code, refused.str("message")),
        (
            500,
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does \
             not support."
        )
    );
}
