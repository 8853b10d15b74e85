//! How objects go: at once, gracefully, held by finalizers, with their namespace.

mod bench;

use api::{Value, object};
use bench::{Bench, PODS, parse, pod};
use net::http::Method;

const CMS: &str = "/api/v1/namespaces/default/configmaps";

#[test]
fn an_object_without_ties_goes_at_once() {
    let mut bench = Bench::new();
    let made = bench.create(
        CMS,
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}",
    );
    let target = format!("{CMS}/x");
    let (code, status) = bench.call(Method::Delete, &target, Value::Null);
    assert_eq!(
        (code, status.kind(), status.str("status")),
        (200, "Status", "Success")
    );
    assert_eq!(status.str_at("details.uid"), made.uid());
    let (code, status) = bench.call(Method::Delete, &target, Value::Null);
    assert_eq!(
        (code, status.str("message")),
        (404, "configmaps \"x\" not found")
    );
}

/// A pod on a node.
fn running(bench: &mut Bench, name: &str) -> String {
    let mut object = pod(name);
    object.set("spec.nodeName", "node01");
    let (code, made) = bench.call(Method::Post, PODS, object);
    assert_eq!(code, 201, "{made}");
    format!("{PODS}/{name}")
}

#[test]
fn a_pod_goes_when_its_kubelet_says_so() {
    let mut bench = Bench::new();
    bench.service_account("default");
    let target = running(&mut bench, "web");
    let (code, going) = bench.call(Method::Delete, &target, Value::Null);
    assert_eq!(
        (code, going.i64_at("metadata.deletionGracePeriodSeconds")),
        (200, Some(30))
    );
    assert_eq!(
        going.deletion_timestamp(),
        Some(
            (bench.now + sim::Duration::from_secs(30))
                .rfc3339()
                .as_str()
        )
    );
    assert_eq!(going.generation(), 2);
    // Asked again it goes on as it was; asked to be quicker it is.
    let (_, again) = bench.call(Method::Delete, &target, Value::Null);
    assert_eq!(again.resource_version(), going.resource_version());
    let (_, sooner) = bench.call(Method::Delete, &target, object! { "gracePeriodSeconds": 5 });
    assert_eq!(
        sooner.i64_at("metadata.deletionGracePeriodSeconds"),
        Some(5)
    );
    let options = object! { "gracePeriodSeconds": 0, "preconditions": { "uid": "other" } };
    assert_eq!(bench.call(Method::Delete, &target, options).0, 409);
    let options = object! { "gracePeriodSeconds": 0, "preconditions": { "uid": going.uid() } };
    assert_eq!(bench.call(Method::Delete, &target, options).0, 200);
    assert_eq!(bench.call(Method::Get, &target, Value::Null).0, 404);
}

#[test]
fn a_pod_that_was_never_placed_goes_at_once() {
    let mut bench = Bench::new();
    bench.service_account("default");
    bench.call(Method::Post, PODS, pod("web"));
    let (code, gone) = bench.call(Method::Delete, &format!("{PODS}/web"), Value::Null);
    assert_eq!((code, gone.kind()), (200, "Pod"));
    assert_eq!(
        bench
            .call(Method::Get, &format!("{PODS}/web"), Value::Null)
            .0,
        404
    );
}

#[test]
fn finalizers_hold_an_object_until_they_are_gone() {
    let mut bench = Bench::new();
    let yaml = "{apiVersion: v1, kind: ConfigMap, metadata: {name: x, finalizers: [a.b/c]}}";
    bench.create(CMS, yaml);
    let target = format!("{CMS}/x");
    let watch = bench.watch(&format!("{CMS}?watch=1&fieldSelector=metadata.name%3Dx"));
    let (code, going) = bench.call(Method::Delete, &target, Value::Null);
    assert_eq!((code, going.deletion_timestamp().is_some()), (200, true));
    let add = object! { "metadata": { "finalizers": ["a.b/c", "d.e/f"] } };
    let (code, status) = bench.patch(&target, "merge-patch", add);
    assert_eq!(code, 422, "{status}");
    let (code, _) = bench.patch(
        &target,
        "merge-patch",
        object! { "metadata": { "finalizers": Value::Null } },
    );
    assert_eq!(code, 200);
    assert_eq!(bench.call(Method::Get, &target, Value::Null).0, 404);
    assert_eq!(bench.heard(watch), ["ADDED x", "MODIFIED x", "DELETED x"]);
}

