//! `test`. Models coreutils src/test.c.

use machine::Io;

use crate::help::tool;
use crate::io::complain;

tool!(
    "test",
    "Check file types and compare values",
    "test EXPRESSION",
    main,
    [
        ("/usr/bin/test -d /etc && echo yes", "yes\n"),
        ("/usr/bin/test 1 -eq 2 || echo no", "no\n"),
    ]
);

async fn main(io: Io) -> i32 {
    evaluate(io, false).await
}

/// The status of `test`, or of `[`, which wants its bracket back.
pub(crate) async fn evaluate(io: Io, brackets: bool) -> i32 {
    let mut words = io.args()[1..].to_vec();
    if brackets && words.pop().as_deref() != Some("]") {
        complain(&io, "missing ‘]’").await;
        return 2;
    }
    match io.sys(move |sys| shell::test(sys, &words)).await {
        Ok(held) => i32::from(!held),
        Err(message) => {
            complain(&io, &message).await;
            2
        }
    }
}
