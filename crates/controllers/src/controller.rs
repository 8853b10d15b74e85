//! What a controller is: it watches some resources, maps what changed to keys, and syncs a key by
//! comparing what its caches show with what should be, and writing the difference. It sees nothing
//! but caches and answers to its own writes, and writes nothing but through its context.

use std::collections::VecDeque;
use std::fmt;

use api::kinds::Kind;
use api::{Str, Value};
use client::{
    Cache, DeleteOptions, Delta, Error, EventType, Index, Informers, Involved, Key, Occurrence,
    Patch, Resource, request,
};
use net::http::Request;
use sim::{Duration, Instant, Stream};

/// A controller. State of its own is a cache of what the informers showed, or a memory of what it
/// has begun; losing it must do no harm.
pub trait Controller: fmt::Debug {
    /// What its events are reported by: `deployment-controller`.
    fn name(&self) -> &'static str;

    /// What it watches, and the indexes it asks the caches for.
    fn watches(&self) -> Vec<(Resource, &'static [Index])>;

    /// Whether it wants to hear of kinds that are not built in.
    fn follows_customs(&self) -> bool {
        false
    }

    /// A kind that is not built in is served from now on. Says whether its objects are to be
    /// watched, too.
    fn learn(&mut self, resource: &Resource, kind: &'static Kind) -> bool {
        let _ = (resource, kind);
        false
    }

    /// A kind that was learnt is served no more.
    fn forget(&mut self, resource: &Resource) {
        let _ = resource;
    }

    /// Its caches are filled.
    fn start(&mut self, agenda: &mut Agenda<'_>) {
        let _ = agenda;
    }

    /// An object of a resource it watches changed.
    fn on_delta(&mut self, agenda: &mut Agenda<'_>, resource: &Resource, delta: &Delta);

    /// Brings what a key stands for closer to what it should be. Called again when the writes of
    /// this call were answered and seen, if anything changed by then.
    fn sync(&mut self, cx: &mut Cx<'_>, key: &Key);

    /// A copy.
    fn boxed_clone(&self) -> Box<dyn Controller>;
}

impl Clone for Box<dyn Controller> {
    fn clone(&self) -> Self {
        self.boxed_clone()
    }
}

/// Where a controller puts keys while it looks at changes.
pub struct Agenda<'a> {
    /// The time.
    pub now: Instant,
    /// The caches.
    pub informers: &'a Informers,
    pub(crate) keys: Vec<(Key, Duration)>,
}

/// What a controller sees and does while it syncs one key.
pub struct Cx<'a> {
    /// The time.
    pub now: Instant,
    /// The machine's random stream.
    pub random: &'a mut Stream,
    /// What came of the writes of this key's last sync.
    pub outcome: Outcome,
    pub(crate) informers: &'a Informers,
    pub(crate) effects: Effects,
}

/// What a sync asks for.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    pub(crate) writes: VecDeque<Write>,
    pub(crate) events: Vec<Occurrence>,
    pub(crate) keys: Vec<(Key, Duration)>,
    pub(crate) requeue: Option<Duration>,
    pub(crate) retry: bool,
}

/// What came of the writes of one sync.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// What the first of those that failed failed with. None if all succeeded, or there were none.
    pub error: Option<Error>,
    /// What the requests made by `ask` were answered, in the order they were made.
    pub answers: Vec<Result<Value, Error>>,
}

/// A request made for a key.
#[derive(Clone, Debug)]
pub struct Write {
    /// None once it was sent.
    pub(crate) request: Option<Request>,
    pub(crate) resource: Resource,
    pub(crate) effect: Effect,
    pub(crate) on_success: Option<Saying>,
    pub(crate) on_error: Option<Saying>,
    /// Place among the answers, for `ask`.
    pub(crate) place: Option<usize>,
}

/// How one will see that a write has taken effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The resourceVersion it was answered.
    Version,
    /// The object is terminating or gone.
    Deleted(Key, Str),
    /// There is nothing to see.
    None,
}

/// An event that depends on an answer: `{name}` in its message becomes the answered object's name,
/// `{error}` the error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saying {
    /// What it is about.
    pub involved: Involved,
    /// Normal or Warning.
    pub event_type: EventType,
    /// `SuccessfulCreate`.
    pub reason: &'static str,
    /// With placeholders.
    pub message: String,
}

impl Saying {
    /// An ordinary event.
    pub fn normal(involved: &Involved, reason: &'static str, message: impl Into<String>) -> Saying {
        let (event_type, message) = (EventType::Normal, message.into());
        Saying {
            involved: involved.clone(),
            event_type,
            reason,
            message,
        }
    }

    /// An event that tells of a problem.
    pub fn warning(
        involved: &Involved,
        reason: &'static str,
        message: impl Into<String>,
    ) -> Saying {
        Saying {
            event_type: EventType::Warning,
            ..Saying::normal(involved, reason, message)
        }
    }

