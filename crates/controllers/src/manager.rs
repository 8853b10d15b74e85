//! kube-controller-manager without its process: hosts the controllers, with shared informers, a
//! work queue and an event recorder each, behind leader election.
//! Models cmd/kube-controller-manager/app/controllermanager.go.

use std::collections::BTreeMap;

use api::kinds::{self, custom};
use api::{Str, Value};
use client::{
    CUSTOM_RESOURCE_DEFINITIONS, CallId, Candidacy, Client, Component, Delta, Env, Error,
    EventRecorder, Identity, Incoming, Informers, Key, Ledger, Occurrence, Outgoing, Resource,
    Severity, Sight, Style, WorkQueue, answer,
};
use sim::{EntryId, Instant, Kind};

use crate::controller::{Agenda, Controller, Cx, Effect, Effects, Outcome, Write};
use crate::customs;

const NAME: &str = "kube-controller-manager";

/// A controller decided to write something.
pub const ACTED: Kind = Kind {
    name: "controller.acted",
    says: "{0} acts on {1}",
};

/// How kube-controller-manager runs.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Whose requests it sends.
    pub identity: Identity,
    /// The holder of the lease, made unique; none to run without leader election.
    pub holder: Option<Str>,
}

/// The component.
#[derive(Clone, Debug)]
pub struct ControllerManager {
    client: Client<Tag>,
    informers: Informers,
    controllers: Vec<Hosted>,
    /// Numbers of the controllers that watch each informer's resource.
    watchers: Vec<Vec<usize>>,
    /// Number of the informer of definitions, if anybody wants to hear of kinds that come.
    definitions: Option<usize>,
    ledger: Ledger<Owner>,
    candidacy: Candidacy,
    /// Tells of leadership.
    recorder: EventRecorder,
}

/// A controller with all it needs.
#[derive(Clone, Debug)]
struct Hosted {
    controller: Box<dyn Controller>,
    recorder: EventRecorder,
    queue: WorkQueue<Key>,
    /// Numbers of the informers it waits for.
    needs: Vec<usize>,
    started: bool,
    /// What led to each key being queued.
    causes: BTreeMap<Key, EntryId>,
    /// What has come so far of the writes of keys under way.
    outcomes: BTreeMap<Key, Open>,
}

/// The writes of a key's last sync.
#[derive(Clone, Debug, Default)]
struct Open {
    outcome: Outcome,
    asked: bool,
}

/// A key of a controller.
type Owner = (usize, Key);

/// What a call is for.
#[derive(Clone, Debug)]
enum Tag {
    Informer(usize),
    Election,
    LeaderEvent,
    Event(usize),
    Write(Box<(Owner, Write)>),
}

impl ControllerManager {
    /// A manager of these controllers. They act in this order.
    #[must_use]
    pub fn new(options: Options, controllers: Vec<Box<dyn Controller>>) -> ControllerManager {
        let Options { identity, holder } = options;
        let mut informers = Informers::new();
        let controllers: Vec<Hosted> = controllers
            .into_iter()
            .map(|c| Hosted::new(c, &mut informers))
            .collect();
        let follows = controllers.iter().any(|h| h.controller.follows_customs());
        let definitions = follows.then(|| informers.watch(&CUSTOM_RESOURCE_DEFINITIONS, &[]));
        let watchers = (0..informers.iter().count())
            .map(|n| {
                (0..controllers.len())
                    .filter(|c| controllers[*c].needs.contains(&n))
                    .collect()
            })
            .collect();
        ControllerManager {
            client: Client::new(identity),
            informers,
            controllers,
            watchers,
            definitions,
            ledger: Ledger::new(),
            candidacy: Candidacy::new(NAME, holder, "controllermanager.go:340"),
            recorder: EventRecorder::new(NAME, "", Style::Counted),
        }
    }

    /// Whether its controllers act.
    #[must_use]
    pub fn is_leading(&self) -> bool {
        self.candidacy.is_leading()
    }

    /// Whether something waits to be sent.
    #[must_use]
    pub fn next_outgoing_waits(&self) -> bool {
        self.client.has_outgoing()
    }

