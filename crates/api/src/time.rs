//! Ages, durations and timestamps as people read them.
//! Models k8s.io/apimachinery/pkg/util/duration and Go's time.Duration.

use sim::{Duration, Instant};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;

/// The AGE of tables and `describe`: `45s`, `2m10s`, `3h`, `2d3h`, `400d`. Up to a second in the
/// future is `0s`, more is `<invalid>`.
pub fn human_duration(secs: i64) -> String {
    let two = |big: i64, unit: char, small: i64, small_unit: char| match small {
        0 => format!("{big}{unit}"),
        _ => format!("{big}{unit}{small}{small_unit}"),
    };
    match secs {
        ..=-2 => "<invalid>".to_owned(),
        -1 => "0s".to_owned(),
        s if s < 2 * MINUTE => format!("{s}s"),
        s if s < 10 * MINUTE => two(s / MINUTE, 'm', s % MINUTE, 's'),
        s if s < 3 * HOUR => format!("{}m", s / MINUTE),
        s if s < 8 * HOUR => two(s / HOUR, 'h', s % HOUR / MINUTE, 'm'),
        s if s < 2 * DAY => format!("{}h", s / HOUR),
        s if s < 8 * DAY => two(s / DAY, 'd', s % DAY / HOUR, 'h'),
        s if s < 2 * YEAR => format!("{}d", s / DAY),
        s if s < 8 * YEAR => two(s / YEAR, 'y', s % YEAR / DAY, 'd'),
        s => format!("{}y", s / YEAR),
    }
}

/// The shorter form, of one unit: `5m`, `3h`, `2d`.
pub fn short_human_duration(secs: i64) -> String {
    match secs {
        ..=-2 => "<invalid>".to_owned(),
        -1 => "0s".to_owned(),
        s if s < MINUTE => format!("{s}s"),
        s if s < HOUR => format!("{}m", s / MINUTE),
        s if s < DAY => format!("{}h", s / HOUR),
        s if s < YEAR => format!("{}d", s / DAY),
        s => format!("{}y", s / YEAR),
    }
}

/// The time that passed since a timestamp of an object, as AGE shows it; `<unknown>` if there is
/// none. Models `translateTimestampSince`.
pub fn age(now: Instant, timestamp: &str) -> String {
    match unix_nanos(timestamp) {
        None => "<unknown>".to_owned(),
        Some(then) => human_duration(whole_secs(now_nanos(now) - then)),
    }
}

fn now_nanos(now: Instant) -> i128 {
    i128::from(sim::EPOCH_UNIX_SECS) * 1_000_000_000 + i128::from(now.as_nanos())
}

/// Whole seconds, cut towards zero as Go's conversion does.
fn whole_secs(nanos: i128) -> i64 {
    i64::try_from(nanos / 1_000_000_000).unwrap_or(i64::MAX)
}

/// Nanoseconds since 1970 of an RFC 3339 text; `None` if it is none.
pub fn unix_nanos(timestamp: &str) -> Option<i128> {
    let (secs, nanos) = sim::parse_unix(timestamp)?;
    Some(i128::from(secs) * 1_000_000_000 + i128::from(nanos))
}

/// A duration as Go prints it: `1m30s`, `1.5s`, `300ms`, `0s`.
pub fn go_duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let decimal = |unit: u128| {
        let (whole, part) = (nanos / unit, nanos % unit);
        if part == 0 {
            return whole.to_string();
        }
        let digits = unit.ilog10() as usize;
        format!(
            "{whole}.{}",
            format!("{part:0digits$}").trim_end_matches('0')
        )
    };
    match nanos {
        0 => "0s".to_owned(),
        1..1_000 => format!("{nanos}ns"),
        1_000..1_000_000 => format!("{}µs", decimal(1_000)),
        1_000_000..1_000_000_000 => format!("{}ms", decimal(1_000_000)),
        _ => {
            let minutes = nanos / 60_000_000_000;
            let rest = Duration::from_nanos((nanos % 60_000_000_000) as u64);
            let secs = match rest.subsec_nanos() {
                0 => format!("{}s", rest.as_secs()),
                part => {
                    let part = format!("{part:09}");
                    format!("{}.{}s", rest.as_secs(), part.trim_end_matches('0'))
                }
            };
            match (minutes / 60, minutes % 60) {
                (0, 0) => secs,
                (0, minutes) => format!("{minutes}m{secs}"),
                (hours, minutes) => format!("{hours}h{minutes}m{secs}"),
            }
        }
    }
}

