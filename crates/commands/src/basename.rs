//! `basename`. Models coreutils src/basename.c.

use machine::Io;

use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{missing_operand, split_path, usage_error};

tool!(
    "basename",
    "Strip directory and suffix from file names",
    "basename NAME [SUFFIX]",
    main,
    [
        ("basename /a/b.txt", "b.txt\n"),
        ("basename /a/b.txt .txt", "b\n"),
        ("basename -a x/y z/w", "y\nw\n")
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('a', "multiple"),
    value('s', "suffix"),
    flag('z', "zero"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let several = args.has('a') || args.has('s');
    let (names, suffix) = match &args.operands[..] {
        [] => return missing_operand(&io, 1).await,
        all if several => (all, args.value('s').cloned()),
        [name] => (std::slice::from_ref(name), None),
        [name, suffix] => (std::slice::from_ref(name), Some(suffix.clone())),
        [_, _, extra, ..] => {
            return usage_error(&io, &format!("extra operand '{extra}'"), 1).await;
        }
    };
    for name in names {
        let base = if name.chars().all(|c| c == '/') {
            "/"
        } else {
            split_path(name).1
        };
        let short = suffix
            .as_deref()
            .and_then(|suffix| base.strip_suffix(suffix));
        io.print(&format!(
            "{}\n",
            short.filter(|short| !short.is_empty()).unwrap_or(base)
        ))
        .await;
    }
    0
}
