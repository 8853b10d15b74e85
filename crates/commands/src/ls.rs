//! `ls`. Models coreutils src/ls.c.

use std::rc::Rc;

use machine::{Errno, Fd, FileKind, Io, Stat};
use shell::width;

use crate::args::{self, Args, flag, maybe, value};
use crate::facts::busybox;
use crate::files::{self, mode_text};
use crate::help::tool;
use crate::io::{complain, human, join, usage_error};

tool!(
    "ls",
    "List directory contents",
    "ls [OPTION]... [FILE]...",
    main,
    [
        ("touch a b .c; ls", "a\nb\n"),
        ("touch a .c; ls -A", ".c\na\n"),
        ("mkdir d; touch d/x; ls d; ls -d d", "x\nd\n"),
        (
            "ls -l /etc/hostname",
            "-rw-r--r-- 1 root root 8 Jan  5 09:00 /etc/hostname\n"
        ),
        (
            "ls /nope",
            "ls: cannot access '/nope': No such file or directory\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('1', ""),
    flag('a', "all"),
    flag('A', "almost-all"),
    flag('C', ""),
    flag('d', "directory"),
    flag('F', "classify"),
    flag('p', ""),
    flag('g', ""),
    flag('h', "human-readable"),
    flag('i', "inode"),
    flag('l', ""),
    flag('L', "dereference"),
    flag('m', ""),
    flag('n', "numeric-uid-gid"),
    flag('o', ""),
    flag('r', "reverse"),
    flag('R', "recursive"),
    flag('s', "size"),
    flag('S', ""),
    flag('t', ""),
    flag('U', ""),
    flag('v', ""),
    flag('X', ""),
    maybe('\u{1}', "color"),
    value('\u{2}', "sort"),
    value('\u{3}', "time-style"),
    flag('\u{4}', "full-time"),
    flag('\u{5}', "group-directories-first"),
    value('I', "ignore"),
    value('w', "width"),
];

/// Something to list.
#[derive(Clone)]
struct Item {
    name: String,
    stat: Stat,
    user: Rc<str>,
    group: Rc<str>,
    /// What a link leads to, if anything.
    leads_to: Option<FileKind>,
}

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 2).await,
    };
    let paths = if args.operands.is_empty() {
        vec![".".into()]
    } else {
        args.operands.clone()
    };
    let style = Style::new(&io, &args).await;
    let mut status = 0;
    let (mut single, mut dirs) = (Vec::new(), Vec::new());
    for path in &paths {
        match item(&io, path, path, !args.has('l') || args.has('L')).await {
            Ok(found) => {
                let is_dir =
                    found.stat.is_dir() || found.leads_to == Some(FileKind::Dir) && !args.has('l');
                if is_dir && !args.has('d') {
                    dirs.push(path.to_string())
                } else {
                    single.push(found)
                }
            }
            Err(errno) => {
                let why = errno.message();
                let what = match busybox(&io).await {
                    true => {
                        status = 1;
                        format!("{path}: {why}")
                    }
                    false => {
                        status = 2;
                        format!("cannot access '{path}': {why}")
                    }
                };
                complain(&io, &what).await;
            }
        }
    }
    let titles = paths.len() > 1 || args.has('R');
    arrange(&mut single, &args);
    let mut out = style.list(&single, false);
    let mut first = single.is_empty();
    dirs.sort();
    if args.has('r') {
        dirs.reverse();
    }
    dirs.reverse();
    while let Some(dir) = dirs.pop() {
        let mut items = match entries(&io, &dir, &args).await {
            Ok(items) => items,
            Err(errno) => {
                io.print(&std::mem::take(&mut out)).await;
                let what = format!("cannot open directory '{dir}': {}", errno.message());
                complain(&io, &what).await;
                status = if args.operands.is_empty() {
                    2
                } else {
                    1.max(status)
                };
                continue;
            }
        };
        arrange(&mut items, &args);
        if !std::mem::take(&mut first) {
            out.push('\n');
        }
        if titles {
            out.push_str(&format!("{dir}:\n"));
        }
        out.push_str(&style.list(&items, true));
        if args.has('R') {
            let below = items
                .iter()
                .rev()
                .filter(|item| item.stat.is_dir() && !matches!(item.name.as_str(), "." | ".."));
            dirs.extend(below.map(|item| join(&dir, &item.name)));
        }
    }
    io.print(&out).await;
    status
}

async fn item(io: &Io, path: &str, name: &str, follow: bool) -> Result<Item, Errno> {
    let (path, name) = (path.to_owned(), name.to_owned());
    io.sys(move |sys| {
        let own = sys.lstat(&path)?;
        let target = sys.stat(&path).ok();
        let leads_to = (own.kind == FileKind::Symlink)
            .then(|| target.as_ref().map(|t| t.kind))
            .flatten();
        let stat = match target {
            Some(target) if follow => target,
            _ => own,
        };
        let user = files::user_name(sys, stat.uid).into();
        let group = files::group_name(sys, stat.gid).into();
        Ok(Item {
            name,
            stat,
            user,
            group,
            leads_to,
        })
    })
    .await
}

