use std::rc::Rc;

use net::Errno;
use net::http::{Body, Method, Response};
use sim::Stream;

use super::*;
use crate::{Identity, Outgoing, PODS, Silent};

struct Bench {
    recorder: EventRecorder,
    client: Client<()>,
    random: Stream,
    now: Instant,
}

impl Bench {
    fn new(style: Style) -> Bench {
        Bench {
            recorder: EventRecorder::new("replicaset-controller", "", style),
            client: Client::new(Identity::default()),
            random: Stream::new(1, "test"),
            now: Instant::ZERO,
        }
    }

    /// Records, answers every request at once, and tells what was written.
    fn record(&mut self, name: &str, message: &str) -> String {
        let pod = object! { "metadata": { "name": name, "namespace": "ns", "uid": "u" } };
        let occurrence = Occurrence {
            involved: Involved::of(&PODS, &pod),
            event_type: EventType::Normal,
            reason: "Created".into(),
            action: "Creating".into(),
            message: message.into(),
        };
        let ok = Response::new(200, Body::shared(Rc::new(object! {})));
        let written = self.exchange(Some(&occurrence), &Incoming::Response(Rc::new(ok)));
        let told = written.iter().map(|(method, body)| {
            let count = body
                .i64_at("count")
                .or(body.i64_at("series.count"))
                .unwrap_or(1);
            format!("{method} {count} {}", body.str("message"))
        });
        told.collect::<Vec<_>>().join("; ")
    }

    fn exchange(
        &mut self,
        occurrence: Option<&Occurrence>,
        answer: &Incoming,
    ) -> Vec<(Method, Value)> {
        let env = Env {
            now: self.now,
            cause: EntryId::NONE,
            random: &mut self.random,
            journal: &mut Silent,
        };
        if let Some(occurrence) = occurrence {
            self.recorder.record(&env, occurrence);
        }
        self.recorder.flush(&env, &mut self.client, &());
        let mut written = Vec::new();
        while let Some(Outgoing::Send { call, request, .. }) = self.client.next_outgoing() {
            let body = request.body.downcast_rc::<Value>().unwrap();
            written.push((request.method, (*body).clone()));
            self.recorder
                .on_incoming(&env, &mut self.client, &(), (call, answer));
        }
        written
    }

    fn pass(&mut self, secs: u64) {
        self.now = self.now + Duration::from_secs(secs);
    }
}

#[test]
fn repeats_are_counted_on_one_object() {
    let mut bench = Bench::new(Style::Counted);
    assert_eq!(bench.record("p", "hello"), "POST 1 hello");
    bench.pass(3);
    assert_eq!(bench.record("p", "hello"), "PATCH 2 hello");
    assert_eq!(bench.record("p", "other"), "POST 1 other");
    assert_eq!(bench.record("q", "hello"), "POST 1 hello");
}

#[test]
fn a_counted_event_has_upstreams_shape() {
    let mut bench = Bench::new(Style::Counted);
    let rs = object! { "metadata": { "name": "web", "namespace": "ns", "uid": "u" } };
    let occurrence = Occurrence {
        involved: Involved::of(&crate::REPLICA_SETS, &rs),
        event_type: EventType::Normal,
        reason: "SuccessfulCreate".into(),
        action: Str::default(),
        message: "Created pod: web-1".into(),
    };
    let ok = Incoming::Response(Rc::new(Response::new(201, "")));
    let written = bench.exchange(Some(&occurrence), &ok);
    assert_eq!(
        written[0].1,
        object! {
            "apiVersion": "v1", "kind": "Event",
            "metadata": { "name": "web.1887ca1be9b3a106", "namespace": "ns" },
            "involvedObject": {
                "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "namespace": "ns",
                "uid": "u",
            },
            "type": "Normal", "reason": "SuccessfulCreate", "message": "Created pod: web-1",
            "source": { "component": "replicaset-controller" },
            "reportingComponent": "replicaset-controller", "reportingInstance": "",
            "firstTimestamp": "2026-01-05T09:00:00Z", "lastTimestamp": "2026-01-05T09:00:00Z",
            "count": 1,
        }
    );
}

#[test]
fn the_tenth_similar_event_is_combined_and_floods_are_dropped() {
    let mut bench = Bench::new(Style::Counted);
    for i in 1..10 {
        assert_eq!(
            bench.record("p", &format!("pod {i}")),
            format!("POST 1 pod {i}")
        );
    }
    let combined = |i| format!("(combined from similar events): pod {i}");
    assert_eq!(
        bench.record("p", "pod 10"),
        format!("POST 1 {}", combined(10))
    );
    assert_eq!(
        bench.record("p", "pod 11"),
        format!("PATCH 2 {}", combined(11))
    );
    for i in 12..=25 {
        assert!(bench.record("p", &format!("pod {i}")).starts_with("PATCH"));
    }
    assert_eq!(bench.record("p", "pod 26"), "", "25 at once is the most");
    bench.pass(300);
    assert_eq!(
        bench.record("p", "pod 27"),
        format!("PATCH 18 {}", combined(27))
    );
    bench.pass(601);
    assert_eq!(
        bench.record("p", "pod 28"),
        "POST 1 pod 28",
        "the flood is over"
    );
}

#[test]
fn a_series_is_written_at_its_start_and_seldom_after() {
    let mut bench = Bench::new(Style::Series("default-scheduler-controlplane".into()));
    assert_eq!(bench.record("p", "no node"), "POST 1 no node");
    assert_eq!(bench.record("p", "still no node"), "PATCH 2 ");
    assert_eq!(bench.record("p", "still no node"), "");
    bench.pass(361);
    assert_eq!(
        bench.record("p", "no node"),
        "POST 1 no node",
        "a new series"
    );
}

#[test]
fn a_broken_connection_is_tried_again() {
    let mut bench = Bench::new(Style::Counted);
    let pod = object! { "metadata": { "name": "p", "namespace": "ns", "uid": "u" } };
    let occurrence = Occurrence {
        involved: Involved::of(&PODS, &pod),
        event_type: EventType::Warning,
        reason: "Failed".into(),
        action: Str::default(),
        message: "m".into(),
    };
    let refused = Incoming::Failed(Errno::ECONNREFUSED);
    assert_eq!(bench.exchange(Some(&occurrence), &refused).len(), 1);
    assert_eq!(bench.recorder.next_deadline(), Some(bench.now + RETRY));
    bench.pass(10);
    let ok = Incoming::Response(Rc::new(Response::new(201, "")));
    assert_eq!(bench.exchange(None, &ok).len(), 1);
    assert_eq!(bench.recorder.next_deadline(), None);
    assert_eq!(bench.exchange(None, &ok).len(), 0);
}
