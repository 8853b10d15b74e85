//! Objects come, change and go through the server, as a client sees it.

mod bench;

use api::{Value, object};
use bench::{Bench, PODS, parse, pod};
use net::http::{Method, Request};
use sim::Duration;

#[test]
fn a_fresh_server_has_its_own_objects() {
    let mut bench = Bench::new();
    let namespaces = bench.get("/api/v1/namespaces");
    let names: Vec<&str> = namespaces
        .list_at("items")
        .iter()
        .map(Value::name)
        .collect();
    assert_eq!(
        names,
        ["default", "kube-node-lease", "kube-public", "kube-system"]
    );
    assert_eq!(namespaces.str("kind"), "NamespaceList");
    let service = bench.get("/api/v1/namespaces/default/services/kubernetes");
    assert_eq!(service.str_at("spec.clusterIP"), "10.96.0.1");
    assert_eq!(service.i64_at("spec.ports.0.targetPort"), Some(6443));
    let slice = bench.get("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes");
    assert_eq!(slice.str_at("endpoints.0.addresses.0"), "172.30.1.2");
    assert_eq!(bench.ask(Request::get("/readyz")).body.text(), "ok");
}

#[test]
fn what_is_removed_of_its_own_comes_back() {
    let mut bench = Bench::new();
    let target = "/api/v1/namespaces/default/services/kubernetes";
    assert_eq!(bench.call(Method::Delete, target, Value::Null).0, 200);
    assert_eq!(bench.call(Method::Get, target, Value::Null).0, 404);
    bench.sleep(Duration::from_secs(11));
    assert_eq!(bench.get(target).str_at("spec.clusterIP"), "10.96.0.1");
}

#[test]
fn a_pod_is_created_completed_and_found() {
    let mut bench = Bench::new();
    bench.service_account("default");
    let (code, made) = bench.call(Method::Post, PODS, pod("web"));
    assert_eq!(code, 201, "{made}");
    assert_eq!(made.namespace(), "default");
    assert_eq!(made.uid().len(), 36);
    assert_eq!(made.generation(), 1);
    assert_eq!(made.creation_timestamp(), bench.now.rfc3339());
    assert_eq!(made.str_at("spec.restartPolicy"), "Always");
    assert_eq!(made.str_at("spec.serviceAccountName"), "default");
    assert_eq!(made.i64_at("spec.priority"), Some(0));
    assert_eq!(made.list_at("spec.tolerations").len(), 2);
    assert!(
        made.str_at("spec.volumes.0.name")
            .starts_with("kube-api-access-")
    );
    assert_eq!(made.str_at("status.phase"), "Pending");
    assert_eq!(bench.get(&format!("{PODS}/web")), made);
    assert_eq!(bench.get("/api/v1/pods").list_at("items"), [made]);

    let (code, status) = bench.call(Method::Post, PODS, pod("web"));
    assert_eq!(
        (code, status.str("message")),
        (409, "pods \"web\" already exists")
    );
    assert_eq!(status.str("reason"), "AlreadyExists");
}

#[test]
fn names_are_generated() {
    let mut bench = Bench::new();
    let yaml = "{apiVersion: v1, kind: ConfigMap, metadata: {generateName: cm-}}";
    let first = bench.create("/api/v1/namespaces/default/configmaps", yaml);
    let second = bench.create("/api/v1/namespaces/default/configmaps", yaml);
    assert_eq!(first.name().len(), 8);
    assert!(first.name().starts_with("cm-") && first.name() != second.name());
}

#[track_caller]
fn check_refused(bench: &mut Bench, target: &str, yaml: &str, code: u16, message: &str) {
    let (found, status) = bench.call(Method::Post, target, parse(yaml));
    assert_eq!((found, status.str("message")), (code, message));
}

