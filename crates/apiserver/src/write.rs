//! A write from its decoded request to its answer: planned against the caches, sent to etcd as one
//! transaction, and planned again where somebody else was quicker.
//!
//! Models apiserver/pkg/registry/generic/registry/store.go and storage/etcd3's GuaranteedUpdate.

use std::rc::Rc;

use api::kinds::Kind;
use api::kinds::support::quota::Amounts;
use api::{Measured, Status, Str, Value, status};
use etcd::{ReplyBody, read_reply};
use net::http::Response;
use sim::{Arg, Duration, EntryId, Instant, Kind as EntryKind, Stream};

use crate::admission;
use crate::authn::User;
use crate::cache::Entry;
use crate::consult::{Consulted, Question, Waiting};
use crate::delete::DeleteOptions;
use crate::effect::{Action, Cx, StreamId};
use crate::list::{key_of, shown};
use crate::managed::manager_of;
use crate::patch::Patch;
use crate::reply::{self, Accept, Transform};
use crate::resources::{ResourceId, Resources};
use crate::server::{ApiServer, Ask, Purpose, unknown};
use crate::subresources::scale;
use crate::table;

/// How often a write is planned anew before it is given up.
const MAX_TRIES: u8 = 16;
/// How often a name is generated anew.
const MAX_NAMES: u8 = 8;

static CREATES: EntryKind = EntryKind {
    name: "api.create",
    says: "{0} creates {1} {2}",
};
static UPDATES: EntryKind = EntryKind {
    name: "api.update",
    says: "{0} updates {1} {2}",
};
static DELETES: EntryKind = EntryKind {
    name: "api.delete",
    says: "{0} deletes {1} {2}",
};

static FAILS: EntryKind = EntryKind {
    name: "api.fail",
    says: "{0} fails to write {1} {2}",
};

/// A write under way.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) origin: Origin,
    pub(crate) cause: EntryId,
    pub(crate) user: Rc<User>,
    /// Whose the fields are that it changes.
    pub(crate) manager: Str,
    /// The kind of the request's path; what is stored may have another's shape.
    pub(crate) kind: &'static Kind,
    pub(crate) resource: ResourceId,
    pub(crate) namespace: Str,
    /// Empty until a name is generated.
    pub(crate) name: Str,
    /// The subresource that is written through; empty for the object itself.
    pub(crate) subresource: &'static str,
    pub(crate) deed: Deed,
    pub(crate) dry_run: bool,
    pub(crate) warnings: Vec<String>,
    /// What the audit log is to be told.
    pub(crate) notes: Vec<(String, String)>,
    /// The quotas that were charged for this write already.
    pub(crate) charged: Vec<Str>,
    /// What webhooks have said of this write.
    pub(crate) consulted: Vec<Consulted>,
    /// What webhooks are to be asked before it can be planned to its end.
    pub(crate) asks: Vec<Question>,
    /// Where webhooks have a say: the chance and the time of its plans, which are all the same but
    /// for what webhooks have said since.
    pub(crate) begun: Option<(Stream, Instant)>,
    pub(crate) tries: u8,
    /// What was sent to etcd and waits for its answer.
    pub(crate) sent: Option<Sent>,
}

/// Who waits for a write.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// A client.
    Client(StreamId, Accept),
    /// The deletion of a whole collection.
    Collection(u64),
    /// An eviction that goes on when its budget is charged.
    Eviction(Box<Write>),
    /// A write that goes on when its quota is charged.
    Charge(Box<Write>),
    /// Nobody: the server wants it itself.
    Server,
    /// Nobody, and nobody counts how many of them are under way.
    Aside,
}

/// What is to be done.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
    /// Create this object.
    Create(Value),
    /// Put this object in the place of the one there is.
    Replace(Value),
    /// Change what there is.
    Patch(Patch),
    /// Tie a pod to a node.
    Bind(Value),
    /// Set how many replicas there shall be.
    Scale(ScaleBy),
    /// Delete.
    Delete(DeleteOptions),
    /// Delete a pod and say that it was evicted; its disruption budget, if any, is charged already.
    Evict(DeleteOptions),
    /// Charge a disruption budget for the eviction of the pod of this name.
    Disrupt(Str),
    /// Charge a quota for what these amounts are used.
    Charge(Amounts),
}

