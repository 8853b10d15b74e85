//! `truncate`. Models coreutils src/truncate.c.

use machine::{Errno, Io, LARGEST_FILE};

use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{complain, size, usage_error};

tool!(
    "truncate",
    "Shrink or extend files",
    "truncate -s SIZE FILE...",
    main,
    [
        (
            "truncate -s 1K a; stat -c %s a; truncate -s -24 a; stat -c %s a",
            "1024\n1000\n"
        ),
        (
            "truncate -s 1T big",
            "truncate: failed to truncate 'big' at 1099511627776 bytes: File too large\n"
        ),
        (
            "truncate a",
            "truncate: you must specify either ‘--size’ or ‘--reference’\nTry 'truncate --help' for \
             more information.\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('c', "no-create"),
    flag('o', "io-blocks"),
    value('r', "reference"),
    value('s', "size"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let Some(told) = args.value('s') else {
        let why = "you must specify either ‘--size’ or ‘--reference’";
        return usage_error(&io, why, 1).await;
    };
    if args.operands.is_empty() {
        return usage_error(&io, "missing file operand", 1).await;
    }
    let digits = told.trim_start_matches(['+', '-', '<', '>', '/', '%']);
    let Some(number) = size(digits) else {
        complain(&io, &format!("Invalid number: ‘{told}’")).await;
        return 1;
    };
    for path in &args.operands {
        let old = io.read_file(path).await.ok();
        if old.is_none() && args.has('c') {
            continue;
        }
        let mut bytes = old.map(|bytes| bytes.to_vec()).unwrap_or_default();
        let length = bytes.len() as u64;
        let new = match told.chars().next() {
            Some('+') => length.saturating_add(number),
            Some('-') => length.saturating_sub(number),
            Some('<') => length.min(number),
            Some('>') => length.max(number),
            Some('/') => length - length % number.max(1),
            Some('%') => length
                .checked_next_multiple_of(number.max(1))
                .unwrap_or(u64::MAX),
            _ => number,
        };
        if new > LARGEST_FILE {
            let why = Errno::EFBIG.message();
            complain(
                &io,
                &format!("failed to truncate '{path}' at {new} bytes: {why}"),
            )
            .await;
            return 1;
        }
        bytes.resize(usize::try_from(new).unwrap_or_default(), 0);
        if let Err(errno) = io.write_file(path, &bytes).await {
            let why = errno.message();
            complain(&io, &format!("cannot open '{path}' for writing: {why}")).await;
            return 1;
        }
    }
    0
}
