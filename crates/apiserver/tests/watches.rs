//! Lists and watches, as a reflector uses them.

mod bench;

use api::{Value, object};
use bench::{Bench, PODS, parse, pod};
use net::http::{Method, Request};
use sim::Duration;

const CMS: &str = "/api/v1/namespaces/default/configmaps";

fn cm(name: &str, app: &str) -> Value {
    parse(&format!(
        "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}, labels: {{app: {app}}}}}}}"
    ))
}

fn with_cms(names: &[&str]) -> Bench {
    let mut bench = Bench::new();
    for name in names {
        assert_eq!(bench.call(Method::Post, CMS, cm(name, "web")).0, 201);
    }
    bench
}

fn names(list: &Value) -> Vec<&str> {
    list.list_at("items").iter().map(Value::name).collect()
}

#[test]
fn a_reflector_misses_nothing() {
    let mut bench = with_cms(&["a", "b"]);
    let list = bench.get(CMS);
    let version = list.str_at("metadata.resourceVersion").to_owned();
    bench.call(Method::Post, CMS, cm("c", "web"));
    let watch = bench.watch(&format!("{CMS}?watch=1&resourceVersion={version}"));
    assert_eq!(bench.heard(watch), ["ADDED c"]);
    bench.patch(
        &format!("{CMS}/a"),
        "merge-patch",
        object! { "data": { "x": "y" } },
    );
    bench.call(Method::Delete, &format!("{CMS}/b"), Value::Null);
    assert_eq!(bench.heard(watch), ["MODIFIED a", "DELETED b"]);
    let other = "/api/v1/namespaces/kube-system/configmaps";
    bench.call(Method::Post, other, cm("d", "web"));
    assert_eq!(bench.heard(watch), [""; 0]);
}

#[test]
fn a_watch_without_a_version_begins_with_what_there_is() {
    let mut bench = with_cms(&["a", "b"]);
    let watch = bench.watch(&format!("{CMS}?watch=1"));
    assert_eq!(bench.heard(watch), ["ADDED a", "ADDED b"]);
    let target = format!(
        "{CMS}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan\
         &allowWatchBookmarks=true"
    );
    let watch = bench.watch(&target);
    assert_eq!(bench.heard(watch), ["ADDED a", "ADDED b", "BOOKMARK true"]);
    bench.sleep(Duration::from_secs(61));
    assert_eq!(bench.heard(watch), ["BOOKMARK"]);
}

#[test]
fn what_comes_to_match_is_added_and_what_ceases_to_is_deleted() {
    let mut bench = with_cms(&["a"]);
    let watch = bench.watch("/api/v1/configmaps?watch=1&labelSelector=app%3Ddb");
    let target = format!("{CMS}/a");
    let label = |app: &str| object! { "metadata": { "labels": { "app": app } } };
    bench.patch(&target, "merge-patch", label("db"));
    bench.patch(&target, "merge-patch", object! { "data": { "x": "y" } });
    bench.patch(&target, "merge-patch", label("web"));
    bench.patch(&target, "merge-patch", object! { "data": { "x": "z" } });
    assert_eq!(bench.heard(watch), ["ADDED a", "MODIFIED a", "DELETED a"]);
}

#[test]
fn a_kubelet_hears_of_its_own_pods_alone() {
    let mut bench = Bench::new();
    bench.service_account("default");
    let mine = bench.watch("/api/v1/pods?watch=1&fieldSelector=spec.nodeName%3Dnode01");
    let one = bench.watch(&format!("{PODS}?watch=1&fieldSelector=metadata.name%3Db"));
    for name in ["a", "b"] {
        assert_eq!(bench.call(Method::Post, PODS, pod(name)).0, 201);
    }
    assert_eq!(bench.heard(mine), [""; 0]);
    assert_eq!(bench.heard(one), ["ADDED b"]);
    let bind = |node: &str, name: &str| {
        object! {
            "apiVersion": "v1", "kind": "Binding",
            "metadata": { "name": name }, "target": { "kind": "Node", "name": node },
        }
    };
    let (code, status) = bench.call(
        Method::Post,
        &format!("{PODS}/a/binding"),
        bind("node01", "a"),
    );
    assert_eq!((code, status.str("status")), (201, "Success"));
    bench.call(
        Method::Post,
        &format!("{PODS}/b/binding"),
        bind("node02", "b"),
    );
    assert_eq!(bench.heard(mine), ["ADDED a"]);
    let (code, status) = bench.call(
        Method::Post,
        &format!("{PODS}/a/binding"),
        bind("node02", "a"),
    );
    assert_eq!(
        (code, status.str("message")),
        (
            409,
            "Operation cannot be fulfilled on pods/binding \"a\": pod a is already assigned to node \
             \"node01\""
        )
    );
    let bound = bench.get(&format!("{PODS}/a"));
    assert_eq!(bound.str_at("status.conditions.0.type"), "PodScheduled");
}

#[test]
fn a_version_that_is_forgotten_is_gone() {
    let mut bench = with_cms(&["a"]);
    let watch = bench.watch(&format!("{CMS}?watch=1&resourceVersion=99999"));
    let heard = bench.heard(watch);
    assert!(
        heard[0].starts_with("ERROR too old resource version: 99999"),
        "{heard:?}"
    );
    assert!(bench.answers[&watch].ended);
    let (code, status) = bench.call(
        Method::Get,
        &format!("{CMS}?resourceVersion=99999"),
        Value::Null,
    );
    assert_eq!((code, status.str("reason")), (504, "Timeout"));
    assert!(
        status
            .str("message")
            .starts_with("Timeout: Too large resource version: 99999")
    );
}

