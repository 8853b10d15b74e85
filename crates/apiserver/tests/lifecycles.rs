//! What the conformance suite asks of every kind: an object is created, found, listed, watched,
//! patched, updated and deleted, alone and with others.

mod bench;

use api::kinds::{self, ALL_VERBS, Kind};
use api::{Value, object};
use bench::{Bench, parse};
use net::http::{Method, Request};
use sim::Duration;

const SELECTOR: &str = "labelSelector=lifecycle%3Dyes";

fn collection(kind: &Kind) -> String {
    let version = kind.api_version();
    let root = if kind.group.is_empty() { "api" } else { "apis" };
    match kind.namespaced {
        true => format!("/{root}/{version}/namespaces/default/{}", kind.plural),
        false => format!("/{root}/{version}/{}", kind.plural),
    }
}

fn everywhere(kind: &Kind) -> String {
    collection(kind).replace("/namespaces/default", "")
}

/// The sample of a kind under a name that such an object can have.
fn sample(kind: &Kind) -> Value {
    let mut object = parse(kind.sample);
    object.set_label("lifecycle", "yes");
    object
}

struct Life {
    bench: Bench,
    kind: &'static Kind,
}

impl Life {
    #[track_caller]
    fn expect(&mut self, method: Method, target: &str, body: Value, code: u16) -> Value {
        let (found, answer) = self.bench.call(method, target, body);
        assert_eq!(found, code, "{method:?} {target}: {answer}");
        answer
    }

    #[track_caller]
    fn patch(&mut self, target: &str, form: &str, name: &str) -> Value {
        let patch = object! { "metadata": { "annotations": { name: "true" } } };
        let (code, answer) = self.bench.patch(target, form, patch);
        assert_eq!(code, 200, "{form} {target}: {answer}");
        assert_eq!(answer.annotation(name), "true", "{target}");
        answer
    }

    fn names(&mut self, target: &str) -> Vec<String> {
        let list = self.bench.get(target);
        let items = list.list_at("items").iter();
        items.map(|item| item.name().to_owned()).collect()
    }

    /// Lets an object that waits for its finalizers go.
    fn release(&mut self, one: &str) {
        let left = self.bench.call(Method::Get, one, Value::Null);
        if left.0 == 200 && !left.1.finalizers().is_empty() {
            assert!(left.1.is_terminating(), "{one}: {}", left.1);
            let none = object! { "metadata": { "finalizers": Value::Null } };
            self.bench.patch(one, "merge-patch", none);
        }
    }

    fn run(&mut self) {
        let (all, everywhere) = (collection(self.kind), everywhere(self.kind));
        let watch = self
            .bench
            .watch(&format!("{everywhere}?watch=1&{SELECTOR}"));
        let made = self.expect(Method::Post, &all, sample(self.kind), 201);
        let name = made.name().to_owned();
        let one = format!("{all}/{name}");
        let read = self.expect(Method::Get, &one, Value::Null, 200);
        assert_eq!(read.uid(), made.uid());
        for list in [&all, &everywhere] {
            assert_eq!(self.names(&format!("{list}?{SELECTOR}")), [name.as_str()]);
            let field = format!("{list}?fieldSelector=metadata.name%3D{name}");
            assert_eq!(self.names(&field), [name.as_str()]);
        }
        let patched = self.patch(&one, "merge-patch", "merged");
        assert_ne!(patched.resource_version(), made.resource_version());
        let mut updated = self.patch(&one, "strategic-merge-patch", "patched");
        updated.set_annotation("updated", "true");
        let updated = self.expect(Method::Put, &one, updated, 200);
        let stale = self.expect(Method::Put, &one, patched, 409);
        assert_eq!(stale.str("reason"), "Conflict");
        assert!(!updated.list_at("metadata.managedFields").is_empty());
        let mut events = 4;
        if self.kind.has_status() {
            let status = format!("{one}/status");
            let read = self.expect(Method::Get, &status, Value::Null, 200);
            assert_eq!(read.kind(), self.kind.kind);
            let mut put = self.patch(&status, "merge-patch", "status-patched");
            put.set_annotation("status-updated", "true");
            self.expect(Method::Put, &status, put, 200);
            events += 2;
        }
        self.expect(
            Method::Delete,
            &format!("{one}?dryRun=All"),
            Value::Null,
            200,
        );
        self.expect(Method::Get, &one, Value::Null, 200);
        let (code, answer) = self.bench.call(Method::Delete, &one, Value::Null);
        assert!([200, 202].contains(&code), "{one}: {answer}");
        self.release(&one);
        self.expect(Method::Get, &one, Value::Null, 404);
        let heard = self.bench.heard(watch);
        let kinds: Vec<&str> = heard
            .iter()
            .map(|e| e.split(' ').next().unwrap_or(""))
            .collect();
        assert_eq!(
            (kinds[0], *kinds.last().expect("events")),
            ("ADDED", "DELETED")
        );
        let changes = kinds.iter().filter(|kind| **kind == "MODIFIED").count();
        assert!(changes + 1 >= events, "{heard:?}");
        self.collection(&all, &one);
    }

