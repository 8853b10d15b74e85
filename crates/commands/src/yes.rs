//! `yes`. Models coreutils src/yes.c.

use machine::{Fd, Io};

use crate::help::tool;

tool!(
    "yes",
    "Output a string repeatedly until killed",
    "yes [STRING]...",
    main,
    [("yes a | head -2", "a\na\n")]
);

async fn main(io: Io) -> i32 {
    let words = &io.args()[1..];
    let line = if words.is_empty() {
        "y".to_owned()
    } else {
        words.join(" ")
    };
    let block = format!("{line}\n").repeat(1024);
    loop {
        io.write_all(Fd::STDOUT, block.as_bytes()).await;
        // A terminal never makes it wait: let time pass, or nothing else would ever happen.
        io.sleep(sim::Duration::from_millis(10)).await;
    }
}