    pub(crate) fn occurrence(&self, answer: &Result<Value, Error>) -> Occurrence {
        let (name, error) = match answer {
            Ok(object) => (object.name(), String::new()),
            Err(error) => ("", error.to_string()),
        };
        Occurrence {
            involved: self.involved.clone(),
            event_type: self.event_type,
            reason: self.reason.into(),
            action: Str::default(),
            message: self
                .message
                .replace("{name}", name)
                .replace("{error}", &error),
        }
    }
}

impl Write {
    /// Records an event if it succeeds.
    pub fn says(&mut self, saying: Saying) -> &mut Write {
        self.on_success = Some(saying);
        self
    }

    /// Records an event if it fails.
    pub fn laments(&mut self, saying: Saying) -> &mut Write {
        self.on_error = Some(saying);
        self
    }
}

impl<'a> Agenda<'a> {
    /// What is known of a resource.
    #[must_use]
    pub fn cache(&self, resource: &Resource) -> &'a Cache {
        self.informers.cache(resource)
    }

    /// A key is to be synced.
    pub fn add(&mut self, key: Key) {
        self.keys.push((key, Duration::ZERO));
    }

    /// A key is to be synced later.
    pub fn add_after(&mut self, key: Key, delay: Duration) {
        self.keys.push((key, delay));
    }
}

impl<'a> Cx<'a> {
    /// What is known of a resource.
    #[must_use]
    pub fn cache(&self, resource: &Resource) -> &'a Cache {
        self.informers.cache(resource)
    }

    /// Creates an object in the namespace it names.
    pub fn create(&mut self, resource: &Resource, object: Value) -> &mut Write {
        let namespace = object.namespace().to_owned();
        let request = request::create(resource, &namespace, object);
        self.push(resource, request, Effect::Version)
    }

    /// Replaces an object; the status is left as it is.
    pub fn update(&mut self, resource: &Resource, object: Value) -> &mut Write {
        self.push(
            resource,
            request::update(resource, object, ""),
            Effect::Version,
        )
    }

    /// Replaces an object's status.
    pub fn update_status(&mut self, resource: &Resource, object: Value) -> &mut Write {
        self.update_through(resource, object, "status")
    }

    /// Replaces an object through a subresource.
    pub fn update_through(
        &mut self,
        resource: &Resource,
        object: Value,
        subresource: &str,
    ) -> &mut Write {
        let request = request::update(resource, object, subresource);
        self.push(resource, request, Effect::Version)
    }

    /// Patches an object, or a subresource of it unless that is empty.
    pub fn patch(
        &mut self,
        resource: &Resource,
        key: &Key,
        subresource: &str,
        form: Patch,
        document: Value,
    ) -> &mut Write {
        let (namespace, name) = (&key.namespace, &key.name);
        let request = request::patch(resource, namespace, name, subresource, form, document);
        self.push(resource, request, Effect::Version)
    }

    /// Deletes an object, if it is still the one of `object`'s uid.
    pub fn delete(
        &mut self,
        resource: &Resource,
        object: &Value,
        options: DeleteOptions,
    ) -> &mut Write {
        let key = Key::of(object);
        let options = options.for_uid(object.uid());
        let request = request::delete(resource, &key.namespace, &key.name, &options);
        self.push(
            resource,
            request,
            Effect::Deleted(key, Str::from(object.uid())),
        )
    }

    /// Makes any request. The answer is among the next sync's `outcome.answers`, in the order of
    /// the calls; that sync follows as soon as all are answered.
    pub fn ask(&mut self, resource: &Resource, request: Request) -> &mut Write {
        let place = self
            .effects
            .writes
            .iter()
            .filter(|write| write.place.is_some())
            .count();
        let write = self.push(resource, request, Effect::None);
        write.place = Some(place);
        write
    }

    /// Records an event.
    pub fn event(&mut self, saying: Saying) {
        let answer = Ok(Value::Null);
        self.effects.events.push(saying.occurrence(&answer));
    }

    /// Syncs the key again after a while, whatever happens.
    pub fn requeue_after(&mut self, delay: Duration) {
        let known = self.effects.requeue.unwrap_or(Duration::MAX);
        self.effects.requeue = Some(known.min(delay));
    }

    /// Syncs the key again after a pause that grows each time.
    pub fn retry(&mut self) {
        self.effects.retry = true;
    }

    /// Another key is to be synced.
    pub fn add(&mut self, key: Key) {
        self.effects.keys.push((key, Duration::ZERO));
    }

    /// Another key is to be synced later.
    pub fn add_after(&mut self, key: Key, delay: Duration) {
        self.effects.keys.push((key, delay));
    }

    fn push(&mut self, resource: &Resource, request: Request, effect: Effect) -> &mut Write {
        let resource = resource.clone();
        let (on_success, on_error, place) = (None, None, None);
        self.effects.writes.push_back(Write {
            request: Some(request),
            resource,
            effect,
            on_success,
            on_error,
            place,
        });
        self.effects.writes.back_mut().expect("pushed just above")
    }
}