/// How a scale is given.
#[derive(Clone, Debug)]
pub(crate) enum ScaleBy {
    /// As a Scale object.
    Object(Value),
    /// As a patch of the Scale object.
    Patch(Patch),
}

/// What a transaction does, and how it is answered when it is done.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// What is stored; `None` for a deletion.
    pub(crate) stored: Option<Rc<Measured>>,
    /// The answer's code.
    pub(crate) code: u16,
    /// The answer, where it is not what is stored.
    pub(crate) answer: Option<Value>,
}

/// What a write comes to, seen from the caches as they are.
#[derive(Debug)]
pub(crate) enum Plan {
    /// Store this object, if the one there is still that of revision `expected` (0: there is none).
    Put {
        object: Value,
        expected: i64,
        code: u16,
        answer: Option<Value>,
    },
    /// Remove the object, if it is still that of revision `expected`.
    Remove { expected: i64, answer: Value },
    /// Charge a quota first, and plan again.
    Charge(admission::Charge),
    /// Nothing is to be stored; this is the answer.
    Nothing { code: u16, answer: Value },
}

impl Write {
    /// A write that a client asked for.
    pub(crate) fn of(
        cx: &Cx<'_>,
        ask: &Ask,
        kind: &'static Kind,
        resource: ResourceId,
        deed: Deed,
    ) -> Box<Write> {
        Box::new(Write {
            origin: Origin::Client(ask.from, ask.accept),
            cause: cx.cause,
            user: ask.user.clone(),
            manager: manager_of(ask),
            kind,
            resource,
            namespace: if kind.namespaced {
                ask.info.namespace.as_str().into()
            } else {
                "".into()
            },
            name: ask.info.name.as_str().into(),
            subresource: "",
            deed,
            dry_run: !ask.query.dry_run.is_empty(),
            warnings: deprecated(kind),
            notes: Vec::new(),
            charged: Vec::new(),
            consulted: Vec::new(),
            asks: Vec::new(),
            begun: None,
            tries: 0,
            sent: None,
        })
    }

    /// The key of the object in the caches.
    pub(crate) fn key(&self) -> Str {
        key_of(&self.namespace, &self.name)
    }

    /// The kind whose shape is stored.
    pub(crate) fn stored_kind(&self) -> &'static Kind {
        self.kind.stored()
    }

    /// The kind whose rules the object has to follow: the stored one, or the version of a custom
    /// kind that the request is about.
    pub(crate) fn judging_kind(&self) -> &'static Kind {
        match self.kind.custom {
            Some(_) => self.kind,
            None => self.stored_kind(),
        }
    }

    /// Whether it was planned so often that it is given up.
    pub(crate) fn is_tired(&self) -> bool {
        self.tries >= MAX_TRIES
    }

    /// Adds a warning; a write that is planned again says it once.
    pub(crate) fn warn(&mut self, text: String) {
        if !self.warnings.contains(&text) {
            self.warnings.push(text);
        }
    }

    /// Tells the audit log; what it was told already under this key stays.
    pub(crate) fn note(&mut self, key: &str, text: String) {
        if !self.notes.iter().any(|(noted, _)| noted == key) {
            self.notes.push((key.to_owned(), text));
        }
    }

    pub(crate) fn not_found(&self) -> Status {
        status::not_found(self.kind.group, self.kind.plural, &self.name)
    }

    pub(crate) fn conflict(&self, why: impl std::fmt::Display) -> Status {
        status::conflict(self.kind.group, self.kind.plural, &self.name, why)
    }

    pub(crate) fn forbidden(&self, why: impl std::fmt::Display) -> Status {
        status::forbidden(self.kind.group, self.kind.plural, &self.name, why)
    }
}

