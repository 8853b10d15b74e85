//! Which of a schedule's times have passed, and which is the next.
//! Models pkg/controller/cronjob/utils.go (`mostRecentScheduleTime`, `nextScheduleTimeDuration`).

use api::Value;
use api::kinds::support::cron::Schedule;
use sim::{Duration, Instant};

/// More missed times than this are worth a warning.
const MANY: u64 = 100;

/// The times that have passed since a CronJob last started something.
pub(super) struct Past {
    /// The last of them, if there are any.
    pub(super) due: Option<Instant>,
    /// There are more than anyone will catch up with.
    pub(super) too_many: bool,
    /// Since when times count.
    since: Instant,
}

impl Past {
    /// With `within_deadline`, times too long ago to be made good do not count.
    pub(super) fn of(
        cron: &Value,
        schedule: &Schedule,
        now: Instant,
        within_deadline: bool,
    ) -> Result<Past, &'static str> {
        let since = since(cron, now, within_deadline);
        let past = |due: Option<Instant>, too_many: bool| Past {
            due,
            too_many,
            since,
        };
        const NEVER: &str = "time difference between two schedules is less than 1 second";
        let first = schedule.next(since).ok_or(NEVER)?;
        let second = schedule.next(first).ok_or(NEVER)?;
        if now < first {
            return Ok(past(None, false));
        }
        if now < second {
            return Ok(past(Some(first), false));
        }
        let apart = second.since(first).as_secs().max(1);
        let missed = now.since(first).as_secs() / apart + 1;
        // Not every time is looked at: if they are as far apart as the first two, it is one of
        // the last ones. Where they are not, those before it do no harm.
        let skipped = Duration::from_secs(missed.saturating_sub(2) * apart);
        let mut due = first;
        let mut at = schedule.next(first + skipped);
        if at.is_some_and(|at| at > now) {
            at = Some(second);
        }
        while let Some(time) = at.filter(|at| *at <= now) {
            due = time;
            at = schedule.next(time);
        }
        Ok(past(Some(due), missed > MANY))
    }
}

fn since(cron: &Value, now: Instant, within_deadline: bool) -> Instant {
    let time = |path: &str| Instant::parse_rfc3339(cron.str_at(path));
    let last = time("status.lastScheduleTime");
    let since = last.or(time("metadata.creationTimestamp"));
    let since = since.unwrap_or_default();
    let deadline = cron.i64_at("spec.startingDeadlineSeconds");
    let Some(deadline) = deadline.filter(|_| within_deadline) else {
        return since;
    };
    let deadline = Duration::from_secs(u64::try_from(deadline).unwrap_or(0));
    let earliest = now.since(Instant::ZERO).saturating_sub(deadline);
    since.max(Instant::ZERO + earliest)
}

/// How long it is until the next time.
pub(super) fn until_next(cron: &Value, schedule: &Schedule, now: Instant) -> Option<Duration> {
    let past = Past::of(cron, schedule, now, false).ok()?;
    let next = schedule.next(past.due.unwrap_or(past.since))?;
    Some(next.since(now))
}
