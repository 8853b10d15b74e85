//! The event queue: what happens next, in one total order.
//!
//! Events are ordered by (time, source, the source's own counter), so a tie cannot exist and adding
//! a machine reshuffles nobody. Nothing is ever pushed into the past.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use crate::{Instant, MachineId};

#[derive(Clone, Debug)]
struct Scheduled<E> {
    at: Instant,
    source: MachineId,
    seq: u64,
    event: E,
}

impl<E> Scheduled<E> {
    fn key(&self) -> (Instant, MachineId, u64) {
        (self.at, self.source, self.seq)
    }
}

impl<E> PartialEq for Scheduled<E> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<E> Eq for Scheduled<E> {}

impl<E> PartialOrd for Scheduled<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Scheduled<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

/// Events to come, earliest first. Cloning costs a copy of the pending events.
#[derive(Clone, Debug)]
pub struct EventQueue<E> {
    heap: BinaryHeap<Reverse<Scheduled<E>>>,
    counters: Vec<u64>,
    now: Instant,
    popped: u64,
}

impl<E> Default for EventQueue<E> {
    fn default() -> Self {
        Self {
            heap: BinaryHeap::new(),
            counters: Vec::new(),
            now: Instant::ZERO,
            popped: 0,
        }
    }
}

impl<E> EventQueue<E> {
    /// An empty queue at the beginning of time.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The time of the event popped last, or what [`EventQueue::advance_to`] set since.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Schedules `event` of `source` for `at`.
    ///
    /// # Panics
    /// If `at` lies in the past: the caller's arithmetic is wrong, and the order would break.
    pub fn push(&mut self, at: Instant, source: MachineId, event: E) {
        assert!(
            at >= self.now,
            "an event of machine {source} was scheduled into the past"
        );
        let index = source.0 as usize;
        if index >= self.counters.len() {
            self.counters.resize(index + 1, 0);
        }
        let seq = self.counters[index];
        self.counters[index] += 1;
        self.heap.push(Reverse(Scheduled {
            at,
            source,
            seq,
            event,
        }));
    }

    /// The time of the next event.
    #[must_use]
    pub fn next_at(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse(e)| e.at)
    }

    /// The next event, if it is due by `until`; time moves to it.
    pub fn pop_until(&mut self, until: Instant) -> Option<(Instant, MachineId, E)> {
        if self.next_at()? > until {
            return None;
        }
        let Reverse(Scheduled {
            at, source, event, ..
        }) = self.heap.pop()?;
        self.now = at;
        self.popped += 1;
        Some((at, source, event))
    }

    /// Moves time to `at` without an event. Time never moves back or past a pending event.
    pub fn advance_to(&mut self, at: Instant) {
        let limit = self.next_at().unwrap_or(Instant::FAR);
        self.now = self.now.max(at.min(limit));
    }

    /// Pending events.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether nothing is pending.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// Events popped since the beginning.
    #[must_use]
    pub fn popped(&self) -> u64 {
        self.popped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_time_then_source_then_sequence() {
        let mut queue = EventQueue::new();
        let at = |n| Instant::from_nanos(n);
        queue.push(at(5), MachineId(2), "late");
        queue.push(at(1), MachineId(2), "second source");
        queue.push(at(1), MachineId(1), "first source, first");
        queue.push(at(1), MachineId(1), "first source, second");
        let mut seen = Vec::new();
        while let Some((_, _, event)) = queue.pop_until(at(4)) {
            seen.push(event);
        }
        assert_eq!(
            seen,
            [
                "first source, first",
                "first source, second",
                "second source"
            ]
        );
        assert_eq!(queue.now(), at(1));
        queue.advance_to(at(9));
        assert_eq!(queue.now(), at(5), "time stops at a pending event");
    }

    #[test]
    #[should_panic(expected = "into the past")]
    fn the_past_is_closed() {
        let mut queue = EventQueue::new();
        queue.push(Instant::from_nanos(5), MachineId(1), ());
        queue.pop_until(Instant::FAR);
        queue.push(Instant::from_nanos(4), MachineId(1), ());
    }
}
