//! `cmp`. Models diffutils' src/cmp.c.

use machine::Io;

use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{complain, slurp, usage_error};

tool!(
    "cmp",
    "Compare two files byte by byte",
    "cmp [OPTION]... FILE1 FILE2",
    main,
    [
        (
            "echo ab > a; echo ac > b; cmp a b; echo $?",
            "a b differ: byte 2, line 1\n1\n"
        ),
        ("echo ab > a; echo abc > b; cmp -s a b; echo $?", "1\n"),
        ("echo a > a; cmp a a; echo $?", "0\n"),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('b', "print-bytes"),
    flag('l', "verbose"),
    value('n', "bytes"),
    flag('s', "quiet"),
    flag('\u{1}', "silent"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 2).await,
    };
    let [first, rest @ ..] = &args.operands[..] else {
        return usage_error(&io, "missing operand after 'cmp'", 2).await;
    };
    let second = rest.first().cloned().unwrap_or_else(|| "-".into());
    let mut both = Vec::new();
    for path in [first, &second] {
        match slurp(&io, path).await {
            Ok(bytes) => both.push(bytes),
            Err(errno) => {
                complain(&io, &format!("{path}: {}", errno.message())).await;
                return 2;
            }
        }
    }
    let most = args.value('n').and_then(|count| count.parse().ok());
    for bytes in &mut both {
        bytes.truncate(most.unwrap_or(usize::MAX));
    }
    let (a, b) = (&both[0], &both[1]);
    if a == b {
        return 0;
    }
    if args.has('s') || args.has('\u{1}') {
        return 1;
    }
    let pairs = a.iter().zip(b).enumerate();
    let mut different = pairs.filter(|(_, (x, y))| x != y);
    if args.has('l') {
        let lines: String = different
            .map(|(at, (x, y))| format!("{} {x:>3o} {y:>3o}\n", at + 1))
            .collect();
        io.print(&lines).await;
    } else if let Some((at, _)) = different.next() {
        let line = 1 + a[..at].iter().filter(|byte| **byte == b'\n').count();
        io.print(&format!(
            "{first} {second} differ: byte {}, line {line}\n",
            at + 1
        ))
        .await;
        return 1;
    }
    let short = if a.len() < b.len() { first } else { &second };
    if a.len() != b.len() {
        let end = a.len().min(b.len());
        complain(&io, &format!("EOF on {short} after byte {end}")).await;
    }
    1
}
