//! Virtual time: nanoseconds since the world began, and how it reads on a calendar.

use core::fmt;
use core::ops::Add;
use core::time::Duration;

/// The calendar date at which every world begins, 2026-01-05T09:00:00Z, in Unix seconds.
pub const EPOCH_UNIX_SECS: i64 = 1_767_603_600;

const NANOS_PER_SEC: u64 = 1_000_000_000;

/// A point of virtual time, in nanoseconds since the world began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// The beginning of the world.
    pub const ZERO: Instant = Instant(0);
    /// Later than anything that will ever be scheduled.
    pub const FAR: Instant = Instant(u64::MAX);

    /// The instant `nanos` nanoseconds after the beginning.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the beginning.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The time that passed since `earlier`; zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Instant) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// Whole seconds since 1970, as a machine's real-time clock shows them.
    #[must_use]
    pub fn unix_secs(self) -> i64 {
        EPOCH_UNIX_SECS + i64::try_from(self.0 / NANOS_PER_SEC).unwrap_or(i64::MAX / 2)
    }

    /// Nanoseconds within the second.
    #[must_use]
    pub fn subsec_nanos(self) -> u32 {
        u32::try_from(self.0 % NANOS_PER_SEC).unwrap_or(0)
    }

    /// `2026-01-05T09:00:00Z`, the form of `metav1.Time`.
    #[must_use]
    pub fn rfc3339(self) -> String {
        Civil::from_unix(self.unix_secs()).rfc3339()
    }

    /// `2026-01-05T09:00:00.123456Z`, the form of `metav1.MicroTime`.
    #[must_use]
    pub fn rfc3339_micro(self) -> String {
        let mut text = self.rfc3339();
        text.pop();
        format!("{text}.{:06}Z", self.subsec_nanos() / 1000)
    }

    /// `2026-01-05T09:00:00.123456789Z`, the form of container logs.
    #[must_use]
    pub fn rfc3339_nano(self) -> String {
        let mut text = self.rfc3339();
        text.pop();
        format!("{text}.{:09}Z", self.subsec_nanos())
    }

    /// Reads either form back, with an offset (`Z`, `+01:00`) and any number of decimals. `None` if
    /// the text is not a date or lies before the world began.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Instant> {
        let (secs, nanos) = parse_unix(text)?;
        let since = u64::try_from(secs - EPOCH_UNIX_SECS).ok()?;
        Some(Instant(
            since
                .checked_mul(NANOS_PER_SEC)?
                .checked_add(u64::from(nanos))?,
        ))
    }

    /// The calendar fields of this instant, in UTC.
    #[must_use]
    pub fn civil(self) -> Civil {
        Civil::from_unix(self.unix_secs())
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;

    fn add(self, rhs: Duration) -> Instant {
        let nanos = u64::try_from(rhs.as_nanos()).unwrap_or(u64::MAX);
        Instant(self.0.saturating_add(nanos))
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339_micro())
    }
}

/// Calendar fields in UTC (proleptic Gregorian).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// Year, such as 2026.
    pub year: i64,
    /// Month, 1 to 12.
    pub month: u32,
    /// Day of the month, from 1.
    pub day: u32,
    /// Hour, 0 to 23.
    pub hour: u32,
    /// Minute.
    pub minute: u32,
    /// Second.
    pub second: u32,
    /// Day of the week, 0 is Sunday.
    pub weekday: u32,
}

impl Civil {
    /// The calendar fields of `secs` Unix seconds (Howard Hinnant's days-to-civil algorithm).
    #[must_use]
    pub fn from_unix(secs: i64) -> Civil {
        let days = secs.div_euclid(86_400);
        let rest = secs.rem_euclid(86_400);
        let z = days + 719_468;
        let era = z.div_euclid(146_097);
        let doe = z.rem_euclid(146_097);
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        let small = |v: i64| u32::try_from(v).unwrap_or(0);
        Civil {
            year: yoe + era * 400 + i64::from(month <= 2),
            month: small(month),
            day: small(doy - (153 * mp + 2) / 5 + 1),
            hour: small(rest / 3600),
            minute: small(rest % 3600 / 60),
            second: small(rest % 60),
            weekday: small((days + 4).rem_euclid(7)),
        }
    }

