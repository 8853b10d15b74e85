//! `tac`. Models coreutils src/tac.c.

use machine::{Fd, Io};

use crate::args;
use crate::help::tool;
use crate::io::{complain, inputs, slurp, usage_error};

tool!(
    "tac",
    "Print lines in reverse",
    "tac [FILE]...",
    main,
    [("seq 3 | tac", "3\n2\n1\n")]
);

async fn main(io: Io) -> i32 {
    let args = match args::parse(&[], io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let mut status = 0;
    for path in inputs(&args) {
        match slurp(&io, &path).await {
            Ok(bytes) => {
                let lines: Vec<&[u8]> =
                    bytes.split_inclusive(|byte| *byte == b'\n').rev().collect();
                io.write_all(Fd::STDOUT, &lines.concat()).await;
            }
            Err(errno) => {
                let what = format!("failed to open '{path}' for reading: {}", errno.message());
                complain(&io, &what).await;
                status = 1;
            }
        }
    }
    status
}
