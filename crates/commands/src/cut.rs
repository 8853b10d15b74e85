//! `cut`. Models coreutils src/cut.c.

use machine::Io;

use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{Lines, Output, complain, inputs, text, usage_error};

tool!(
    "cut",
    "Print selected parts of lines",
    "cut OPTION... [FILE]...",
    main,
    [
        ("echo a:b:c | cut -d: -f2-", "b:c\n"),
        ("echo abcdef | cut -c1,3-4", "acd\n"),
        ("echo 'a b' | cut -f1", "a b\n"),
        ("echo a,b,c | cut -d, -f1,3 --output-delimiter=:", "a:c\n"),
        (
            "cut",
            "cut: you must specify a list of bytes, characters, or fields\nTry 'cut --help' for more information.\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    value('b', "bytes"),
    value('c', "characters"),
    value('d', "delimiter"),
    value('f', "fields"),
    flag('n', ""),
    flag('s', "only-delimited"),
    flag('\u{1}', "complement"),
    value('\u{2}', "output-delimiter"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let Some(kind) = args.last_of("bcf") else {
        let what = "you must specify a list of bytes, characters, or fields";
        return usage_error(&io, what, 1).await;
    };
    let list = args.value(kind).cloned().unwrap_or_default();
    let ranges = match ranges(&list, kind == 'f') {
        Ok(ranges) => ranges,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let delimiter: Vec<char> = args.value('d').map_or("\t", |text| text).chars().collect();
    let [delimiter] = delimiter[..] else {
        return usage_error(&io, "the delimiter must be a single character", 1).await;
    };
    let chosen = |at: usize| {
        let inside = ranges.iter().any(|(from, to)| (*from..=*to).contains(&at));
        inside != args.has('\u{1}')
    };
    let joined = args.value('\u{2}').map(ToString::to_string);
    let mut status = 0;
    let mut out = Output::default();
    for path in inputs(&args) {
        let mut lines = match Lines::open(&io, &path).await {
            Ok(lines) => lines,
            Err(errno) => {
                complain(&io, &format!("{path}: {}", errno.message())).await;
                status = 1;
                continue;
            }
        };
        while let Ok(Some(line)) = lines.next(&io).await {
            let line = text(&line);
            let line = line.trim_end_matches('\n');
            let kept = match kind {
                'f' if !line.contains(delimiter) => {
                    if args.has('s') {
                        continue;
                    }
                    line.to_owned()
                }
                'f' => {
                    let fields = line.split(delimiter).enumerate();
                    let kept: Vec<&str> = fields
                        .filter(|(at, _)| chosen(at + 1))
                        .map(|(_, field)| field)
                        .collect();
                    kept.join(&joined.clone().unwrap_or_else(|| delimiter.to_string()))
                }
                _ => {
                    let chars = line.chars().enumerate();
                    chars
                        .filter(|(at, _)| chosen(at + 1))
                        .map(|(_, c)| c)
                        .collect()
                }
            };
            out.push(format!("{kept}\n").as_bytes());
            out.pace(&io, &lines).await;
        }
        out.flush(&io).await;
    }
    status
}

/// `1,3-5,7-,-2` as inclusive ranges.
fn ranges(list: &str, fields: bool) -> Result<Vec<(usize, usize)>, String> {
    let what = if fields {
        "field"
    } else {
        "byte/character position"
    };
    let mut ranges = Vec::new();
    for part in list.split([',', ' ']) {
        let number = |text: &str| text.parse::<usize>();
        let range = match part.split_once('-') {
            Some(("", "")) => return Err("invalid range with no endpoint: -".to_owned()),
            Some((from, to)) => {
                let from = if from.is_empty() { Ok(1) } else { number(from) };
                let to = if to.is_empty() {
                    Ok(usize::MAX)
                } else {
                    number(to)
                };
                from.ok().zip(to.ok())
            }
            None => number(part).ok().map(|at| (at, at)),
        };
        match range {
            None if fields => return Err(format!("invalid field value '{part}'")),
            None => return Err(format!("invalid byte/character position '{part}'")),
            Some((0, _)) => {
                let name = if fields {
                    "fields are"
                } else {
                    "byte/character positions are"
                };
                return Err(format!("{name} numbered from 1"));
            }
            Some((from, to)) if to < from => return Err("invalid decreasing range".to_owned()),
            Some(range) => ranges.push(range),
        }
    }
    if ranges.is_empty() {
        Err(format!("missing list of {what}s"))
    } else {
        Ok(ranges)
    }
}
