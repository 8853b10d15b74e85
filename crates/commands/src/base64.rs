//! `base64`. Models coreutils src/basenc.c.

use machine::{Fd, Io};

use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{complain, inputs, slurp, usage_error};

tool!(
    "base64",
    "Encode or decode base64",
    "base64 [OPTION]... [FILE]",
    main,
    [
        ("echo -n hello | base64", "aGVsbG8=\n"),
        ("echo aGVsbG8= | base64 -d", "hello"),
        ("echo '***' | base64 -d", "base64: invalid input\n"),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('d', "decode"),
    flag('i', "ignore-garbage"),
    value('w', "wrap"),
];

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let path = inputs(&args)[0].clone();
    let bytes = match slurp(&io, &path).await {
        Ok(bytes) => bytes,
        Err(errno) => {
            complain(&io, &format!("{path}: {}", errno.message())).await;
            return 1;
        }
    };
    if args.has('d') {
        let (decoded, valid) = decode(&bytes, args.has('i'));
        io.write_all(Fd::STDOUT, &decoded).await;
        if !valid {
            complain(&io, "invalid input").await;
            return 1;
        }
        return 0;
    }
    let wrap = match args.value('w').map(|text| text.parse::<usize>()) {
        None => 76,
        Some(Ok(wrap)) => wrap,
        Some(Err(_)) => {
            let text = args.value('w').cloned().unwrap_or_default();
            complain(&io, &format!("invalid wrap size: ‘{text}’")).await;
            return 1;
        }
    };
    let text = encode(&bytes);
    let mut out = String::new();
    if wrap == 0 {
        out.push_str(&text);
    } else {
        for line in text.as_bytes().chunks(wrap) {
            out.extend(line.iter().map(|byte| char::from(*byte)));
            out.push('\n');
        }
    }
    io.print(&out).await;
    0
}

/// Bytes as base64 on one line.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let value = group
            .iter()
            .chain([0, 0].iter())
            .take(3)
            .fold(0u32, |v, b| v << 8 | u32::from(*b));
        for at in 0..4 {
            let index = (value >> (18 - 6 * at) & 63) as usize;
            out.push(if at <= group.len() {
                char::from(ALPHABET[index])
            } else {
                '='
            });
        }
    }
    out
}

/// What could be decoded, and whether that was all.
pub(crate) fn decode(bytes: &[u8], lenient: bool) -> (Vec<u8>, bool) {
    let mut out = Vec::new();
    let (mut value, mut count, mut padding) = (0u32, 0, 0);
    for byte in bytes {
        if *byte == b'\n' {
            continue;
        }
        if *byte == b'=' && count > 1 {
            padding += 1;
            count += 1;
            value <<= 6;
        } else if let Some(index) = ALPHABET
            .iter()
            .position(|own| own == byte)
            .filter(|_| padding == 0)
        {
            value = value << 6 | index as u32;
            count += 1;
        } else if lenient {
            continue;
        } else {
            return (out, false);
        }
        if count == 4 {
            let group = [(value >> 16) as u8, (value >> 8) as u8, value as u8];
            out.extend_from_slice(&group[..3 - padding.min(2)]);
            (value, count) = (0, 0);
            if padding > 0 {
                padding = 0;
            }
        }
    }
    (out, count == 0)
}
