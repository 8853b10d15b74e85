//! The key space as the bytes of a file, and back: what a copy of a database is once something has
//! read it byte by byte (tar, gzip, base64). The form is our own, its length that of the database.
//!
//! Models server/storage/backend, without bbolt's pages.

use std::rc::Rc;

use imbl::{GenericOrdMap, GenericVector};
use sim::Instant;

use super::Store;
use crate::kv::{Event, EventKind, Key, KeyValue, blob};
use crate::lease::Lease;

/// What a file begins with.
const MAGIC: &[u8] = b"\xed\xda\x0c\xeb etcd 3.6 key space\n";

fn put_number(out: &mut Vec<u8>, number: i64) {
    out.extend(number.to_le_bytes());
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(bytes);
}

fn put_pair(out: &mut Vec<u8>, pair: &KeyValue) {
    let KeyValue {
        key,
        create_revision,
        mod_revision,
        version,
        value,
        lease,
    } = pair;
    put_bytes(out, key);
    for number in [create_revision, mod_revision, version, lease] {
        put_number(out, *number);
    }
    put_bytes(out, &value.bytes());
}

/// What is still to be read.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take(&mut self, count: usize) -> Option<&[u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<i64> {
        Some(i64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    fn count(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    fn bytes(&mut self) -> Option<&[u8]> {
        let length = u32::from_le_bytes(self.take(4)?.try_into().ok()?);
        self.take(usize::try_from(length).ok()?)
    }

    fn pair(&mut self) -> Option<Rc<KeyValue>> {
        let key: Key = self.bytes()?.into();
        let mut numbers = [0; 4];
        for number in &mut numbers {
            *number = self.number()?;
        }
        let [create_revision, mod_revision, version, lease] = numbers;
        Some(Rc::new(KeyValue {
            key,
            create_revision,
            mod_revision,
            version,
            value: blob(self.bytes()?),
            lease,
        }))
    }
}

impl Store {
    /// Its bytes.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let Store {
            keys,
            log,
            log_start,
            revision,
            compacted,
            leases,
            used,
            file,
            quota,
            no_space,
        } = self;
        let mut out = MAGIC.to_vec();
        let sizes = [*used, *file, *quota].map(|size| i64::try_from(size).unwrap_or(i64::MAX));
        let numbers = [*log_start, *revision, *compacted, i64::from(*no_space)];
        for number in numbers.into_iter().chain(sizes) {
            put_number(&mut out, number);
        }
        put_number(&mut out, leases.len() as i64);
        for lease in leases.values() {
            let deadline = i64::try_from(lease.deadline.as_nanos()).unwrap_or(i64::MAX);
            for number in [lease.id, lease.ttl_secs, deadline] {
                put_number(&mut out, number);
            }
        }
        // What was there before the first change that is remembered.
        let mut before = keys.clone();
        for event in log.iter().rev().flat_map(|events| events.iter().rev()) {
            match &event.prev {
                Some(prev) => before.insert(prev.key.clone(), prev.clone()),
                None => before.remove(&event.kv.key),
            };
        }
        put_number(&mut out, before.len() as i64);
        before.values().for_each(|pair| put_pair(&mut out, pair));
        put_number(&mut out, log.len() as i64);
        for events in log {
            put_number(&mut out, events.len() as i64);
            for event in events.iter() {
                out.push(u8::from(event.kind == EventKind::Delete));
                put_pair(&mut out, &event.kv);
            }
        }
        out
    }

    /// A key space from its bytes, and what is behind them; `None` if they are of something else.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Store> {
        let mut from = Reader(bytes.strip_prefix(MAGIC)?);
        let mut numbers = [0; 7];
        for number in &mut numbers {
            *number = from.number()?;
        }
        let [log_start, revision, compacted, no_space, used, file, quota] = numbers;
        let size = |number: i64| u64::try_from(number).ok();
        let mut store = Store {
            keys: GenericOrdMap::new(),
            log: GenericVector::new(),
            log_start,
            revision,
            compacted,
            leases: GenericOrdMap::new(),
            used: size(used)?,
            file: size(file)?,
            quota: size(quota)?,
            no_space: no_space != 0,
        };
        for _ in 0..from.count()? {
            let (id, ttl_secs) = (from.number()?, from.number()?);
            let mut lease = Lease::new(id, ttl_secs, Instant::ZERO);
            lease.deadline = Instant::from_nanos(size(from.number()?)?);
            store.leases.insert(id, lease);
        }
        for _ in 0..from.count()? {
            let pair = from.pair()?;
            store.keys.insert(pair.key.clone(), pair);
        }
        for _ in 0..from.count()? {
            let mut events = Vec::new();
            for _ in 0..from.count()? {
                let is_gone = from.take(1)? == [1];
                let kv = from.pair()?;
                let (kind, prev) = match is_gone {
                    true => (EventKind::Delete, store.keys.remove(&kv.key)),
                    false => (
                        EventKind::Put,
                        store.keys.insert(kv.key.clone(), kv.clone()),
                    ),
                };
                events.push(Event { kind, kv, prev });
            }
            store.log.push_back(events.into());
        }
        let hanging: Vec<(i64, Key)> = store
            .keys
            .values()
            .filter(|pair| pair.lease != 0)
            .map(|pair| (pair.lease, pair.key.clone()))
            .collect();
        for (id, key) in hanging {
            if let Some(lease) = store.leases.get_mut(&id) {
                lease.keys.insert(key);
            }
        }
        Some(store)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kv::{key, text_blob};
    use crate::txn::Put;

    #[test]
    fn a_key_space_comes_back() {
        let mut store = Store::new(1 << 20);
        let mut put = |name: &str, text: &str| {
            let put = Put {
                key: key(name),
                value: text_blob(text),
                lease: 0,
                prev_kv: false,
            };
            store.put(&put).map(|_| ()).expect("there is room");
        };
        put("a", "1");
        put("b", "2");
        put("a", "3");
        store.compact(2).expect("it was reached");
        let back = Store::from_bytes(&store.to_bytes()).expect("its own bytes");
        assert_eq!(
            (
                back.hash(),
                back.revision(),
                back.versions(),
                back.db_size()
            ),
            (
                store.hash(),
                store.revision(),
                store.versions(),
                store.db_size()
            )
        );
        assert_eq!(
            back.get(b"a").map(|pair| pair.value.bytes()),
            Some(b"3".to_vec())
        );
        assert!(Store::from_bytes(b"something else").is_none());
        assert!(Store::from_bytes(&store.to_bytes()[..60]).is_none());
    }
}
