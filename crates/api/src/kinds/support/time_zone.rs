//! Time zones by name: how far local time is ahead of UTC, and when that changes in a year. Knows
//! the rules that hold now; what they were in earlier years is not modelled.
//!
//! Models Go's time.LoadLocation over the IANA time zone database: `data/time_zones.txt` has a rule
//! in the form of POSIX's TZ a line, and the names of the zones it holds for.

use sim::Civil;

const TABLE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/data/time_zones.txt"));
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// A time zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeZone {
    /// Seconds ahead of UTC.
    standard: i64,
    summer: Option<Summer>,
}

/// The part of the year in which the clock shows another time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Summer {
    offset: i64,
    begin: Change,
    end: Change,
}

/// A weekday of a month, the fifth being the last, and seconds after its midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Change {
    month: u32,
    week: i64,
    weekday: i64,
    secs: i64,
}

impl TimeZone {
    /// The zone of this name; `None` if there is none.
    pub fn named(name: &str) -> Option<TimeZone> {
        let line = TABLE.lines().find(|line| {
            let mut names = line.split(' ').skip(1);
            names.any(|known| known == name)
        })?;
        TimeZone::parse(line.split(' ').next()?)
    }

    /// Reads `CET-1CEST,M3.5.0,M10.5.0/3`.
    fn parse(rule: &str) -> Option<TimeZone> {
        let mut parts = rule.split(',');
        let (standard, rest) = offset(after_name(parts.next()?))?;
        let zone = TimeZone {
            standard,
            summer: None,
        };
        if rest.is_empty() {
            return Some(zone);
        }
        let rest = after_name(rest);
        let ahead = match rest {
            "" => standard + HOUR,
            rest => offset(rest)?.0,
        };
        let summer = Summer {
            offset: ahead,
            begin: Change::parse(parts.next()?)?,
            end: Change::parse(parts.next()?)?,
        };
        Some(TimeZone {
            summer: Some(summer),
            ..zone
        })
    }

    /// How many seconds local time is ahead of UTC at a time, in seconds since 1970.
    pub fn offset_at(&self, unix: i64) -> i64 {
        let Some(summer) = &self.summer else {
            return self.standard;
        };
        let year = Civil::from_unix(unix + self.standard).year;
        let begin = summer.begin.in_year(year) - self.standard;
        let end = summer.end.in_year(year) - summer.offset;
        let is_summer = match begin < end {
            true => (begin..end).contains(&unix),
            // The southern half: summer is around New Year.
            false => !(end..begin).contains(&unix),
        };
        if is_summer {
            summer.offset
        } else {
            self.standard
        }
    }
}

impl Change {
    /// Reads `M10.5.0/3`.
    fn parse(text: &str) -> Option<Change> {
        let (day, time) = text.split_once('/').unwrap_or((text, "2"));
        let mut numbers = day.strip_prefix('M')?.split('.');
        Some(Change {
            month: numbers.next()?.parse().ok()?,
            week: numbers.next()?.parse().ok()?,
            weekday: numbers.next()?.parse().ok()?,
            secs: clock(time)?,
        })
    }

    /// When it happens, as if local time were UTC.
    fn in_year(&self, year: i64) -> i64 {
        let first = midnight(year, self.month);
        let weekday = i64::from(Civil::from_unix(first).weekday % 7);
        let mut day = (self.weekday - weekday).rem_euclid(7) + 7 * (self.week - 1);
        let (next_year, next) = match self.month {
            12 => (year + 1, 1),
            month => (year, month + 1),
        };
        while first + day * DAY >= midnight(next_year, next) {
            day -= 7;
        }
        first + day * DAY + self.secs
    }
}

/// The first of a month, in seconds since 1970.
fn midnight(year: i64, month: u32) -> i64 {
    let text = format!("{year:04}-{month:02}-01T00:00:00Z");
    sim::parse_unix(&text).map_or(0, |(secs, _)| secs)
}

/// What follows a zone's abbreviation: letters, or anything in angle brackets.
fn after_name(text: &str) -> &str {
    match text.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
        Some((_, rest)) => rest,
        None => text.trim_start_matches(|c: char| c.is_ascii_alphabetic()),
    }
}

/// Seconds ahead of UTC, and what follows: POSIX counts those behind.
fn offset(text: &str) -> Option<(i64, &str)> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || "+-:".contains(c)));
    let (offset, rest) = text.split_at(end.unwrap_or(text.len()));
    Some((-clock(offset)?, rest))
}

/// Seconds of `3`, `-5:30`.
fn clock(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.trim_start_matches('+')),
    };
    let (hours, minutes) = digits.split_once(':').unwrap_or((digits, "0"));
    let secs = hours.parse::<i64>().ok()? * HOUR + minutes.parse::<i64>().ok()? * 60;
    Some(sign * secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(zone: &str, at: &str, minutes: i64) {
        let (unix, _) = sim::parse_unix(at).expect("a time");
        let zone = TimeZone::named(zone).expect("a zone");
        assert_eq!(zone.offset_at(unix), minutes * 60);
    }

    #[test]
    fn offsets() {
        check("UTC", "2026-07-01T00:00:00Z", 0);
        check("Europe/Berlin", "2026-01-05T09:00:00Z", 60);
        check("Europe/Berlin", "2026-03-29T00:59:59Z", 60);
        check("Europe/Berlin", "2026-03-29T01:00:00Z", 120);
        check("Europe/Berlin", "2026-10-25T00:59:59Z", 120);
        check("Europe/Berlin", "2026-10-25T01:00:00Z", 60);
        check("America/New_York", "2026-03-08T06:59:59Z", -300);
        check("America/New_York", "2026-03-08T07:00:00Z", -240);
        check("Asia/Kolkata", "2026-05-01T00:00:00Z", 330);
        check("Australia/Sydney", "2026-01-05T00:00:00Z", 660);
        check("Australia/Sydney", "2026-07-01T00:00:00Z", 600);
        check("Europe/Dublin", "2026-07-01T00:00:00Z", 60);
    }

    #[test]
    fn every_rule_is_understood() {
        for line in TABLE.lines() {
            let rule = line.split(' ').next().unwrap_or("");
            assert!(TimeZone::parse(rule).is_some(), "{rule}");
        }
        assert_eq!(TimeZone::named("Mars/Olympus"), None);
    }
}
