//! This machine's date, as a world tells time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sim::{EPOCH_UNIX_SECS, Instant};

/// More than booting takes, in virtual time.
const BOOT: Duration = Duration::from_secs(60);

/// The date of this machine, in whole seconds; not before the first that a world can have.
#[must_use]
pub fn wall_clock() -> Instant {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let secs = since.map_or(0, |since| since.as_secs());
    let first = u64::try_from(EPOCH_UNIX_SECS).unwrap_or(0);
    Instant::ZERO + Duration::from_secs(secs.saturating_sub(first))
}

/// When a cluster boots that is to be up by then.
#[must_use]
pub fn early_enough(then: Instant) -> Instant {
    let since = then.since(Instant::ZERO);
    Instant::ZERO + since.saturating_sub(BOOT)
}
