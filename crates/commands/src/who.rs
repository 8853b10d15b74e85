//! `who`: who is logged in. Models coreutils src/who.c; a login is a terminal somebody's shell has.

use machine::Io;
use sim::Instant;

use crate::args::{self, flag};
use crate::calendar::strftime;
use crate::help::tool;
use crate::io::usage_error;
use crate::process::{self, Row};

tool!(
    "who",
    "Show who is logged on",
    "who [OPTION]...",
    main,
    [
        ("who -b", "         system boot  2026-01-05 09:00\n"),
        ("who -q", "\n# users=0\n"),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('a', "all"),
    flag('b', "boot"),
    flag('H', "heading"),
    flag('q', "count"),
    flag('r', "runlevel"),
    flag('m', ""),
    flag('u', "users"),
    flag('s', "short"),
];

/// A terminal in use: its user, its name, the process in front, and since when.
pub(crate) struct Login {
    /// The user.
    pub(crate) user: String,
    /// `pts/0`.
    pub(crate) tty: String,
    /// When the first process of it began.
    pub(crate) since: Instant,
    /// What runs there.
    pub(crate) command: String,
}

/// Terminals in use.
pub(crate) async fn logins(io: &Io) -> Vec<Login> {
    let (rows, _) = process::all(io).await;
    let mut logins: Vec<Login> = Vec::new();
    let on_terminals = rows.iter().filter(|row: &&Row| &*row.tty != "?");
    for row in on_terminals {
        match logins.iter_mut().find(|login| login.tty == *row.tty) {
            Some(login) => {
                if row.foreground {
                    login.command = row.command();
                }
            }
            None => logins.push(Login {
                user: row.user.to_string(),
                tty: row.tty.to_string(),
                since: row.started,
                command: row.command(),
            }),
        }
    }
    logins
}

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let logins = logins(&io).await;
    if args.has('q') {
        let names: Vec<&str> = logins.iter().map(|login| &*login.user).collect();
        let (names, count) = (names.join(" "), logins.len());
        io.print(&format!("{names}\n# users={count}\n")).await;
        return 0;
    }
    let mut text = String::new();
    if args.has('H') {
        text.push_str("NAME     LINE         TIME             COMMENT\n");
    }
    let booted = io.sys(|sys| sys.host().booted).await;
    let stamp = |at| strftime("%Y-%m-%d %H:%M", at);
    if args.has('a') || args.has('b') {
        text.push_str(&format!("         system boot  {}\n", stamp(booted)));
    }
    if args.has('a') || args.has('r') {
        text.push_str(&format!("         run-level 5  {}\n", stamp(booted)));
    }
    if args.has('a') || !(args.has('b') || args.has('r')) {
        for login in &logins {
            let (user, tty, since) = (&login.user, &login.tty, stamp(login.since));
            text.push_str(&format!("{user:<8} {tty:<12} {since}\n"));
        }
    }
    io.print(&text).await;
    0
}
