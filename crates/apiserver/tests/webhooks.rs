//! What admission webhooks are asked, and what becomes of requests by their answers.

mod bench;

use api::{Value, base64, object};
use bench::{Bench, parse};
use kubarium_apiserver::CallId;
use net::Errno;
use net::http::{Method, Request, Response};
use sim::Duration;

const ADMISSION: &str = "/apis/admissionregistration.k8s.io/v1";
const MAPS: &str = "/api/v1/namespaces/default/configmaps";

fn map(name: &str) -> Value {
    parse(&format!(
        "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}}}, data: {{a: b}}}}"
    ))
}

/// A server with a Service and webhooks behind it, each with these fields.
fn bench(kind: &str, webhooks: &[&str]) -> Bench {
    let mut bench = Bench::new();
    bench.create(
        "/api/v1/namespaces/default/services",
        "{apiVersion: v1, kind: Service, metadata: {name: hooks}, spec: {clusterIP: 10.96.0.99, \
         ports: [{port: 443}]}}",
    );
    let webhooks: Vec<String> = webhooks
        .iter()
        .map(|fields| {
            format!(
                "{{sideEffects: None, admissionReviewVersions: [v1], rules: [{{apiGroups: [''], \
                 apiVersions: [v1], operations: [CREATE, DELETE], resources: [configmaps]}}], \
                 clientConfig: {{caBundle: eA==, service: {{name: hooks, namespace: default, \
                 path: /judge}}}}, {fields}}}"
            )
        })
        .collect();
    let plural = kind.to_lowercase();
    bench.create(
        &format!("{ADMISSION}/{plural}s"),
        &format!(
            "{{apiVersion: admissionregistration.k8s.io/v1, kind: {kind}, metadata: {{name: hooks}}, \
             webhooks: [{}]}}",
            webhooks.join(", ")
        ),
    );
    bench
}

const VALIDATING: &str = "ValidatingWebhookConfiguration";
const MUTATING: &str = "MutatingWebhookConfiguration";

/// Sends a request that webhooks are asked about; gives its stream.
fn begin(bench: &mut Bench, method: Method, target: &str, body: Value) -> u32 {
    bench.send(Request::new(method, target).with_body(api::body(body)))
}

/// Answers the call that came `back` calls ago with these fields of a response.
fn answer(bench: &mut Bench, back: usize, fields: Value) {
    let at = bench.kubelet.len() - 1 - back;
    let mut response = fields;
    response.set("uid", bench.bodies[at].at("request.uid"));
    let review = object! {
        "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "response": response,
    };
    send(
        bench,
        bench.kubelet[at].0,
        Response::new(200, api::body(review)),
    );
}

fn send(bench: &mut Bench, call: CallId, response: Response) {
    bench.api(|api, cx| api.on_response(cx, call, &response));
}

/// What became of a request: code and message, or the object's data.
#[track_caller]
fn check(bench: &mut Bench, stream: u32, expect: &str) {
    bench.run_until(|b| b.answers.get(&stream).is_some_and(|a| a.response.is_some()));
    let response = bench.answers[&stream].response.clone().expect("an answer");
    let object = api::body_value(&response.body).expect("an object");
    let said = match object.kind() {
        "Status" => object.str("message").to_owned(),
        _ => object.at("data").to_json(),
    };
    assert_eq!(format!("{} {said}", response.status), expect);
}

#[test]
fn a_webhook_is_asked_and_allows_or_refuses() {
    let mut bench = bench(VALIDATING, &["name: a.example.com, timeoutSeconds: 3"]);
    let stream = begin(&mut bench, Method::Post, MAPS, map("one"));
    let (_, addr, target) = bench.kubelet[0].clone();
    assert_eq!((&*addr, &*target), ("10.96.0.99:443", "/judge?timeout=3s"));
    let asked = bench.bodies[0].get("request").clone();
    assert_eq!(
        (
            asked.str("operation"),
            asked.str_at("kind.kind"),
            asked.str("name")
        ),
        ("CREATE", "ConfigMap", "one")
    );
    let uid = asked.str_at("object.metadata.uid").to_owned();
    answer(
        &mut bench,
        0,
        object! { "allowed": true, "warnings": ["careful"] },
    );
    check(&mut bench, stream, "201 {\"a\":\"b\"}");
    let response = bench.answers[&stream].response.clone().expect("an answer");
    assert_eq!(response.headers.get("Warning"), Some("299 - \"careful\""));
    // What was asked about is what is stored.
    assert_eq!(bench.get(&format!("{MAPS}/one")).uid(), uid);

    let denied = "admission webhook \"a.example.com\" denied the request";
    for (status, expect) in [
        (object! { "message": "no" }, format!("400 {denied}: no")),
        (
            object! { "reason": "never" },
            format!("400 {denied}: never"),
        ),
        (
            object! { "code": 403, "message": "no" },
            format!("403 {denied}: no"),
        ),
        (object! {}, format!("400 {denied} without explanation")),
    ] {
        let stream = begin(&mut bench, Method::Post, MAPS, map("two"));
        answer(
            &mut bench,
            0,
            object! { "allowed": false, "status": status },
        );
        check(&mut bench, stream, &expect);
    }
    let stream = begin(
        &mut bench,
        Method::Delete,
        &format!("{MAPS}/one"),
        Value::Null,
    );
    let asked = bench.bodies.last().cloned().unwrap_or_default();
    assert_eq!(asked.str_at("request.oldObject.metadata.name"), "one");
    answer(
        &mut bench,
        0,
        object! { "allowed": false, "status": { "message": "stay" } },
    );
    check(&mut bench, stream, &format!("400 {denied}: stay"));
}

