//! A queue of keys to be worked on: a key waits in it at most once, is worked on by one at a time,
//! can be added for later, and waits longer after each failure. Knows nothing of the work.
//! Models client-go/util/workqueue.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use sim::{Duration, Instant};

/// First and longest pause of `add_rate_limited`, as `DefaultTypedControllerRateLimiter`.
const BASE_DELAY: Duration = Duration::from_millis(5);
const MAX_DELAY: Duration = Duration::from_secs(1000);

/// The queue. All time is handed in.
#[derive(Clone, Debug)]
pub struct WorkQueue<K> {
    ready: VecDeque<K>,
    /// Keys that are to be worked on: those in `ready`, and those added again while under way.
    dirty: BTreeSet<K>,
    under_way: BTreeSet<K>,
    /// When each waiting key becomes ready; a counter keeps the order of equal times.
    later: BTreeMap<(Instant, u64), K>,
    later_of: BTreeMap<K, (Instant, u64)>,
    added: u64,
    failures: BTreeMap<K, u32>,
}

impl<K> Default for WorkQueue<K> {
    fn default() -> Self {
        WorkQueue {
            ready: VecDeque::new(),
            dirty: BTreeSet::new(),
            under_way: BTreeSet::new(),
            later: BTreeMap::new(),
            later_of: BTreeMap::new(),
            added: 0,
            failures: BTreeMap::new(),
        }
    }
}

impl<K: Ord + Clone> WorkQueue<K> {
    /// An empty queue.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key, to be worked on as soon as possible. One that is being worked on is worked on
    /// again afterwards.
    pub fn add(&mut self, key: K) {
        if self.dirty.insert(key.clone()) && !self.under_way.contains(&key) {
            self.ready.push_back(key);
        }
    }

    /// Adds a key once `delay` has passed. If it waits already, the earlier time holds.
    pub fn add_after(&mut self, key: K, now: Instant, delay: Duration) {
        if delay.is_zero() {
            self.add(key);
            return;
        }
        let at = now + delay;
        if let Some(known) = self.later_of.get(&key) {
            if known.0 <= at {
                return;
            }
            self.later.remove(known);
        }
        self.added += 1;
        self.later.insert((at, self.added), key.clone());
        self.later_of.insert(key, (at, self.added));
    }

    /// Adds a key after a pause that doubles each time, from 5 ms to 1000 s, until `forget`.
    pub fn add_rate_limited(&mut self, key: K, now: Instant) {
        let failures = self.failures.entry(key.clone()).or_default();
        let delay = BASE_DELAY
            .saturating_mul(1 << (*failures).min(20))
            .min(MAX_DELAY);
        *failures += 1;
        self.add_after(key, now, delay);
    }

    /// The next pause of `add_rate_limited` is the shortest again.
    pub fn forget(&mut self, key: &K) {
        self.failures.remove(key);
    }

    /// How often `add_rate_limited` was called since the last `forget`.
    #[must_use]
    pub fn requeues(&self, key: &K) -> u32 {
        self.failures.get(key).copied().unwrap_or(0)
    }

    /// Takes the next key to work on. `done` must follow.
    pub fn take(&mut self, now: Instant) -> Option<K> {
        self.ripen(now);
        let key = self.ready.pop_front()?;
        self.dirty.remove(&key);
        self.under_way.insert(key.clone());
        Some(key)
    }

    /// The work on a key is over. If it was added meanwhile, it is ready again.
    pub fn done(&mut self, key: &K) {
        self.under_way.remove(key);
        if self.dirty.contains(key) {
            self.ready.push_back(key.clone());
        }
    }

    /// When a key becomes ready: now, if one is.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        if self.ready.is_empty() {
            self.later.first_key_value().map(|((at, _), _)| *at)
        } else {
            Some(Instant::ZERO)
        }
    }

    /// How many keys are ready.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ready.len()
    }

    /// Whether no key is ready.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ready.is_empty()
    }

    fn ripen(&mut self, now: Instant) {
        while let Some(entry) = self.later.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let key = entry.remove();
            self.later_of.remove(&key);
            self.add(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(millis)
    }

    #[test]
    fn a_key_waits_once_and_is_worked_on_once_at_a_time() {
        let mut queue = WorkQueue::new();
        for key in ["a", "b", "a"] {
            queue.add(key);
        }
        assert_eq!(queue.take(at(0)), Some("a"));
        queue.add("a");
        assert_eq!(queue.take(at(0)), Some("b"));
        assert_eq!(queue.take(at(0)), None, "a is being worked on");
        queue.done(&"a");
        assert_eq!(queue.take(at(0)), Some("a"));
        queue.done(&"a");
        assert!(queue.is_empty());
    }

    #[test]
    fn later_means_the_earlier_of_two_times() {
        let mut queue = WorkQueue::new();
        queue.add_after("a", at(0), Duration::from_millis(50));
        queue.add_after("a", at(0), Duration::from_millis(20));
        queue.add_after("a", at(0), Duration::from_millis(30));
        queue.add_after("b", at(0), Duration::from_millis(20));
        assert_eq!(queue.next_deadline(), Some(at(20)));
        assert_eq!(queue.take(at(19)), None);
        assert_eq!(queue.take(at(20)), Some("a"));
        assert_eq!(queue.take(at(20)), Some("b"));
        assert_eq!(queue.next_deadline(), None);
    }

    #[test]
    fn failures_wait_longer_each_time() {
        let mut queue = WorkQueue::new();
        let mut now = at(0);
        let mut waits = Vec::new();
        for _ in 0..20 {
            queue.add_rate_limited("a", now);
            let due = queue.next_deadline().unwrap();
            waits.push(due.since(now).as_millis());
            now = due;
            assert_eq!(queue.take(now), Some("a"));
            queue.done(&"a");
        }
        assert_eq!(waits[..4], [5, 10, 20, 40]);
        assert_eq!(waits[19], 1_000_000);
        assert_eq!(queue.requeues(&"a"), 20);
        queue.forget(&"a");
        queue.add_rate_limited("a", now);
        assert_eq!(queue.next_deadline(), Some(now + Duration::from_millis(5)));
    }
}
