//! The key space with its history. Evaluates requests; knows no clients and no disk.
//!
//! Models server/storage/mvcc/{kvstore,kvstore_txn}.go and server/etcdserver/txn.

mod file;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::rc::Rc;

use imbl::shared_ptr::RcK;
use imbl::{GenericOrdMap, GenericVector};
use sim::Instant;

use crate::kv::{Event, EventKind, Key, KeyValue, Keys, blob};
use crate::lease::{Lease, MAX_TTL_SECS};
use crate::txn::{
    Compare, DeleteRange, DeleteReply, Op, OpReply, Operator, Put, PutReply, Range, RangeReply,
    SortOrder, Target, Txn, TxnReply,
};
use crate::wire::Error;

/// The most operations a transaction may have.
const MAX_TXN_OPS: usize = 128;
/// The largest request, in bytes.
const MAX_REQUEST_BYTES: u64 = 3 << 19;
/// A page of the database file.
const PAGE: u64 = 4096;

/// The key space: every key now, every change since the last compaction, the leases. A clone is
/// cheap and shares everything.
#[derive(Clone, Debug)]
pub struct Store {
    keys: GenericOrdMap<Key, Rc<KeyValue>, RcK>,
    /// The changes of revision `log_start + index`.
    log: GenericVector<Rc<[Event]>, RcK>,
    log_start: i64,
    revision: i64,
    compacted: i64,
    leases: GenericOrdMap<i64, Lease, RcK>,
    /// Bytes of everything now and in the log.
    used: u64,
    /// Bytes of the file, which shrinks only when defragmented.
    file: u64,
    quota: u64,
    /// The NOSPACE alarm is raised: only reads and deletions are served.
    no_space: bool,
}

impl Store {
    /// An empty key space, at revision 1.
    pub fn new(quota_bytes: u64) -> Store {
        Store {
            keys: GenericOrdMap::new(),
            log: GenericVector::new(),
            log_start: 2,
            revision: 1,
            compacted: 0,
            leases: GenericOrdMap::new(),
            used: 4 * PAGE,
            file: 5 * PAGE,
            quota: quota_bytes,
            no_space: false,
        }
    }

    /// The revision of the last change.
    pub fn revision(&self) -> i64 {
        self.revision
    }

    /// The revision up to which history is forgotten, 0 for none.
    pub fn compacted(&self) -> i64 {
        self.compacted
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// How many versions of keys the file holds: those of now, and those before since the compaction.
    pub fn versions(&self) -> u64 {
        let before = |events: &Rc<[Event]>| {
            events
                .iter()
                .map(|event| match (event.kind, &event.prev) {
                    (EventKind::Put, None) => 0,
                    (EventKind::Put, Some(_)) => 1,
                    (EventKind::Delete, _) => 2,
                })
                .sum::<u64>()
        };
        self.keys.len() as u64 + self.log.iter().map(before).sum::<u64>()
    }

    /// A key's pair now.
    pub fn get(&self, key: &[u8]) -> Option<&Rc<KeyValue>> {
        self.keys.get(key)
    }

    /// All pairs now, in order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = &Rc<KeyValue>> {
        self.keys.values()
    }

    /// Pairs whose key begins with `prefix`, in order of the keys.
    pub fn prefix<'a>(&'a self, prefix: &'a [u8]) -> impl Iterator<Item = &'a Rc<KeyValue>> {
        let from: Key = prefix.into();
        self.keys
            .range(from..)
            .map(|(_, pair)| pair)
            .take_while(move |pair| pair.key.starts_with(prefix))
    }

    /// Bytes of the database file.
    pub fn db_size(&self) -> u64 {
        self.file
    }

    /// Bytes of the database file that are in use.
    pub fn db_size_in_use(&self) -> u64 {
        self.used.div_ceil(PAGE) * PAGE
    }

    /// Whether the NOSPACE alarm is raised.
    pub fn out_of_space(&self) -> bool {
        self.no_space
    }

    /// Takes the NOSPACE alarm back.
    pub fn disarm(&mut self) {
        self.no_space = false;
    }

