//! `diff`. Models GNU diffutils: normal and unified output, directories with -r.

use machine::{Errno, Io};

use crate::args::{self, Args, flag, maybe, value};
use crate::files;
use crate::help::tool;
use crate::io::{complain, join, missing_operand, slurp_text, split_path, usage_error};

tool!(
    "diff",
    "Compare files line by line",
    "diff [OPTION]... FILES",
    main,
    [
        (
            "printf 'a\\nb\\n' > x; printf 'a\\nc\\n' > y; diff x y; echo $?",
            "2c2\n< b\n---\n> c\n1\n"
        ),
        ("seq 3 > x; seq 4 > y; diff x y", "3a4\n> 4\n"),
        ("seq 3 > x; diff x x; echo $?", "0\n"),
        (
            "echo a > x; echo b > y; diff -q x y",
            "Files x and y differ\n"
        ),
        (
            "echo a > x; echo b > y; diff -u --label l --label r x y",
            "--- l\n+++ r\n@@ -1 +1 @@\n-a\n+b\n"
        ),
        (
            "diff nope x; echo $?",
            "diff: nope: No such file or directory\ndiff: x: No such file or directory\n2\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('a', "text"),
    flag('b', "ignore-space-change"),
    flag('B', "ignore-blank-lines"),
    maybe('\u{1}', "color"),
    flag('i', "ignore-case"),
    value('\u{2}', "label"),
    value('L', ""),
    flag('N', "new-file"),
    flag('q', "brief"),
    flag('r', "recursive"),
    flag('s', "report-identical-files"),
    flag('u', ""),
    value('U', "unified"),
    flag('\u{3}', "normal"),
    flag('w', "ignore-all-space"),
    flag('y', "side-by-side"),
    flag('p', "show-c-function"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 2).await,
    };
    let [left, right] = &args.operands[..] else {
        return missing_operand(&io, 2).await;
    };
    if args.has('y') {
        complain(&io, "not modelled: side by side output").await;
        return 2;
    }
    let (mut left, mut right) = (left.to_string(), right.to_string());
    let (left_dir, right_dir) = (
        files::is_dir(&io, &left).await,
        files::is_dir(&io, &right).await,
    );
    match (left_dir, right_dir) {
        (true, false) => left = join(&left, split_path(&right).1),
        (false, true) => right = join(&right, split_path(&left).1),
        (true, true) => return dirs(&io, &left, &right, &args).await,
        (false, false) => {}
    }
    compare(&io, &left, &right, &args, None).await
}

/// Compares what two directories hold by name.
async fn dirs(io: &Io, left: &str, right: &str, args: &Args) -> i32 {
    let mut status = 0;
    let mut todo = vec![(left.to_owned(), right.to_owned())];
    while let Some((left, right)) = todo.pop() {
        let (a, b) = (
            files::read_dir(io, &left).await,
            files::read_dir(io, &right).await,
        );
        let (a, b) = (a.unwrap_or_default(), b.unwrap_or_default());
        let mut names: Vec<_> = a.iter().chain(&b).map(|entry| entry.name.clone()).collect();
        names.sort();
        names.dedup();
        for name in names {
            let find = |entries: &[machine::DirEntry]| {
                entries
                    .iter()
                    .find(|entry| entry.name == name)
                    .map(|entry| entry.stat.is_dir())
            };
            let (from, to) = (join(&left, &name), join(&right, &name));
            match (find(&a), find(&b)) {
                (Some(true), Some(true)) if args.has('r') => todo.insert(0, (from, to)),
                (Some(true), Some(true)) => {
                    io.print(&format!("Common subdirectories: {from} and {to}\n"))
                        .await;
                }
                (left_is, right_is)
                    if !args.has('N') && (left_is.is_none() || right_is.is_none()) =>
                {
                    let dir = if left_is.is_some() { &left } else { &right };
                    io.print(&format!("Only in {dir}: {name}\n")).await;
                    status = status.max(1);
                }
                _ => {
                    let title = title(io, &from, &to);
                    status = status.max(compare(io, &from, &to, args, Some(&title)).await);
                }
            }
        }
    }
    status
}

/// What stands in front of each pair of files of two directories: a command that compares it.
fn title(io: &Io, from: &str, to: &str) -> String {
    let all = io.args();
    let options = all.iter().skip(1).filter(|word| word.starts_with('-'));
    let options: String = options.map(|word| format!(" {word}")).collect();
    format!("diff{options} {from} {to}")
}

async fn compare(io: &Io, left: &str, right: &str, args: &Args, title: Option<&str>) -> i32 {
    let mut texts = Vec::new();
    let mut failed = false;
    for path in [left, right] {
        match slurp_text(io, path).await {
            Ok(text) => texts.push(text),
            Err(Errno::ENOENT) if args.has('N') => texts.push(String::new()),
            Err(errno) => {
                complain(io, &format!("{path}: {}", errno.message())).await;
                failed = true;
            }
        }
    }
    if failed {
        return 2;
    }
    let (a, b): (Vec<&str>, Vec<&str>) = (
        texts[0].split_inclusive('\n').collect(),
        texts[1].split_inclusive('\n').collect(),
    );
    let changes = changes(&a, &b, args);
    if changes.is_empty() {
        if args.has('s') {
            io.print(&format!("Files {left} and {right} are identical\n"))
                .await;
        }
        return 0;
    }
    if args.has('q') {
        io.print(&format!("Files {left} and {right} differ\n"))
            .await;
        return 1;
    }
    let mut out = title.map_or(String::new(), |title| format!("{title}\n"));
    let context = args.value('U').and_then(|text| text.parse().ok());
    if args.has('u') || context.is_some() {
        let mut labels: Vec<String> = args
            .options
            .iter()
            .filter(|(l, _)| matches!(l, '\u{2}' | 'L'))
            .map(|(_, v)| v.to_string())
            .collect();
        for path in [left, right].into_iter().skip(labels.len()) {
            labels.push(format!("{path}\t{}", time(io, path).await));
        }
        out.push_str(&format!("--- {}\n+++ {}\n", labels[0], labels[1]));
        out.push_str(&unified(&a, &b, &changes, context.unwrap_or(3)));
    } else {
        out.push_str(&normal(&a, &b, &changes));
    }
    io.print(&out).await;
    1
}

async fn time(io: &Io, path: &str) -> String {
    let at = match files::stat(io, path).await {
        Ok(stat) if path != "-" => stat.mtime,
        _ => io.now().await,
    };
    let nanos = u32::try_from(at.as_nanos() % 1_000_000_000).unwrap_or(0);
    shell::date::format("%F %T.%N %z", at.unix_secs(), nanos)
}

/// Lines `a.0..a.1` of the left became lines `b.0..b.1` of the right.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Change {
    pub(crate) a: (usize, usize),
    pub(crate) b: (usize, usize),
}

