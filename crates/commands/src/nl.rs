//! `nl`. Models coreutils src/nl.c without sections.

use machine::Io;

use crate::args::{self, value};
use crate::help::tool;
use crate::io::{Lines, complain, inputs, text, usage_error};

tool!(
    "nl",
    "Number lines",
    "nl [OPTION]... [FILE]...",
    main,
    [
        (
            "printf 'a\\n\\nb\\n' | nl",
            "     1\ta\n       \n     2\tb\n"
        ),
        ("printf 'a\\n\\n' | nl -ba -w2 -s:", " 1:a\n 2:\n"),
    ]
);

const FLAGS: &[args::Flag] = &[
    value('b', "body-numbering"),
    value('s', "number-separator"),
    value('v', "starting-line-number"),
    value('w', "number-width"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let all = args.value('b').is_some_and(|style| &**style == "a");
    let separator = args.value('s').map_or("\t", |text| text);
    let width: usize = args
        .value('w')
        .and_then(|text| text.parse().ok())
        .unwrap_or(6)
        .min(1000);
    let mut number: i64 = args
        .value('v')
        .and_then(|text| text.parse().ok())
        .unwrap_or(1);
    for path in inputs(&args) {
        let mut lines = match Lines::open(&io, &path).await {
            Ok(lines) => lines,
            Err(errno) => {
                complain(&io, &format!("{path}: {}", errno.message())).await;
                return 1;
            }
        };
        while let Ok(Some(line)) = lines.next(&io).await {
            let line = text(&line);
            let line = line.trim_end_matches('\n');
            if line.is_empty() && !all {
                io.print(&format!("{}\n", " ".repeat(width + separator.len())))
                    .await;
                continue;
            }
            io.print(&format!("{number:width$}{separator}{line}\n"))
                .await;
            number += 1;
        }
    }
    0
}
