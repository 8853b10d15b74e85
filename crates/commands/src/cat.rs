//! `cat`. Models coreutils src/cat.c.

use machine::{Errno, Fd, Io};

use crate::args::{self, flag};
use crate::facts::busybox;
use crate::help::tool;
use crate::io::{Lines, Output, complain, inputs, usage_error};

tool!(
    "cat",
    "Concatenate files to standard output",
    "cat [OPTION]... [FILE]...",
    main,
    [
        ("printf 'a\\nb\\n' | cat -n", "     1\ta\n     2\tb\n"),
        ("printf 'a\\tb\\n' | cat -A", "a^Ib$\n"),
        ("cat /nope", "cat: /nope: No such file or directory\n"),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('A', "show-all"),
    flag('b', "number-nonblank"),
    flag('e', ""),
    flag('E', "show-ends"),
    flag('n', "number"),
    flag('s', "squeeze-blank"),
    flag('t', ""),
    flag('T', "show-tabs"),
    flag('u', ""),
    flag('v', "show-nonprinting"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let mut status = 0;
    let mut number = 0;
    let mut blank = false;
    for path in inputs(&args) {
        let mut lines = match Lines::open(&io, &path).await {
            Ok(lines) => lines,
            Err(errno) => {
                let why = errno.message();
                let what = match (busybox(&io).await, errno) {
                    (false, _) => format!("{path}: {why}"),
                    (true, Errno::EISDIR) => format!("read error: {why}"),
                    (true, _) => format!("can't open '{path}': {why}"),
                };
                complain(&io, &what).await;
                status = 1;
                continue;
            }
        };
        if args.options.is_empty() {
            status |= copy(&io, &path, lines).await;
            continue;
        }
        let mut out = Output::default();
        loop {
            let line = match lines.next(&io).await {
                Ok(Some(line)) => line,
                Ok(None) => break,
                Err(errno) => {
                    complain(&io, &format!("{path}: {}", errno.message())).await;
                    status = 1;
                    break;
                }
            };
            let empty = line == b"\n";
            if args.has('s') && empty && blank {
                continue;
            }
            blank = empty;
            if args.has('n') && !args.has('b') || args.has('b') && !empty {
                number += 1;
                out.push(format!("{number:6}\t").as_bytes());
            }
            out.push(&shown(&line, &args));
            out.pace(&io, &lines).await;
        }
        out.flush(&io).await;
    }
    status
}

/// Passes an input on as it comes.
async fn copy(io: &Io, path: &str, mut lines: Lines) -> i32 {
    let mut fd = Fd::STDIN;
    if path != "-" {
        lines.close(io).await;
        match io.open(path, machine::OpenMode::Read).await {
            Ok(opened) => fd = opened,
            Err(_) => return 1,
        }
    }
    loop {
        match io.read(fd).await {
            Ok(bytes) if bytes.is_empty() => break,
            Ok(bytes) => io.write_all(Fd::STDOUT, &bytes).await,
            Err(errno) => {
                complain(io, &format!("{path}: {}", errno.message())).await;
                return 1;
            }
        }
    }
    if fd != Fd::STDIN {
        io.close(fd).await;
    }
    0
}

fn shown(line: &[u8], args: &args::Args) -> Vec<u8> {
    let all = args.has('A');
    let ends = all || args.has('E') || args.has('e');
    let tabs = all || args.has('T') || args.has('t');
    let controls = all || args.has('v') || args.has('e') || args.has('t');
    let mut out = Vec::new();
    for byte in line {
        match byte {
            b'\n' if ends => out.extend(b"$\n"),
            b'\t' if tabs => out.extend(b"^I"),
            b'\n' | b'\t' => out.push(*byte),
            0..=31 if controls => out.extend([b'^', byte + 64]),
            127 if controls => out.extend(b"^?"),
            128.. if controls => {
                out.extend(b"M-");
                match byte - 128 {
                    low @ 0..=31 => out.extend([b'^', low + 64]),
                    127 => out.extend(b"^?"),
                    low => out.push(low),
                }
            }
            byte => out.push(*byte),
        }
    }
    out
}
