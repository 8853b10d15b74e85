//! `fold`. Models coreutils src/fold.c.

use machine::Io;

use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{complain, inputs, slurp_text, usage_error};

tool!(
    "fold",
    "Wrap input lines to a width",
    "fold [OPTION]... [FILE]...",
    main,
    [
        ("echo abcde | fold -w 2", "ab\ncd\ne\n"),
        ("echo 'one two three' | fold -s -w 8", "one two \nthree\n"),
    ]
);

const FLAGS: &[args::Flag] = &[flag('b', "bytes"), flag('s', "spaces"), value('w', "width")];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let told = args.value('w').map_or("80", |width| width);
    let Some(width) = told.parse().ok().filter(|width| *width > 0usize) else {
        complain(&io, &format!("invalid number of columns: ‘{told}’")).await;
        return 1;
    };
    for path in inputs(&args) {
        match slurp_text(&io, &path).await {
            Ok(text) => {
                let lines = text.split_inclusive('\n');
                let folded: String = lines.map(|line| fold(line, width, args.has('s'))).collect();
                io.print(&folded).await;
            }
            Err(errno) => {
                complain(&io, &format!("{path}: {}", errno.message())).await;
                return 1;
            }
        }
    }
    0
}

fn fold(line: &str, width: usize, at_blanks: bool) -> String {
    let mut out = String::new();
    let mut rest: Vec<char> = line.trim_end_matches('\n').chars().collect();
    while rest.len() > width {
        let blank = rest[..width]
            .iter()
            .rposition(|c| *c == ' ')
            .filter(|_| at_blanks);
        let end = blank.map_or(width, |at| at + 1);
        out.extend(rest.drain(..end));
        out.push('\n');
    }
    out.extend(rest);
    if line.ends_with('\n') {
        out.push('\n');
    }
    out
}
