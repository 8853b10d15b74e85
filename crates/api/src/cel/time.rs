//! CEL's timestamps and durations: reading, printing and taking apart.

use std::fmt;

use super::EvalError;

const NANOS: i64 = 1_000_000_000;
/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z, the years the language allows, in Unix seconds.
const YEARS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// A point of time, as `google.protobuf.Timestamp` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    /// Seconds since 1970.
    pub secs: i64,
    /// Nanoseconds within the second.
    pub nanos: u32,
}

impl Timestamp {
    /// Reads RFC 3339, with an offset and decimals.
    pub(super) fn parse(text: &str) -> Option<Timestamp> {
        let (secs, nanos) = sim::parse_unix(text)?;
        Timestamp::at(secs, nanos)
    }

    /// The timestamp of these Unix seconds, if it lies in the years the language allows.
    pub(super) fn at(secs: i64, nanos: u32) -> Option<Timestamp> {
        YEARS.contains(&secs).then_some(Timestamp { secs, nanos })
    }

    /// This moved by `nanos` nanoseconds.
    pub(super) fn plus(self, nanos: i64) -> Option<Timestamp> {
        let all =
            i128::from(self.secs) * i128::from(NANOS) + i128::from(self.nanos) + i128::from(nanos);
        let secs = i64::try_from(all.div_euclid(i128::from(NANOS))).ok()?;
        let nanos = u32::try_from(all.rem_euclid(i128::from(NANOS))).ok()?;
        Timestamp::at(secs, nanos)
    }

    /// Nanoseconds from `earlier` to this.
    pub(super) fn since(self, earlier: Timestamp) -> Option<i64> {
        let secs = i128::from(self.secs) - i128::from(earlier.secs);
        let nanos = i128::from(self.nanos) - i128::from(earlier.nanos);
        i64::try_from(secs * i128::from(NANOS) + nanos).ok()
    }

    /// The part `method` asks for (`getFullYear`, …) in the time zone `zone`.
    pub(super) fn part(self, method: &str, zone: &str) -> Result<i64, EvalError> {
        let secs = self.secs + offset(zone)?;
        let civil = sim::Civil::from_unix(secs);
        Ok(match method {
            "getFullYear" => civil.year,
            "getMonth" => i64::from(civil.month) - 1,
            "getDate" => i64::from(civil.day),
            "getDayOfMonth" => i64::from(civil.day) - 1,
            "getDayOfWeek" => i64::from(civil.weekday),
            "getDayOfYear" => day_of_year(secs, civil.year),
            "getHours" => i64::from(civil.hour),
            "getMinutes" => i64::from(civil.minute),
            "getSeconds" => i64::from(civil.second),
            _ => i64::from(self.nanos / 1_000_000),
        })
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = sim::Civil::from_unix(self.secs);
        let (y, mo, d, h, mi, s) = (c.year, c.month, c.day, c.hour, c.minute, c.second);
        write!(f, "{y:04}-{mo:02}-{d:02}T{h:02}:{mi:02}:{s:02}")?;
        if self.nanos > 0 {
            let decimals = format!("{:09}", self.nanos);
            write!(f, ".{}", decimals.trim_end_matches('0'))?;
        }
        f.write_str("Z")
    }
}

fn day_of_year(secs: i64, year: i64) -> i64 {
    let first = sim::parse_unix(&format!("{year:04}-01-01T00:00:00Z"));
    first.map_or(0, |(first, _)| (secs - first).div_euclid(86_400))
}

/// Seconds east of Greenwich of a zone written `+02:00`; the names of cities are not known here.
fn offset(zone: &str) -> Result<i64, EvalError> {
    let (sign, digits) = match zone.as_bytes().first() {
        Some(b'-') => (-1, &zone[1..]),
        Some(b'+') => (1, &zone[1..]),
        _ => (1, zone),
    };
    let number = |text: &str| text.parse::<u8>().ok().map(i64::from);
    let read = digits
        .split_once(':')
        .and_then(|(h, m)| Some((number(h)?, number(m)?)));
    match read {
        Some((hours, minutes)) => Ok(sign * (hours * 3600 + minutes * 60)),
        None if matches!(zone, "UTC" | "") => Ok(0),
        None => {
            let names = sim::unmodelled!("time zones by name in CEL");
            Err(EvalError::new(format!(
                "unknown time zone {zone} ({names})"
            )))
        }
    }
}

