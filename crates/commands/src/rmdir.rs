//! `rmdir`. Models coreutils src/rmdir.c.

use machine::{Errno, Io};

use crate::args::{self, flag};
use crate::help::tool;
use crate::io::{complain, missing_operand, split_path, usage_error};

tool!(
    "rmdir",
    "Remove empty directories",
    "rmdir [OPTION]... DIRECTORY...",
    main,
    [
        ("mkdir d; rmdir d; ls", ""),
        (
            "mkdir d; touch d/f; rmdir d",
            "rmdir: failed to remove 'd': Directory not empty\n"
        ),
        ("mkdir -p a/b; rmdir -p a/b; ls", ""),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('p', "parents"),
    flag('v', "verbose"),
    flag('\u{1}', "ignore-fail-on-non-empty"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    if args.operands.is_empty() {
        return missing_operand(&io, 1).await;
    }
    let mut status = 0;
    for operand in &args.operands {
        let mut path = operand.trim_end_matches('/').to_owned();
        loop {
            if args.has('v') {
                io.print(&format!("rmdir: removing directory, '{path}'\n"))
                    .await;
            }
            let name = path.clone();
            let removed = io
                .sys(move |sys| {
                    let stat = sys.lstat(&name)?;
                    if stat.is_dir() {
                        sys.remove(&name)
                    } else {
                        Err(Errno::ENOTDIR)
                    }
                })
                .await;
            if let Err(errno) = removed {
                if !(errno == Errno::ENOTEMPTY && args.has('\u{1}')) {
                    complain(
                        &io,
                        &format!("failed to remove '{path}': {}", errno.message()),
                    )
                    .await;
                    status = 1;
                }
                break;
            }
            let above = split_path(&path).0.to_owned();
            if !args.has('p') || above == "." || above == "/" {
                break;
            }
            path = above;
        }
    }
    status
}
