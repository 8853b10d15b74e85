//! `xargs`. Models GNU findutils; commands run one after another.

use std::rc::Rc;

use machine::{Exec, Fd, Io, OpenMode, Spawn};

use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{complain, slurp_text, usage_error};
use crate::run;

tool!(
    "xargs",
    "Build and run command lines from standard input",
    "xargs [OPTION]... COMMAND [INITIAL-ARGS]...",
    main,
    [
        ("printf 'a b\\nc\\n' | xargs echo x", "x a b c\n"),
        ("seq 3 | xargs -n1 echo", "1\n2\n3\n"),
        (
            "printf 'a b\\nc\\n' | xargs -I{} echo '<{}>'",
            "<a b>\n<c>\n"
        ),
        ("printf \"'a b' c\" | xargs -n1 echo", "a b\nc\n"),
        ("printf '' | xargs -r echo never", ""),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('0', "null"),
    value('a', "arg-file"),
    value('d', "delimiter"),
    value('I', ""),
    flag('i', ""),
    value('L', "max-lines"),
    value('n', "max-args"),
    value('P', "max-procs"),
    flag('p', "interactive"),
    flag('r', "no-run-if-empty"),
    value('s', "max-chars"),
    flag('t', "verbose"),
    flag('x', "exit"),
];

/// Characters of a command line.
const MAX_CHARS: usize = 131_072;

async fn main(io: Io) -> i32 {
    let args = match args::parse_leading(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let source = args.value('a').map_or("-", |path| path).to_owned();
    let text = match slurp_text(&io, &source).await {
        Ok(text) => text,
        Err(errno) => {
            complain(
                &io,
                &format!("Cannot open input file '{source}': {}", errno.message()),
            )
            .await;
            return 1;
        }
    };
    let replace = args
        .value('I')
        .cloned()
        .or_else(|| args.has('i').then(|| "{}".into()));
    let items: Vec<String> = if args.has('0') {
        text.split('\0')
            .filter(|item| !item.is_empty())
            .map(str::to_owned)
            .collect()
    } else if let Some(delimiter) = args.value('d') {
        let delimiter = shell::syntax::unescape_ansi(delimiter);
        let text = text.strip_suffix(delimiter.as_str()).unwrap_or(&text);
        text.split(delimiter.as_str()).map(str::to_owned).collect()
    } else if replace.is_some() || args.has('L') {
        text.lines()
            .map(|line| line.trim_start().to_owned())
            .filter(|line| !line.is_empty())
            .collect()
    } else {
        match words(&text) {
            Ok(words) => words,
            Err(quote) => {
                let kind = if quote == '"' { "double" } else { "single" };
                complain(&io, &format!("unmatched {kind} quote; by default quotes are special to xargs unless you use the -0 option")).await;
                return 1;
            }
        }
    };
    let command: Vec<Rc<str>> = if args.operands.is_empty() {
        vec!["echo".into()]
    } else {
        args.operands.clone()
    };
    let number = |letter: char| {
        args.value(letter)
            .and_then(|text| text.parse::<usize>().ok())
    };
    let mut batches: Vec<Vec<Rc<str>>> = Vec::new();
    if let Some(place) = &replace {
        for item in &items {
            batches.push(
                command
                    .iter()
                    .map(|word| word.replace(&**place, item).into())
                    .collect(),
            );
        }
    } else {
        let most = number('n').or(number('L')).unwrap_or(usize::MAX);
        let mut rest = &items[..];
        while !rest.is_empty() {
            let mut batch = command.clone();
            let mut chars = 0;
            let mut count = 0;
            while let Some(item) = rest.first() {
                chars += item.len() + 1;
                if count == most || (count > 0 && chars > MAX_CHARS) {
                    break;
                }
                if args.has('L') {
                    batch.extend(item.split_whitespace().map(Rc::from));
                } else {
                    batch.push(item.as_str().into());
                }
                count += 1;
                rest = &rest[1..];
            }
            batches.push(batch);
        }
        if items.is_empty() && !args.has('r') {
            batches.push(command.clone());
        }
    }
    let mut status = 0;
    for batch in batches {
        if args.has('t') {
            io.eprint(&format!("{}\n", batch.join(" "))).await;
        }
        match run_one(&io, batch).await {
            0 => {}
            code @ (126 | 127) => return code,
            255 => {
                complain(&io, "exited with status 255; aborting").await;
                return 124;
            }
            code if code > 128 => return 125,
            _ => status = 123,
        }
    }
    status
}

async fn run_one(io: &Io, words: Vec<Rc<str>>) -> i32 {
    let name = words[0].clone();
    let Some(path) = run::find(io, &name).await else {
        complain(io, &format!("{name}: No such file or directory")).await;
        return 127;
    };
    let mut spawn = Spawn::new(Exec::Path(path), words);
    let null = io.open("/dev/null", OpenMode::Read).await;
    let input = null.unwrap_or(Fd::STDIN);
    spawn.fds = vec![
        (Fd::STDIN, input),
        (Fd::STDOUT, Fd::STDOUT),
        (Fd::STDERR, Fd::STDERR),
    ];
    let spawned = io.spawn(spawn).await;
    if input != Fd::STDIN {
        io.close(input).await;
    }
    match spawned {
        Ok(pid) => io.wait(pid).await.shell_code(),
        Err(errno) => {
            complain(io, &format!("{name}: {}", errno.message())).await;
            126
        }
    }
}

/// Words divided by blanks, with quotes and backslashes; the open quote is the error.
fn words(text: &str) -> Result<Vec<String>, char> {
    let mut all = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some(end) if end == c => break,
                        Some('\n') | None => return Err(c),
                        Some(inner) => word.push(inner),
                    }
                }
            }
            '\\' => word.get_or_insert_default().extend(chars.next()),
            c if c.is_whitespace() => all.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    all.extend(word);
    Ok(all)
}
