//! Processes as tools list them.

use std::rc::Rc;

use machine::{Io, Process, Sys};
use sim::{Duration, Instant, Pid};

use crate::calendar::strftime;
use crate::files::user_name;
use crate::usage::{self, Usage};

/// A process with what tools can tell of it; ids are those of the namespace that looks.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) pid: u32,
    /// Its parent's; 0 if that is outside.
    pub(crate) ppid: u32,
    pub(crate) pgrp: u32,
    pub(crate) uid: u32,
    pub(crate) user: Rc<str>,
    /// `pts/3`, or `?`.
    pub(crate) tty: Rc<str>,
    pub(crate) started: Instant,
    pub(crate) stopped: bool,
    pub(crate) foreground: bool,
    pub(crate) args: Rc<[Rc<str>]>,
    pub(crate) cgroup: Rc<str>,
    pub(crate) usage: Usage,
}

impl Row {
    /// The name without its directory.
    pub(crate) fn name(&self) -> &str {
        let first = self.args.first().map_or("", |arg| arg);
        first.rsplit('/').next().unwrap_or(first)
    }

    /// The name as the kernel keeps it: 15 letters.
    pub(crate) fn comm(&self) -> String {
        self.name().chars().take(15).collect()
    }

    /// The whole command line.
    pub(crate) fn command(&self) -> String {
        self.args.join(" ")
    }

    /// `R`, `S` or `T`, with `s` for a session's first process and `+` in the foreground.
    pub(crate) fn state(&self, own: bool) -> String {
        let letter = match (self.stopped, own) {
            (true, _) => 'T',
            (false, true) => 'R',
            (false, false) => 'S',
        };
        let leader = if self.pgrp == self.pid { "s" } else { "" };
        let front = if self.foreground { "+" } else { "" };
        format!("{letter}{leader}{front}")
    }

    /// When it began, as `ps` writes it: the time today, else the day.
    pub(crate) fn start(&self, now: Instant) -> String {
        let format = if now.unix_secs() - self.started.unix_secs() < 86_400 {
            "%H:%M"
        } else {
            "%b%d"
        };
        strftime(format, self.started)
    }
}

/// Every process this one can see, by id, and this one's id.
pub(crate) async fn all(io: &Io) -> (Vec<Row>, u32) {
    io.sys(|sys| {
        let seen: Vec<Pid> = sys.processes().into_iter().map(|info| info.pid).collect();
        let processes = seen.iter().filter_map(|pid| sys.host().process(*pid));
        let rows = processes.map(|process| row(sys, process, &seen)).collect();
        (rows, sys.local_pid(sys.pid()))
    })
    .await
}

fn row(sys: &Sys<'_>, process: &Process, seen: &[Pid]) -> Row {
    let tty = process.tty.and_then(|id| sys.host().tty(id));
    let local = |pid: Pid| match seen.binary_search(&pid) {
        Ok(_) => sys.local_pid(pid),
        Err(_) => 0,
    };
    Row {
        pid: local(process.pid),
        ppid: local(process.ppid),
        pgrp: local(process.pgrp),
        uid: process.uid,
        user: user_name(sys, process.uid).into(),
        tty: process
            .tty
            .map_or_else(|| "?".into(), |id| format!("pts/{}", id.0).into()),
        started: process.started,
        stopped: process.stopped,
        foreground: tty.is_some_and(|tty| tty.foreground == Some(process.pgrp)),
        args: process.args.clone(),
        cgroup: process.cgroup.clone(),
        usage: usage::of(process.name()),
    }
}

/// Seconds as `ps` writes elapsed time: `[[dd-]hh:]mm:ss`.
pub(crate) fn elapsed(secs: u64) -> String {
    let (days, hours, minutes, secs) = (secs / 86_400, secs / 3600 % 24, secs / 60 % 60, secs % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes:02}:{secs:02}"),
        (0, _) => format!("{hours:02}:{minutes:02}:{secs:02}"),
        _ => format!("{days}-{hours:02}:{minutes:02}:{secs:02}"),
    }
}

/// Processor time as `ps` writes it: `[dd-]hh:mm:ss`.
pub(crate) fn cpu_time(time: Duration) -> String {
    let secs = time.as_secs();
    let (days, hours, minutes, secs) = (secs / 86_400, secs / 3600 % 24, secs / 60 % 60, secs % 60);
    match days {
        0 => format!("{hours:02}:{minutes:02}:{secs:02}"),
        _ => format!("{days}-{hours:02}:{minutes:02}:{secs:02}"),
    }
}

/// Tenths of a percent as percent: `1.3`.
pub(crate) fn tenths(permille: u64) -> String {
    format!("{}.{}", permille / 10, permille % 10)
}
