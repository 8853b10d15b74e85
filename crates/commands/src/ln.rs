//! `ln`. Models coreutils src/ln.c; a hard link is a copy, for the file system has none.

use machine::{Errno, Io};

use crate::args::{self, flag, value};
use crate::files;
use crate::help::tool;
use crate::io::{complain, join, split_path, usage_error};

tool!(
    "ln",
    "Make links between files",
    "ln [OPTION]... TARGET LINK_NAME",
    main,
    [
        ("echo hi > a; ln -s a b; cat b; readlink b", "hi\na\n"),
        (
            "touch a b; ln -s a b",
            "ln: failed to create symbolic link 'b': File exists\n"
        ),
        ("touch a b; ln -sf a b; readlink b", "a\n"),
        (
            "ln nope x",
            "ln: failed to access 'nope': No such file or directory\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('f', "force"),
    flag('n', "no-dereference"),
    flag('r', "relative"),
    flag('s', "symbolic"),
    flag('T', "no-target-directory"),
    flag('v', "verbose"),
    value('t', "target-directory"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let mut targets: Vec<String> = args.operands.iter().map(ToString::to_string).collect();
    let last = match (args.value('t'), targets.len()) {
        (_, 0) => return usage_error(&io, "missing file operand", 1).await,
        (Some(dir), _) => dir.to_string(),
        (None, 1) => ".".to_owned(),
        _ => targets.pop().unwrap_or_default(),
    };
    let follows = !(args.has('n') || args.has('T'));
    let into = files::lstat(&io, &last)
        .await
        .is_ok_and(|stat| stat.is_dir())
        || follows && files::is_dir(&io, &last).await;
    let symbolic = args.has('s');
    let mut status = 0;
    for target in &targets {
        let name = if into {
            join(&last, split_path(target).1)
        } else {
            last.clone()
        };
        if !symbolic && let Err(errno) = files::stat(&io, target).await {
            complain(
                &io,
                &format!("failed to access '{target}': {}", errno.message()),
            )
            .await;
            status = 1;
            continue;
        }
        let (from, to, force) = (target.clone(), name.clone(), args.has('f'));
        let made = io
            .sys(move |sys| {
                if sys.lstat(&to).is_ok() {
                    if !force {
                        return Err(Errno::EEXIST);
                    }
                    sys.remove(&to)?;
                }
                if symbolic {
                    sys.symlink(&from, &to)
                } else {
                    files::copy_file(sys, &from, &to)
                }
            })
            .await;
        match made {
            Ok(()) if args.has('v') => io.print(&format!("'{name}' -> '{target}'\n")).await,
            Ok(()) => {}
            Err(errno) => {
                let kind = if symbolic { "symbolic" } else { "hard" };
                let why = errno.message();
                complain(
                    &io,
                    &format!("failed to create {kind} link '{name}': {why}"),
                )
                .await;
                status = 1;
            }
        }
    }
    status
}
