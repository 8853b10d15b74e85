//! Read your writes: who may not act yet because the caches do not show what it last did.
//!
//! A controller decides from its caches, and the caches lag behind its own writes. Acting on them
//! too early means creating the same pod twice. So the owner of a work queue keeps a key out of the
//! queue until the ledger releases it: every write made for the key was answered, and the informers
//! have come as far as the answers said. A write of a resource that nobody watches is done when it
//! is answered. A deletion is seen when the object is gone or marked as terminating. A write that
//! failed changed nothing, so there is nothing to see.
//!
//! Upstream spreads this over per-controller expectations (`controller_utils.go`); since here every
//! write of a controller passes through one place, one ledger does.

use std::collections::{BTreeMap, BTreeSet};

use api::{Str, Value};
use sim::Instant;

use crate::{Delta, Informer, Informers, Key};

/// How one will know that an informer has come far enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Its list or watch has come to this resourceVersion, which was answered then.
    Version(u64, Instant),
    /// The object of this key and uid is terminating or gone.
    Deleted(Key, Str),
}

/// What each key `K` still waits for.
#[derive(Clone, Debug)]
pub struct Ledger<K> {
    open: BTreeMap<K, Open>,
    versions: BTreeSet<(usize, u64, Instant, K)>,
    deletions: BTreeMap<(usize, Key), Vec<(Str, K)>>,
}

#[derive(Clone, Debug, Default)]
struct Open {
    unanswered: u32,
    unseen: u32,
}

impl<K> Default for Ledger<K> {
    fn default() -> Self {
        Ledger {
            open: BTreeMap::new(),
            versions: BTreeSet::new(),
            deletions: BTreeMap::new(),
        }
    }
}

impl<K: Ord + Clone> Ledger<K> {
    /// Nothing is open.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A write was begun for a key.
    pub fn sent(&mut self, key: &K) {
        self.open.entry(key.clone()).or_default().unanswered += 1;
    }

    /// Whether a key waits for nothing.
    #[must_use]
    pub fn is_free(&self, key: &K) -> bool {
        !self.open.contains_key(key)
    }

    /// A write was answered. `sight` says when informer number `.0` will have seen it; none for a
    /// failure and for what nobody watches. Returns true if the key is free now.
    pub fn answered(
        &mut self,
        informers: &Informers,
        key: &K,
        sight: Option<(usize, Sight)>,
    ) -> bool {
        let Some(open) = self.open.get_mut(key) else {
            return true;
        };
        open.unanswered = open.unanswered.saturating_sub(1);
        if let Some((number, sight)) = sight
            && informers
                .get(number)
                .is_some_and(|informer| !sight.is_had(informer))
        {
            match sight {
                Sight::Version(version, at) => {
                    let new = self.versions.insert((number, version, at, key.clone()));
                    open.unseen += u32::from(new);
                }
                Sight::Deleted(object, uid) => {
                    let waiting = self.deletions.entry((number, object)).or_default();
                    waiting.push((uid, key.clone()));
                    open.unseen += 1;
                }
            }
        }
        self.settle(key)
    }

    /// An informer has taken in these changes, and come further. Returns the keys that are free now.
    pub fn seen(&mut self, number: usize, informer: &Informer, deltas: &[Delta]) -> Vec<K> {
        let mut had = Vec::new();
        while let Some((_, version, at, key)) = self.next_version(number) {
            if !informer.has_seen(version, at) {
                break;
            }
            self.versions.remove(&(number, version, at, key.clone()));
            had.push(key);
        }
        if !self.deletions.is_empty() {
            for delta in deltas {
                self.deletion_seen(number, delta, &mut had);
            }
        }
        for key in &had {
            if let Some(open) = self.open.get_mut(key) {
                open.unseen = open.unseen.saturating_sub(1);
            }
        }
        had.retain(|key| self.open.contains_key(key) && self.settle(key));
        had
    }

    fn next_version(&self, number: usize) -> Option<(usize, u64, Instant, K)> {
        let first = self.versions.iter().find(|(n, ..)| *n >= number)?;
        (first.0 == number).then(|| first.clone())
    }

    fn deletion_seen(&mut self, number: usize, delta: &Delta, had: &mut Vec<K>) {
        let place = (number, delta.key.clone());
        let Some(waiting) = self.deletions.get_mut(&place) else {
            return;
        };
        waiting.retain(|(uid, key)| {
            let seen = is_deleted(delta.new.as_ref(), uid);
            if seen {
                had.push(key.clone());
            }
            !seen
        });
        if waiting.is_empty() {
            self.deletions.remove(&place);
        }
    }

    fn settle(&mut self, key: &K) -> bool {
        let free = self
            .open
            .get(key)
            .is_none_or(|open| open.unanswered + open.unseen == 0);
        if free {
            self.open.remove(key);
        }
        free
    }
}

