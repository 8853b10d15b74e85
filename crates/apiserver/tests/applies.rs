//! Server-side apply and the managers of fields, as clients see them.

mod bench;

use api::{Value, object};
use bench::{Bench, parse};
use net::http::{Body, Method, Request};
use sim::Duration;

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";
const WEB: &str = "/apis/apps/v1/namespaces/default/deployments/web";

/// Applies YAML as text, with a query.
fn apply(bench: &mut Bench, target: &str, yaml: &str) -> (u16, Value) {
    let request = Request::new(Method::Patch, target)
        .with_header("Content-Type", "application/apply-patch+yaml")
        .with_body(Body::Bytes(yaml.as_bytes().into()));
    let response = bench.ask(request);
    let answer = api::body_value(&response.body).expect("an object");
    (response.status, answer)
}

fn web(replicas: i64, image: &str) -> String {
    format!(
        "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: web}}, spec: {{replicas: \
         {replicas}, selector: {{matchLabels: {{a: b}}}}, template: {{metadata: {{labels: {{a: \
         b}}}}, spec: {{containers: [{{name: c, image: {image}}}]}}}}}}}}"
    )
}

/// `manager operation subresource` of each entry.
fn managers(object: &Value) -> Vec<String> {
    let entries = object.list_at("metadata.managedFields").iter();
    entries
        .map(|entry| {
            let words = ["manager", "operation", "subresource"].map(|field| entry.str(field));
            words.join(" ").trim_end().to_owned()
        })
        .collect()
}

#[test]
fn an_apply_creates_changes_and_conflicts() {
    let mut bench = Bench::new();
    let target = format!("{WEB}?fieldManager=one");
    let (code, made) = apply(&mut bench, &target, &web(1, "x"));
    assert_eq!((code, managers(&made)), (201, vec!["one Apply".to_owned()]));
    let (code, same) = apply(&mut bench, &target, &web(1, "x"));
    assert_eq!(code, 200);
    assert_eq!(same.resource_version(), made.resource_version());
    let (code, shared) = apply(&mut bench, &format!("{WEB}?fieldManager=two"), &web(1, "x"));
    assert_eq!(code, 200);
    assert_eq!(managers(&shared), ["one Apply", "two Apply"]);
    let third = format!("{WEB}?fieldManager=three");
    let (code, status) = apply(&mut bench, &third, &web(1, "q"));
    assert_eq!(code, 409);
    assert_eq!(status.str("reason"), "Conflict");
    let path = ".spec.template.spec.containers[name=\"c\"].image";
    assert_eq!(
        status.str("message"),
        format!(
            "Apply failed with 2 conflicts: conflicts with \"one\":\n- {path}\nconflicts with \
             \"two\":\n- {path}"
        )
    );
    let causes = status.list_at("details.causes");
    assert_eq!(causes[0].str("reason"), "FieldManagerConflict");
    assert_eq!(causes[1].str("message"), "conflict with \"two\"");
    let (code, dry) = apply(
        &mut bench,
        &format!("{third}&force=true&dryRun=All"),
        &web(1, "q"),
    );
    assert_eq!(code, 200);
    assert_eq!(dry.str_at("spec.template.spec.containers.0.image"), "q");
    assert_eq!(bench.get(WEB).resource_version(), shared.resource_version());
    let (code, forced) = apply(&mut bench, &format!("{third}&force=true"), &web(1, "q"));
    assert_eq!((code, forced.generation()), (200, 2));
}

#[test]
fn scales_and_status_have_managers_of_their_own() {
    let mut bench = Bench::new();
    apply(&mut bench, &format!("{WEB}?fieldManager=one"), &web(1, "x"));
    bench.sleep(Duration::from_secs(1));
    let scale = object! { "spec": { "replicas": 3 } };
    let target = format!("{WEB}/scale?fieldManager=hpa");
    assert_eq!(bench.patch(&target, "merge-patch", scale).0, 200);
    let status = object! { "status": { "replicas": 2 }, "spec": { "replicas": 9 } };
    let target = format!("{WEB}/status?fieldManager=controller");
    let (code, live) = bench.patch(&target, "merge-patch", status);
    assert_eq!((code, live.i64_at("spec.replicas")), (200, Some(3)));
    assert_eq!(
        managers(&live),
        ["one Apply", "hpa Update scale", "controller Update status"]
    );
    let (code, status) = apply(&mut bench, &format!("{WEB}?fieldManager=one"), &web(1, "x"));
    assert_eq!(code, 409);
    assert_eq!(
        status.str("message"),
        "Apply failed with 1 conflict: conflict with \"hpa\" with subresource \"scale\" using \
         apps/v1: .spec.replicas"
    );
    let yaml = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, status: \
                {readyReplicas: 1}}";
    let (code, live) = apply(&mut bench, &format!("{WEB}/status?fieldManager=st"), yaml);
    assert_eq!((code, live.i64_at("status.readyReplicas")), (200, Some(1)));
    assert_eq!(managers(&live)[1], "st Apply status");
    let yaml =
        "{apiVersion: autoscaling/v1, kind: Scale, metadata: {name: web}, spec: {replicas: 4}}";
    let target = format!("{WEB}/scale?fieldManager=sc&force=true");
    let (code, scale) = apply(&mut bench, &target, yaml);
    assert_eq!((code, scale.kind()), (200, "Scale"));
    assert_eq!(bench.get(WEB).i64_at("spec.replicas"), Some(4));
}

#[track_caller]
fn check_refused(target: &str, yaml: &str, code: u16, message: &str) {
    let mut bench = Bench::new();
    let (found, status) = apply(&mut bench, target, yaml);
    assert_eq!((found, status.str("message")), (code, message));
}

