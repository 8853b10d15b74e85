//! The messages of the client protocol: requests, replies, errors with their gRPC codes. Bodies are
//! shared values; bytes are made only where someone looks.
//!
//! Models api/etcdserverpb/rpc.proto and api/v3rpc/rpctypes/error.go.

use std::any::Any;
use std::fmt;
use std::rc::Rc;

use net::Shared;
use net::http::Response;

use crate::lease::Lease;
use crate::member::{Member, MemberStatus};
use crate::snapshot::Snapshot;
use crate::txn::{DeleteRange, DeleteReply, Put, PutReply, Range, RangeReply, Txn, TxnReply};

/// The version this member says it is.
pub const VERSION: &str = "3.6.8";

/// A request of one answer.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // The variants say what their fields are.
pub enum Request {
    /// Read.
    Range(Range),
    /// Write.
    Put(Put),
    /// Delete.
    DeleteRange(DeleteRange),
    /// A transaction.
    Txn(Txn),
    /// Forget the history before this revision.
    Compact(i64),
    /// A lease of so many seconds; with an id of one's own, or 0.
    LeaseGrant { id: i64, ttl_secs: i64 },
    /// End a lease and delete its keys.
    LeaseRevoke(i64),
    /// Renew a lease.
    LeaseKeepAlive(i64),
    /// What is left of a lease, and its keys where asked for.
    LeaseTimeToLive { id: i64, keys: bool },
    /// All leases.
    LeaseLeases,
    /// The members.
    MemberList,
    /// A new member, by its peer URLs.
    MemberAdd(Vec<Rc<str>>),
    /// A member leaves.
    MemberRemove(u64),
    /// Hand the leadership to another member.
    MoveLeader(u64),
    /// This member's state.
    Status,
    /// A hash of the key space at a revision; 0 for now.
    HashKv(i64),
    /// Give free pages back.
    Defragment,
    /// A copy of the whole database.
    Snapshot,
    /// The alarms that are raised.
    AlarmList,
    /// Take back all alarms.
    AlarmDisarm,
}

impl Request {
    /// The path the request is posted to.
    pub fn path(&self) -> &'static str {
        match self {
            Request::Range(_) => "/etcdserverpb.KV/Range",
            Request::Put(_) => "/etcdserverpb.KV/Put",
            Request::DeleteRange(_) => "/etcdserverpb.KV/DeleteRange",
            Request::Txn(_) => "/etcdserverpb.KV/Txn",
            Request::Compact(_) => "/etcdserverpb.KV/Compact",
            Request::LeaseGrant { .. } => "/etcdserverpb.Lease/LeaseGrant",
            Request::LeaseRevoke(_) => "/etcdserverpb.Lease/LeaseRevoke",
            Request::LeaseKeepAlive(_) => "/etcdserverpb.Lease/LeaseKeepAlive",
            Request::LeaseTimeToLive { .. } => "/etcdserverpb.Lease/LeaseTimeToLive",
            Request::LeaseLeases => "/etcdserverpb.Lease/LeaseLeases",
            Request::MemberList => "/etcdserverpb.Cluster/MemberList",
            Request::MemberAdd(_) => "/etcdserverpb.Cluster/MemberAdd",
            Request::MemberRemove(_) => "/etcdserverpb.Cluster/MemberRemove",
            Request::MoveLeader(_) => "/etcdserverpb.Maintenance/MoveLeader",
            Request::Status => "/etcdserverpb.Maintenance/Status",
            Request::HashKv(_) => "/etcdserverpb.Maintenance/HashKV",
            Request::Defragment => "/etcdserverpb.Maintenance/Defragment",
            Request::Snapshot => "/etcdserverpb.Maintenance/Snapshot",
            Request::AlarmList | Request::AlarmDisarm => "/etcdserverpb.Maintenance/Alarm",
        }
    }

    /// Whether the request must be agreed on and written to the log before it is answered.
    pub fn proposes(&self) -> bool {
        match self {
            Request::Put(_)
            | Request::DeleteRange(_)
            | Request::Compact(_)
            | Request::LeaseGrant { .. }
            | Request::LeaseRevoke(_)
            | Request::MemberAdd(_)
            | Request::MemberRemove(_)
            | Request::AlarmDisarm => true,
            Request::Txn(txn) => txn.writes(),
            Request::Range(_)
            | Request::LeaseKeepAlive(_)
            | Request::LeaseTimeToLive { .. }
            | Request::LeaseLeases
            | Request::MemberList
            | Request::MoveLeader(_)
            | Request::Status
            | Request::HashKv(_)
            | Request::Defragment
            | Request::Snapshot
            | Request::AlarmList => false,
        }
    }
}

/// What every reply says of the member that answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The cluster.
    pub cluster_id: u64,
    /// The member.
    pub member_id: u64,
    /// The revision of the key space.
    pub revision: i64,
    /// The raft term.
    pub raft_term: u64,
}

/// An answer with its header.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Who answered, and when.
    pub header: Header,
    /// The answer.
    pub body: ReplyBody,
}

