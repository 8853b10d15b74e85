use api::object;
use client::{ENDPOINT_SLICES, PODS, SERVICES};

use super::*;
use crate::testing::Bench;

fn bench() -> Bench {
    Bench::new(vec![Box::new(EndpointSliceController::default())])
}

fn service() -> Value {
    object! {
        "metadata": { "name": "web", "namespace": "default", "labels": { "tier": "front" } },
        "spec": {
            "clusterIP": "10.96.0.7",
            "selector": { "app": "web" },
            "ports": [{ "name": "http", "port": 80, "targetPort": "web", "protocol": "TCP" }],
        },
    }
}

fn pod(name: &str, ready: bool) -> Value {
    let status = if ready { "True" } else { "False" };
    let ready =
        object! { "type": "Ready", "status": status, "lastTransitionTime": "2026-01-05T09:00:00Z" };
    object! {
        "metadata": { "name": name, "namespace": "default", "labels": { "app": "web" } },
        "spec": {
            "nodeName": "node01",
            "containers": [{ "ports": [
                { "name": "web", "containerPort": 8080, "protocol": "TCP" },
            ] }],
        },
        "status": {
            "phase": "Running", "podIP": (format!("10.244.1.{}", name.len())), "conditions": [ready],
        },
    }
}

fn slices(bench: &Bench) -> Vec<Value> {
    bench.list(&ENDPOINT_SLICES)
}

/// `name ready|serving|terminating` of each endpoint.
fn endpoints(bench: &Bench) -> Vec<String> {
    let told = |endpoint: &Value| {
        let conditions = endpoint.get("conditions");
        let on = ["ready", "serving", "terminating"]
            .into_iter()
            .filter(|c| conditions.bool_at(c));
        let on: Vec<&str> = on.collect();
        format!("{} {}", endpoint.str_at("targetRef.name"), on.join("|"))
    };
    slices(bench)
        .iter()
        .flat_map(|s| s.list_at("endpoints").iter().map(told))
        .collect()
}

#[test]
fn a_slice_has_upstreams_shape() {
    let mut bench = bench();
    bench.put(&PODS, pod("p", true));
    bench.put(&SERVICES, service());
    let mut slice = slices(&bench).remove(0);
    let (service_uid, pod_uid) = (
        bench.get(&SERVICES, "default", "web").uid().to_owned(),
        bench.get(&PODS, "default", "p").uid().to_owned(),
    );
    for varying in [
        "creationTimestamp",
        "resourceVersion",
        "uid",
        "name",
        "generation",
    ] {
        slice.remove(&format!("metadata.{varying}"));
    }
    assert_eq!(
        slice,
        object! {
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {
                "generateName": "web-", "namespace": "default",
                "annotations": {
                    "endpoints.kubernetes.io/last-change-trigger-time": "2026-01-05T09:00:00Z",
                },
                "labels": {
                    "tier": "front", "kubernetes.io/service-name": "web",
                    "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
                },
                "ownerReferences": [{
                    "apiVersion": "v1", "kind": "Service", "name": "web", "uid": service_uid,
                    "controller": true, "blockOwnerDeletion": true,
                }],
            },
            "endpoints": [{
                "addresses": ["10.244.1.1"],
                "conditions": { "ready": true, "serving": true, "terminating": false },
                "nodeName": "node01",
                "targetRef": { "kind": "Pod", "namespace": "default", "name": "p", "uid": pod_uid },
            }],
            "ports": [{ "name": "http", "port": 8080, "protocol": "TCP" }],
        }
    );
}

#[test]
fn endpoints_follow_the_pods() {
    let mut bench = bench();
    bench.put(&SERVICES, service());
    assert_eq!(
        slices(&bench).len(),
        1,
        "a Service without pods has an empty slice"
    );
    let name = slices(&bench)[0].name().to_owned();
    bench.put(&PODS, pod("a", false));
    bench.put(&PODS, pod("bb", true));
    assert_eq!(endpoints(&bench), ["a ", "bb ready|serving"]);
    bench.put(&PODS, {
        let mut ready = pod("a", true);
        ready.set("metadata.uid", bench.get(&PODS, "default", "a").uid());
        ready
    });
    assert_eq!(endpoints(&bench), ["a ready|serving", "bb ready|serving"]);
    bench.delete(&PODS, "default", "bb");
    assert_eq!(
        endpoints(&bench),
        ["a ready|serving", "bb serving|terminating"]
    );
    bench.vanish(&PODS, "default", "bb");
    assert_eq!(endpoints(&bench), ["a ready|serving"]);
    bench.change(&PODS, ("default", "a"), |pod| pod.set_label("app", "other"));
    assert!(endpoints(&bench).is_empty());
    let slices = slices(&bench);
    assert_eq!(slices.len(), 1);
    assert_eq!(slices[0].name(), name, "one slice all along");
    assert!(slices[0].get("endpoints").is_null() && slices[0].get("ports").is_null());
}

#[test]
fn slices_hold_a_hundred() {
    let mut bench = bench();
    for i in 0..250 {
        bench.put(&PODS, pod(&format!("p{i}"), true));
    }
    bench.put(&SERVICES, service());
    let sizes = |bench: &Bench| {
        slices(bench)
            .iter()
            .map(|s| s.list_at("endpoints").len())
            .collect::<Vec<_>>()
    };
    assert_eq!(sizes(&bench), [100, 100, 50]);
    bench.writes();
    bench.put(&PODS, pod("p250", true));
    assert_eq!(bench.writes().len(), 1, "one slice is written");
    assert_eq!(sizes(&bench), [100, 100, 51]);
    bench.change(&SERVICES, ("default", "web"), |s| {
        s.set("spec.selector.app", "none")
    });
    assert_eq!(sizes(&bench), [0]);
}

#[test]
fn what_others_do_to_a_slice_is_undone() {
    let mut bench = bench();
    bench.put(&PODS, pod("p", true));
    bench.put(&SERVICES, service());
    let name = slices(&bench)[0].name().to_owned();
    bench.change(&ENDPOINT_SLICES, ("default", &name), |slice| {
        slice.set("endpoints", Value::Null);
    });
    assert_eq!(endpoints(&bench), ["p ready|serving"]);
    bench.delete(&ENDPOINT_SLICES, "default", &name);
    assert_eq!(endpoints(&bench), ["p ready|serving"]);
}

/// As where etcd was restored, and the slices of then come back beside those of now.
#[test]
fn a_pod_is_in_one_slice_whatever_comes_back() {
    let mut bench = bench();
    for name in ["p", "pp"] {
        bench.put(&PODS, pod(name, true));
    }
    bench.put(&SERVICES, service());
    let mut other = slices(&bench).remove(0);
    for field in ["uid", "resourceVersion", "generateName"] {
        other.remove(&format!("metadata.{field}"));
    }
    other.set("metadata.name", "web-older");
    bench.put(&ENDPOINT_SLICES, other);
    let mut found = endpoints(&bench);
    found.sort();
    assert_eq!(found, ["p ready|serving", "pp ready|serving"]);
    bench.vanish(&PODS, "default", "p");
    assert_eq!(endpoints(&bench), ["pp ready|serving"]);
}

#[test]
fn services_without_selectors_are_left_alone() {
    let mut bench = bench();
    let mut bare = service();
    bare.remove("spec.selector");
    bench.put(&SERVICES, bare);
    assert!(slices(&bench).is_empty());
}
