//! `jq`. Models jq 1.7: filters, paths, assignments, regular expressions, formats. Dates beyond
//! ISO 8601, streams, modules and most of the mathematics are not modelled.

mod ast;
mod builtins;
mod eval;
mod format;
mod json;
mod parse;
mod paths;

use std::rc::Rc;

use machine::{Fd, Io};

use crate::help::tool;
use crate::io::{complain, slurp_text};
use ast::{Filter, Function};
use eval::{Env, Item, Run, Stop};
use json::{Json, Reader, Style};

tool!(
    "jq",
    "Process JSON",
    "jq [OPTIONS] FILTER [FILE...]",
    main,
    [
        ("echo '{\"a\":{\"b\":[1,2]}}' | jq .a.b[1]", "2\n"),
        (
            "echo '[{\"n\":\"x\",\"v\":1},{\"n\":\"y\",\"v\":2}]' | jq -r '.[] | select(.v > 1) | .n'",
            "y\n"
        ),
        (
            "echo '{\"b\":1,\"a\":[]}' | jq .",
            "{\n  \"b\": 1,\n  \"a\": []\n}\n"
        ),
        ("echo '[3,1,2]' | jq -c 'sort | map(. * 2)'", "[2,4,6]\n"),
        (
            "echo '{\"a\":1}' | jq -r '.a as $x | \"\\($x) and \\(.a + 1)\"'",
            "1 and 2\n"
        ),
        ("jq -n -r '[\"a\", 1] | @tsv'", "a\t1\n"),
        ("echo '{\"a\":1}' | jq -c '.b = 2 | del(.a)'", "{\"b\":2}\n"),
        (
            "echo '{\"a\":\"x\"}' | jq '.a + 1'; echo $?",
            "jq: error (at <stdin>:1): string (\"x\") and number (1) cannot be added\n5\n"
        ),
        (
            "echo '{' | jq .; echo $?",
            "jq: parse error: Unfinished JSON term at EOF at line 2, column 0\n2\n"
        ),
        (
            "jq -n '1 +'; echo $?",
            "jq: error: syntax error, unexpected end of file (Unix shell quoting issues?) at <top-level>, line 1:\n1 +\njq: 1 compile error\n3\n"
        ),
    ]
);

/// What the options ask for.
struct Options {
    null_input: bool,
    raw_input: bool,
    slurp: bool,
    raw: bool,
    join: bool,
    exit_status: bool,
    style: Style,
    filter: Option<String>,
    files: Vec<Rc<str>>,
    named: Vec<(Rc<str>, Json)>,
    positional: Vec<Json>,
}

async fn main(io: Io) -> i32 {
    let colours = io.sys(|sys| sys.is_tty(Fd::STDOUT)).await;
    let mut options = match options(&io, colours).await {
        Ok(options) => options,
        Err(code) => return code,
    };
    let Some(text) = options.filter.take() else {
        io.eprint("Usage:\tjq [OPTIONS] FILTER [FILES...]\n").await;
        return 2;
    };
    let filter = match parse::parse(&text) {
        Ok(filter) => filter,
        Err(message) => {
            let lines = text.lines().count().max(1);
            io.eprint(&format!(
                "jq: error: {message} at <top-level>, line {lines}:\n{text}\njq: 1 compile error\n"
            ))
            .await;
            return 3;
        }
    };
    let mut env = library();
    let mut named = Vec::new();
    for (name, value) in &options.named {
        env = env.with_value(name, value.clone());
        named.push((name.clone(), value.clone()));
    }
    let args = Json::Object(Rc::new(vec![
        ("positional".into(), Json::array(options.positional.clone())),
        ("named".into(), Json::Object(Rc::new(named))),
    ]));
    env = env
        .with_value(&"__prog_args".into(), args.clone())
        .with_value(&"ARGS".into(), args);
    let (inputs, broken, missing) = inputs(&io, &options).await;
    let vars = io
        .environment()
        .iter()
        .map(|(name, value)| (name.clone(), Json::Text(value.clone())));
    let vars = Json::Object(Rc::new(vars.collect()));
    let now = io.now().await;
    let nanos = now.as_nanos() % 1_000_000_000;
    let mut run = Run::new(vars, now.unix_secs() as f64 + (nanos / 1000) as f64 / 1e6);
    run.inputs = inputs;
    run.inputs.reverse();
    let mut code = drive(&io, &mut run, &filter, &env, &options).await;
    if let Some(message) = broken {
        complain(&io, &format!("parse error: {message}")).await;
        code = 2;
    }
    if missing { 2 } else { code }
}

