//! `uname`. Models coreutils src/uname.c.

use machine::Io;

use crate::args::{self, flag};
use crate::help::tool;
use crate::io::usage_error;

tool!(
    "uname",
    "Print system information",
    "uname [OPTION]...",
    main,
    [
        ("uname", "Linux\n"),
        ("uname -sr", "Linux 6.8.0-111-generic\n"),
        ("uname -n -m", "testbox x86_64\n"),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('a', "all"),
    flag('s', "kernel-name"),
    flag('n', "nodename"),
    flag('r', "kernel-release"),
    flag('v', "kernel-version"),
    flag('m', "machine"),
    flag('p', "processor"),
    flag('i', "hardware-platform"),
    flag('o', "operating-system"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let (node, kernel) = io
        .sys(|sys| (sys.hostname(), sys.host().spec.kernel.clone()))
        .await;
    let all = args.has('a');
    let mut words: Vec<&str> = Vec::new();
    let version = "#111-Ubuntu SMP PREEMPT_DYNAMIC Sat Apr 11 23:16:02 UTC 2026";
    for (letter, word) in [
        ('s', "Linux"),
        ('n', &*node),
        ('r', &*kernel),
        ('v', version),
        ('m', "x86_64"),
        ('p', "x86_64"),
        ('i', "x86_64"),
        ('o', "GNU/Linux"),
    ] {
        if all || args.has(letter) || (letter == 's' && args.options.is_empty()) {
            words.push(word);
        }
    }
    io.print(&format!("{}\n", words.join(" "))).await;
    0
}