async fn entries(io: &Io, dir: &str, args: &Args) -> Result<Vec<Item>, Errno> {
    let mut names: Vec<String> = Vec::new();
    if args.has('a') {
        names.extend([".".to_owned(), "..".to_owned()]);
    }
    let hidden = args.has('a') || args.has('A');
    for entry in files::read_dir(io, dir).await? {
        let ignored = args
            .values('I')
            .any(|pattern| shell::pattern::Pattern::new(pattern).matches(&entry.name));
        if (hidden || !entry.name.starts_with('.')) && !ignored {
            names.push(entry.name.to_string());
        }
    }
    let mut items = Vec::new();
    for name in names {
        if let Ok(found) = item(io, &join(dir, &name), &name, args.has('L')).await {
            items.push(found);
        }
    }
    Ok(items)
}

fn arrange(items: &mut [Item], args: &Args) {
    let by = args
        .value('\u{2}')
        .map(|text| text.to_string())
        .unwrap_or_default();
    // Names sort without regard to leading dots and case, as in a UTF-8 locale's collation.
    let key = |item: &Item| item.name.clone();
    match args.last_of("tSUXv") {
        Some('t') => items.sort_by(|a, b| {
            b.stat
                .mtime
                .cmp(&a.stat.mtime)
                .then_with(|| key(a).cmp(&key(b)))
        }),
        Some('S') => items.sort_by(|a, b| {
            b.stat
                .size
                .cmp(&a.stat.size)
                .then_with(|| key(a).cmp(&key(b)))
        }),
        Some('U') => {}
        Some('X') => items.sort_by_key(|item| {
            let end = item
                .name
                .rsplit_once('.')
                .map_or("", |(_, end)| end)
                .to_owned();
            (end, key(item))
        }),
        _ if by == "size" => items.sort_by_key(|item| std::cmp::Reverse(item.stat.size)),
        _ if by == "time" => items.sort_by_key(|item| std::cmp::Reverse(item.stat.mtime)),
        _ => items.sort_by_key(key),
    }
    if args.has('r') {
        items.reverse();
    }
    if args.has('\u{5}') {
        items.sort_by_key(|item| !item.stat.is_dir());
    }
}

/// How entries are shown.
struct Style {
    long: bool,
    numeric: bool,
    no_user: bool,
    no_group: bool,
    human: bool,
    across: bool,
    commas: bool,
    classify: bool,
    slash: bool,
    inode: bool,
    colours: bool,
    full_time: bool,
    sizes: bool,
    quotes: bool,
    columns: usize,
    now: i64,
}

impl Style {
    async fn new(io: &Io, args: &Args) -> Style {
        let (tty, columns, now) = io
            .sys(|sys| {
                let columns = sys.tty_size(Fd::STDOUT).map_or(80, |(columns, _)| columns);
                (sys.is_tty(Fd::STDOUT), columns, sys.now().unix_secs())
            })
            .await;
        let numeric = args.has('n');
        let long = args.has('l') || numeric || args.has('g') || args.has('o') || args.has('\u{4}');
        let colours = match args.value('\u{1}').map(|text| &**text) {
            Some("" | "always" | "yes") => true,
            Some("auto" | "tty") => tty,
            _ => false,
        };
        let width = args.value('w').and_then(|text| text.parse().ok());
        Style {
            long,
            numeric,
            no_user: args.has('g'),
            no_group: args.has('o'),
            human: args.has('h'),
            across: !long && (args.has('C') || tty) && !args.has('1'),
            commas: args.has('m'),
            classify: args.has('F'),
            slash: args.has('p'),
            inode: args.has('i'),
            colours,
            full_time: args.has('\u{4}') || args.value('\u{3}').is_some_and(|s| &**s == "full-iso"),
            sizes: args.has('s'),
            quotes: tty,
            columns: width.unwrap_or(usize::from(columns)),
            now,
        }
    }

    fn list(&self, items: &[Item], with_total: bool) -> String {
        let mut out = String::new();
        if self.long {
            if with_total {
                let blocks: u64 = items.iter().map(|item| blocks(&item.stat)).sum();
                let total = if self.human {
                    human(blocks * 1024)
                } else {
                    blocks.to_string()
                };
                out.push_str(&format!("total {total}\n"));
            }
            out.push_str(&self.long(items));
            return out;
        }
        let names: Vec<String> = items.iter().map(|item| self.name(item)).collect();
        if self.commas {
            return if names.is_empty() {
                out
            } else {
                format!("{}\n", names.join(", "))
            };
        }
        if self.across && !self.colours {
            return width::columns(&names, self.columns);
        }
        if self.across {
            return coloured_columns(&names, self.columns);
        }
        for name in names {
            out.push_str(&format!("{name}\n"));
        }
        out
    }

