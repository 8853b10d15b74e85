//! `timeout`. Models coreutils src/timeout.c.

use machine::{Exec, ExitStatus, Io, Signal, Spawn};

use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{complain, missing_operand, usage_error};
use crate::run;
use crate::sleep::{Span, interval};

tool!(
    "timeout",
    "Run a command with a time limit",
    "timeout [OPTION] DURATION COMMAND [ARG]...",
    main,
    [
        ("timeout 1 sleep 5; echo $?", "124\n"),
        ("timeout 5 sh -c 'exit 3'; echo $?", "3\n"),
        (
            "timeout 1 nosuch; echo $?",
            "timeout: failed to run command ‘nosuch’: No such file or directory\n127\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    value('k', "kill-after"),
    value('s', "signal"),
    flag('v', "verbose"),
    flag('\u{1}', "preserve-status"),
    flag('\u{2}', "foreground"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse_leading(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 125).await,
    };
    let [limit, command @ ..] = &args.operands[..] else {
        return missing_operand(&io, 125).await;
    };
    if command.is_empty() {
        return missing_operand(&io, 125).await;
    }
    let Some(span) = interval(limit) else {
        return usage_error(&io, &format!("invalid time interval ‘{limit}’"), 125).await;
    };
    let signal = match args.value('s') {
        None => Signal::Term,
        Some(name) => {
            let found = name
                .parse()
                .ok()
                .and_then(Signal::from_number)
                .or_else(|| Signal::from_name(name));
            match found {
                Some(signal) => signal,
                None => return usage_error(&io, &format!("‘{name}’: invalid signal"), 125).await,
            }
        }
    };
    let name = &command[0];
    let Some(path) = run::find(&io, name).await else {
        complain(
            &io,
            &format!("failed to run command ‘{name}’: No such file or directory"),
        )
        .await;
        return 127;
    };
    let pid = match io
        .spawn(Spawn::new(Exec::Path(path), command.to_vec()).with_stdio())
        .await
    {
        Ok(pid) => pid,
        Err(errno) => {
            complain(
                &io,
                &format!("failed to run command ‘{name}’: {}", errno.message()),
            )
            .await;
            return if errno == machine::Errno::ENOENT {
                127
            } else {
                126
            };
        }
    };
    let end = match span {
        Span::Finite(span) if !span.is_zero() => Some(io.deadline(span).await),
        _ => None,
    };
    let ended = wait_until(&io, pid, end).await;
    if let Some(status) = ended {
        return status.shell_code();
    }
    if args.has('v') {
        complain(
            &io,
            &format!("sending signal {} to command ‘{name}’", signal.name()),
        )
        .await;
    }
    let _ = io.sys(move |sys| sys.kill(pid, signal)).await;
    let mut status = None;
    if let Some(Span::Finite(more)) = args.value('k').and_then(|text| interval(text)) {
        let end = io.deadline(more).await;
        status = wait_until(&io, pid, Some(end)).await;
        if status.is_none() {
            let _ = io.sys(move |sys| sys.kill(pid, Signal::Kill)).await;
        }
    }
    let status = match status {
        Some(status) => status,
        None => io.wait(pid).await,
    };
    if args.has('\u{1}') || status == ExitStatus::Signal(Signal::Kill) {
        status.shell_code()
    } else {
        124
    }
}

/// How a child ended, or nothing if the time comes first.
async fn wait_until(io: &Io, pid: sim::Pid, end: Option<sim::Instant>) -> Option<ExitStatus> {
    io.until(move |sys| match sys.try_wait(pid) {
        Some(status) => Some(Some(status)),
        None if end.is_some_and(|end| sys.now() >= end) => Some(None),
        None => None,
    })
    .await
}
