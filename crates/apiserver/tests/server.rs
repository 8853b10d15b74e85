//! The server itself: health, discovery, identities, kubelets, and what it does without etcd.

mod bench;

use api::{Value, object};
use bench::{Bench, PODS, parse, pod};
use kubarium_apiserver::Config;
use net::http::{Body, Method, Request, Response};
use sim::Duration;

const CMS: &str = "/api/v1/namespaces/default/configmaps";

#[test]
fn discovery_lists_what_there_is() {
    let mut bench = Bench::new();
    let core = bench.get("/api/v1");
    assert_eq!(
        (core.kind(), core.str("groupVersion")),
        ("APIResourceList", "v1")
    );
    let find = |name: &str| {
        core.list_at("resources")
            .iter()
            .find(|r| r.str("name") == name)
    };
    let pods = find("pods").expect("pods");
    assert_eq!(pods.at("shortNames").to_json(), "[\"po\"]");
    assert_eq!(
        find("pods/log").expect("logs").at("verbs").to_json(),
        "[\"get\"]"
    );
    assert_eq!(bench.get("/api").at("versions").to_json(), "[\"v1\"]");
    let groups = bench.get("/apis");
    assert!(
        groups
            .list_at("groups")
            .iter()
            .any(|g| g.str("name") == "apps")
    );
    assert_eq!(
        bench
            .get("/apis/apps")
            .str_at("preferredVersion.groupVersion"),
        "apps/v1"
    );
    let accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    let response = bench.ask(Request::get("/apis").with_header("Accept", accept));
    let all = api::body_value(&response.body).expect("a list");
    assert_eq!(all.kind(), "APIGroupDiscoveryList");
    let apps = all
        .list_at("items")
        .iter()
        .find(|g| g.name() == "apps")
        .expect("apps");
    let resources = apps.list_at("versions.0.resources");
    let deployments = resources
        .iter()
        .find(|r| r.str("resource") == "deployments")
        .expect("them");
    assert_eq!(deployments.str_at("responseKind.kind"), "Deployment");
    assert!(
        deployments
            .list_at("subresources")
            .iter()
            .any(|sub| sub.str_at("responseKind.group") == "autoscaling")
    );
    let (code, status) = bench.call(Method::Get, "/nosuch", Value::Null);
    assert_eq!(
        (code, status.str("message")),
        (404, "the server could not find the requested resource")
    );
    assert_eq!(bench.get("/version").str("gitVersion"), "v1.36.2");
}

#[track_caller]
fn check_identity(bench: &mut Bench, mut request: Request, code: u16, message: &str) {
    request.target = "/api/v1/pods".into();
    let stream = 1001 + bench.answers.len() as u32;
    bench.send_as_is(stream, request);
    let response = bench.answers[&stream]
        .response
        .clone()
        .expect("an answer at once");
    let status = api::body_value(&response.body).expect("an object");
    assert_eq!((response.status, status.str("message")), (code, message));
}

#[test]
fn identities_are_asked_for() {
    let mut bench = Bench::new();
    bench.service_account("default");
    check_identity(
        &mut bench,
        Request::get(""),
        403,
        "pods is forbidden: User \"system:anonymous\" cannot list resource \"pods\" in API group \"\" \
         at the cluster scope",
    );
    let bad = Request::get("").with_header("Authorization", "Bearer nonsense");
    check_identity(&mut bench, bad, 401, "Unauthorized");
    let mut admin = Request::get("");
    admin.peer = Some(bench::ADMIN.into());
    check_identity(&mut bench, admin, 200, "");

    let ask = object! {
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
        "spec": { "expirationSeconds": 3600 },
    };
    let target = "/api/v1/namespaces/default/serviceaccounts/default/token";
    let (code, answer) = bench.call(Method::Post, target, ask);
    assert_eq!(code, 201, "{answer}");
    let token = answer.str_at("status.token").to_owned();
    assert_eq!(token.split('.').count(), 3);
    let bearer = || Request::get("").with_header("Authorization", format!("Bearer {token}"));
    check_identity(&mut bench, bearer(), 200, "");
    let forged = format!("Bearer {}x", &token[..token.len() - 1]);
    check_identity(
        &mut bench,
        Request::get("").with_header("Authorization", forged),
        401,
        "Unauthorized",
    );
    bench.call(
        Method::Delete,
        "/api/v1/namespaces/default/serviceaccounts/default",
        Value::Null,
    );
    check_identity(&mut bench, bearer(), 401, "Unauthorized");
}

