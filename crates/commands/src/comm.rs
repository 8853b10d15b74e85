//! `comm`. Models coreutils src/comm.c.

use std::cmp::Ordering;

use machine::Io;

use crate::args::{self, flag};
use crate::help::tool;
use crate::io::{complain, missing_operand, slurp_text, usage_error};

tool!(
    "comm",
    "Compare sorted files line by line",
    "comm [OPTION]... FILE1 FILE2",
    main,
    [
        (
            "printf 'a\\nb\\n' > x; printf 'b\\nc\\n' > y; comm x y",
            "a\n\t\tb\n\tc\n"
        ),
        (
            "printf 'a\\nb\\n' > x; printf 'b\\nc\\n' > y; comm -12 x y",
            "b\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[flag('1', ""), flag('2', ""), flag('3', "")];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let [left, right] = &args.operands[..] else {
        return missing_operand(&io, 1).await;
    };
    let mut texts = Vec::new();
    for path in [left, right] {
        match slurp_text(&io, path).await {
            Ok(text) => texts.push(text),
            Err(errno) => {
                complain(&io, &format!("{path}: {}", errno.message())).await;
                return 1;
            }
        }
    }
    let (mut a, mut b) = (texts[0].lines().peekable(), texts[1].lines().peekable());
    let mut out = String::new();
    let second = if args.has('1') { "" } else { "\t" };
    let third = format!("{second}{}", if args.has('2') { "" } else { "\t" });
    loop {
        let order = match (a.peek(), b.peek()) {
            (Some(left), Some(right)) => left.cmp(right),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => break,
        };
        let left = if order == Ordering::Greater {
            None
        } else {
            a.next()
        };
        let right = if order == Ordering::Less {
            None
        } else {
            b.next()
        };
        match (left, right) {
            (Some(line), Some(_)) if !args.has('3') => out.push_str(&format!("{third}{line}\n")),
            (Some(line), None) if !args.has('1') => out.push_str(&format!("{line}\n")),
            (None, Some(line)) if !args.has('2') => out.push_str(&format!("{second}{line}\n")),
            _ => {}
        }
    }
    io.print(&out).await;
    0
}
