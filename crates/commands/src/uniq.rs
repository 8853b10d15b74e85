//! `uniq`. Models coreutils src/uniq.c.

use machine::Io;

use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{Lines, Output, complain, text, usage_error};

tool!(
    "uniq",
    "Report or omit repeated lines",
    "uniq [OPTION]... [INPUT [OUTPUT]]",
    main,
    [
        ("printf 'a\\na\\nb\\n' | uniq -c", "      2 a\n      1 b\n"),
        ("printf 'a\\na\\nb\\n' | uniq -d", "a\n"),
        ("printf 'a\\na\\nb\\n' | uniq -u", "b\n"),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('c', "count"),
    flag('d', "repeated"),
    flag('u', "unique"),
    flag('i', "ignore-case"),
    value('f', "skip-fields"),
    value('s', "skip-chars"),
    value('w', "check-chars"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let path = args.operands.first().cloned().unwrap_or_else(|| "-".into());
    let mut lines = match Lines::open(&io, &path).await {
        Ok(lines) => lines,
        Err(errno) => {
            complain(&io, &format!("{path}: {}", errno.message())).await;
            return 1;
        }
    };
    let number = |letter| {
        args.value(letter)
            .and_then(|text| text.parse::<usize>().ok())
    };
    let key = |line: &str| -> String {
        let mut rest = line;
        for _ in 0..number('f').unwrap_or(0) {
            rest = rest.trim_start();
            rest = &rest[rest.find(char::is_whitespace).unwrap_or(rest.len())..];
        }
        let chars = rest.chars().skip(number('s').unwrap_or(0));
        let key: String = chars.take(number('w').unwrap_or(usize::MAX)).collect();
        if args.has('i') {
            key.to_lowercase()
        } else {
            key
        }
    };
    let mut out = Output::default();
    let mut current: Option<(String, usize)> = None;
    let show = |out: &mut Output, line: &str, count: usize| {
        if (args.has('d') && count < 2) || (args.has('u') && count > 1) {
            return;
        }
        let prefix = if args.has('c') {
            format!("{count:7} ")
        } else {
            String::new()
        };
        out.push(format!("{prefix}{line}\n").as_bytes());
    };
    loop {
        let line = lines.next(&io).await.unwrap_or(None);
        let line = line.map(|bytes| text(&bytes).trim_end_matches('\n').to_owned());
        match (&mut current, line) {
            (Some((last, count)), Some(line)) if key(last) == key(&line) => *count += 1,
            (_, line) => {
                let ended = line.is_none();
                if let Some((last, count)) = current.take() {
                    show(&mut out, &last, count);
                }
                if ended {
                    break;
                }
                current = line.map(|line| (line, 1));
            }
        }
        out.pace(&io, &lines).await;
    }
    out.flush(&io).await;
    0
}
