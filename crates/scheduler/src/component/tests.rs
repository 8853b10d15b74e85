use net::http::{Body, Method, Request, Response};
use sim::{Duration, EntryId, Stream};

use super::*;
use client::Silent;

/// A component whose lists are answered, and whose other requests the test answers.
struct Bench {
    component: KubeScheduler,
    random: Stream,
    now: Instant,
    watches: Vec<(String, CallId)>,
    version: u64,
}

impl Bench {
    fn new() -> Bench {
        let options = Options {
            hostname: "controlplane".into(),
            ..Options::default()
        };
        let mut bench = Bench {
            component: KubeScheduler::new(options),
            random: Stream::new(1, "test"),
            now: Instant::ZERO,
            watches: Vec::new(),
            version: 10,
        };
        bench.with(|component, env| component.start(env));
        let requests = bench.requests();
        assert_eq!(requests.len(), 8, "one list per resource");
        for (call, _) in requests {
            let list = object! { "metadata": { "resourceVersion": "1" }, "items": [] };
            bench.answer(call, 200, list);
        }
        for (call, request) in bench.requests() {
            assert!(request.query_string().contains("watch=true"));
            bench.watches.push((request.path().to_owned(), call));
            let head = Rc::new(Response::new(200, Body::Empty).streaming());
            bench.incoming(call, &Incoming::Response(head));
        }
        bench
    }

    fn with<R>(&mut self, call: impl FnOnce(&mut KubeScheduler, &mut Env<'_>) -> R) -> R {
        let mut env = Env {
            now: self.now,
            cause: EntryId::NONE,
            random: &mut self.random,
            journal: &mut Silent,
        };
        call(&mut self.component, &mut env)
    }

    fn incoming(&mut self, call: CallId, incoming: &Incoming) {
        self.with(|component, env| component.on_incoming(env, call, incoming));
    }

    fn answer(&mut self, call: CallId, code: u16, object: Value) {
        let response = Response::new(code, Body::shared(Rc::new(object)));
        self.incoming(call, &Incoming::Response(Rc::new(response)));
    }

    fn event(&mut self, path: &str, kind: &str, mut object: Value) {
        self.version += 1;
        object.set("metadata.resourceVersion", self.version.to_string());
        let call = self
            .watches
            .iter()
            .find(|(watched, _)| watched == path)
            .unwrap()
            .1;
        let event = object! { "type": kind, "object": object };
        self.incoming(call, &Incoming::Data(Body::shared(Rc::new(event))));
    }

    fn requests(&mut self) -> Vec<(CallId, Rc<Request>)> {
        let mut requests = Vec::new();
        while let Some(out) = self.component.next_outgoing() {
            if let Outgoing::Send { call, request, .. } = out {
                requests.push((call, request));
            }
        }
        requests
    }

    fn one(&mut self, method: Method, path: &str) -> (CallId, Value) {
        let requests = self.requests();
        let found = requests
            .iter()
            .find(|(_, r)| r.method == method && r.path() == path);
        let (call, request) = found.unwrap_or_else(|| panic!("{path} in {requests:#?}"));
        (
            *call,
            (*request.body.downcast_rc::<Value>().unwrap()).clone(),
        )
    }
}

fn pod() -> Value {
    object! {
        "metadata": { "name": "web", "namespace": "default", "uid": "u1", "generation": 1 },
        "spec": { "schedulerName": "default-scheduler", "containers": [{ "image": "nginx" }] },
    }
}

fn node() -> Value {
    object! {
        "metadata": { "name": "node01" },
        "status": { "allocatable": { "cpu": "4", "memory": "8Gi", "pods": "110" } },
    }
}

const PODS_PATH: &str = "/api/v1/pods";
const BINDING: &str = "/api/v1/namespaces/default/pods/web/binding";
const EVENTS_PATH: &str = "/api/v1/namespaces/default/events";

#[test]
fn a_pod_is_bound_and_told_so() {
    let mut bench = Bench::new();
    bench.event("/api/v1/nodes", "ADDED", node());
    bench.event(PODS_PATH, "ADDED", pod());
    let (call, binding) = bench.one(Method::Post, BINDING);
    assert_eq!(binding.str_at("target.name"), "node01");
    assert_eq!(binding.uid(), "u1");
    bench.answer(call, 201, object! { "kind": "Status", "status": "Success" });
    let (_, event) = bench.one(Method::Post, EVENTS_PATH);
    assert_eq!(
        event.str("message"),
        "Successfully assigned default/web to node01"
    );
    assert_eq!(
        (event.str("reason"), event.str("action")),
        ("Scheduled", "Binding")
    );
    assert_eq!(
        event.str("reportingInstance"),
        "default-scheduler-controlplane"
    );
    assert_eq!(event.str("eventTime"), "2026-01-05T09:00:00.000000Z");
    assert_eq!(event.str_at("involvedObject.resourceVersion"), "12");
}

#[test]
fn a_pod_without_a_node_is_told_why_once() {
    let mut bench = Bench::new();
    let mut cordoned = node();
    cordoned.set("spec.unschedulable", true);
    bench.event("/api/v1/nodes", "ADDED", cordoned);
    bench.event(PODS_PATH, "ADDED", pod());
    let message = "0/1 nodes are available: 1 node(s) were unschedulable. no new claims to \
                   deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful \
                   for scheduling.";
    let (_, patch) = bench.one(Method::Patch, "/api/v1/namespaces/default/pods/web/status");
    let condition = patch.at("status.conditions.0").clone();
    assert_eq!(condition.str("message"), message);
    assert_eq!(
        (condition.str("reason"), condition.str("status")),
        ("Unschedulable", "False")
    );
    assert_eq!(condition.i64_at("observedGeneration"), Some(1));

    let mut told = pod();
    told.set("status.conditions", vec![condition]);
    bench.event(PODS_PATH, "MODIFIED", told);
    assert!(bench.requests().is_empty());
    bench.event("/api/v1/nodes", "MODIFIED", node());
    bench.one(Method::Post, BINDING);
}

#[test]
fn a_refused_binding_is_tried_again() {
    let mut bench = Bench::new();
    bench.event("/api/v1/nodes", "ADDED", node());
    bench.event(PODS_PATH, "ADDED", pod());
    let (call, _) = bench.one(Method::Post, BINDING);
    bench.answer(
        call,
        500,
        object! { "kind": "Status", "code": 500, "message": "no" },
    );
    let (_, event) = bench.one(Method::Post, EVENTS_PATH);
    assert_eq!(
        event.str("message"),
        "binding rejected: running Bind plugin \"DefaultBinder\": no"
    );
    assert_eq!(
        bench.component.next_deadline(),
        Some(bench.now + Duration::from_secs(1))
    );
    bench.now = bench.now + Duration::from_secs(1);
    bench.with(|component, env| component.on_time(env));
    bench.one(Method::Post, BINDING);
}
