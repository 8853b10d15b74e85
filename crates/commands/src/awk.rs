//! `awk`. Models POSIX awk as mawk has it: patterns, functions, arrays, `getline`, pipes.
//! Sines, logarithms and powers of fractions are not modelled.

mod ast;
mod compile;
mod lex;
mod parse;
mod value;
mod vm;

use std::collections::BTreeMap;
use std::rc::Rc;

use machine::{Exec, Fd, Io, OpenMode, Spawn};
use sim::Pid;

use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{Lines, Output, complain, slurp_text, text, usage_error};
use crate::run;
use ast::Redirect;
use value::Value;
use vm::{Ended, Reading, Request, Vm};

tool!(
    "awk",
    "Scan and process patterns",
    "awk [-F value] [-v var=value] 'program' [file ...]",
    main,
    [
        ("echo 'a b c' | awk '{print $2, NF}'", "b 3\n"),
        (
            "printf 'a:1\\nb:2\\n' | awk -F: '{s += $2} END {print s}'",
            "3\n"
        ),
        ("seq 5 | awk 'NR==2,NR==3'", "2\n3\n"),
        (
            "printf 'x\\ny\\nx\\n' | awk '{n[$1]++} END {for (k in n) print k, n[k]}'",
            "x 2\ny 1\n"
        ),
        (
            "awk 'BEGIN {printf \"%5.2f|%-3s|%03d\\n\", 3.14159, \"a\", 7}'",
            " 3.14|a  |007\n"
        ),
        (
            "echo 'foo bar' | awk '{sub(/o+/, \"0\"); $2 = toupper($2)} 1'",
            "f0 BAR\n"
        ),
        (
            "awk -v n=3 'BEGIN {for (i = 1; i <= n; i++) s = s i; print s}'",
            "123\n"
        ),
        (
            "echo 'a b' | awk '{print $1'",
            "awk: line 1: syntax error at or near end of file\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    value('F', "field-separator"),
    value('f', "file"),
    value('v', "assign"),
    value('W', ""),
    flag('\u{1}', "posix"),
];

/// Inputs and outputs the program has opened.
#[derive(Default)]
struct Streams {
    lines: BTreeMap<Reading, Lines>,
    writers: BTreeMap<Rc<str>, Fd>,
    children: BTreeMap<Rc<str>, (Pid, Fd)>,
    out: Output,
}

/// The main input: files still to come, and the one being read.
struct Input {
    rest: Vec<Rc<str>>,
    current: Option<Lines>,
    /// Whether an operand was a file; otherwise the standard input is read.
    any: bool,
    failed: bool,
}

async fn main(io: Io) -> i32 {
    let args = match args::parse_leading(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 2).await,
    };
    let mut operands = args.operands.clone();
    let mut source = String::new();
    for path in args.values('f') {
        match slurp_text(&io, path).await {
            Ok(text) => source.push_str(&format!("{text}\n")),
            Err(errno) => {
                complain(
                    &io,
                    &format!("cannot open \"{path}\" ({})", errno.message()),
                )
                .await;
                return 2;
            }
        }
    }
    if !args.has('f') {
        if operands.is_empty() {
            io.eprint("usage: awk [-F value] [-v var=value] 'program' [file ...]\n")
                .await;
            return 2;
        }
        source = operands.remove(0).to_string();
    }
    let code = match parse::parse(&source).and_then(|program| compile::compile(&program)) {
        Ok(code) => Rc::new(code),
        Err(message) => {
            complain(&io, &message).await;
            return 2;
        }
    };
    let now = io.now().await.unix_secs();
    let mut vm = Vm::new(code.clone(), now);
    if let Some(separator) = args.value('F') {
        let separator = if &**separator == "t" {
            "\t".to_owned()
        } else {
            lex::unescape(separator)
        };
        vm.set_global("FS", Value::Text(separator.into()));
    }
    for assignment in args.values('v') {
        if !assign(&mut vm, assignment) {
            complain(&io, &format!("improper assignment: -v {assignment}")).await;
            return 2;
        }
    }
    let environ = io
        .environment()
        .iter()
        .map(|(k, v)| (k.to_string(), Value::input(v.clone())));
    vm.set_array("ENVIRON", environ.collect());
    let words = std::iter::once("awk").chain(operands.iter().map(|word| &**word));
    let argv: Vec<(String, Value)> = words
        .enumerate()
        .map(|(at, word)| (at.to_string(), Value::input(word)))
        .collect();
    vm.set_global("ARGC", Value::Number(argv.len() as f64));
    vm.set_array("ARGV", argv);
    operands.reverse();
    let mut streams = Streams::default();
    let mut input = Input {
        rest: operands,
        current: None,
        any: false,
        failed: false,
    };
    let result = whole(&io, &mut vm, &code, &mut streams, &mut input).await;
    if let Err(message) = &result {
        streams.out.flush(&io).await;
        complain(&io, message).await;
    }
    streams.finish(&io).await;
    match result {
        Ok(()) if input.failed && vm.exit == 0 => 2,
        Ok(()) => vm.exit & 0xff,
        Err(_) => 2,
    }
}

/// `name=value`; false if it is no assignment.
fn assign(vm: &mut Vm, text: &str) -> bool {
    let Some((name, value)) = text.split_once('=') else {
        return false;
    };
    let mut chars = name.chars();
    let begins = chars
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if !begins || !chars.all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return false;
    }
    vm.set_global(name, Value::input(lex::unescape(value)));
    true
}

