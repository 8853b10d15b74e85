//! `hexdump`: shows bytes as numbers. Models util-linux text-utils/hexdump.c: the canonical form
//! (`-C`) and words of two bytes, which is what it does unasked.

use machine::Io;

use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{complain, inputs, printable, slurp, usage_error};

tool!(
    "hexdump",
    "Show bytes as numbers",
    "hexdump [-Cv] [-n LENGTH] [-s SKIP] [FILE]...",
    main,
    [
        (
            "echo hello | hexdump -C",
            "00000000  68 65 6c 6c 6f 0a                                 |hello.|\n00000006\n"
        ),
        (
            "echo hello | hexdump",
            "0000000 6568 6c6c 0a6f                         \n0000006\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('C', "canonical"),
    flag('v', "no-squeezing"),
    value('n', "length"),
    value('s', "skip"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let mut bytes = Vec::new();
    for path in inputs(&args) {
        match slurp(&io, &path).await {
            Ok(more) => bytes.extend(more),
            Err(errno) => {
                complain(&io, &format!("{path}: {}", errno.message())).await;
                return 1;
            }
        }
    }
    let number = |letter| {
        args.value(letter)
            .and_then(|text| text.parse::<usize>().ok())
    };
    let skip = number('s').unwrap_or(0).min(bytes.len());
    let end = number('n').map_or(bytes.len(), |length| bytes.len().min(skip + length));
    let text = dump(&bytes[skip..end], skip, args.has('C'), args.has('v'));
    io.print(&text).await;
    0
}

fn dump(bytes: &[u8], skip: usize, canonical: bool, whole: bool) -> String {
    let mut text = String::new();
    let (mut before, mut starred): (&[u8], bool) = (&[], false);
    for (at, line) in bytes.chunks(16).enumerate() {
        let repeats = line.len() == 16 && line == before && !whole;
        (before, starred) = match (repeats, starred) {
            (true, true) => continue,
            (true, false) => {
                text.push_str("*\n");
                (before, true)
            }
            (false, _) => (line, false),
        };
        if repeats {
            continue;
        }
        let offset = skip + at * 16;
        text.push_str(&match canonical {
            true => canonical_line(offset, line),
            false => words_line(offset, line),
        });
    }
    let end = skip + bytes.len();
    match (bytes.is_empty(), canonical) {
        (true, _) => {}
        (_, true) => text.push_str(&format!("{end:08x}\n")),
        (_, false) => text.push_str(&format!("{end:07x}\n")),
    }
    text
}

fn canonical_line(offset: usize, line: &[u8]) -> String {
    let half = |bytes: &[u8]| {
        let words: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        words.join(" ")
    };
    let (left, right) = line.split_at(line.len().min(8));
    let shown = printable(line);
    format!(
        "{offset:08x}  {:23}  {:23}  |{shown}|\n",
        half(left),
        half(right)
    )
}

fn words_line(offset: usize, line: &[u8]) -> String {
    let word = |pair: &[u8]| {
        let high = pair.get(1).copied().unwrap_or(0);
        format!("{:04x}", u16::from_le_bytes([pair[0], high]))
    };
    let words: Vec<String> = line.chunks(2).map(word).collect();
    format!("{offset:07x} {:39}\n", words.join(" "))
}
