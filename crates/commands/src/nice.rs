//! `nice`: runs a command. Models coreutils src/nice.c; all processes here have the same priority.

use machine::Io;

use crate::args::{self, value};
use crate::help::tool;
use crate::io::usage_error;
use crate::run;

tool!(
    "nice",
    "Run a command with modified scheduling priority",
    "nice [-n ADJUSTMENT] [COMMAND [ARG]...]",
    main,
    [("nice", "0\n"), ("nice -n 10 echo hi", "hi\n")]
);

const FLAGS: &[args::Flag] = &[value('n', "adjustment")];

async fn main(io: Io) -> i32 {
    let args = match args::parse_leading(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 125).await,
    };
    if args.operands.is_empty() {
        io.print("0\n").await;
        return 0;
    }
    run::become_program(&io, args.operands).await
}