/// A pod on a node whose kubelet is known.
fn placed(bench: &mut Bench, containers: &str) {
    bench.service_account("default");
    bench.create(
        "/api/v1/nodes",
        "{apiVersion: v1, kind: Node, metadata: {name: node01}}",
    );
    let (code, node) = bench.patch(
        "/api/v1/nodes/node01/status",
        "merge-patch",
        object! { "status": {
            "addresses": [{ "type": "InternalIP", "address": "172.30.2.2" }],
            "daemonEndpoints": { "kubeletEndpoint": { "Port": 10250 } },
        } },
    );
    assert_eq!(code, 200, "{node}");
    let yaml = format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: web}}, \
         spec: {{nodeName: node01, containers: [{containers}]}}}}"
    );
    bench.create(PODS, &yaml);
}

#[test]
fn a_pods_token_lasts_longer_than_it_says() {
    let mut bench = Bench::new();
    placed(&mut bench, "{name: c, image: nginx}");
    let mut check = |secs: i64, pod: &str, lasts: i64| {
        let mut ask = object! {
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
            "spec": { "expirationSeconds": (secs) },
        };
        if !pod.is_empty() {
            let bound = object! { "apiVersion": "v1", "kind": "Pod", "name": (pod) };
            ask.set("spec.boundObjectRef", bound);
        }
        let target = "/api/v1/namespaces/default/serviceaccounts/default/token";
        let (code, answer) = bench.call(Method::Post, target, ask);
        assert_eq!(code, 201, "{answer}");
        let token = answer.str_at("status.token");
        let body = token.split('.').nth(1).expect("claims").replace('-', "+");
        let padding = "=".repeat((4 - body.len() % 4) % 4);
        let body = format!("{}{padding}", body.replace('_', "/"));
        let claims = Value::from_json(&api::base64::decode(&body).expect("base64"));
        let claims = claims.expect("claims");
        let (from, to) = (claims.i64_at("iat"), claims.i64_at("exp"));
        assert_eq!(to.zip(from).map(|(to, from)| to - from), Some(lasts));
    };
    check(3600, "web", 3600);
    check(3607, "", 3607);
    check(3607, "web", 365 * 24 * 60 * 60);
}

#[test]
fn logs_come_from_the_kubelet() {
    let mut bench = Bench::new();
    placed(&mut bench, "{name: c, image: nginx}");
    let stream = bench.send(Request::get(format!(
        "{PODS}/web/log?follow=true&tailLines=5"
    )));
    let (call, addr, target) = bench.kubelet[0].clone();
    assert_eq!(addr, "172.30.2.2:10250");
    assert_eq!(
        target,
        "/containerLogs/default/web/c?follow=true&tailLines=5"
    );
    let response = Response::new(200, "one\n").streaming();
    bench.api(|api, cx| api.on_response(cx, call, &response));
    bench.api(|api, cx| api.on_call_data(cx, call, Body::from("two\n")));
    bench.api(|api, cx| api.on_call_end(cx, call));
    let answer = &bench.answers[&stream];
    assert_eq!(
        answer.response.as_ref().map(|r| r.body.text()),
        Some("one\n".to_owned())
    );
    assert_eq!(
        (answer.data[0].text(), answer.ended),
        ("two\n".to_owned(), true)
    );

    let stream = bench.send(Request::get(format!("{PODS}/web/log")));
    let call = bench.kubelet[1].0;
    let why = "container \"c\" in pod \"web\" is waiting to start: ContainerCreating";
    bench.api(|api, cx| api.on_response(cx, call, &Response::new(400, why)));
    let refused = bench.answers[&stream].response.clone().expect("an answer");
    let status = api::body_value(&refused.body).expect("a status");
    assert_eq!(
        (status.str("message"), status.str("reason")),
        (why, "BadRequest")
    );
}

#[test]
fn exec_needs_a_container() {
    let mut bench = Bench::new();
    placed(&mut bench, "{name: a, image: x}, {name: b, image: x}");
    let target = format!("{PODS}/web/exec?command=sh&command=-c&stdin=true&tty=true");
    let (code, status) = bench.call(Method::Post, &target, Value::Null);
    assert_eq!(
        (code, status.str("message")),
        (
            400,
            "a container name must be specified for pod web, choose one of: [a b]"
        )
    );
    bench.send(Request::new(Method::Post, format!("{target}&container=b")));
    assert_eq!(
        bench.kubelet[0].2,
        "/exec/default/web/b?command=sh&command=-c&input=1&tty=1".replace("=1", "=true")
    );
    let (code, status) = bench.call(
        Method::Get,
        &format!("{PODS}/web/log?container=z"),
        Value::Null,
    );
    assert_eq!(
        (code, status.str("message")),
        (400, "container z is not valid for pod web")
    );
}

