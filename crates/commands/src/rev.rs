//! `rev`. Models util-linux text-utils/rev.c.

use machine::Io;

use crate::args;
use crate::help::tool;
use crate::io::{Lines, complain, inputs, text, usage_error};

tool!(
    "rev",
    "Reverse the characters of lines",
    "rev [FILE]...",
    main,
    [("echo abc | rev", "cba\n")]
);

async fn main(io: Io) -> i32 {
    let args = match args::parse(&[], io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    for path in inputs(&args) {
        match Lines::open(&io, &path).await {
            Ok(mut lines) => {
                while let Ok(Some(line)) = lines.next(&io).await {
                    let line = text(&line);
                    let reversed: String = line.trim_end_matches('\n').chars().rev().collect();
                    io.print(&format!("{reversed}\n")).await;
                }
            }
            Err(errno) => {
                complain(&io, &format!("cannot open {path}: {}", errno.message())).await;
                return 1;
            }
        }
    }
    0
}
