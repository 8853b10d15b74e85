//! `fgrep`: `grep -F` by another name.

use machine::Io;

use crate::help::tool;

tool!(
    "fgrep",
    "Print lines that hold strings",
    "fgrep [OPTION]... STRINGS [FILE]...",
    main,
    [("printf 'a.b\\naxb\\n' | fgrep a.b", "a.b\n"),]
);

async fn main(io: Io) -> i32 {
    (crate::grep::TOOL.run)(io).await
}
