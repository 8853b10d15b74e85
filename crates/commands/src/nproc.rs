//! `nproc`. Models coreutils src/nproc.c.

use machine::Io;

use crate::help::tool;

tool!(
    "nproc",
    "Print the number of processors",
    "nproc [OPTION]...",
    main,
    [("nproc", "4\n")]
);

async fn main(io: Io) -> i32 {
    let cpus = io.sys(|sys| sys.host().spec.cpus).await;
    io.print(&format!("{cpus}\n")).await;
    0
}
