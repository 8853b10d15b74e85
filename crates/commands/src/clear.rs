//! `clear`. Models ncurses progs/clear.c for xterm.

use machine::Io;

use crate::help::tool;

tool!(
    "clear",
    "Clear the terminal screen",
    "clear [-x]",
    main,
    [("clear | cat -v", "^[[H^[[2J^[[3J")]
);

async fn main(io: Io) -> i32 {
    // With -x what was scrolled away stays.
    let keeps = io.args().iter().any(|arg| &**arg == "-x");
    io.print(if keeps {
        "\x1b[H\x1b[2J"
    } else {
        "\x1b[H\x1b[2J\x1b[3J"
    })
    .await;
    0
}