    /// The shared informers.
    #[must_use]
    pub fn informers(&self) -> &Informers {
        &self.informers
    }

    fn lead(&mut self, env: &mut Env<'_>) {
        self.informers.start(env, &mut self.client, Tag::Informer);
        if self.informers.iter().count() == 0 {
            self.work(env);
        }
    }

    fn on_deltas(&mut self, env: &Env<'_>, number: usize, deltas: &[Delta]) {
        let Some(informer) = self.informers.get(number) else {
            return;
        };
        let resource = informer.resource();
        for watcher in &self.watchers[number] {
            let hosted = &mut self.controllers[*watcher];
            let mut agenda = Agenda {
                now: env.now,
                informers: &self.informers,
                keys: Vec::new(),
            };
            for delta in deltas {
                hosted.controller.on_delta(&mut agenda, resource, delta);
            }
            let keys = agenda.keys;
            hosted.enqueue(env, keys);
        }
        for owner in self.ledger.seen(number, informer, deltas) {
            self.release(env, &owner);
        }
    }

    /// Definitions changed: their kinds come and go.
    fn on_definitions(&mut self, env: &mut Env<'_>, deltas: &[Delta]) {
        for delta in deltas {
            let was = delta.old.as_ref().and_then(customs::described);
            let is = delta.new.as_ref().and_then(customs::described);
            match (was, is) {
                (None, Some(resource)) => {
                    let kinds = custom::of_definition(delta.object());
                    if let Some(kind) = kinds.first() {
                        self.learn(env, &resource, kind);
                    }
                }
                (Some(resource), None) => {
                    for hosted in &mut self.controllers {
                        hosted.controller.forget(&resource);
                    }
                    self.informers.retire(&resource, &mut self.client);
                }
                _ => {}
            }
        }
    }

    fn learn(&mut self, env: &mut Env<'_>, resource: &Resource, kind: &'static kinds::Kind) {
        let mut watchers = Vec::new();
        for (number, hosted) in self.controllers.iter_mut().enumerate() {
            if hosted.controller.learn(resource, kind) {
                watchers.push(number);
            }
        }
        if watchers.is_empty() {
            return;
        }
        let number = self.informers.watch(resource, &[]);
        if self.watchers.len() <= number {
            self.watchers.resize(number + 1, Vec::new());
        }
        self.watchers[number] = watchers;
        let tag = Tag::Informer(number);
        self.informers
            .start_one(env, &mut self.client, (number, tag));
    }

    /// A key's writes were answered and seen: it may be synced again, and is if something changed,
    /// if it asked for answers, or, after a pause, if a write failed.
    fn release(&mut self, env: &Env<'_>, (number, key): &Owner) {
        let hosted = &mut self.controllers[*number];
        let Some(open) = hosted.outcomes.get(key) else {
            return;
        };
        if open.outcome.error.is_some() {
            hosted.queue.add_rate_limited(key.clone(), env.now);
        } else {
            hosted.queue.forget(key);
            if open.asked {
                hosted.queue.add(key.clone());
            } else {
                hosted.outcomes.remove(key);
            }
        }
        hosted.queue.done(key);
    }

    /// Syncs every key that is ready.
    fn work(&mut self, env: &mut Env<'_>) {
        if !self.is_leading() {
            return;
        }
        for number in 0..self.controllers.len() {
            if !self.started(env, number) {
                continue;
            }
            while let Some(key) = self.controllers[number].queue.take(env.now) {
                self.sync(env, number, key);
            }
            let hosted = &mut self.controllers[number];
            hosted
                .recorder
                .flush(env, &mut self.client, &Tag::Event(number));
        }
    }

    /// Whether a controller's caches are filled; starts it the first time they are.
    fn started(&mut self, env: &Env<'_>, number: usize) -> bool {
        let hosted = &mut self.controllers[number];
        if hosted.started {
            return true;
        }
        let informers = &self.informers;
        let synced = |n: &usize| informers.get(*n).is_none_or(client::Informer::has_synced);
        if !hosted.needs.iter().all(synced) {
            return false;
        }
        hosted.started = true;
        let mut agenda = Agenda {
            now: env.now,
            informers,
            keys: Vec::new(),
        };
        hosted.controller.start(&mut agenda);
        let keys = agenda.keys;
        hosted.enqueue(env, keys);
        true
    }

