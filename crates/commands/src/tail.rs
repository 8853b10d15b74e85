//! `tail`. Models coreutils src/tail.c.

use std::rc::Rc;

use machine::{Fd, Io};
use sim::Duration;

use crate::args::{Flag, flag, maybe, value};
use crate::help::tool;
use crate::io::slurp;
use crate::part::{self, Part, unreadable};

tool!(
    "tail",
    "Print the last lines of files",
    "tail [OPTION]... [FILE]...",
    main,
    [
        ("seq 5 | tail -2", "4\n5\n"),
        ("seq 5 | tail -n +4", "4\n5\n"),
        ("printf abcdef | tail -c 2", "ef"),
        (
            "tail /nope",
            "tail: cannot open '/nope' for reading: No such file or directory\n"
        ),
    ]
);

const FLAGS: &[Flag] = &[
    value('n', "lines"),
    value('c', "bytes"),
    maybe('\u{1}', "follow"),
    flag('f', ""),
    flag('F', ""),
    flag('q', "quiet"),
    flag('v', "verbose"),
    value('s', "sleep-interval"),
    value('\u{2}', "pid"),
    flag('\u{3}', "retry"),
];

async fn main(io: Io) -> i32 {
    let Part {
        args,
        bytes,
        turned: from_start,
        count,
        paths,
        titles,
    } = match part::read(&io, FLAGS, '+').await {
        Ok(part) => part,
        Err(code) => return code,
    };
    let mut status = 0;
    let mut followed = Vec::new();
    for (at, path) in paths.iter().enumerate() {
        let all = match slurp(&io, path).await {
            Ok(all) => all,
            Err(errno) => {
                unreadable(&io, path, errno).await;
                status = 1;
                // `-F` waits for a file that is not there yet.
                if args.has('F') {
                    followed.push((path.clone(), 0));
                }
                continue;
            }
        };
        if titles {
            let gap = if at > 0 { "\n" } else { "" };
            let name = if &**path == "-" {
                "standard input"
            } else {
                path
            };
            io.print(&format!("{gap}==> {name} <==\n")).await;
        }
        io.write_all(Fd::STDOUT, &all[start(&all, bytes, from_start, count)..])
            .await;
        followed.push((path.clone(), all.len()));
    }
    let follows = args.has('f') || args.has('F') || args.has('\u{1}');
    if follows && !followed.is_empty() && followed.iter().any(|(path, _)| &**path != "-") {
        follow(&io, followed, titles).await;
    }
    status
}

fn start(all: &[u8], bytes: bool, from_start: bool, count: usize) -> usize {
    if bytes {
        return if from_start {
            count.saturating_sub(1).min(all.len())
        } else {
            all.len().saturating_sub(count)
        };
    }
    let lines: Vec<usize> = all
        .split_inclusive(|byte| *byte == b'\n')
        .map(<[u8]>::len)
        .collect();
    let skip = if from_start {
        count.saturating_sub(1)
    } else {
        lines.len().saturating_sub(count)
    };
    lines.iter().take(skip).sum()
}

/// Prints what is added to files until it is stopped; they are looked at each second.
async fn follow(io: &Io, mut files: Vec<(Rc<str>, usize)>, titles: bool) {
    let mut last = files.len() - 1;
    loop {
        io.sleep(Duration::from_secs(1)).await;
        for (at, (path, seen)) in files.iter_mut().enumerate() {
            let (name, from) = (path.clone(), *seen);
            let new = io
                .sys(move |sys| {
                    let all = sys.read_file(&name).ok()?;
                    if all.len() == from {
                        return None;
                    }
                    // A file that shrank was written anew.
                    let from = if all.len() < from { 0 } else { from };
                    Some((all.len(), Rc::<[u8]>::from(&all[from..])))
                })
                .await;
            let Some((length, bytes)) = new else { continue };
            *seen = length;
            if titles && last != at {
                io.print(&format!("\n==> {path} <==\n")).await;
                last = at;
            }
            io.write_all(Fd::STDOUT, &bytes).await;
        }
    }
}
