//! One timer for whatever a program waits for next.

use sim::Instant;

use crate::process::TimerId;
use crate::sys::Sys;

/// A timer that follows a deadline as it moves.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alarm {
    set: Option<(TimerId, Instant)>,
}

impl Alarm {
    /// Sets it for a time, in place of the one before; `None` takes it off.
    pub fn set(&mut self, sys: &mut Sys<'_>, at: Option<Instant>) {
        if self.set.map(|(_, at)| at) == at {
            return;
        }
        if let Some((timer, _)) = self.set.take() {
            sys.cancel(timer);
        }
        self.set = at.map(|at| (sys.timer_at(at), at));
    }

    /// Whether the timer that ran out is this one; it is off then.
    pub fn rang(&mut self, timer: TimerId) -> bool {
        let own = self.set.is_some_and(|(id, _)| id == timer);
        if own {
            self.set = None;
        }
        own
    }
}
