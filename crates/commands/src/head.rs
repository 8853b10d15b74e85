//! `head`. Models coreutils src/head.c.

use machine::{Fd, Io};

use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{Lines, complain, inputs, size, slurp, usage_error};

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

const FLAGS: &[args::Flag] = &[
    value('n', "lines"),
    value('c', "bytes"),
    flag('q', "quiet"),
    flag('v', "verbose"),
];

async fn main(io: Io) -> i32 {
    // `-5` in the first place is `-n 5`.
    let words: Vec<_> = io
        .args()
        .iter()
        .enumerate()
        .map(|(at, arg)| match arg.strip_prefix('-') {
            Some(digits) if at == 1 && digits.starts_with(|c: char| c.is_ascii_digit()) => {
                format!("-n{digits}").into()
            }
            _ => arg.clone(),
        })
        .collect();
    let args = match args::parse(FLAGS, &words) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let bytes = args.last_of("nc") == Some('c');
    let text = args
        .value(if bytes { 'c' } else { 'n' })
        .map_or("10", |text| text);
    let (from_end, number) = match text.strip_prefix('-') {
        Some(number) => (true, number),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let Some(count) = size(number) else {
        let unit = if bytes { "bytes" } else { "lines" };
        complain(&io, &format!("invalid number of {unit}: '{text}'")).await;
        return 1;
    };
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let paths = inputs(&args);
    let titles = args.has('v') || (paths.len() > 1 && !args.has('q'));
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
            let what = format!("cannot open '{path}' for reading: {}", errno.message());
            let what = match errno {
                machine::Errno::EISDIR => format!("error reading '{path}': {}", errno.message()),
                _ => what,
            };
            complain(&io, &what).await;
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
