//! `true`

use machine::Io;

use crate::help::tool;

tool!(
    "true",
    "Do nothing, successfully",
    "true",
    main,
    [("/usr/bin/true; echo $?", "0\n")]
);

async fn main(_: Io) -> i32 {
    0
}