/// What a filter makes of one document, each result as JSON. For tools that read other forms.
///
/// # Errors
/// What is wrong with the filter, or what it failed of.
pub(crate) async fn apply(io: &Io, filter: &str, json: &str) -> Result<Vec<String>, String> {
    let filter = parse::parse(filter)?;
    let input = Reader::new(json).next()?.unwrap_or(Json::Null);
    let vars = io.environment().iter();
    let vars = vars.map(|(name, value)| (name.clone(), Json::Text(value.clone())));
    let vars = Json::Object(Rc::new(vars.collect()));
    let mut run = Run::new(vars, io.now().await.unix_secs() as f64);
    let mut out = Vec::new();
    let flow = run.eval(&filter, Item::plain(input), &library(), &mut |_, item| {
        out.push(item.value.compact());
        Ok(())
    });
    match flow {
        Ok(()) => Ok(out),
        Err(Stop::Break(_)) => Err("break".to_owned()),
        Err(Stop::Error(Json::Text(text))) => Err(text.to_string()),
        Err(Stop::Error(other)) => Err(other.compact()),
    }
}

/// The builtins that are written in jq.
fn library() -> Env {
    let functions: Vec<Rc<Function>> =
        parse::parse_definitions(builtins::LIBRARY).unwrap_or_default();
    functions
        .iter()
        .fold(Env::new(), |env, function| env.with_function(function))
}

async fn options(io: &Io, colours: bool) -> Result<Options, i32> {
    let mut options = Options {
        null_input: false,
        raw_input: false,
        slurp: false,
        raw: false,
        join: false,
        exit_status: false,
        style: Style {
            indent: Some("  ".to_owned()),
            sort: false,
            colours,
            ascii: false,
        },
        filter: None,
        files: Vec::new(),
        named: Vec::new(),
        positional: Vec::new(),
    };
    let mut rest = io.args()[1..].iter();
    // Behind `--args` and `--jsonargs` operands are values: 0 files, 1 strings, 2 JSON.
    let mut operands = 0;
    let mut from_file = None;
    while let Some(word) = rest.next() {
        let letters: Vec<String> = match word.strip_prefix("--") {
            Some("") => {
                for operand in rest.by_ref() {
                    operand_of(io, &mut options, operand, operands).await?;
                }
                break;
            }
            Some(long) => vec![long.to_owned()],
            None => match word.strip_prefix('-').filter(|letters| !letters.is_empty()) {
                Some(letters) => letters.chars().map(String::from).collect(),
                None => {
                    operand_of(io, &mut options, word, operands).await?;
                    continue;
                }
            },
        };
        for letter in letters {
            let mut value = || rest.next().cloned().unwrap_or_default();
            match letter.as_str() {
                "n" | "null-input" => options.null_input = true,
                "R" | "raw-input" => options.raw_input = true,
                "s" | "slurp" => options.slurp = true,
                "r" | "raw-output" => options.raw = true,
                "j" | "join-output" => (options.raw, options.join) = (true, true),
                "a" | "ascii-output" => options.style.ascii = true,
                "c" | "compact-output" => options.style.indent = None,
                "C" | "color-output" => options.style.colours = true,
                "M" | "monochrome-output" => options.style.colours = false,
                "S" | "sort-keys" => options.style.sort = true,
                "e" | "exit-status" => options.exit_status = true,
                "tab" => options.style.indent = Some("\t".to_owned()),
                "indent" => {
                    let width = value().parse().unwrap_or(2usize).min(7);
                    options.style.indent = (width > 0).then(|| " ".repeat(width));
                }
                "arg" => {
                    let (name, text) = (value(), value());
                    options.named.push((name, Json::Text(text)));
                }
                "argjson" => {
                    let (name, text) = (value(), value());
                    match Reader::new(&text).next() {
                        Ok(Some(json)) => options.named.push((name, json)),
                        _ => {
                            complain(io, "Invalid JSON text passed to --argjson").await;
                            return Err(2);
                        }
                    }
                }
                "slurpfile" | "rawfile" => {
                    let (name, path) = (value(), value());
                    let Ok(text) = slurp_text(io, &path).await else {
                        complain(io, &format!("Bad JSON in --{letter} {name} {path}: Could not open {path}: No such file or directory")).await;
                        return Err(2);
                    };
                    let json = if letter == "rawfile" {
                        Json::text(text)
                    } else {
                        let mut all = Vec::new();
                        let mut reader = Reader::new(&text);
                        while let Ok(Some(json)) = reader.next() {
                            all.push(json);
                        }
                        Json::array(all)
                    };
                    options.named.push((name, json));
                }
                "args" => operands = 1,
                "jsonargs" => operands = 2,
                "f" | "from-file" => from_file = Some(()),
                "h" | "help" => {
                    io.print("Usage:\tjq [OPTIONS] FILTER [FILES...]\n").await;
                    return Err(0);
                }
                "V" | "version" => {
                    io.print("jq-1.7.1\n").await;
                    return Err(0);
                }
                "unbuffered" | "seq" => {}
                other => {
                    let shown = if other.len() == 1 {
                        format!("-{other}")
                    } else {
                        format!("--{other}")
                    };
                    complain(io, &format!("Unknown arguments: {shown}")).await;
                    io.eprint("Use jq --help for help with command-line options,\nor see the jq manpage, or online docs  at https://jqlang.github.io/jq\n").await;
                    return Err(2);
                }
            }
        }
    }
    if from_file.is_some()
        && let Some(path) = options.filter.clone()
    {
        match slurp_text(io, &path).await {
            Ok(text) => options.filter = Some(text),
            Err(errno) => {
                complain(
                    io,
                    &format!("error: Could not open {path}: {}", errno.message()),
                )
                .await;
                return Err(2);
            }
        }
    }
    Ok(options)
}