#[test]
fn without_etcd_requests_wait_and_then_fail() {
    let mut bench = Bench::new();
    bench.create(
        CMS,
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}",
    );
    let watch = bench.watch(&format!("{CMS}?watch=1"));
    bench.heard(watch);
    bench.stop_etcd();
    let ready = bench.ask(Request::get("/readyz"));
    assert_eq!(ready.status, 500);
    assert!(
        ready
            .body
            .text()
            .contains("[-]etcd failed: reason withheld\n")
    );
    let (code, status) = bench.call(Method::Get, CMS, Value::Null);
    assert_eq!(
        (code, status.str("message")),
        (500, "etcdserver: request timed out")
    );

    let waiting = bench.send(Request::get(CMS));
    let disk = bench.disk.clone();
    bench.start_etcd(&disk);
    bench.run_until(|b| {
        b.answers
            .get(&waiting)
            .is_some_and(|a| a.response.is_some())
    });
    assert_eq!(
        bench.answers[&waiting].response.as_ref().map(|r| r.status),
        Some(200)
    );
    // The watch went on as if nothing had happened.
    bench.create(
        CMS,
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: z}}",
    );
    assert_eq!(bench.heard(watch), ["ADDED z"]);
    assert_eq!(bench.ask(Request::get("/readyz")).status, 200);
}

#[test]
fn a_restored_etcd_ends_watches() {
    let mut bench = Bench::new();
    let old = bench.disk.clone();
    bench.create(
        CMS,
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}",
    );
    let watch = bench.watch(&format!("{CMS}?watch=1"));
    bench.stop_etcd();
    bench.start_etcd(&old);
    bench.run_until(|bench| bench.api.is_ready());
    assert!(bench.answers[&watch].ended);
    assert_eq!(
        bench.call(Method::Get, &format!("{CMS}/x"), Value::Null).0,
        404
    );
}

#[test]
fn a_server_that_never_finds_etcd_gives_up() {
    let mut bench = Bench::unstarted(Config::default());
    bench.etcd = None;
    bench.sleep(Duration::from_secs(90));
    let words = bench.exited.expect("it gave up");
    assert!(
        words.contains("dial tcp 127.0.0.1:2379: connect: connection refused"),
        "{words}"
    );
}

#[test]
fn events_go_after_an_hour() {
    let mut bench = Bench::new();
    let target = "/api/v1/namespaces/default/events";
    bench.create(
        target,
        "{apiVersion: v1, kind: Event, metadata: {name: e}, involvedObject: {kind: Pod, name: p, \
         namespace: default}, reason: Tested, message: m, type: Normal}",
    );
    let newer = bench.get("/apis/events.k8s.io/v1/namespaces/default/events/e");
    assert_eq!(
        (newer.str("note"), newer.str_at("regarding.name")),
        ("m", "p")
    );
    let patch = object! { "count": 2 };
    let (code, event) = bench.patch(&format!("{target}/e"), "merge-patch", patch);
    assert_eq!((code, event.i64_at("count")), (200, Some(2)));
    bench.sleep(Duration::from_secs(3500));
    assert_eq!(
        bench
            .call(Method::Get, &format!("{target}/e"), Value::Null)
            .0,
        200
    );
    bench.sleep(Duration::from_secs(300));
    assert_eq!(
        bench
            .call(Method::Get, &format!("{target}/e"), Value::Null)
            .0,
        404
    );
}

#[test]
fn priority_and_tolerations_are_filled_in() {
    let mut bench = Bench::new();
    bench.service_account("default");
    let mut critical = pod("x");
    critical.set("spec.priorityClassName", "system-node-critical");
    critical.set("spec.tolerations", parse("[{operator: Exists}]"));
    let (code, made) = bench.call(Method::Post, PODS, critical);
    assert_eq!(
        (code, made.i64_at("spec.priority")),
        (201, Some(2_000_001_000))
    );
    assert_eq!(made.list_at("spec.tolerations").len(), 1);
    let node = bench.create(
        "/api/v1/nodes",
        "{apiVersion: v1, kind: Node, metadata: {name: node}}",
    );
    assert_eq!(
        node.str_at("spec.taints.0.key"),
        "node.kubernetes.io/not-ready"
    );
}
