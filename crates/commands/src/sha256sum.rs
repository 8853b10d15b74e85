//! `sha256sum`. Models coreutils src/digest.c; the function is that of FIPS 180-4.

use machine::Io;

use crate::checksum;
use crate::help::tool;

tool!(
    "sha256sum",
    "Print SHA256 checksums",
    "sha256sum [OPTION]... [FILE]...",
    main,
    [(
        "echo -n abc | sha256sum",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  -\n"
    ),]
);

async fn main(io: Io) -> i32 {
    checksum::run(&io, sim::sha256::hex).await
}
