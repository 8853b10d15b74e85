//! `date`. Models coreutils src/date.c; the time zone is UTC, the clock cannot be set.

use machine::Io;
use shell::date::{Civil, days_from_civil, format};
use sim::Instant;

use crate::args::{self, flag, maybe, value};
use crate::files;
use crate::help::tool;
use crate::io::{complain, usage_error};

tool!(
    "date",
    "Display the current time",
    "date [OPTION]... [+FORMAT]",
    main,
    [
        ("date -u -d @0 +%FT%TZ", "1970-01-01T00:00:00Z\n"),
        ("date -d '2026-01-05 09:00:00' +%s", "1767603600\n"),
        ("date -d '2026-01-31 +1 day' +%F", "2026-02-01\n"),
        (
            "date -d 2026-01-05T10:00:00Z",
            "Mon Jan  5 10:00:00 UTC 2026\n"
        ),
        ("date -d nonsense", "date: invalid date ‘nonsense’\n"),
    ]
);

const FLAGS: &[args::Flag] = &[
    value('d', "date"),
    maybe('I', "iso-8601"),
    flag('R', "rfc-email"),
    value('r', "reference"),
    value('\u{1}', "rfc-3339"),
    value('s', "set"),
    flag('u', "utc"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    if args.has('s') {
        complain(&io, "cannot set date: Operation not permitted").await;
        return 1;
    }
    let now = io.now().await;
    let mut secs = now.unix_secs();
    let mut nanos = u32::try_from(now.as_nanos() % 1_000_000_000).unwrap_or(0);
    if let Some(text) = args.value('d') {
        match parse(text, secs) {
            Some(at) => {
                nanos = if text.trim().starts_with("now") {
                    nanos
                } else {
                    0
                };
                secs = at;
            }
            None => {
                complain(&io, &format!("invalid date ‘{text}’")).await;
                return 1;
            }
        }
    }
    if let Some(path) = args.value('r') {
        match files::stat(&io, path).await {
            Ok(stat) => secs = stat.mtime.unix_secs(),
            Err(errno) => {
                complain(&io, &format!("{path}: {}", errno.message())).await;
                return 1;
            }
        }
    }
    let custom = args
        .operands
        .first()
        .and_then(|text| text.strip_prefix('+'));
    if custom.is_none()
        && let Some(operand) = args.operands.first()
    {
        complain(&io, &format!("invalid date ‘{operand}’")).await;
        return 1;
    }
    let format_text = match (
        custom,
        args.value('I').map(|text| &**text),
        args.value('\u{1}').map(|text| &**text),
    ) {
        (Some(custom), _, _) => custom,
        (_, Some("" | "date"), _) | (_, _, Some("date")) => "%F",
        (_, Some("hours"), _) => "%FT%H%:z",
        (_, Some("minutes"), _) => "%FT%H:%M%:z",
        (_, Some("ns"), _) => "%FT%T,%N%:z",
        (_, Some(_), _) => "%FT%T%:z",
        (_, _, Some("ns")) => "%F %T.%N%:z",
        (_, _, Some(_)) => "%F %T%:z",
        _ if args.has('R') => "%a, %d %b %Y %T %z",
        _ => "%a %b %e %H:%M:%S %Z %Y",
    };
    io.print(&format!("{}\n", format(format_text, secs, nanos)))
        .await;
    0
}

/// A point of time in words: absolute parts first, then relative ones.
pub(crate) fn parse(text: &str, now: i64) -> Option<i64> {
    let mut at = now;
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut rest = &words[..];
    while let Some(word) = rest.first() {
        rest = &rest[1..];
        let lower = word.to_ascii_lowercase();
        if let Some(secs) = lower.strip_prefix('@') {
            at = secs.split('.').next()?.parse().ok()?;
        } else if let Some(instant) = Instant::parse_rfc3339(&word.to_ascii_uppercase()) {
            at = instant.unix_secs();
        } else if let Some(full) = iso(word) {
            at = full;
        } else if let Some(of_day) = clock(word) {
            at = at.div_euclid(86_400) * 86_400 + of_day;
        } else if let Some(count) = relative(&lower) {
            let unit = rest.first()?.to_ascii_lowercase();
            rest = &rest[1..];
            let ago = rest.first().is_some_and(|word| *word == "ago");
            rest = &rest[usize::from(ago)..];
            at = shift(
                at,
                if ago { -count } else { count },
                unit.trim_end_matches('s'),
            )?;
        } else {
            at = match lower.as_str() {
                "now" => at,
                "today" => at,
                "yesterday" => at - 86_400,
                "tomorrow" => at + 86_400,
                "midnight" => at.div_euclid(86_400) * 86_400,
                "utc" | "z" | "gmt" => at,
                "next" | "last" => {
                    let unit = rest.first()?.to_ascii_lowercase();
                    rest = &rest[1..];
                    shift(
                        at,
                        if lower == "next" { 1 } else { -1 },
                        unit.trim_end_matches('s'),
                    )?
                }
                _ => return None,
            };
        }
    }
    (!words.is_empty()).then_some(at)
}

/// `2026-01-05`, `2026/01/05`, `20260105`, and `2026-01-05T09:00`.
fn iso(word: &str) -> Option<i64> {
    let (day, time) = word.split_once(['T', 't']).unwrap_or((word, ""));
    let parts: Vec<&str> = match day.split(['-', '/']).collect::<Vec<_>>() {
        parts if parts.len() == 3 => parts,
        _ if day.len() == 8 && day.bytes().all(|b| b.is_ascii_digit()) => {
            vec![&day[..4], &day[4..6], &day[6..]]
        }
        _ => return None,
    };
    let (year, month, date): (i64, u32, u32) = (
        parts[0].parse().ok()?,
        parts[1].parse().ok()?,
        parts[2].parse().ok()?,
    );
    if !(1..=12).contains(&month) || !(1..=31).contains(&date) {
        return None;
    }
    let of_day = if time.is_empty() {
        0
    } else {
        clock(time.trim_end_matches(['Z', 'z']))?
    };
    Some(days_from_civil(year, month, date) * 86_400 + of_day)
}

/// `09:00` and `09:00:00` as seconds of the day.
fn clock(word: &str) -> Option<i64> {
    let mut parts = word.split(':');
    let hour: i64 = parts.next()?.parse().ok()?;
    let minute: i64 = parts.next()?.parse().ok()?;
    let second: i64 = match parts.next() {
        Some(text) => text.split('.').next()?.parse().ok()?,
        None => 0,
    };
    (hour < 24 && minute < 60 && second < 61).then_some(hour * 3600 + minute * 60 + second)
}

fn relative(word: &str) -> Option<i64> {
    match word {
        "a" | "an" => Some(1),
        _ => word.strip_prefix('+').unwrap_or(word).parse().ok(),
    }
}

fn shift(at: i64, count: i64, unit: &str) -> Option<i64> {
    let seconds = match unit {
        "sec" | "second" => 1,
        "min" | "minute" => 60,
        "hour" => 3600,
        "day" => 86_400,
        "week" => 604_800,
        "month" | "year" => {
            let date = Civil::from_unix(at);
            let months = if unit == "year" { count * 12 } else { count };
            let total = date.year * 12 + i64::from(date.month) - 1 + months;
            let month = u32::try_from(total.rem_euclid(12)).ok()? + 1;
            let days = days_from_civil(total.div_euclid(12), month, date.day);
            return Some(days * 86_400 + at.rem_euclid(86_400));
        }
        _ => return None,
    };
    Some(at + count * seconds)
}
