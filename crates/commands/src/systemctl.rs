//! `systemctl`: services of a machine. Models systemd 255's src/systemctl.
//!
//! Targets, sockets, timers, masks and properties beyond the common ones are not modelled.

mod list;
mod show;
mod status;

use std::rc::Rc;

use machine::{Errno, Io, Signal, Unit, UnitState};
use sim::{Duration, Pid};

use crate::args::{self, Args, flag, maybe, value};
use crate::help::tool;
use crate::journalctl::unit_name;

tool!(
    "systemctl",
    "Query or send control commands to the system manager",
    "systemctl [OPTIONS...] COMMAND ...",
    main,
    [
        (
            "systemctl status nosuch; echo $?",
            "Unit nosuch.service could not be found.\n4\n"
        ),
        (
            "systemctl start nosuch; echo $?",
            "Failed to start nosuch.service: Unit nosuch.service not found.\n5\n"
        ),
        (
            "systemctl stop nosuch; echo $?",
            "Failed to stop nosuch.service: Unit nosuch.service not loaded.\n5\n"
        ),
        ("systemctl is-active nosuch; echo $?", "inactive\n4\n"),
        (
            "systemctl enable nosuch",
            "Failed to enable unit: Unit file nosuch.service does not exist.\n"
        ),
        (
            "systemctl frobnicate",
            "Unknown command verb 'frobnicate'.\n"
        ),
        ("systemctl start", "Too few arguments.\n"),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('a', "all"),
    flag('f', "force"),
    flag('l', "full"),
    maybe('n', "lines"),
    value('o', "output"),
    value('p', "property"),
    flag('q', "quiet"),
    value('s', "signal"),
    value('t', "type"),
    flag('\u{1}', "no-pager"),
    flag('\u{2}', "now"),
    flag('\u{3}', "no-legend"),
    flag('\u{4}', "plain"),
    flag('\u{5}', "value"),
    value('\u{6}', "state"),
    flag('\u{7}', "failed"),
    flag('\u{8}', "no-block"),
    flag('\u{e}', "system"),
    maybe('\u{f}', "legend"),
    flag('\u{10}', "no-reload"),
];

/// How long a unit may take to stop before it is killed.
const STOP_LIMIT: Duration = Duration::from_secs(90);
/// The files changed since they were read.
const STALE: &str = "changed on disk. Run 'systemctl daemon-reload' to reload units.";

async fn main(io: Io) -> i32 {
    let words = attach(io.args());
    let args = match args::parse(FLAGS, &words) {
        Ok(args) => args,
        Err(message) => {
            crate::io::complain(&io, &message).await;
            return 1;
        }
    };
    if io.sys(|sys| sys.local_pid(sys.pid()) != sys.pid().0).await {
        let text = "System has not been booted with systemd as init system (PID 1). Can't operate.\n\
                    Failed to connect to bus: Host is down\n";
        io.eprint(text).await;
        return 1;
    }
    let verb = args
        .operands
        .first()
        .map_or("list-units", |verb| verb)
        .to_owned();
    let named = args.operands.get(1..).unwrap_or_default();
    let units: Vec<String> = named.iter().map(|name| unit_name(name)).collect();
    let needs_units = matches!(
        verb.as_str(),
        "start"
            | "stop"
            | "restart"
            | "try-restart"
            | "reload"
            | "reload-or-restart"
            | "enable"
            | "disable"
            | "is-active"
            | "is-failed"
            | "is-enabled"
            | "cat"
            | "kill"
            | "edit"
            | "mask"
            | "unmask"
    );
    if needs_units && units.is_empty() {
        io.eprint("Too few arguments.\n").await;
        return 1;
    }
    match verb.as_str() {
        "status" => status::status(&io, &args, &units).await,
        "start" | "stop" | "restart" | "try-restart" | "reload-or-restart" => {
            change(&io, &verb, &units).await
        }
        "reload" => {
            for unit in &units {
                let why = format!("Job type reload is not applicable for unit {unit}.");
                io.eprint(&format!("Failed to reload {unit}: {why}\n"))
                    .await;
            }
            1
        }
        "enable" | "disable" => enable(&io, &args, &units, verb == "enable").await,
        "is-active" | "is-failed" => show::is_active(&io, &args, &units, &verb).await,
        "is-enabled" => show::is_enabled(&io, &args, &units).await,
        "cat" => show::cat(&io, &units).await,
        "show" => show::show(&io, &args, &units).await,
        "list-units" => list::units(&io, &args).await,
        "list-unit-files" => list::files(&io, &args).await,
        "is-system-running" => list::is_system_running(&io, &args).await,
        "daemon-reload" | "daemon-reexec" => {
            io.sys(|sys| sys.daemon_reload()).await;
            0
        }
        "kill" => kill(&io, &args, &units).await,
        "reset-failed" => 0,
        "get-default" => {
            io.print("multi-user.target\n").await;
            0
        }
        "reboot" => power(&io, true).await,
        "poweroff" | "halt" => power(&io, false).await,
        "mask" | "unmask" | "edit" | "isolate" | "set-property" | "list-timers"
        | "list-sockets" | "list-dependencies" => {
            let what = sim::unmodelled!("this command of systemctl");
            io.eprint(&format!("systemctl {verb}: {what}\n")).await;
            1
        }
        verb => {
            io.eprint(&format!("Unknown command verb '{verb}'.\n"))
                .await;
            1
        }
    }
}

/// `-n 5` is `-n5`.
fn attach(args: &[Rc<str>]) -> Vec<Rc<str>> {
    let mut words: Vec<Rc<str>> = Vec::new();
    for word in args {
        match words.last_mut() {
            Some(last) if &**last == "-n" && word.parse::<u32>().is_ok() => {
                *last = format!("-n{word}").into();
            }
            _ => words.push(word.clone()),
        }
    }
    words
}

/// A unit by name; `sshd` is Ubuntu's other name of `ssh`.
async fn find(io: &Io, name: &str) -> Option<Unit> {
    let name = if name == "sshd.service" {
        "ssh.service"
    } else {
        name
    }
    .to_owned();
    io.sys(move |sys| sys.host().units.get(&*name).cloned())
        .await
}

/// Whether files of a unit changed since they were read, which everyone who asks is told.
async fn warn_if_stale(io: &Io, unit: &Unit) {
    let paths: Vec<Rc<str>> = std::iter::once(&unit.path)
        .chain(&unit.drop_ins)
        .cloned()
        .collect();
    let (loaded, dir) = (unit.loaded, format!("/etc/systemd/system/{}.d", unit.name));
    let stale = io
        .sys(move |sys| {
            let mut newer = |path: &str| sys.stat(path).is_ok_and(|stat| stat.mtime > loaded);
            paths.iter().any(|path| newer(path)) || newer(&dir)
        })
        .await;
    if stale {
        let what = "The unit file, source configuration file or drop-ins of";
        io.eprint(&format!("Warning: {what} {} {STALE}\n", unit.name))
            .await;
    }
}

async fn change(io: &Io, verb: &str, units: &[String]) -> i32 {
    let mut status = 0;
    for name in units {
        let Some(unit) = find(io, name).await else {
            let why = if verb == "stop" {
                "not loaded"
            } else {
                "not found"
            };
            io.eprint(&format!("Failed to {verb} {name}: Unit {name} {why}.\n"))
                .await;
            status = 5;
            continue;
        };
        warn_if_stale(io, &unit).await;
        if verb == "try-restart" && unit.state != UnitState::Active {
            continue;
        }
        if verb != "start" {
            stop(io, &unit).await;
        }
        if verb != "stop" && start(io, &unit.name).await.is_err() {
            let text = format!(
                "Job for {name} failed because the control process exited with error code.\n\
                 See \"systemctl status {name}\" and \"journalctl -xeu {name}\" for details.\n"
            );
            io.eprint(&text).await;
            status = 1;
        }
    }
    status
}

async fn start(io: &Io, name: &Rc<str>) -> Result<(), Errno> {
    let name = name.clone();
    io.sys(move |sys| sys.unit_start(&name)).await
}

/// Stops a unit and waits until its process is gone.
async fn stop(io: &Io, unit: &Unit) {
    let name = unit.name.clone();
    // The unit was there a moment ago.
    let _ = io.sys(move |sys| sys.unit_stop(&name)).await;
    let Some(pid) = unit.main_pid else { return };
    let end = io.now().await + STOP_LIMIT;
    let mut pause = Duration::from_millis(1);
    while io.sys(move |sys| sys.host().process(pid).is_some()).await {
        if io.now().await >= end {
            let _ = io.sys(move |sys| sys.kill(pid, Signal::Kill)).await;
        }
        io.sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}

async fn enable(io: &Io, args: &Args, units: &[String], enable: bool) -> i32 {
    let verb = if enable { "enable" } else { "disable" };
    for name in units {
        let Some(unit) = find(io, name).await else {
            let text = format!("Failed to {verb} unit: Unit file {name} does not exist.\n");
            io.eprint(&text).await;
            return 1;
        };
        let link = format!("/etc/systemd/system/multi-user.target.wants/{}", unit.name);
        let own = unit.name.clone();
        if let Err(errno) = io.sys(move |sys| sys.unit_enable(&own, enable)).await {
            io.eprint(&format!("Failed to {verb} unit: {}\n", errno.message()))
                .await;
            return 1;
        }
        if unit.enabled != enable && !args.has('q') {
            let text = match enable {
                true => format!("Created symlink {link} → {}.\n", unit.path),
                false => format!("Removed \"{link}\".\n"),
            };
            io.eprint(&text).await;
        }
        if args.has('\u{2}') {
            let verb = if enable { "start" } else { "stop" };
            change(io, verb, std::slice::from_ref(name)).await;
        }
    }
    0
}

async fn kill(io: &Io, args: &Args, units: &[String]) -> i32 {
    let wanted = args.value('s').map_or("TERM", |name| name);
    let Some(what) = crate::kill::signal(wanted) else {
        io.eprint(&format!("Failed to parse signal string {wanted}.\n"))
            .await;
        return 1;
    };
    for name in units {
        let pid = find(io, name).await.and_then(|unit| unit.main_pid);
        let Some(Pid(pid)) = pid else {
            io.eprint(&format!(
                "Failed to kill unit {name}: Unit {name} not loaded.\n"
            ))
            .await;
            return 1;
        };
        let _ = io
            .sys(move |sys| crate::kill::send(sys, i64::from(pid), what))
            .await;
    }
    0
}

/// The machine goes down while this returns.
async fn power(io: &Io, reboot: bool) -> i32 {
    io.sys(move |sys| sys.shut_down(reboot)).await;
    0
}
