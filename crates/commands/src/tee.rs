//! `tee`. Models coreutils src/tee.c.

use machine::{Fd, Io, OpenMode};

use crate::args::{self, flag};
use crate::help::tool;
use crate::io::{complain, usage_error};

tool!(
    "tee",
    "Copy standard input to files and to standard output",
    "tee [OPTION]... [FILE]...",
    main,
    [
        ("echo hi | tee f; cat f", "hi\nhi\n"),
        (
            "echo a | tee f > /dev/null; echo b | tee -a f; cat f",
            "b\na\nb\n"
        )
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('a', "append"),
    flag('i', "ignore-interrupts"),
    flag('p', "output-error"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let mode = if args.has('a') {
        OpenMode::Append
    } else {
        OpenMode::Truncate
    };
    let mut outputs = vec![Fd::STDOUT];
    let mut status = 0;
    for path in &args.operands {
        match io.open(path, mode).await {
            Ok(fd) => outputs.push(fd),
            Err(errno) => {
                complain(&io, &format!("{path}: {}", errno.message())).await;
                status = 1;
            }
        }
    }
    while let Ok(bytes) = io.read(Fd::STDIN).await {
        if bytes.is_empty() {
            break;
        }
        for fd in &outputs {
            io.write_all(*fd, &bytes).await;
        }
    }
    status
}