    /// `2026-01-05T09:00:00Z`. Every object has several of these, so the digits are put together by
    /// hand.
    #[must_use]
    pub fn rfc3339(self) -> String {
        let mut text = String::with_capacity(28);
        match u32::try_from(self.year) {
            Ok(year) if year < 10_000 => {
                push_two(&mut text, year / 100);
                push_two(&mut text, year % 100);
            }
            _ => text.push_str(&format!("{:04}", self.year)),
        }
        let rest = [
            ('-', self.month),
            ('-', self.day),
            ('T', self.hour),
            (':', self.minute),
            (':', self.second),
        ];
        for (mark, number) in rest {
            text.push(mark);
            push_two(&mut text, number);
        }
        text.push('Z');
        text
    }
}

/// Two digits of a number below 100.
fn push_two(text: &mut String, number: u32) {
    for digit in [number / 10 % 10, number % 10] {
        text.push(char::from_digit(digit, 10).unwrap_or('0'));
    }
}

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
}

/// Reads RFC 3339 as Unix seconds and nanoseconds within the second, with an offset (`Z`, `+01:00`)
/// and any number of decimals; dates before the world began too.
#[must_use]
pub fn parse_unix(text: &str) -> Option<(i64, u32)> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<i64> {
        let part = text.get(from..to)?;
        part.bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| part.parse().ok())?
    };
    let sep = |at: usize, any: &[u8]| bytes.get(at).is_some_and(|b| any.contains(b)).then_some(());
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    sep(4, b"-")?;
    sep(7, b"-")?;
    sep(10, b"Tt ")?;
    sep(13, b":")?;
    sep(16, b":")?;
    let fits = (1..=12).contains(&month) && (1..=31).contains(&day);
    if !fits || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut rest = &text[19..];
    let mut nanos = 0;
    if let Some(decimals) = rest.strip_prefix('.') {
        let len = decimals.bytes().take_while(u8::is_ascii_digit).count();
        let digits = decimals.get(..len.min(9))?;
        let scale = 10_u32.checked_pow(u32::try_from(9 - digits.len()).ok()?)?;
        nanos = digits.parse::<u32>().ok()? * scale;
        rest = &decimals[len..];
    }
    let offset = match rest.as_bytes() {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let minutes = rest[1..3].parse::<i64>().ok()? * 60 + rest[4..6].parse::<i64>().ok()?;
            if *sign == b'-' {
                -minutes * 60
            } else {
                minutes * 60
            }
        }
        _ => return None,
    };
    let secs = days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    Some((secs - offset, nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_epoch_reads_as_a_date() {
        assert_eq!(Instant::ZERO.rfc3339(), "2026-01-05T09:00:00Z");
        assert_eq!(Instant::ZERO.civil().weekday, 1, "a Monday");
        let later = Instant::ZERO + Duration::from_micros(86_400_000_123);
        assert_eq!(later.rfc3339_micro(), "2026-01-06T09:00:00.000123Z");
    }

    #[test]
    fn dates_round_trip() {
        #[track_caller]
        fn check(text: &str, expect: Option<&str>) {
            let read = Instant::parse_rfc3339(text).map(Instant::rfc3339_nano);
            assert_eq!(read.as_deref(), expect, "{text}");
        }
        check(
            "2026-01-05T09:00:01Z",
            Some("2026-01-05T09:00:01.000000000Z"),
        );
        check(
            "2028-02-29T23:59:59.5Z",
            Some("2028-02-29T23:59:59.500000000Z"),
        );
        check(
            "2026-01-05T11:00:00+01:00",
            Some("2026-01-05T10:00:00.000000000Z"),
        );
        check("2020-01-01T00:00:00Z", None);
        check("2026-13-05T09:00:01Z", None);
        check("yesterday", None);
    }
}
