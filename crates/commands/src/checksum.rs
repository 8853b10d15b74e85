//! What the checksum tools share: files in, lines of digests out, and `-c`.

use machine::Io;

use crate::args::{self, flag};
use crate::io::{complain, inputs, slurp, slurp_text, usage_error};

const FLAGS: &[args::Flag] = &[
    flag('b', "binary"),
    flag('c', "check"),
    flag('t', "text"),
    flag('\u{1}', "quiet"),
    flag('\u{2}', "status"),
];

/// Runs a checksum tool around its function.
pub(crate) async fn run(io: &Io, digest: fn(&[u8]) -> String) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(io, &message, 1).await,
    };
    let mut status = 0;
    for path in inputs(&args) {
        if args.has('c') {
            status |= check(io, &path, digest, &args).await;
            continue;
        }
        match slurp(io, &path).await {
            Ok(bytes) => io.print(&format!("{}  {path}\n", digest(&bytes))).await,
            Err(errno) => {
                complain(io, &format!("{path}: {}", errno.message())).await;
                status = 1;
            }
        }
    }
    status
}

async fn check(io: &Io, path: &str, digest: fn(&[u8]) -> String, args: &args::Args) -> i32 {
    let text = match slurp_text(io, path).await {
        Ok(text) => text,
        Err(errno) => {
            complain(io, &format!("{path}: {}", errno.message())).await;
            return 1;
        }
    };
    let mut failed = 0;
    for line in text.lines() {
        let Some((expected, name)) = line.split_once(' ') else {
            continue;
        };
        let name = name.trim_start_matches([' ', '*']);
        let same = slurp(io, name)
            .await
            .is_ok_and(|bytes| digest(&bytes) == expected);
        failed += usize::from(!same);
        if !(args.has('\u{2}') || (same && args.has('\u{1}'))) {
            io.print(&format!("{name}: {}\n", if same { "OK" } else { "FAILED" }))
                .await;
        }
    }
    if failed > 0 && !args.has('\u{2}') {
        let s = if failed == 1 { "" } else { "s" };
        complain(
            io,
            &format!("WARNING: {failed} computed checksum{s} did NOT match"),
        )
        .await;
    }
    i32::from(failed > 0)
}
