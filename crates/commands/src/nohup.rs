//! `nohup`. Models coreutils src/nohup.c; the hang-up signal itself is not held back.

use machine::Io;

use crate::help::tool;
use crate::io::missing_operand;
use crate::run;

tool!(
    "nohup",
    "Run a command immune to hangups",
    "nohup COMMAND [ARG]...",
    main,
    [("nohup echo hi", "hi\n")]
);

async fn main(io: Io) -> i32 {
    let words = io.args()[1..].to_vec();
    if words.is_empty() {
        return missing_operand(&io, 125).await;
    }
    run::become_program(&io, words).await
}
