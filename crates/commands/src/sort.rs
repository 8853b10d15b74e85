//! `sort`. Models coreutils src/sort.c in the C locale.

use std::cmp::Ordering;
use std::rc::Rc;

use machine::Io;

use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{complain, inputs, slurp_text, usage_error};

tool!(
    "sort",
    "Sort lines",
    "sort [OPTION]... [FILE]...",
    main,
    [
        ("printf 'b\\na\\nc\\n' | sort -r", "c\nb\na\n"),
        ("printf '10\\n9\\n9\\n' | sort -nu", "9\n10\n"),
        ("printf 'x:2\\ny:1\\n' | sort -t: -k2 -n", "y:1\nx:2\n"),
        ("printf '1K\\n2\\n1M\\n' | sort -h", "2\n1K\n1M\n"),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('b', "ignore-leading-blanks"),
    flag('d', "dictionary-order"),
    flag('f', "ignore-case"),
    flag('g', "general-numeric-sort"),
    flag('h', "human-numeric-sort"),
    flag('M', "month-sort"),
    flag('n', "numeric-sort"),
    flag('r', "reverse"),
    flag('V', "version-sort"),
    flag('c', "check"),
    flag('s', "stable"),
    flag('u', "unique"),
    flag('z', "zero-terminated"),
    value('k', "key"),
    value('o', "output"),
    value('t', "field-separator"),
    value('S', "buffer-size"),
];

/// Letters that say how to compare.
const LETTERS: &str = "bdfghnVM";

/// A `-k` key: fields and characters counted from 1.
#[derive(Debug, Clone)]
struct Key {
    from: (usize, usize),
    to: Option<(usize, usize)>,
    order: String,
}

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 2).await,
    };
    let global: String = args
        .options
        .iter()
        .map(|(letter, _)| *letter)
        .filter(|c| LETTERS.contains(*c) || *c == 'r')
        .collect();
    let mut keys = Vec::new();
    for text in args.values('k') {
        match key(text) {
            Some(key) => keys.push(key),
            None => {
                complain(
                    &io,
                    &format!("invalid number at field start: invalid count at start of '{text}'"),
                )
                .await;
                return 2;
            }
        }
    }
    let separator = match args
        .value('t')
        .map(|text| text.chars().collect::<Vec<char>>())
    {
        None => None,
        Some(chars) => match chars[..] {
            [c] => Some(c),
            ['\\', 't'] => Some('\t'),
            ['\\', '0'] => Some('\0'),
            [] => {
                complain(&io, "empty tab").await;
                return 2;
            }
            _ => {
                let text: String = chars.iter().collect();
                complain(&io, &format!("multi-character tab '{text}'")).await;
                return 2;
            }
        },
    };
    let mut lines: Vec<String> = Vec::new();
    let end = if args.has('z') { '\0' } else { '\n' };
    for path in inputs(&args) {
        match slurp_text(&io, &path).await {
            Ok(text) => {
                lines.extend(text.split_terminator(end).map(str::to_owned));
            }
            Err(errno) => {
                complain(&io, &format!("cannot read: {path}: {}", errno.message())).await;
                return 2;
            }
        }
    }
    let by_keys = |a: &String, b: &String| -> Ordering {
        if keys.is_empty() {
            return compare(a, b, &global);
        }
        for key in &keys {
            let order = if key.order.is_empty() {
                &global
            } else {
                &key.order
            };
            let order = compare(&pick(a, key, separator), &pick(b, key, separator), order);
            if order != Ordering::Equal {
                return order;
            }
        }
        Ordering::Equal
    };
    let full = |a: &String, b: &String| -> Ordering {
        let order = by_keys(a, b);
        if order != Ordering::Equal || args.has('s') || args.has('u') {
            return order;
        }
        // The whole line decides in the end.
        let last = a.cmp(b);
        if global.contains('r') {
            last.reverse()
        } else {
            last
        }
    };
    if args.has('c') {
        for (at, pair) in lines.windows(2).enumerate() {
            if full(&pair[0], &pair[1]) == Ordering::Greater {
                let name: Rc<str> = inputs(&args)[0].clone();
                complain(&io, &format!("{name}:{}: disorder: {}", at + 2, pair[1])).await;
                return 1;
            }
        }
        return 0;
    }
    lines.sort_by(full);
    if args.has('u') {
        lines.dedup_by(|a, b| by_keys(a, b) == Ordering::Equal);
    }
    let mut out = String::new();
    for line in lines {
        out.push_str(&line);
        out.push(end);
    }
    match args.value('o') {
        Some(path) => {
            if let Err(errno) = io.write_file(path, out.as_bytes()).await {
                complain(&io, &format!("open failed: {path}: {}", errno.message())).await;
                return 2;
            }
        }
        None => io.print(&out).await,
    }
    0
}

/// `2`, `2,3`, `2.3,4.1nr`.
fn key(text: &str) -> Option<Key> {
    let letters = |part: &str| -> (String, String) {
        let at = part
            .find(|c: char| c.is_ascii_alphabetic())
            .unwrap_or(part.len());
        (part[..at].to_owned(), part[at..].to_owned())
    };
    let place = |part: &str, default: usize| -> Option<(usize, usize)> {
        match part.split_once('.') {
            Some((field, c)) => Some((field.parse().ok()?, c.parse().ok()?)),
            None => Some((part.parse().ok()?, default)),
        }
    };
    let (from, to) = match text.split_once(',') {
        Some((from, to)) => (from, Some(to)),
        None => (text, None),
    };
    let (from, mut order) = letters(from);
    let from = place(&from, 1).filter(|(field, _)| *field > 0)?;
    let to = match to {
        Some(to) => {
            let (to, more) = letters(to);
            order.push_str(&more);
            Some(place(&to, 0)?)
        }
        None => None,
    };
    Some(Key { from, to, order })
}

