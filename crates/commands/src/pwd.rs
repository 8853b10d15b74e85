//! `pwd`. Models coreutils src/pwd.c.

use machine::Io;

use crate::help::tool;

tool!(
    "pwd",
    "Print the working directory",
    "pwd",
    main,
    [("cd /tmp; /usr/bin/pwd", "/tmp\n")]
);

async fn main(io: Io) -> i32 {
    let cwd = io.sys(|sys| sys.cwd()).await;
    io.print(&format!("{cwd}\n")).await;
    0
}
