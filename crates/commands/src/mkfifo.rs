//! `mkfifo`: pipes with names are not modelled, and it says so.

use machine::Io;

use crate::help::tool;
use crate::io::{complain, missing_operand};

tool!(
    "mkfifo",
    "Make pipes with names",
    "mkfifo [-m MODE] NAME...",
    main,
    [("mkfifo p", "mkfifo: not modelled: pipes with names\n")]
);

async fn main(io: Io) -> i32 {
    if io.args().len() < 2 {
        return missing_operand(&io, 1).await;
    }
    let what = sim::unmodelled!("pipes with names");
    complain(&io, &what.to_string()).await;
    1
}
