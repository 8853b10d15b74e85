//! When to sync: soon after a change, but not too often; again after a failure; and now and then in
//! any case.
//! Models pkg/proxy/runner/bounded_frequency_runner.go.

use sim::{Duration, Instant};

/// Decides when the next run is due.
#[derive(Clone, Debug)]
pub(super) struct Runner {
    /// Between the ends of two runs, at least.
    least: Duration,
    /// Until a failed run is repeated.
    retry: Duration,
    /// Between two runs, at most.
    most: Duration,
    last: Option<Instant>,
    due: Option<Instant>,
}

impl Runner {
    pub(super) fn new(least: Duration, retry: Duration, most: Duration) -> Runner {
        Runner {
            least,
            retry,
            most,
            last: None,
            due: None,
        }
    }

    /// Something has changed.
    pub(super) fn request(&mut self, now: Instant) {
        let earliest = self.last.map_or(now, |last| (last + self.least).max(now));
        self.due = Some(self.due.map_or(earliest, |due| due.min(earliest)));
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    /// It ran, and failed or not.
    pub(super) fn ran(&mut self, now: Instant, succeeded: bool) {
        self.last = Some(now);
        let pause = match succeeded {
            true => self.most,
            false => self.retry,
        };
        self.due = Some(now + pause);
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(secs)
    }

    #[test]
    fn runs_are_neither_too_dense_nor_too_rare() {
        let secs = Duration::from_secs;
        let mut runner = Runner::new(secs(1), secs(30), secs(3600));
        assert_eq!(runner.next_deadline(), None);
        runner.request(at(5));
        assert!(runner.is_due(at(5)), "the first at once");
        runner.ran(at(5), true);
        assert_eq!(runner.next_deadline(), Some(at(3605)));
        runner.request(at(5));
        assert!(!runner.is_due(at(5)) && runner.is_due(at(6)));
        runner.request(at(6));
        assert_eq!(runner.next_deadline(), Some(at(6)), "the two are one");
        runner.ran(at(6), false);
        assert_eq!(runner.next_deadline(), Some(at(36)));
        runner.request(at(20));
        assert!(runner.is_due(at(20)), "a change does not wait for it");
    }
}
