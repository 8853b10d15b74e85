//! `touch`. Models coreutils src/touch.c; times other than now are not modelled.

use machine::Io;

use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{complain, usage_error};

tool!(
    "touch",
    "Update file times, making the file if need be",
    "touch [OPTION]... FILE...",
    main,
    [
        ("touch a; ls", "a\n"),
        ("touch -c a; ls", ""),
        (
            "touch /nope/a",
            "touch: cannot touch '/nope/a': No such file or directory\n"
        ),
        (
            "touch",
            "touch: missing file operand\nTry 'touch --help' for more information.\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('a', ""),
    flag('c', "no-create"),
    value('d', "date"),
    flag('h', "no-dereference"),
    flag('m', ""),
    value('r', "reference"),
    value('t', ""),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    if args.operands.is_empty() {
        return usage_error(&io, "missing file operand", 1).await;
    }
    if args.has('d') || args.has('t') || args.has('r') {
        complain(&io, "not modelled: times other than now").await;
        return 1;
    }
    let mut status = 0;
    let creates = !args.has('c');
    for path in &args.operands {
        let name = path.clone();
        let touched = io
            .sys(move |sys| match sys.touch(&name) {
                Err(machine::Errno::ENOENT) if creates => sys.append_file(&name, b""),
                Err(machine::Errno::ENOENT) => Ok(()),
                result => result,
            })
            .await;
        if let Err(errno) = touched {
            complain(&io, &format!("cannot touch '{path}': {}", errno.message())).await;
            status = 1;
        }
    }
    status
}
