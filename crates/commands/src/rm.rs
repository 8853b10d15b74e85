//! `rm`. Models coreutils src/rm.c and remove.c.

use machine::{Errno, Fd, Io};

use crate::args::{self, flag, maybe};
use crate::files;
use crate::help::tool;
use crate::io::{complain, missing_operand, own_name, split_path, text, usage_error};

tool!(
    "rm",
    "Remove files or directories",
    "rm [OPTION]... [FILE]...",
    main,
    [
        ("touch a b; rm a; ls", "b\n"),
        ("mkdir d; rm d", "rm: cannot remove 'd': Is a directory\n"),
        (
            "mkdir -p d/e; touch d/e/f; rm -rv d",
            "removed 'd/e/f'\nremoved directory 'd/e'\nremoved directory 'd'\n"
        ),
        (
            "rm nope; rm -f nope",
            "rm: cannot remove 'nope': No such file or directory\n"
        ),
        (
            "rm -rf .",
            "rm: refusing to remove '.' or '..' directory: skipping '.'\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('d', "dir"),
    flag('f', "force"),
    flag('i', ""),
    flag('I', ""),
    flag('r', "recursive"),
    flag('R', ""),
    flag('v', "verbose"),
    maybe('\u{1}', "interactive"),
    flag('\u{2}', "one-file-system"),
    flag('\u{3}', "no-preserve-root"),
    maybe('\u{4}', "preserve-root"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    if args.operands.is_empty() {
        return if args.has('f') {
            0
        } else {
            missing_operand(&io, 1).await
        };
    }
    let recursive = args.has('r') || args.has('R');
    let asks = args.last_of("fi") == Some('i');
    let mut status = 0;
    for path in &args.operands {
        let name = split_path(path).1;
        if matches!(name, "." | "..") && recursive {
            let what = format!("refusing to remove '.' or '..' directory: skipping '{path}'");
            complain(&io, &what).await;
            status = 1;
            continue;
        }
        if path.chars().all(|c| c == '/') && recursive && !args.has('\u{3}') {
            complain(&io, "it is dangerous to operate recursively on '/'").await;
            complain(&io, "use --no-preserve-root to override this failsafe").await;
            status = 1;
            continue;
        }
        let stat = match files::lstat(&io, path).await {
            Ok(stat) => stat,
            Err(Errno::ENOENT | Errno::ENOTDIR) if args.has('f') => continue,
            Err(errno) => {
                complain(&io, &format!("cannot remove '{path}': {}", errno.message())).await;
                status = 1;
                continue;
            }
        };
        if stat.is_dir() && !recursive && !args.has('d') {
            complain(&io, &format!("cannot remove '{path}': Is a directory")).await;
            status = 1;
            continue;
        }
        status |= remove(&io, path, stat.is_dir(), recursive, asks, args.has('v')).await;
    }
    status
}

/// Removes what is below first. One path at a time, so that each failure is told by name.
async fn remove(
    io: &Io,
    path: &str,
    is_dir: bool,
    recursive: bool,
    asks: bool,
    tells: bool,
) -> i32 {
    let mut todo = vec![(path.to_owned(), is_dir, false)];
    let mut status = 0;
    while let Some((path, is_dir, emptied)) = todo.pop() {
        if is_dir && recursive && !emptied {
            let entries = files::read_dir(io, &path).await.unwrap_or_default();
            todo.push((path.clone(), true, true));
            let below = entries.into_iter().rev();
            todo.extend(
                below.map(|entry| (format!("{path}/{}", entry.name), entry.stat.is_dir(), false)),
            );
            continue;
        }
        if asks {
            let what = if is_dir { "directory" } else { "regular file" };
            io.eprint(&format!("{}: remove {what} '{path}'? ", own_name(io)))
                .await;
            let answer = io.read(Fd::STDIN).await.unwrap_or_else(|_| [].into());
            if !text(&answer).trim_start().starts_with(['y', 'Y']) {
                continue;
            }
        }
        let name = path.clone();
        match io.sys(move |sys| sys.remove(&name)).await {
            Ok(()) if tells && is_dir => io.print(&format!("removed directory '{path}'\n")).await,
            Ok(()) if tells => io.print(&format!("removed '{path}'\n")).await,
            Ok(()) => {}
            Err(errno) => {
                complain(io, &format!("cannot remove '{path}': {}", errno.message())).await;
                status = 1;
            }
        }
    }
    status
}
