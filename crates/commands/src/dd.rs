//! `dd`. Models coreutils src/dd.c: whole blocks in and out; conversions of characters are not
//! modelled.

use std::rc::Rc;

use machine::{Errno, Fd, Io, LARGEST_FILE, OpenMode};

use crate::help::tool;
use crate::io::{complain, size, slurp, usage_error};

tool!(
    "dd",
    "Copy a file in blocks",
    "dd [OPERAND]...",
    main,
    [
        (
            "dd if=/dev/zero of=a bs=1K count=3 2>/dev/null; stat -c %s a",
            "3072\n"
        ),
        ("echo hello | dd bs=1 skip=1 count=3 status=none", "ell"),
        (
            "echo hello > a; echo X | dd of=a bs=1 seek=1 count=1 conv=notrunc status=none; cat a",
            "hXllo\n"
        ),
        (
            "dd if=nope",
            "dd: failed to open 'nope': No such file or directory\n"
        ),
        (
            "dd if=/dev/zero of=big bs=1 count=1 seek=300M status=none",
            "dd: failed to open 'big': No space left on device\n"
        ),
        (
            "dd nope",
            "dd: unrecognized operand ‘nope’\nTry 'dd --help' for more information.\n"
        ),
    ]
);

/// The command line, read.
struct Options {
    input: Rc<str>,
    output: Option<Rc<str>>,
    block: u64,
    out_block: u64,
    count: Option<u64>,
    skip: u64,
    seek: u64,
    keeps: bool,
    status: Rc<str>,
}

fn read(words: &[Rc<str>]) -> Result<Options, String> {
    let mut options = Options {
        input: "-".into(),
        output: None,
        block: 512,
        out_block: 512,
        count: None,
        skip: 0,
        seek: 0,
        keeps: false,
        status: "".into(),
    };
    for word in words {
        let wrong = || format!("unrecognized operand ‘{word}’");
        let (key, value) = word.split_once('=').ok_or_else(wrong)?;
        let number = || {
            let plain = value.strip_suffix('c').unwrap_or(value);
            size(plain).ok_or_else(|| format!("invalid number: ‘{value}’"))
        };
        match key {
            "if" => options.input = value.into(),
            "of" => options.output = Some(value.into()),
            "bs" => (options.block, options.out_block) = (number()?, number()?),
            "ibs" => options.block = number()?,
            "obs" => options.out_block = number()?,
            "count" => options.count = Some(number()?),
            "skip" | "iseek" => options.skip = number()?,
            "seek" | "oseek" => options.seek = number()?,
            "conv" => {
                for how in value.split(',') {
                    match how {
                        "notrunc" => options.keeps = true,
                        "fsync" | "fdatasync" | "noerror" | "excl" | "nocreat" => {}
                        _ => {
                            let why = sim::unmodelled!("this conversion of dd");
                            return Err(format!("{why}: {how}"));
                        }
                    }
                }
            }
            "status" => options.status = value.into(),
            "iflag" | "oflag" => {}
            _ => return Err(wrong()),
        }
    }
    match (options.block, options.out_block) {
        (0, _) | (_, 0) => Err("invalid number: ‘0’".to_owned()),
        _ => Ok(options),
    }
}

async fn main(io: Io) -> i32 {
    let options = match read(io.args().get(1..).unwrap_or_default()) {
        Ok(options) => options,
        Err(why) => return usage_error(&io, &why, 1).await,
    };
    let started = io.now().await;
    let bytes = match input(&io, &options).await {
        Ok(bytes) => bytes,
        Err(errno) => {
            let why = errno.message();
            complain(&io, &format!("failed to open '{}': {why}", options.input)).await;
            return 1;
        }
    };
    if let Err(errno) = output(&io, &options, &bytes).await {
        let path = options
            .output
            .clone()
            .unwrap_or_else(|| "standard output".into());
        complain(
            &io,
            &format!("failed to open '{path}': {}", errno.message()),
        )
        .await;
        return 1;
    }
    if &*options.status == "none" {
        return 0;
    }
    let total = bytes.len() as u64;
    let records = |block: u64| {
        format!(
            "{}+{}",
            total / block,
            u64::from(!total.is_multiple_of(block))
        )
    };
    let mut text = format!(
        "{} records in\n{} records out\n",
        records(options.block),
        records(options.out_block)
    );
    if &*options.status != "noxfer" {
        // Writing takes a disk's time, which no clock here measures below a millisecond.
        let taken = u64::try_from(io.now().await.since(started).as_nanos()).unwrap_or(u64::MAX);
        let nanos = taken.max(total + 50_000);
        text.push_str(&copied(total, nanos));
    }
    io.eprint(&text).await;
    0
}

