//! The server as etcd's client: reads everything once, watches everything from there, and sends
//! transactions. When the connection breaks it is made again, and what was missed is made up for.
//!
//! Models apiserver/pkg/storage/etcd3 and the reflector inside apiserver/pkg/storage/cacher.

use std::rc::Rc;

use etcd::{Compare, DeleteRange, EventKind, Key, Keys, Op, Put, Range, ReplyBody, Txn, Watch};
use etcd::{WatchRequest, WatchResponse, read_reply};
use net::Errno;
use net::http::{Body, Method, Request, Response};
use sim::{Duration, Instant};

use api::{Measured, Value};

use crate::definitions::PREFIX as DEFINITIONS;
use crate::effect::{Action, CallId, Cx, Peer};
use crate::server::{ApiServer, Purpose};

/// Everything Kubernetes keeps in etcd has keys that begin so.
pub(crate) const PREFIX: &str = "/registry/";

/// How long until a broken connection is tried again, at first and at most.
const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_MOST: Duration = Duration::from_secs(3);
/// A server that cannot reach etcd for so long when it starts gives up.
const START_PATIENCE: Duration = Duration::from_secs(60);
/// History older than this is compacted away.
const COMPACT_INTERVAL: Duration = Duration::from_secs(300);

/// What the server knows of etcd.
#[derive(Clone, Debug)]
pub(crate) struct Backend {
    /// What it is doing.
    pub(crate) state: State,
    /// The newest revision seen.
    pub(crate) revision: i64,
    /// When the server was started.
    started: Instant,
    /// The caches were filled at least once.
    filled: bool,
    retry_after: Duration,
    watch: Option<CallId>,
    next_compaction: Instant,
    compact_to: i64,
    /// History up to this revision is gone from etcd.
    pub(crate) compacted: i64,
}

/// The state of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Broken; tried again at the instant.
    Down(Instant),
    /// Reading everything.
    Listing,
    /// All is known and kept up to date.
    Ready,
}

impl Backend {
    pub(crate) fn new(now: Instant) -> Backend {
        Backend {
            state: State::Down(now),
            revision: 0,
            started: now,
            filled: false,
            retry_after: RETRY_FIRST,
            watch: None,
            next_compaction: now + COMPACT_INTERVAL,
            compact_to: 0,
            compacted: 0,
        }
    }

    /// Whether requests can be served.
    pub(crate) fn is_ready(&self) -> bool {
        self.state == State::Ready
    }

    pub(crate) fn deadline(&self) -> Instant {
        match self.state {
            State::Down(retry) => retry,
            State::Listing => Instant::FAR,
            State::Ready => self.next_compaction,
        }
    }
}

impl ApiServer {
    /// Does what is due: another try to connect, or the compaction.
    pub(crate) fn backend_timer(&mut self, cx: &mut Cx<'_>) {
        match self.backend.state {
            State::Down(retry) if retry <= cx.now => {
                self.backend.state = State::Listing;
                let range = Range::of(Keys::prefix(PREFIX.as_bytes()));
                self.call_etcd(cx, etcd::Request::Range(range), Purpose::EtcdList);
            }
            State::Ready if self.backend.next_compaction <= cx.now => {
                self.backend.next_compaction = cx.now + COMPACT_INTERVAL;
                let to = std::mem::replace(&mut self.backend.compact_to, self.backend.revision);
                if to > 0 {
                    self.backend.compacted = to;
                    self.call_etcd(cx, etcd::Request::Compact(to), Purpose::EtcdCompact);
                }
            }
            _ => {}
        }
    }

    pub(crate) fn call_etcd(
        &mut self,
        cx: &mut Cx<'_>,
        request: etcd::Request,
        purpose: Purpose,
    ) -> CallId {
        let http =
            Request::new(Method::Post, request.path()).with_body(Body::shared(Rc::new(request)));
        self.call(cx, Peer::Etcd, self.identify(http), purpose)
    }

    fn identify(&self, mut request: Request) -> Request {
        request.peer = self.config.etcd_identity.clone();
        request
    }

    /// Sends a transaction that writes or deletes one key, if its last change was at `expected` (0:
    /// it does not exist).
    pub(crate) fn send_txn(
        &mut self,
        cx: &mut Cx<'_>,
        key: Key,
        expected: i64,
        put: Option<(Rc<Measured>, i64)>,
        purpose: Purpose,
    ) {
        let op = match put {
            Some((value, lease)) => Op::Put(Put {
                key: key.clone(),
                value,
                lease,
                prev_kv: false,
            }),
            None => Op::DeleteRange(DeleteRange {
                keys: Keys::One(key.clone()),
                prev_kv: false,
            }),
        };
        self.causes.insert(key.clone(), cx.cause);
        let txn = Txn {
            compare: vec![Compare::mod_revision(key, expected)],
            success: vec![op],
            failure: Vec::new(),
        };
        self.call_etcd(cx, etcd::Request::Txn(txn), purpose);
    }

