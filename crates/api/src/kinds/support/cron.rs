//! Schedules of five fields: minute, hour, day of month, month, day of week.
//!
//! Models github.com/robfig/cron's standard parser.

use sim::{Civil, Duration, Instant};

use super::time_zone::TimeZone;

/// Which values of each field fit, a bit each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// A star in either kind of day: both must fit. Otherwise one is enough.
    both_days: bool,
    /// Where it is as late as the fields say.
    zone: TimeZone,
    /// `@every`, which counts from the last time.
    every: Option<Duration>,
}

/// Smallest and largest value of a field and names of its values.
struct Bounds {
    min: u32,
    max: u32,
    names: &'static [&'static str],
}

const MINUTES: Bounds = Bounds {
    min: 0,
    max: 59,
    names: &[],
};
const HOURS: Bounds = Bounds {
    min: 0,
    max: 23,
    names: &[],
};
const DAYS: Bounds = Bounds {
    min: 1,
    max: 31,
    names: &[],
};
const MONTHS: Bounds = Bounds {
    min: 1,
    max: 12,
    names: &[
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ],
};
const WEEKDAYS: Bounds = Bounds {
    min: 0,
    max: 6,
    names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
};

impl Schedule {
    /// Reads a schedule; the error is worded as the parser's.
    pub fn parse(text: &str) -> Result<Schedule, String> {
        for prefix in ["TZ=", "CRON_TZ="] {
            if let Some(rest) = text.strip_prefix(prefix) {
                let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
                let zone = TimeZone::named(name).ok_or_else(|| {
                    format!("provided bad location {name}: unknown time zone {name}")
                })?;
                return Ok(Schedule::parse(rest.trim())?.in_zone(zone));
            }
        }
        if let Some(word) = text.strip_prefix('@') {
            return described(text, word);
        }
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields.as_slice() else {
            let shown = format!("[{}]", fields.join(" "));
            return Err(format!(
                "expected exactly 5 fields, found {}: {shown}",
                fields.len()
            ));
        };
        Ok(Schedule {
            minutes: field(minute, &MINUTES)?,
            hours: field(hour, &HOURS)?,
            days: field(day, &DAYS)?,
            months: field(month, &MONTHS)?,
            weekdays: field(weekday, &WEEKDAYS)?,
            both_days: is_star(day) || is_star(weekday),
            zone: TimeZone::default(),
            every: None,
        })
    }

    /// The same fields, read in another time zone.
    #[must_use]
    pub fn in_zone(self, zone: TimeZone) -> Schedule {
        Schedule { zone, ..self }
    }

    /// The first time after `after`; `None` if there is none in the next years.
    pub fn next(&self, after: Instant) -> Option<Instant> {
        if let Some(every) = self.every {
            return Some(floor(after + every));
        }
        let after_secs = after.unix_secs();
        let mut local = after_secs + self.zone.offset_at(after_secs);
        loop {
            local = self.next_local(local)?;
            // A clock that is put forward never shows some of its times, and one that is put back
            // shows some twice: the first of these counts.
            let before = local - self.zone.offset_at(after_secs);
            let later = local - self.zone.offset_at(before);
            let shows = |unix: &i64| unix + self.zone.offset_at(*unix) == local;
            let fits = [before, later].into_iter().filter(shows);
            if let Some(unix) = fits.filter(|unix| *unix > after_secs).min() {
                let wait = u64::try_from(unix - after_secs).unwrap_or(0);
                return Some(floor(after) + Duration::from_secs(wait));
            }
        }
    }

    /// The first minute after `secs` whose fields fit, both in local time.
    fn next_local(&self, secs: i64) -> Option<i64> {
        let mut at = secs - secs.rem_euclid(60) + 60;
        const MOST: usize = 5 * 366 * 24 + 60 + 24;
        for _ in 0..MOST {
            let civil = Civil::from_unix(at);
            let has = |bits: u64, value: u32| bits & (1 << value) != 0;
            let day = has(self.days, civil.day);
            let weekday = has(self.weekdays, civil.weekday % 7);
            let day = if self.both_days {
                day && weekday
            } else {
                day || weekday
            };
            if !(has(self.months, civil.month) && day && has(self.hours, civil.hour)) {
                at += 60 * (60 - i64::from(civil.minute));
            } else if has(self.minutes, civil.minute) {
                return Some(at);
            } else {
                at += 60;
            }
        }
        None
    }
}

/// The second itself, without a fraction.
fn floor(at: Instant) -> Instant {
    Instant::from_nanos(at.as_nanos() - u64::from(at.subsec_nanos()))
}

/// A star that takes every value, among the parts of a field.
fn is_star(field: &str) -> bool {
    field.split(',').any(|part| {
        let (range, step) = part.split_once('/').unwrap_or((part, "1"));
        range.starts_with(['*', '?']) && matches!(step, "0" | "1")
    })
}

fn described(text: &str, word: &str) -> Result<Schedule, String> {
    let fields = match word {
        "yearly" | "annually" => "0 0 1 1 *",
        "monthly" => "0 0 1 * *",
        "weekly" => "0 0 * * 0",
        "daily" | "midnight" => "0 0 * * *",
        "hourly" => "0 * * * *",
        _ => {
            let Some(duration) = word.strip_prefix("every ") else {
                return Err(format!("unrecognized descriptor: {text}"));
            };
            let every = crate::time::parse_go_duration(duration);
            let failed = || {
                format!(
                    "failed to parse duration {text}: time: invalid duration {}",
                    crate::go::quote(duration)
                )
            };
            let every = Some(every.ok_or_else(failed)?.max(Duration::from_secs(1)));
            return Schedule::parse("* * * * *").map(|schedule| Schedule { every, ..schedule });
        }
    };
    Schedule::parse(fields)
}

