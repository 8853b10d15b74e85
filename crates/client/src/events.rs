//! Records what a component did as Event objects: repeats are counted on one object, floods are
//! folded together or dropped. Writes nothing itself; requests go out through the `Client`.
//! Models client-go/tools/record (`Style::Counted`) and client-go/tools/events (`Style::Series`).

use std::collections::VecDeque;

use api::{Str, Value, object};
use net::http::Request;
use sim::{Duration, EntryId, Instant};

use crate::request::{self, Patch};
use crate::{CallId, Client, EVENTS, Env, Incoming, Resource, answer};

mod correlator;
mod series;

use correlator::{Correlator, Verdict};
use series::SeriesCache;

/// How often a write is tried again after the connection failed, and the pause between.
const TRIES: u32 = 12;
const RETRY: Duration = Duration::from_secs(10);
/// Length at which upstream cuts a message of the new style.
const NOTE_LENGTH: usize = 1024;

/// Whether an event tells of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventType {
    /// For information.
    Normal,
    /// Something may be wrong.
    Warning,
}

/// How events are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Style {
    /// `count`, `firstTimestamp`, `lastTimestamp`: most components.
    Counted,
    /// `eventTime` and `series`: the scheduler. The text is the reporting instance.
    Series(Str),
}

/// The object an event is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub struct Involved {
    pub api_version: Str,
    pub kind: Str,
    pub namespace: Str,
    pub name: Str,
    pub uid: Str,
    /// Empty where upstream leaves it out.
    pub resource_version: Str,
    /// `spec.containers{nginx}`, or empty.
    pub field_path: Str,
}

/// What is to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// What it is about.
    pub involved: Involved,
    /// Normal or Warning.
    pub event_type: EventType,
    /// `ScalingReplicaSet`.
    pub reason: Str,
    /// What was attempted; only written in the `Series` style.
    pub action: Str,
    /// For people.
    pub message: String,
}

/// A component's event recorder.
#[derive(Clone, Debug)]
pub struct EventRecorder {
    component: Str,
    host: Str,
    style: Style,
    correlator: Correlator,
    series: SeriesCache,
    waiting: VecDeque<Write>,
    under_way: Vec<(CallId, Write)>,
    retry_at: Option<Instant>,
    /// The time in the name of the last event, in Unix nanoseconds.
    named: u64,
}

/// A request that is not answered yet.
#[derive(Clone, Debug)]
struct Write {
    event: Value,
    /// Set where the event exists already: what to change in it.
    patch: Option<Value>,
    tries: u32,
    cause: EntryId,
}

impl EventType {
    /// `Normal` or `Warning`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            EventType::Normal => "Normal",
            EventType::Warning => "Warning",
        }
    }
}

impl Involved {
    /// A reference to an object of a resource.
    #[must_use]
    pub fn of(resource: &Resource, object: &Value) -> Involved {
        let shared = |field: &str| {
            object
                .metadata()
                .get(field)
                .as_shared_str()
                .cloned()
                .unwrap_or_default()
        };
        Involved {
            api_version: Str::from(&*resource.api_version),
            kind: Str::from(&*resource.kind),
            namespace: shared("namespace"),
            name: shared("name"),
            uid: shared("uid"),
            resource_version: shared("resourceVersion"),
            field_path: Str::default(),
        }
    }

    /// The same, about a part of the object.
    #[must_use]
    pub fn with_field_path(mut self, path: impl Into<Str>) -> Involved {
        self.field_path = path.into();
        self
    }

    fn object(&self) -> Value {
        let mut object = object! { "kind": &self.kind, "name": &self.name };
        object.set_or_remove("namespace", &self.namespace);
        object.set_or_remove("uid", &self.uid);
        object.set_or_remove("apiVersion", &self.api_version);
        object.set_or_remove("resourceVersion", &self.resource_version);
        object.set_or_remove("fieldPath", &self.field_path);
        object
    }

    /// Events about cluster-scoped objects live in `default`.
    fn event_namespace(&self) -> &str {
        if self.namespace.is_empty() {
            "default"
        } else {
            &self.namespace
        }
    }
}

impl EventRecorder {
    /// A recorder for a component. `host` is set by components of a node, else empty.
    pub fn new(component: impl Into<Str>, host: impl Into<Str>, style: Style) -> EventRecorder {
        EventRecorder {
            component: component.into(),
            host: host.into(),
            style,
            correlator: Correlator::default(),
            series: SeriesCache::default(),
            waiting: VecDeque::new(),
            under_way: Vec::new(),
            retry_at: None,
            named: 0,
        }
    }

    /// Records an occurrence. What is to be written waits for `flush`.
    pub fn record(&mut self, env: &Env<'_>, occurrence: &Occurrence) {
        let write = match self.style.clone() {
            Style::Counted => self.counted(env.now, occurrence),
            Style::Series(instance) => self.serial(env.now, occurrence, &instance),
        };
        if let Some((event, patch)) = write {
            self.waiting.push_back(Write {
                event,
                patch,
                tries: 0,
                cause: env.cause,
            });
        }
    }

