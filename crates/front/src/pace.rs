//! How virtual time follows the clock on the wall.

use std::str::FromStr;
use std::time::Duration;

use sim::Instant;

/// How fast virtual time passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// So many times as fast as the clock on the wall.
    Times(u32),
    /// Without waiting while a request is unanswered; [`HURRIED`] times as fast while somebody
    /// watches, or asked within the last [`PATIENCE`]; else as the clock on the wall does, so that
    /// nothing runs away from a client that pauses.
    Max,
}

/// A minute a second: what a client waits for comes soon, and what it looks at every second does
/// not pass in between.
const HURRIED: u32 = 60;
/// How long after a request its client may come again.
const PATIENCE: Duration = Duration::from_secs(5);
/// While a request is unanswered time moves in steps of this.
const STEP: Duration = Duration::from_millis(5);
/// Whoever falls behind by more than this much real time does not catch up.
const DEBT: Duration = Duration::from_millis(250);

impl FromStr for Pace {
    type Err = String;

    fn from_str(text: &str) -> Result<Pace, String> {
        let times = |text: &str| text.parse().ok().filter(|n| (1..=100_000).contains(n));
        match text {
            "real" => Ok(Pace::Times(1)),
            "max" => Ok(Pace::Max),
            text => text
                .strip_prefix('x')
                .and_then(times)
                .map(Pace::Times)
                .ok_or_else(|| format!("{text:?} is none of real, max and x2, x10, …")),
        }
    }
}

/// What clients do.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Activity {
    /// Requests without an answer.
    pub(crate) unanswered: usize,
    /// Answers that go on: watches, logs, terminals.
    pub(crate) streams: usize,
    /// Since the last request came.
    pub(crate) quiet: Duration,
}

/// Tells how far virtual time may go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pacer {
    pace: Pace,
    target: Instant,
}

impl Pacer {
    pub(crate) fn new(pace: Pace, now: Instant) -> Pacer {
        Pacer { pace, target: now }
    }

    fn times(&self, activity: Activity) -> u32 {
        match self.pace {
            Pace::Times(times) => times,
            Pace::Max if activity.streams > 0 || activity.quiet < PATIENCE => HURRIED,
            Pace::Max => 1,
        }
    }

    /// How far time may go, `elapsed` after the last call, where it is `now`.
    pub(crate) fn target(
        &mut self,
        now: Instant,
        elapsed: Duration,
        activity: Activity,
    ) -> Instant {
        let times = self.times(activity);
        let due = self.target.max(now) + elapsed * times;
        self.target = due.min(now + DEBT * times);
        if self.pace == Pace::Max && activity.unanswered > 0 {
            self.target = self.target.max(now + STEP);
        }
        self.target
    }

    /// How long nothing is to be done, if nothing comes from outside.
    pub(crate) fn rest(&self, next: Option<Instant>, activity: Activity) -> Duration {
        if self.pace == Pace::Max && activity.unanswered > 0 {
            return Duration::ZERO;
        }
        let far = Duration::from_millis(500);
        next.map_or(far, |next| {
            (next.since(self.target) / self.times(activity)).min(far)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pace: &str, activity: Activity, millis: u64) {
        let pace: Pace = pace.parse().expect("a pace");
        let mut pacer = Pacer::new(pace, Instant::ZERO);
        let target = pacer.target(Instant::ZERO, Duration::from_millis(1), activity);
        assert_eq!(target.since(Instant::ZERO), Duration::from_millis(millis));
    }

    #[test]
    fn time_follows_the_wall_or_whoever_waits() {
        let idle = Activity {
            quiet: Duration::from_secs(3600),
            ..Activity::default()
        };
        let asking = Activity {
            unanswered: 1,
            ..idle
        };
        let watching = Activity { streams: 1, ..idle };
        let polling = Activity {
            quiet: Duration::from_secs(1),
            ..idle
        };
        for activity in [idle, asking, watching, polling] {
            check("real", activity, 1);
            check("x10", activity, 10);
        }
        check("max", idle, 1);
        check("max", asking, 5);
        check("max", watching, 60);
        check("max", polling, 60);
        for wrong in ["", "x", "x0", "fast", "10"] {
            assert!(wrong.parse::<Pace>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn who_falls_behind_does_not_catch_up() {
        let mut pacer = Pacer::new(Pace::Times(1), Instant::ZERO);
        let idle = Activity::default();
        let target = pacer.target(Instant::ZERO, Duration::from_secs(60), idle);
        assert_eq!(target, Instant::ZERO + DEBT);
        let next = target + Duration::from_millis(40);
        assert_eq!(pacer.rest(Some(next), idle), Duration::from_millis(40));
    }
}
