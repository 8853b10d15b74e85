//! `expand`: tabs become blanks. Models coreutils src/expand.c; stops are a fixed distance apart.

use machine::Io;

use crate::args::{self, Args, flag, value};
use crate::help::tool;
use crate::io::{complain, inputs, slurp_text, usage_error};

tool!(
    "expand",
    "Convert tabs to spaces",
    "expand [OPTION]... [FILE]...",
    main,
    [
        ("printf 'a\\tb\\n' | expand", "a       b\n"),
        ("printf 'a\\tb\\n' | expand -t 4", "a   b\n"),
        (
            "printf '\\ta\\tb\\n' | expand -i -t2 | od -c | head -1",
            "0000000           a  \\t   b  \\n\n"
        ),
        (
            "echo | expand -t x",
            "expand: tab size contains invalid character(s): ‘x’\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[flag('i', "initial"), value('t', "tabs")];

async fn main(io: Io) -> i32 {
    print_changed(&io, FLAGS, |text, width, args| {
        expanded(text, width, args.has('i'))
    })
    .await
}

/// Prints what the files hold with its blanks and tabs changed, stops being so far apart as `-t` says.
/// Returns the exit code.
pub(crate) async fn print_changed(
    io: &Io,
    flags: &[args::Flag],
    change: impl Fn(&str, usize, &Args) -> String,
) -> i32 {
    let args = match args::parse(flags, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(io, &message, 1).await,
    };
    let told = args.value('t').map_or("8", |width| width);
    let Some(width) = told.parse().ok().filter(|width| *width > 0usize) else {
        let why = format!("tab size contains invalid character(s): ‘{told}’");
        complain(io, &why).await;
        return 1;
    };
    let mut status = 0;
    for path in inputs(&args) {
        match slurp_text(io, &path).await {
            Ok(text) => io.print(&change(&text, width, &args)).await,
            Err(errno) => {
                complain(io, &format!("{path}: {}", errno.message())).await;
                status = 1;
            }
        }
    }
    status
}

fn expanded(text: &str, width: usize, initial: bool) -> String {
    let mut out = String::new();
    let (mut column, mut leading) = (0, true);
    for letter in text.chars() {
        match letter {
            '\t' if leading || !initial => {
                let count = width - column % width;
                out.push_str(&" ".repeat(count));
                column += count;
            }
            '\n' => {
                out.push('\n');
                (column, leading) = (0, true);
            }
            letter => {
                out.push(letter);
                column += 1;
                leading &= letter == ' ';
            }
        }
    }
    out
}
