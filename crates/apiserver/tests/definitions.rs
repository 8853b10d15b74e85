//! Kinds that users bring: defined, served, published, and gone again with their objects.

mod bench;

use api::{Value, object};
use bench::{Bench, parse};
use net::http::{Method, Request};
use sim::Duration;

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const WIDGETS: &str = "/apis/example.com/v1/namespaces/default/widgets";

const WIDGET: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, kind: Widget, shortNames: [wd], categories: [all]}
  versions:
  - name: v1
    served: true
    storage: true
    additionalPrinterColumns: [{name: Size, type: integer, jsonPath: .spec.size}]
    selectableFields: [{jsonPath: .spec.color}]
    subresources: {status: {}, scale: {specReplicasPath: .spec.size, statusReplicasPath: .status.size}}
    schema: &schema
      openAPIV3Schema:
        description: A thing.
        type: object
        properties:
          spec: {type: object, required: [size], properties: {size: {type: integer, maximum: 10}, color: {type: string, default: red}}}
          status: {type: object, properties: {size: {type: integer}}}
  - name: v1beta1
    served: true
    storage: false
    schema: *schema
";

fn defined() -> Bench {
    let mut bench = Bench::new();
    bench.create(DEFINITIONS, WIDGET);
    bench.sleep(Duration::from_secs(1));
    bench
}

fn widget(name: &str, spec: &str) -> Value {
    parse(&format!(
        "{{apiVersion: example.com/v1, kind: Widget, metadata: {{name: {name}}}, spec: {spec}}}"
    ))
}

#[test]
fn names_are_accepted_and_objects_served() {
    let mut bench = defined();
    let definition = bench.get(&format!("{DEFINITIONS}/widgets.example.com"));
    let conditions: Vec<String> = definition
        .list_at("status.conditions")
        .iter()
        .map(|c| format!("{}={} {}", c.str("type"), c.str("status"), c.str("reason")))
        .collect();
    assert_eq!(
        conditions,
        [
            "NamesAccepted=True NoConflicts",
            "Established=True InitialNamesAccepted"
        ]
    );
    assert_eq!(
        definition.str_at("status.acceptedNames.listKind"),
        "WidgetList"
    );
    let (code, made) = bench.call(Method::Post, WIDGETS, widget("w", "{size: 3}"));
    assert_eq!(code, 201, "{made}");
    assert_eq!(made.str_at("spec.color"), "red");
    assert_eq!(made.generation(), 1);
    let other = bench.get("/apis/example.com/v1beta1/namespaces/default/widgets/w");
    assert_eq!(other.api_version(), "example.com/v1beta1");
    let list = bench.get("/apis/example.com/v1/widgets?fieldSelector=spec.color%3Dred");
    assert_eq!(list.str("kind"), "WidgetList");
    assert_eq!(list.list_at("items").len(), 1);
    let none = bench.get("/apis/example.com/v1/widgets?fieldSelector=spec.color%3Dblue");
    assert!(none.list_at("items").is_empty());
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut bench = defined();
    let (code, status) = bench.call(Method::Post, WIDGETS, widget("w", "{size: 30}"));
    assert_eq!(
        (code, status.str("message")),
        (
            422,
            "Widget.example.com \"w\" is invalid: spec.size: Invalid value: 30: spec.size in body \
             should be less than or equal to 10"
        )
    );
    let strict = format!("{WIDGETS}?fieldValidation=Strict");
    let (code, status) = bench.call(Method::Post, &strict, widget("w", "{size: 3, x: 1}"));
    assert_eq!(
        (code, status.str("message")),
        (
            400,
            "Widget in version \"v1\" cannot be handled as a Widget: strict decoding error: unknown \
             field \"spec.x\""
        )
    );
}

#[test]
fn scale_and_status_are_parts_of_their_own() {
    let mut bench = defined();
    bench.call(Method::Post, WIDGETS, widget("w", "{size: 3}"));
    let scale = format!("{WIDGETS}/w/scale");
    assert_eq!(bench.get(&scale).i64_at("spec.replicas"), Some(3));
    let by = object! { "spec": { "replicas": 5 } };
    let (code, scaled) = bench.patch(&scale, "merge-patch", by);
    assert_eq!((code, scaled.i64_at("spec.replicas")), (200, Some(5)));
    let status = object! { "status": { "size": 4 }, "spec": { "size": 9 } };
    let (code, _) = bench.patch(&format!("{WIDGETS}/w/status"), "merge-patch", status);
    assert_eq!(code, 200);
    let now = bench.get(&format!("{WIDGETS}/w"));
    assert_eq!(now.i64_at("status.size"), Some(4));
    assert_eq!((now.i64_at("spec.size"), now.generation()), (Some(5), 2));
}

#[test]
fn discovery_and_documents_tell_of_them() {
    let mut bench = defined();
    let groups = bench.get("/apis");
    let last = groups.list_at("groups").last().cloned().unwrap_or_default();
    assert_eq!(last.str("name"), "example.com");
    assert_eq!(last.str_at("preferredVersion.version"), "v1");
    let list = bench.get("/apis/example.com/v1");
    let names: Vec<&str> = list
        .list_at("resources")
        .iter()
        .map(|r| r.str("name"))
        .collect();
    assert_eq!(names, ["widgets", "widgets/scale", "widgets/status"]);
    let index = bench.get("/openapi/v3");
    let entry = index.get("paths").get("apis/example.com/v1");
    let document = bench.get(entry.str("serverRelativeURL"));
    let schema = document
        .at("components.schemas")
        .get("com.example.v1.Widget");
    assert_eq!(schema.str("description"), "A thing.");
    assert!(!schema.at("properties.metadata").is_null());
    let table = bench.ask(
        Request::get("/apis/example.com/v1/widgets")
            .with_header("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io"),
    );
    assert!(table.body.text().contains("\"name\":\"Size\""));
}

