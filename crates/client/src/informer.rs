//! Keeps a cache of one resource equal to the server's by listing it and watching from there.
//! Tells the owner what changed; knows no sockets, and nothing of what the objects mean.
//! Models client-go/tools/cache/reflector.go and shared_informer.go.

use std::collections::BTreeSet;

use api::{Str, Value};
use net::http::Body;
use sim::{Duration, Instant};

use crate::request::{self, ListOptions};
use crate::{
    Cache, CallId, Client, Delta, Env, Error, Incoming, Index, Key, Resource, Severity, answer,
};

/// Page size of lists that do not say which version they want.
const PAGE: u32 = 500;
/// Back-off after failures: `defaultMinWatchTimeout` and friends of reflector.go.
const BACKOFF_FIRST: Duration = Duration::from_millis(800);
const BACKOFF_MOST: Duration = Duration::from_secs(30);
/// A watch that ends this soon without a single event counts as a failure.
const SHORT_WATCH: Duration = Duration::from_secs(1);
/// Watches are asked to end after 5 to 10 minutes.
const WATCH_SECS: u64 = 300;

/// A reflector with its cache.
#[derive(Clone, Debug)]
pub struct Informer {
    resource: Resource,
    namespace: Str,
    selection: ListOptions,
    cache: Cache,
    state: State,
    /// Version of the last list, event or bookmark.
    version: Str,
    seen: u64,
    /// When the last complete list began.
    listed: Option<Instant>,
    /// The server said that `version` is not to be had: list what is newest.
    version_lost: bool,
    failures: u32,
    /// Bytes of a watch event whose line is not complete yet.
    partial: Vec<u8>,
}

#[derive(Clone, Debug)]
enum State {
    Idle,
    Waiting {
        until: Instant,
        relist: bool,
    },
    Listing {
        call: CallId,
        began: Instant,
        items: Vec<Value>,
    },
    Watching {
        call: CallId,
        began: Instant,
        events: u32,
    },
}

impl Informer {
    /// An informer of a resource, in one namespace or in all if `namespace` is empty, that asks for
    /// nothing until it is started.
    #[must_use]
    pub fn new(resource: Resource, namespace: &str, indexes: &[Index]) -> Informer {
        Informer {
            resource,
            namespace: namespace.into(),
            selection: ListOptions::default(),
            cache: Cache::new(indexes),
            state: State::Idle,
            version: Str::default(),
            seen: 0,
            listed: None,
            version_lost: false,
            failures: 0,
            partial: Vec::new(),
        }
    }

    /// The same, for objects that meet a field selector alone.
    #[must_use]
    pub fn with_fields(mut self, selector: &str) -> Informer {
        selector.clone_into(&mut self.selection.field_selector);
        self
    }

    /// The same, for objects that meet a label selector alone.
    #[must_use]
    pub fn with_labels(mut self, selector: &str) -> Informer {
        selector.clone_into(&mut self.selection.label_selector);
        self
    }

    /// What it lists.
    #[must_use]
    pub fn resource(&self) -> &Resource {
        &self.resource
    }

    /// The objects as last seen.
    #[must_use]
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Adds an index to the cache.
    pub fn add_index(&mut self, index: Index) {
        self.cache.add_index(index);
    }

    /// Whether the first list is complete.
    #[must_use]
    pub fn has_synced(&self) -> bool {
        self.listed.is_some()
    }

    /// Whether the cache reflects a write that the server answered at `answered` with this
    /// resourceVersion. A list begun after the answer reflects it whatever its version is: a
    /// restored store counts from an older one.
    #[must_use]
    pub fn has_seen(&self, version: u64, answered: Instant) -> bool {
        self.seen >= version || self.listed.is_some_and(|began| began > answered)
    }

    /// Begins to list, unless it is at work already.
    pub fn start<T>(&mut self, env: &mut Env<'_>, client: &mut Client<T>, tag: T) {
        if matches!(self.state, State::Idle) {
            self.list(env, client, tag, "");
        }
    }

    /// Gives up what is under way; the cache stays.
    pub fn stop<T>(&mut self, client: &mut Client<T>) {
        if let State::Listing { call, .. } | State::Watching { call, .. } = self.state {
            client.cancel(call);
        }
        self.state = State::Idle;
    }

