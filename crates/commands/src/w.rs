//! `w`: who is logged in and what they do. Models procps w.c; nobody here is ever idle.

use machine::Io;

use crate::args::{self, flag};
use crate::calendar::strftime;
use crate::facts;
use crate::help::tool;
use crate::io::usage_error;
use crate::who;

tool!(
    "w",
    "Show who is logged on and what they are doing",
    "w [-hs]",
    main,
    [("w -h", "")]
);

const FLAGS: &[args::Flag] = &[
    flag('h', "no-header"),
    flag('s', "short"),
    flag('f', "from"),
    flag('i', "ip-addr"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let facts = facts::facts(&io).await;
    let mut text = String::new();
    if !args.has('h') {
        text = format!(" {}\n", facts::uptime_line(&facts));
        text.push_str(match args.has('s') {
            true => "USER     TTY      FROM              IDLE WHAT\n",
            false => "USER     TTY      FROM             LOGIN@   IDLE   JCPU   PCPU WHAT\n",
        });
    }
    for login in who::logins(&io).await {
        let (user, tty, what) = (&login.user, &login.tty, &login.command);
        let since = strftime("%H:%M", login.since);
        text.push_str(&match args.has('s') {
            true => format!("{user:<8} {tty:<8} {:<16} {:>5} {what}\n", "-", "0.00s"),
            false => format!(
                "{user:<8} {tty:<8} {:<16} {since:<7} {:>5}  {:>5}  {:>5} {what}\n",
                "-", "0.00s", "0.00s", "0.00s"
            ),
        });
    }
    io.print(&text).await;
    0
}