#[test]
fn names_that_are_taken_are_not_accepted() {
    let mut bench = defined();
    let other = WIDGET
        .replace("widgets.example.com", "gadgets.example.com")
        .replace(
            "plural: widgets, kind: Widget",
            "plural: gadgets, kind: Gadget",
        );
    bench.create(DEFINITIONS, &other);
    bench.sleep(Duration::from_secs(1));
    let definition = bench.get(&format!("{DEFINITIONS}/gadgets.example.com"));
    let first = definition.at("status.conditions.0");
    assert_eq!(first.str("reason"), "ShortNamesConflict");
    assert_eq!(first.str("message"), "\"wd\" is already in use");
    assert_eq!(
        bench
            .call(Method::Get, "/apis/example.com/v1/gadgets", Value::Null)
            .0,
        404
    );
}

#[test]
fn objects_go_before_their_definition() {
    let mut bench = defined();
    bench.call(Method::Post, WIDGETS, widget("w", "{size: 3}"));
    let target = format!("{DEFINITIONS}/widgets.example.com");
    assert_eq!(bench.call(Method::Delete, &target, Value::Null).0, 200);
    bench.sleep(Duration::from_secs(1));
    let left = bench.call(Method::Get, &target, Value::Null);
    assert_eq!(left.0, 404, "{}", left.1);
    assert_eq!(bench.call(Method::Get, WIDGETS, Value::Null).0, 404);
    // What comes under the same name finds nothing of what was.
    bench.create(DEFINITIONS, WIDGET);
    bench.sleep(Duration::from_secs(1));
    assert!(bench.get(WIDGETS).list_at("items").is_empty());
}

#[test]
fn built_in_types_are_published_with_their_words() {
    let mut bench = Bench::new();
    let document = bench.get("/openapi/v3/apis/apps/v1");
    let spec = document
        .at("components.schemas")
        .get("io.k8s.api.apps.v1.DeploymentSpec");
    assert!(!spec.at("properties.replicas").str("description").is_empty());
    let required: Vec<&str> = spec.list_at("required").iter().map(Value::as_str).collect();
    assert_eq!(required, ["selector", "template"]);

    // kubectl asks whether the server validates fields before it sends them.
    let path = "/apis/apps/v1/namespaces/{namespace}/deployments/{name}";
    let patch = document.get("paths").get(path).get("patch");
    let known = patch.list_at("parameters").iter();
    let known: Vec<&str> = known.map(|parameter| parameter.str("name")).collect();
    assert_eq!(
        known,
        ["dryRun", "fieldManager", "fieldValidation", "force"]
    );
    assert_eq!(
        patch.at("x-kubernetes-group-version-kind").str("kind"),
        "Deployment"
    );
}

#[test]
fn rules_are_checked_against_the_types_of_fields() {
    let refusal = |rule: &str| {
        let mut definition = parse(WIDGET);
        let rules = object! { "x-kubernetes-validations": [{ "rule": rule }] };
        for version in definition.list_mut("spec.versions") {
            let spec = version.at_path_mut(&["schema", "openAPIV3Schema", "properties", "spec"]);
            let rules = rules.get("x-kubernetes-validations");
            spec.map_mut().insert("x-kubernetes-validations", rules);
        }
        let (_, answer) = Bench::new().call(Method::Post, DEFINITIONS, definition);
        answer.str("message").to_owned()
    };
    for (rule, why) in [
        ("self.size <= 5 && self.color.startsWith('r')", ""),
        ("!has(self.color) || oldSelf.color == self.color", ""),
        ("self.height > 1", "undefined field 'height'"),
        (
            "self.size + 'x' == 'y'",
            "found no matching overload for '_+_' applied to '(int, string)'",
        ),
        ("self.size", "cel expression must evaluate to a bool"),
    ] {
        let message = refusal(rule);
        match why {
            "" => assert_eq!(message, "", "{rule}"),
            why => assert!(message.contains(why), "{rule}: {message}"),
        }
    }
}

#[test]
fn discovery_tells_what_is_stored() {
    let mut bench = defined();
    let hash = |bench: &mut Bench, path: &str, name: &str| {
        let list = bench.get(path);
        let mut resources = list.list_at("resources").iter();
        let found = resources.find(|resource| resource.str("name") == name);
        found.map(|resource| resource.str("storageVersionHash").to_owned())
    };
    for (path, name, expected) in [
        ("/api/v1", "pods", "xPOwRZ+Yhw8="),
        (
            "/apis/autoscaling/v1",
            "horizontalpodautoscalers",
            "qwQve8ut294=",
        ),
        ("/apis/example.com/v1beta1", "widgets", "gIwvi5rymmg="),
    ] {
        assert_eq!(hash(&mut bench, path, name).as_deref(), Some(expected));
    }
}
