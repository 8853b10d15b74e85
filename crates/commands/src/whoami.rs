//! `whoami`. Models coreutils src/whoami.c.

use machine::Io;

use crate::files;
use crate::help::tool;

tool!(
    "whoami",
    "Print the user's name",
    "whoami",
    main,
    [("whoami", "root\n")]
);

async fn main(io: Io) -> i32 {
    let name = io.sys(|sys| files::user_name(sys, sys.uid())).await;
    io.print(&format!("{name}\n")).await;
    0
}