/// The part of a line a key looks at.
fn pick(line: &str, key: &Key, separator: Option<char>) -> String {
    let chars: Vec<char> = line.chars().collect();
    let mut fields = Vec::new();
    let mut at = 0;
    loop {
        let start = at;
        match separator {
            Some(separator) => {
                while at < chars.len() && chars[at] != separator {
                    at += 1;
                }
            }
            // Blanks before a field belong to it.
            None => {
                while at < chars.len() && chars[at].is_whitespace() {
                    at += 1;
                }
                while at < chars.len() && !chars[at].is_whitespace() {
                    at += 1;
                }
            }
        }
        fields.push((start, at));
        if at >= chars.len() {
            break;
        }
        at += usize::from(separator.is_some());
    }
    let skips = key.order.contains('b');
    let place = |(field, c): (usize, usize)| -> usize {
        let Some((start, end)) = fields.get(field - 1) else {
            return chars.len();
        };
        let mut start = *start;
        if skips {
            while start < *end && chars[start].is_whitespace() {
                start += 1;
            }
        }
        (start + c.saturating_sub(1)).min(chars.len())
    };
    let from = place(key.from);
    let to = match key.to {
        None => chars.len(),
        Some((field, 0)) => fields
            .get(field.max(1) - 1)
            .map_or(chars.len(), |(_, end)| *end),
        Some((field, c)) => (place((field, c)) + 1).min(chars.len()),
    };
    chars
        .get(from..to.max(from))
        .unwrap_or_default()
        .iter()
        .collect()
}

fn compare(a: &str, b: &str, order: &str) -> Ordering {
    let has = |letter| order.contains(letter);
    let found = match () {
        () if has('h') => human(a).cmp(&human(b)),
        () if has('n') => decimal(a, b),
        () if has('g') => {
            let value = |text: &str| text.trim().parse::<f64>().unwrap_or(f64::NEG_INFINITY);
            value(a).total_cmp(&value(b))
        }
        () if has('M') => month(a).cmp(&month(b)),
        () if has('V') => version(a, b),
        () => {
            let clean = |text: &str| -> String {
                let text = if has('b') { text.trim_start() } else { text };
                let kept = text
                    .chars()
                    .filter(|c| !has('d') || c.is_alphanumeric() || c.is_whitespace());
                if has('f') {
                    kept.map(|c| c.to_ascii_uppercase()).collect()
                } else {
                    kept.collect()
                }
            };
            clean(a).cmp(&clean(b))
        }
    };
    if has('r') { found.reverse() } else { found }
}

/// Compares leading decimal numbers of any length, as `-n` does.
fn decimal(a: &str, b: &str) -> Ordering {
    let parts = |text: &str| -> (bool, String, String) {
        let text = text.trim_start();
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let whole: String = digits.chars().take_while(char::is_ascii_digit).collect();
        let rest = &digits[whole.len()..];
        let part: String = match rest.strip_prefix('.') {
            Some(rest) => rest.chars().take_while(char::is_ascii_digit).collect(),
            None => String::new(),
        };
        let whole = whole.trim_start_matches('0').to_owned();
        let part = part.trim_end_matches('0').to_owned();
        let zero = whole.is_empty() && part.is_empty();
        (negative && !zero, whole, part)
    };
    let ((a_negative, a_whole, a_part), (b_negative, b_whole, b_part)) = (parts(a), parts(b));
    let size = a_whole
        .len()
        .cmp(&b_whole.len())
        .then_with(|| a_whole.cmp(&b_whole))
        .then_with(|| a_part.cmp(&b_part));
    match (a_negative, b_negative) {
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (true, true) => size.reverse(),
        (false, false) => size,
    }
}

/// A number with a unit, comparable: the unit first, then thousandths.
fn human(text: &str) -> (i64, i64) {
    let text = text.trim();
    let digits = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-'))
        .unwrap_or(text.len());
    let (whole, part) = text[..digits]
        .split_once('.')
        .unwrap_or((&text[..digits], ""));
    let part: String = part.chars().chain("000".chars()).take(3).collect();
    let value = whole.parse::<i64>().unwrap_or(0) * 1000 + part.parse::<i64>().unwrap_or(0);
    let unit = text[digits..]
        .chars()
        .next()
        .and_then(|c| "KMGTPE".find(c.to_ascii_uppercase()));
    let unit = unit.map_or(0, |unit| unit as i64 + 1);
    (if value == 0 { 0 } else { unit * value.signum() }, value)
}

fn month(text: &str) -> usize {
    let upper: String = text
        .trim_start()
        .chars()
        .take(3)
        .collect::<String>()
        .to_ascii_uppercase();
    let names = [
        "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
    ];
    names
        .iter()
        .position(|name| *name == upper)
        .map_or(0, |at| at + 1)
}

/// Runs of digits compare as numbers.
fn version(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        if a.is_empty() || b.is_empty() {
            return a.len().cmp(&b.len());
        }
        let run = |text: &str| {
            let digits = text.starts_with(|c: char| c.is_ascii_digit());
            text.find(|c: char| c.is_ascii_digit() != digits)
                .unwrap_or(text.len())
        };
        let (left, right) = (&a[..run(a)], &b[..run(b)]);
        let digits = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        let order = if digits(left) && digits(right) {
            decimal(left, right)
        } else {
            left.cmp(right)
        };
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (&a[left.len()..], &b[right.len()..]);
    }
}
