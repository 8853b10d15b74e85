//! `pkill`: signals to processes by name. What it does is in `pgrep.rs`.

use crate::help::tool;
use crate::pgrep::pkill;

tool!(
    "pkill",
    "Signal processes based on name",
    "pkill [options] <pattern>",
    pkill,
    [
        ("sleep 9 & pkill sleep; wait $!; echo $?", "143\n"),
        ("pkill -9 nosuch; echo $?", "1\n"),
    ]
);