#[test]
fn a_watch_ends_when_its_time_is_over() {
    let mut bench = with_cms(&[]);
    let watch = bench.watch(&format!("{CMS}?watch=1&timeoutSeconds=30"));
    bench.sleep(Duration::from_secs(29));
    assert!(!bench.answers[&watch].ended);
    bench.sleep(Duration::from_secs(2));
    assert!(bench.answers[&watch].ended);
}

#[test]
fn a_list_in_pages_shows_one_moment() {
    let mut bench = with_cms(&["a", "b", "c", "d", "e"]);
    let first = bench.get(&format!("{CMS}?limit=2"));
    assert_eq!(names(&first), ["a", "b"]);
    assert_eq!(first.i64_at("metadata.remainingItemCount"), Some(3));
    bench.call(Method::Delete, &format!("{CMS}/c"), Value::Null);
    bench.call(Method::Post, CMS, cm("bb", "web"));
    let next = |list: &Value| {
        format!(
            "{CMS}?limit=2&continue={}",
            list.str_at("metadata.continue")
        )
    };
    let second = bench.get(&next(&first));
    assert_eq!(names(&second), ["c", "d"]);
    assert_eq!(
        second.str_at("metadata.resourceVersion"),
        first.str_at("metadata.resourceVersion")
    );
    let third = bench.get(&next(&second));
    assert_eq!(
        (names(&third), third.str_at("metadata.continue")),
        (vec!["e"], "")
    );
    assert_eq!(names(&bench.get(CMS)), ["a", "b", "bb", "d", "e"]);
}

#[test]
fn selectors_pick() {
    let mut bench = with_cms(&["a", "b"]);
    bench.call(Method::Post, CMS, cm("c", "db"));
    let list =
        |bench: &mut Bench, query: &str| names(&bench.get(&format!("{CMS}?{query}"))).join(" ");
    assert_eq!(list(&mut bench, "labelSelector=app%3Ddb"), "c");
    assert_eq!(list(&mut bench, "labelSelector=app%20in%20(web,x)"), "a b");
    assert_eq!(list(&mut bench, "fieldSelector=metadata.name!%3Da"), "b c");
    let refused = bench.get("/api/v1/pods?labelSelector=a%20in%20b");
    assert_eq!(
        refused.str("message"),
        "unable to parse requirement: found 'b' expected: '('"
    );
    let refused = bench.get("/api/v1/pods?fieldSelector=nosuch%3D1");
    assert_eq!(refused.str("message"), "field label not supported: nosuch");
}

#[test]
fn tables_have_rows_and_their_columns_once() {
    let mut bench = with_cms(&["a"]);
    let accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
    let table = |target: &str| Request::get(target).with_header("Accept", accept);
    let response = bench.ask(table(CMS));
    let list = api::body_value(&response.body).expect("a table");
    assert_eq!(list.kind(), "Table");
    let columns: Vec<&str> = list
        .list_at("columnDefinitions")
        .iter()
        .map(|c| c.str("name"))
        .collect();
    assert_eq!(columns, ["Name", "Data", "Age"]);
    assert_eq!(list.at("rows.0.cells").to_json(), "[\"a\",0,\"0s\"]");
    assert_eq!(list.str_at("rows.0.object.kind"), "PartialObjectMetadata");
    let watch = bench.send(table(&format!("{CMS}?watch=1")));
    bench.call(Method::Post, CMS, cm("b", "web"));
    let events: Vec<Value> = bench.answers[&watch]
        .data
        .iter()
        .map(|body| api::body_value(body).expect("an event"))
        .collect();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0].list_at("object.columnDefinitions").len(), 3);
    assert!(events[1].at("object.columnDefinitions").is_null());
    assert_eq!(events[1].str_at("object.rows.0.object.metadata.name"), "b");
}

#[test]
fn one_event_is_shared_by_all_who_get_it() {
    let mut bench = with_cms(&[]);
    let watches = [
        bench.watch(&format!("{CMS}?watch=1")),
        bench.watch("/api/v1/configmaps?watch=1"),
    ];
    for watch in watches {
        bench.heard(watch);
    }
    bench.call(Method::Post, CMS, cm("a", "web"));
    let body = |watch: u32| match &bench.answers[&watch].data[0] {
        net::http::Body::Shared(shared) => shared.clone(),
        other => panic!("{other:?}"),
    };
    assert!(std::rc::Rc::ptr_eq(&body(watches[0]), &body(watches[1])));
}

#[test]
fn a_deprecated_kind_says_so_with_every_answer() {
    let mut bench = Bench::new();
    let warning =
        "299 - \"v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice\"";
    let target = "/api/v1/namespaces/default/endpoints";
    let object = parse("{apiVersion: v1, kind: Endpoints, metadata: {name: x}}");
    for request in [
        Request::get(target),
        Request::new(Method::Post, target).with_body(api::body(object)),
        Request::new(Method::Delete, format!("{target}/x")),
    ] {
        assert_eq!(bench.ask(request).headers.get("Warning"), Some(warning));
    }
}
