//! `echo`. Models coreutils src/echo.c.

use machine::Io;

use crate::help::tool;

tool!(
    "echo",
    "Display a line of text",
    "echo [-neE] [STRING]...",
    main,
    [
        ("/usr/bin/echo -e 'a\\tb'", "a\tb\n"),
        ("/usr/bin/echo -n a", "a"),
    ]
);

async fn main(io: Io) -> i32 {
    let text = shell::echo::text(&io.args()[1..], false);
    io.write_all(machine::Fd::STDOUT, &shell::raw::bytes(&text))
        .await;
    0
}
