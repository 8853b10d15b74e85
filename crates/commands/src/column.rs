//! `column -t`. Models util-linux text-utils/column.c for tables.

use machine::Io;

use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{complain, inputs, slurp_text, usage_error};
use shell::width::{columns, text_width};

tool!(
    "column",
    "Columnate lists",
    "column [OPTION]... [FILE]...",
    main,
    [
        (
            "printf 'a bb c\\naaa b c\\n' | column -t",
            "a    bb  c\naaa  b   c\n"
        ),
        (
            "printf 'a:b\\nccc:d\\n' | column -t -s: -o' | '",
            "a   | b\nccc | d\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('t', "table"),
    value('s', "separator"),
    value('o', "output-separator"),
    value('c', "output-width"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let mut text = String::new();
    for path in inputs(&args) {
        match slurp_text(&io, &path).await {
            Ok(more) => text.push_str(&more),
            Err(errno) => {
                complain(&io, &format!("cannot open {path}: {}", errno.message())).await;
                return 1;
            }
        }
    }
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    if !args.has('t') {
        let names: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        io.print(&columns(&names, 80)).await;
        return 0;
    }
    let separators: Vec<char> = args
        .value('s')
        .map_or(vec![], |text| text.chars().collect());
    let rows: Vec<Vec<&str>> = lines
        .iter()
        .map(|line| match separators.is_empty() {
            true => line.split_whitespace().collect(),
            false => line.split(&separators[..]).collect(),
        })
        .collect();
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |at: usize| {
        rows.iter()
            .filter_map(|row| row.get(at))
            .map(|cell| text_width(cell))
            .max()
    };
    let widths: Vec<usize> = (0..count).map(|at| width(at).unwrap_or(0)).collect();
    let gap = args.value('o').map_or("  ", |text| text);
    let mut out = String::new();
    for row in &rows {
        for (at, cell) in row.iter().enumerate() {
            out.push_str(cell);
            if at + 1 < row.len() {
                out.push_str(&" ".repeat(widths[at] - text_width(cell)));
                out.push_str(gap);
            }
        }
        out.push('\n');
    }
    io.print(&out).await;
    0
}
