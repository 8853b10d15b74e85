//! `kubarium run`: a shell script in a fresh cluster, in virtual time.

use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use lab::{Input, Lab, Run, RunCommand, TerminalId};
use serde_json::json;
use sim::{Duration, Instant};

use crate::world::spec;

/// Events between two looks at what was printed.
const SLICE: u64 = 20_000;

struct Options {
    script: String,
    on: Option<String>,
    files: Option<String>,
    world: String,
    seed: u64,
    json: bool,
    limit: Duration,
}

/// Runs a script and exits with its code.
pub(crate) fn run(args: &[String]) -> Result<ExitCode> {
    let options = read(args)?;
    let script = match options.script.as_str() {
        "-" => {
            let mut text = String::new();
            std::io::stdin()
                .read_to_string(&mut text)
                .context("standard input")?;
            text
        }
        path => std::fs::read_to_string(path).with_context(|| path.to_owned())?,
    };
    let mut lab = Lab::new(spec(&options.world, options.seed)?).map_err(|why| anyhow!(why))?;
    lab.boot()
        .map_err(|why| anyhow!("the cluster did not come up: {why}"))?;
    let machine = match &options.on {
        Some(name) => name.as_str().into(),
        None => lab.spec().nodes[0].name.clone(),
    };
    if let Some(dir) = &options.files {
        put_files(&mut lab, &machine, Path::new(dir))?;
    }
    let input = Input::Run {
        machine,
        command: script.into(),
    };
    let number = lab
        .apply(input)
        .map_err(|why| anyhow!(why))?
        .context("the script did not start")?;
    follow(&mut lab, number, &options)
}

fn read(args: &[String]) -> Result<Options> {
    use lexopt::prelude::*;
    let mut options = Options {
        script: String::new(),
        on: None,
        files: None,
        world: "default".to_owned(),
        seed: 1,
        json: false,
        limit: Duration::from_secs(3600),
    };
    let mut parser = lexopt::Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Long("on") => options.on = Some(parser.value()?.string()?),
            Long("files") => options.files = Some(parser.value()?.string()?),
            Long("world") => options.world = parser.value()?.string()?,
            Long("seed") => options.seed = parser.value()?.parse()?,
            Long("json") => options.json = true,
            Long("max-virtual-time") => {
                let text = parser.value()?.string()?;
                options.limit = duration(&text).with_context(|| {
                    format!("--max-virtual-time {text}: expected a time such as 90s, 30m or 2h")
                })?;
            }
            Value(script) if options.script.is_empty() => options.script = script.string()?,
            other => return Err(other.unexpected().into()),
        }
    }
    if options.script.is_empty() {
        bail!("usage: kubarium run SCRIPT [options]; `kubarium help` lists them");
    }
    Ok(options)
}

/// `90s`, `30m`, `2h`, `1d`.
fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at(text.len().checked_sub(1)?);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    Some(Duration::from_secs(
        number.parse::<u64>().ok()?.checked_mul(seconds)?,
    ))
}

/// Puts the files of a folder into root's home directory.
fn put_files(lab: &mut Lab, machine: &str, dir: &Path) -> Result<()> {
    let mut todo = vec![dir.to_path_buf()];
    while let Some(next) = todo.pop() {
        let entries = std::fs::read_dir(&next).with_context(|| format!("--files {next:?}"))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                todo.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).with_context(|| format!("--files {path:?}"))?;
            let name = path.strip_prefix(dir)?.to_string_lossy().replace('\\', "/");
            lab.put_file(machine, &format!("/root/{name}"), &bytes)
                .map_err(|why| anyhow!(why))?;
        }
    }
    Ok(())
}

/// Prints what the script prints, as it comes, until it ends or its time is up.
fn follow(lab: &mut Lab, number: TerminalId, options: &Options) -> Result<ExitCode> {
    let end = lab.now() + options.limit;
    let (mut shown, mut told) = (Shown::default(), 0);
    loop {
        lab.step_run(number, end, SLICE);
        let run = lab.run_result(number).context("the script is gone")?;
        if options.json {
            told += tell(&run.commands[told..], run.exit_code.is_some())?;
        } else {
            shown.show(run)?;
        }
        if let Some(code) = run.exit_code {
            return Ok(ExitCode::from(u8::try_from(code & 0xff).unwrap_or(1)));
        }
        let over = lab.now() >= end || lab.next_at().is_none_or(|next| next > end);
        if over {
            let waiting = run
                .commands
                .last()
                .map_or("", |command| &command.text)
                .to_owned();
            lab.stop_run(number);
            bail!(
                "gave up after {} of virtual time (--max-virtual-time), still running: {waiting}",
                human(options.limit)
            );
        }
    }
}

fn human(limit: Duration) -> String {
    match limit.as_secs() {
        secs if secs % 3600 == 0 => format!("{}h", secs / 3600),
        secs if secs % 60 == 0 => format!("{}m", secs / 60),
        secs => format!("{secs}s"),
    }
}

/// How much was printed already.
#[derive(Default)]
struct Shown {
    stdout: usize,
    stderr: usize,
}

impl Shown {
    fn show(&mut self, run: &Run) -> Result<()> {
        let mut out = std::io::stdout().lock();
        out.write_all(&run.stdout[self.stdout..])?;
        out.flush()?;
        std::io::stderr()
            .lock()
            .write_all(&run.stderr[self.stderr..])?;
        (self.stdout, self.stderr) = (run.stdout.len(), run.stderr.len());
        Ok(())
    }
}

/// Prints the commands that have ended; returns how many those are.
fn tell(commands: &[RunCommand], over: bool) -> Result<usize> {
    let mut out = std::io::stdout().lock();
    let mut count = 0;
    for command in commands {
        let RunCommand {
            text,
            started,
            ended,
            stdout,
            stderr,
        } = command;
        let Some((at, code)) = ended.or(over.then_some((*started, 0))) else {
            break;
        };
        let line = json!({
            "command": text.trim_end(),
            "exit_code": code,
            "stdout": String::from_utf8_lossy(stdout),
            "stderr": String::from_utf8_lossy(stderr),
            "started": started.rfc3339_micro(),
            "seconds": seconds(at, *started),
        });
        writeln!(out, "{line}")?;
        count += 1;
    }
    out.flush()?;
    Ok(count)
}

/// Seconds with a millisecond's precision.
fn seconds(at: Instant, started: Instant) -> f64 {
    let millis = u32::try_from(at.since(started).as_millis()).unwrap_or(u32::MAX);
    f64::from(millis) / 1000.0
}