    /// Sends what waits. Counted events go one after another, since a later one may change an
    /// earlier one's object; the others all at once.
    pub fn flush<T: Clone>(&mut self, env: &Env<'_>, client: &mut Client<T>, tag: &T) {
        if self.retry_at.is_some_and(|at| at > env.now) {
            return;
        }
        self.retry_at = None;
        let one_by_one = self.style == Style::Counted;
        while !one_by_one || self.under_way.is_empty() {
            let Some(write) = self.waiting.pop_front() else {
                return;
            };
            let call = client.send(write.cause, tag.clone(), write.request());
            self.under_way.push((call, write));
        }
    }

    /// Takes the answer to one of its calls.
    pub fn on_incoming<T: Clone>(
        &mut self,
        env: &Env<'_>,
        client: &mut Client<T>,
        tag: &T,
        (call, incoming): (CallId, &Incoming),
    ) {
        let Some(at) = self.under_way.iter().position(|(id, _)| *id == call) else {
            return;
        };
        let (_, mut write) = self.under_way.remove(at);
        match answer(incoming) {
            Err(error) if error.errno.is_some() && write.tries < TRIES => {
                write.tries += 1;
                self.waiting.push_front(write);
                self.retry_at = Some(env.now + RETRY);
            }
            // The event expired meanwhile: write it as a new one.
            Err(error) if error.is_not_found() && write.patch.is_some() => {
                write.patch = None;
                self.waiting.push_front(write);
            }
            // Upstream logs other refusals and drops the event.
            _ => {}
        }
        self.flush(env, client, tag);
    }

    /// When `flush` is to be called at the latest.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.retry_at
    }

    fn counted(&mut self, now: Instant, occurrence: &Occurrence) -> Option<(Value, Option<Value>)> {
        let name = self.event_name(&occurrence.involved.name, now);
        let verdict = self.correlator.correlate(now, occurrence, name);
        let (counted, message) = match verdict {
            Verdict::Dropped => return None,
            Verdict::Counted { counted, message } => (counted, message),
        };
        let mut event = self.event(occurrence, &counted.name, &message, &self.host);
        let last = now.rfc3339();
        event.set("firstTimestamp", counted.first.rfc3339());
        event.set("lastTimestamp", last.as_str());
        event.set("count", counted.count);
        event.set("source.component", &self.component);
        event.set_or_remove("source.host", &self.host);
        let patch = (counted.count > 1).then(|| {
            object! { "count": counted.count, "lastTimestamp": last, "message": message }
        });
        Some((event, patch))
    }

    fn serial(
        &mut self,
        now: Instant,
        occurrence: &Occurrence,
        instance: &Str,
    ) -> Option<(Value, Option<Value>)> {
        let name = self.event_name(&occurrence.involved.name, now);
        let repeated = self.series.repeated(now, occurrence, name)?;
        let mut message = occurrence.message.clone();
        if message.len() > NOTE_LENGTH {
            let end = (0..=NOTE_LENGTH)
                .rev()
                .find(|i| message.is_char_boundary(*i))
                .unwrap_or(0);
            message.truncate(end);
        }
        let mut event = self.event(occurrence, &repeated.name, &message, instance);
        event.set("eventTime", repeated.first.rfc3339_micro());
        event.set("action", &occurrence.action);
        event.set("source", Value::empty_map());
        let patch = (repeated.count > 1).then(|| {
            let observed = now.rfc3339_micro();
            object! { "series": { "count": repeated.count, "lastObservedTime": observed } }
        });
        if let Some(patch) = &patch {
            event.set("series", patch.get("series"));
        }
        Some((event, patch))
    }

    /// The name upstream gives an event: the object's, and the time in hexadecimal. Virtual time
    /// may stand still between two events, and two components may tell of one object at one time,
    /// so nanoseconds that nothing else depends on make the difference.
    fn event_name(&mut self, object: &str, now: Instant) -> Str {
        let own = self
            .component
            .bytes()
            .fold(7_u64, |sum, byte| sum * 31 % 997 + u64::from(byte));
        let unix = now.unix_secs().unsigned_abs() * 1_000_000_000 + u64::from(now.subsec_nanos());
        self.named = (unix + own).max(self.named + 1);
        Str::from(format!("{object}.{:x}", self.named))
    }

    fn event(&self, o: &Occurrence, name: &str, message: &str, instance: &Str) -> Value {
        object! {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": { "name": name, "namespace": o.involved.event_namespace() },
            "involvedObject": (o.involved.object()),
            "type": (o.event_type.as_str()),
            "reason": &o.reason,
            "message": message,
            "reportingComponent": &self.component,
            "reportingInstance": instance,
        }
    }
}

impl Write {
    fn request(&self) -> Request {
        let (namespace, name) = (self.event.namespace(), self.event.name());
        match &self.patch {
            Some(patch) => request::patch(
                &EVENTS,
                namespace,
                name,
                "",
                Patch::Strategic,
                patch.clone(),
            ),
            None => request::create(&EVENTS, namespace, self.event.clone()),
        }
    }
}

#[cfg(test)]
mod tests;
