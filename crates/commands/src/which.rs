//! `which`. Models debianutils.

use machine::Io;

use crate::args::{self, flag};
use crate::help::tool;
use crate::io::usage_error;
use crate::run;

tool!(
    "which",
    "Locate a command",
    "which [-a] filename...",
    main,
    [("which cat nosuch; echo $?", "/usr/bin/cat\n1\n"),]
);

const FLAGS: &[args::Flag] = &[flag('a', "")];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 2).await,
    };
    let mut status = i32::from(args.operands.is_empty());
    let path = io.env("PATH").unwrap_or_default();
    for name in &args.operands {
        let (places, all) = (run::places(&path, name), args.has('a'));
        let found = io
            .sys(move |sys| {
                let mut found = places;
                found.retain(|path| run::is_executable(sys, path));
                if !all {
                    found.truncate(1);
                }
                found
            })
            .await;
        status |= i32::from(found.is_empty());
        let text: String = found.iter().map(|path| format!("{path}\n")).collect();
        io.print(&text).await;
    }
    status
}
