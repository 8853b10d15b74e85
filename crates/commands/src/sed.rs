//! `sed`. Models GNU sed: the commands people use, with the pattern and hold spaces.

mod execute;
mod script;

use std::rc::Rc;

use machine::Io;

use crate::args::{self, flag, maybe, value};
use crate::help::tool;
use crate::io::{Lines, Output, complain, own_name, slurp_text, text};
use execute::{Machine, Next};

tool!(
    "sed",
    "Filter and transform text",
    "sed [OPTION]... {script-only-if-no-other-script} [input-file]...",
    main,
    [
        ("echo hello | sed 's/l/L/'", "heLlo\n"),
        (
            "echo hello | sed 's/l/L/g; s/\\(h\\)\\(e\\)/\\2\\1/'",
            "ehLLo\n"
        ),
        ("seq 5 | sed -n '2,3p'", "2\n3\n"),
        ("seq 5 | sed '/3/,$d'", "1\n2\n"),
        ("seq 3 | sed '1,2d'", "3\n"),
        ("echo 'a: 1' > f; sed -i 's/1/2/' f; cat f", "a: 2\n"),
        ("echo ab | sed -E 's/(a)(b)/\\2-&-\\1/'", "b-ab-a\n"),
        ("printf 'a\\nb\\n' | sed '$!N;s/\\n/ /'", "a b\n"),
        ("echo x | sed '1i\\\nbefore'", "before\nx\n"),
        ("echo x | sed 'a after'", "x\nafter\n"),
        ("echo path/to | sed 's#/#|#'", "path|to\n"),
        (
            "sed p nope",
            "sed: can't read nope: No such file or directory\n"
        ),
        (
            "sed s/a",
            "sed: -e expression #1, char 3: unterminated `s' command\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('n', "quiet"),
    flag('\u{1}', "silent"),
    value('e', "expression"),
    value('f', "file"),
    flag('E', "regexp-extended"),
    flag('r', ""),
    maybe('i', "in-place"),
    flag('s', "separate"),
    flag('u', "unbuffered"),
    flag('z', "null-data"),
    flag('\u{2}', "posix"),
];

async fn main(io: Io) -> i32 {
    let mut args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => {
            complain(&io, &message).await;
            return usage(&io).await;
        }
    };
    let mut sources: Vec<String> = Vec::new();
    for (letter, text) in &args.options {
        match letter {
            'e' => sources.push(text.to_string()),
            'f' => match slurp_text(&io, text).await {
                Ok(script) => sources.push(script.trim_end_matches('\n').to_owned()),
                Err(errno) => {
                    complain(
                        &io,
                        &format!("couldn't open file {text}: {}", errno.message()),
                    )
                    .await;
                    return 1;
                }
            },
            _ => {}
        }
    }
    if sources.is_empty() {
        if args.operands.is_empty() {
            return usage(&io).await;
        }
        sources.push(args.operands.remove(0).to_string());
    }
    let extended = args.has('E') || args.has('r');
    let mut script = match script::parse(&sources, extended) {
        Ok(script) => script,
        Err(message) => {
            complain(&io, &message).await;
            return 1;
        }
    };
    script.quiet |= args.has('n') || args.has('\u{1}');
    let mut machine = Machine::new(Rc::new(script));
    let paths = crate::io::inputs(&args);
    let in_place = args.value('i').cloned();
    let mut status = 0;
    if in_place.is_some() || args.has('s') {
        for path in &paths {
            status |= edit(&io, &mut machine, path, in_place.as_deref()).await;
            if machine.quit.is_some() {
                break;
            }
        }
        return machine.quit.unwrap_or(status);
    }
    stream(&io, &mut machine, &paths, &mut status).await;
    machine.quit.unwrap_or(status)
}

async fn usage(io: &Io) -> i32 {
    let name = own_name(io);
    io.eprint(&format!(
        "Usage: {name} [OPTION]... {{script-only-if-no-other-script}} [input-file]...\n"
    ))
    .await;
    1
}

/// Runs the script over all files as one stream, line by line.
async fn stream(io: &Io, machine: &mut Machine, paths: &[Rc<str>], status: &mut i32) {
    let mut out = Output::default();
    let mut rest = paths.iter();
    let mut current: Option<Lines> = None;
    let mut ahead: Option<String> = None;
    loop {
        // One line of look-ahead tells which is the last.
        let mut next = None;
        while next.is_none() {
            if current.is_none() {
                let Some(path) = rest.next() else { break };
                match Lines::open(io, path).await {
                    Ok(lines) => current = Some(lines),
                    Err(errno) => {
                        out.flush(io).await;
                        let why = match errno {
                            machine::Errno::EISDIR => {
                                format!("couldn't edit {path}: not a regular file")
                            }
                            _ => format!("can't read {path}: {}", errno.message()),
                        };
                        complain(io, &why).await;
                        *status = 2;
                        continue;
                    }
                }
            }
            let Some(lines) = &mut current else { break };
            match lines.next(io).await {
                Ok(Some(line)) => next = Some(text(&line)),
                _ => current = None,
            }
        }
        let Some(line) = ahead.take() else {
            match next {
                Some(_) => {
                    ahead = next;
                    continue;
                }
                None => break,
            }
        };
        let last = next.is_none();
        ahead = next;
        feed(io, machine, line, last, &mut out).await;
        if let Some(lines) = &current {
            out.pace(io, lines).await;
        }
        if machine.quit.is_some() || last {
            break;
        }
    }
    out.flush(io).await;
}

/// Gives the script a line, and does what it asks for outside of itself.
async fn feed(io: &Io, machine: &mut Machine, line: String, last: bool, out: &mut Output) {
    let mut next = machine.line(line, last);
    loop {
        out.push(machine.take_output().as_bytes());
        match next {
            Next::Line => return,
            Next::Write(path, text) => {
                if path == "/dev/stdout" {
                    out.push(text.as_bytes());
                } else if path == "/dev/stderr" {
                    io.eprint(&text).await;
                } else {
                    let fresh = machine.opened.insert(path.clone());
                    let _ = io
                        .sys(move |sys| match fresh {
                            true => sys.write_file(&path, text.as_bytes()),
                            false => sys.append_file(&path, text.as_bytes()),
                        })
                        .await;
                }
                next = machine.resume();
            }
            Next::Read(path) => {
                let text = io.read_to_string(&path).await.unwrap_or_default();
                machine.append(text);
                next = machine.resume();
            }
        }
    }
}

/// Edits one file, in its place if a suffix (perhaps empty) is given.
async fn edit(io: &Io, machine: &mut Machine, path: &str, in_place: Option<&str>) -> i32 {
    let all = match slurp_text(io, path).await {
        Ok(all) => all,
        Err(machine::Errno::EISDIR) => {
            complain(io, &format!("couldn't edit {path}: not a regular file")).await;
            return 4;
        }
        Err(errno) => {
            complain(io, &format!("can't read {path}: {}", errno.message())).await;
            return 2;
        }
    };
    machine.restart();
    let mut out = Output::default();
    let lines: Vec<&str> = all.split_inclusive('\n').collect();
    let mut done = 0;
    for (at, line) in lines.iter().enumerate() {
        feed(
            io,
            machine,
            (*line).to_owned(),
            at + 1 == lines.len(),
            &mut out,
        )
        .await;
        done = at + 1;
        if machine.quit.is_some() {
            break;
        }
    }
    let Some(suffix) = in_place else {
        out.flush(io).await;
        return 0;
    };
    // What was not reached stays as it is.
    out.push(lines[done..].concat().as_bytes());
    let bytes = out.take();
    if !suffix.is_empty() {
        let backup = if suffix.contains('*') {
            suffix.replace('*', path)
        } else {
            format!("{path}{suffix}")
        };
        let _ = io.write_file(&backup, all.as_bytes()).await;
    }
    match io.write_file(path, &bytes).await {
        Ok(()) => 0,
        Err(errno) => {
            complain(
                io,
                &format!("couldn't open temporary file {path}: {}", errno.message()),
            )
            .await;
            4
        }
    }
}