    fn long(&self, items: &[Item]) -> String {
        let mut rows: Vec<[String; 5]> = Vec::new();
        for item in items {
            let stat = &item.stat;
            let links = if stat.is_dir() { 2 } else { 1 };
            let user = if self.numeric {
                stat.uid.to_string()
            } else {
                item.user.to_string()
            };
            let group = if self.numeric {
                stat.gid.to_string()
            } else {
                item.group.to_string()
            };
            let size = match stat.kind {
                FileKind::Device => "1, 3".to_owned(),
                _ if self.human => human(stat.size),
                _ => stat.size.to_string(),
            };
            rows.push([links.to_string(), user, group, size, self.time(stat)]);
        }
        let widest = |at: usize| {
            rows.iter()
                .map(|row| width::text_width(&row[at]))
                .max()
                .unwrap_or(0)
        };
        let widths = [widest(0), widest(1), widest(2), widest(3)];
        let mut out = String::new();
        for (item, [links, user, group, size, time]) in items.iter().zip(&rows) {
            out.push_str(&format!("{} {links:>1$}", mode_text(&item.stat), widths[0]));
            if !self.no_user {
                out.push_str(&format!(" {user:<0$}", widths[1]));
            }
            if !self.no_group {
                out.push_str(&format!(" {group:<0$}", widths[2]));
            }
            out.push_str(&format!(
                " {size:>0$} {time} {1}",
                widths[3],
                self.name(item)
            ));
            if item.stat.kind == FileKind::Symlink {
                out.push_str(&format!(
                    " -> {}",
                    item.stat.target.clone().unwrap_or_default()
                ));
            }
            out.push('\n');
        }
        out
    }

    fn time(&self, stat: &Stat) -> String {
        let secs = stat.mtime.unix_secs();
        if self.full_time {
            let nanos = u32::try_from(stat.mtime.as_nanos() % 1_000_000_000).unwrap_or(0);
            return shell::date::format("%F %T.%N %z", secs, nanos);
        }
        // Half a year old, or from the future: the year instead of the time.
        let recent = secs <= self.now + 60 && self.now - secs < 15_778_476;
        shell::date::format(if recent { "%b %e %H:%M" } else { "%b %e  %Y" }, secs, 0)
    }

    fn name(&self, item: &Item) -> String {
        let mut name = item.name.clone();
        let special = |c: char| c.is_whitespace() || "'\"\\$&|;<>()*?[]!#`".contains(c);
        if self.quotes && name.chars().any(special) {
            name = if name.contains('\'') {
                format!("\"{name}\"")
            } else {
                format!("'{name}'")
            };
        }
        let stat = &item.stat;
        if self.colours {
            let colour = match stat.kind {
                FileKind::Dir => Some("01;34"),
                FileKind::Symlink => Some("01;36"),
                FileKind::Device => Some("40;33;01"),
                FileKind::Socket => Some("01;35"),
                FileKind::File if stat.mode & 0o111 != 0 => Some("01;32"),
                FileKind::File => None,
            };
            if let Some(colour) = colour {
                name = format!("\x1b[{colour}m{name}\x1b[0m");
            }
        }
        let mark = match stat.kind {
            FileKind::Dir if self.classify || self.slash => "/",
            FileKind::Symlink if self.classify && !self.long => "@",
            FileKind::Socket if self.classify => "=",
            FileKind::File if self.classify && stat.mode & 0o111 != 0 => "*",
            _ => "",
        };
        let mut out = String::new();
        if self.inode {
            out.push_str("1 ");
        }
        if self.sizes {
            out.push_str(&format!("{} ", blocks(stat)));
        }
        format!("{out}{name}{mark}")
    }
}

/// Blocks of 1 KiB, in steps of a page.
fn blocks(stat: &Stat) -> u64 {
    match stat.kind {
        FileKind::Symlink | FileKind::Device | FileKind::Socket => 0,
        _ => stat.size.div_ceil(4096) * 4,
    }
}

/// Columns of names with escape sequences in them.
fn coloured_columns(names: &[String], columns: usize) -> String {
    let cell = names
        .iter()
        .map(|name| width::visible_width(name))
        .max()
        .unwrap_or(0)
        + 2;
    let across = (columns / cell).max(1);
    let rows = names.len().div_ceil(across);
    let mut out = String::new();
    for row in 0..rows {
        let line: Vec<&String> = names.iter().skip(row).step_by(rows).collect();
        for (at, name) in line.iter().enumerate() {
            out.push_str(name);
            if at + 1 < line.len() {
                out.push_str(&" ".repeat(cell - width::visible_width(name)));
            }
        }
        out.push('\n');
    }
    out
}
