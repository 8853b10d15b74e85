//! `stat`. Models coreutils src/stat.c; inodes and blocks are not modelled and read as zero.

use machine::{FileKind, Io, Stat};

use crate::args::{self, flag, value};
use crate::files::{self, mode_text};
use crate::help::tool;
use crate::io::{complain, missing_operand, usage_error};

tool!(
    "stat",
    "Display file status",
    "stat [OPTION]... FILE...",
    main,
    [
        ("echo hi > a; stat -c '%n %s %F' a", "a 3 regular file\n"),
        (
            "stat nope",
            "stat: cannot statx 'nope': No such file or directory\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('L', "dereference"),
    flag('f', "file-system"),
    value('c', "format"),
    value('\u{1}', "printf"),
    flag('t', "terse"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    if args.operands.is_empty() {
        return missing_operand(&io, 1).await;
    }
    let mut status = 0;
    for path in &args.operands {
        let (name, follow) = (path.clone(), args.has('L'));
        let found = io
            .sys(move |sys| {
                let stat = if follow {
                    sys.stat(&name)
                } else {
                    sys.lstat(&name)
                }?;
                let user = files::user_name(sys, stat.uid);
                let group = files::group_name(sys, stat.gid);
                Ok::<_, machine::Errno>((stat, user, group))
            })
            .await;
        let (stat, user, group) = match found {
            Ok(found) => found,
            Err(errno) => {
                complain(&io, &format!("cannot statx '{path}': {}", errno.message())).await;
                status = 1;
                continue;
            }
        };
        let text = match (args.value('c'), args.value('\u{1}')) {
            (Some(format), _) => format!("{}\n", formatted(format, path, &stat, &user, &group)),
            (None, Some(format)) => formatted(
                &shell::syntax::unescape_ansi(format),
                path,
                &stat,
                &user,
                &group,
            ),
            (None, None) => whole(path, &stat, &user, &group),
        };
        io.print(&text).await;
    }
    status
}

fn kind(stat: &Stat) -> &'static str {
    match stat.kind {
        FileKind::Dir => "directory",
        FileKind::File if stat.size == 0 => "regular empty file",
        FileKind::File => "regular file",
        FileKind::Symlink => "symbolic link",
        FileKind::Device => "character special file",
        FileKind::Socket => "socket",
    }
}

fn time(stat: &Stat) -> String {
    let nanos = u32::try_from(stat.mtime.as_nanos() % 1_000_000_000).unwrap_or(0);
    shell::date::format("%F %T.%N %z", stat.mtime.unix_secs(), nanos)
}

fn formatted(format: &str, path: &str, stat: &Stat, user: &str, group: &str) -> String {
    let mut out = String::new();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push_str(path),
            Some('N') => match &stat.target {
                Some(target) => out.push_str(&format!("'{path}' -> '{target}'")),
                None => out.push_str(&format!("'{path}'")),
            },
            Some('s') => out.push_str(&stat.size.to_string()),
            Some('F') => out.push_str(kind(stat)),
            Some('a') => out.push_str(&format!("{:o}", stat.mode)),
            Some('A') => out.push_str(&mode_text(stat)),
            Some('u') => out.push_str(&stat.uid.to_string()),
            Some('g') => out.push_str(&stat.gid.to_string()),
            Some('U') => out.push_str(user),
            Some('G') => out.push_str(group),
            Some('h') => out.push('1'),
            Some('y' | 'x' | 'z' | 'w') => out.push_str(&time(stat)),
            Some('Y' | 'X' | 'Z' | 'W') => out.push_str(&stat.mtime.unix_secs().to_string()),
            Some('i' | 'b' | 'd') => out.push('0'),
            Some('B') => out.push_str("512"),
            Some('%') | None => out.push('%'),
            Some(other) => out.extend(['%', other]),
        }
    }
    out
}

fn whole(path: &str, stat: &Stat, user: &str, group: &str) -> String {
    let name = match &stat.target {
        Some(target) => format!("{path} -> {target}"),
        None => path.to_owned(),
    };
    let time = time(stat);
    format!(
        "  File: {name}\n  Size: {:<10}\tBlocks: {:<10} IO Block: 4096   {}\nDevice: 8,1\tInode: 0           Links: 1\nAccess: ({:04o}/{})  Uid: ({:5}/{user:>8})   Gid: ({:5}/{group:>8})\nAccess: {time}\nModify: {time}\nChange: {time}\n Birth: {time}\n",
        stat.size,
        stat.size.div_ceil(4096) * 8,
        kind(stat),
        stat.mode,
        mode_text(stat),
        stat.uid,
        stat.gid,
    )
}