#[test]
fn refusals_have_upstreams_words() {
    let mut bench = Bench::new();
    let cms = "/api/v1/namespaces/default/configmaps";
    check_refused(
        &mut bench,
        "/api/v1/namespaces/nowhere/configmaps",
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}",
        404,
        "namespaces \"nowhere\" not found",
    );
    check_refused(
        &mut bench,
        PODS,
        "{apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {containers: [{name: c, image: i}]}}",
        403,
        "pods \"x\" is forbidden: error looking up service account default/default: serviceaccount \
         \"default\" not found",
    );
    check_refused(
        &mut bench,
        cms,
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: x, namespace: other}}",
        400,
        "the namespace of the provided object does not match the namespace sent on the request",
    );
    check_refused(
        &mut bench,
        cms,
        "{apiVersion: apps/v1, kind: ConfigMap, metadata: {name: x}}",
        400,
        "the API version in the data (apps/v1) does not match the expected API version (v1)",
    );
    check_refused(
        &mut bench,
        "/apis/nothing/v1/things",
        "{apiVersion: nothing/v1, kind: Thing}",
        404,
        "the server could not find the requested resource",
    );
    check_refused(
        &mut bench,
        "/api/v1/namespaces/default/configmaps/x",
        "{apiVersion: v1, kind: ConfigMap}",
        405,
        "the server does not allow this method on the requested resource",
    );
    bench.service_account("default");
    check_refused(
        &mut bench,
        PODS,
        "{apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {containers: [{name: c}]}}",
        422,
        "Pod \"x\" is invalid: spec.containers[0].image: Required value",
    );
    let base = "apiVersion: v1, kind: Pod, metadata: {name: x}";
    let spec = "containers: [{name: c, image: i}]";
    for (more, why) in [
        (
            "priorityClassName: ghost",
            "no PriorityClass with name ghost was found",
        ),
        (
            "runtimeClassName: ghost",
            "pod rejected: RuntimeClass \"ghost\" not found",
        ),
        (
            "serviceAccountName: ghost",
            "error looking up service account default/ghost: serviceaccount \"ghost\" not found",
        ),
    ] {
        let yaml = format!("{{{base}, spec: {{{spec}, {more}}}}}");
        check_refused(
            &mut bench,
            PODS,
            &yaml,
            403,
            &format!("pods \"x\" is forbidden: {why}"),
        );
    }
}

#[test]
fn strict_decoding_names_what_it_does_not_know() {
    let mut bench = Bench::new();
    bench.service_account("default");
    let yaml = "{apiVersion: v1, kind: Pod, metadata: {name: x, labelz: {a: b}}, \
                spec: {containers: [{name: c, image: nginx, imagee: y}]}}";
    let strict = format!("{PODS}?fieldValidation=Strict");
    check_refused(
        &mut bench,
        &strict,
        yaml,
        400,
        "Pod in version \"v1\" cannot be handled as a Pod: strict decoding error: unknown field \
         \"metadata.labelz\", unknown field \"spec.containers[0].imagee\"",
    );
    let wrong = "{apiVersion: v1, kind: Pod, metadata: {name: x}, \
                 spec: {containers: [{name: c, image: nginx, ports: [{containerPort: \"80\"}]}]}}";
    check_refused(
        &mut bench,
        PODS,
        wrong,
        400,
        "Pod in version \"v1\" cannot be handled as a Pod: json: cannot unmarshal string into Go \
         struct field ContainerPort.spec.containers.ports.containerPort of type int32",
    );
    let warn = format!("{PODS}?fieldValidation=Warn");
    let request = Request::new(Method::Post, warn.as_str()).with_body(api::body(parse(yaml)));
    let response = bench.ask(request);
    assert_eq!(response.status, 201);
    let warnings: Vec<&str> = response.headers.get_all("Warning").collect();
    assert_eq!(
        warnings,
        [
            "299 - \"unknown field \\\"metadata.labelz\\\"\"",
            "299 - \"unknown field \\\"spec.containers[0].imagee\\\"\"",
        ]
    );
    assert!(
        !bench
            .get(&format!("{PODS}/x"))
            .has("spec.containers.0.imagee")
    );
}

