//! `unexpand`: blanks become tabs. Models coreutils src/unexpand.c; stops are a fixed distance apart.

use machine::Io;

use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{complain, inputs, slurp_text, usage_error};

tool!(
    "unexpand",
    "Convert spaces to tabs",
    "unexpand [OPTION]... [FILE]...",
    main,
    [
        (
            "echo '        a  b' | unexpand | od -c | head -1",
            "0000000  \\t   a           b  \\n\n"
        ),
        (
            "echo '    a   b' | unexpand -t 4 | od -c | head -1",
            "0000000  \\t   a  \\t   b  \\n\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('a', "all"),
    flag('\u{1}', "first-only"),
    value('t', "tabs"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let told = args.value('t').map_or("8", |width| width);
    let Some(width) = told.parse().ok().filter(|width| *width > 0usize) else {
        let why = format!("tab size contains invalid character(s): ‘{told}’");
        complain(&io, &why).await;
        return 1;
    };
    let all = (args.has('a') || args.has('t')) && !args.has('\u{1}');
    let mut status = 0;
    for path in inputs(&args) {
        match slurp_text(&io, &path).await {
            Ok(text) => {
                let lines = text.split_inclusive('\n');
                let text: String = lines.map(|line| shortened(line, width, all)).collect();
                io.print(&text).await;
            }
            Err(errno) => {
                complain(&io, &format!("{path}: {}", errno.message())).await;
                status = 1;
            }
        }
    }
    status
}

/// A line whose blanks that reach a stop are a tab, where there are two of them at least.
fn shortened(line: &str, width: usize, all: bool) -> String {
    let mut out = String::new();
    let (mut column, mut blanks, mut leading) = (0, 0, true);
    for letter in line.chars() {
        if letter == ' ' && (all || leading) {
            column += 1;
            blanks += 1;
            if column % width == 0 {
                out.push_str(if blanks > 1 || leading { "\t" } else { " " });
                blanks = 0;
            }
            continue;
        }
        out.push_str(&" ".repeat(blanks));
        (blanks, leading) = (0, false);
        out.push(letter);
        column += if letter == '\t' {
            width - column % width
        } else {
            1
        };
    }
    out + &" ".repeat(blanks)
}
