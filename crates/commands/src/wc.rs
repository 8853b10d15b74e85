//! `wc`. Models coreutils src/wc.c.

use machine::Io;

use crate::args::{self, flag};
use crate::help::tool;
use crate::io::{complain, slurp, text, usage_error};

tool!(
    "wc",
    "Count lines, words and bytes",
    "wc [OPTION]... [FILE]...",
    main,
    [
        ("echo hi | wc -c", "3\n"),
        ("printf 'a b\\nc\\n' | wc", "      2       3       6\n"),
        ("printf 'a b\\nc\\n' | wc -l -w", "      2       3\n"),
        ("wc /nope", "wc: /nope: No such file or directory\n"),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('c', "bytes"),
    flag('m', "chars"),
    flag('l', "lines"),
    flag('w', "words"),
    flag('L', "max-line-length"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let mut wanted: Vec<char> = "lwmcL".chars().filter(|letter| args.has(*letter)).collect();
    if wanted.is_empty() {
        wanted = vec!['l', 'w', 'c'];
    }
    let stdin = args.operands.is_empty();
    let mut rows: Vec<(Vec<usize>, String)> = Vec::new();
    let mut status = 0;
    let mut total = vec![0; wanted.len()];
    for path in crate::io::inputs(&args) {
        match slurp(&io, &path).await {
            Ok(bytes) => {
                let counts: Vec<usize> = wanted.iter().map(|what| count(&bytes, *what)).collect();
                for (at, count) in counts.iter().enumerate() {
                    let longest = wanted[at] == 'L';
                    total[at] = if longest {
                        total[at].max(*count)
                    } else {
                        total[at] + count
                    };
                }
                rows.push((
                    counts,
                    if stdin {
                        String::new()
                    } else {
                        path.to_string()
                    },
                ));
            }
            Err(errno) => {
                complain(&io, &format!("{path}: {}", errno.message())).await;
                status = 1;
            }
        }
    }
    if args.operands.len() > 1 {
        rows.push((total.clone(), "total".to_owned()));
    }
    // One number alone is not padded; from a pipe the width is seven.
    let width = match () {
        () if wanted.len() == 1 && rows.len() <= 1 => 1,
        () if stdin => 7,
        () => total
            .iter()
            .map(|count| count.to_string().len())
            .max()
            .unwrap_or(1),
    };
    let mut out = String::new();
    for (counts, name) in rows {
        let cells: Vec<String> = counts
            .iter()
            .map(|count| format!("{count:width$}"))
            .collect();
        let name = if name.is_empty() {
            name
        } else {
            format!(" {name}")
        };
        out.push_str(&format!("{}{name}\n", cells.join(" ")));
    }
    io.print(&out).await;
    status
}

fn count(bytes: &[u8], what: char) -> usize {
    match what {
        'c' => bytes.len(),
        'm' => text(bytes).chars().count(),
        'l' => bytes.iter().filter(|byte| **byte == b'\n').count(),
        'w' => text(bytes).split_whitespace().count(),
        _ => text(bytes)
            .lines()
            .map(shell::width::text_width)
            .max()
            .unwrap_or(0),
    }
}
