//! `reset`. Models ncurses progs/tset.c for xterm.

use machine::{Fd, Io};

use crate::help::tool;

tool!(
    "reset",
    "Reset the terminal",
    "reset",
    main,
    [("reset | cat -v", "^[c")]
);

async fn main(io: Io) -> i32 {
    let _ = io.sys(|sys| sys.tty_raw(Fd::STDIN, false)).await;
    io.print("\x1bc").await;
    0
}
