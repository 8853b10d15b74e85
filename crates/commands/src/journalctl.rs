//! `journalctl`: the machine's log. Models systemd 255's src/journal/journalctl.c.
//!
//! Fields and priorities are not modelled: every line has a unit, a program, a process and a text.

use std::rc::Rc;

use api::object;
use machine::{Boot, Fd, Io, LogLine};
use shell::date::days_from_civil;
use shell::regex::Regex;
use sim::{Duration, Instant};

use crate::args::{self, Args, flag, maybe, value};
use crate::calendar::strftime;
use crate::help::tool;

tool!(
    "journalctl",
    "Query the journal",
    "journalctl [OPTIONS...] [MATCHES...]",
    main,
    [
        ("journalctl -u nosuch", "-- No entries --\n"),
        (
            "journalctl --since nonsense",
            "Failed to parse timestamp: nonsense\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('a', "all"),
    maybe('b', "boot"),
    flag('e', "pager-end"),
    flag('f', "follow"),
    value('g', "grep"),
    flag('k', "dmesg"),
    flag('l', "full"),
    flag('m', "merge"),
    maybe('n', "lines"),
    value('o', "output"),
    value('p', "priority"),
    flag('q', "quiet"),
    flag('r', "reverse"),
    value('S', "since"),
    value('t', "identifier"),
    value('u', "unit"),
    value('U', "until"),
    flag('x', "catalog"),
    flag('\u{1}', "no-pager"),
    flag('\u{2}', "no-hostname"),
    flag('\u{3}', "utc"),
    flag('\u{4}', "no-tail"),
    flag('\u{5}', "no-full"),
    flag('\u{6}', "list-boots"),
    flag('\u{7}', "disk-usage"),
    flag('\u{8}', "system"),
];

/// How often a followed log is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// Lines shown before following, and by `-n` alone.
const TAIL: usize = 10;

async fn main(io: Io) -> i32 {
    let words = attach(io.args());
    let args = match args::parse(FLAGS, &words) {
        Ok(args) => args,
        Err(message) => {
            crate::io::complain(&io, &message).await;
            return 1;
        }
    };
    let wish = match Wish::of(&io, &args).await {
        Ok(wish) => wish,
        Err(message) => {
            io.eprint(&format!("{message}\n")).await;
            return 1;
        }
    };
    if args.has('\u{7}') {
        io.print("Archived and active journals take up 8.0M in the file system.\n")
            .await;
        return 0;
    }
    if args.has('\u{6}') {
        return list_boots(&io).await;
    }
    let (all, hostname) = io
        .sys(|sys| {
            let all: Rc<[LogLine]> = sys.host().log().cloned().collect();
            (all, sys.host().name().clone())
        })
        .await;
    let mut shown: Vec<&LogLine> = all.iter().filter(|line| wish.takes(line)).collect();
    if let Some(count) = wish.count {
        shown.drain(..shown.len().saturating_sub(count));
    }
    if args.has('r') {
        shown.reverse();
    }
    if shown.is_empty() && !args.has('q') && !args.has('f') {
        io.print("-- No entries --\n").await;
    }
    let text: String = shown
        .iter()
        .map(|line| wish.shown(line, &hostname))
        .collect();
    io.write_all(Fd::STDOUT, text.as_bytes()).await;
    if args.has('f') {
        follow(&io, &wish, &hostname, &all).await;
    }
    0
}

/// Prints what is added until it is stopped.
async fn follow(io: &Io, wish: &Wish, hostname: &str, all: &[LogLine]) {
    // Lines are told from those already seen by their time, and their number at that time.
    let mut last = all.last().map_or(Instant::ZERO, |line| line.at);
    let mut seen = all.iter().rev().take_while(|line| line.at == last).count();
    loop {
        io.sleep(LOOK).await;
        let (from, skip) = (last, seen);
        let new: Rc<[LogLine]> = io
            .sys(move |sys| {
                let newer = sys.host().log().rev().take_while(|line| line.at >= from);
                let mut lines: Vec<LogLine> = newer.cloned().collect();
                lines.reverse();
                lines.drain(..skip.min(lines.len()));
                lines.into()
            })
            .await;
        let Some(end) = new.last() else { continue };
        let same = new
            .iter()
            .rev()
            .take_while(|line| line.at == end.at)
            .count();
        seen = if end.at == last { seen + same } else { same };
        last = end.at;
        let text: String = new
            .iter()
            .filter(|line| wish.takes(line))
            .map(|line| wish.shown(line, hostname))
            .collect();
        io.write_all(Fd::STDOUT, text.as_bytes()).await;
    }
}

async fn list_boots(io: &Io) -> i32 {
    let (boots, now) = io.sys(|sys| (sys.host().boots.clone(), sys.now())).await;
    let mut text = format!(
        "IDX BOOT ID                          {:27} LAST ENTRY\n",
        "FIRST ENTRY"
    );
    for (boot, ago) in boots.iter().zip((0..boots.len()).rev()) {
        let index = match ago {
            0 => "0".to_owned(),
            ago => format!("-{ago}"),
        };
        let stamp = |at| crate::calendar::systemd(at);
        text.push_str(&format!(
            "{index:>3} {} {} {}\n",
            boot.id.replace('-', ""),
            stamp(boot.from),
            stamp(boot.until.unwrap_or(now)),
        ));
    }
    io.print(&text).await;
    0
}

/// When a boot began and ended: the last one, `-1` the one before, `1` the first.
fn boot_times(boots: &[Boot], text: &str) -> Option<(Instant, Option<Instant>)> {
    let number: isize = text.parse().ok().or(text.is_empty().then_some(0))?;
    let index = match number {
        1.. => number - 1,
        _ => isize::try_from(boots.len()).ok()? - 1 + number,
    };
    let boot = boots.get(usize::try_from(index).ok()?)?;
    Some((boot.from, boot.until))
}

/// `-n 20` is `-n20` and `-b -1` is `-b-1`: their values are optional, yet may stand alone.
fn attach(args: &[Rc<str>]) -> Vec<Rc<str>> {
    let mut words: Vec<Rc<str>> = Vec::new();
    let mut rest = args.iter().peekable();
    while let Some(word) = rest.next() {
        let takes_count = (&**word == "--lines")
            || word.ends_with('n') && word.starts_with('-') && !word.starts_with("--");
        let takes_boot = &**word == "--boot" || &**word == "-b";
        let count = rest.peek().filter(|next| {
            let is_count =
                &****next == "all" || next.trim_start_matches('+').parse::<usize>().is_ok();
            takes_count && is_count || takes_boot && next.parse::<i32>().is_ok()
        });
        match count {
            Some(count) if word.starts_with("--") => words.push(format!("{word}={count}").into()),
            Some(count) => words.push(format!("{word}{count}").into()),
            None => {
                words.push(word.clone());
                continue;
            }
        }
        rest.next();
    }
    words
}

/// Which lines, and how.
struct Wish {
    units: Vec<String>,
    names: Vec<Rc<str>>,
    pid: Option<u32>,
    nothing: bool,
    since: Option<Instant>,
    until: Option<Instant>,
    pattern: Option<Regex>,
    count: Option<usize>,
    format: Format,
    hostname: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Short,
    Precise,
    Iso,
    IsoPrecise,
    Full,
    Unix,
    Cat,
    Json,
}

impl Wish {
    async fn of(io: &Io, args: &Args) -> Result<Wish, String> {
        let (now, boots) = io.sys(|sys| (sys.now(), sys.host().boots.clone())).await;
        let time = |letter: char| match args.value(letter) {
            None => Ok(None),
            Some(text) => match timestamp(text, now) {
                Some(at) => Ok(Some(at)),
                None => Err(format!("Failed to parse timestamp: {text}")),
            },
        };
        let (mut since, mut until) = (time('S')?, time('U')?);
        if args.has('b') {
            let which = args.value('b').map_or("", |text| text);
            let Some((from, end)) = boot_times(&boots, which) else {
                return Err(format!(
                    "Data from the specified boot ({which}) is not available: No such boot ID in journal"
                ));
            };
            since = since.max(Some(from));
            until = until.or(end);
        }
        let format = match args.value('o').map_or("short", |text| text) {
            "short" | "with-unit" => Format::Short,
            "short-precise" => Format::Precise,
            "short-iso" => Format::Iso,
            "short-iso-precise" => Format::IsoPrecise,
            "short-full" => Format::Full,
            "short-unix" => Format::Unix,
            "cat" => Format::Cat,
            "json" | "json-pretty" => Format::Json,
            other => return Err(format!("Unknown output format '{other}'.")),
        };
        let count = match args.value('n').map(|text| text.trim_start_matches('+')) {
            Some("all") => None,
            Some("") => Some(TAIL),
            Some(text) => {
                let bad = |_| format!("Failed to parse lines '{text}'");
                Some(text.parse().map_err(bad)?)
            }
            None if args.has('e') => Some(1000),
            None if args.has('f') && !args.has('\u{4}') => Some(TAIL),
            None => None,
        };
        let pattern = match args.value('g') {
            Some(text) => Some(Regex::extended(text, text.to_lowercase() == **text)?),
            None => None,
        };
        let mut wish = Wish {
            units: args.values('u').map(|name| unit_name(name)).collect(),
            names: args.values('t').cloned().collect(),
            pid: None,
            nothing: args.has('k'),
            since,
            until,
            pattern,
            count,
            format,
            hostname: !args.has('\u{2}'),
        };
        for word in &args.operands {
            match word.split_once('=') {
                Some(("_PID", pid)) => wish.pid = pid.parse().ok(),
                Some(("_SYSTEMD_UNIT", unit)) => wish.units.push(unit.to_owned()),
                Some(("SYSLOG_IDENTIFIER" | "_COMM", name)) => wish.names.push(name.into()),
                Some(_) => wish.nothing = true,
                None => return Err(format!("Failed to add match '{word}': Invalid argument")),
            }
        }
        Ok(wish)
    }

    fn takes(&self, line: &LogLine) -> bool {
        !self.nothing
            && (self.units.is_empty() || self.units.iter().any(|unit| **unit == *line.unit))
            && (self.names.is_empty() || self.names.contains(&line.name))
            && self.pid.is_none_or(|pid| line.pid.0 == pid)
            && self.since.is_none_or(|since| line.at >= since)
            && self.until.is_none_or(|until| line.at <= until)
            && self
                .pattern
                .as_ref()
                .is_none_or(|pattern| pattern.is_match(&line.text))
    }

    fn shown(&self, line: &LogLine, hostname: &str) -> String {
        let stamp = match self.format {
            Format::Cat => return format!("{}\n", line.text),
            Format::Json => return format!("{}\n", json(line, hostname)),
            Format::Short => strftime("%b %d %H:%M:%S", line.at),
            Format::Precise => {
                format!(
                    "{}.{}",
                    strftime("%b %d %H:%M:%S", line.at),
                    micros(line.at)
                )
            }
            Format::Iso => strftime("%Y-%m-%dT%H:%M:%S+00:00", line.at),
            Format::IsoPrecise => {
                format!(
                    "{}.{}+00:00",
                    strftime("%Y-%m-%dT%H:%M:%S", line.at),
                    micros(line.at)
                )
            }
            Format::Full => crate::calendar::systemd(line.at),
            Format::Unix => format!("{}.{}", line.at.unix_secs(), micros(line.at)),
        };
        let host = if self.hostname {
            format!(" {hostname}")
        } else {
            String::new()
        };
        format!("{stamp}{host} {}[{}]: {}\n", line.name, line.pid, line.text)
    }
}

/// A line as `journalctl` and `systemctl status` show it.
pub(crate) fn short(line: &LogLine, hostname: &str) -> String {
    let stamp = strftime("%b %d %H:%M:%S", line.at);
    format!(
        "{stamp} {hostname} {}[{}]: {}\n",
        line.name, line.pid, line.text
    )
}

/// The full name of a unit: a service unless it says otherwise.
pub(crate) fn unit_name(name: &str) -> String {
    let ends = [
        ".service", ".socket", ".target", ".timer", ".mount", ".slice", ".scope",
    ];
    match ends.iter().any(|end| name.ends_with(end)) {
        true => name.to_owned(),
        false => format!("{name}.service"),
    }
}

fn micros(at: Instant) -> String {
    format!("{:06}", at.subsec_nanos() / 1000)
}

fn json(line: &LogLine, hostname: &str) -> String {
    let stamp = format!("{}{}", line.at.unix_secs(), micros(line.at));
    let value = object! {
        "MESSAGE": (&*line.text),
        "PRIORITY": "6",
        "SYSLOG_IDENTIFIER": (&*line.name),
        "_COMM": (&*line.name),
        "_HOSTNAME": hostname,
        "_PID": (line.pid.to_string()),
        "_SYSTEMD_UNIT": (&*line.unit),
        "__REALTIME_TIMESTAMP": stamp,
    };
    value.to_json()
}

/// A point of time as systemd reads it: `2026-01-05 09:00`, `09:00`, `-5min`, `1 hour ago`, `today`.
fn timestamp(text: &str, now: Instant) -> Option<Instant> {
    let text = text.trim().trim_end_matches(" UTC");
    let today = now.unix_secs().div_euclid(86_400) * 86_400;
    let secs = match text {
        "now" => return Some(now),
        "today" => today,
        "yesterday" => today - 86_400,
        "tomorrow" => today + 86_400,
        _ if text.starts_with('@') => text[1..].parse().ok()?,
        _ => {
            if let Some(back) = text.strip_prefix('-').or_else(|| text.strip_suffix(" ago")) {
                return Some(back_by(now, span(back)?));
            }
            if let Some(ahead) = text.strip_prefix('+') {
                return Some(now + span(ahead)?);
            }
            let (date, time) = match text.split_once([' ', 'T']) {
                Some((date, time)) => (Some(date), Some(time)),
                None if text.contains('-') => (Some(text), None),
                None => (None, Some(text)),
            };
            let day = match date {
                Some(date) => {
                    let mut parts = date.splitn(3, '-');
                    let year = parts.next()?.parse().ok()?;
                    let month = parts.next()?.parse().ok()?;
                    let day = parts.next()?.parse().ok()?;
                    days_from_civil(year, month, day) * 86_400
                }
                None => today,
            };
            day + time.map_or(Some(0), seconds_of_day)?
        }
    };
    let begin = Instant::ZERO.unix_secs();
    // Nothing happened before the world began.
    let since = u64::try_from(secs - begin).unwrap_or(0);
    Some(Instant::ZERO + Duration::from_secs(since))
}

fn back_by(now: Instant, span: Duration) -> Instant {
    Instant::ZERO + now.since(Instant::ZERO).saturating_sub(span)
}

/// `09:00` or `09:00:05`.
fn seconds_of_day(text: &str) -> Option<i64> {
    let text = text.trim_end_matches('Z').split('.').next()?;
    let mut parts = text.split(':').map(|part| part.parse::<i64>().ok());
    let (hours, minutes) = (parts.next()??, parts.next()??);
    let seconds = parts.next().unwrap_or(Some(0))?;
    Some(hours * 3600 + minutes * 60 + seconds)
}

/// `5min`, `1h 30m`, `2 hours`, `90`.
fn span(text: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let number: u64 = rest[..digits].parse().ok()?;
        rest = rest[digits..].trim_start();
        let letters = rest
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(rest.len());
        let unit = match &rest[..letters] {
            "" | "s" | "sec" | "second" | "seconds" => 1,
            "m" | "min" | "minute" | "minutes" => 60,
            "h" | "hr" | "hour" | "hours" => 3600,
            "d" | "day" | "days" => 86_400,
            "w" | "week" | "weeks" => 604_800,
            _ => return None,
        };
        total += Duration::from_secs(number.checked_mul(unit)?);
        rest = rest[letters..].trim_start();
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let now = Instant::ZERO + Duration::from_secs(3605);
        let said = timestamp(text, now).map(Instant::rfc3339);
        assert_eq!(said.as_deref().unwrap_or("none"), expected);
    }

    #[test]
    fn timestamps() {
        check("now", "2026-01-05T10:00:05Z");
        check("-5min", "2026-01-05T09:55:05Z");
        check("10 minutes ago", "2026-01-05T09:50:05Z");
        check("1h 30m ago", "2026-01-05T09:00:00Z");
        check("09:30", "2026-01-05T09:30:00Z");
        check("2026-01-05 09:10:11", "2026-01-05T09:10:11Z");
        check("today", "2026-01-05T09:00:00Z");
        check("whenever", "none");
    }

    #[test]
    fn the_count_of_lines_may_stand_alone() {
        let args: Vec<Rc<str>> = ["journalctl", "-fn", "5", "-n", "-u", "a", "--lines", "all"]
            .map(Rc::from)
            .into();
        assert_eq!(
            attach(&args).join(" "),
            "journalctl -fn5 -n -u a --lines=all"
        );
    }
}