/// Reads a duration as Go writes it: `1h30m`, `1.5s`, `300ms`, `0`. `None` if it is none, or
/// negative.
pub fn parse_go_duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest.is_empty() {
        return None;
    }
    let mut total: u128 = 0;
    while !rest.is_empty() {
        let digits = |s: &str| s.bytes().take_while(u8::is_ascii_digit).count();
        let (whole, after) = rest.split_at(digits(rest));
        let (part, after) = match after.strip_prefix('.') {
            Some(after) => after.split_at(digits(after)),
            None => ("", after),
        };
        if whole.is_empty() && part.is_empty() {
            return None;
        }
        let unit_len = after
            .bytes()
            .take_while(|b| *b != b'.' && !b.is_ascii_digit())
            .count();
        let (unit, after) = after.split_at(unit_len);
        let unit: u128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let whole: u128 = if whole.is_empty() {
            0
        } else {
            whole.parse::<u64>().ok()?.into()
        };
        let mut place = unit;
        let mut fraction = 0;
        for digit in part.bytes() {
            place /= 10;
            fraction += u128::from(digit - b'0') * place;
        }
        total += whole * unit + fraction;
        rest = after;
    }
    Some(Duration::from_nanos(
        u64::try_from(total)
            .ok()
            .filter(|n| *n <= i64::MAX as u64)?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages() {
        #[track_caller]
        fn check(secs: i64, want: &str, short: &str) {
            assert_eq!(
                (human_duration(secs).as_str(), &*short_human_duration(secs)),
                (want, short)
            );
        }
        check(-2, "<invalid>", "<invalid>");
        check(-1, "0s", "0s");
        check(0, "0s", "0s");
        check(119, "119s", "1m");
        check(120, "2m", "2m");
        check(130, "2m10s", "2m");
        check(600, "10m", "10m");
        check(3 * HOUR - 1, "179m", "2h");
        check(3 * HOUR, "3h", "3h");
        check(7 * HOUR + 60, "7h1m", "7h");
        check(8 * HOUR, "8h", "8h");
        check(2 * DAY, "2d", "2d");
        check(2 * DAY + 3 * HOUR, "2d3h", "2d");
        check(8 * DAY + HOUR, "8d", "8d");
        check(2 * YEAR + DAY, "2y1d", "2y");
        check(9 * YEAR, "9y", "9y");
    }

    #[test]
    fn age_of_timestamps() {
        let now = Instant::ZERO + Duration::from_millis(65_500);
        assert_eq!(age(now, "2026-01-05T09:00:00Z"), "65s");
        assert_eq!(age(now, "2026-01-05T09:01:06Z"), "0s");
        assert_eq!(age(now, "2026-01-05T08:00:00Z"), "61m");
        assert_eq!(age(now, "2026-01-05T09:10:00Z"), "<invalid>");
        assert_eq!(age(now, ""), "<unknown>");
    }

    #[test]
    fn durations_of_go() {
        #[track_caller]
        fn check(text: &str, want: Option<&str>) {
            assert_eq!(
                parse_go_duration(text).map(go_duration).as_deref(),
                want,
                "{text}"
            );
        }
        check("0", Some("0s"));
        check("90s", Some("1m30s"));
        check("1h", Some("1h0m0s"));
        check("1.5s", Some("1.5s"));
        check("1500ms", Some("1.5s"));
        check("0.3s", Some("300ms"));
        check("1500us", Some("1.5ms"));
        check("2h45m30.25s", Some("2h45m30.25s"));
        check("5", None);
        check("", None);
        check("x", None);
        check("-5s", None);
        check("1d", None);
    }
}