impl Sight {
    fn is_had(&self, informer: &Informer) -> bool {
        match self {
            Sight::Version(version, at) => informer.has_seen(*version, *at),
            Sight::Deleted(key, uid) => is_deleted(informer.cache().get(key), uid),
        }
    }
}

fn is_deleted(object: Option<&Value>, uid: &str) -> bool {
    object.is_none_or(|object| object.uid() != uid || object.is_terminating())
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use api::object;
    use net::http::{Body, Response};
    use sim::{EntryId, Stream};

    use super::*;
    use crate::{Client, Env, Identity, Incoming, NODES, PODS, Silent};

    /// An informer of pods whose list at version 5 shows pod `a`, watching on.
    struct Bench {
        informers: Informers,
        client: Client<usize>,
        ledger: Ledger<&'static str>,
    }

    impl Bench {
        fn new() -> Bench {
            let (mut informers, client) = (Informers::new(), Client::new(Identity::default()));
            informers.watch(&PODS, &[]);
            let mut bench = Bench {
                informers,
                client,
                ledger: Ledger::new(),
            };
            bench.with_env(|env, bench| bench.informers.start(env, &mut bench.client, |n| n));
            let list = object! {
                "metadata": { "resourceVersion": "5" }, "items": [(pod(5, false))],
            };
            bench.incoming(Incoming::Response(response(list, false)));
            bench.incoming(Incoming::Response(response(object! {}, true)));
            bench
        }

        fn with_env<R>(&mut self, call: impl FnOnce(&mut Env<'_>, &mut Bench) -> R) -> R {
            let (now, cause) = (Instant::ZERO, EntryId::NONE);
            let random = &mut Stream::new(1, "test");
            call(
                &mut Env {
                    now,
                    cause,
                    random,
                    journal: &mut Silent,
                },
                self,
            )
        }

        fn incoming(&mut self, incoming: Incoming) -> Vec<&'static str> {
            let deltas = self.with_env(|env, bench| {
                bench
                    .informers
                    .on_incoming(env, &mut bench.client, 0, (0, &incoming))
            });
            self.ledger.seen(0, self.informers.get(0).unwrap(), &deltas)
        }

        fn event(&mut self, kind: &str, object: Value) -> Vec<&'static str> {
            let event = object! { "type": kind, "object": object };
            self.incoming(Incoming::Data(Body::shared(Rc::new(event))))
        }

        fn answered(&mut self, key: &'static str, sight: Sight) -> bool {
            self.ledger
                .answered(&self.informers, &key, Some((0, sight)))
        }
    }

    fn response(object: Value, more: bool) -> Rc<Response> {
        let mut response = Response::new(200, Body::shared(Rc::new(object)));
        if more {
            response = Response::new(200, Body::Empty);
        }
        response.more = more;
        Rc::new(response)
    }

    fn pod(version: u64, terminating: bool) -> Value {
        let mut pod = object! {
            "kind": "Pod",
            "metadata": { "name": "a", "uid": "u", "resourceVersion": version.to_string() },
        };
        if terminating {
            pod.set("metadata.deletionTimestamp", "2026-01-05T09:00:00Z");
        }
        pod
    }

    #[test]
    fn a_key_is_free_when_all_its_writes_are_answered_and_seen() {
        let mut bench = Bench::new();
        assert!(bench.ledger.is_free(&"web"));
        bench.ledger.sent(&"web");
        bench.ledger.sent(&"web");
        assert!(!bench.ledger.is_free(&"web"));
        assert!(!bench.answered("web", Sight::Version(7, Instant::ZERO)));
        assert_eq!(
            bench.event("MODIFIED", pod(7, false)),
            [""; 0],
            "one is not answered"
        );
        assert!(!bench.answered("web", Sight::Version(9, Instant::ZERO)));
        assert_eq!(bench.event("MODIFIED", pod(8, false)), [""; 0]);
        assert_eq!(bench.event("BOOKMARK", pod(12, false)), ["web"]);
        assert!(bench.ledger.is_free(&"web"));
    }

    #[test]
    fn what_was_seen_before_the_answer_or_is_not_watched_is_no_wait() {
        let mut bench = Bench::new();
        bench.ledger.sent(&"web");
        assert!(bench.answered("web", Sight::Version(4, Instant::ZERO)));
        bench.ledger.sent(&"web");
        assert!(
            bench.ledger.answered(&bench.informers, &"web", None),
            "a failure"
        );
        assert_eq!(bench.informers.number(&NODES), None);
    }

    #[test]
    fn a_deletion_is_seen_when_the_object_is_terminating() {
        let mut bench = Bench::new();
        let deleted = || Sight::Deleted(Key::new("", "a"), "u".into());
        bench.ledger.sent(&"web");
        assert!(!bench.answered("web", deleted()));
        assert_eq!(bench.event("MODIFIED", pod(7, false)), [""; 0]);
        assert_eq!(bench.event("MODIFIED", pod(8, true)), ["web"]);
        bench.ledger.sent(&"web");
        assert!(
            bench.answered("web", deleted()),
            "it is terminating already"
        );
    }
}