/// The answers, one a request.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // The variants say what their fields are.
pub enum ReplyBody {
    /// To `Range`.
    Range(RangeReply),
    /// To `Put`.
    Put(PutReply),
    /// To `DeleteRange`.
    DeleteRange(DeleteReply),
    /// To `Txn`.
    Txn(TxnReply),
    /// To `Compact`, `LeaseRevoke`, `Defragment`, `MemberRemove`, `MoveLeader`.
    Done,
    /// To `LeaseGrant` and `LeaseKeepAlive`: the lease and its time in seconds. A time of 0 says that
    /// there is no such lease.
    Lease { id: i64, ttl_secs: i64 },
    /// To `LeaseTimeToLive`: the seconds left, -1 where there is no such lease.
    LeaseLeft {
        id: i64,
        left_secs: i64,
        lease: Option<Lease>,
    },
    /// To `LeaseLeases`.
    Leases(Vec<i64>),
    /// To `MemberList` and `MemberAdd`.
    Members(Vec<Member>),
    /// To `Status`.
    Status(MemberStatus),
    /// To `HashKv`.
    Hash { hash: u32, compact_revision: i64 },
    /// To `Snapshot`.
    Snapshot(Rc<Snapshot>),
    /// To `AlarmList` and `AlarmDisarm`: the names of those raised.
    Alarms(Vec<&'static str>),
}

/// gRPC's codes, as far as etcd answers with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The request makes no sense.
    InvalidArgument = 3,
    /// No such thing.
    NotFound = 5,
    /// The database is full.
    ResourceExhausted = 8,
    /// The state forbids it.
    FailedPrecondition = 9,
    /// A revision that is compacted or in the future.
    OutOfRange = 11,
    /// No such call.
    Unimplemented = 12,
    /// No leader, or stopping.
    Unavailable = 14,
}

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// The gRPC code.
    pub code: Code,
    /// etcd's sentence.
    pub message: &'static str,
}

impl Error {
    /// The revision is compacted away.
    pub const COMPACTED: Error = Error::new(
        Code::OutOfRange,
        "etcdserver: mvcc: required revision has been compacted",
    );
    /// The revision is still to come.
    pub const FUTURE: Error = Error::new(
        Code::OutOfRange,
        "etcdserver: mvcc: required revision is a future revision",
    );
    /// The database has reached its quota.
    pub const NO_SPACE: Error = Error::new(
        Code::ResourceExhausted,
        "etcdserver: mvcc: database space exceeded",
    );
    /// A key was written twice in one transaction.
    pub const DUPLICATE_KEY: Error = Error::new(
        Code::InvalidArgument,
        "etcdserver: duplicate key given in txn request",
    );
    /// A request without a key.
    pub const EMPTY_KEY: Error =
        Error::new(Code::InvalidArgument, "etcdserver: key is not provided");
    /// More than 128 operations.
    pub const TOO_MANY_OPS: Error = Error::new(
        Code::InvalidArgument,
        "etcdserver: too many operations in txn request",
    );
    /// More than 1.5 MiB.
    pub const TOO_LARGE: Error =
        Error::new(Code::InvalidArgument, "etcdserver: request is too large");
    /// No such lease.
    pub const LEASE_NOT_FOUND: Error =
        Error::new(Code::NotFound, "etcdserver: requested lease not found");
    /// The lease's id is taken.
    pub const LEASE_EXISTS: Error =
        Error::new(Code::FailedPrecondition, "etcdserver: lease already exists");
    /// The lease's time is out of bounds.
    pub const LEASE_TTL_TOO_LARGE: Error =
        Error::new(Code::OutOfRange, "etcdserver: too large lease TTL");
    /// No such member.
    pub const MEMBER_NOT_FOUND: Error = Error::new(Code::NotFound, "etcdserver: member not found");
    /// The leadership cannot go there.
    pub const BAD_LEADER_TRANSFEREE: Error = Error::new(
        Code::FailedPrecondition,
        "etcdserver: bad leader transferee",
    );
    /// Only one member is modelled; more would need a quorum.
    pub const UNHEALTHY: Error = Error::new(Code::Unavailable, "etcdserver: unhealthy cluster");
    /// No such call.
    pub const UNIMPLEMENTED: Error = Error::new(Code::Unimplemented, "unknown service or method");

    const fn new(code: Code, message: &'static str) -> Error {
        Error { code, message }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message)
    }
}

/// What a client reads from a response: the reply, or the code and sentence of a refusal.
pub fn read_reply(response: &Response) -> Result<Rc<Reply>, (u32, Rc<str>)> {
    let code = response
        .headers
        .get("grpc-status")
        .and_then(|code| code.parse().ok())
        .unwrap_or(2);
    if code != 0 {
        return Err((
            code,
            response.headers.get("grpc-message").unwrap_or("").into(),
        ));
    }
    response.body.downcast_rc().ok_or((2, "not a reply".into()))
}

impl Shared for Request {
    fn size(&self) -> u64 {
        match self {
            Request::Put(put) => 8 + put.key.len() as u64 + put.value.size(),
            Request::Txn(txn) => txn_size(txn),
            _ => 64,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        format!("{self:?}").into_bytes()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn txn_size(txn: &Txn) -> u64 {
    use crate::txn::Op;
    let ops = txn.success.iter().chain(&txn.failure);
    let sum: u64 = ops
        .map(|op| match op {
            Op::Put(put) => put.key.len() as u64 + put.value.size(),
            Op::Txn(inner) => txn_size(inner),
            Op::Range(_) | Op::DeleteRange(_) => 64,
        })
        .sum();
    sum + 48 * txn.compare.len() as u64
}

impl Shared for Reply {
    fn size(&self) -> u64 {
        let kvs = |reply: &RangeReply| -> u64 { reply.kvs.iter().map(|kv| kv.stored_size()).sum() };
        32 + match &self.body {
            ReplyBody::Range(reply) => kvs(reply),
            ReplyBody::Snapshot(snapshot) => snapshot.size(),
            _ => 0,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        format!("{self:?}").into_bytes()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
