//! The member as a daemon: proposals are written to the log in batches, applied in order, told to
//! watchers and then answered. Knows no sockets: it is handed requests and gives [`Output`]s.
//!
//! Models server/etcdserver/{server,raft,v3_server}.go and api/v3rpc/watch.go, for one member: what
//! is written to its own disk is committed.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use net::Shared as _;
use net::http::{Body, Method, Request as HttpRequest, Response};
use sim::{Duration, EntryId, Instant, Stream};

use crate::kv::{Event, Keys};
use crate::member::{Cluster, Config, Member, MemberStatus};
use crate::snapshot::Snapshot;
use crate::store::Store;
use crate::txn::DeleteRange;
use crate::watch::{Watch, WatchRequest, WatchResponse};
use crate::wire::{Error, Header, Reply, ReplyBody, Request};

/// A quiet watch that asked for it is told how far it has come this often.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(600);
/// A proposal may not be larger, in bytes.
const MAX_REQUEST_BYTES: u64 = 3 << 19;

/// One exchange with a client: a connection, and a stream on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamId {
    /// The connection.
    pub conn: u64,
    /// The stream on it.
    pub stream: u32,
}

/// What the adaptor is to do.
#[derive(Clone, Debug)]
pub enum Output {
    /// Answer an exchange; further data follows where the response says so.
    Respond(StreamId, Response),
    /// Send more on an exchange.
    Data(StreamId, Body),
    /// The exchange is done.
    End(StreamId),
    /// Close the connection: the client showed no certificate.
    Close(u64),
}

/// A member that runs.
#[derive(Clone, Debug)]
pub struct Server {
    config: Config,
    store: Store,
    cluster: Cluster,
    /// Waiting for the disk to be free.
    waiting: VecDeque<Proposal>,
    /// Being written to the disk, done at the instant.
    writing: Option<(Instant, Vec<Proposal>)>,
    watchers: BTreeMap<(StreamId, i64), Watch>,
    next_progress: Instant,
}

#[derive(Clone, Debug)]
struct Proposal {
    /// Nobody waits for what the member proposes itself.
    from: Option<StreamId>,
    cause: EntryId,
    request: Rc<Request>,
}

impl Server {
    /// Starts a member on what its data directory holds, or on nothing.
    pub fn open(config: Config, data: Option<&Snapshot>, now: Instant) -> Server {
        let (mut store, mut cluster) = match data {
            Some(snapshot) => (snapshot.store.clone(), snapshot.cluster.clone()),
            None => (Store::new(config.quota_bytes), Cluster::bootstrap(&config)),
        };
        // The member elects itself.
        cluster.raft_term += 1;
        cluster.raft_index += 1;
        for member in &mut cluster.members {
            if member.id == cluster.member_id {
                member.name = config.name.clone();
                member.client_urls = config.client_urls.clone();
            }
        }
        store.renew_all(now);
        Server {
            config,
            store,
            cluster,
            waiting: VecDeque::new(),
            writing: None,
            watchers: BTreeMap::new(),
            next_progress: now + PROGRESS_INTERVAL,
        }
    }

