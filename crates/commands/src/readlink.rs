//! `readlink`. Models coreutils src/readlink.c.

use machine::Io;

use crate::args::{self, flag};
use crate::files;
use crate::help::tool;
use crate::io::{missing_operand, usage_error};

tool!(
    "readlink",
    "Print where a symbolic link leads",
    "readlink [OPTION]... FILE...",
    main,
    [
        ("ln -s a b; readlink b", "a\n"),
        ("ln -s /etc x; readlink -f x/hostname", "/etc/hostname\n")
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('f', "canonicalize"),
    flag('e', "canonicalize-existing"),
    flag('m', "canonicalize-missing"),
    flag('n', "no-newline"),
    flag('q', "quiet"),
    flag('v', "verbose"),
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
    let resolves = args.has('f') || args.has('e') || args.has('m');
    let lenient = !args.has('e');
    for path in &args.operands {
        let name = path.clone();
        let found = io
            .sys(move |sys| {
                if resolves {
                    return files::real_path(sys, &name, lenient).ok();
                }
                sys.lstat(&name)
                    .ok()?
                    .target
                    .map(|target| target.to_string())
            })
            .await;
        match found {
            Some(found) => {
                let end = if args.has('n') { "" } else { "\n" };
                io.print(&format!("{found}{end}")).await;
            }
            None => status = 1,
        }
    }
    status
}
