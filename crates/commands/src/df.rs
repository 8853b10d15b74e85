//! `df`. Models coreutils src/df.c; each machine has one disk.

use machine::Io;

use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{human, usage_error};

tool!(
    "df",
    "Report file system space usage",
    "df [OPTION]... [FILE]...",
    main,
    [
        (
            "df -h / | awk '{print $1, $6}'",
            "Filesystem Mounted\n/dev/vda1 /\n"
        ),
        ("df --output=target /", "Mounted on\n/\n"),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('a', "all"),
    flag('h', "human-readable"),
    flag('i', "inodes"),
    flag('k', ""),
    flag('m', ""),
    flag('P', "portability"),
    flag('T', "print-type"),
    value('t', "type"),
    value('\u{1}', "output"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let (disk, used) = io
        .sys(|sys| (sys.host().spec.disk, measure(sys, "/", 0)))
        .await;
    // The system itself takes a part that is no file here.
    let used = (used + (3 << 30)).min(disk);
    let free = disk - used;
    let shown = |bytes: u64| match () {
        () if args.has('h') => human(bytes),
        () if args.has('m') => (bytes >> 20).to_string(),
        () => (bytes >> 10).to_string(),
    };
    let percent = format!("{}%", (used * 100).div_ceil(disk.max(1)));
    let size = if args.has('h') {
        "Size"
    } else if args.has('m') {
        "1M-blocks"
    } else {
        "1K-blocks"
    };
    let avail = if args.has('h') { "Avail" } else { "Available" };
    let mut columns: Vec<(&str, String, String, bool)> = vec![
        ("source", "Filesystem".into(), "/dev/vda1".into(), false),
        ("fstype", "Type".into(), "ext4".into(), false),
        ("size", size.into(), shown(disk), true),
        ("used", "Used".into(), shown(used), true),
        ("avail", avail.into(), shown(free), true),
        ("pcent", "Use%".into(), percent, true),
        ("target", "Mounted on".into(), "/".into(), false),
    ];
    match args.value('\u{1}') {
        Some(wanted) => columns.retain(|(name, ..)| wanted.split(',').any(|own| own == *name)),
        None if !args.has('T') => columns.retain(|(name, ..)| *name != "fstype"),
        None => {}
    }
    let mut out = String::new();
    for row in 0..2 {
        let cells: Vec<String> = columns
            .iter()
            .enumerate()
            .map(|(at, (_, heading, value, right))| {
                let cell = if row == 0 { heading } else { value };
                let width = heading.len().max(value.len());
                match (right, at + 1 == columns.len()) {
                    (true, _) => format!("{cell:>width$}"),
                    (false, true) => cell.clone(),
                    (false, false) => format!("{cell:<width$}"),
                }
            })
            .collect();
        out.push_str(&format!("{}\n", cells.join(" ")));
    }
    io.print(&out).await;
    0
}

/// Bytes of all files below a directory.
fn measure(sys: &mut machine::Sys<'_>, path: &str, depth: u32) -> u64 {
    if depth > 40 {
        return 0;
    }
    let entries = sys.read_dir(path).unwrap_or_default();
    entries
        .into_iter()
        .map(|entry| match entry.stat.is_dir() {
            true => 4096 + measure(sys, &crate::io::join(path, &entry.name), depth + 1),
            false => entry.stat.size.div_ceil(4096) * 4096,
        })
        .sum()
}