async fn whole(
    io: &Io,
    vm: &mut Vm,
    code: &Rc<compile::Code>,
    streams: &mut Streams,
    input: &mut Input,
) -> Result<(), String> {
    if let Some(begin) = code.begin {
        vm.begin(begin);
        drive(io, vm, streams, input).await?;
    }
    if vm.ended != Ended::Exit && (code.main.is_some() || code.end.is_some()) {
        while let Some(line) = input.next(io, vm).await {
            vm.set_record(&line);
            vm.count_record();
            if let Some(main) = code.main {
                vm.begin(main);
                drive(io, vm, streams, input).await?;
                if let Some(lines) = &input.current {
                    streams.out.pace(io, lines).await;
                }
                if vm.ended == Ended::Exit {
                    break;
                }
            }
        }
    }
    if let Some(end) = code.end {
        vm.begin(end);
        drive(io, vm, streams, input).await?;
    }
    Ok(())
}

/// Runs the code the machine stands at, answering what it asks for.
async fn drive(
    io: &Io,
    vm: &mut Vm,
    streams: &mut Streams,
    input: &mut Input,
) -> Result<(), String> {
    loop {
        let request = vm.run();
        streams.write(io, std::mem::take(&mut vm.printed)).await;
        match request? {
            Request::Done => return Ok(()),
            Request::Flush => streams.out.flush(io).await,
            Request::Line(Reading::Input) => {
                streams.out.flush(io).await;
                let line = input.next(io, vm).await;
                if line.is_some() {
                    vm.count_record();
                }
                vm.answer_line(line.as_deref(), false);
            }
            Request::Line(reading) => {
                streams.out.flush(io).await;
                match streams.line(io, &reading).await {
                    Ok(line) => vm.answer_line(line.as_deref(), false),
                    Err(()) => vm.answer_line(None, true),
                }
            }
            Request::System(command) => {
                streams.out.flush(io).await;
                let code = match spawn(io, &command, None, None).await {
                    Some(pid) => io.wait(pid).await.shell_code(),
                    None => 127,
                };
                vm.answer(f64::from(code));
            }
            Request::Close(name) => {
                streams.out.flush(io).await;
                let code = streams.close(io, &name).await;
                vm.answer(f64::from(code));
            }
        }
    }
}

async fn spawn(io: &Io, command: &str, stdin: Option<Fd>, stdout: Option<Fd>) -> Option<Pid> {
    let shell = run::find(io, "sh").await?;
    let words = vec!["sh".into(), "-c".into(), command.into()];
    let mut spawn = Spawn::new(Exec::Path(shell), words);
    spawn.fds = vec![
        (Fd::STDIN, stdin.unwrap_or(Fd::STDIN)),
        (Fd::STDOUT, stdout.unwrap_or(Fd::STDOUT)),
        (Fd::STDERR, Fd::STDERR),
    ];
    io.spawn(spawn).await.ok()
}

impl Input {
    /// The next record of the main input.
    async fn next(&mut self, io: &Io, vm: &mut Vm) -> Option<String> {
        loop {
            if self.current.is_none() {
                let path = match self.rest.pop() {
                    Some(word) if assign(vm, &word) => continue,
                    Some(path) => path,
                    None if self.any => return None,
                    None => "-".into(),
                };
                self.any = true;
                match Lines::open(io, &path).await {
                    Ok(lines) => {
                        self.current = Some(lines);
                        vm.set_global(
                            "FILENAME",
                            Value::Text(if &*path == "-" { "".into() } else { path }),
                        );
                        vm.set_global("FNR", Value::Number(0.0));
                    }
                    Err(errno) => {
                        complain(io, &format!("cannot open \"{path}\" ({})", errno.message()))
                            .await;
                        self.failed = true;
                        continue;
                    }
                }
            }
            let separator = vm.text_of("RS", "\n");
            match record(io, self.current.as_mut()?, &separator).await {
                Some(record) => return Some(record),
                None => self.current = None,
            }
        }
    }
}

