//! `tty`. Models coreutils src/tty.c.

use machine::{Fd, Handle, Io};

use crate::help::tool;

tool!(
    "tty",
    "Print the name of the terminal",
    "tty",
    main,
    [("tty < /dev/null; echo $?", "not a tty\n1\n")]
);

async fn main(io: Io) -> i32 {
    let id = io
        .sys(|sys| match sys.handle(Fd::STDIN) {
            Ok(Handle::Tty(id)) => Some(id.0),
            _ => None,
        })
        .await;
    match id {
        Some(id) => {
            io.print(&format!("/dev/pts/{id}\n")).await;
            0
        }
        None => {
            io.print("not a tty\n").await;
            1
        }
    }
}
