//! `mv`. Models coreutils src/mv.c.

use machine::{Errno, Io};

use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{complain, join, split_path, usage_error};
use crate::{cp, files};

tool!(
    "mv",
    "Rename files, or move them to a directory",
    "mv [OPTION]... SOURCE... DEST",
    main,
    [
        ("echo hi > a; mv a b; ls; cat b", "b\nhi\n"),
        ("mkdir d; touch a; mv -v a d", "renamed 'a' -> 'd/a'\n"),
        (
            "mv nope x",
            "mv: cannot stat 'nope': No such file or directory\n"
        ),
        ("touch a; mv a a", "mv: 'a' and 'a' are the same file\n"),
        (
            "mkdir d; mv d d/e",
            "mv: cannot move 'd' to a subdirectory of itself, 'd/e'\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('f', "force"),
    flag('i', "interactive"),
    flag('n', "no-clobber"),
    flag('T', "no-target-directory"),
    value('t', "target-directory"),
    flag('u', "update"),
    flag('v', "verbose"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let (sources, target) = match cp::target(&io, &args).await {
        Ok(found) => found,
        Err(status) => return status,
    };
    let into = args.value('t').is_some() || !args.has('T') && files::is_dir(&io, &target).await;
    let mut status = 0;
    for source in &sources {
        let to = if into {
            join(&target, split_path(source).1)
        } else {
            target.clone()
        };
        if let Err(errno) = files::lstat(&io, source).await {
            complain(&io, &format!("cannot stat '{source}': {}", errno.message())).await;
            status = 1;
            continue;
        }
        if args.has('n') && files::lstat(&io, &to).await.is_ok() {
            continue;
        }
        let (from, name) = (source.clone(), to.clone());
        let moved = io
            .sys(move |sys| {
                let (a, b) = (
                    files::real_path(sys, &from, true),
                    files::real_path(sys, &name, true),
                );
                if a.is_ok() && a == b {
                    return Err(Errno::EALREADY);
                }
                match sys.rename(&from, &name) {
                    Err(Errno::EXDEV) => {
                        let mut failures = Vec::new();
                        files::copy_tree(sys, &from, &name, true, &mut failures);
                        match failures.pop() {
                            Some((_, errno)) => Err(errno),
                            None => sys.remove_all(&from),
                        }
                    }
                    result => result,
                }
            })
            .await;
        match moved {
            Ok(()) if args.has('v') => io.print(&format!("renamed '{source}' -> '{to}'\n")).await,
            Ok(()) => {}
            Err(errno) => {
                let what = match errno {
                    Errno::EALREADY => format!("'{source}' and '{to}' are the same file"),
                    Errno::EINVAL => {
                        format!("cannot move '{source}' to a subdirectory of itself, '{to}'")
                    }
                    Errno::EISDIR => {
                        format!("cannot overwrite directory '{to}' with non-directory '{source}'")
                    }
                    Errno::ENOTDIR => {
                        format!("cannot overwrite non-directory '{to}' with directory '{source}'")
                    }
                    _ => format!("cannot move '{source}' to '{to}': {}", errno.message()),
                };
                complain(&io, &what).await;
                status = 1;
            }
        }
    }
    status
}