#[track_caller]
fn check_policy(options: Value, finalizers: &[&str]) {
    let mut bench = Bench::new();
    bench.create(
        CMS,
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}",
    );
    let target = format!("{CMS}/x");
    assert_eq!(bench.call(Method::Delete, &target, options).0, 200);
    let (_, left) = bench.call(Method::Get, &target, Value::Null);
    let found: Vec<&str> = left.finalizers().iter().map(Value::as_str).collect();
    assert_eq!(found, finalizers);
}

#[test]
fn propagation_policies_are_finalizers() {
    check_policy(object! { "propagationPolicy": "Orphan" }, &["orphan"]);
    check_policy(
        object! { "propagationPolicy": "Foreground" },
        &["foregroundDeletion"],
    );
    check_policy(object! { "propagationPolicy": "Background" }, &[]);
    check_policy(object! { "orphanDependents": true }, &["orphan"]);
    check_policy(Value::Null, &[]);
}

#[test]
fn a_namespace_stays_until_it_is_finalized() {
    let mut bench = Bench::new();
    bench.namespace("team");
    let target = "/api/v1/namespaces/team";
    let (code, going) = bench.call(Method::Delete, target, Value::Null);
    assert_eq!((code, going.str_at("status.phase")), (200, "Terminating"));
    let (code, status) = bench.call(Method::Delete, target, Value::Null);
    assert_eq!((code, status.str("reason")), (409, "Conflict"));
    let (code, status) = bench.call(
        Method::Post,
        "/api/v1/namespaces/team/configmaps",
        parse("{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}"),
    );
    assert_eq!(
        (code, status.str("message")),
        (
            403,
            "configmaps \"x\" is forbidden: unable to create new content in namespace team because \
             it is being terminated"
        )
    );
    assert_eq!(
        status.str_at("details.causes.0.reason"),
        "NamespaceTerminating"
    );
    let mut done = bench.get(target);
    done.set("spec.finalizers", Value::list_of(Vec::new()));
    let (code, done) = bench.call(Method::Put, &format!("{target}/finalize"), done);
    assert_eq!(code, 200, "{done}");
    assert_eq!(bench.call(Method::Get, target, Value::Null).0, 404);
}

#[test]
fn some_namespaces_may_not_be_deleted() {
    let mut bench = Bench::new();
    for name in ["default", "kube-system", "kube-public"] {
        let (code, status) = bench.call(
            Method::Delete,
            &format!("/api/v1/namespaces/{name}"),
            Value::Null,
        );
        assert_eq!(code, 403);
        assert_eq!(
            status.str("message"),
            format!("namespaces \"{name}\" is forbidden: this namespace may not be deleted")
        );
    }
}

#[test]
fn a_collection_goes_by_selector() {
    let mut bench = Bench::new();
    for (name, app) in [("a", "web"), ("b", "db"), ("c", "web")] {
        let yaml = format!(
            "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}, labels: {{app: {app}}}}}}}"
        );
        bench.create(CMS, &yaml);
    }
    let target = format!("{CMS}?labelSelector=app%3Dweb");
    let (code, list) = bench.call(Method::Delete, &target, Value::Null);
    assert_eq!(
        (code, list.kind(), list.list_at("items").len()),
        (200, "ConfigMapList", 2)
    );
    let left = bench.get(CMS);
    assert_eq!(
        left.list_at("items")
            .iter()
            .map(Value::name)
            .collect::<Vec<_>>(),
        ["b"]
    );
    let (code, none) = bench.call(Method::Delete, &target, Value::Null);
    assert_eq!((code, none.list_at("items").len()), (200, 0));
}

#[test]
fn an_eviction_is_a_polite_deletion() {
    let mut bench = Bench::new();
    bench.service_account("default");
    let target = running(&mut bench, "web");
    let eviction = object! {
        "apiVersion": "policy/v1", "kind": "Eviction", "metadata": { "name": "web" },
    };
    let (code, status) = bench.call(Method::Post, &format!("{target}/eviction"), eviction);
    assert_eq!((code, status.str("status")), (201, "Success"));
    assert!(bench.get(&target).is_terminating());
}