    /// When `on_time` is to be called at the latest.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        match self.state {
            State::Waiting { until, .. } => Some(until),
            _ => None,
        }
    }

    /// Goes on after a back-off that is over.
    pub fn on_time<T>(&mut self, env: &mut Env<'_>, client: &mut Client<T>, tag: T) {
        match self.state {
            State::Waiting {
                until,
                relist: true,
            } if until <= env.now => {
                self.list(env, client, tag, "");
            }
            State::Waiting {
                until,
                relist: false,
            } if until <= env.now => {
                self.watch(env, client, tag);
            }
            _ => {}
        }
    }

    /// Takes a part of an answer to the call it has under way, and says what changed in the cache.
    pub fn on_incoming<T: Clone>(
        &mut self,
        env: &mut Env<'_>,
        client: &mut Client<T>,
        tag: T,
        incoming: &Incoming,
    ) -> Vec<Delta> {
        match &mut self.state {
            State::Listing { began, items, .. } => {
                let (began, items) = (*began, std::mem::take(items));
                self.on_list(env, client, tag, (began, items), incoming)
            }
            State::Watching { .. } => self.on_watch(env, client, tag, incoming),
            State::Idle | State::Waiting { .. } => Vec::new(),
        }
    }

    fn list<T>(&mut self, env: &mut Env<'_>, client: &mut Client<T>, tag: T, page: &str) {
        let mut options = self.selection.clone();
        options.limit = PAGE;
        page.clone_into(&mut options.continue_token);
        if page.is_empty() && !self.version_lost {
            let from = if self.version.is_empty() {
                "0"
            } else {
                &self.version
            };
            from.clone_into(&mut options.resource_version);
            // A limit would make it a list of that very version, however old, instead of one that
            // is at least as new.
            if !self.version.is_empty() {
                options.limit = 0;
            }
        }
        let request = request::list(&self.resource, &self.namespace, &options);
        let call = client.send(env.cause, tag, request);
        self.state = State::Listing {
            call,
            began: env.now,
            items: Vec::new(),
        };
    }

    fn on_list<T: Clone>(
        &mut self,
        env: &mut Env<'_>,
        client: &mut Client<T>,
        tag: T,
        (began, mut items): (Instant, Vec<Value>),
        incoming: &Incoming,
    ) -> Vec<Delta> {
        let list = match answer(incoming) {
            Ok(list) => list,
            Err(error) => {
                self.on_list_error(env, client, tag, &error);
                return Vec::new();
            }
        };
        items.extend(
            list.list_at("items")
                .iter()
                .map(|item| self.completed(item.clone())),
        );
        let page = list.str_at("metadata.continue");
        if !page.is_empty() {
            self.list(env, client, tag, page);
            if let State::Listing {
                began: first,
                items: kept,
                ..
            } = &mut self.state
            {
                (*first, *kept) = (began, items);
            }
            return Vec::new();
        }
        (self.failures, self.version_lost) = (0, false);
        self.listed = Some(began);
        self.set_version(list.metadata().get("resourceVersion"));
        let deltas = self.replace(items);
        self.watch(env, client, tag);
        deltas
    }

    fn on_list_error<T>(
        &mut self,
        env: &mut Env<'_>,
        client: &mut Client<T>,
        tag: T,
        error: &Error,
    ) {
        if (error.is_expired() || error.is_too_large_resource_version()) && !self.version_lost {
            self.version_lost = true;
            self.list(env, client, tag, "");
            return;
        }
        let text = format!(
            "\"Failed to watch\" err=\"failed to list *{}: {error}\" \
             logger=\"UnhandledError\" reflector=\"k8s.io/client-go/informers/factory.go:160\"",
            self.go_type()
        );
        env.log(Severity::Error, "reflector.go:205", &text);
        self.back_off(env, true);
    }

    fn watch<T>(&mut self, env: &mut Env<'_>, client: &mut Client<T>, tag: T) {
        let mut options = self.selection.clone();
        (*self.version).clone_into(&mut options.resource_version);
        let secs = WATCH_SECS + env.random.below(WATCH_SECS);
        let request = request::watch(&self.resource, &self.namespace, &options, secs);
        let call = client.send(env.cause, tag, request);
        self.partial.clear();
        self.state = State::Watching {
            call,
            began: env.now,
            events: 0,
        };
    }

    fn on_watch<T: Clone>(
        &mut self,
        env: &mut Env<'_>,
        client: &mut Client<T>,
        tag: T,
        incoming: &Incoming,
    ) -> Vec<Delta> {
        let State::Watching {
            call,
            began,
            events,
        } = self.state.clone()
        else {
            return Vec::new();
        };
        let body = match incoming {
            Incoming::Response(response) if response.status == 200 && response.more => {
                self.failures = 0;
                &response.body
            }
            Incoming::Response(_) => {
                let expired = answer(incoming).is_err_and(|error| error.is_expired());
                if expired {
                    self.list(env, client, tag, "");
                } else {
                    self.back_off(env, true);
                }
                return Vec::new();
            }
            Incoming::Data(body) => body,
            Incoming::End if events == 0 && env.now.since(began) < SHORT_WATCH => {
                self.back_off(env, false);
                return Vec::new();
            }
            Incoming::End => {
                self.watch(env, client, tag);
                return Vec::new();
            }
            Incoming::Failed(_) => {
                self.back_off(env, false);
                return Vec::new();
            }
        };
        let mut deltas = Vec::new();
        for event in self.events(body) {
            if let State::Watching { events, .. } = &mut self.state {
                *events += 1;
            }
            if event.str("type") == "ERROR" {
                client.cancel(call);
                let error = Error::of_status(500, event.get("object"));
                if error.is_expired() {
                    self.list(env, client, tag.clone(), "");
                } else {
                    self.back_off(env, true);
                }
                break;
            }
            deltas.extend(self.apply(&event));
        }
        deltas
    }

    /// The events in a part of a watch's body: one shared object, or lines of JSON, of which the
    /// last may be incomplete.
    fn events(&mut self, body: &Body) -> Vec<Value> {
        if let Body::Shared(_) = body {
            return api::body_value(body).into_iter().collect();
        }
        self.partial.extend_from_slice(&body.bytes());
        let Some(end) = self.partial.iter().rposition(|byte| *byte == b'\n') else {
            return Vec::new();
        };
        let rest = self.partial.split_off(end + 1);
        let lines = std::mem::replace(&mut self.partial, rest);
        lines
            .split(|byte| *byte == b'\n')
            .filter_map(|line| Value::from_json(line).ok())
            .collect()
    }

    fn apply(&mut self, event: &Value) -> Option<Delta> {
        let object = event.get("object");
        self.set_version(object.metadata().get("resourceVersion"));
        match event.str("type") {
            "ADDED" | "MODIFIED" => {
                let known = self.cache.get(&Key::of(object));
                let same = known.is_some_and(|known| {
                    known.resource_version() == object.resource_version()
                        && known.uid() == object.uid()
                });
                (!same).then(|| self.cache.insert(object.clone()))
            }
            "DELETED" => self.cache.remove(&Key::of(object)),
            _ => None,
        }
    }

    /// Makes the cache hold exactly these objects.
    fn replace(&mut self, items: Vec<Value>) -> Vec<Delta> {
        let kept: BTreeSet<Key> = items.iter().map(Key::of).collect();
        let gone: Vec<Key> = self
            .cache
            .iter()
            .map(|(key, _)| key)
            .filter(|k| !kept.contains(k))
            .cloned()
            .collect();
        let mut deltas: Vec<Delta> = gone
            .iter()
            .filter_map(|key| self.cache.remove(key))
            .collect();
        for item in items {
            let known = self.cache.get(&Key::of(&item));
            if known.is_none_or(|known| !known.same(&item)) {
                deltas.push(self.cache.insert(item));
            }
        }
        deltas
    }

    /// Items of a list leave out what the list says of all of them; here they say it themselves.
    fn completed(&self, mut item: Value) -> Value {
        if item.kind().is_empty() {
            item.set("kind", &*self.resource.kind);
            item.set("apiVersion", &*self.resource.api_version);
        }
        item
    }

    fn set_version(&mut self, version: &Value) {
        if let Some(version) = version.as_shared_str() {
            self.seen = version.parse().unwrap_or(self.seen);
            self.version = version.clone();
        }
    }

    fn back_off(&mut self, env: &mut Env<'_>, relist: bool) {
        let pause = BACKOFF_FIRST
            .saturating_mul(1 << self.failures.min(10))
            .min(BACKOFF_MOST);
        self.failures += 1;
        let jitter = u64::try_from(pause.as_nanos()).unwrap_or(u64::MAX);
        let pause = pause + Duration::from_nanos(env.random.below(jitter));
        // Nothing was ever listed: there is no version to watch from.
        let relist = relist || self.listed.is_none();
        self.state = State::Waiting {
            until: env.now + pause,
            relist,
        };
    }

    /// The type as Go prints it: `v1.Pod`.
    fn go_type(&self) -> String {
        let version = &self.resource.api_version;
        let version = version
            .split_once('/')
            .map_or(&**version, |(_, version)| version);
        format!("{version}.{}", self.resource.kind)
    }
}

#[cfg(test)]
mod tests;
