//! `systemctl status`. Models src/systemctl/systemctl-show.c, `print_status_info`.

use std::rc::Rc;

use machine::{ExitStatus, Fd, Io, LogLine, Process, Unit, UnitState};
use sim::{Duration, Instant};

use super::{find, warn_if_stale};
use crate::args::Args;
use crate::calendar::{ago, span, systemd};
use crate::journalctl;
use crate::usage;

/// What is read at once about a unit.
#[derive(Clone)]
struct Facts {
    now: Instant,
    hostname: Rc<str>,
    /// Ids and command lines of its processes.
    processes: Vec<(u32, String)>,
    name: String,
    threads: u32,
    resident: u64,
    time: Duration,
    log: Vec<LogLine>,
}

pub(super) async fn status(io: &Io, args: &Args, units: &[String]) -> i32 {
    if units.is_empty() {
        return machine_status(io).await;
    }
    let mut status = 0;
    let colored = io.sys(|sys| sys.is_tty(Fd::STDOUT)).await;
    let lines = args
        .value('n')
        .and_then(|text| text.parse().ok())
        .unwrap_or(10);
    for (at, name) in units.iter().enumerate() {
        let Some(unit) = find(io, name).await else {
            io.eprint(&format!("Unit {name} could not be found.\n"))
                .await;
            status = 4;
            continue;
        };
        if at > 0 {
            io.print("\n").await;
        }
        warn_if_stale(io, &unit).await;
        let facts = facts(io, &unit, lines).await;
        let text = describe(io, &unit, &facts, colored).await;
        io.print(&text).await;
        if !matches!(unit.state, UnitState::Active | UnitState::AutoRestart) {
            status = 3;
        }
        if unit.state == UnitState::AutoRestart {
            status = 3;
        }
    }
    status
}

async fn facts(io: &Io, unit: &Unit, lines: usize) -> Facts {
    let unit = unit.clone();
    io.sys(move |sys| {
        let (host, now) = (sys.host(), sys.now());
        let group = format!("/system.slice/{}", unit.name);
        let members: Vec<&Process> = host.processes().filter(|p| *p.cgroup == *group).collect();
        let usages = || {
            members
                .iter()
                .map(|process| (process, usage::of(process.name())))
        };
        let named = |line: &&LogLine| line.unit == unit.name;
        let mut log: Vec<LogLine> = host
            .log()
            .rev()
            .filter(named)
            .take(lines)
            .cloned()
            .collect();
        log.reverse();
        Facts {
            now,
            hostname: host.name().clone(),
            processes: members
                .iter()
                .map(|p| (p.pid.0, p.args.join(" ")))
                .collect(),
            name: unit
                .main_pid
                .and_then(|pid| host.process(pid))
                .map_or_else(String::new, |p| p.name().to_owned()),
            threads: usages().map(|(_, usage)| usage.threads).sum(),
            resident: usages().map(|(_, usage)| usage.resident).sum(),
            time: usages()
                .map(|(p, usage)| usage.time(now.since(p.started)))
                .sum(),
            log,
        }
    })
    .await
}

async fn describe(io: &Io, unit: &Unit, facts: &Facts, colored: bool) -> String {
    let (dot, color) = match unit.state {
        UnitState::Active => ("●", "\x1b[0;1;32m"),
        UnitState::AutoRestart => ("●", "\x1b[0;1;33m"),
        UnitState::Failed => ("×", "\x1b[0;1;31m"),
        UnitState::Inactive => ("○", ""),
    };
    let paint = |text: &str| match (colored, color) {
        (false, _) | (_, "") => text.to_owned(),
        (true, color) => format!("{color}{text}\x1b[0m"),
    };
    let mut text = format!("{} {} - {}\n", paint(dot), unit.name, unit.description);
    let enabled = if unit.enabled { "enabled" } else { "disabled" };
    text.push_str(&format!(
        "     Loaded: loaded ({}; {enabled}; preset: enabled)\n",
        unit.path
    ));
    text.push_str(&drop_ins(&unit.drop_ins));
    let since = format!(
        " since {}; {}",
        systemd(unit.since),
        ago(facts.now.since(unit.since))
    );
    let failed = |result: &str| format!("failed (Result: {result})");
    let (state, since) = match (unit.state, unit.result) {
        (UnitState::Active, _) => ("active (running)".to_owned(), since),
        (UnitState::AutoRestart, Some(status)) => (
            format!("activating (auto-restart) (Result: {})", result(status)),
            since,
        ),
        (UnitState::AutoRestart, None) => ("activating (auto-restart)".to_owned(), since),
        (UnitState::Failed, Some(status)) => (failed(result(status)), since),
        (UnitState::Failed, None) => (failed("exit-code"), since),
        // One that never ran has no past.
        (UnitState::Inactive, _) if unit.last_pid.is_none() => {
            ("inactive (dead)".to_owned(), String::new())
        }
        (UnitState::Inactive, _) => ("inactive (dead)".to_owned(), since),
    };
    // The result is told in the same breath, but not in the color of the state.
    let (state, tail) = match state.find(" (Result") {
        Some(at) => (paint(&state[..at]), state[at..].to_owned()),
        None => (paint(&state), String::new()),
    };
    text.push_str(&format!("     Active: {state}{tail}{since}\n"));
    let files = texts(io, unit).await;
    for (at, docs) in settings(&files, "Documentation").iter().enumerate() {
        let label = if at == 0 {
            "       Docs: "
        } else {
            "             "
        };
        text.push_str(&format!("{label}{docs}\n"));
    }
    let ended = match unit.result {
        Some(status) => exit(status),
        None => "code=exited, status=0/SUCCESS".to_owned(),
    };
    match (unit.main_pid, unit.last_pid) {
        (Some(pid), _) => {
            text.push_str(&format!("   Main PID: {pid} ({})\n", facts.name));
            text.push_str(&resources(unit, facts));
        }
        (None, Some(pid)) => {
            let exec = settings(&files, "ExecStart").pop().unwrap_or_default();
            text.push_str(&format!("    Process: {pid} ExecStart={exec} ({ended})\n"));
            text.push_str(&format!(
                "   Main PID: {pid} ({ended})\n        CPU: 52ms\n"
            ));
        }
        (None, None) => {}
    }
    if !facts.log.is_empty() {
        text.push('\n');
        let lines = facts
            .log
            .iter()
            .map(|line| journalctl::short(line, &facts.hostname));
        text.extend(lines);
    }
    text
}