    fn sync(&mut self, env: &mut Env<'_>, number: usize, key: Key) {
        let before = env.cause;
        let hosted = &mut self.controllers[number];
        env.cause = hosted.causes.remove(&key).unwrap_or(before);
        let outcome = hosted.outcomes.remove(&key).unwrap_or_default().outcome;
        let mut cx = Cx {
            now: env.now,
            random: &mut *env.random,
            outcome,
            informers: &self.informers,
            effects: Effects::default(),
        };
        hosted.controller.sync(&mut cx, &key);
        let effects = cx.effects;
        if !effects.writes.is_empty() {
            env.note(
                &ACTED,
                &[
                    hosted.controller.name().into(),
                    key.to_string().as_str().into(),
                ],
            );
        }
        for occurrence in &effects.events {
            hosted.recorder.record(env, occurrence);
        }
        hosted.enqueue(env, effects.keys);
        if let Some(delay) = effects.requeue {
            hosted.enqueue(env, vec![(key.clone(), delay)]);
        }
        if effects.writes.is_empty() {
            if effects.retry {
                hosted.queue.add_rate_limited(key.clone(), env.now);
            } else {
                hosted.queue.forget(&key);
            }
            hosted.queue.done(&key);
        } else {
            let mut open = Open::default();
            for write in &effects.writes {
                open.asked |= write.place.is_some();
            }
            hosted.outcomes.insert(key.clone(), open);
            for write in effects.writes {
                self.send(env, (number, key.clone()), write);
            }
        }
        env.cause = before;
    }

    fn send(&mut self, env: &Env<'_>, owner: Owner, mut write: Write) {
        if let Some(request) = write.request.take() {
            self.ledger.sent(&owner);
            self.client
                .send(env.cause, Tag::Write(Box::new((owner, write))), request);
        }
    }

    fn on_write(&mut self, env: &Env<'_>, (owner, write): (Owner, &Write), incoming: &Incoming) {
        let result = answer(incoming);
        let hosted = &mut self.controllers[owner.0];
        let failed = result
            .as_ref()
            .is_err_and(|error| !is_harmless(write, error));
        let saying = match &result {
            Ok(_) => &write.on_success,
            Err(_) if failed => &write.on_error,
            Err(_) => &None,
        };
        if let Some(saying) = saying {
            hosted.recorder.record(env, &saying.occurrence(&result));
        }
        let sight = result
            .as_ref()
            .ok()
            .and_then(|object| self.sight(env.now, write, object));
        let hosted = &mut self.controllers[owner.0];
        let open = hosted.outcomes.entry(owner.1.clone()).or_default();
        match (&result, write.place) {
            (_, Some(place)) => {
                if open.outcome.answers.len() <= place {
                    open.outcome.answers.resize(place + 1, Ok(Value::Null));
                }
                open.outcome.answers[place] = result;
            }
            (Err(error), None) if failed => {
                open.outcome.error.get_or_insert_with(|| error.clone());
            }
            (_, None) => {}
        }
        if self.ledger.answered(&self.informers, &owner, sight) {
            self.release(env, &owner);
        }
    }

    fn sight(&self, now: Instant, write: &Write, answered: &Value) -> Option<(usize, Sight)> {
        let number = self.informers.number(&write.resource)?;
        let sight = match &write.effect {
            Effect::Version => Sight::Version(answered.resource_version().parse().ok()?, now),
            Effect::Deleted(key, uid) => Sight::Deleted(key.clone(), uid.clone()),
            Effect::None => return None,
        };
        Some((number, sight))
    }

    /// The election was won, if there is an event that says so.
    fn won(&mut self, env: &mut Env<'_>, won: Option<Occurrence>) {
        if let Some(won) = won {
            self.recorder.record(env, &won);
            self.lead(env);
        }
        self.recorder
            .flush(env, &mut self.client, &Tag::LeaderEvent);
    }
}