impl ApiServer {
    /// Plans a write and does what the plan says.
    pub(crate) fn attempt(&mut self, cx: &mut Cx<'_>, mut write: Box<Write>) {
        cx.cause = write.cause;
        match self.plan_from_the_beginning(cx, &mut write) {
            Err(_) if !write.asks.is_empty() => self.consult(cx, Waiting::Write(write)),
            Err(status) => self.finish(cx, &write, Err(status)),
            Ok(Plan::Charge(charge)) => self.charge_quota(cx, write, charge),
            Ok(Plan::Nothing { code, answer }) => self.finish(cx, &write, Ok((code, answer))),
            Ok(Plan::Put {
                object,
                code,
                answer,
                ..
            }) if write.dry_run => {
                let answer = answer.unwrap_or_else(|| match write.subresource {
                    "scale" => scale::of(write.kind, &object),
                    _ => object,
                });
                self.finish(cx, &write, Ok((code, answer)));
            }
            Ok(Plan::Remove { answer, .. }) if write.dry_run => {
                self.finish(cx, &write, Ok((200, answer)));
            }
            Ok(Plan::Put {
                mut object,
                expected,
                code,
                answer,
            }) => {
                object.remove("metadata.resourceVersion");
                let key = write.key();
                let old = self.resources.get(write.resource).cache.get(&key);
                let old = old.map_or(Value::Null, |entry| entry.value.clone());
                let stored = Rc::new(Measured::new(self.interner.intern(&object, &old)));
                write.sent = Some(Sent {
                    stored: Some(stored),
                    code,
                    answer,
                });
                let verb = if expected == 0 { &CREATES } else { &UPDATES };
                self.send(cx, write, verb, expected);
            }
            Ok(Plan::Remove { expected, answer }) => {
                let evicts = matches!(write.deed, Deed::Evict(_));
                write.sent = Some(Sent {
                    stored: None,
                    code: if evicts { 201 } else { 200 },
                    answer: Some(answer),
                });
                self.send(cx, write, &DELETES, expected);
            }
        }
    }

    /// Plans a write as if for the first time, however often webhooks had to be asked meanwhile.
    fn plan_from_the_beginning(
        &mut self,
        cx: &mut Cx<'_>,
        write: &mut Write,
    ) -> Result<Plan, Status> {
        if !admission::webhooks::exist(self) {
            return self.plan(cx, write);
        }
        let (random, now) = match &write.begun {
            Some(begun) => begun.clone(),
            None => (Stream::new(self.random.next_u64(), "write"), cx.now),
        };
        write.begun = Some((random.clone(), now));
        let random = std::mem::replace(&mut self.random, random);
        let now = std::mem::replace(&mut cx.now, now);
        let plan = self.plan(cx, write);
        (self.random, cx.now) = (random, now);
        plan
    }

    fn plan(&mut self, cx: &mut Cx<'_>, write: &mut Write) -> Result<Plan, Status> {
        match &write.deed {
            Deed::Create(_) => self.plan_create(cx, write),
            Deed::Replace(_)
            | Deed::Patch(_)
            | Deed::Bind(_)
            | Deed::Scale(_)
            | Deed::Disrupt(_)
            | Deed::Charge(_) => self.plan_update(cx, write),
            Deed::Delete(_) | Deed::Evict(_) => self.plan_delete(cx, write),
        }
    }

