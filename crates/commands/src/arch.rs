//! `arch`. Models coreutils src/uname.c.

use machine::Io;

use crate::help::tool;

tool!(
    "arch",
    "Print the machine's architecture",
    "arch",
    main,
    [("arch", "x86_64\n")]
);

async fn main(io: Io) -> i32 {
    io.print("x86_64\n").await;
    0
}