impl Hosted {
    fn new(controller: Box<dyn Controller>, informers: &mut Informers) -> Hosted {
        let watches = controller.watches();
        let needs = watches
            .iter()
            .map(|(resource, i)| informers.watch(resource, i))
            .collect();
        Hosted {
            recorder: EventRecorder::new(controller.name(), "", Style::Counted),
            controller,
            queue: WorkQueue::new(),
            needs,
            started: false,
            causes: BTreeMap::new(),
            outcomes: BTreeMap::new(),
        }
    }

    fn enqueue(&mut self, env: &Env<'_>, keys: Vec<(Key, sim::Duration)>) {
        for (key, delay) in keys {
            self.causes.insert(key.clone(), env.cause);
            self.queue.add_after(key, env.now, delay);
        }
    }
}

/// What fails because someone else was there first needs no second try: the object to be deleted is
/// gone, the namespace to be filled goes away.
fn is_harmless(write: &Write, error: &Error) -> bool {
    let deletes = matches!(write.effect, Effect::Deleted(..));
    error.is_namespace_terminating() || deletes && (error.is_not_found() || error.is_conflict())
}

impl Component for ControllerManager {
    fn start(&mut self, env: &mut Env<'_>) {
        env.log(
            Severity::Info,
            "controllermanager.go:186",
            &format!(
                "\"Starting\" version=\"{}\"",
                self.client.identity().release()
            ),
        );
        if self.candidacy.start(env, &mut self.client, Tag::Election) {
            self.lead(env);
        }
    }

    fn on_incoming(&mut self, env: &mut Env<'_>, call: CallId, incoming: &Incoming) {
        let Some(tag) = self.client.tag(call, incoming) else {
            return;
        };
        match tag {
            Tag::Informer(number) => {
                let (tag, client) = (Tag::Informer(number), &mut self.client);
                let deltas = self
                    .informers
                    .on_incoming(env, client, tag, (number, incoming));
                self.on_deltas(env, number, &deltas);
                if self.definitions == Some(number) {
                    self.on_definitions(env, &deltas);
                }
            }
            Tag::Election => {
                let (client, tag) = (&mut self.client, Tag::Election);
                let won = self.candidacy.on_incoming(env, client, tag, incoming);
                self.won(env, won);
            }
            Tag::LeaderEvent => {
                let (tag, part) = (Tag::LeaderEvent, (call, incoming));
                self.recorder.on_incoming(env, &mut self.client, &tag, part);
            }
            Tag::Event(number) => {
                let (tag, part) = (Tag::Event(number), (call, incoming));
                let recorder = &mut self.controllers[number].recorder;
                recorder.on_incoming(env, &mut self.client, &tag, part);
            }
            Tag::Write(write) => {
                let (owner, write) = *write;
                self.on_write(env, (owner, &write), incoming);
            }
        }
        self.work(env);
    }

    fn on_time(&mut self, env: &mut Env<'_>) {
        self.informers.on_time(env, &mut self.client, Tag::Informer);
        let client = &mut self.client;
        let won = self.candidacy.on_time(env, client, Tag::Election);
        self.won(env, won);
        self.work(env);
    }

    fn next_deadline(&self) -> Option<Instant> {
        let ready = |hosted: &&Hosted| self.is_leading() && hosted.started;
        let queues = self
            .controllers
            .iter()
            .filter(ready)
            .filter_map(|h| h.queue.next_deadline());
        let recorders = self
            .controllers
            .iter()
            .filter_map(|h| h.recorder.next_deadline());
        let own = [
            self.candidacy.next_deadline(),
            self.informers.next_deadline(),
            self.recorder.next_deadline(),
        ];
        own.into_iter()
            .flatten()
            .chain(queues)
            .chain(recorders)
            .min()
    }

    fn next_outgoing(&mut self) -> Option<Outgoing> {
        self.client.next_outgoing()
    }

    fn stop(&mut self, _: &mut Env<'_>) {
        self.candidacy.step_down();
    }

    fn must_exit(&self) -> bool {
        self.candidacy.has_lost()
    }
}
