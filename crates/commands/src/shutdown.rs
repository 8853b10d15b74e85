//! `shutdown`: halts or restarts the machine. Models systemd 255's systemctl-compat-shutdown.c.
//!
//! A shutdown at a later time is not modelled.

use machine::Io;

use crate::args::{self, flag};
use crate::help::tool;

tool!(
    "shutdown",
    "Shut down the machine",
    "shutdown [OPTIONS...] [TIME] [WALL...]",
    main,
    [(
        "shutdown tomorrow",
        "Failed to parse time specification: tomorrow\n"
    )]
);

const FLAGS: &[args::Flag] = &[
    flag('h', "halt-or-poweroff"),
    flag('H', "halt"),
    flag('P', "poweroff"),
    flag('r', "reboot"),
    flag('k', "warn-only"),
    flag('c', "cancel"),
    flag('\u{1}', "no-wall"),
    flag('\u{2}', "show"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => {
            crate::io::complain(&io, &message).await;
            return 1;
        }
    };
    if args.has('c') {
        return 0;
    }
    let when = args.operands.first().map_or("+1", |when| when);
    let is_time = |text: &str| {
        let (hours, minutes) = text.split_once(':').unwrap_or((text, "0"));
        hours.parse::<u32>().is_ok() && minutes.parse::<u32>().is_ok()
    };
    match when {
        "now" | "+0" | "0" if args.has('k') => 0,
        "now" | "+0" | "0" => {
            let reboot = args.has('r');
            io.sys(move |sys| sys.shut_down(reboot)).await;
            0
        }
        later if is_time(later.trim_start_matches('+')) => {
            let what = sim::unmodelled!("a shutdown at a later time");
            io.eprint(&format!("{what}; use 'now'\n")).await;
            1
        }
        other => {
            io.eprint(&format!("Failed to parse time specification: {other}\n"))
                .await;
            1
        }
    }
}
