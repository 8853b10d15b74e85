//! `free`. Models procps; what is used is a rough measure by processes.

use machine::Io;

use crate::args::{self, flag};
use crate::facts;
use crate::help::tool;
use crate::io::usage_error;

tool!(
    "free",
    "Display memory in use",
    "free [-b|-k|-m|-g|-h]",
    main,
    [
        ("free -m | awk 'NR==2 {print $1, $2}'", "Mem: 8192\n"),
        (
            "free -h | awk 'NR==3'",
            "Swap:             0B          0B          0B\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('b', "bytes"),
    flag('k', "kibi"),
    flag('m', "mebi"),
    flag('g', "gibi"),
    flag('h', "human"),
    flag('t', "total"),
    flag('w', "wide"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let facts = facts::facts(&io).await;
    let unit = args.last_of("bkmgh").unwrap_or('k');
    let shown = |bytes: u64| match unit {
        'b' => bytes.to_string(),
        'm' => (bytes >> 20).to_string(),
        'g' => (bytes >> 30).to_string(),
        'h' if bytes == 0 => "0B".to_owned(),
        'h' => human(bytes),
        _ => (bytes >> 10).to_string(),
    };
    let free = facts.memory - facts.used;
    let row = |name: &str, cells: &[u64]| {
        let cells: Vec<String> = cells
            .iter()
            .map(|bytes| format!("{:>11}", shown(*bytes)))
            .collect();
        format!("{name:<9}{}\n", cells.join(" "))
    };
    let mut out =
        "               total        used        free      shared  buff/cache   available\n"
            .to_owned();
    out.push_str(&row("Mem:", &[facts.memory, facts.used, free, 0, 0, free]));
    out.push_str(&row("Swap:", &[0, 0, 0]));
    if args.has('t') {
        out.push_str(&row("Total:", &[facts.memory, facts.used, free]));
    }
    io.print(&out).await;
    0
}

/// `7.8Gi`
fn human(bytes: u64) -> String {
    let mut value = bytes * 10;
    for unit in ["B", "Ki", "Mi", "Gi", "Ti"] {
        if value < 10_240 {
            return if value < 100 && unit != "B" {
                format!("{}.{}{unit}", value / 10, value % 10)
            } else {
                format!("{}{unit}", value / 10)
            };
        }
        value /= 1024;
    }
    format!("{}Pi", value / 10)
}