    fn send(
        &mut self,
        cx: &mut Cx<'_>,
        write: Box<Write>,
        verb: &'static EntryKind,
        expected: i64,
    ) {
        let mut lease = 0;
        let puts = write
            .sent
            .as_ref()
            .is_some_and(|sent| sent.stored.is_some());
        if puts && Some(write.resource) == self.resources.events() {
            match self
                .event_lease
                .current
                .filter(|(_, until)| *until > cx.now)
            {
                Some((id, _)) => lease = id,
                None => return self.wait_for_lease(cx, *write),
            }
        }
        let args = [
            Arg::from(&write.user.name),
            Arg::from(write.kind.plural),
            Arg::Str(write.key().as_rc().clone()),
        ];
        cx.note(verb, &args);
        let mut write = write;
        write.cause = cx.cause;
        let key = Resources::etcd_key(write.stored_kind(), &write.key());
        let stored = write.sent.as_ref().and_then(|sent| sent.stored.clone());
        let put = stored.map(|value| (value, lease));
        self.send_txn(cx, key, expected, put, Purpose::Write(write));
    }

    /// Events hang on a lease, so that they go after a while. Asks etcd for one and lets the write
    /// wait.
    fn wait_for_lease(&mut self, cx: &mut Cx<'_>, write: Write) {
        self.event_lease.waiting.push(write);
        if self.event_lease.waiting.len() == 1 {
            // A minute more than they shall live, because the lease is used for a minute.
            let ttl_secs = self.config.event_ttl.as_secs() as i64 + 60;
            let grant = etcd::Request::LeaseGrant { id: 0, ttl_secs };
            self.call_etcd(cx, grant, Purpose::EtcdLease);
        }
    }

    /// The lease that events waited for.
    pub(crate) fn on_event_lease(&mut self, cx: &mut Cx<'_>, response: &Response) {
        let waiting = std::mem::take(&mut self.event_lease.waiting);
        match read_reply(response).map(|reply| reply.body.clone()) {
            Ok(ReplyBody::Lease { id, .. }) => {
                self.event_lease.current = Some((id, cx.now + Duration::from_secs(60)));
                for write in waiting {
                    self.attempt(cx, Box::new(write));
                }
            }
            Ok(_) => {}
            Err((_, message)) => {
                for write in waiting {
                    self.finish(cx, &write, Err(unknown(&message)));
                }
            }
        }
    }

    /// etcd has answered a write.
    pub(crate) fn on_written(
        &mut self,
        cx: &mut Cx<'_>,
        mut write: Box<Write>,
        response: &Response,
    ) {
        cx.cause = write.cause;
        self.causes
            .remove(&*Resources::etcd_key(write.stored_kind(), &write.key()));
        let reply = match read_reply(response) {
            Ok(reply) => reply,
            Err((_, message)) => return self.finish(cx, &write, Err(unknown(&message))),
        };
        let ReplyBody::Txn(txn) = &reply.body else {
            return self.finish(cx, &write, Err(unknown("unexpected answer from etcd")));
        };
        if !txn.succeeded {
            return self.retry(cx, write);
        }
        let Some(sent) = write.sent.take() else {
            return;
        };
        let revision = reply.header.revision;
        match (sent.answer, sent.stored) {
            (Some(answer), _) => self.finish(cx, &write, Ok((sent.code, answer))),
            (None, Some(stored)) => self.finish_stored(cx, &write, sent.code, &stored, revision),
            (None, None) => self.finish(cx, &write, Ok((sent.code, Value::Null))),
        }
    }

    /// Answers with what was stored. The caches, which heard of it first, have it measured.
    fn finish_stored(
        &mut self,
        cx: &mut Cx<'_>,
        write: &Write,
        code: u16,
        stored: &Measured,
        revision: i64,
    ) {
        let key = write.key();
        let cached = self.resources.get(write.resource).cache.get(&key);
        let entry = match cached.filter(|entry| entry.revision == revision) {
            Some(entry) => entry.clone(),
            None => Entry::new(key, stored, revision),
        };
        let scales = write.subresource == "scale";
        let object = match scales {
            true => scale::of(write.kind, &entry.value),
            false => entry.value.clone(),
        };
        let plain = !write.kind.is_view() && !scales;
        match &write.origin {
            Origin::Client(stream, accept) if plain && accept.transform == Transform::None => {
                let mut response = reply::entry(code, &entry, *accept);
                reply::warn(&mut response, &write.warnings);
                self.tell_notes(*stream, write);
                cx.act(Action::Respond(*stream, response));
            }
            _ => self.finish(cx, write, Ok((code, object))),
        }
    }

