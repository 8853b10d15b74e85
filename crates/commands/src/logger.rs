//! `logger`: writes a line into the machine's log. Models util-linux misc-utils/logger.c.

use machine::{Fd, Io};

use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{text, usage_error};

tool!(
    "logger",
    "Enter messages into the system log",
    "logger [OPTION]... [MESSAGE]",
    main,
    [("logger -s -t me hello", "<13>me: hello\n")]
);

const FLAGS: &[args::Flag] = &[
    flag('i', ""),
    value('p', "priority"),
    flag('s', "stderr"),
    value('t', "tag"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let message = match args.operands.is_empty() {
        true => text(&io.read_all(Fd::STDIN).await.unwrap_or_default()),
        false => args.operands.join(" "),
    };
    let tag = args.value('t').cloned().unwrap_or_else(|| "root".into());
    for line in message.lines() {
        if args.has('s') {
            io.eprint(&format!("<13>{tag}: {line}\n")).await;
        }
        let (tag, line) = (tag.clone(), line.to_owned());
        io.sys(move |sys| sys.log(&tag, &line)).await;
    }
    0
}