#[test]
fn webhooks_that_fail_stand_in_the_way_unless_they_are_to_be_ignored() {
    let failed = "Internal error occurred: failed calling webhook \"a.example.com\": ";
    let url = "https://hooks.default.svc:443/judge?timeout=10s";
    let called = format!("500 {failed}failed to call webhook: Post \"{url}\": ");
    type Act = fn(&mut Bench, CallId);
    let cases: [(Act, String); 5] = [
        (
            |bench, call| {
                let errno = Errno::ECONNREFUSED;
                bench.api(|api, cx| api.on_call_failed(cx, call, errno));
            },
            format!("{called}dial tcp 10.96.0.99:443: connect: connection refused"),
        ),
        (
            |bench, _| bench.sleep(Duration::from_secs(11)),
            format!("{called}context deadline exceeded"),
        ),
        (
            |bench, call| send(bench, call, Response::new(404, "no")),
            format!(
                "500 {failed}failed to call webhook: the server could not find the requested \
                     resource"
            ),
        ),
        (
            |bench, call| send(bench, call, Response::new(200, api::body(object! {}))),
            format!("500 {failed}received invalid webhook response: webhook response was absent"),
        ),
        (
            |bench, _| answer(bench, 0, object! { "allowed": true, "patch": "W10=" }),
            format!(
                "500 {failed}received invalid webhook response: validating webhook may not \
                     return response.patch"
            ),
        ),
    ];
    for policy in ["Fail", "Ignore"] {
        let hook = format!("name: a.example.com, failurePolicy: {policy}");
        let mut bench = bench(VALIDATING, &[&hook]);
        for (n, (act, expect)) in cases.iter().enumerate() {
            let stream = begin(&mut bench, Method::Post, MAPS, map(&format!("m{n}")));
            let call = bench.kubelet.last().expect("a call").0;
            act(&mut bench, call);
            match policy {
                "Fail" => check(&mut bench, stream, expect),
                _ => check(&mut bench, stream, "201 {\"a\":\"b\"}"),
            }
        }
    }
}

#[test]
fn webhooks_that_may_refuse_are_asked_at_once() {
    let mut bench = bench(VALIDATING, &["name: a.example.com", "name: b.example.com"]);
    let stream = begin(&mut bench, Method::Post, MAPS, map("one"));
    assert_eq!(bench.kubelet.len(), 2);
    answer(&mut bench, 0, object! { "allowed": true });
    assert!(!bench.answers.contains_key(&stream));
    answer(&mut bench, 1, object! { "allowed": true });
    check(&mut bench, stream, "201 {\"a\":\"b\"}");
}

/// A response that adds this to the data.
fn adding(key: &str) -> Value {
    let patch = format!("[{{\"op\":\"add\",\"path\":\"/data/{key}\",\"value\":\"1\"}}]");
    object! {
        "allowed": true, "patchType": "JSONPatch", "patch": base64::encode(patch.as_bytes()),
    }
}

#[test]
fn webhooks_change_objects_one_after_the_other_and_again_where_they_want_to() {
    let mut bench = bench(
        MUTATING,
        &[
            "name: a.example.com, reinvocationPolicy: IfNeeded",
            "name: b.example.com",
        ],
    );
    let stream = begin(&mut bench, Method::Post, MAPS, map("one"));
    assert_eq!(bench.kubelet.len(), 1);
    // A second passes: what is planned anew is planned as before.
    bench.sleep(Duration::from_secs(2));
    answer(&mut bench, 0, adding("x"));
    assert_eq!(bench.kubelet.len(), 2);
    let seen = bench.bodies[1].at("request.object.data").to_json();
    assert_eq!(seen, "{\"a\":\"b\",\"x\":\"1\"}");
    answer(&mut bench, 0, adding("y"));
    // The first sees what the second has done.
    assert_eq!(bench.kubelet.len(), 3);
    answer(&mut bench, 0, object! { "allowed": true });
    check(
        &mut bench,
        stream,
        "201 {\"a\":\"b\",\"x\":\"1\",\"y\":\"1\"}",
    );
    assert_eq!(bench.kubelet.len(), 3);
}

#[test]
fn webhooks_hear_only_of_what_they_are_for() {
    let hook = |fields: &str| format!("name: a.example.com, {fields}");
    for (fields, target, expect) in [
        (
            "objectSelector: {matchLabels: {x: z}}",
            MAPS,
            "201 {\"a\":\"b\"}",
        ),
        (
            "matchConditions: [{name: c, expression: \"object.metadata.name != 'one'\"}]",
            MAPS,
            "201 {\"a\":\"b\"}",
        ),
        (
            "matchConditions: [{name: c, expression: 'object.spec.x == 1'}]",
            MAPS,
            "403 configmaps \"one\" is forbidden: expression 'object.spec.x == 1' resulted in \
             error: no such key: spec",
        ),
        (
            "sideEffects: None, namespaceSelector: {matchLabels: {x: z}}",
            MAPS,
            "201 {\"a\":\"b\"}",
        ),
    ] {
        let mut bench = bench(VALIDATING, &[&hook(fields)]);
        let stream = begin(&mut bench, Method::Post, target, map("one"));
        check(&mut bench, stream, expect);
        assert_eq!(bench.kubelet.len(), 0, "{fields}");
    }
}
