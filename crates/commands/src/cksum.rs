//! `cksum`: checksums by POSIX's cyclic redundancy check, or by another algorithm.
//! Models coreutils src/cksum.c.

use machine::Io;

use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{complain, slurp, usage_error};
use crate::{md5sum, sha1sum, sha512sum};

tool!(
    "cksum",
    "Compute checksums and count bytes",
    "cksum [OPTION]... [FILE]...",
    main,
    [
        ("echo hello | cksum", "3015617425 6\n"),
        ("printf '' > x; cksum x", "4294967295 0 x\n"),
        (
            "echo hello > x; cksum -a md5 x",
            "MD5 (x) = b1946ac92492d2347c6235b4d2611184\n"
        ),
        (
            "echo hello | cksum --untagged -a md5",
            "b1946ac92492d2347c6235b4d2611184  -\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    value('a', "algorithm"),
    flag('\u{1}', "tag"),
    flag('\u{2}', "untagged"),
];

/// The name it is asked for by, the one it is shown by, and its function.
type Digest = (&'static str, &'static str, fn(&[u8]) -> String);

const DIGESTS: &[Digest] = &[
    ("md5", "MD5", md5sum::digest),
    ("sha1", "SHA1", sha1sum::hex),
    ("sha256", "SHA256", sim::sha256::hex),
    ("sha512", "SHA512", sha512sum::hex),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let asked = args.value('a').map_or("crc", |name| name);
    let digest = DIGESTS.iter().find(|(name, ..)| *name == asked);
    if digest.is_none() && asked != "crc" {
        let why = format!("invalid argument ‘{asked}’ for ‘--algorithm’");
        return usage_error(&io, &why, 1).await;
    }
    let (paths, named) = match args.operands.is_empty() {
        true => (vec!["-".into()], false),
        false => (args.operands.clone(), true),
    };
    let mut status = 0;
    for path in paths {
        let bytes = match slurp(&io, &path).await {
            Ok(bytes) => bytes,
            Err(errno) => {
                complain(&io, &format!("{path}: {}", errno.message())).await;
                status = 1;
                continue;
            }
        };
        let line = match digest {
            Some((.., digest)) if args.has('\u{2}') => format!("{}  {path}", digest(&bytes)),
            Some((_, name, digest)) => format!("{name} ({path}) = {}", digest(&bytes)),
            None => {
                let name = if named {
                    format!(" {path}")
                } else {
                    String::new()
                };
                format!("{} {}{name}", crc(&bytes), bytes.len())
            }
        };
        io.print(&format!("{line}\n")).await;
    }
    status
}

/// The check of POSIX: over the bytes and then over their number, the lowest byte first.
fn crc(bytes: &[u8]) -> u32 {
    let length = bytes.len() as u64;
    let octets = (8 - length.leading_zeros() / 8) as usize;
    let length = length.to_le_bytes();
    let mut sum = 0u32;
    for byte in bytes.iter().chain(&length[..octets]) {
        sum ^= u32::from(*byte) << 24;
        for _ in 0..8 {
            let carry = sum & 0x8000_0000 != 0;
            sum <<= 1;
            if carry {
                sum ^= 0x04C1_1DB7;
            }
        }
    }
    !sum
}
