//! `head`. Models coreutils src/head.c.

use machine::{Fd, Io};

use crate::args::{Flag, flag, value};
use crate::help::tool;
use crate::io::{Lines, slurp};
use crate::part::{self, Part, unreadable};

tool!(
    "head",
    "Print the first lines of files",
    "head [OPTION]... [FILE]...",
    main,
    [
        ("seq 5 | head -2", "1\n2\n"),
        ("seq 5 | head -n -3", "1\n2\n"),
        ("printf abcdef | head -c 3", "abc"),
        ("head -n x", "head: invalid number of lines: 'x'\n"),
    ]
);

const FLAGS: &[Flag] = &[
    value('n', "lines"),
    value('c', "bytes"),
    flag('q', "quiet"),
    flag('v', "verbose"),
];

async fn main(io: Io) -> i32 {
    let Part {
        bytes,
        turned: from_end,
        count,
        paths,
        titles,
        ..
    } = match part::read(&io, FLAGS, '-').await {
        Ok(part) => part,
        Err(code) => return code,
    };
    let mut status = 0;
    for (at, path) in paths.iter().enumerate() {
        if titles && io.read_file(path).await.is_ok() {
            let gap = if at > 0 { "\n" } else { "" };
            io.print(&format!("{gap}==> {path} <==\n")).await;
        }
        let done = if bytes || from_end {
            whole(&io, path, bytes, from_end, count).await
        } else {
            lines(&io, path, count).await
        };
        if let Err(errno) = done {
            unreadable(&io, path, errno).await;
            status = 1;
        }
    }
    status
}

async fn lines(io: &Io, path: &str, count: usize) -> Result<(), machine::Errno> {
    let mut lines = Lines::open(io, path).await?;
    let mut out = crate::io::Output::default();
    for _ in 0..count {
        let Some(line) = lines.next(io).await? else {
            break;
        };
        out.push(&line);
        out.pace(io, &lines).await;
    }
    out.flush(io).await;
    lines.close(io).await;
    Ok(())
}

async fn whole(
    io: &Io,
    path: &str,
    bytes: bool,
    from_end: bool,
    count: usize,
) -> Result<(), machine::Errno> {
    let all = slurp(io, path).await?;
    let end = if bytes {
        if from_end {
            all.len().saturating_sub(count)
        } else {
            count.min(all.len())
        }
    } else {
        let total = all.split_inclusive(|byte| *byte == b'\n').count();
        let keep = total.saturating_sub(count);
        all.split_inclusive(|byte| *byte == b'\n')
            .take(keep)
            .map(<[u8]>::len)
            .sum()
    };
    io.write_all(Fd::STDOUT, &all[..end]).await;
    Ok(())
}
