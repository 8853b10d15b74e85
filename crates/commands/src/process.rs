//! Processes as tools list them.

use std::rc::Rc;

use machine::{Io, Sys};
use sim::Instant;

use crate::files::user_name;

/// A process with what `ps` can tell of it.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) pid: u32,
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
}

impl Row {
    /// The name without its directory.
    pub(crate) fn name(&self) -> &str {
        let first = self.args.first().map_or("", |arg| arg);
        first.rsplit('/').next().unwrap_or(first)
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
        shell::date::format(format, self.started.unix_secs(), 0)
    }
}

/// Every process this one can see, by id, and this one's id.
pub(crate) async fn all(io: &Io) -> (Vec<Row>, u32) {
    io.sys(|sys| {
        let rows = sys
            .processes()
            .into_iter()
            .map(|info| row(sys, &info))
            .collect();
        (rows, sys.pid().0)
    })
    .await
}

fn row(sys: &Sys<'_>, info: &machine::ProcessInfo) -> Row {
    let pgrp = sys
        .host()
        .process(info.pid)
        .map_or(info.pid, |process| process.pgrp);
    let tty = info
        .tty
        .and_then(|id| sys.host().tty(id).map(|tty| (id, tty)));
    Row {
        pid: info.pid.0,
        ppid: info.ppid.0,
        pgrp: pgrp.0,
        uid: info.uid,
        user: user_name(sys, info.uid).into(),
        tty: tty
            .as_ref()
            .map_or_else(|| "?".into(), |(id, _)| format!("pts/{}", id.0).into()),
        started: info.started,
        stopped: info.stopped,
        foreground: tty.is_some_and(|(_, tty)| tty.foreground == Some(pgrp)),
        args: info.args.clone(),
        cgroup: info.cgroup.clone(),
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