/// What differs between two lists of lines.
fn changes(a: &[&str], b: &[&str], args: &Args) -> Vec<Change> {
    let key = |line: &&str| -> String {
        let line = line
            .strip_suffix('\n')
            .map_or(format!("{line}\0"), str::to_owned);
        let line = if args.has('w') {
            line.chars().filter(|c| !c.is_whitespace()).collect()
        } else if args.has('b') {
            line.split_whitespace().collect::<Vec<_>>().join(" ")
        } else {
            line
        };
        if args.has('i') {
            line.to_lowercase()
        } else {
            line
        }
    };
    let (left, right): (Vec<String>, Vec<String>) =
        (a.iter().map(key).collect(), b.iter().map(key).collect());
    let mut found = script(&left, &right);
    if args.has('B') {
        let blank = |lines: &[&str]| lines.iter().all(|line| line.trim().is_empty());
        found.retain(|c| !(blank(&a[c.a.0..c.a.1]) && blank(&b[c.b.0..c.b.1])));
    }
    found
}

/// The shortest edit script, by Myers' greedy algorithm.
pub(crate) fn script(a: &[String], b: &[String]) -> Vec<Change> {
    let start = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let room = a.len().min(b.len()) - start;
    let end = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .take(room)
        .take_while(|(x, y)| x == y)
        .count();
    let (a_mid, b_mid) = (&a[start..a.len() - end], &b[start..b.len() - end]);
    let mut pairs = matched(a_mid, b_mid);
    pairs.push((a_mid.len(), b_mid.len()));
    let mut changes = Vec::new();
    let (mut x, mut y) = (0, 0);
    for (next_x, next_y) in pairs {
        if next_x > x || next_y > y {
            changes.push(Change {
                a: (start + x, start + next_x),
                b: (start + y, start + next_y),
            });
        }
        (x, y) = (next_x + 1, next_y + 1);
    }
    changes
}

