//! `split`. Models coreutils src/split.c: by lines and by bytes.

use machine::Io;

use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{complain, size, slurp, usage_error};

tool!(
    "split",
    "Split a file into pieces",
    "split [OPTION]... [FILE [PREFIX]]",
    main,
    [
        ("seq 5 | split -l 2; cat xaa; cat xac", "1\n2\n5\n"),
        (
            "echo abcdef | split -b 4 -d - p; ls; cat p00",
            "p00\np01\nabcd"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    value('a', "suffix-length"),
    value('b', "bytes"),
    flag('d', "numeric-suffixes"),
    value('l', "lines"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let path = args.operands.first().cloned().unwrap_or_else(|| "-".into());
    let prefix = args.operands.get(1).cloned().unwrap_or_else(|| "x".into());
    let bytes = match slurp(&io, &path).await {
        Ok(bytes) => bytes,
        Err(errno) => {
            let why = errno.message();
            complain(&io, &format!("cannot open '{path}' for reading: {why}")).await;
            return 1;
        }
    };
    let number = |letter| {
        let count = args.value(letter).and_then(|text| size(text));
        count
            .and_then(|count| usize::try_from(count).ok())
            .filter(|count| *count > 0)
    };
    let pieces: Vec<Vec<u8>> = match number('b') {
        Some(count) => bytes.chunks(count).map(<[u8]>::to_vec).collect(),
        None => {
            let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
            let count = number('l').unwrap_or(1000);
            lines.chunks(count).map(<[&[u8]]>::concat).collect()
        }
    };
    let letters = number('a').unwrap_or(2);
    for (at, piece) in pieces.iter().enumerate() {
        let Some(suffix) = suffix(at, letters, args.has('d')) else {
            complain(&io, "output file suffixes exhausted").await;
            return 1;
        };
        if let Err(errno) = io.write_file(&format!("{prefix}{suffix}"), piece).await {
            complain(&io, &format!("{prefix}{suffix}: {}", errno.message())).await;
            return 1;
        }
    }
    0
}

/// `aa`, `ab`, …, or `00`, `01`, ….
fn suffix(mut at: usize, letters: usize, digits: bool) -> Option<String> {
    let alphabet = if digits {
        "0123456789"
    } else {
        "abcdefghijklmnopqrstuvwxyz"
    };
    let mut out = Vec::new();
    for _ in 0..letters {
        out.push(alphabet.chars().nth(at % alphabet.len())?);
        at /= alphabet.len();
    }
    (at == 0).then(|| out.iter().rev().collect())
}
