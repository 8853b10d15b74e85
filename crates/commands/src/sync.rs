//! `sync`: every write here is on the disk at once. Models coreutils src/sync.c.

use machine::Io;

use crate::args::{self, flag};
use crate::help::tool;
use crate::io::usage_error;

tool!(
    "sync",
    "Synchronize cached writes to persistent storage",
    "sync [OPTION] [FILE]...",
    main,
    [("sync; echo $?", "0\n")]
);

const FLAGS: &[args::Flag] = &[flag('d', "data"), flag('f', "file-system")];

async fn main(io: Io) -> i32 {
    match args::parse(FLAGS, io.args()) {
        Ok(_) => 0,
        Err(message) => usage_error(&io, &message, 1).await,
    }
}
