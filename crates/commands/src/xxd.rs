//! `xxd`: a hexadecimal dump, and back. Models vim's src/xxd/xxd.c.

use machine::{Fd, Io};

use crate::args::{self, Args, flag, value};
use crate::help::tool;
use crate::io::{complain, printable, slurp, usage_error};

tool!(
    "xxd",
    "Make a hexadecimal dump, or do the reverse",
    "xxd [OPTION]... [INFILE [OUTFILE]]",
    main,
    [
        (
            "echo hello | xxd",
            "00000000: 6865 6c6c 6f0a                           hello.\n"
        ),
        ("echo hello | xxd -p", "68656c6c6f0a\n"),
        ("echo 68656c6c6f0a | xxd -r -p", "hello\n"),
        ("echo hello | xxd | xxd -r", "hello\n"),
        (
            "echo hello | xxd -l 2 -u -g1",
            "00000000: 68 65                                            he\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('b', "bits"),
    value('c', "cols"),
    value('g', "groupsize"),
    value('l', "len"),
    flag('p', "plain"),
    flag('r', "revert"),
    value('s', "seek"),
    flag('u', "upper"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let path = args.operands.first().cloned().unwrap_or_else(|| "-".into());
    let bytes = match slurp(&io, &path).await {
        Ok(bytes) => bytes,
        Err(errno) => {
            complain(&io, &format!("{path}: {}", errno.message())).await;
            return 2;
        }
    };
    let made = match (args.has('r'), args.has('p')) {
        (true, plain) => reverted(&String::from_utf8_lossy(&bytes), plain),
        (false, _) => dump(&bytes, &args).into_bytes(),
    };
    match args.operands.get(1) {
        None => io.write_all(Fd::STDOUT, &made).await,
        Some(path) => {
            if let Err(errno) = io.write_file(path, &made).await {
                complain(&io, &format!("{path}: {}", errno.message())).await;
                return 3;
            }
        }
    }
    0
}

fn dump(bytes: &[u8], args: &Args) -> String {
    let number = |letter| args.value(letter).and_then(|text| parse(text));
    let skip = number('s').unwrap_or(0).min(bytes.len());
    let end = number('l').map_or(bytes.len(), |length| {
        bytes.len().min(skip.saturating_add(length))
    });
    let bits = args.has('b');
    let byte = |byte: &u8| match (bits, args.has('u')) {
        (true, _) => format!("{byte:08b}"),
        (false, true) => format!("{byte:02X}"),
        (false, false) => format!("{byte:02x}"),
    };
    let columns = number('c').filter(|columns| *columns > 0);
    if args.has('p') {
        let columns = columns.unwrap_or(30);
        let line = |line: &[u8]| line.iter().map(byte).collect::<String>() + "\n";
        return bytes[skip..end].chunks(columns).map(line).collect();
    }
    let columns = columns.unwrap_or(if bits { 6 } else { 16 });
    let group = number('g').unwrap_or(if bits { 1 } else { 2 });
    let group = if group == 0 { columns } else { group };
    let digits = if bits { 8 } else { 2 };
    let width = columns * digits + columns.div_ceil(group);
    let mut text = String::new();
    for (row, line) in bytes[skip..end].chunks(columns).enumerate() {
        let mut cells = String::new();
        for part in line.chunks(group) {
            cells.extend(part.iter().map(byte));
            cells.push(' ');
        }
        let shown = printable(line);
        text.push_str(&format!(
            "{:08x}: {cells:<width$} {shown}\n",
            skip + row * columns
        ));
    }
    text
}

fn parse(text: &str) -> Option<usize> {
    match text.strip_prefix("0x") {
        Some(hex) => usize::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

/// The bytes of a dump. What is no digit ends a line's numbers, or in a plain dump is passed by.
fn reverted(text: &str, plain: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let pair = |digits: &[char]| {
        let text: String = digits.iter().collect();
        u8::from_str_radix(&text, 16).ok()
    };
    if plain {
        let digits: Vec<char> = text.chars().filter(char::is_ascii_hexdigit).collect();
        return digits.chunks_exact(2).filter_map(pair).collect();
    }
    for line in text.lines() {
        let Some((place, rest)) = line.split_once(':') else {
            continue;
        };
        // Two blanks stand between the numbers and the characters.
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        let cells = rest.split_once("  ").map_or(rest, |(cells, _)| cells);
        let digits: Vec<char> = cells.chars().filter(char::is_ascii_hexdigit).collect();
        let at = usize::from_str_radix(place.trim(), 16).unwrap_or(out.len());
        if at > out.len() {
            out.resize(at, 0);
        }
        out.extend(digits.chunks_exact(2).filter_map(pair));
    }
    out
}
