//! `[`: `test` by another name.

use machine::Io;

use crate::help::tool;

tool!(
    "[",
    "Check file types and compare values",
    "[ EXPRESSION ]",
    main,
    [("/usr/bin/[ a = a ] && echo same", "same\n"),]
);

async fn main(io: Io) -> i32 {
    crate::test::evaluate(io, true).await
}