#[test]
fn applies_are_checked() {
    check_refused(
        WEB,
        &web(1, "x"),
        422,
        "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for \
         apply patch",
    );
    check_refused(
        &format!("{WEB}?fieldManager=a"),
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {foo: 1}}",
        500,
        "failed to create typed patch object (/web; apps/v1, Kind=Deployment): .spec.foo: field \
         not declared in schema",
    );
    check_refused(
        &format!("{WEB}/status?fieldManager=a"),
        &web(1, "x"),
        404,
        "deployments.apps \"web\" not found",
    );
    let mut bench = Bench::new();
    let target = format!("{WEB}?force=true");
    let (code, status) = bench.patch(&target, "merge-patch", object! {});
    assert_eq!(code, 422);
    assert_eq!(
        status.str("message"),
        "PatchOptions.meta.k8s.io \"\" is invalid: force: Forbidden: may not be specified for \
         non-apply patch"
    );
}

#[test]
fn fields_that_are_unknown_or_stand_twice_are_told() {
    let mut bench = Bench::new();
    let text = r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d","labels":
        {"app":"n"}},"spec":{"unknownField":"foo","replicas":2,"replicas":3,"selector":
        {"matchLabels":{"app":"n"}},"template":{"metadata":{"labels":{"app":"n"}},"spec":
        {"containers":[{"name":"n","image":"n"}]}}}}"#;
    let request = |validation: &str| {
        Request::new(
            Method::Post,
            format!("{DEPLOYMENTS}?fieldValidation={validation}"),
        )
        .with_body(Body::Bytes(text.as_bytes().into()))
    };
    let response = bench.ask(request("Strict"));
    let status = api::body_value(&response.body).expect("a Status");
    let strict = "strict decoding error: unknown field \"spec.unknownField\", duplicate field \
                  \"spec.replicas\"";
    assert!(status.str("message").ends_with(strict), "{status}");
    let response = bench.ask(request("Warn"));
    let warnings: Vec<&str> = response
        .headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("Warning"))
        .map(|(_, value)| value)
        .collect();
    assert_eq!(
        warnings,
        [
            "299 - \"unknown field \\\"spec.unknownField\\\"\"",
            "299 - \"duplicate field \\\"spec.replicas\\\"\""
        ]
    );
}

#[test]
fn who_writes_is_read_from_the_client() {
    let mut bench = Bench::new();
    let mut request = Request::new(Method::Post, "/api/v1/namespaces/default/configmaps")
        .with_header("User-Agent", "kubelet/v1.36.2 (linux/amd64) kubernetes/0");
    request.body = api::body(parse(
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: b}}",
    ));
    let made = api::body_value(&bench.ask(request).body).expect("an object");
    assert_eq!(managers(&made), ["kubelet Update"]);
    assert_eq!(
        made.at("metadata.managedFields.0.fieldsV1").to_json(),
        r#"{"f:data":{".":{},"f:a":{}}}"#
    );
}

const BOARDS: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: boards.example.com}
spec:
  group: example.com
  scope: Cluster
  names: {plural: boards, kind: Board}
  versions:
  - name: v1
    served: true
    storage: true
    schema: &schema
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              title: {type: string}
              any: {type: object, x-kubernetes-preserve-unknown-fields: true}
              ports:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [port]
                items:
                  type: object
                  required: [port]
                  properties: {port: {type: integer}, name: {type: string}}
  - name: v2
    served: true
    storage: false
    schema: *schema
";

#[test]
fn custom_objects_merge_as_their_schema_says() {
    let mut bench = Bench::new();
    bench.create(
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        BOARDS,
    );
    bench.sleep(Duration::from_secs(1));
    let target = |version: &str, manager: &str| {
        format!(
            "/apis/example.com/{version}/boards/b?fieldManager={manager}&fieldValidation=Strict"
        )
    };
    let board = |version: &str, spec: &str| {
        format!(
            "apiVersion: example.com/{version}\nkind: Board\nmetadata: {{name: b}}\nspec: {spec}\n"
        )
    };
    let first = board(
        "v1",
        "{title: t, any: {x: [1]}, ports: [{port: 1, name: a}]}",
    );
    let (code, made) = apply(&mut bench, &target("v1", "one"), &first);
    assert_eq!(
        (code, managers(&made)),
        (201, vec!["one Apply".to_owned()]),
        "{made}"
    );
    let second = board("v2", "{ports: [{port: 2}]}");
    let (code, both) = apply(&mut bench, &target("v2", "two"), &second);
    assert_eq!(code, 200, "{both}");
    assert_eq!(
        both.at("spec.ports").to_json(),
        r#"[{"name":"a","port":1},{"port":2}]"#
    );
    let (code, status) = apply(&mut bench, &target("v2", "two"), &board("v2", "{title: u}"));
    assert_eq!(
        (code, status.str("message")),
        (
            409,
            "Apply failed with 1 conflict: conflict with \"one\": .spec.title"
        )
    );
    let (_, less) = apply(&mut bench, &target("v1", "one"), &board("v1", "{title: t}"));
    assert_eq!(
        less.get("spec").to_json(),
        r#"{"ports":[{"port":2}],"title":"t"}"#
    );
    for (spec, code, why) in [
        (
            "{titel: t}",
            500,
            "failed to create typed patch object (/b; example.com/v1, Kind=Board): .spec.titel: \
             field not declared in schema",
        ),
        (
            "{title: t, title: u}",
            400,
            "error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  \
             line 4: key \"title\" already set in map",
        ),
    ] {
        let (found, status) = apply(&mut bench, &target("v1", "one"), &board("v1", spec));
        assert_eq!((found, status.str("message")), (code, why));
    }
}