/// Reads Go's form of a duration, `1h30m`, `-1.5s`, in nanoseconds.
pub(super) fn parse_duration(text: &str) -> Option<i64> {
    let (sign, mut rest) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let whole_len = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (whole, after) = rest.split_at(whole_len);
        let after_dot = after.strip_prefix('.').unwrap_or(after);
        let has_dot = after_dot.len() != after.len();
        let len = if has_dot {
            after_dot.bytes().take_while(u8::is_ascii_digit).count()
        } else {
            0
        };
        let (decimals, after) = after_dot.split_at(len);
        if whole.is_empty() && decimals.is_empty() {
            return None;
        }
        let unit_len = after.find(|c: char| c == '.' || c.is_ascii_digit());
        let (unit, after) = after.split_at(unit_len.unwrap_or(after.len()));
        let scale = unit_nanos(unit)?;
        let whole: i128 = if whole.is_empty() {
            0
        } else {
            whole.parse().ok()?
        };
        total = total.checked_add(whole.checked_mul(scale)?)?;
        let kept = &decimals[..decimals.len().min(18)];
        if !kept.is_empty() {
            let power = 10_i128.checked_pow(u32::try_from(kept.len()).ok()?)?;
            total = total.checked_add(kept.parse::<i128>().ok()? * scale / power)?;
        }
        rest = after;
    }
    i64::try_from(total * sign).ok()
}

fn unit_nanos(unit: &str) -> Option<i128> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// `5400s`, `1.5s`: how the language prints a duration.
pub(super) fn seconds_text(nanos: i64) -> String {
    let size = nanos.unsigned_abs();
    let sign = if nanos < 0 { "-" } else { "" };
    let (secs, rest) = (size / 1_000_000_000, size % 1_000_000_000);
    if rest == 0 {
        return format!("{sign}{secs}s");
    }
    let decimals = format!("{rest:09}");
    format!("{sign}{secs}.{}s", decimals.trim_end_matches('0'))
}

/// The part `method` asks for of a duration, in whole units of it.
pub(super) fn duration_part(nanos: i64, method: &str) -> Option<i64> {
    Some(match method {
        "getHours" => nanos / (3600 * NANOS),
        "getMinutes" => nanos / (60 * NANOS),
        "getSeconds" => nanos / NANOS,
        "getMilliseconds" => nanos / 1_000_000,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        #[track_caller]
        fn check(text: &str, nanos: Option<i64>) {
            assert_eq!(parse_duration(text), nanos, "{text}");
        }
        check("1h30m", Some(5400 * NANOS));
        check("-1.5s", Some(-1_500_000_000));
        check("100ms", Some(100_000_000));
        check("0", Some(0));
        check(".5s", Some(500_000_000));
        check("1d", None);
        check("", None);
        check("5", None);
        check("9999999999h", None);
        assert_eq!(seconds_text(5_400_000_000_000), "5400s");
        assert_eq!(seconds_text(-1_500_000_000), "-1.5s");
    }

    #[test]
    fn parts_of_a_timestamp() {
        let t = Timestamp::parse("2026-03-01T23:30:05.25Z").unwrap();
        #[track_caller]
        fn check(t: Timestamp, method: &str, zone: &str, expect: i64) {
            assert_eq!(t.part(method, zone).ok(), Some(expect), "{method} {zone}");
        }
        check(t, "getFullYear", "UTC", 2026);
        check(t, "getMonth", "UTC", 2);
        check(t, "getDate", "UTC", 1);
        check(t, "getDate", "+01:00", 2);
        check(t, "getDayOfYear", "UTC", 59);
        check(t, "getDayOfWeek", "UTC", 0);
        check(t, "getMilliseconds", "UTC", 250);
        assert_eq!(t.to_string(), "2026-03-01T23:30:05.25Z");
        assert_eq!(
            t.plus(-NANOS * 6).unwrap().to_string(),
            "2026-03-01T23:29:59.25Z"
        );
        assert!(t.part("getDate", "Mars/Base").is_err());
    }
}
