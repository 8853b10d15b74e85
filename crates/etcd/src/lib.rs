//! A member of an etcd cluster: revisions, transactions, watches, leases, compaction, snapshots.
//! Knows nothing of what it stores: keys are bytes, values are opaque. Knows no sockets: the
//! [`Server`] is told of requests and answers with [`Output`]s.
//!
//! Models go.etcd.io/etcd/server/v3 with one voting member.

mod ids;
mod kv;
mod lease;
mod member;
mod server;
mod snapshot;
mod store;
mod txn;
mod watch;
mod wire;

pub use kv::{Blob, Event, EventKind, Key, KeyValue, Keys, blob, key, text_blob};
pub use lease::Lease;
pub use member::{Cluster, Config, Member, MemberStatus};
pub use server::{Output, Server, StreamId};
pub use snapshot::{Restore, Snapshot, SnapshotStatus};
pub use store::Store;
pub use txn::{
    Compare, DeleteRange, DeleteReply, Op, OpReply, Operator, Put, PutReply, Range, RangeReply,
    SortOrder, Target, Txn, TxnReply,
};
pub use watch::{Watch, WatchRequest, WatchResponse};
pub use wire::{Code, Error, Header, Reply, ReplyBody, Request, VERSION, read_reply};
