//! What a namespace's limits and quotas allow, to the letter of a real server's refusals.

mod bench;

use api::{Value, object, yaml};
use bench::{Bench, PODS};
use net::http::Method;

const V1: &str = "/api/v1/namespaces/default";

fn bench() -> Bench {
    let mut bench = Bench::new();
    bench.service_account("default");
    bench
}

fn parse(text: &str) -> Value {
    let documents = yaml::parse_all(text).expect("YAML");
    documents.first().expect("a document").value.clone()
}

/// Creates an object; its resources or the refusal are what is expected.
#[track_caller]
fn check(bench: &mut Bench, plural: &str, text: &str, expect: &str) {
    let (code, answer) = bench.call(Method::Post, &format!("{V1}/{plural}"), parse(text));
    let told = match code {
        201 => "",
        _ => answer.str("message"),
    };
    assert_eq!(told, expect, "{code}");
}

fn pod(name: &str, resources: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {{containers: [
           {{name: c, image: nginx, resources: {resources}}}]}}}}"
    )
}

#[test]
fn limits_fill_in_and_refuse() {
    let mut bench = bench();
    let range = "{apiVersion: v1, kind: LimitRange, metadata: {name: lr}, spec: {limits: [
        {type: Container, default: {cpu: 500m, memory: 256Mi},
         defaultRequest: {cpu: 100m, memory: 64Mi},
         max: {cpu: '1', memory: 512Mi}, min: {cpu: 50m, memory: 32Mi},
         maxLimitRequestRatio: {cpu: '20'}},
        {type: Pod, max: {cpu: 1500m}}]}}";
    check(&mut bench, "limitranges", range, "");
    check(&mut bench, "pods", &pod("def", "{}"), "");
    let made = bench.get(&format!("{PODS}/def"));
    assert_eq!(
        made.at("spec.containers.0.resources").to_json(),
        r#"{"limits":{"cpu":"500m","memory":"256Mi"},"requests":{"cpu":"100m","memory":"64Mi"}}"#
    );
    assert_eq!(
        made.annotation("kubernetes.io/limit-ranger"),
        "LimitRanger plugin set: cpu, memory request for container c; cpu, memory limit for \
         container c"
    );
    check(
        &mut bench,
        "pods",
        &pod("over", "{limits: {cpu: '2', memory: 1Gi}}"),
        "pods \"over\" is forbidden: [maximum cpu usage per Container is 1, but limit is 2, maximum \
         memory usage per Container is 512Mi, but limit is 1Gi, maximum cpu usage per Pod is 1500m, \
         but limit is 2]",
    );
    check(
        &mut bench,
        "pods",
        &pod("under", "{requests: {cpu: 10m}, limits: {cpu: 20m}}"),
        "pods \"under\" is forbidden: minimum cpu usage per Container is 50m, but request is 10m",
    );
    check(
        &mut bench,
        "pods",
        &pod("wide", "{requests: {cpu: 50m}, limits: {cpu: 1}}"),
        "",
    );
    check(
        &mut bench,
        "pods",
        &pod("reqover", "{requests: {memory: 400Mi}}"),
        "Pod \"reqover\" is invalid: spec.containers[0].resources.requests: Invalid value: \
         \"400Mi\": must be less than or equal to memory limit of 256Mi",
    );
    let two = "{apiVersion: v1, kind: Pod, metadata: {name: podmax}, spec: {containers: [
        {name: a, image: nginx, resources: {limits: {cpu: 900m}}},
        {name: b, image: nginx, resources: {limits: {cpu: 900m}}}]}}";
    check(
        &mut bench,
        "pods",
        two,
        "pods \"podmax\" is forbidden: maximum cpu usage per Pod is 1500m, but limit is 1800m",
    );
}

/// A quota as its controller left it.
fn quota(bench: &mut Bench, name: &str, hard: &Value, used: &Value) {
    let object = object! {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": { "name": name },
        "spec": { "hard": hard },
    };
    let (code, made) = bench.call(Method::Post, &format!("{V1}/resourcequotas"), object);
    assert_eq!(code, 201, "{made}");
    let status = object! { "status": { "hard": hard, "used": used } };
    let path = format!("{V1}/resourcequotas/{name}/status");
    let (code, made) = bench.patch(&path, "merge-patch", status);
    assert_eq!(code, 200, "{made}");
}

