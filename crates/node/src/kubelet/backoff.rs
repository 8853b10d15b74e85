//! Waiting longer after each failure: what keeps a crashing container or a missing image from being
//! tried without pause.
//! Models client-go/util/flowcontrol/backoff.go.

use sim::{Duration, Instant};

/// First wait after a failure (`backOffPeriod`).
pub(super) const FIRST: Duration = Duration::from_secs(10);
/// Longest wait (`MaxCrashLoopBackOff`, `MaxImageBackOff`).
pub(super) const MOST: Duration = Duration::from_secs(300);

/// The wait of one thing that keeps failing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Backoff {
    wait: Option<(Duration, Instant)>,
}

impl Backoff {
    /// Until when it has to wait, counted from `event`, or from its last failure if that is none.
    /// None if it may be tried now.
    pub(super) fn until(&self, now: Instant, event: Option<Instant>) -> Option<Instant> {
        let (wait, updated) = self.wait?;
        if has_expired(event.unwrap_or(now), updated) {
            return None;
        }
        let until = event.unwrap_or(updated) + wait;
        (until > now).then_some(until)
    }

    /// The wait now in force.
    pub(super) fn wait(&self) -> Duration {
        self.wait.map_or(Duration::ZERO, |(wait, _)| wait)
    }

    /// It is tried again, or failed again: the next wait is twice as long, and the first again
    /// after a long time in peace.
    pub(super) fn next(&mut self, now: Instant, event: Instant) {
        let wait = match self.wait {
            Some((wait, updated)) if !has_expired(event, updated) => (wait * 2).min(MOST),
            _ => FIRST,
        };
        self.wait = Some((wait, now));
    }
}

fn has_expired(event: Instant, updated: Instant) -> bool {
    event.since(updated) > MOST * 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Instant {
        Instant::from_nanos(secs * 1_000_000_000)
    }

    #[test]
    fn waits_double_up_to_a_limit_and_start_over_after_peace() {
        let mut backoff = Backoff::default();
        let mut now = at(0);
        let mut waits = Vec::new();
        for _ in 0..8 {
            assert_eq!(
                backoff.until(now, Some(now)).map(|u| u.since(now)),
                waits.last().copied()
            );
            if let Some(until) = backoff.until(now, Some(now)) {
                now = until;
            }
            backoff.next(now, now);
            waits.push(backoff.wait());
        }
        let secs: Vec<u64> = waits.iter().map(Duration::as_secs).collect();
        assert_eq!(secs, [10, 20, 40, 80, 160, 300, 300, 300]);

        let later = now + Duration::from_secs(601);
        assert_eq!(backoff.until(later, Some(later)), None);
        backoff.next(later, later);
        assert_eq!(backoff.wait(), FIRST);
    }

    #[test]
    fn the_first_try_waits_for_nothing() {
        assert_eq!(Backoff::default().until(at(5), Some(at(5))), None);
        assert_eq!(Backoff::default().until(at(5), None), None);
    }
}
