//! The server's state and the door to it: every event comes in here and is handed on. No sockets.
//!
//! Models apiserver/pkg/server.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;
use std::rc::Rc;

use api::schema::Schemas;
use api::{Interner, Measured, Status, status};
use net::Errno;
use net::http::{Body, Request, Response};
use sim::{Arg, Duration, EntryId, Instant, Kind as EntryKind, LookupMap, Stream};

use crate::admission::policy::Policies;
use crate::alloc::Allocators;
use crate::audit::Audit;
use crate::authz::{Attributes, Authorizer, impersonation};
use crate::backend::Backend;
use crate::bootstrap::Bootstrap;
use crate::collection::Collections;
use crate::config::Config;
use crate::consult::Consultations;
use crate::effect::{Action, CallId, Cx, Peer, StreamId};
use crate::request::{Query, RequestInfo};
use crate::resources::Resources;
use crate::subresources::proxy;
use crate::watchers::Watchers;
use crate::write::Write;
use crate::{authn, reply};

static REFUSES: EntryKind = EntryKind {
    name: "api.refuse",
    says: "{0} may not {1} {2}",
};

/// How long a request waits for etcd before it is refused.
const PATIENCE: Duration = Duration::from_secs(7);

/// The server. A clone is cheap: what is large is shared.
#[derive(Clone, Debug)]
pub struct ApiServer {
    pub(crate) config: Config,
    pub(crate) schemas: Rc<Schemas>,
    pub(crate) random: Stream,
    pub(crate) backend: Backend,
    pub(crate) resources: Resources,
    pub(crate) watchers: Watchers,
    pub(crate) allocators: Allocators,
    pub(crate) collections: Collections,
    pub(crate) consultations: Consultations,
    pub(crate) interner: Interner,
    pub(crate) authorizer: Authorizer,
    pub(crate) policies: Policies,
    pub(crate) audit: Audit,
    /// The calls that are open, and what for.
    pub(crate) calls: BTreeMap<CallId, Purpose>,
    next_call: u64,
    /// The streams that lead to a call.
    pub(crate) proxied: BTreeMap<StreamId, CallId>,
    /// Requests that wait until etcd can be reached.
    parked: Vec<Parked>,
    /// What caused the write of a key that is under way.
    pub(crate) causes: LookupMap<etcd::Key, EntryId>,
    /// The lease that new events hang on.
    pub(crate) event_lease: EventLease,
    /// How far the server is with the objects it sees to itself.
    pub(crate) bootstrap: Bootstrap,
}

/// What a call is for.
#[derive(Clone, Debug)]
pub(crate) enum Purpose {
    /// Reading everything.
    EtcdList,
    /// Watching everything.
    EtcdWatch,
    /// Forgetting history.
    EtcdCompact,
    /// A lease for events.
    EtcdLease,
    /// A write of an object.
    Write(Box<Write>),
    /// A question to a webhook: which one of those asked together.
    Webhook {
        /// Whose question it is.
        id: u64,
        /// Its place among those asked with it.
        index: usize,
        /// Where the webhook is.
        addr: SocketAddrV4,
    },
    /// A request handed on to a kubelet for a client.
    Proxy {
        /// Whom it is for.
        to: StreamId,
        /// It changes the protocol, or is none of ours: a refusal goes back as it came.
        upgrades: bool,
        /// The pod's address, if it goes to a pod itself.
        reaches: Option<SocketAddrV4>,
    },
}

/// The lease that new events hang on, shared by those of a minute.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventLease {
    /// Its number and until when it may be used.
    pub(crate) current: Option<(i64, Instant)>,
    /// Writes of events that wait for it.
    pub(crate) waiting: Vec<Write>,
}

#[derive(Clone, Debug)]
struct Parked {
    from: StreamId,
    request: Rc<Request>,
    cause: EntryId,
    until: Instant,
}

