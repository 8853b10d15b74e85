//! `printf`. Models coreutils src/printf.c.

use machine::Io;

use crate::help::tool;
use crate::io::{complain, missing_operand};

tool!(
    "printf",
    "Format and print data",
    "printf FORMAT [ARGUMENT]...",
    main,
    [("/usr/bin/printf '%s-%02d\\n' a 7", "a-07\n"),]
);

async fn main(io: Io) -> i32 {
    let Some(format) = io.args().get(1).cloned() else {
        return missing_operand(&io, 1).await;
    };
    let printed = shell::printf::format(&format, &io.args()[2..], io.now().await);
    io.write_all(machine::Fd::STDOUT, &shell::raw::bytes(&printed.text))
        .await;
    for message in &printed.errors {
        complain(&io, message).await;
    }
    i32::from(!printed.errors.is_empty())
}
