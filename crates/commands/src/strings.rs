//! `strings`: what can be read in a file that is no text. Models binutils/strings.c.

use machine::Io;

use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{complain, inputs, slurp, usage_error};

tool!(
    "strings",
    "Print the sequences of printable characters in files",
    "strings [OPTION]... [FILE]...",
    main,
    [
        (
            "printf 'abc\\0hello\\0world!\\0' | strings",
            "hello\nworld!\n"
        ),
        ("printf 'abc\\0hello\\0' | strings -n 3", "abc\nhello\n"),
        ("printf 'abc\\0hello\\0' | strings -t d", "      4 hello\n"),
        ("strings nope", "strings: 'nope': No such file\n"),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('a', "all"),
    flag('f', "print-file-name"),
    value('n', "bytes"),
    value('t', "radix"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let told = args.value('n').map_or("4", |count| count);
    let Some(least) = told.parse().ok().filter(|count| *count > 0usize) else {
        complain(&io, &format!("invalid minimum string length {told}")).await;
        return 1;
    };
    let mut status = 0;
    for path in inputs(&args) {
        let Ok(bytes) = slurp(&io, &path).await else {
            complain(&io, &format!("'{path}': No such file")).await;
            status = 1;
            continue;
        };
        let mut at = 0;
        for run in bytes.split(|byte| !matches!(byte, 32..127 | b'\t')) {
            if run.len() >= least {
                let place = match args.value('t').map(|radix| &**radix) {
                    Some("d") => format!("{at:7} "),
                    Some("x") => format!("{at:7x} "),
                    Some("o") => format!("{at:7o} "),
                    _ => String::new(),
                };
                let name = if args.has('f') {
                    format!("{path}: ")
                } else {
                    String::new()
                };
                let text = crate::io::text(run);
                io.print(&format!("{name}{place}{text}\n")).await;
            }
            at += run.len() + 1;
        }
    }
    status
}
