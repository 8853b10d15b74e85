//! Decides whether an occurrence is a new event, one more of a known one, one of a flood of similar
//! ones, or too much. Models client-go/tools/record/events_cache.go.

use std::collections::BTreeSet;

use api::Str;
use imbl::OrdMap;
use sim::{Duration, Instant};

use super::Occurrence;

/// So many different messages within the interval are told; further ones are folded together.
const DIFFERENT: usize = 10;
const INTERVAL: Duration = Duration::from_secs(600);
/// A component may tell so much of one object at once, and one more each five minutes.
const BURST: u64 = 25;
const REFILL: Duration = Duration::from_secs(300);
/// Keys remembered, as upstream's `maxLruCacheEntries`.
const REMEMBERED: usize = 4096;

/// A known event.
#[derive(Clone, Debug)]
pub(super) struct Counted {
    pub(super) name: Str,
    pub(super) first: Instant,
    pub(super) count: i64,
}

/// What to do with an occurrence.
#[derive(Clone, Debug)]
pub(super) enum Verdict {
    /// Say nothing.
    Dropped,
    /// Write the event; it exists if its count is above 1.
    Counted { counted: Counted, message: String },
}

/// What is remembered of earlier occurrences.
#[derive(Clone, Debug, Default)]
pub(super) struct Correlator {
    similar: Memory<Similar>,
    counts: Memory<Counted>,
    tokens: Memory<Bucket>,
}

#[derive(Clone, Debug)]
struct Similar {
    messages: BTreeSet<String>,
    last: Instant,
}

/// A token bucket in nanoseconds: how much time is saved up.
#[derive(Clone, Debug)]
struct Bucket {
    saved: Duration,
    at: Instant,
}

/// Keys and values, the longest unused forgotten first.
#[derive(Clone, Debug)]
struct Memory<V: Clone> {
    values: OrdMap<Str, (u64, V)>,
    used: OrdMap<u64, Str>,
    clock: u64,
}

impl Correlator {
    pub(super) fn correlate(
        &mut self,
        now: Instant,
        occurrence: &Occurrence,
        name: Str,
    ) -> Verdict {
        let (message, key) = self.aggregate(now, occurrence);
        let counted = self.count(now, &key, name);
        if self.pay(now, occurrence) {
            Verdict::Counted { counted, message }
        } else {
            Verdict::Dropped
        }
    }

    /// The message to tell, and the key under which it is counted.
    fn aggregate(&mut self, now: Instant, o: &Occurrence) -> (String, String) {
        let object = object_key(o);
        let key = format!("{object}|{}|{}", o.event_type.as_str(), o.reason);
        let mut similar = match self.similar.take(&key) {
            Some(known) if now.since(known.last) <= INTERVAL => known,
            _ => Similar {
                messages: BTreeSet::new(),
                last: now,
            },
        };
        similar.messages.insert(o.message.clone());
        similar.last = now;
        let flood = similar.messages.len() >= DIFFERENT;
        if flood {
            similar.messages.pop_first();
        }
        self.similar.put(&key, similar);
        if flood {
            (
                format!("(combined from similar events): {}", o.message),
                key,
            )
        } else {
            let key = format!("{key}|{}|{}", o.involved.field_path, o.message);
            (o.message.clone(), key)
        }
    }

    fn count(&mut self, now: Instant, key: &str, name: Str) -> Counted {
        let counted = match self.counts.take(key) {
            Some(known) => Counted {
                count: known.count + 1,
                ..known
            },
            None => Counted {
                name,
                first: now,
                count: 1,
            },
        };
        self.counts.put(key, counted.clone());
        counted
    }

    /// Takes a token of the object's; false if there is none.
    fn pay(&mut self, now: Instant, occurrence: &Occurrence) -> bool {
        let key = object_key(occurrence);
        let most = REFILL * u32::try_from(BURST).unwrap_or(u32::MAX);
        let bucket = self.tokens.take(&key).unwrap_or(Bucket {
            saved: most,
            at: now,
        });
        let saved = (bucket.saved + now.since(bucket.at)).min(most);
        let left = saved.checked_sub(REFILL);
        self.tokens.put(
            &key,
            Bucket {
                saved: left.unwrap_or(saved),
                at: now,
            },
        );
        left.is_some()
    }
}

fn object_key(o: &Occurrence) -> String {
    let i = &o.involved;
    format!(
        "{}|{}|{}|{}|{}",
        i.kind, i.namespace, i.name, i.uid, i.api_version
    )
}

impl<V: Clone> Default for Memory<V> {
    fn default() -> Self {
        Memory {
            values: OrdMap::new(),
            used: OrdMap::new(),
            clock: 0,
        }
    }
}

impl<V: Clone> Memory<V> {
    fn take(&mut self, key: &str) -> Option<V> {
        let (used, value) = self.values.remove(key)?;
        self.used.remove(&used);
        Some(value)
    }

    fn put(&mut self, key: &str, value: V) {
        self.clock += 1;
        let key = Str::from(key);
        self.used.insert(self.clock, key.clone());
        self.values.insert(key, (self.clock, value));
        if self.values.len() > REMEMBERED
            && let Some((_, oldest)) = self.used.get_min().cloned()
        {
            self.take(&oldest);
        }
    }
}
