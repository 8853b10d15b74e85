//! `mkdir`. Models coreutils src/mkdir.c.

use machine::{Errno, Io};

use crate::args::{self, flag, value};
use crate::files::change_mode;
use crate::help::tool;
use crate::io::{complain, missing_operand, usage_error};

tool!(
    "mkdir",
    "Create directories",
    "mkdir [OPTION]... DIRECTORY...",
    main,
    [
        ("mkdir -p a/b; ls a", "b\n"),
        ("mkdir -v d", "mkdir: created directory 'd'\n"),
        (
            "mkdir d d",
            "mkdir: cannot create directory ‘d’: File exists\n"
        ),
        (
            "mkdir x/y",
            "mkdir: cannot create directory ‘x/y’: No such file or directory\n"
        ),
        (
            "mkdir",
            "mkdir: missing operand\nTry 'mkdir --help' for more information.\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('p', "parents"),
    flag('v', "verbose"),
    value('m', "mode"),
    flag('Z', ""),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    if args.operands.is_empty() {
        return missing_operand(&io, 1).await;
    }
    let mode = match args.value('m') {
        None => 0o755,
        Some(text) => match change_mode(text, 0o777, true) {
            Some(mode) => mode,
            None => {
                complain(&io, &format!("invalid mode ‘{text}’")).await;
                return 1;
            }
        },
    };
    let mut status = 0;
    for path in &args.operands {
        let mut made = Vec::new();
        let mut failed = None;
        let all = parents(path, args.has('p'));
        for dir in all {
            let name = dir.clone();
            let result = io
                .sys(move |sys| {
                    (
                        sys.mkdir(&name, mode),
                        sys.stat(&name).is_ok_and(|s| s.is_dir()),
                    )
                })
                .await;
            match result {
                (Ok(()), _) => made.push(dir),
                (Err(Errno::EEXIST), true) if args.has('p') => {}
                (Err(errno), _) => {
                    failed = Some((dir, errno));
                    break;
                }
            }
        }
        if args.has('v') {
            for dir in made {
                io.print(&format!("mkdir: created directory '{dir}'\n"))
                    .await;
            }
        }
        if let Some((dir, errno)) = failed {
            complain(
                &io,
                &format!("cannot create directory ‘{dir}’: {}", errno.message()),
            )
            .await;
            status = 1;
        }
    }
    status
}

/// The path, with the directories above it first if they are wanted.
fn parents(path: &str, wanted: bool) -> Vec<String> {
    let path = if path.len() > 1 {
        path.trim_end_matches('/')
    } else {
        path
    };
    let mut all = Vec::new();
    if wanted {
        let above = path
            .match_indices('/')
            .map(|(at, _)| at)
            .filter(|at| *at > 0);
        all.extend(above.map(|at| path[..at].to_owned()));
    }
    all.push(path.to_owned());
    all
}
