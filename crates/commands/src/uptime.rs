//! `uptime`. Models procps; the load is that of an idle machine.

use machine::Io;

use crate::args::{self, flag};
use crate::facts;
use crate::help::tool;
use crate::io::usage_error;

tool!(
    "uptime",
    "Tell how long the system has been running",
    "uptime [-p|-s]",
    main,
    [
        ("uptime -s", "2026-01-05 09:00:00\n"),
        ("uptime -p", "up 0 minutes\n"),
    ]
);

const FLAGS: &[args::Flag] = &[flag('p', "pretty"), flag('s', "since")];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let facts = facts::facts(&io).await;
    let text = match () {
        () if args.has('s') => shell::date::format(
            "%F %T",
            facts.now.unix_secs() - i64::try_from(facts.up).unwrap_or(0),
            0,
        ),
        () if args.has('p') => pretty(facts.up),
        () => format!(" {}", facts::uptime_line(&facts)),
    };
    io.print(&format!("{text}\n")).await;
    0
}

fn pretty(secs: u64) -> String {
    let parts = [
        (secs / 86_400, "day"),
        (secs / 3600 % 24, "hour"),
        (secs / 60 % 60, "minute"),
    ];
    let shown: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count} {unit}{}", if *count == 1 { "" } else { "s" }))
        .collect();
    if shown.is_empty() {
        "up 0 minutes".to_owned()
    } else {
        format!("up {}", shown.join(", "))
    }
}