/// Pairs of equal lines on the shortest path.
fn matched(a: &[String], b: &[String]) -> Vec<(usize, usize)> {
    let (n, m) = (a.len() as isize, b.len() as isize);
    let most = n + m;
    let width = (2 * most + 1) as usize;
    // Beyond this the table of paths would be too large: everything counts as changed.
    if width > 20_000 {
        return Vec::new();
    }
    let mut reach = vec![0isize; width + 2];
    let mut trace: Vec<Vec<isize>> = Vec::new();
    let index = |k: isize| (k + most) as usize + 1;
    'search: for d in 0..=most {
        trace.push(reach.clone());
        let mut k = -d;
        while k <= d {
            let down = k == -d || (k != d && reach[index(k - 1)] < reach[index(k + 1)]);
            let mut x = if down {
                reach[index(k + 1)]
            } else {
                reach[index(k - 1)] + 1
            };
            let mut y = x - k;
            while x < n && y < m && a[x as usize] == b[y as usize] {
                (x, y) = (x + 1, y + 1);
            }
            reach[index(k)] = x;
            if x >= n && y >= m {
                break 'search;
            }
            k += 2;
        }
    }
    let mut pairs = Vec::new();
    let (mut x, mut y) = (n, m);
    for (d, reach) in trace.iter().enumerate().rev() {
        let d = d as isize;
        let k = x - y;
        let down = k == -d || (k != d && reach[index(k - 1)] < reach[index(k + 1)]);
        let before_k = if down { k + 1 } else { k - 1 };
        let before_x = if d == 0 { 0 } else { reach[index(before_k)] };
        let before_y = if d == 0 { 0 } else { before_x - before_k };
        while x > before_x && y > before_y {
            (x, y) = (x - 1, y - 1);
            pairs.push((x as usize, y as usize));
        }
        (x, y) = (before_x, before_y);
    }
    pairs.reverse();
    pairs
}

fn push_line(out: &mut String, mark: &str, line: &str) {
    out.push_str(mark);
    out.push_str(line);
    if !line.ends_with('\n') {
        out.push_str("\n\\ No newline at end of file\n");
    }
}

fn normal(a: &[&str], b: &[&str], changes: &[Change]) -> String {
    let range = |(from, to): (usize, usize)| match to - from {
        0 => from.to_string(),
        1 => to.to_string(),
        _ => format!("{},{to}", from + 1),
    };
    let mut out = String::new();
    for change in changes {
        let (deletes, adds) = (change.a.1 > change.a.0, change.b.1 > change.b.0);
        let letter = match (deletes, adds) {
            (true, true) => 'c',
            (true, false) => 'd',
            _ => 'a',
        };
        out.push_str(&format!("{}{letter}{}\n", range(change.a), range(change.b)));
        a[change.a.0..change.a.1]
            .iter()
            .for_each(|line| push_line(&mut out, "< ", line));
        if deletes && adds {
            out.push_str("---\n");
        }
        b[change.b.0..change.b.1]
            .iter()
            .for_each(|line| push_line(&mut out, "> ", line));
    }
    out
}

fn unified(a: &[&str], b: &[&str], changes: &[Change], context: usize) -> String {
    let range = |from: usize, to: usize| match to - from {
        0 => format!("{from},0"),
        1 => to.to_string(),
        length => format!("{},{length}", from + 1),
    };
    let mut out = String::new();
    let mut rest = changes;
    while let Some(first) = rest.first() {
        // Changes whose contexts touch share a hunk.
        let mut count = 1;
        while rest
            .get(count)
            .is_some_and(|next| next.a.0 <= rest[count - 1].a.1 + 2 * context)
        {
            count += 1;
        }
        let (hunk, after) = rest.split_at(count);
        rest = after;
        let last = hunk[count - 1];
        let (a_from, b_from) = (
            first.a.0.saturating_sub(context),
            first.b.0.saturating_sub(context),
        );
        let (a_to, b_to) = (
            (last.a.1 + context).min(a.len()),
            (last.b.1 + context).min(b.len()),
        );
        out.push_str(&format!(
            "@@ -{} +{} @@\n",
            range(a_from, a_to),
            range(b_from, b_to)
        ));
        let mut at = a_from;
        for change in hunk {
            a[at..change.a.0]
                .iter()
                .for_each(|line| push_line(&mut out, " ", line));
            a[change.a.0..change.a.1]
                .iter()
                .for_each(|line| push_line(&mut out, "-", line));
            b[change.b.0..change.b.1]
                .iter()
                .for_each(|line| push_line(&mut out, "+", line));
            at = change.a.1;
        }
        a[at..a_to]
            .iter()
            .for_each(|line| push_line(&mut out, " ", line));
    }
    out
}
