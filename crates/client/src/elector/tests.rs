use std::rc::Rc;

use net::Errno;
use net::http::{Body, Method, Response};
use sim::{EntryId, Stream};

use super::*;
use crate::{Identity, Outgoing, Silent};

struct Candidate {
    elector: LeaderElector,
    client: Client<()>,
    reaches: bool,
}

/// A store of one Lease, and candidates that reach it or do not.
struct Bench {
    lease: Option<Value>,
    version: u64,
    candidates: Vec<Candidate>,
    random: Stream,
    now: Instant,
    told: Vec<String>,
}

impl Bench {
    fn new(names: &[&str]) -> Bench {
        let candidate = |name: &&str| Candidate {
            elector: LeaderElector::new(Election::of("kube-scheduler", *name)),
            client: Client::new(Identity::default()),
            reaches: true,
        };
        let mut bench = Bench {
            lease: None,
            version: 1,
            candidates: names.iter().map(candidate).collect(),
            random: Stream::new(1, "test"),
            now: Instant::ZERO,
            told: Vec::new(),
        };
        for i in 0..names.len() {
            bench.with(i, |elector, env, client| {
                elector.start(env, client, ());
                None
            });
        }
        bench
    }

    fn with(
        &mut self,
        i: usize,
        call: impl FnOnce(&mut LeaderElector, &mut Env<'_>, &mut Client<()>) -> Option<Leadership>,
    ) {
        let mut env = Env {
            now: self.now,
            cause: EntryId::NONE,
            random: &mut self.random,
            journal: &mut Silent,
        };
        let Candidate {
            elector, client, ..
        } = &mut self.candidates[i];
        let secs = self.now.as_nanos() / 1_000_000_000;
        if let Some(what) = call(elector, &mut env, client) {
            self.told
                .push(format!("{secs}s {} {what:?}", elector.election().identity));
        }
    }

    fn serve(&mut self, request: &Request) -> Incoming {
        let answer = |code: u16, object: &Value| {
            Incoming::Response(Rc::new(Response::new(
                code,
                Body::shared(Rc::new(object.clone())),
            )))
        };
        let refusal = |code: u16, reason: &str| {
            answer(code, &object! { "code": i64::from(code), "reason": reason })
        };
        if request.method != Method::Get {
            let mut lease = (*request.body.downcast_rc::<Value>().unwrap()).clone();
            let version = self.lease.as_ref().map_or("", Value::resource_version);
            if lease.resource_version() != version {
                return refusal(409, "Conflict");
            }
            self.version += 1;
            lease.set("metadata.resourceVersion", self.version.to_string());
            self.lease = Some(lease);
        }
        self.lease
            .as_ref()
            .map_or_else(|| refusal(404, "NotFound"), |lease| answer(200, lease))
    }

    /// Runs for so many seconds. Requests are answered at once, or not at all where cut off.
    fn run(&mut self, secs: u64) {
        let end = self.now + Duration::from_secs(secs);
        while self.now <= end {
            for i in 0..self.candidates.len() {
                self.with(i, |elector, env, client| elector.on_time(env, client, ()));
                while let Some(out) = self.candidates[i].client.next_outgoing() {
                    let Outgoing::Send { call, request, .. } = out else {
                        continue;
                    };
                    if self.candidates[i].reaches {
                        let incoming = self.serve(&request);
                        self.candidates[i].client.tag(call, &incoming);
                        self.with(i, |e, env, client| {
                            e.on_incoming(env, client, (), &incoming)
                        });
                    }
                }
            }
            self.now = self.now + Duration::from_millis(100);
        }
    }
}

#[test]
fn one_leads_and_another_takes_over_when_it_falls_silent() {
    let mut bench = Bench::new(&["a", "b"]);
    bench.run(60);
    assert_eq!(bench.told, ["0s a Won"]);
    let lease = bench.lease.clone().unwrap();
    assert_eq!(lease.i64_at("spec.leaseTransitions"), Some(0));
    assert_eq!(lease.i64_at("spec.leaseDurationSeconds"), Some(15));
    assert_eq!(
        lease.str_at("spec.acquireTime"),
        "2026-01-05T09:00:00.000000Z"
    );

    bench.candidates[0].reaches = false;
    bench.run(40);
    assert_eq!(bench.told.len(), 3, "{:?}", bench.told);
    assert!(
        bench.told[1].ends_with("a Lost"),
        "the old leader stops first: {:?}",
        bench.told
    );
    assert!(bench.told[2].ends_with("b Won"));
    assert_eq!(
        bench.lease.unwrap().i64_at("spec.leaseTransitions"),
        Some(1)
    );
}

#[test]
fn a_released_lease_is_taken_at_the_next_attempt() {
    let mut bench = Bench::new(&["a", "b"]);
    bench.run(10);
    bench.with(0, |elector, env, client| {
        elector.release(env, client, ());
        None
    });
    bench.run(5);
    assert_eq!(bench.told.len(), 2, "{:?}", bench.told);
    assert!(bench.told[1].ends_with("b Won"));
}

#[test]
fn a_broken_connection_is_retried() {
    let mut bench = Bench::new(&["a"]);
    let refused = Incoming::Failed(Errno::ECONNREFUSED);
    bench.with(0, |elector, env, client| {
        elector.on_incoming(env, client, (), &refused)
    });
    let wait = bench.candidates[0]
        .elector
        .next_deadline()
        .unwrap()
        .since(Instant::ZERO);
    assert!(
        wait >= Duration::from_secs(2) && wait < Duration::from_millis(4400),
        "{wait:?}"
    );
    assert!(bench.told.is_empty());
}