    /// Everything was read: fills the caches, or finds out what was missed, and watches from there.
    pub(crate) fn on_etcd_list(&mut self, cx: &mut Cx<'_>, response: &Response) {
        let reply = match read_reply(response) {
            Ok(reply) => reply,
            Err(_) => return self.etcd_down(cx),
        };
        let ReplyBody::Range(range) = &reply.body else {
            return self.etcd_down(cx);
        };
        let revision = reply.header.revision;
        if self.backend.filled && self.goes_on(range, revision) {
            self.make_up(cx, range, revision);
        } else {
            // At the start, or when etcd has another state than it had, a restored one: who watches
            // must begin anew, because revisions mean something else now. So do leases.
            self.end_all_watches(cx);
            self.fill(range, revision);
            self.event_lease.current = None;
        }
        self.backend.filled = true;
        self.backend.revision = revision;
        self.backend.state = State::Ready;
        self.backend.retry_after = RETRY_FIRST;
        let watch = Watch::of(1, Keys::prefix(PREFIX.as_bytes()), revision + 1);
        let watch = Watch {
            progress_notify: true,
            ..watch
        };
        let body = Body::shared(Rc::new(WatchRequest::Create(watch)));
        let mut request = Request::new(Method::Post, "/etcdserverpb.Watch/Watch").with_body(body);
        request.more = true;
        let call = self.call(cx, Peer::Etcd, self.identify(request), Purpose::EtcdWatch);
        self.backend.watch = Some(call);
        self.on_backend_ready(cx);
    }

    /// Whether what etcd holds can have come from what is known: nothing is older than that, and
    /// what is as old is the same.
    fn goes_on(&self, range: &etcd::RangeReply, revision: i64) -> bool {
        let newest = self.backend.revision;
        let is_known = |kv: &etcd::KeyValue| {
            let known = self.resources.revision(kv.key_text());
            known.is_none_or(|known| known == kv.mod_revision)
        };
        revision >= newest
            && range
                .kvs
                .iter()
                .all(|kv| kv.mod_revision > newest || is_known(kv))
    }

    fn fill(&mut self, range: &etcd::RangeReply, revision: i64) {
        self.resources.clear(revision);
        // Definitions first: where objects of custom kinds lie is known from them.
        let all = range.kvs.iter();
        for kv in all.filter(|kv| kv.key_text().starts_with(DEFINITIONS)) {
            if let Some(value) = stored_value(&kv.value) {
                self.resources.learn(value.value());
            }
        }
        for kv in &range.kvs {
            if let Some(value) = stored_value(&kv.value) {
                self.resources
                    .fill_one(kv.key_text(), &value, kv.mod_revision);
            }
        }
    }

    /// Compares what is there with what is known, and tells watchers of the difference.
    fn make_up(&mut self, cx: &mut Cx<'_>, range: &etcd::RangeReply, revision: i64) {
        let known = self.resources.all_keys();
        let mut there = std::collections::BTreeSet::new();
        let mut changed: Vec<_> = range.kvs.iter().collect();
        changed.sort_by_key(|kv| kv.mod_revision);
        for kv in &range.kvs {
            there.insert(kv.key_text());
        }
        // Deletions first, all at the newest revision known before: their own is not told any more.
        for key in known.iter().filter(|key| !there.contains(key.as_str())) {
            self.on_stored(cx, key, None, revision.min(self.backend.revision + 1));
        }
        for kv in changed {
            if kv.mod_revision > self.backend.revision
                && let Some(value) = stored_value(&kv.value)
            {
                self.on_stored(cx, kv.key_text(), Some(&value), kv.mod_revision);
            }
        }
    }

    /// News from the watch.
    pub(crate) fn on_etcd_watch(&mut self, cx: &mut Cx<'_>, body: &Body) {
        let Some(news) = body.downcast_rc::<WatchResponse>() else {
            return;
        };
        if news.canceled {
            self.etcd_down(cx);
            return;
        }
        for event in news.events.iter() {
            let cause = cx.cause;
            cx.cause = self.causes.get(&*event.kv.key).copied().unwrap_or(cause);
            let value = match event.kind {
                EventKind::Put => stored_value(&event.kv.value),
                EventKind::Delete => None,
            };
            if event.kind == EventKind::Delete || value.is_some() {
                let key = event.kv.key_text();
                self.on_stored(cx, key, value.as_deref(), event.kv.mod_revision);
            }
            self.backend.revision = self.backend.revision.max(event.kv.mod_revision);
            cx.cause = cause;
        }
        self.backend.revision = self.backend.revision.max(news.header.revision);
    }

    /// A call to etcd failed.
    pub(crate) fn on_etcd_failed(&mut self, cx: &mut Cx<'_>, errno: Errno) {
        if !self.backend.filled && cx.now.since(self.backend.started) >= START_PATIENCE {
            let why = errno.message().to_lowercase();
            cx.act(Action::Exit(format!(
                "Error: unable to create storage backend: dial tcp {}: connect: {why}",
                self.config.etcd
            )));
        }
        self.etcd_down(cx);
    }

    /// Gives the connection up and arranges for another.
    fn etcd_down(&mut self, cx: &mut Cx<'_>) {
        if let Some(call) = self.backend.watch.take() {
            self.calls.remove(&call);
            cx.act(Action::CallReset(call));
        }
        if !matches!(self.backend.state, State::Down(_)) {
            self.backend.state = State::Down(cx.now + self.backend.retry_after);
            self.backend.retry_after = (self.backend.retry_after * 2).min(RETRY_MOST);
        }
    }
}

/// The object a stored value is: shared as this server wrote it, or read from JSON that someone put
/// there by hand.
fn stored_value(blob: &etcd::Blob) -> Option<Rc<Measured>> {
    if let Some(measured) = net::downcast_shared(blob) {
        return Some(measured);
    }
    let value = match api::shared_value(&**blob) {
        Some(value) => value.clone(),
        None => Value::from_json(&blob.bytes()).ok().filter(Value::is_map)?,
    };
    Some(Rc::new(Measured::new(value)))
}
