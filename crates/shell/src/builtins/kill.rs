//! `kill`

use std::rc::Rc;

use machine::{Errno, Signal, Sys};
use sim::Pid;

use super::{Builtin, Outcome};
use crate::eval::Shell;

pub(super) const KILL: Builtin = Builtin {
    name: "kill",
    usage: "kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]",
    posix: true,
    run: kill,
};

fn kill(shell: &mut Shell, sys: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    let mut rest = &args[1..];
    let mut signal = Some(Signal::Term);
    match rest.first().map(|arg| &**arg) {
        None => {
            shell.print_error(&format!("kill: usage: {}\n", KILL.usage));
            return Outcome::Status(2);
        }
        Some("-l" | "-L") => return list(shell, &rest[1..]),
        Some(option @ ("-s" | "-n")) => {
            let Some(name) = rest.get(1) else {
                shell.complain(&format!("kill: {option}: option requires an argument"));
                return Outcome::Status(2);
            };
            match parse(name) {
                Some(found) => signal = found,
                None => return invalid(shell, name),
            }
            rest = &rest[2..];
        }
        Some("--") => rest = &rest[1..],
        Some(option) if option.starts_with('-') => {
            match parse(&option[1..]) {
                Some(found) => signal = found,
                None => return invalid(shell, &option[1..]),
            }
            rest = &rest[1..];
        }
        Some(_) => {}
    }
    let mut status = 0;
    for target in rest {
        let sent = if target.starts_with('%') {
            let Some(id) = shell.jobs.named(target) else {
                shell.complain(&format!("kill: {target}: no such job"));
                status = 1;
                continue;
            };
            let processes = shell.jobs.get(id).map(|job| job.processes.clone());
            let sent = processes
                .unwrap_or_default()
                .into_iter()
                .map(|(pid, _)| send(shell, sys, pid, signal));
            sent.fold(Ok(()), Result::or)
        } else {
            match target.parse::<i64>() {
                Err(_) => {
                    let what = "arguments must be process or job IDs";
                    shell.complain(&format!("kill: {target}: {what}"));
                    status = 1;
                    continue;
                }
                Ok(0) => {
                    let own = sys
                        .host()
                        .process(sys.pid())
                        .map_or(Pid(0), |process| process.pgrp);
                    signal.map_or(Ok(()), |signal| sys.kill_group(own, signal))
                }
                Ok(group) if group < 0 => {
                    let group = Pid(u32::try_from(-group).unwrap_or(0));
                    signal.map_or(Ok(()), |signal| sys.kill_group(group, signal))
                }
                Ok(pid) => send(shell, sys, Pid(u32::try_from(pid).unwrap_or(0)), signal),
            }
        };
        if let Err(errno) = sent {
            shell.complain(&format!("kill: ({target}) - {}", errno.message()));
            status = 1;
        }
    }
    Outcome::Status(status)
}

/// Sends a signal, or only looks whether that could be done. A signal to the shell itself that it
/// has a trap for is taken at once.
fn send(
    shell: &mut Shell,
    sys: &mut Sys<'_>,
    pid: Pid,
    signal: Option<Signal>,
) -> Result<(), Errno> {
    let Some(signal) = signal else {
        return sys.host().process(pid).map(|_| ()).ok_or(Errno::ESRCH);
    };
    if pid == sys.pid() && shell.takes(signal) {
        shell.raise(signal);
        return Ok(());
    }
    sys.kill(pid, signal)
}

/// A signal by name or number; `Some(None)` for 0.
fn parse(text: &str) -> Option<Option<Signal>> {
    match text.parse::<u8>() {
        Ok(0) => Some(None),
        Ok(number) => Signal::from_number(number).map(Some),
        Err(_) => Signal::from_name(text).map(Some),
    }
}

fn invalid(shell: &mut Shell, name: &str) -> Outcome {
    shell.complain(&format!("kill: {name}: invalid signal specification"));
    Outcome::Status(1)
}

fn list(shell: &mut Shell, names: &[Rc<str>]) -> Outcome {
    if names.is_empty() {
        let all = Signal::ALL
            .iter()
            .map(|signal| format!("{:2}) SIG{}", *signal as u8, signal.name()));
        let lines: Vec<String> = all.collect();
        shell.print(&format!("{}\n", lines.join("\t")));
        return Outcome::Status(0);
    }
    for name in names {
        let number = name.parse::<u32>().ok();
        let text = match number {
            Some(number) => {
                let number = if number > 128 { number - 128 } else { number };
                u8::try_from(number)
                    .ok()
                    .and_then(Signal::from_number)
                    .map(|s| s.name().to_owned())
            }
            None => Signal::from_name(name).map(|signal| (signal as u8).to_string()),
        };
        match text {
            Some(text) => shell.print(&format!("{text}\n")),
            None => return invalid(shell, name),
        }
    }
    Outcome::Status(0)
}
