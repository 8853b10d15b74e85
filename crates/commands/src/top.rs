//! `top -b`. Models procps: a picture of the machine once or at intervals. What a process takes is
//! what `usage` knows of its name; the load is that of an idle machine.

use machine::Io;
use sim::Duration;

use crate::args::{self, flag, value};
use crate::facts;
use crate::help::tool;
use crate::io::{complain, usage_error};
use crate::process::{self, tenths};
use crate::sleep::{Span, interval};

tool!(
    "top",
    "Display processes",
    "top -b [-n iterations] [-d delay]",
    main,
    [("top -bn1 | head -1 | cut -d' ' -f1-2", "top -\n"),]
);

const FLAGS: &[args::Flag] = &[
    flag('b', "batch-mode"),
    value('n', "iterations"),
    value('d', "delay"),
    value('p', "pid"),
    value('o', "sort-override"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    if !args.has('b') {
        complain(
            &io,
            "not modelled: the interactive display; use top -b -n 1",
        )
        .await;
        return 1;
    }
    let rounds: usize = args
        .value('n')
        .and_then(|text| text.parse().ok())
        .unwrap_or(usize::MAX);
    let delay = match args.value('d').and_then(|text| interval(text)) {
        Some(Span::Finite(span)) if !span.is_zero() => span,
        _ => Duration::from_secs(3),
    };
    for round in 0..rounds {
        if round > 0 {
            io.sleep(delay).await;
            io.print("\n").await;
        }
        io.print(&picture(&io).await).await;
    }
    0
}

async fn picture(io: &Io) -> String {
    let (rows, own) = process::all(io).await;
    let facts = facts::facts(io).await;
    let stopped = rows.iter().filter(|row| row.stopped).count();
    let sleeping = rows.len() - stopped - 1;
    let mib = |bytes: u64| format!("{}.{}", bytes >> 20, ((bytes >> 10) & 1023) * 10 / 1024);
    let free = facts.memory - facts.used;
    let mut out = format!(
        "top - {}\nTasks: {:3} total,   1 running, {sleeping:3} sleeping, {stopped:3} stopped,   0 zombie\n%Cpu(s):  0.0 us,  0.0 sy,  0.0 ni,100.0 id,  0.0 wa,  0.0 hi,  0.0 si,  0.0 st \nMiB Mem : {:>8} total, {:>8} free, {:>8} used, {:>8} buff/cache     \nMiB Swap:      0.0 total,      0.0 free,      0.0 used. {:>8} avail Mem \n\n    PID USER      PR  NI    VIRT    RES    SHR S  %CPU  %MEM     TIME+ COMMAND\n",
        facts::uptime_line(&facts),
        rows.len(),
        mib(facts.memory),
        mib(free),
        mib(facts.used),
        "0.0",
        mib(free),
    );
    for row in rows {
        let state = row.state(row.pid == own);
        let user: String = row.user.chars().take(8).collect();
        out.push_str(&format!(
            "{:7} {user:<8}  20   0 {:7} {:6}      0 {} {:>5} {:>5} {:>9} {}\n",
            row.pid,
            row.usage.size,
            row.usage.resident,
            &state[..1],
            tenths(row.usage.permille()),
            tenths(row.usage.resident * 1000 / (facts.memory >> 10).max(1)),
            clock(row.usage.time(facts.now.since(row.started))),
            row.name()
        ));
    }
    out
}

/// `1:02.03`: minutes, seconds and hundredths.
fn clock(time: Duration) -> String {
    let (secs, hundredths) = (time.as_secs(), time.subsec_millis() / 10);
    format!("{}:{:02}.{hundredths:02}", secs / 60, secs % 60)
}