    fn collection(&mut self, all: &str, one: &str) {
        if !self.kind.verbs.contains(&"deletecollection") {
            return;
        }
        self.expect(Method::Post, all, sample(self.kind), 201);
        let target = format!("{all}?{SELECTOR}");
        self.expect(Method::Delete, &target, Value::Null, 200);
        self.release(one);
        assert!(self.names(&target).is_empty(), "{target}");
    }
}

#[test]
fn every_kind_lives_and_dies() {
    let whole = |kind: &&&'static Kind| kind.verbs == ALL_VERBS && !kind.storage.is_empty();
    let mut count = 0;
    for kind in kinds::all().iter().filter(whole) {
        let mut bench = Bench::new();
        bench.service_account("default");
        Life { bench, kind }.run();
        count += 1;
    }
    assert!(count > 30, "{count} kinds");
}

#[test]
fn a_list_goes_on_where_its_beginning_was_forgotten() {
    const CMS: &str = "/api/v1/namespaces/default/configmaps";
    let mut bench = Bench::new();
    for i in 0..5 {
        let yaml = format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: c{i}}}}}");
        bench.create(CMS, &yaml);
    }
    let first = bench.get(&format!("{CMS}?limit=2"));
    let token = first.str_at("metadata.continue").to_owned();
    assert_eq!(first.i64_at("metadata.remainingItemCount"), Some(3));
    let next = |token: &str| format!("{CMS}?limit=2&continue={token}");
    let (code, _) = bench.call(Method::Get, &next(&token), Value::Null);
    assert_eq!(code, 200);
    bench.sleep(Duration::from_secs(400));
    bench.create(
        CMS,
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}",
    );
    bench.sleep(Duration::from_secs(300));
    let (code, status) = bench.call(Method::Get, &next(&token), Value::Null);
    assert_eq!((code, status.str("reason")), (410, "Expired"));
    let token = status.str_at("metadata.continue").to_owned();
    let (code, second) = bench.call(Method::Get, &next(&token), Value::Null);
    assert_eq!(code, 200, "{second}");
    let names: Vec<&str> = second.list_at("items").iter().map(Value::name).collect();
    assert_eq!(names, ["c2", "c3"]);
    assert_ne!(
        second.str_at("metadata.resourceVersion"),
        first.str_at("metadata.resourceVersion")
    );
    assert_eq!(second.i64_at("metadata.remainingItemCount"), Some(2));
}

#[test]
fn what_is_not_stored_has_no_rows() {
    let mut bench = Bench::new();
    let target = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let review = || {
        let review = parse(
            "{apiVersion: authorization.k8s.io/v1, kind: SelfSubjectAccessReview, spec: \
             {nonResourceAttributes: {verb: get, path: /}}}",
        );
        Request::new(Method::Post, target).with_body(api::body(review))
    };
    let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
    let response = bench.ask(review().with_header("Accept", table));
    assert_eq!(response.status, 406);
    let response = bench.ask(review().with_header("Accept", format!("{table},application/json")));
    assert_eq!(response.status, 201);
}