async fn operand_of(
    io: &Io,
    options: &mut Options,
    word: &Rc<str>,
    operands: u8,
) -> Result<(), i32> {
    if options.filter.is_none() {
        options.filter = Some(word.to_string());
        return Ok(());
    }
    match operands {
        0 => options.files.push(word.clone()),
        1 => options.positional.push(Json::Text(word.clone())),
        _ => match Reader::new(word).next() {
            Ok(Some(json)) => options.positional.push(json),
            _ => {
                complain(io, "Invalid JSON text passed to --jsonargs").await;
                return Err(2);
            }
        },
    }
    Ok(())
}

/// The inputs, what is wrong with the text behind them, and whether a file was missing.
async fn inputs(io: &Io, options: &Options) -> (Vec<Json>, Option<String>, bool) {
    if options.null_input && options.files.is_empty() {
        // They may still be asked for, but reading now could wait for a person.
        let waits = io.sys(|sys| sys.is_tty(Fd::STDIN)).await;
        if waits {
            return (Vec::new(), None, false);
        }
    }
    let mut text = String::new();
    let mut missing = false;
    let files = if options.files.is_empty() {
        vec!["-".into()]
    } else {
        options.files.clone()
    };
    for path in files {
        match slurp_text(io, &path).await {
            Ok(more) => text.push_str(&more),
            Err(errno) => {
                complain(
                    io,
                    &format!("error: Could not open {path}: {}", errno.message()),
                )
                .await;
                missing = true;
            }
        }
    }
    if options.raw_input {
        let inputs = match options.slurp {
            true => vec![Json::text(text)],
            false => text.lines().map(Json::text).collect(),
        };
        return (inputs, None, missing);
    }
    let mut all = Vec::new();
    let mut reader = Reader::new(&text);
    let broken = loop {
        match reader.next() {
            Ok(Some(json)) => all.push(json),
            Ok(None) => break None,
            Err(message) => break Some(message),
        }
    };
    if options.slurp && broken.is_none() {
        all = vec![Json::array(all)];
    }
    (all, broken, missing)
}

/// Runs the filter over every input.
async fn drive(io: &Io, run: &mut Run, filter: &Filter, env: &Env, options: &Options) -> i32 {
    let mut code = 0;
    let mut last = None;
    let mut first = true;
    loop {
        let input = match options.null_input {
            true if first => Json::Null,
            true => break,
            false => match run.inputs.pop() {
                Some(input) => input,
                None => break,
            },
        };
        first = false;
        let mut out = String::new();
        let flow = run.eval(filter, Item::plain(input), env, &mut |_, item| {
            match &item.value {
                Json::Text(text) if options.raw => out.push_str(text),
                value => options.style.write(value, 0, &mut out),
            }
            if !options.join {
                out.push('\n');
            }
            last = Some(item.value);
            Ok(())
        });
        io.eprint(&std::mem::take(&mut run.said)).await;
        io.print(&out).await;
        match flow {
            Ok(()) => {}
            Err(Stop::Break(_)) => {
                complain(io, "error (at <unknown>): break").await;
                code = 5;
            }
            Err(Stop::Error(value)) => match value.get("__jq") {
                Some(Json::Number(own)) => {
                    let said = match value.get("value") {
                        None | Some(Json::Null) => String::new(),
                        Some(Json::Text(text)) => text.to_string(),
                        Some(other) => format!("{}\n", other.compact()),
                    };
                    io.eprint(&said).await;
                    return *own as i32;
                }
                _ => {
                    let place = if options.null_input {
                        "<unknown>"
                    } else {
                        "<stdin>:1"
                    };
                    let said = match &value {
                        Json::Text(text) => format!("error (at {place}): {text}"),
                        other => format!("error (at {place}) (not a string): {}", other.compact()),
                    };
                    complain(io, &said).await;
                    code = 5;
                }
            },
        }
    }
    match (options.exit_status && code == 0, last) {
        (true, None) => 4,
        (true, Some(value)) if !value.is_true() => 1,
        _ => code,
    }
}
