use api::{Value, object, value};
use client::{DEPLOYMENTS, POD_AUTOSCALERS};

use super::*;
use crate::testing::{Bench, check};

/// A list of metrics that the store of the tests holds.
const USAGE: Resource = Resource::fixed("metrics.k8s.io/v1beta1", "pods", "PodMetrics", true);
const SCALES: Resource = Resource::fixed("apps/v1", "deployments/web", "Scale", true);

fn scaler(least: i64, most: i64) -> Value {
    let target = object! { "type": "Utilization", "averageUtilization": 50 };
    let metric = object! { "type": "Resource", "resource": { "name": "cpu", "target": target } };
    object! {
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": { "name": "web", "namespace": "default" },
        "spec": {
            "minReplicas": least, "maxReplicas": most, "metrics": [metric],
            "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "web" },
        },
    }
}

#[test]
fn without_a_target_it_says_so_every_fifteen_seconds() {
    let controller = HorizontalController::new(Vec::new());
    let mut bench = Bench::new(vec![Box::new(controller)]);
    bench.put(&POD_AUTOSCALERS, scaler(1, 3));
    bench.pass_secs(14);
    check(&bench.events(), "");
    bench.pass_secs(1);
    let events = bench.events();
    assert_eq!(events.len(), 1);
    assert!(events[0].starts_with("Warning FailedGetScale"));
    let scaler = bench.get(&POD_AUTOSCALERS, "default", "web");
    assert_eq!(
        scaler.str_at("status.conditions.0.reason"),
        "FailedGetScale"
    );
    bench.pass_secs(15);
    assert_eq!(bench.events().len(), 1);
}

#[track_caller]
fn limited(scaler: &Value, current: i64, proposed: i64, expect: (i64, &str)) {
    let mut history = History::default();
    let now = Instant::ZERO + Duration::from_secs(9000);
    let limited = normalize::replicas(&mut history, now, scaler, current, proposed);
    let reason = limited.conditions[1].2;
    assert_eq!((limited.replicas, reason), expect);
}

#[test]
fn not_all_is_done_at_once() {
    limited(&scaler(1, 20), 2, 3, (3, "DesiredWithinRange"));
    limited(&scaler(1, 20), 5, 20, (10, "ScaleUpLimit"));
    limited(&scaler(1, 6), 5, 20, (6, "TooManyReplicas"));
    limited(&scaler(3, 6), 5, 1, (3, "TooFewReplicas"));
    let mut slow = scaler(1, 20);
    let policies = value!([{ "type": "Pods", "value": 1, "periodSeconds": 60 }]);
    slow.set("spec.behavior.scaleDown.policies", policies.clone());
    slow.set("spec.behavior.scaleDown.stabilizationWindowSeconds", 0);
    slow.set("spec.behavior.scaleUp.policies", policies);
    limited(&slow, 5, 1, (4, "ScaleDownLimit"));
    limited(&slow, 5, 9, (6, "ScaleUpLimit"));
    slow.set("spec.behavior.scaleDown.selectPolicy", "Disabled");
    limited(&slow, 5, 1, (5, "ScaleDownLimit"));
}

#[test]
fn what_was_recommended_lately_is_not_undone_at_once() {
    let mut history = History::default();
    let mut at = Instant::ZERO + Duration::from_secs(9000);
    let mut next = |secs: u64, proposed: i64| {
        at = at + Duration::from_secs(secs);
        normalize::replicas(&mut history, at, &scaler(1, 20), 5, proposed).replicas
    };
    assert_eq!(
        [next(0, 5), next(15, 2), next(200, 2), next(301, 2)],
        [5, 5, 5, 2]
    );
}

#[test]
fn metrics_say_how_many_there_should_be() {
    let controller = HorizontalController::new(vec![DEPLOYMENTS]);
    let mut bench = Bench::new(vec![Box::new(controller)]);
    let scale = object! {
        "metadata": { "name": "scale", "namespace": "default" },
        "spec": { "replicas": 2 },
        "status": { "replicas": 2, "selector": "app=web" },
    };
    bench.put(&SCALES, scale);
    for name in ["a", "b"] {
        let asks = object! { "requests": { "cpu": "100m" } };
        let ready = object! {
            "type": "Ready", "status": "True", "lastTransitionTime": "2026-01-05T09:00:00Z",
        };
        bench.put(
            &PODS,
            object! {
                "metadata": { "name": name, "namespace": "default", "labels": { "app": "web" } },
                "spec": { "containers": [{ "name": "c", "resources": asks }] },
                "status": {
                    "phase": "Running", "startTime": "2026-01-05T09:00:00Z", "conditions": [ready],
                },
            },
        );
        bench.put(
            &USAGE,
            object! {
                "metadata": { "name": name, "namespace": "default" },
                "containers": [{ "name": "c", "usage": { "cpu": "90m" } }],
            },
        );
    }
    bench.put(&POD_AUTOSCALERS, scaler(1, 10));
    bench.pass_secs(15);
    let text = "Normal SuccessfulRescale New size: 4; reason: cpu resource utilization \
                (percentage of request) above target";
    check(&bench.events(), text);
    let scaler = bench.get(&POD_AUTOSCALERS, "default", "web");
    let now = "status.currentMetrics.0.resource.current.averageUtilization";
    assert_eq!(scaler.i64_at(now), Some(90));
    assert_eq!(scaler.i64_at("status.desiredReplicas"), Some(4));
}
