//! `last`: when the machine was on. Models util-linux 2.39's login-utils/last.c.
//!
//! Logins of users are not kept: only boots and shutdowns are listed.

use machine::{Boot, Io};
use sim::{Duration, Instant};

use crate::args::{self, flag, value};
use crate::calendar::strftime;
use crate::help::tool;
use crate::io::usage_error;

tool!(
    "last",
    "Show a listing of last logged in users",
    "last [options] [<username>...] [<tty>...]",
    main,
    [(
        "last reboot",
        "reboot   system boot  6.8.0-111-generi Mon Jan  5 09:00   still running\n\n\
         wtmp begins Mon Jan  5 09:00:00 2026\n"
    )]
);

const FLAGS: &[args::Flag] = &[
    flag('x', "system"),
    flag('F', "fulltimes"),
    flag('w', "fullnames"),
    flag('a', "hostlast"),
    flag('R', "nohostname"),
    value('n', "limit"),
];

/// The kernel, as it fits into its column.
const KERNEL: &str = "6.8.0-111-generi";

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let boots = io.sys(|sys| sys.host().boots.clone()).await;
    let names: Vec<&str> = args.operands.iter().map(|name| &**name).collect();
    let mut lines = Vec::new();
    // The newest first; a time ends where the machine went down, or came up again.
    let mut down: Option<Instant> = None;
    for Boot {
        from,
        until,
        is_clean,
        ..
    } in boots.iter().rev()
    {
        let was_told = until.filter(|_| *is_clean);
        if let (Some(until), Some(down)) = (was_told, down)
            && (args.has('x') || names.contains(&"shutdown"))
        {
            lines.push(("shutdown", "system down", until, Some(down)));
        } else if let (Some(until), true) = (was_told, args.has('x')) {
            lines.push(("shutdown", "system down", until, None));
        }
        let end = was_told.or(down);
        lines.push(("reboot", "system boot", *from, end));
        down = Some(*from);
    }
    let limit = args.value('n').and_then(|text| text.parse().ok());
    let mut text: String = lines
        .iter()
        .filter(|(name, ..)| names.is_empty() || names.contains(name))
        .take(limit.unwrap_or(usize::MAX))
        .map(|(name, what, from, until)| line(name, what, *from, *until))
        .collect();
    if let Some(first) = boots.first() {
        let since = strftime("%a %b %e %H:%M:%S %Y", first.from);
        text.push_str(&format!("\nwtmp begins {since}\n"));
    }
    io.print(&text).await;
    0
}

fn line(name: &str, what: &str, from: Instant, until: Option<Instant>) -> String {
    let begin = strftime("%a %b %e %H:%M", from);
    let end = match until {
        None => "  still running".to_owned(),
        Some(until) => {
            let time = strftime("%H:%M", until);
            format!("- {time}  ({})", length(until.since(from)))
        }
    };
    format!("{name:8} {what:12} {KERNEL:16} {begin} {end}\n")
}

/// `00:09`, or `1+02:30` with days.
fn length(span: Duration) -> String {
    let minutes = span.as_secs() / 60;
    let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    match days {
        0 => format!("{hours:02}:{minutes:02}"),
        days => format!("{days}+{hours:02}:{minutes:02}"),
    }
}
