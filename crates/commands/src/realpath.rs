//! `realpath`. Models coreutils src/realpath.c.

use machine::Io;

use crate::args::{self, flag};
use crate::files;
use crate::help::tool;
use crate::io::{complain, missing_operand, usage_error};

tool!(
    "realpath",
    "Print the resolved path",
    "realpath [OPTION]... FILE...",
    main,
    [
        ("cd /etc; realpath ./../etc/hostname", "/etc/hostname\n"),
        (
            "realpath /nope/x",
            "realpath: /nope/x: No such file or directory\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('e', "canonicalize-existing"),
    flag('m', "canonicalize-missing"),
    flag('q', "quiet"),
    flag('s', "strip"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    if args.operands.is_empty() {
        return missing_operand(&io, 1).await;
    }
    let mut status = 0;
    let lenient = !args.has('e');
    for path in &args.operands {
        let name = path.clone();
        match io
            .sys(move |sys| files::real_path(sys, &name, lenient))
            .await
        {
            Ok(found) => io.print(&format!("{found}\n")).await,
            Err(errno) => {
                if !args.has('q') {
                    complain(&io, &format!("{path}: {}", errno.message())).await;
                }
                status = 1;
            }
        }
    }
    status
}
