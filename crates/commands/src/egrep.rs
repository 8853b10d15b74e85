//! `egrep`: `grep -E` by another name.

use machine::Io;

use crate::help::tool;

tool!(
    "egrep",
    "Print lines that match extended patterns",
    "egrep [OPTION]... PATTERNS [FILE]...",
    main,
    [("printf 'a\\nb\\nc\\n' | egrep 'a|c'", "a\nc\n"),]
);

async fn main(io: Io) -> i32 {
    (crate::grep::TOOL.run)(io).await
}