/// One record: up to the separator, or a paragraph if that is empty.
async fn record(io: &Io, lines: &mut Lines, separator: &str) -> Option<String> {
    if separator == "\n" {
        let line = lines.next(io).await.ok()??;
        let line = text(&line);
        return Some(line.strip_suffix('\n').unwrap_or(&line).to_owned());
    }
    if separator.is_empty() {
        let mut all: Vec<String> = Vec::new();
        while let Ok(Some(line)) = lines.next(io).await {
            let line = text(&line).trim_end_matches('\n').to_owned();
            match (line.is_empty(), all.is_empty()) {
                (true, true) => {}
                (true, false) => break,
                (false, _) => all.push(line),
            }
        }
        return (!all.is_empty()).then(|| all.join("\n"));
    }
    let first = separator.bytes().next().unwrap_or(b'\n');
    let bytes = lines.until(io, first).await.ok()??;
    let record = text(&bytes);
    let record = record
        .strip_suffix(char::from(first))
        .unwrap_or(&record)
        .to_owned();
    Some(record)
}

impl Streams {
    /// Writes what the program printed.
    async fn write(&mut self, io: &Io, printed: Vec<vm::Printed>) {
        for vm::Printed { to, text } in printed {
            let Some((kind, name)) = to else {
                self.out.push(text.as_bytes());
                continue;
            };
            match (&*name, kind) {
                ("/dev/stdout" | "-", Redirect::File | Redirect::Append) => {
                    self.out.push(text.as_bytes());
                    continue;
                }
                ("/dev/stderr", Redirect::File | Redirect::Append) => {
                    self.out.flush(io).await;
                    io.eprint(&text).await;
                    continue;
                }
                _ => {}
            }
            if let Some(fd) = self.writer(io, &name, kind).await {
                io.write_all(fd, text.as_bytes()).await;
            }
        }
    }

    async fn writer(&mut self, io: &Io, name: &Rc<str>, kind: Redirect) -> Option<Fd> {
        if kind == Redirect::Pipe {
            if let Some((_, fd)) = self.children.get(name) {
                return Some(*fd);
            }
            self.out.flush(io).await;
            let (reader, writer) = io.sys(|sys| sys.pipe()).await.ok()?;
            let pid = spawn(io, name, Some(reader), None).await;
            io.close(reader).await;
            self.children.insert(name.clone(), (pid?, writer));
            return Some(writer);
        }
        if let Some(fd) = self.writers.get(name) {
            return Some(*fd);
        }
        let mode = if kind == Redirect::File {
            OpenMode::Truncate
        } else {
            OpenMode::Append
        };
        match io.open(name, mode).await {
            Ok(fd) => {
                self.writers.insert(name.clone(), fd);
                Some(fd)
            }
            Err(errno) => {
                complain(
                    io,
                    &format!("cannot open \"{name}\" for output ({})", errno.message()),
                )
                .await;
                None
            }
        }
    }

    /// A line of a file or of a command's output.
    async fn line(&mut self, io: &Io, reading: &Reading) -> Result<Option<String>, ()> {
        if !self.lines.contains_key(reading) {
            let lines = match reading {
                Reading::Command(command) => {
                    let (reader, writer) = io.sys(|sys| sys.pipe()).await.map_err(|_| ())?;
                    let pid = spawn(io, command, None, Some(writer)).await;
                    io.close(writer).await;
                    pid.ok_or(())?;
                    Lines::of(reader)
                }
                Reading::File(path) => Lines::open(io, path).await.map_err(|_| ())?,
                Reading::Input => return Err(()),
            };
            self.lines.insert(reading.clone(), lines);
        }
        let lines = self.lines.get_mut(reading).ok_or(())?;
        let line = lines.next(io).await.map_err(|_| ())?;
        Ok(line.map(|bytes| text(&bytes).trim_end_matches('\n').to_owned()))
    }

    async fn close(&mut self, io: &Io, name: &Rc<str>) -> i32 {
        let mut code = -1;
        for reading in [Reading::File(name.clone()), Reading::Command(name.clone())] {
            if let Some(mut lines) = self.lines.remove(&reading) {
                lines.close(io).await;
                code = 0;
            }
        }
        if let Some(fd) = self.writers.remove(name) {
            io.close(fd).await;
            code = 0;
        }
        if let Some((pid, fd)) = self.children.remove(name) {
            io.close(fd).await;
            code = io.wait(pid).await.shell_code();
        }
        code
    }

    /// Everything out, children waited for.
    async fn finish(mut self, io: &Io) {
        self.out.flush(io).await;
        let names: Vec<Rc<str>> = self.children.keys().cloned().collect();
        for name in names {
            self.close(io, &name).await;
        }
    }
}
