//! `cp`. Models coreutils src/cp.c and copy.c.

use machine::{Errno, Io};

use crate::args::{self, flag, maybe, value};
use crate::files;
use crate::help::tool;
use crate::io::{complain, join, split_path, usage_error};

tool!(
    "cp",
    "Copy files and directories",
    "cp [OPTION]... SOURCE... DEST",
    main,
    [
        ("echo hi > a; cp a b; cat b", "hi\n"),
        (
            "mkdir d; cp d e",
            "cp: -r not specified; omitting directory 'd'\n"
        ),
        ("mkdir d; touch d/x; cp -r d e; ls e", "x\n"),
        (
            "mkdir d; touch a b; cp -v a b d",
            "'a' -> 'd/a'\n'b' -> 'd/b'\n"
        ),
        (
            "cp nope x",
            "cp: cannot stat 'nope': No such file or directory\n"
        ),
        (
            "touch a; cp a",
            "cp: missing destination file operand after 'a'\nTry 'cp --help' for more information.\n"
        ),
        (
            "touch a b; cp a b c",
            "cp: target 'c': No such file or directory\n"
        ),
        ("touch a; cp a a", "cp: 'a' and 'a' are the same file\n"),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('a', "archive"),
    flag('d', ""),
    flag('f', "force"),
    flag('i', "interactive"),
    flag('L', "dereference"),
    flag('n', "no-clobber"),
    flag('P', "no-dereference"),
    flag('p', ""),
    maybe('\u{1}', "preserve"),
    flag('R', ""),
    flag('r', "recursive"),
    flag('T', "no-target-directory"),
    value('t', "target-directory"),
    flag('u', "update"),
    flag('v', "verbose"),
    flag('x', "one-file-system"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let (sources, target) = match target(&io, &args).await {
        Ok(found) => found,
        Err(status) => return status,
    };
    let recursive = args.has('r') || args.has('R') || args.has('a');
    let preserve = args.has('p') || args.has('a') || args.has('\u{1}');
    let into = args.value('t').is_some() || !args.has('T') && files::is_dir(&io, &target).await;
    let mut status = 0;
    for source in &sources {
        let to = if into {
            join(&target, split_path(source).1)
        } else {
            target.clone()
        };
        let stat = match files::stat(&io, source).await {
            Ok(stat) => stat,
            Err(errno) => {
                complain(&io, &format!("cannot stat '{source}': {}", errno.message())).await;
                status = 1;
                continue;
            }
        };
        if stat.is_dir() && !recursive {
            complain(
                &io,
                &format!("-r not specified; omitting directory '{source}'"),
            )
            .await;
            status = 1;
            continue;
        }
        let old = files::stat(&io, &to).await.ok();
        if args.has('n') && old.is_some() {
            continue;
        }
        if args.has('u') && old.is_some_and(|old| old.mtime >= stat.mtime) {
            continue;
        }
        let (from, into, links) = (source.clone(), to.clone(), recursive && !args.has('L'));
        let failures = io
            .sys(move |sys| {
                let (real_from, real_to) = (
                    files::real_path(sys, &from, false),
                    files::real_path(sys, &into, true),
                );
                if real_from.is_ok() && real_from == real_to {
                    return Err(());
                }
                let mut failures = Vec::new();
                if links {
                    files::copy_tree(sys, &from, &into, preserve, &mut failures);
                } else if let Err(errno) = files::copy_file(sys, &from, &into) {
                    failures.push((into.clone(), errno));
                } else if preserve {
                    let _ = sys.chmod(&into, stat.mode);
                }
                Ok(failures)
            })
            .await;
        let Ok(failures) = failures else {
            complain(&io, &format!("'{source}' and '{to}' are the same file")).await;
            status = 1;
            continue;
        };
        if args.has('v') && failures.is_empty() {
            io.print(&format!("'{source}' -> '{to}'\n")).await;
        }
        for (path, errno) in failures {
            status = 1;
            let why = errno.message();
            let what = match errno {
                Errno::ENOENT | Errno::EISDIR | Errno::EROFS if path == to => {
                    format!("cannot create regular file '{path}': {why}")
                }
                _ => format!("cannot open '{path}' for reading: {why}"),
            };
            complain(&io, &what).await;
        }
    }
    status
}

/// Sources and target of `cp` and `mv`, or the status after saying what is wrong.
pub(crate) async fn target(io: &Io, args: &args::Args) -> Result<(Vec<String>, String), i32> {
    let mut sources: Vec<String> = args.operands.iter().map(ToString::to_string).collect();
    if let Some(target) = args.value('t') {
        if sources.is_empty() {
            return Err(usage_error(io, "missing file operand", 1).await);
        }
        return Ok((sources, target.to_string()));
    }
    let Some(target) = sources.pop() else {
        return Err(usage_error(io, "missing file operand", 1).await);
    };
    if sources.is_empty() {
        let what = format!("missing destination file operand after '{target}'");
        return Err(usage_error(io, &what, 1).await);
    }
    if sources.len() > 1 && !files::is_dir(io, &target).await {
        let why = match files::stat(io, &target).await {
            Ok(_) => "Not a directory",
            Err(errno) => errno.message(),
        };
        complain(io, &format!("target '{target}': {why}")).await;
        return Err(1);
    }
    Ok((sources, target))
}
