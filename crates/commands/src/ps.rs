//! `ps`. Models procps: the selections and formats people use. What a process takes is what
//! `usage` knows of its name.

use std::rc::Rc;

use machine::{Fd, Io};
use sim::Instant;

use crate::args::{self, Args, flag, value};
use crate::calendar::{ctime, strftime};
use crate::files::stat;
use crate::help::tool;
use crate::io::complain;
use crate::process::{self, Row, cpu_time, elapsed, tenths};

tool!(
    "ps",
    "Report a snapshot of the current processes",
    "ps [options]",
    main,
    [
        ("ps -o pid,comm -p 1", "    PID COMMAND\n      1 init\n"),
        ("sleep 9 & ps -C sleep -o args=", "sleep 9\n"),
        (
            "ps -o nope",
            "error: unknown user-defined format specifier \"nope\"\n\nUsage:\n ps [options]\n\n Try 'ps --help <simple|list|output|threads|misc|all>'\n  or 'ps --help <s|l|o|t|m|a>'\n for additional help text.\n\nFor more details see ps(1).\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('A', ""),
    flag('a', ""),
    flag('d', ""),
    flag('e', ""),
    flag('f', ""),
    flag('F', ""),
    flag('H', "forest"),
    flag('j', ""),
    flag('l', ""),
    flag('L', ""),
    flag('w', ""),
    flag('x', ""),
    value('C', ""),
    value('o', "format"),
    value('O', ""),
    value('p', "pid"),
    value('q', ""),
    value('t', "tty"),
    value('u', "user"),
    value('U', ""),
    flag('\u{1}', "no-headers"),
    value('\u{2}', "ppid"),
    value('\u{3}', "sort"),
];

/// A column: its name, its heading, whether it is aligned to the right, its least width.
type Column = (&'static str, &'static str, bool, usize);

const COLUMNS: &[Column] = &[
    ("pid", "PID", true, 7),
    ("ppid", "PPID", true, 7),
    ("pgid", "PGID", true, 7),
    ("pgrp", "PGRP", true, 7),
    ("sid", "SID", true, 7),
    ("user", "USER", false, 8),
    ("euser", "EUSER", false, 8),
    ("uname", "USER", false, 8),
    ("uid", "UID", true, 5),
    ("euid", "EUID", true, 5),
    ("comm", "COMMAND", false, 15),
    ("ucmd", "CMD", false, 15),
    ("args", "COMMAND", false, 27),
    ("cmd", "CMD", false, 27),
    ("command", "COMMAND", false, 27),
    ("tty", "TT", false, 8),
    ("tt", "TT", false, 8),
    ("tname", "TTY", false, 8),
    ("stat", "STAT", false, 4),
    ("state", "S", false, 1),
    ("s", "S", false, 1),
    ("time", "TIME", true, 8),
    ("cputime", "TIME", true, 8),
    ("etime", "ELAPSED", true, 11),
    ("etimes", "ELAPSED", true, 7),
    ("start", "STARTED", true, 8),
    ("stime", "STIME", false, 5),
    ("start_time", "START", false, 5),
    ("lstart", "STARTED", true, 24),
    ("pcpu", "%CPU", true, 4),
    ("%cpu", "%CPU", true, 4),
    ("pmem", "%MEM", true, 4),
    ("%mem", "%MEM", true, 4),
    ("rss", "RSS", true, 5),
    ("vsz", "VSZ", true, 6),
    ("nlwp", "NLWP", true, 4),
    ("ni", "NI", true, 3),
    ("pri", "PRI", true, 3),
    ("c", "C", true, 2),
    ("cgroup", "CGROUP", false, 27),
];

/// BusyBox lists everything there is, in a form of its own.
async fn busybox(io: &Io) -> i32 {
    let (rows, _) = process::all(io).await;
    let now = io.now().await;
    let mut text = String::from("PID   USER     TIME  COMMAND\n");
    for row in rows {
        let secs = row.usage.time(now.since(row.started)).as_secs();
        let time = format!("{}:{:02}", secs / 60, secs % 60);
        let (pid, user, command) = (row.pid, &row.user, row.command());
        text.push_str(&format!("{pid:>5} {user:<8} {time:>5} {command}\n"));
    }
    io.print(&text).await;
    0
}

async fn main(io: Io) -> i32 {
    let formatted = io.args().iter().any(|arg| arg.starts_with("-o"));
    if !formatted && stat(&io, "/bin/busybox").await.is_ok() {
        return busybox(&io).await;
    }
    // Letters without a dash are the options of BSD.
    let mut words = io.args().to_vec();
    let mut bsd = String::new();
    if let Some(first) = words.get(1).filter(|word| !word.starts_with('-')).cloned() {
        if first.chars().all(|c| c.is_ascii_alphabetic()) {
            bsd = first.to_string();
            words.remove(1);
        } else if first.chars().all(|c| c.is_ascii_digit() || c == ',') {
            words.insert(1, "-p".into());
        }
    }
    let args = match args::parse(FLAGS, &words) {
        Ok(args) => args,
        Err(_) => return misuse(&io, "unsupported SysV option").await,
    };
    let (columns, headings) = match columns(&args, &bsd) {
        Ok(columns) => columns,
        Err(message) => return misuse(&io, &message).await,
    };
    let (rows, own) = process::all(&io).await;
    let (look, terminal, width) = io
        .sys(move |sys| {
            let terminal = sys
                .host()
                .process(sys.pid())
                .and_then(|process| process.tty);
            let width = sys
                .tty_size(Fd::STDOUT)
                .map(|(columns, _)| usize::from(columns));
            let look = Look {
                own,
                now: sys.now(),
                memory: sys.host().spec.memory >> 10,
            };
            (look, terminal.map(|id| format!("pts/{}", id.0)), width.ok())
        })
        .await;
    let mut shown: Vec<Row> = select(rows, &args, &bsd, terminal.as_deref(), own);
    if let Some(key) = args.value('\u{3}') {
        let (reverse, key) = match key.strip_prefix('-') {
            Some(key) => (true, key),
            None => (false, key.trim_start_matches('+')),
        };
        match key {
            "start_time" | "etime" | "start" => shown.sort_by_key(|row| row.started),
            "comm" | "cmd" | "args" => shown.sort_by_key(Row::command),
            _ => shown.sort_by_key(|row| row.pid),
        }
        if reverse {
            shown.reverse();
        }
    }
    let limit = if args.has('w') || bsd.contains('w') {
        None
    } else {
        width
    };
    let headless = args.has('\u{1}');
    let text = table(&shown, &columns, &headings, headless, look, limit);
    io.print(&text).await;
    i32::from(shown.is_empty())
}

async fn misuse(io: &Io, message: &str) -> i32 {
    let help = "Usage:\n ps [options]\n\n Try 'ps --help <simple|list|output|threads|misc|all>'\n  or 'ps --help <s|l|o|t|m|a>'\n for additional help text.\n\nFor more details see ps(1).\n";
    if io.args().len() == 1 {
        complain(io, message).await;
    } else {
        io.eprint(&format!("error: {message}\n\n{help}")).await;
    }
    1
}

/// The columns asked for, with their headings.
fn columns(args: &Args, bsd: &str) -> Result<(Vec<&'static Column>, Vec<String>), String> {
    let mut names: Vec<(String, Option<String>)> = Vec::new();
    let given: Vec<&Rc<str>> = args.values('o').chain(args.values('O')).collect();
    let fixed = match () {
        () if !given.is_empty() => "",
        () if bsd.contains('u') => "user,pid,%cpu,%mem,vsz,rss,tname,stat,start_time,time,command",
        () if args.has('f') || args.has('F') => "user=UID,pid,ppid,c,stime,tname,time,cmd",
        () if bsd.contains('l') || args.has('l') => "s,uid,pid,ppid,c,pri,ni,tname,time,cmd",
        () if !bsd.is_empty() => "pid,tname,stat,time,command",
        () if args.has('j') => "pid,pgid,sid,tname,time,ucmd",
        () => "pid,tname,time,ucmd",
    };
    let all: Vec<String> = match given.is_empty() {
        true => vec![fixed.to_owned()],
        false => given.iter().map(ToString::to_string).collect(),
    };
    for text in all {
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let end = rest.find([',', ' ', '=']).unwrap_or(rest.len());
            let name = rest[..end].to_owned();
            rest = &rest[end..];
            if let Some(heading) = rest.strip_prefix('=') {
                // In `-o` a heading takes the rest; the built-in lists are ours.
                let end = if given.is_empty() {
                    heading.find(',').unwrap_or(heading.len())
                } else {
                    heading.len()
                };
                names.push((name, Some(heading[..end].to_owned())));
                rest = heading[end..].trim_start_matches(',');
            } else {
                rest = rest.trim_start_matches([',', ' ']);
                names.push((name, None));
            }
        }
    }
    let mut found = Vec::new();
    let mut headings = Vec::new();
    for (name, heading) in names {
        let Some(column) = COLUMNS
            .iter()
            .find(|(own, ..)| *own == name.to_ascii_lowercase())
        else {
            return Err(format!("unknown user-defined format specifier \"{name}\""));
        };
        headings.push(heading.unwrap_or_else(|| column.1.to_owned()));
        found.push(column);
    }
    Ok((found, headings))
}

fn select(rows: Vec<Row>, args: &Args, bsd: &str, terminal: Option<&str>, own: u32) -> Vec<Row> {
    let everything = args.has('e') || args.has('A') || (bsd.contains('a') && bsd.contains('x'));
    let lists = |letter: char| args.values(letter).flat_map(|text| text.split([',', ' ']));
    let by_list = "pqCuUt\u{2}".chars().any(|letter| args.has(letter));
    let user = rows
        .iter()
        .find(|row| row.pid == own)
        .map_or(0, |row| row.uid);
    rows.into_iter()
        .filter(|row| {
            if everything {
                return true;
            }
            if by_list {
                return lists('p')
                    .chain(lists('q'))
                    .any(|pid| pid == row.pid.to_string())
                    || lists('C').any(|name| name == row.name())
                    || lists('\u{2}').any(|pid| pid == row.ppid.to_string())
                    || lists('t').any(|tty| tty == &*row.tty)
                    || lists('u')
                        .chain(lists('U'))
                        .any(|u| u == &*row.user || u == row.uid.to_string());
            }
            if bsd.contains('x') {
                return row.uid == user;
            }
            if args.has('a') || bsd.contains('a') {
                return &*row.tty != "?" && (row.pgrp != row.pid || !bsd.is_empty());
            }
            terminal.is_some_and(|terminal| terminal == &*row.tty)
                || (terminal.is_none() && row.pid == own)
        })
        .collect()
}

fn table(
    rows: &[Row],
    columns: &[&'static Column],
    headings: &[String],
    bare: bool,
    look: Look,
    limit: Option<usize>,
) -> String {
    let mut lines: Vec<Vec<String>> = Vec::new();
    if !bare && headings.iter().any(|heading| !heading.is_empty()) {
        lines.push(headings.to_vec());
    }
    lines.extend(rows.iter().map(|row| {
        columns
            .iter()
            .map(|column| cell(row, column.0, look))
            .collect::<Vec<String>>()
    }));
    let mut out = String::new();
    for line in lines {
        let mut text = String::new();
        for (at, (cell, (_, _, right, width))) in line.iter().zip(columns).enumerate() {
            let last = at + 1 == columns.len();
            let width = if headings[at].is_empty() && columns.len() == 1 {
                0
            } else {
                (*width).max(headings[at].len())
            };
            if at > 0 {
                text.push(' ');
            }
            match (right, last) {
                (true, _) => text.push_str(&format!("{cell:>width$}")),
                (false, true) => text.push_str(cell),
                (false, false) => {
                    let cut: String = cell.chars().take(width.max(8)).collect();
                    text.push_str(&format!("{cut:<width$}"));
                }
            }
        }
        let cut: String = match limit {
            Some(limit) => text.chars().take(limit).collect(),
            None => text,
        };
        out.push_str(cut.trim_end());
        out.push('\n');
    }
    out
}

/// Who looks, when, and at how much memory (KiB).
#[derive(Clone, Copy, Debug)]
struct Look {
    own: u32,
    now: Instant,
    memory: u64,
}

fn cell(row: &Row, name: &str, look: Look) -> String {
    let Look { own, now, memory } = look;
    let age = now.since(row.started).as_secs();
    match name {
        "pid" => row.pid.to_string(),
        "ppid" => row.ppid.to_string(),
        "pgid" | "pgrp" | "sid" => row.pgrp.to_string(),
        "user" | "euser" | "uname" => row.user.to_string(),
        "uid" | "euid" => row.uid.to_string(),
        "comm" | "ucmd" => row.comm(),
        "args" | "cmd" | "command" => row.command(),
        "tty" | "tt" | "tname" => row.tty.to_string(),
        "stat" => row.state(row.pid == own),
        "state" | "s" => row.state(row.pid == own).chars().take(1).collect(),
        "time" | "cputime" => cpu_time(row.usage.time(now.since(row.started))),
        "etime" => elapsed(age),
        "etimes" => age.to_string(),
        "start" => strftime("%H:%M:%S", row.started),
        "stime" | "start_time" => row.start(now),
        "lstart" => ctime(row.started),
        "pcpu" | "%cpu" => tenths(row.usage.permille()),
        "pmem" | "%mem" => tenths(row.usage.resident * 1000 / memory.max(1)),
        "rss" => row.usage.resident.to_string(),
        "vsz" => row.usage.size.to_string(),
        "nlwp" => row.usage.threads.to_string(),
        "pri" => "19".to_owned(),
        "cgroup" => format!("0::{}", row.cgroup),
        _ => "0".to_owned(),
    }
}
