//! `shuf`. Models coreutils src/shuf.c.

use machine::Io;

use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{complain, slurp_text, usage_error};

tool!(
    "shuf",
    "Put lines in random order",
    "shuf [OPTION]... [FILE]",
    main,
    [
        ("shuf -e a b c | sort", "a\nb\nc\n"),
        ("seq 9 | shuf -n 2 | wc -l", "2\n"),
        ("shuf -i 3-3", "3\n"),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('e', "echo"),
    value('i', "input-range"),
    value('n', "head-count"),
    flag('r', "repeat"),
];

/// The widest range.
const MOST: u64 = 1 << 20;

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let mut lines: Vec<String> = match args.value('i') {
        Some(range) => {
            let ends = range.split_once('-').and_then(|(from, to)| {
                let (from, to): (u64, u64) = (from.parse().ok()?, to.parse().ok()?);
                (to >= from && to - from < MOST).then_some(from..=to)
            });
            let Some(ends) = ends else {
                complain(&io, &format!("invalid input range: ‘{range}’")).await;
                return 1;
            };
            ends.map(|number| number.to_string()).collect()
        }
        None if args.has('e') => args.operands.iter().map(|word| word.to_string()).collect(),
        None => {
            let path = args.operands.first().map_or("-", |path| path);
            match slurp_text(&io, path).await {
                Ok(text) => text.lines().map(str::to_owned).collect(),
                Err(errno) => {
                    complain(&io, &format!("{path}: {}", errno.message())).await;
                    return 1;
                }
            }
        }
    };
    let wanted = args.value('n').and_then(|count| count.parse().ok());
    let count = lines.len();
    let repeats = args.has('r') && count > 0;
    let rounds = match repeats {
        true => wanted.unwrap_or(count),
        false => wanted.unwrap_or(count).min(count),
    };
    let mut out = String::new();
    for at in 0..rounds {
        let place = io.sys(move |sys| {
            let left = if repeats { count } else { count - at };
            usize::try_from(sys.random().below(left as u64)).unwrap_or(0)
        });
        let place = place.await + if repeats { 0 } else { at };
        if !repeats {
            lines.swap(at, place);
        }
        out.push_str(&lines[if repeats { place } else { at }]);
        out.push('\n');
    }
    io.print(&out).await;
    0
}