/// `2097152 bytes (2.1 MB, 2.0 MiB) copied, 0.00209715 s, 1.0 GB/s`
fn copied(total: u64, nanos: u64) -> String {
    let s = if total == 1 { "" } else { "s" };
    let sizes = match (scaled(total, 1000), scaled(total, 1024)) {
        (Some(decimal), Some(binary)) => format!(" ({decimal}B, {binary}iB)"),
        (Some(decimal), None) => format!(" ({decimal}B)"),
        _ => String::new(),
    };
    let rate = u64::try_from(u128::from(total) * 1_000_000_000 / u128::from(nanos.max(1)));
    let rate = rate.unwrap_or(u64::MAX);
    let rate = scaled(rate, 1000).unwrap_or_else(|| format!("{rate} "));
    let (whole, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    let seconds = format!("{whole}.{rest:09}");
    format!(
        "{total} byte{s}{sizes} copied, {} s, {rate}B/s\n",
        &seconds[..seconds.len() - 2]
    )
}

/// `2.1 M`; `None` below a thousand.
fn scaled(bytes: u64, step: u64) -> Option<String> {
    let mut unit = step;
    let mut letters = if step == 1000 { "kMGT" } else { "KMGT" }.chars();
    let mut letter = letters.next()?;
    if bytes < unit {
        return None;
    }
    while bytes / unit >= step
        && let Some(next) = letters.next()
    {
        (unit, letter) = (unit * step, next);
    }
    let tenths = (bytes * 10 + unit / 2) / unit;
    Some(match tenths {
        0..100 => format!("{}.{} {letter}", tenths / 10, tenths % 10),
        _ => format!("{} {letter}", tenths / 10),
    })
}

async fn input(io: &Io, options: &Options) -> Result<Vec<u8>, Errno> {
    let skip = options.skip.saturating_mul(options.block);
    let wanted = options
        .count
        .map(|count| count.saturating_mul(options.block));
    if wanted.is_none_or(|wanted| wanted > LARGEST_FILE) && options.input.starts_with("/dev/") {
        return Err(Errno::EFBIG);
    }
    let fd = match &*options.input {
        "-" => Fd::STDIN,
        path => io.open(path, OpenMode::Read).await?,
    };
    let end = wanted.map(|wanted| wanted.saturating_add(skip));
    let mut bytes: Vec<u8> = Vec::new();
    while end.is_none_or(|end| (bytes.len() as u64) < end) {
        let part = io.read(fd).await?;
        if part.is_empty() {
            break;
        }
        bytes.extend_from_slice(&part);
    }
    if fd != Fd::STDIN {
        io.close(fd).await;
    }
    let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
    bytes.truncate(end.map_or(bytes.len(), place));
    let skip = usize::try_from(skip).unwrap_or(usize::MAX).min(bytes.len());
    bytes.drain(..skip);
    Ok(bytes)
}

async fn output(io: &Io, options: &Options, bytes: &[u8]) -> Result<(), Errno> {
    let Some(path) = &options.output else {
        io.write_all(Fd::STDOUT, bytes).await;
        return Ok(());
    };
    if path.starts_with("/dev/") {
        let fd = io.open(path, OpenMode::Truncate).await?;
        io.write_all(fd, bytes).await;
        io.close(fd).await;
        return Ok(());
    }
    let at = options.seek.saturating_mul(options.out_block);
    if at.saturating_add(bytes.len() as u64) > LARGEST_FILE {
        return Err(Errno::ENOSPC);
    }
    let at = usize::try_from(at).map_err(|_| Errno::ENOSPC)?;
    if at == 0 && !options.keeps {
        return io.write_file(path, bytes).await;
    }
    let mut all = slurp(io, path).await.unwrap_or_default();
    if !options.keeps {
        all.truncate(at);
    }
    all.resize(all.len().max(at + bytes.len()), 0);
    all[at..at + bytes.len()].copy_from_slice(bytes);
    io.write_file(path, &all).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_read_as_coreutils_write_them() {
        let check = |total, nanos, expect: &str| assert_eq!(copied(total, nanos), expect);
        check(
            2_097_152,
            2_097_152,
            "2097152 bytes (2.1 MB, 2.0 MiB) copied, 0.0020971 s, 1.0 GB/s\n",
        );
        check(6, 1_000_000, "6 bytes copied, 0.0010000 s, 6.0 kB/s\n");
        check(1, 1_000_000_000, "1 byte copied, 1.0000000 s, 1 B/s\n");
    }
}
