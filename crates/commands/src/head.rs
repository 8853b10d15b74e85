//! `head`. Models coreutils src/head.c.

use machine::{Fd, Io};

use crate::args::{Flag, flag, value};
use crate::files::is_dir;
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
        let done = if bytes && !from_end {
            first_bytes(&io, path, count).await
        } else if from_end {
            whole(&io, path, bytes, count).await
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

/// So many bytes, and no more are read than that: what is read may have no end.
async fn first_bytes(io: &Io, path: &str, count: usize) -> Result<(), machine::Errno> {
    let fd = match path {
        "-" => Fd::STDIN,
        _ if is_dir(io, path).await => return Err(machine::Errno::EISDIR),
        _ => io.open(path, machine::OpenMode::Read).await?,
    };
    let mut left = count;
    while left > 0 {
        let part = io.read(fd).await?;
        if part.is_empty() {
            break;
        }
        let end = left.min(part.len());
        io.write_all(Fd::STDOUT, &part[..end]).await;
        left -= end;
    }
    if fd != Fd::STDIN {
        io.close(fd).await;
    }
    Ok(())
}

/// All but so many bytes or lines at the end.
async fn whole(io: &Io, path: &str, bytes: bool, count: usize) -> Result<(), machine::Errno> {
    let all = slurp(io, path).await?;
    let end = if bytes {
        all.len().saturating_sub(count)
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
