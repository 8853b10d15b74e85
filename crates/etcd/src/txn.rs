//! What can be asked of the key space, and its answers. Data only: the store evaluates it.
//!
//! Models the KV messages of api/etcdserverpb/rpc.proto.

use std::rc::Rc;

use crate::kv::{Blob, Key, KeyValue, Keys};

/// Reads a range.
#[derive(Clone, Debug)]
pub struct Range {
    /// Which keys.
    pub keys: Keys,
    /// At which revision; 0 for now.
    pub revision: i64,
    /// At most so many pairs; 0 for all.
    pub limit: usize,
    /// The order of the answer.
    pub sort: SortOrder,
    /// Only keys, no values.
    pub keys_only: bool,
    /// Only how many.
    pub count_only: bool,
}

impl Range {
    /// All of the keys, now.
    pub fn of(keys: Keys) -> Range {
        Range {
            keys,
            revision: 0,
            limit: 0,
            sort: SortOrder::Key,
            keys_only: false,
            count_only: false,
        }
    }
}

/// The order of a range's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortOrder {
    /// By key, ascending.
    Key,
    /// By key, descending.
    KeyDescending,
    /// By creation revision, ascending.
    CreateRevision,
    /// By modification revision, ascending.
    ModRevision,
}

/// A range's answer.
#[derive(Clone, Debug, Default)]
pub struct RangeReply {
    /// The pairs.
    pub kvs: Vec<Rc<KeyValue>>,
    /// There are more pairs than the limit let through.
    pub more: bool,
    /// How many keys the range holds, limit or not.
    pub count: u64,
}

/// Writes a key.
#[derive(Clone, Debug)]
pub struct Put {
    /// The key.
    pub key: Key,
    /// Its value.
    pub value: Blob,
    /// The lease to hang it on, 0 for none.
    pub lease: i64,
    /// Whether the answer carries the pair before.
    pub prev_kv: bool,
}

/// A write's answer.
#[derive(Clone, Debug, Default)]
pub struct PutReply {
    /// The pair before, where asked for.
    pub prev_kv: Option<Rc<KeyValue>>,
}

/// Deletes keys.
#[derive(Clone, Debug)]
pub struct DeleteRange {
    /// Which keys.
    pub keys: Keys,
    /// Whether the answer carries the pairs before.
    pub prev_kv: bool,
}

/// A deletion's answer.
#[derive(Clone, Debug, Default)]
pub struct DeleteReply {
    /// How many keys went.
    pub deleted: u64,
    /// The pairs before, where asked for.
    pub prev_kvs: Vec<Rc<KeyValue>>,
}

/// What a comparison looks at, and the value it wants.
#[derive(Clone, Debug)]
pub enum Target {
    /// Writes since the key came to be; 0 where it does not exist.
    Version(i64),
    /// The revision of creation; 0 where the key does not exist.
    CreateRevision(i64),
    /// The revision of the last change; 0 where the key does not exist.
    ModRevision(i64),
    /// The value. False where the key does not exist.
    Value(Blob),
    /// The lease; 0 for none.
    Lease(i64),
}

/// How a comparison compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// The key's is equal to the wanted one.
    Equal,
    /// The key's is not the wanted one.
    NotEqual,
    /// The key's is greater.
    Greater,
    /// The key's is less.
    Less,
}

/// One condition of a transaction. Over several keys, each must meet it.
#[derive(Clone, Debug)]
pub struct Compare {
    /// Which keys.
    pub keys: Keys,
    /// What is compared.
    pub target: Target,
    /// How.
    pub operator: Operator,
}

impl Compare {
    /// The key was last changed at this revision; 0: it does not exist.
    pub fn mod_revision(key: Key, revision: i64) -> Compare {
        Compare {
            keys: Keys::One(key),
            target: Target::ModRevision(revision),
            operator: Operator::Equal,
        }
    }
}

/// One operation of a transaction.
#[derive(Clone, Debug)]
pub enum Op {
    /// Read.
    Range(Range),
    /// Write.
    Put(Put),
    /// Delete.
    DeleteRange(DeleteRange),
    /// A transaction within.
    Txn(Box<Txn>),
}

/// If all comparisons hold the one list of operations, else the other, atomically and at one
/// revision.
#[derive(Clone, Debug, Default)]
pub struct Txn {
    /// The conditions.
    pub compare: Vec<Compare>,
    /// Done where all hold.
    pub success: Vec<Op>,
    /// Done where one does not.
    pub failure: Vec<Op>,
}

impl Txn {
    /// Whether any of its operations could write.
    pub fn writes(&self) -> bool {
        self.success.iter().chain(&self.failure).any(|op| match op {
            Op::Range(_) => false,
            Op::Put(_) | Op::DeleteRange(_) => true,
            Op::Txn(txn) => txn.writes(),
        })
    }
}

/// One operation's answer.
#[derive(Clone, Debug)]
pub enum OpReply {
    /// To a read.
    Range(RangeReply),
    /// To a write.
    Put(PutReply),
    /// To a deletion.
    Delete(DeleteReply),
    /// To a transaction within.
    Txn(TxnReply),
}

/// A transaction's answer.
#[derive(Clone, Debug, Default)]
pub struct TxnReply {
    /// Whether the comparisons held.
    pub succeeded: bool,
    /// One answer an operation.
    pub replies: Vec<OpReply>,
}
