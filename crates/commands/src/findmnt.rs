//! `findmnt`: what is mounted. Models util-linux misc-utils/findmnt.c, as a list.

use machine::Io;

use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{complain, usage_error};

tool!(
    "findmnt",
    "Find a file system",
    "findmnt [-ln] [-t TYPE] [DIRECTORY]",
    main,
    [("findmnt /nope; echo $?", "1\n")]
);

const FLAGS: &[args::Flag] = &[
    flag('l', "list"),
    flag('n', "noheadings"),
    flag('r', "raw"),
    value('o', "output"),
    value('t', "types"),
    value('T', "target"),
];

const TITLES: [&str; 4] = ["TARGET", "SOURCE", "FSTYPE", "OPTIONS"];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let mut columns: Vec<usize> = Vec::new();
    for name in args
        .value('o')
        .map_or("target,source,fstype,options", |names| names)
        .split(',')
    {
        let title = name.to_uppercase();
        match TITLES.iter().position(|own| *own == title) {
            Some(at) => columns.push(at),
            None => {
                complain(&io, &format!("unknown column: {name}")).await;
                return 1;
            }
        }
    }
    let text = io.read_to_string("/proc/mounts").await.unwrap_or_default();
    let wanted = args.operands.first();
    let mut rows: Vec<[&str; 4]> = Vec::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let [source, target, kind, options, ..] = fields[..] else {
            continue;
        };
        let other_kind = args
            .value('t')
            .is_some_and(|kinds| !kinds.split(',').any(|own| own == kind));
        if other_kind || wanted.is_some_and(|path| &**path != target && &**path != source) {
            continue;
        }
        rows.push([target, source, kind, options]);
    }
    if rows.is_empty() {
        return 1;
    }
    let all: Vec<[&str; 4]> = match args.has('n') {
        true => rows,
        false => std::iter::once(TITLES).chain(rows).collect(),
    };
    let width = |at: usize| all.iter().map(|row| row[at].len()).max().unwrap_or(0);
    let mut out = String::new();
    for row in &all {
        let cells: Vec<String> = columns
            .iter()
            .map(|at| format!("{:<1$}", row[*at], width(*at)))
            .collect();
        out.push_str(cells.join(" ").trim_end());
        out.push('\n');
    }
    io.print(&out).await;
    0
}
