//! `tr`. Models coreutils src/tr.c.

use machine::{Fd, Io};

use crate::args::{self, flag};
use crate::help::tool;
use crate::io::{text, usage_error};

tool!(
    "tr",
    "Translate, squeeze or delete characters",
    "tr [OPTION]... SET1 [SET2]",
    main,
    [
        ("echo hello | tr a-z A-Z", "HELLO\n"),
        ("echo 'a  b' | tr -s ' '", "a b\n"),
        ("echo a1b2 | tr -d '[:digit:]'", "ab\n"),
        ("echo a,b | tr , '\\n'", "a\nb\n"),
        ("echo a1b | tr -cd '[:alpha:]\\n'", "ab\n"),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('c', "complement"),
    flag('C', ""),
    flag('d', "delete"),
    flag('s', "squeeze-repeats"),
    flag('t', "truncate-set1"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse_leading(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let (deletes, squeezes) = (args.has('d'), args.has('s'));
    let complement = args.has('c') || args.has('C');
    let Some(first) = args.operands.first() else {
        return usage_error(&io, "missing operand", 1).await;
    };
    let second = args.operands.get(1);
    if second.is_none() && !deletes && !squeezes {
        let what =
            format!("missing operand after '{first}'\nTwo strings must be given when translating.");
        return usage_error(&io, &what, 1).await;
    }
    let from = set(first);
    let mut to = second.map(|text| set(text)).unwrap_or_default();
    if let Some(last) = to.last().copied()
        && !args.has('t')
    {
        to.resize(to.len().max(from.len()), last);
    }
    let in_first = |c: char| from.contains(&c) != complement;
    let squeezed = |c: char| match (second.is_some(), deletes) {
        (true, _) => to.contains(&c),
        (false, _) => in_first(c),
    };
    let mut last = None;
    loop {
        let Ok(bytes) = io.read(Fd::STDIN).await else {
            return 1;
        };
        if bytes.is_empty() {
            return 0;
        }
        let mut out = String::new();
        for c in text(&bytes).chars() {
            if deletes && in_first(c) {
                continue;
            }
            let mut new = c;
            if !deletes && second.is_some() {
                if complement && in_first(c) {
                    new = to.last().copied().unwrap_or(c);
                } else if !complement && let Some(at) = from.iter().rposition(|own| *own == c) {
                    new = to.get(at).copied().unwrap_or(c);
                }
            }
            if squeezes && last == Some(new) && squeezed(new) {
                continue;
            }
            last = Some(new);
            out.push(new);
        }
        io.print(&out).await;
    }
}

/// The characters a set stands for.
fn set(text: &str) -> Vec<char> {
    let chars: Vec<char> = text.chars().collect();
    let mut out = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let rest: String = chars[at..].iter().collect();
        if let Some((class, length)) = class(&rest) {
            out.extend(class);
            at += length;
            continue;
        }
        let (c, used) = unescape(&chars[at..]);
        at += used;
        if chars.get(at) == Some(&'-') && at + 1 < chars.len() {
            let (end, used) = unescape(&chars[at + 1..]);
            if end >= c {
                out.extend(c..=end);
                at += 1 + used;
                continue;
            }
        }
        out.push(c);
    }
    out
}

fn unescape(chars: &[char]) -> (char, usize) {
    match chars {
        ['\\', 'n', ..] => ('\n', 2),
        ['\\', 't', ..] => ('\t', 2),
        ['\\', 'r', ..] => ('\r', 2),
        ['\\', '0', ..] => ('\0', 2),
        ['\\', c, ..] => (*c, 2),
        [c, ..] => (*c, 1),
        [] => ('\0', 1),
    }
}

/// `[:name:]` at the beginning of a text.
fn class(text: &str) -> Option<(Vec<char>, usize)> {
    let name = text.strip_prefix("[:")?.split_once(":]")?.0;
    let fits: fn(&char) -> bool = match name {
        "alnum" => char::is_ascii_alphanumeric,
        "alpha" => char::is_ascii_alphabetic,
        "blank" => |c| matches!(c, ' ' | '\t'),
        "cntrl" => char::is_ascii_control,
        "digit" => char::is_ascii_digit,
        "graph" => char::is_ascii_graphic,
        "lower" => char::is_ascii_lowercase,
        "print" => |c| c.is_ascii_graphic() || *c == ' ',
        "punct" => char::is_ascii_punctuation,
        "space" => |c| matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c'),
        "upper" => char::is_ascii_uppercase,
        "xdigit" => char::is_ascii_hexdigit,
        _ => return None,
    };
    Some((('\0'..='\x7f').filter(fits).collect(), name.len() + 4))
}
