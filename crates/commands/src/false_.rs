//! `false`

use machine::Io;

use crate::help::tool;

tool!(
    "false",
    "Do nothing, unsuccessfully",
    "false",
    main,
    [("/usr/bin/false; echo $?", "1\n")]
);

async fn main(_: Io) -> i32 {
    1
}