    fn tell_notes(&mut self, to: StreamId, write: &Write) {
        for (key, text) in &write.notes {
            self.audit.annotate(to, key, text.clone());
        }
    }

    /// Somebody else was quicker.
    fn retry(&mut self, cx: &mut Cx<'_>, mut write: Box<Write>) {
        write.sent = None;
        write.begun = None;
        write.tries += 1;
        if let Deed::Create(object) = &write.deed {
            let generated = !object.generate_name().is_empty() && object.name().is_empty();
            let Kind { group, plural, .. } = write.kind;
            let status = match generated {
                true if write.tries < MAX_NAMES => {
                    write.name = Str::from("");
                    return self.attempt(cx, write);
                }
                true => status::generate_name_conflict(group, plural, &write.name, 1),
                false => status::already_exists(group, plural, &write.name),
            };
            return self.finish(cx, &write, Err(status));
        }
        if write.is_tired() {
            let Kind { group, plural, .. } = write.kind;
            let status = status::outdated(group, plural, &write.name);
            return self.finish(cx, &write, Err(status));
        }
        self.attempt(cx, write);
    }

    /// The connection to etcd broke while a write was under way: nobody knows what became of it.
    pub(crate) fn lost(&mut self, cx: &mut Cx<'_>, write: Box<Write>) {
        cx.cause = write.cause;
        self.causes
            .remove(&*Resources::etcd_key(write.stored_kind(), &write.key()));
        self.finish(cx, &write, Err(unknown("etcdserver: request timed out")));
    }

    /// Answers who waits for a write. The answer has the stored shape.
    pub(crate) fn finish(
        &mut self,
        cx: &mut Cx<'_>,
        write: &Write,
        result: Result<(u16, Value), Status>,
    ) {
        if result.is_err() {
            self.release(write);
        }
        let done = result.is_ok();
        match &write.origin {
            Origin::Client(stream, accept) => {
                if !done {
                    let key = Arg::Str(write.key().as_rc().clone());
                    let args = [
                        Arg::from(&write.user.name),
                        Arg::from(write.kind.plural),
                        key,
                    ];
                    cx.note(&FAILS, &args);
                }
                let mut response = match result {
                    Ok((code, object)) => answer(cx, write, code, &object, *accept),
                    Err(status) => reply::status(&status, *accept),
                };
                reply::warn(&mut response, &write.warnings);
                self.tell_notes(*stream, write);
                cx.act(Action::Respond(*stream, response));
            }
            Origin::Collection(id) => self.one_deleted(cx, *id, result),
            Origin::Eviction(eviction) => self.charged(cx, eviction, result),
            Origin::Charge(charged) => self.quota_charged(cx, &write.name, charged, result),
            Origin::Server => self.own_written(cx, done),
            Origin::Aside => {}
        }
    }
}

/// The warning that comes with every answer about a deprecated kind.
pub(crate) fn deprecated(kind: &Kind) -> Vec<String> {
    let warning = Some(kind.deprecation).filter(|text| !text.is_empty());
    warning.map(str::to_owned).into_iter().collect()
}

/// The response to a write.
fn answer(cx: &Cx<'_>, write: &Write, code: u16, object: &Value, accept: Accept) -> Response {
    let is_object = object.kind() == write.stored_kind().kind;
    if !is_object {
        return reply::object(code, object, accept);
    }
    let object = shown(write.kind, object);
    match accept.transform {
        Transform::Table => {
            let table = table::of_one(write.kind, &object, accept.include, true, cx.now);
            reply::object(code, &table, accept)
        }
        Transform::Metadata | Transform::MetadataList => {
            reply::object(code, &table::partial_metadata(&object), accept)
        }
        Transform::None | Transform::Discovery | Transform::BetaDiscovery => {
            reply::object(code, &object, accept)
        }
    }
}
