use std::rc::Rc;

use api::{Value, object};
use net::Errno;
use net::http::{Body, Response};
use sim::{EntryId, Stream};

use super::*;
use crate::{Identity, Outgoing, PODS, Silent};

/// An informer of pods, driven by hand.
struct Bench {
    informer: Informer,
    client: Client<()>,
    random: Stream,
    now: Instant,
}

impl Bench {
    fn new() -> Bench {
        let mut bench = Bench {
            informer: Informer::new(PODS, "", &[Index::Node]),
            client: Client::new(Identity::default()),
            random: Stream::new(1, "test"),
            now: Instant::ZERO,
        };
        bench.with(|informer, env, client| informer.start(env, client, ()));
        bench
    }

    fn with<R>(
        &mut self,
        call: impl FnOnce(&mut Informer, &mut Env<'_>, &mut Client<()>) -> R,
    ) -> R {
        let mut env = Env {
            now: self.now,
            cause: EntryId::NONE,
            random: &mut self.random,
            journal: &mut Silent,
        };
        call(&mut self.informer, &mut env, &mut self.client)
    }

    /// The path and query of the next request, and its call.
    fn request(&mut self) -> (CallId, String) {
        loop {
            match self.client.next_outgoing() {
                Some(Outgoing::Send { call, request, .. }) => {
                    return (call, request.target.to_string());
                }
                Some(Outgoing::Cancel(_)) => {}
                None => panic!("no request waits"),
            }
        }
    }

    /// Answers and tells the changes: `+` added, `~` changed, `-` gone.
    fn answer(&mut self, call: CallId, incoming: Incoming) -> String {
        if self.client.tag(call, &incoming).is_none() {
            return "ignored".into();
        }
        let deltas =
            self.with(|informer, env, client| informer.on_incoming(env, client, (), &incoming));
        let told = deltas.iter().map(|delta| match (&delta.old, &delta.new) {
            (None, _) => format!("+{}", delta.key),
            (Some(_), Some(_)) => format!("~{}", delta.key),
            (Some(_), None) => format!("-{}", delta.key),
        });
        told.collect::<Vec<_>>().join(" ")
    }

    fn wait(&mut self) -> Duration {
        let until = self.informer.next_deadline().expect("it waits");
        let waited = until.since(self.now);
        self.now = until;
        self.with(|informer, env, client| informer.on_time(env, client, ()));
        waited
    }
}

fn pod(name: &str, version: u64) -> Value {
    object! {
        "metadata": {
            "name": name, "namespace": "ns", "uid": name, "resourceVersion": version.to_string(),
        },
    }
}

fn list(version: u64, items: Vec<Value>) -> Incoming {
    let list = object! {
        "kind": "PodList", "metadata": { "resourceVersion": version.to_string() }, "items": items,
    };
    Incoming::Response(Rc::new(Response::new(200, Body::shared(Rc::new(list)))))
}

fn opened() -> Incoming {
    Incoming::Response(Rc::new(Response::new(200, Body::Empty).streaming()))
}

fn event(kind: &str, object: Value) -> Incoming {
    Incoming::Data(Body::shared(Rc::new(
        object! { "type": kind, "object": object },
    )))
}

fn status(code: u16, reason: &str) -> Incoming {
    let status = object! { "kind": "Status", "code": i64::from(code), "reason": reason };
    Incoming::Response(Rc::new(Response::new(code, Body::shared(Rc::new(status)))))
}

/// A bench whose informer has listed pod `a` at 5 and watches.
fn watching() -> (Bench, CallId) {
    let mut bench = Bench::new();
    let (call, target) = bench.request();
    assert_eq!(target, "/api/v1/pods?limit=500&resourceVersion=0");
    assert!(!bench.informer.has_synced());
    assert_eq!(bench.answer(call, list(5, vec![pod("a", 3)])), "+ns/a");
    assert!(bench.informer.has_synced());
    assert_eq!(
        bench.informer.cache().named("ns", "a").map(Value::kind),
        Some("Pod")
    );
    let (call, target) = bench.request();
    assert!(target.starts_with("/api/v1/pods?allowWatchBookmarks=true&resourceVersion=5&timeoutS"));
    bench.answer(call, opened());
    (bench, call)
}

#[test]
fn lists_then_watches() {
    let (mut bench, call) = watching();
    assert_eq!(bench.answer(call, event("ADDED", pod("b", 6))), "+ns/b");
    assert_eq!(bench.answer(call, event("MODIFIED", pod("a", 7))), "~ns/a");
    assert_eq!(
        bench.answer(call, event("MODIFIED", pod("a", 7))),
        "",
        "nothing new"
    );
    assert_eq!(bench.answer(call, event("DELETED", pod("b", 8))), "-ns/b");
    assert!(bench.informer.has_seen(8, bench.now) && !bench.informer.has_seen(9, bench.now));
    assert_eq!(bench.answer(call, event("BOOKMARK", pod("", 20))), "");
    assert!(bench.informer.has_seen(20, bench.now));
    bench.now = bench.now + Duration::from_secs(400);
    bench.answer(call, Incoming::End);
    assert!(
        bench.request().1.contains("resourceVersion=20&"),
        "watches on from the bookmark"
    );
}

#[test]
fn events_may_come_as_bytes_in_pieces() {
    let (mut bench, call) = watching();
    let line = object! { "type": "ADDED", "object": pod("b", 6) }.to_json();
    let (head, tail) = line.split_at(20);
    assert_eq!(bench.answer(call, Incoming::Data(Body::from(head))), "");
    assert_eq!(
        bench.answer(call, Incoming::Data(Body::from(format!("{tail}\n")))),
        "+ns/b"
    );
}

#[test]
fn an_expired_version_is_listed_anew() {
    let (mut bench, call) = watching();
    let gone = object! { "kind": "Status", "code": 410, "reason": "Expired" };
    bench.answer(call, event("ERROR", gone));
    let (call, target) = bench.request();
    assert_eq!(target, "/api/v1/pods?resourceVersion=5");
    bench.answer(call, status(410, "Expired"));
    let (call, target) = bench.request();
    assert_eq!(target, "/api/v1/pods?limit=500", "what is newest");
    let told = bench.answer(call, list(9, vec![pod("c", 8), pod("d", 9)]));
    assert_eq!(told, "-ns/a +ns/c +ns/d");
}

#[test]
fn failures_are_waited_out_longer_and_longer() {
    let mut bench = Bench::new();
    let mut waits = Vec::new();
    for _ in 0..9 {
        let (call, _) = bench.request();
        bench.answer(call, Incoming::Failed(Errno::ECONNREFUSED));
        waits.push(bench.wait());
    }
    for (wait, most) in waits
        .iter()
        .zip([1.6_f64, 3.2, 6.4, 12.8, 25.6, 51.2, 60.0, 60.0, 60.0])
    {
        let secs = wait.as_secs_f64();
        assert!(secs >= most / 2.0 && secs <= most, "{waits:?}");
    }
    let (call, _) = bench.request();
    bench.answer(call, list(5, vec![]));
    let (call, _) = bench.request();
    bench.answer(call, opened());
    bench.answer(call, Incoming::Failed(Errno::ECONNRESET));
    assert!(
        bench.wait() < Duration::from_secs(2),
        "a success resets the back-off"
    );
    assert!(
        bench.request().1.contains("watch=true"),
        "a broken watch goes on where it was"
    );
}

#[test]
fn a_list_after_a_restore_counts_as_seen() {
    let (mut bench, call) = watching();
    let answered = bench.now;
    bench.now = bench.now + Duration::from_secs(5);
    bench.answer(call, Incoming::Response(Rc::new(Response::new(500, ""))));
    bench.wait();
    let (call, _) = bench.request();
    bench.answer(call, list(2, vec![]));
    assert!(bench.informer.has_seen(100, answered));
    assert!(!bench.informer.has_seen(100, bench.now));
}

#[test]
fn a_stopped_informer_hears_nothing_more() {
    let (mut bench, call) = watching();
    bench.with(|informer, _, client| informer.stop(client));
    assert_eq!(bench.answer(call, event("ADDED", pod("b", 6))), "ignored");
}