#[test]
fn updates_compare_versions() {
    let mut bench = Bench::new();
    let cms = "/api/v1/namespaces/default/configmaps";
    let one = format!("{cms}/x");
    let made = bench.create(
        cms,
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}",
    );
    let mut new = made.clone();
    new.set("data.a", "1");
    let (code, second) = bench.call(Method::Put, &one, new.clone());
    assert_eq!((code, second.str_at("data.a")), (200, "1"));
    assert_ne!(second.resource_version(), made.resource_version());

    new.set("data.a", "2");
    let (code, status) = bench.call(Method::Put, &one, new.clone());
    assert_eq!((code, status.str("reason")), (409, "Conflict"));
    assert_eq!(
        status.str("message"),
        "Operation cannot be fulfilled on configmaps \"x\": the object has been modified; please \
         apply your changes to the latest version and try again"
    );

    new.remove("metadata.resourceVersion");
    let (code, third) = bench.call(Method::Put, &one, new.clone());
    assert_eq!((code, third.str_at("data.a")), (200, "2"));
    // What changes nothing is not written.
    let (code, again) = bench.call(Method::Put, &one, new.clone());
    assert_eq!(
        (code, again.resource_version()),
        (200, third.resource_version())
    );

    new.set("metadata.uid", "other");
    let (code, status) = bench.call(Method::Put, &one, new.clone());
    assert_eq!(code, 409);
    assert!(
        status
            .str("message")
            .contains("Precondition failed: UID in precondition: other")
    );
    new.set("metadata.name", "y");
    let (code, status) = bench.call(Method::Put, &one, new);
    assert_eq!(
        (code, status.str("message")),
        (
            400,
            "the name of the object (y) does not match the name on the URL (x)"
        )
    );
}

#[test]
fn writes_that_race_are_planned_again() {
    let mut bench = Bench::new();
    let cms = "/api/v1/namespaces/default/configmaps";
    bench.create(
        cms,
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}",
    );
    let mut streams = Vec::new();
    for n in 0..5 {
        let patch = object! { "data": { (format!("k{n}").as_str()): "v" } };
        let request = Request::new(Method::Patch, format!("{cms}/x"))
            .with_header("Content-Type", "application/merge-patch+json")
            .with_body(api::body(patch));
        streams.push(bench.send(request));
    }
    bench.sleep(Duration::from_millis(100));
    for stream in streams {
        let response = bench.answers[&stream].response.clone().expect("an answer");
        assert_eq!(response.status, 200);
    }
    assert_eq!(bench.get(&format!("{cms}/x")).map_at("data").len(), 5);
}

#[test]
fn a_dry_run_changes_nothing() {
    let mut bench = Bench::new();
    let cms = "/api/v1/namespaces/default/configmaps";
    let yaml = "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}";
    let made = bench.create(&format!("{cms}?dryRun=All"), yaml);
    assert_eq!((made.uid().len(), made.resource_version()), (36, ""));
    assert_eq!(
        bench.call(Method::Get, &format!("{cms}/x"), Value::Null).0,
        404
    );
    bench.create(cms, yaml);
    let target = format!("{cms}/x?dryRun=All");
    assert_eq!(bench.call(Method::Delete, &target, Value::Null).0, 200);
    assert_eq!(
        bench.call(Method::Get, &format!("{cms}/x"), Value::Null).0,
        200
    );
}

#[test]
fn the_status_is_written_apart() {
    let mut bench = Bench::new();
    bench.service_account("default");
    let (_, made) = bench.call(Method::Post, PODS, pod("web"));
    let mut new = made.clone();
    new.set("status.phase", "Running");
    new.set("metadata.labels.app", "other");
    let target = format!("{PODS}/web/status");
    let (code, after) = bench.call(Method::Put, &target, new);
    assert_eq!((code, after.str_at("status.phase")), (200, "Running"));
    let (code, labelled) = bench.call(Method::Put, &format!("{PODS}/web"), {
        let mut pod = after.clone();
        pod.set("status.phase", "Failed");
        pod.set("metadata.labels.tier", "x");
        pod
    });
    assert_eq!(
        (code, labelled.str_at("status.phase")),
        (200, "Running"),
        "{labelled}"
    );
    assert_eq!(labelled.label("tier"), "x");
}