fn resources(unit: &Unit, facts: &Facts) -> String {
    let memory = |kib: u64| format!("{}.{}M", kib / 1024, kib % 1024 * 10 / 1024);
    // The task limit of a machine with 8 GiB.
    let mut text = format!("      Tasks: {} (limit: 9383)\n", facts.threads);
    let (now, peak) = (memory(facts.resident), memory(facts.resident + 1024));
    text.push_str(&format!("     Memory: {now} (peak: {peak})\n"));
    text.push_str(&format!("        CPU: {}\n", span(facts.time)));
    text.push_str(&format!("     CGroup: /system.slice/{}\n", unit.name));
    for (at, (pid, command)) in facts.processes.iter().enumerate() {
        let branch = if at + 1 == facts.processes.len() {
            "└─"
        } else {
            "├─"
        };
        text.push_str(&format!("             {branch}{pid} {command}\n"));
    }
    text
}

fn drop_ins(paths: &[Rc<str>]) -> String {
    let mut text = String::new();
    let mut dir = "";
    for (at, path) in paths.iter().enumerate() {
        let (own, name) = path.rsplit_once('/').unwrap_or(("", path));
        if own != dir {
            let label = if dir.is_empty() {
                "    Drop-In: "
            } else {
                "             "
            };
            text.push_str(&format!("{label}{own}\n"));
            dir = own;
        }
        let next = paths.get(at + 1).and_then(|path| path.rsplit_once('/'));
        let branch = if next.is_some_and(|(next, _)| next == own) {
            "├─"
        } else {
            "└─"
        };
        text.push_str(&format!("             {branch}{name}\n"));
    }
    text
}

/// The texts of a unit's files, in the order they count.
async fn texts(io: &Io, unit: &Unit) -> Vec<String> {
    let mut texts = Vec::new();
    for path in std::iter::once(&unit.path).chain(&unit.drop_ins) {
        texts.push(io.read_to_string(path).await.unwrap_or_default());
    }
    texts
}

/// The values of a setting; an empty one forgets those before it.
fn settings(texts: &[String], key: &str) -> Vec<String> {
    let mut values = Vec::new();
    for line in texts.iter().flat_map(|text| text.lines()) {
        let Some((own, value)) = line.split_once('=') else {
            continue;
        };
        match value.trim() {
            _ if own.trim() != key => {}
            "" => values.clear(),
            value => values.push(value.to_owned()),
        }
    }
    values
}

fn result(status: ExitStatus) -> &'static str {
    match status {
        ExitStatus::Code(0) => "success",
        ExitStatus::Code(_) => "exit-code",
        ExitStatus::Signal(_) => "signal",
    }
}

/// `code=exited, status=1/FAILURE`.
pub(super) fn exit(status: ExitStatus) -> String {
    match status {
        ExitStatus::Code(0) => "code=exited, status=0/SUCCESS".to_owned(),
        ExitStatus::Code(1) => "code=exited, status=1/FAILURE".to_owned(),
        ExitStatus::Code(code) => format!("code=exited, status={code}"),
        ExitStatus::Signal(signal) => format!("code=killed, signal={}", signal.name()),
    }
}

async fn machine_status(io: &Io) -> i32 {
    let text = io
        .sys(|sys| {
            let (host, now) = (sys.host(), sys.now());
            let failed = host.units.values().filter(|unit| unit.state == UnitState::Failed).count();
            let state = if failed > 0 { "degraded" } else { "running" };
            format!(
                "● {}\n    State: {state}\n    Units: {} loaded (incl. loaded aliases)\n     Jobs: 0 queued\n   \
                 Failed: {failed} units\n    Since: {}; {}\n  systemd: 255.4-1ubuntu8.10\n   CGroup: /\n",
                host.name(),
                host.units.len(),
                systemd(host.booted),
                ago(now.since(host.booted)),
            )
        })
        .await;
    io.print(&text).await;
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drop_ins_hang_below_their_directory() {
        let paths: Vec<Rc<str>> = ["/a/10-x.conf", "/a/20-y.conf", "/b/z.conf"]
            .map(Rc::from)
            .into();
        let shown = "    Drop-In: /a\n             ├─10-x.conf\n             └─20-y.conf\n             /b\n             └─z.conf\n";
        assert_eq!(drop_ins(&paths), shown);
    }

    #[test]
    fn an_empty_setting_forgets() {
        let texts = [
            "ExecStart=/a\n".to_owned(),
            "ExecStart=\nExecStart=/b $X\n".to_owned(),
        ];
        assert_eq!(settings(&texts, "ExecStart"), ["/b $X"]);
    }
}