#[track_caller]
fn check_used(bench: &mut Bench, expect: &str) {
    let quota = bench.get(&format!("{V1}/resourcequotas/rq"));
    assert_eq!(quota.at("status.used").to_json(), expect);
}

#[test]
fn quotas_are_charged_and_refuse() {
    let mut bench = bench();
    let hard = object! { "pods": "2", "requests.cpu": "1", "limits.memory": "1Gi" };
    let none = object! { "pods": "0", "requests.cpu": "0", "limits.memory": "0" };
    quota(&mut bench, "rq", &hard, &none);
    check(
        &mut bench,
        "pods",
        &pod("a", "{}"),
        "pods \"a\" is forbidden: failed quota: rq: must specify limits.memory for: c; requests.cpu \
         for: c",
    );
    let fits = "{requests: {cpu: 500m}, limits: {memory: 512Mi}}";
    check(&mut bench, "pods", &pod("fit", fits), "");
    check_used(
        &mut bench,
        r#"{"limits.memory":"512Mi","pods":"1","requests.cpu":"500m"}"#,
    );
    check(
        &mut bench,
        "pods",
        &pod("toobig", "{requests: {cpu: 800m}, limits: {memory: 900Mi}}"),
        "pods \"toobig\" is forbidden: exceeded quota: rq, requested: limits.memory=900Mi,\
         requests.cpu=800m, used: limits.memory=512Mi,requests.cpu=500m, limited: limits.memory=1Gi,\
         requests.cpu=1",
    );
    check(&mut bench, "pods", &pod("fits", fits), "");
    check(
        &mut bench,
        "pods",
        &pod("third", "{requests: {cpu: 0}, limits: {memory: 0}}"),
        "pods \"third\" is forbidden: exceeded quota: rq, requested: pods=1, used: pods=2, limited: \
         pods=2",
    );
    check_used(
        &mut bench,
        r#"{"limits.memory":"1Gi","pods":"2","requests.cpu":"1"}"#,
    );
}

#[test]
fn every_quota_has_a_say_and_changes_count_too() {
    let mut bench = bench();
    let one = object! { "services": "5", "services.nodeports": "1" };
    let none = object! { "services": "0", "services.nodeports": "0" };
    quota(&mut bench, "rq", &one, &none);
    let count = object! { "count/services": "2" };
    quota(
        &mut bench,
        "second",
        &count,
        &object! { "count/services": "0" },
    );
    let service = |name: &str, kind: &str| {
        format!(
            "{{apiVersion: v1, kind: Service, metadata: {{name: {name}}}, spec: {{type: {kind}, \
             selector: {{app: x}}, ports: [{{port: 80}}]}}}}"
        )
    };
    check(&mut bench, "services", &service("a", "ClusterIP"), "");
    check_used(&mut bench, r#"{"services":"1","services.nodeports":"0"}"#);
    let path = format!("{V1}/services/a");
    let node_port = object! { "spec": { "type": "NodePort" } };
    let (code, _) = bench.patch(&path, "merge-patch", node_port.clone());
    assert_eq!(code, 200);
    check_used(&mut bench, r#"{"services":"1","services.nodeports":"1"}"#);
    check(&mut bench, "services", &service("b", "ClusterIP"), "");
    let (code, refused) = bench.patch(&format!("{V1}/services/b"), "merge-patch", node_port);
    assert_eq!(
        (code, refused.str("message")),
        (
            403,
            "services \"b\" is forbidden: exceeded quota: rq, requested: services.nodeports=1, used: \
             services.nodeports=1, limited: services.nodeports=1"
        )
    );
    check(
        &mut bench,
        "services",
        &service("c", "ClusterIP"),
        "services \"c\" is forbidden: exceeded quota: second, requested: count/services=1, used: \
         count/services=2, limited: count/services=2",
    );
    check_used(&mut bench, r#"{"services":"2","services.nodeports":"1"}"#);
}