#[test]
fn a_deployments_generation_counts_wishes() {
    let mut bench = Bench::new();
    let target = "/apis/apps/v1/namespaces/default/deployments";
    let made = bench.create(
        target,
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {selector: \
         {matchLabels: {app: a}}, template: {metadata: {labels: {app: a}}, spec: {containers: \
         [{name: c, image: nginx}]}}}}",
    );
    assert_eq!(
        (made.generation(), made.i64_at("spec.replicas")),
        (1, Some(1))
    );
    let one = format!("{target}/d");
    let scale = bench.get(&format!("{one}/scale"));
    assert_eq!(scale.str_at("status.selector"), "app=a");
    let mut more = scale.clone();
    more.set("spec.replicas", 3);
    let (code, scaled) = bench.call(Method::Put, &format!("{one}/scale"), more);
    assert_eq!(
        (code, scaled.kind(), scaled.i64_at("spec.replicas")),
        (200, "Scale", Some(3))
    );
    let patch = object! { "spec": { "replicas": 4 } };
    let (code, scaled) = bench.patch(&format!("{one}/scale"), "merge-patch", patch);
    assert_eq!((code, scaled.i64_at("spec.replicas")), (200, Some(4)));
    let (_, labelled) = bench.patch(
        &one,
        "merge-patch",
        object! { "metadata": { "labels": { "a": "b" } } },
    );
    let found = (labelled.generation(), labelled.i64_at("spec.replicas"));
    assert_eq!(found, (3, Some(4)), "{labelled}");
}

#[test]
fn patches_of_every_form() {
    let mut bench = Bench::new();
    let target = "/apis/apps/v1/namespaces/default/deployments";
    bench.create(
        target,
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {selector: \
         {matchLabels: {app: a}}, template: {metadata: {labels: {app: a}}, spec: {containers: \
         [{name: c, image: nginx}, {name: d, image: busybox}]}}}}",
    );
    let one = format!("{target}/d");
    let image = parse(
        "{spec: {template: {spec: {containers: [{name: d, image: other}]}}}, \
         metadata: {labels: {x: z}}}",
    );
    let (code, merged) = bench.patch(&one, "strategic-merge-patch", image.clone());
    assert_eq!(code, 200, "{merged}");
    assert_eq!(merged.list_at("spec.template.spec.containers").len(), 2);
    assert_eq!(
        merged.str_at("spec.template.spec.containers.1.image"),
        "other"
    );
    let (code, merged) = bench.patch(&one, "merge-patch", image);
    assert_eq!(
        (code, merged.list_at("spec.template.spec.containers").len()),
        (200, 1)
    );
    let json = parse("[{op: replace, path: /spec/replicas, value: 5}]");
    let (code, patched) = bench.patch(&one, "json-patch", json);
    assert_eq!((code, patched.i64_at("spec.replicas")), (200, Some(5)));

    let (code, status) = bench.patch(&one, "json-patch", parse("{op: replace}"));
    assert_eq!(
        (code, status.str("message")),
        (
            400,
            "error decoding patch: json: cannot unmarshal object into Go value of type \
             []handlers.jsonPatchOp"
        )
    );
    let (code, status) = bench.patch(
        &one,
        "strategic-merge-patch",
        parse("{spec: {replicas: many}}"),
    );
    assert_eq!(
        (code, status.str("message")),
        (
            422,
            " \"\" is invalid: patch: Invalid value: \"map[spec:map[replicas:many]]\": unrecognized \
             type: int32"
        )
    );
    let (code, status) = bench.patch(&one, "apply-patch", Value::Null);
    assert_eq!(code, 415, "{status}");
    let stale = parse("{metadata: {resourceVersion: \"1\"}, spec: {replicas: 2}}");
    let (code, status) = bench.patch(&one, "merge-patch", stale);
    assert_eq!((code, status.str("reason")), (409, "Conflict"));
    let request = Request::new(Method::Patch, one)
        .with_header("Content-Type", "application/strategic-merge-patch+json")
        .with_body(api::body(parse("{spec: {nosuchfield: 1}}")));
    let response = bench.ask(request);
    assert_eq!(
        response.headers.get("Warning"),
        Some("299 - \"unknown field \\\"spec.nosuchfield\\\"\"")
    );
}