impl ApiServer {
    /// A server that has not reached etcd yet. It acts with the first [`ApiServer::on_timer`].
    pub fn new(config: Config, schemas: Rc<Schemas>, random: Stream, now: Instant) -> ApiServer {
        // A stream of its own, so that who asks changes nothing of what is made.
        let ids = Stream::new(random.clone().next_u64(), "audit");
        ApiServer {
            audit: Audit::new(config.audit_policy.clone(), ids),
            allocators: Allocators::new(&config),
            authorizer: Authorizer::new(&config.authorization_modes),
            policies: Policies::default(),
            config,
            schemas,
            random,
            backend: Backend::new(now),
            resources: Resources::new(),
            watchers: Watchers::new(now),
            collections: Collections::default(),
            consultations: Consultations::default(),
            interner: Interner::new(),
            calls: BTreeMap::new(),
            next_call: 1,
            proxied: BTreeMap::new(),
            parked: Vec::new(),
            causes: LookupMap::new(),
            event_lease: EventLease::default(),
            bootstrap: Bootstrap::new(),
        }
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Whether the server serves: etcd is reached and the default objects are there.
    pub fn is_ready(&self) -> bool {
        self.backend.is_ready() && self.bootstrap.done
    }

    /// A client's request.
    pub fn on_request(&mut self, cx: &mut Cx<'_>, from: StreamId, request: &Rc<Request>) {
        let query = Query::of(request);
        let info = RequestInfo::of(request, &query);
        let accept = reply::Accept::of(request, &query);
        let user = match authn::user_of(&self.config, &self.resources, cx.now, request) {
            Ok(user) => user,
            Err(status) => {
                self.audit.received(cx, from, request, &info, None);
                return self.refuse(cx, from, accept, &status);
            }
        };
        // Who may do what is not known before the first policy is there.
        let waits = self.authorizer.has_rbac() && !self.bootstrap.done && !is_probe(&info);
        if waits || (info.is_resource && !self.backend.is_ready()) {
            return self.park(cx, from, request);
        }
        self.audit.received(cx, from, request, &info, Some(&user));
        let asking = user.name.clone();
        let allowed = impersonation::apply(&self.authorizer, user, request).and_then(|user| {
            self.note_decision(from, &user, &info);
            self.authorizer.allow(&user, &info)?;
            Ok(Rc::new(user))
        });
        let user = match allowed {
            Ok(user) => user,
            Err(status) => {
                note_refusal(cx, &asking, &info);
                return self.refuse(cx, from, accept, &status);
            }
        };
        if !info.is_resource {
            let response = self.page(request, &info, &query, accept);
            cx.act(Action::Respond(from, response));
            return;
        }
        let ask = Ask {
            from,
            request: request.clone(),
            info,
            query,
            accept,
            user,
        };
        if let Err(status) = self.dispatch(cx, &ask) {
            self.refuse(cx, from, accept, &status);
        }
    }

    /// Tells the audit log for whom a request counts, and whether and why it is allowed.
    fn note_decision(&mut self, of: StreamId, user: &authn::User, info: &RequestInfo) {
        if self.audit.follows(of) {
            self.audit.impersonated(of, user);
            let decision = self.authorizer.decide(user, &Attributes::of(info));
            self.audit.decided(of, decision);
        }
    }

    /// Lets a request wait until it can be answered.
    fn park(&mut self, cx: &Cx<'_>, from: StreamId, request: &Rc<Request>) {
        self.parked.push(Parked {
            from,
            request: request.clone(),
            cause: cx.cause,
            until: cx.now + PATIENCE,
        });
    }

    /// What waited can be answered.
    pub(crate) fn unpark(&mut self, cx: &mut Cx<'_>) {
        for parked in std::mem::take(&mut self.parked) {
            cx.cause = parked.cause;
            self.on_request(cx, parked.from, &parked.request);
        }
    }

    /// Answers with a Status.
    pub(crate) fn refuse(
        &mut self,
        cx: &mut Cx<'_>,
        to: StreamId,
        accept: reply::Accept,
        status: &Status,
    ) {
        cx.act(Action::Respond(to, reply::status(status, accept)));
    }

    /// More from a client, on a stream that leads to a call.
    pub fn on_data(&mut self, cx: &mut Cx<'_>, from: StreamId, body: Body) {
        if let Some(call) = self.proxied.get(&from) {
            cx.act(Action::CallData(*call, body));
        }
    }

    /// A client sends no more on a stream.
    pub fn on_end(&mut self, cx: &mut Cx<'_>, from: StreamId) {
        if let Some(call) = self.proxied.get(&from) {
            cx.act(Action::CallEnd(*call));
        }
    }

    /// A client gave a stream up.
    pub fn on_reset(&mut self, cx: &mut Cx<'_>, from: StreamId) {
        self.audit_gone(cx, from);
        self.watchers.remove_stream(from);
        self.parked.retain(|parked| parked.from != from);
        if let Some(call) = self.proxied.remove(&from) {
            self.calls.remove(&call);
            cx.act(Action::CallReset(call));
        }
    }

    /// A client's connection is gone, with all its streams. Writes under way are still finished.
    pub fn on_closed(&mut self, cx: &mut Cx<'_>, conn: u64) {
        self.audit_closed(cx, conn);
        self.watchers.remove_conn(conn);
        self.parked.retain(|parked| parked.from.conn != conn);
        let range = StreamId { conn, stream: 0 }..=StreamId {
            conn,
            stream: u32::MAX,
        };
        let gone: Vec<StreamId> = self.proxied.range(range).map(|(from, _)| *from).collect();
        for from in gone {
            self.on_reset(cx, from);
        }
    }

    /// Begins a call.
    pub(crate) fn call(
        &mut self,
        cx: &mut Cx<'_>,
        peer: Peer,
        request: Request,
        purpose: Purpose,
    ) -> CallId {
        let call = CallId(self.next_call);
        self.next_call += 1;
        self.calls.insert(call, purpose);
        cx.act(Action::Call(call, peer, request));
        call
    }

    /// A call was answered; more follows where the response says so.
    pub fn on_response(&mut self, cx: &mut Cx<'_>, call: CallId, response: &Response) {
        let stays = matches!(
            self.calls.get(&call),
            Some(Purpose::EtcdWatch | Purpose::Proxy { .. })
        );
        if stays {
            self.on_stream_response(cx, call, response);
            return;
        }
        match self.calls.remove(&call) {
            Some(Purpose::EtcdList) => self.on_etcd_list(cx, response),
            Some(Purpose::EtcdLease) => self.on_event_lease(cx, response),
            Some(Purpose::Write(write)) => self.on_written(cx, write, response),
            Some(Purpose::Webhook { id, index, .. }) => {
                self.consulted(cx, call, (id, index), Ok(response));
            }
            _ => {}
        }
    }

    fn on_stream_response(&mut self, cx: &mut Cx<'_>, call: CallId, response: &Response) {
        if let Some(Purpose::Proxy { to, upgrades, .. }) = self.calls.get(&call) {
            let (to, upgrades) = (*to, *upgrades);
            let more = response.more;
            let response = if response.status >= 300 && !upgrades {
                let text = response.body.text();
                let status = proxy::refusal(response.status, &text, ("", "pods", ""));
                reply::status(&status, reply::Accept::default())
            } else {
                response.clone()
            };
            cx.act(Action::Respond(to, response));
            if !more {
                self.calls.remove(&call);
                self.proxied.remove(&to);
            }
        }
    }

    /// More on a call.
    pub fn on_call_data(&mut self, cx: &mut Cx<'_>, call: CallId, body: Body) {
        match self.calls.get(&call) {
            Some(Purpose::EtcdWatch) => self.on_etcd_watch(cx, &body),
            Some(Purpose::Proxy { to, .. }) => cx.act(Action::Data(*to, body)),
            _ => {}
        }
    }

    /// A call is over.
    pub fn on_call_end(&mut self, cx: &mut Cx<'_>, call: CallId) {
        match self.calls.remove(&call) {
            Some(Purpose::Proxy { to, .. }) => {
                self.proxied.remove(&to);
                cx.act(Action::End(to));
            }
            Some(Purpose::EtcdWatch) => self.on_etcd_failed(cx, Errno::ECONNRESET),
            _ => {}
        }
    }

    /// A call failed without a complete answer.
    pub fn on_call_failed(&mut self, cx: &mut Cx<'_>, call: CallId, errno: Errno) {
        match self.calls.remove(&call) {
            Some(Purpose::Write(write)) => {
                self.on_etcd_failed(cx, errno);
                self.lost(cx, write);
            }
            Some(Purpose::Proxy { to, reaches, .. }) => {
                self.proxied.remove(&to);
                self.proxy_failed(cx, to, reaches, errno);
            }
            Some(Purpose::Webhook { id, index, addr }) => {
                let why = ApiServer::unreached(addr, errno);
                self.consulted(cx, call, (id, index), Err(why));
            }
            Some(Purpose::EtcdLease) => {
                self.on_etcd_failed(cx, errno);
                for write in std::mem::take(&mut self.event_lease.waiting) {
                    self.lost(cx, Box::new(write));
                }
            }
            Some(_) => self.on_etcd_failed(cx, errno),
            None => {}
        }
    }

    /// When the server next wants [`ApiServer::on_timer`].
    pub fn deadline(&self) -> Option<Instant> {
        let parked = self.parked.iter().map(|parked| parked.until).min();
        let bootstrap = if self.backend.is_ready() {
            self.bootstrap.deadline()
        } else {
            Instant::FAR
        };
        let own = [self.backend.deadline(), bootstrap];
        own.into_iter()
            .chain(self.watchers.deadline())
            .chain(self.consultations.deadline())
            .chain(parked)
            .min()
    }

    /// The deadline has come.
    pub fn on_timer(&mut self, cx: &mut Cx<'_>) {
        self.backend_timer(cx);
        self.bootstrap_timer(cx);
        self.watchers.on_timer(cx, self.backend.revision);
        self.consultations_timer(cx);
        if self.parked.iter().any(|parked| parked.until <= cx.now) {
            for parked in std::mem::take(&mut self.parked) {
                if parked.until > cx.now {
                    self.parked.push(parked);
                    continue;
                }
                cx.cause = parked.cause;
                let accept = reply::Accept::of(&parked.request, &Query::of(&parked.request));
                let status = unknown("etcdserver: request timed out");
                self.refuse(cx, parked.from, accept, &status);
            }
        }
    }

    /// etcd is reached and everything is known.
    pub(crate) fn on_backend_ready(&mut self, cx: &mut Cx<'_>) {
        if let Some(services) = self.resources.id("", "services") {
            self.learn_allocations(services);
        }
        self.authorizer.fill(&self.resources);
        self.policies.fill(&self.resources);
        self.bootstrap(cx);
        self.tend_all_definitions(cx);
        self.tend_all_addresses(cx);
        self.tend_all_flows(cx);
        self.unpark(cx);
    }

    /// A key under etcd's prefix changed: keeps the caches and tells the watchers.
    pub(crate) fn on_stored(
        &mut self,
        cx: &mut Cx<'_>,
        key: &str,
        value: Option<&Measured>,
        revision: i64,
    ) {
        let Some((resource, change)) = self.resources.apply(key, value, revision) else {
            return;
        };
        self.allocators
            .observe(self.resources.get(resource), &change);
        let kind = self.resources.get(resource).kind;
        self.authorizer.observe(kind, &change);
        self.policies.observe(kind, &change);
        self.watchers.tell(cx, resource, &change);
        self.tend_definitions(cx, kind, &change);
        self.tend_addresses(cx, kind, &change);
        self.tend_flows(cx, kind, &change);
    }
}

/// Writes down who was refused what.
fn note_refusal(cx: &mut Cx<'_>, asking: &Rc<str>, info: &RequestInfo) {
    let what = match (info.is_resource, info.name.as_str()) {
        (false, _) => info.path.clone(),
        (true, "") => info.resource.clone(),
        (true, name) => format!("{} {name}", info.resource),
    };
    let args = [
        Arg::from(asking),
        Arg::from(info.verb),
        Arg::Str(what.into()),
    ];
    cx.note(&REFUSES, &args);
}

/// Whether a request asks how the server does.
fn is_probe(info: &RequestInfo) -> bool {
    let page = info.path.split('/').nth(1).unwrap_or_default();
    matches!(page, "healthz" | "livez" | "readyz")
}

/// A request with all that was read from it.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) from: StreamId,
    pub(crate) request: Rc<Request>,
    pub(crate) info: RequestInfo,
    pub(crate) query: Query,
    pub(crate) accept: reply::Accept,
    pub(crate) user: Rc<authn::User>,
}

/// A failure that upstream knows no reason for, as those of etcd.
pub(crate) fn unknown(message: &str) -> Status {
    Status::new(500, status::Reason::Unknown, message)
}