fn field(text: &str, bounds: &Bounds) -> Result<u64, String> {
    let parts = text.split(',').filter(|part| !part.is_empty());
    parts
        .map(|part| range(part, bounds))
        .try_fold(0, |bits, part| Ok(bits | part?))
}

/// `5`, `1-5`, `*/10`, `10-40/10`, `mon-fri`.
fn range(text: &str, bounds: &Bounds) -> Result<u64, String> {
    let mut halves = text.split('/');
    let ends: Vec<&str> = halves.next().unwrap_or("").split('-').collect();
    let step = halves.next();
    if halves.next().is_some() {
        return Err(format!("too many slashes: {text}"));
    }
    let (start, mut end) = match ends.as_slice() {
        ["*" | "?", ..] => (bounds.min, bounds.max),
        [one] => {
            let one = number(one, bounds)?;
            (one, one)
        }
        [start, end] => (number(start, bounds)?, number(end, bounds)?),
        _ => return Err(format!("too many hyphens: {text}")),
    };
    let mut width = 1;
    if let Some(step) = step {
        width = number(
            step,
            &Bounds {
                min: 0,
                max: 0,
                names: &[],
            },
        )?;
        // `5/15` is `5-59/15`.
        if ends.len() == 1 && !ends[0].starts_with(['*', '?']) {
            end = bounds.max;
        }
    }
    let (min, max) = (bounds.min, bounds.max);
    if start < min {
        return Err(format!(
            "beginning of range ({start}) below minimum ({min}): {text}"
        ));
    }
    if end > max {
        return Err(format!(
            "end of range ({end}) above maximum ({max}): {text}"
        ));
    }
    if start > end {
        return Err(format!(
            "beginning of range ({start}) beyond end of range ({end}): {text}"
        ));
    }
    if width == 0 {
        return Err(format!("step of range should be a positive number: {text}"));
    }
    let values = (start..=end).step_by(width as usize);
    Ok(values.fold(0, |bits, value| bits | 1 << value))
}

fn number(text: &str, bounds: &Bounds) -> Result<u32, String> {
    let lower = text.to_lowercase();
    if let Some(at) = bounds.names.iter().position(|name| *name == lower) {
        return Ok(bounds.min + at as u32);
    }
    match text.parse::<i64>() {
        Ok(number) if number < 0 => Err(format!("negative number ({number}) not allowed: {text}")),
        Ok(number) => Ok(u32::try_from(number).unwrap_or(u32::MAX)),
        Err(_) => {
            let quoted = crate::go::quote(text);
            Err(format!(
                "failed to parse int from {text}: strconv.Atoi: parsing {quoted}: invalid syntax"
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn next(schedule: &str, after: &str, expect: &str) {
        let after = Instant::parse_rfc3339(after).expect("a time");
        let schedule = Schedule::parse(schedule).expect("a schedule");
        assert_eq!(
            schedule.next(after).map(|at| at.rfc3339()).as_deref(),
            Some(expect)
        );
    }

    #[test]
    fn times() {
        next("* * * * *", "2026-01-05T09:00:00Z", "2026-01-05T09:01:00Z");
        next(
            "*/15 * * * *",
            "2026-01-05T09:46:30Z",
            "2026-01-05T10:00:00Z",
        );
        next(
            "30 2 * * mon-fri",
            "2026-01-09T03:00:00Z",
            "2026-01-12T02:30:00Z",
        );
        next("0 0 1 * *", "2026-01-05T09:00:00Z", "2026-02-01T00:00:00Z");
        next(
            "0 0 */2 * mon",
            "2026-01-05T09:00:00Z",
            "2026-01-07T00:00:00Z",
        );
        next("@every 90s", "2026-01-05T09:00:00Z", "2026-01-05T09:01:30Z");
        next(
            "TZ=Asia/Tokyo 0 6 * * *",
            "2026-01-05T09:00:00Z",
            "2026-01-05T21:00:00Z",
        );
        next("@hourly", "2026-01-05T09:00:00Z", "2026-01-05T10:00:00Z");
    }

    #[test]
    fn clocks_that_are_put_forward_and_back() {
        let berlin = |schedule: &str| format!("CRON_TZ=Europe/Berlin {schedule}");
        let daily = berlin("30 2 * * *");
        next(&daily, "2026-03-28T12:00:00Z", "2026-03-30T00:30:00Z");
        next(&daily, "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z");
        next(&daily, "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z");
    }

    #[test]
    fn mistakes() {
        for (schedule, says) in [
            ("* * *", "expected exactly 5 fields, found 3: [* * *]"),
            ("61 * * * *", "end of range (61) above maximum (59): 61"),
            (
                "x * * * *",
                "failed to parse int from x: strconv.Atoi: parsing \"x\": invalid syntax",
            ),
            (
                "TZ=Mars/Olympus * * * * *",
                "provided bad location Mars/Olympus: unknown time zone Mars/Olympus",
            ),
            ("@often", "unrecognized descriptor: @often"),
        ] {
            assert_eq!(Schedule::parse(schedule), Err(says.to_owned()));
        }
    }
}
