//! `printenv`. Models coreutils src/printenv.c.

use machine::Io;

use crate::help::tool;

tool!(
    "printenv",
    "Print environment variables",
    "printenv [VARIABLE]...",
    main,
    [("A=1 printenv A", "1\n"), ("printenv NOPE; echo $?", "1\n"),]
);

async fn main(io: Io) -> i32 {
    let names = &io.args()[1..];
    if names.is_empty() {
        let all = io
            .environment()
            .iter()
            .map(|(name, value)| format!("{name}={value}\n"));
        io.print(&all.collect::<String>()).await;
        return 0;
    }
    let mut status = 0;
    for name in names {
        match io.env(name) {
            Some(value) => io.print(&format!("{value}\n")).await,
            None => status = 1,
        }
    }
    status
}