    /// What the data directory is to hold now.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            store: self.store.clone(),
            cluster: self.cluster.clone(),
            sealed: false,
        }
    }

    /// The key space.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// When the server next wants [`Server::on_timer`].
    pub fn deadline(&self) -> Option<Instant> {
        let writing = self.writing.as_ref().map(|(done, _)| *done);
        // While the disk is busy an expiry would only wait behind it.
        let expiry = match writing {
            Some(_) => None,
            None => self.store.next_expiry().map(|lease| lease.deadline),
        };
        let progress = self.watchers.values().any(|watch| watch.progress_notify);
        let progress = progress.then_some(self.next_progress);
        [writing, expiry, progress].into_iter().flatten().min()
    }

    /// A client's request, or the beginning of a watch stream. What is proposed remembers the cause.
    pub fn on_request(
        &mut self,
        now: Instant,
        cause: EntryId,
        random: &mut Stream,
        from: StreamId,
        request: &HttpRequest,
        out: &mut Vec<Output>,
    ) {
        if let Some(response) = self.health(request) {
            out.push(Output::Respond(from, response));
            return;
        }
        if self.config.client_cert_auth && request.peer.is_none() {
            out.push(Output::Close(from.conn));
            return;
        }
        if let Some(watch) = request.body.downcast_rc::<WatchRequest>() {
            let response = Response::new(200, Body::Empty).with_header("grpc-status", "0");
            out.push(Output::Respond(from, response.streaming()));
            self.on_watch(from, &watch, out);
            return;
        }
        let Some(asked) = request.body.downcast_rc::<Request>() else {
            out.push(Output::Respond(from, refusal(Error::UNIMPLEMENTED)));
            return;
        };
        if asked.proposes() {
            if asked.size() > MAX_REQUEST_BYTES {
                out.push(Output::Respond(from, refusal(Error::TOO_LARGE)));
                return;
            }
            let request = numbered(asked, random);
            self.waiting.push_back(Proposal {
                from: Some(from),
                cause,
                request,
            });
            self.write(now);
        } else {
            let answer = self.answer(now, &asked);
            out.push(Output::Respond(from, self.respond(answer)));
        }
    }

    /// More on a watch stream.
    pub fn on_data(&mut self, from: StreamId, body: &Body, out: &mut Vec<Output>) {
        if let Some(request) = body.downcast_rc::<WatchRequest>() {
            self.on_watch(from, &request, out);
        }
    }

    /// A client has ended or abandoned a stream.
    pub fn on_end(&mut self, from: StreamId) {
        self.watchers.retain(|(stream, _), _| *stream != from);
    }

    /// A client is gone. What it proposed is still done.
    pub fn on_closed(&mut self, conn: u64) {
        self.watchers.retain(|(stream, _), _| stream.conn != conn);
        let writing = self
            .writing
            .iter_mut()
            .flat_map(|(_, batch)| batch.iter_mut());
        for proposal in self.waiting.iter_mut().chain(writing) {
            if proposal.from.is_some_and(|from| from.conn == conn) {
                proposal.from = None;
            }
        }
    }

    /// The deadline has come. Each output comes with the cause of the proposal it is due to, or with
    /// none. True where the data directory must be written anew.
    pub fn on_timer(&mut self, now: Instant, out: &mut Vec<(EntryId, Output)>) -> bool {
        let mut changed = false;
        if self.writing.as_ref().is_some_and(|(done, _)| *done <= now)
            && let Some((_, batch)) = self.writing.take()
        {
            for proposal in batch {
                let mut one = Vec::new();
                self.apply(now, &proposal, &mut one);
                out.extend(one.into_iter().map(|output| (proposal.cause, output)));
            }
            changed = true;
        }
        self.expire(now);
        self.write(now);
        if self.next_progress <= now {
            self.next_progress = now + PROGRESS_INTERVAL;
            let mut progress = Vec::new();
            self.tell_progress(&mut progress);
            out.extend(progress.into_iter().map(|output| (EntryId::NONE, output)));
        }
        changed
    }

    /// Hands everything that waits to the disk, if that is free.
    fn write(&mut self, now: Instant) {
        if self.writing.is_none() && !self.waiting.is_empty() {
            self.writing = Some((now + self.config.fsync, self.waiting.drain(..).collect()));
        }
    }

    /// Proposes the end of every lease whose time has come.
    fn expire(&mut self, now: Instant) {
        if self.writing.is_some() || self.store.next_expiry().is_none_or(|l| l.deadline > now) {
            return;
        }
        let over = self.store.leases().filter(|lease| lease.deadline <= now);
        for id in over.map(|lease| lease.id) {
            let request = Rc::new(Request::LeaseRevoke(id));
            self.waiting.push_back(Proposal {
                from: None,
                cause: EntryId::NONE,
                request,
            });
        }
    }

    fn header(&self) -> Header {
        Header {
            cluster_id: self.cluster.id,
            member_id: self.cluster.member_id,
            revision: self.store.revision(),
            raft_term: self.cluster.raft_term,
        }
    }

    fn respond(&self, answer: Result<ReplyBody, Error>) -> Response {
        match answer {
            Ok(body) => {
                let reply = Rc::new(Reply {
                    header: self.header(),
                    body,
                });
                Response::new(200, Body::Shared(reply)).with_header("grpc-status", "0")
            }
            Err(error) => refusal(error),
        }
    }

    fn apply(&mut self, now: Instant, proposal: &Proposal, out: &mut Vec<Output>) {
        self.cluster.raft_index += 1;
        let before = self.store.revision();
        let answer = self.change(now, &proposal.request);
        if self.store.revision() > before {
            // Watchers first: who waits for the answer may watch on the same connection, and shall
            // have seen the change when the answer comes.
            self.tell(before + 1, out);
        }
        if let Some(from) = proposal.from {
            out.push(Output::Respond(from, self.respond(answer)));
        }
    }

    fn change(&mut self, now: Instant, request: &Request) -> Result<ReplyBody, Error> {
        match request {
            Request::Put(put) => self.store.put(put).map(ReplyBody::Put),
            Request::DeleteRange(DeleteRange {
                keys: Keys::One(key),
                ..
            }) if key.is_empty() => Err(Error::EMPTY_KEY),
            Request::DeleteRange(delete) => Ok(ReplyBody::DeleteRange(self.store.delete(delete))),
            Request::Txn(txn) => self.store.txn(txn).map(ReplyBody::Txn),
            Request::Compact(revision) => self.store.compact(*revision).map(|()| ReplyBody::Done),
            Request::LeaseGrant { id, ttl_secs } => {
                let lease = self.store.grant(*id, *ttl_secs, now)?;
                Ok(ReplyBody::Lease {
                    id: lease.id,
                    ttl_secs: lease.ttl_secs,
                })
            }
            Request::LeaseRevoke(id) => self.store.revoke(*id).map(|()| ReplyBody::Done),
            Request::MemberRemove(id) if self.cluster.members.iter().all(|m| m.id != *id) => {
                Err(Error::MEMBER_NOT_FOUND)
            }
            // One member cannot leave itself, and a second one would need a quorum, which is not
            // modelled: refused as a cluster does that fears for its quorum.
            Request::MemberAdd(_) | Request::MemberRemove(_) => Err(Error::UNHEALTHY),
            Request::AlarmDisarm => {
                self.store.disarm();
                Ok(ReplyBody::Alarms(Vec::new()))
            }
            other => self.answer(now, other),
        }
    }

    /// Answers what needs no log entry.
    fn answer(&mut self, now: Instant, request: &Request) -> Result<ReplyBody, Error> {
        match request {
            Request::Range(range) => self.store.range(range).map(ReplyBody::Range),
            Request::Txn(txn) => self.store.txn(txn).map(ReplyBody::Txn),
            Request::LeaseKeepAlive(id) => {
                let ttl_secs = self.store.keep_alive(*id, now).unwrap_or(0);
                Ok(ReplyBody::Lease { id: *id, ttl_secs })
            }
            Request::LeaseTimeToLive { id, keys } => Ok(self.lease_left(now, *id, *keys)),
            Request::LeaseLeases => {
                let mut leases: Vec<_> = self.store.leases().collect();
                leases.sort_by_key(|lease| (lease.deadline, lease.id));
                Ok(ReplyBody::Leases(
                    leases.into_iter().map(|lease| lease.id).collect(),
                ))
            }
            Request::MemberList => Ok(ReplyBody::Members(self.members())),
            Request::MoveLeader(id) if *id == self.cluster.member_id => Ok(ReplyBody::Done),
            Request::MoveLeader(_) => Err(Error::BAD_LEADER_TRANSFEREE),
            Request::Status => Ok(ReplyBody::Status(self.status())),
            Request::HashKv(_) => Ok(ReplyBody::Hash {
                hash: self.store.hash(),
                compact_revision: self.store.compacted(),
            }),
            Request::Defragment => {
                self.store.defragment();
                Ok(ReplyBody::Done)
            }
            Request::Snapshot => Ok(ReplyBody::Snapshot(Rc::new(self.snapshot()))),
            Request::AlarmList => Ok(ReplyBody::Alarms(self.alarms())),
            _ => Err(Error::UNIMPLEMENTED),
        }
    }

    fn lease_left(&self, now: Instant, id: i64, keys: bool) -> ReplyBody {
        let lease = self.store.lease(id);
        ReplyBody::LeaseLeft {
            id,
            left_secs: lease.map_or(-1, |lease| lease.left_secs(now)),
            lease: lease.filter(|_| keys).cloned(),
        }
    }

    /// The members of the cluster.
    pub fn members(&self) -> Vec<Member> {
        self.cluster.members.clone()
    }

    fn alarms(&self) -> Vec<&'static str> {
        if self.store.out_of_space() {
            vec!["NOSPACE"]
        } else {
            Vec::new()
        }
    }

    fn status(&self) -> MemberStatus {
        let alarm = |name: &'static str| {
            Rc::from(format!("memberID:{} alarm:{name} ", self.cluster.member_id))
        };
        MemberStatus {
            version: self.config.version.clone(),
            db_size: self.store.db_size(),
            db_size_in_use: self.store.db_size_in_use(),
            quota: self.config.quota_bytes,
            leader: self.cluster.member_id,
            raft_index: self.cluster.raft_index,
            raft_applied_index: self.cluster.raft_index,
            raft_term: self.cluster.raft_term,
            is_learner: false,
            errors: self.alarms().into_iter().map(alarm).collect(),
        }
    }

    fn on_watch(&mut self, from: StreamId, request: &WatchRequest, out: &mut Vec<Output>) {
        match request {
            WatchRequest::Create(watch) => self.watch(from, watch.clone(), out),
            WatchRequest::Cancel(id) => {
                if self.watchers.remove(&(from, *id)).is_some() {
                    let ended = WatchResponse {
                        canceled: true,
                        ..self.nothing_new(*id)
                    };
                    out.push(said(from, ended));
                }
            }
            WatchRequest::Progress => out.push(said(from, self.nothing_new(-1))),
        }
    }

    fn watch(&mut self, from: StreamId, mut watch: Watch, out: &mut Vec<Output>) {
        if watch.id == 0 {
            let last = self
                .watchers
                .range((from, 0)..=(from, i64::MAX))
                .next_back();
            watch.id = last.map_or(0, |((_, id), _)| *id) + 1;
        }
        let id = watch.id;
        out.push(said(
            from,
            WatchResponse {
                created: true,
                ..self.nothing_new(id)
            },
        ));
        if watch.start_revision > 0 && watch.start_revision <= self.store.revision() {
            let missed: Vec<Event> = match self.store.events_since(watch.start_revision) {
                Ok(events) => events
                    .filter(|event| watch.wants(event))
                    .map(|e| watch.told(e))
                    .collect(),
                Err(error) => {
                    let ended = WatchResponse {
                        canceled: true,
                        compact_revision: self.store.compacted(),
                        cancel_reason: error.message,
                        ..self.nothing_new(id)
                    };
                    out.push(said(from, ended));
                    return;
                }
            };
            if !missed.is_empty() {
                let news = WatchResponse {
                    events: missed.into(),
                    ..self.nothing_new(id)
                };
                out.push(said(from, news));
            }
        }
        self.watchers.insert((from, id), watch);
    }

    /// Tells all watchers of what happened since a revision.
    fn tell(&self, revision: i64, out: &mut Vec<Output>) {
        let Ok(events) = self.store.events_since(revision) else {
            return;
        };
        let events: Vec<&Event> = events.collect();
        for ((from, id), watch) in &self.watchers {
            let wanted: Vec<Event> = events
                .iter()
                .filter(|event| watch.wants(event))
                .map(|event| watch.told(event))
                .collect();
            if !wanted.is_empty() {
                let news = WatchResponse {
                    events: wanted.into(),
                    ..self.nothing_new(*id)
                };
                out.push(said(*from, news));
            }
        }
    }

    fn tell_progress(&self, out: &mut Vec<Output>) {
        for ((from, id), _) in self
            .watchers
            .iter()
            .filter(|(_, watch)| watch.progress_notify)
        {
            out.push(said(*from, self.nothing_new(*id)));
        }
    }

    fn nothing_new(&self, watch_id: i64) -> WatchResponse {
        WatchResponse {
            header: self.header(),
            watch_id,
            created: false,
            canceled: false,
            compact_revision: 0,
            cancel_reason: "",
            events: Rc::new([]),
        }
    }

    /// The health and version pages, which ask for no certificate when served on the metrics port.
    fn health(&self, request: &HttpRequest) -> Option<Response> {
        if request.method != Method::Get {
            return None;
        }
        Some(match request.path() {
            "/health" if self.store.out_of_space() => {
                Response::new(503, "{\"health\":\"false\",\"reason\":\"ALARM NOSPACE\"}")
            }
            "/health" => Response::new(200, "{\"health\":\"true\",\"reason\":\"\"}"),
            "/livez" | "/readyz" => Response::new(200, "ok\n"),
            "/version" => {
                let version = &self.config.version;
                let version = format!(
                    "{{\"etcdserver\":\"{version}\",\"etcdcluster\":\"3.6.0\",\"storage\":\"3.6.0\"}}"
                );
                Response::new(200, version)
            }
            _ => Response::new(404, "404 page not found\n"),
        })
    }
}

/// A lease that asks for no number gets one before it is logged, so that the log says which.
fn numbered(request: Rc<Request>, random: &mut Stream) -> Rc<Request> {
    match &*request {
        Request::LeaseGrant { id: 0, ttl_secs } => {
            let id = (random.next_u64() >> 1) as i64;
            Rc::new(Request::LeaseGrant {
                id,
                ttl_secs: *ttl_secs,
            })
        }
        _ => request,
    }
}

fn said(to: StreamId, response: WatchResponse) -> Output {
    Output::Data(to, Body::Shared(Rc::new(response)))
}

fn refusal(error: Error) -> Response {
    Response::new(200, Body::Empty)
        .with_header("grpc-status", (error.code as u8).to_string())
        .with_header("grpc-message", error.message)
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
