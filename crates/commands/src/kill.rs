//! `kill`, as a program of its own; shells have one built in. Models procps-ng's src/skill.c.

use std::rc::Rc;

use machine::{Errno, Io, Signal, Sys};

use crate::facts::busybox;
use crate::help::tool;

tool!(
    "kill",
    "Send a signal to a process",
    "kill [options] <pid> [...]",
    main,
    [
        ("/usr/bin/kill 99999", "kill: (99999): No such process\n"),
        ("/usr/bin/kill -l 9", "KILL\n"),
        (
            "sleep 9 & /usr/bin/kill -TERM $!; wait $!; echo $?",
            "143\n"
        ),
    ]
);

/// A signal by name or number; 0 sends nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sends {
    /// Only looks whether it could be sent.
    Nothing,
    /// A signal.
    Signal(Signal),
}

/// Reads the name or number of a signal.
pub(crate) fn signal(text: &str) -> Option<Sends> {
    match text.parse::<u8>() {
        Ok(0) => Some(Sends::Nothing),
        Ok(number) => Signal::from_number(number).map(Sends::Signal),
        Err(_) => Signal::from_name(text).map(Sends::Signal),
    }
}

/// Sends to a process by the number the caller knows it by; a negative one is a process group.
pub(crate) fn send(sys: &mut Sys<'_>, number: i64, what: Sends) -> Result<(), Errno> {
    let pid = sys.global_pid(u32::try_from(number.abs()).unwrap_or(u32::MAX));
    let known = sys.processes().iter().any(|process| process.pid == pid);
    if !known && number > 0 {
        return Err(Errno::ESRCH);
    }
    match what {
        Sends::Nothing => Ok(()),
        Sends::Signal(signal) if number < 0 => sys.kill_group(pid, signal),
        Sends::Signal(signal) => sys.kill(pid, signal),
    }
}

async fn main(io: Io) -> i32 {
    let mut what = Sends::Signal(Signal::Term);
    let mut targets: Vec<Rc<str>> = Vec::new();
    let mut rest = io.args()[1..].iter().cloned();
    let mut ended = false;
    while let Some(word) = rest.next() {
        let option = word
            .strip_prefix('-')
            .filter(|option| !option.is_empty() && !ended);
        let name = match option {
            None => {
                targets.push(word);
                continue;
            }
            Some("-") => {
                ended = true;
                continue;
            }
            Some("l" | "L" | "-list" | "-table") => return list(&io, rest.next().as_deref()).await,
            Some("s" | "n" | "-signal") => rest.next().unwrap_or_default(),
            // The first negative number is a signal, those behind it are groups.
            Some(digits) if digits.parse::<u32>().is_ok() && !targets.is_empty() => {
                targets.push(word);
                continue;
            }
            Some(name) => name.into(),
        };
        match signal(&name) {
            Some(found) => what = found,
            None => {
                let text = match busybox(&io).await {
                    true => format!("kill: bad signal name '{name}'\n"),
                    false => format!("kill: unknown signal name {name}\n"),
                };
                io.eprint(&text).await;
                return 1;
            }
        }
    }
    if targets.is_empty() {
        io.eprint("\nUsage:\n kill [options] <pid> [...]\n").await;
        return 1;
    }
    let mut status = 0;
    for target in targets {
        let Ok(number) = target.parse::<i64>() else {
            status = 1;
            io.eprint(&format!("kill: failed to parse argument: '{target}'\n"))
                .await;
            continue;
        };
        if let Err(errno) = io.sys(move |sys| send(sys, number, what)).await {
            status = 1;
            let why = errno.message();
            let text = match busybox(&io).await {
                true => format!("kill: can't kill pid {number}: {why}\n"),
                false => format!("kill: ({number}): {why}\n"),
            };
            io.eprint(&text).await;
        }
    }
    status
}

async fn list(io: &Io, wanted: Option<&str>) -> i32 {
    let text = match wanted {
        None => {
            let names: Vec<&str> = Signal::ALL.iter().map(|signal| signal.name()).collect();
            names.join(" ")
        }
        Some(word) => match (signal(word), word.parse::<u8>()) {
            (Some(Sends::Signal(signal)), Ok(_)) => signal.name().to_owned(),
            (Some(Sends::Signal(signal)), Err(_)) => (signal as u8).to_string(),
            _ => {
                io.eprint(&format!("kill: unknown signal name {word}\n"))
                    .await;
                return 1;
            }
        },
    };
    io.print(&format!("{text}\n")).await;
    0
}