    /// The leases.
    pub fn leases(&self) -> impl Iterator<Item = &Lease> {
        self.leases.values()
    }

    /// A lease.
    pub fn lease(&self, id: i64) -> Option<&Lease> {
        self.leases.get(&id)
    }

    /// The changes from a revision on, oldest first. Fails where they are compacted away.
    pub fn events_since(&self, revision: i64) -> Result<impl Iterator<Item = &Event>, Error> {
        if revision <= self.compacted {
            return Err(Error::COMPACTED);
        }
        // By index: skipping along an iterator would visit all that is skipped.
        let first = (revision - self.log_start).max(0) as usize;
        Ok((first..self.log.len())
            .filter_map(|at| self.log.get(at))
            .flat_map(|events| events.iter()))
    }

    /// Reads.
    pub fn range(&self, range: &Range) -> Result<RangeReply, Error> {
        if range.revision > self.revision {
            return Err(Error::FUTURE);
        }
        if range.revision > 0 && range.revision < self.compacted {
            return Err(Error::COMPACTED);
        }
        if range.revision <= 0 || range.revision == self.revision {
            return Ok(self.collect(range, self.span(&range.keys)));
        }
        let past = self.past(&range.keys, range.revision);
        Ok(self.collect(range, past.values()))
    }

    /// The pairs of the keys now.
    fn span<'a>(&'a self, keys: &Keys) -> Box<dyn Iterator<Item = &'a Rc<KeyValue>> + 'a> {
        let (start, end): (Bound<&[u8]>, Bound<&[u8]>) = match keys {
            Keys::One(key) => return Box::new(self.keys.get(&**key).into_iter()),
            Keys::Span(start, end) if start >= end => return Box::new(std::iter::empty()),
            Keys::Span(start, end) => (Bound::Included(start), Bound::Excluded(end)),
            Keys::From(start) => (Bound::Included(start), Bound::Unbounded),
        };
        Box::new(self.keys.range::<_, [u8]>((start, end)).map(|(_, kv)| kv))
    }

    /// The pairs of the keys as they were at a revision: today's, with what came later undone.
    fn past(&self, keys: &Keys, revision: i64) -> BTreeMap<Key, Rc<KeyValue>> {
        let mut pairs: BTreeMap<Key, Rc<KeyValue>> = self
            .span(keys)
            .map(|kv| (kv.key.clone(), kv.clone()))
            .collect();
        let later = (revision + 1 - self.log_start).max(0) as usize;
        for at in (later..self.log.len()).rev() {
            let events = &self.log[at];
            for event in events
                .iter()
                .rev()
                .filter(|event| keys.contains(&event.kv.key))
            {
                match &event.prev {
                    Some(prev) => pairs.insert(prev.key.clone(), prev.clone()),
                    None => pairs.remove(&event.kv.key),
                };
            }
        }
        pairs
    }

    fn collect<'a>(
        &self,
        range: &Range,
        pairs: impl Iterator<Item = &'a Rc<KeyValue>>,
    ) -> RangeReply {
        let mut reply = RangeReply::default();
        if range.count_only {
            reply.count = pairs.count() as u64;
            return reply;
        }
        let limit = if range.limit == 0 {
            usize::MAX
        } else {
            range.limit
        };
        if range.sort == SortOrder::Key {
            for pair in pairs {
                reply.count += 1;
                if reply.kvs.len() < limit {
                    reply.kvs.push(pair.clone());
                }
            }
        } else {
            reply.kvs = pairs.cloned().collect();
            reply.count = reply.kvs.len() as u64;
            match range.sort {
                SortOrder::Key => {}
                SortOrder::KeyDescending => reply.kvs.reverse(),
                SortOrder::CreateRevision => reply.kvs.sort_by_key(|kv| kv.create_revision),
                SortOrder::ModRevision => reply.kvs.sort_by_key(|kv| kv.mod_revision),
            }
            reply.kvs.truncate(limit);
        }
        reply.more = reply.count > reply.kvs.len() as u64;
        if range.keys_only {
            for kv in &mut reply.kvs {
                *kv = Rc::new(KeyValue {
                    value: blob(b""),
                    ..(**kv).clone()
                });
            }
        }
        reply
    }

    /// Writes one key.
    pub fn put(&mut self, put: &Put) -> Result<PutReply, Error> {
        let ops = [Op::Put(put.clone())];
        self.check_ops(&ops, &mut BTreeSet::new())?;
        self.check_space(&ops)?;
        let mut events = Vec::new();
        let reply = self.apply_put(put, &mut events);
        self.commit(events);
        Ok(reply)
    }

    /// Deletes keys.
    pub fn delete(&mut self, delete: &DeleteRange) -> DeleteReply {
        let mut events = Vec::new();
        let reply = self.apply_delete(delete, &mut events);
        self.commit(events);
        reply
    }

    /// Does a transaction: all of it at one revision, or nothing.
    pub fn txn(&mut self, txn: &Txn) -> Result<TxnReply, Error> {
        self.check_ops(&txn.success, &mut BTreeSet::new())?;
        self.check_ops(&txn.failure, &mut BTreeSet::new())?;
        if txn.compare.len() > MAX_TXN_OPS {
            return Err(Error::TOO_MANY_OPS);
        }
        let branch = if self.holds(&txn.compare) {
            &txn.success
        } else {
            &txn.failure
        };
        self.check_space(branch)?;
        let mut events = Vec::new();
        let reply = self.apply_txn(txn, &mut events)?;
        self.commit(events);
        Ok(reply)
    }

    fn apply_txn(&mut self, txn: &Txn, events: &mut Vec<Event>) -> Result<TxnReply, Error> {
        let succeeded = self.holds(&txn.compare);
        let ops = if succeeded {
            &txn.success
        } else {
            &txn.failure
        };
        let mut replies = Vec::with_capacity(ops.len());
        for op in ops {
            replies.push(match op {
                Op::Range(range) => OpReply::Range(self.range(range)?),
                Op::Put(put) => OpReply::Put(self.apply_put(put, events)),
                Op::DeleteRange(delete) => OpReply::Delete(self.apply_delete(delete, events)),
                Op::Txn(inner) => OpReply::Txn(self.apply_txn(inner, events)?),
            });
        }
        Ok(TxnReply { succeeded, replies })
    }

    /// Refuses what cannot be done before anything is done.
    fn check_ops<'a>(&self, ops: &'a [Op], put: &mut BTreeSet<&'a [u8]>) -> Result<(), Error> {
        if ops.len() > MAX_TXN_OPS {
            return Err(Error::TOO_MANY_OPS);
        }
        for op in ops {
            match op {
                Op::Put(one) => {
                    if one.key.is_empty() {
                        return Err(Error::EMPTY_KEY);
                    }
                    if one.value.size() > MAX_REQUEST_BYTES {
                        return Err(Error::TOO_LARGE);
                    }
                    if one.lease != 0 && !self.leases.contains_key(&one.lease) {
                        return Err(Error::LEASE_NOT_FOUND);
                    }
                    if ops.len() > 1 && !put.insert(&one.key) {
                        return Err(Error::DUPLICATE_KEY);
                    }
                }
                Op::Txn(inner) => {
                    // The branches exclude each other, so the same key may stand in both.
                    self.check_ops(&inner.success, &mut put.clone())?;
                    self.check_ops(&inner.failure, &mut put.clone())?;
                }
                Op::Range(_) | Op::DeleteRange(_) => {}
            }
        }
        Ok(())
    }

    fn check_space(&mut self, ops: &[Op]) -> Result<(), Error> {
        let needed: u64 = ops
            .iter()
            .map(|op| match op {
                Op::Put(put) => put.key.len() as u64 + put.value.size(),
                _ => 0,
            })
            .sum();
        if needed > 0 && (self.no_space || self.used + needed > self.quota) {
            self.no_space = true;
            return Err(Error::NO_SPACE);
        }
        Ok(())
    }

    fn holds(&self, compare: &[Compare]) -> bool {
        compare.iter().all(|one| match &one.keys {
            Keys::One(key) => meets(one, self.keys.get(&**key)),
            keys => self.span(keys).all(|kv| meets(one, Some(kv))),
        })
    }

    fn apply_put(&mut self, put: &Put, events: &mut Vec<Event>) -> PutReply {
        let revision = self.revision + 1;
        let prev = self.keys.get(&*put.key).cloned();
        let kv = Rc::new(KeyValue {
            // The first key is kept, so that all versions share it.
            key: prev
                .as_ref()
                .map_or_else(|| put.key.clone(), |prev| prev.key.clone()),
            create_revision: prev.as_ref().map_or(revision, |prev| prev.create_revision),
            mod_revision: revision,
            version: prev.as_ref().map_or(0, |prev| prev.version) + 1,
            value: put.value.clone(),
            lease: put.lease,
        });
        let old_lease = prev.as_ref().map_or(0, |prev| prev.lease);
        if old_lease != put.lease {
            self.detach(old_lease, &kv.key);
            if let Some(lease) = self.leases.get_mut(&put.lease) {
                lease.keys.insert(kv.key.clone());
            }
        }
        self.used += kv.stored_size();
        self.keys.insert(kv.key.clone(), kv.clone());
        events.push(Event {
            kind: EventKind::Put,
            kv,
            prev: prev.clone(),
        });
        PutReply {
            prev_kv: prev.filter(|_| put.prev_kv),
        }
    }

    fn apply_delete(&mut self, delete: &DeleteRange, events: &mut Vec<Event>) -> DeleteReply {
        let gone: Vec<Rc<KeyValue>> = self.span(&delete.keys).cloned().collect();
        for kv in &gone {
            self.keys.remove(&*kv.key);
            self.detach(kv.lease, &kv.key);
            let tombstone = Rc::new(KeyValue {
                key: kv.key.clone(),
                create_revision: 0,
                mod_revision: self.revision + 1,
                version: 0,
                value: blob(b""),
                lease: 0,
            });
            self.used += tombstone.stored_size();
            let prev = Some(kv.clone());
            events.push(Event {
                kind: EventKind::Delete,
                kv: tombstone,
                prev,
            });
        }
        let deleted = gone.len() as u64;
        DeleteReply {
            deleted,
            prev_kvs: if delete.prev_kv { gone } else { Vec::new() },
        }
    }

    fn detach(&mut self, lease: i64, key: &Key) {
        if lease != 0
            && let Some(lease) = self.leases.get_mut(&lease)
        {
            lease.keys.remove(key);
        }
    }

    fn commit(&mut self, events: Vec<Event>) {
        if events.is_empty() {
            return;
        }
        self.revision += 1;
        self.log.push_back(events.into());
        // The file grows by whole extents, somewhat ahead of what is used.
        self.file = self.file.max((self.used + PAGE).div_ceil(PAGE) * PAGE);
    }

    /// Forgets the history before a revision.
    pub fn compact(&mut self, revision: i64) -> Result<(), Error> {
        if revision <= self.compacted {
            return Err(Error::COMPACTED);
        }
        if revision > self.revision {
            return Err(Error::FUTURE);
        }
        while self.log_start <= revision {
            let Some(events) = self.log.pop_front() else {
                break;
            };
            self.log_start += 1;
            for event in events.iter() {
                let gone = match event.kind {
                    EventKind::Put => 0,
                    EventKind::Delete => event.kv.stored_size(),
                };
                let before = event.prev.as_ref().map_or(0, |prev| prev.stored_size());
                self.used = self.used.saturating_sub(gone + before);
            }
        }
        self.log_start = self.log_start.max(revision + 1);
        self.compacted = revision;
        Ok(())
    }

    /// Gives the file's free pages back.
    pub fn defragment(&mut self) {
        self.file = self.db_size_in_use();
    }

    /// Makes a lease. `id` must not be 0.
    pub fn grant(&mut self, id: i64, ttl_secs: i64, now: Instant) -> Result<&Lease, Error> {
        if ttl_secs > MAX_TTL_SECS {
            return Err(Error::LEASE_TTL_TOO_LARGE);
        }
        if self.leases.contains_key(&id) {
            return Err(Error::LEASE_EXISTS);
        }
        self.leases.insert(id, Lease::new(id, ttl_secs, now));
        Ok(self.leases.get(&id).expect("it was put there"))
    }

    /// Ends a lease and deletes its keys, at one revision.
    pub fn revoke(&mut self, id: i64) -> Result<(), Error> {
        let lease = self.leases.remove(&id).ok_or(Error::LEASE_NOT_FOUND)?;
        let mut events = Vec::new();
        for key in lease.keys.iter() {
            let delete = DeleteRange {
                keys: Keys::One(key.clone()),
                prev_kv: false,
            };
            self.apply_delete(&delete, &mut events);
        }
        self.commit(events);
        Ok(())
    }

    /// Begins a lease's time anew; its time in seconds.
    pub fn keep_alive(&mut self, id: i64, now: Instant) -> Result<i64, Error> {
        let lease = self.leases.get_mut(&id).ok_or(Error::LEASE_NOT_FOUND)?;
        lease.renew(now);
        Ok(lease.ttl_secs)
    }

    /// Gives every lease its full time again, as a member does that becomes the leader.
    pub(crate) fn renew_all(&mut self, now: Instant) {
        let ids: Vec<i64> = self.leases.keys().copied().collect();
        for id in ids {
            if let Some(lease) = self.leases.get_mut(&id) {
                lease.renew(now);
            }
        }
    }

    /// The lease that ends first.
    pub fn next_expiry(&self) -> Option<&Lease> {
        self.leases.values().min_by_key(|lease| lease.deadline)
    }

    /// A hash of all pairs now. Values being opaque, it goes by their sizes and revisions.
    pub fn hash(&self) -> u32 {
        // FNV-1a, folded to 32 bits.
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        let mut mix = |bytes: &[u8]| {
            for byte in bytes {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            }
        };
        for kv in self.keys.values() {
            mix(&kv.key);
            mix(&kv.mod_revision.to_le_bytes());
            mix(&kv.create_revision.to_le_bytes());
            mix(&kv.version.to_le_bytes());
            mix(&kv.value.size().to_le_bytes());
        }
        (hash ^ (hash >> 32)) as u32
    }

    /// What a restored member takes over: keys and leases, and the history unless there is a `bump`, as
    /// with `etcdutl snapshot restore --bump-revision N --mark-compacted`.
    pub(crate) fn restored(mut self, bump: u64, mark_compacted: bool) -> Store {
        if bump > 0 {
            self.revision += bump as i64;
            self.log = GenericVector::new();
            self.log_start = self.revision + 1;
            if mark_compacted {
                self.compacted = self.revision;
            }
        }
        self.no_space = false;
        self
    }
}

/// Whether a pair, or its absence, meets a condition.
fn meets(compare: &Compare, kv: Option<&Rc<KeyValue>>) -> bool {
    let number = |is: i64, wanted: i64| match compare.operator {
        Operator::Equal => is == wanted,
        Operator::NotEqual => is != wanted,
        Operator::Greater => is > wanted,
        Operator::Less => is < wanted,
    };
    match &compare.target {
        Target::Version(wanted) => number(kv.map_or(0, |kv| kv.version), *wanted),
        Target::CreateRevision(wanted) => number(kv.map_or(0, |kv| kv.create_revision), *wanted),
        Target::ModRevision(wanted) => number(kv.map_or(0, |kv| kv.mod_revision), *wanted),
        Target::Lease(wanted) => number(kv.map_or(0, |kv| kv.lease), *wanted),
        Target::Value(wanted) => kv.is_some_and(|kv| {
            let order = if Rc::ptr_eq(&kv.value, wanted) {
                std::cmp::Ordering::Equal
            } else {
                kv.value.bytes().cmp(&wanted.bytes())
            };
            number(order as i64, 0)
        }),
    }
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
