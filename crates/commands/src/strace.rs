//! `strace`: system calls are not recorded one by one here, and it says so.

use machine::Io;

use crate::help::tool;
use crate::io::complain;

tool!(
    "strace",
    "Trace system calls and signals",
    "strace [-p PID] [COMMAND [ARG]...]",
    main,
    [(
        "strace ls",
        "strace: not modelled: tracing of system calls\n"
    )]
);

async fn main(io: Io) -> i32 {
    let what = sim::unmodelled!("tracing of system calls");
    complain(&io, &what.to_string()).await;
    1
}
