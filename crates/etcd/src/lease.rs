//! Leases: a time to live, and the keys that go when it ends. The clock is a parameter.
//!
//! Models server/lease/lessor.go.

use imbl::{GenericOrdSet, shared_ptr::RcK};
use sim::{Duration, Instant};

use crate::kv::Key;

/// The longest time a lease may have, in seconds.
pub(crate) const MAX_TTL_SECS: i64 = 9_000_000_000;

/// The shortest time a lease gets, in seconds: one and a half election timeouts of a second.
const MIN_TTL_SECS: i64 = 2;

/// A lease as it is granted.
#[derive(Clone, Debug)]
pub struct Lease {
    /// Its number.
    pub id: i64,
    /// The time it was granted for, in seconds.
    pub ttl_secs: i64,
    /// When it ends unless it is renewed.
    pub deadline: Instant,
    /// What hangs on it.
    pub keys: GenericOrdSet<Key, RcK>,
}

impl Lease {
    pub(crate) fn new(id: i64, ttl_secs: i64, now: Instant) -> Lease {
        let ttl_secs = ttl_secs.max(MIN_TTL_SECS);
        let mut lease = Lease {
            id,
            ttl_secs,
            deadline: now,
            keys: GenericOrdSet::new(),
        };
        lease.renew(now);
        lease
    }

    /// Begins the time anew.
    pub(crate) fn renew(&mut self, now: Instant) {
        self.deadline = now + Duration::from_secs(self.ttl_secs as u64);
    }

    /// The whole seconds left at `now`.
    pub fn left_secs(&self, now: Instant) -> i64 {
        if self.deadline <= now {
            0
        } else {
            self.deadline.since(now).as_secs() as i64
        }
    }
}
