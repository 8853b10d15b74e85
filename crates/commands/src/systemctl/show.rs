//! `systemctl is-active`, `is-enabled`, `cat` and `show`. Models src/systemctl/systemctl-is-active.c,
//! systemctl-is-enabled.c, systemctl-cat.c and systemctl-show.c.

use machine::{ExitStatus, Io, Restart, Unit, UnitState};

use super::{find, warn_if_stale};
use crate::args::Args;
use crate::calendar::systemd;

/// The state and the substate of a unit.
pub(super) fn states(unit: &Unit) -> (&'static str, &'static str) {
    match unit.state {
        UnitState::Active => ("active", "running"),
        UnitState::AutoRestart => ("activating", "auto-restart"),
        UnitState::Failed => ("failed", "failed"),
        UnitState::Inactive => ("inactive", "dead"),
    }
}

pub(super) async fn is_active(io: &Io, args: &Args, units: &[String], verb: &str) -> i32 {
    let mut found = false;
    let mut known = false;
    for name in units {
        let unit = find(io, name).await;
        known |= unit.is_some();
        let state = unit.as_ref().map_or("inactive", |unit| states(unit).0);
        found |= state
            == if verb == "is-active" {
                "active"
            } else {
                "failed"
            };
        if !args.has('q') {
            io.print(&format!("{state}\n")).await;
        }
    }
    match (found, known, verb) {
        (true, ..) => 0,
        (_, false, "is-active") => 4,
        (_, _, "is-active") => 3,
        _ => 1,
    }
}

pub(super) async fn is_enabled(io: &Io, args: &Args, units: &[String]) -> i32 {
    let mut status = 1;
    for name in units {
        let text = match find(io, name).await {
            Some(unit) if unit.enabled => {
                status = 0;
                "enabled"
            }
            Some(_) => "disabled",
            None => {
                status = 4;
                "not-found"
            }
        };
        if !args.has('q') {
            io.print(&format!("{text}\n")).await;
        }
    }
    status
}

pub(super) async fn cat(io: &Io, units: &[String]) -> i32 {
    for (at, name) in units.iter().enumerate() {
        let Some(unit) = find(io, name).await else {
            io.eprint(&format!("No files found for {name}.\n")).await;
            return 1;
        };
        warn_if_stale(io, &unit).await;
        let paths = std::iter::once(&unit.path).chain(&unit.drop_ins);
        for (number, path) in paths.enumerate() {
            let gap = if at + number > 0 { "\n" } else { "" };
            let text = io.read_to_string(path).await.unwrap_or_default();
            io.print(&format!("{gap}# {path}\n{text}")).await;
        }
    }
    0
}

pub(super) async fn show(io: &Io, args: &Args, units: &[String]) -> i32 {
    let wanted: Vec<&str> = args.values('p').flat_map(|list| list.split(',')).collect();
    for name in units {
        let unit = find(io, name).await;
        for (key, value) in properties(name, unit.as_ref()) {
            match wanted.contains(&key) {
                true if args.has('\u{5}') => io.print(&format!("{value}\n")).await,
                show if show || wanted.is_empty() => io.print(&format!("{key}={value}\n")).await,
                _ => {}
            }
        }
    }
    0
}

fn properties(name: &str, unit: Option<&Unit>) -> Vec<(&'static str, String)> {
    let Some(unit) = unit else {
        return vec![
            ("Id", name.to_owned()),
            ("LoadState", "not-found".to_owned()),
            ("ActiveState", "inactive".to_owned()),
            ("SubState", "dead".to_owned()),
            ("MainPID", "0".to_owned()),
            ("UnitFileState", String::new()),
        ];
    };
    let (active, sub) = states(unit);
    let restart = match unit.restart {
        Restart::No => "no",
        Restart::OnFailure => "on-failure",
        Restart::Always => "always",
    };
    let result = match unit.result {
        Some(ExitStatus::Signal(_)) => "signal",
        Some(ExitStatus::Code(code)) if code != 0 => "exit-code",
        _ => "success",
    };
    let code = match unit.result {
        Some(ExitStatus::Code(code)) => code,
        Some(ExitStatus::Signal(signal)) => i32::from(signal as u8),
        None => 0,
    };
    let paths: Vec<&str> = unit.drop_ins.iter().map(|path| &**path).collect();
    vec![
        ("Restart", restart.to_owned()),
        ("RestartUSec", crate::calendar::span(unit.restart_sec)),
        ("MainPID", unit.main_pid.map_or(0, |pid| pid.0).to_string()),
        ("NRestarts", unit.restarts.to_string()),
        ("Result", result.to_owned()),
        ("ExecMainStatus", code.to_string()),
        (
            "ExecStart",
            format!(
                "{{ path={} ; argv[]={} }}",
                unit.exec.first().map_or("", |e| e),
                unit.exec.join(" ")
            ),
        ),
        ("ControlGroup", format!("/system.slice/{}", unit.name)),
        ("Id", unit.name.to_string()),
        ("Names", unit.name.to_string()),
        ("Description", unit.description.to_string()),
        ("LoadState", "loaded".to_owned()),
        ("ActiveState", active.to_owned()),
        ("SubState", sub.to_owned()),
        ("FragmentPath", unit.path.to_string()),
        ("DropInPaths", paths.join(" ")),
        (
            "UnitFileState",
            if unit.enabled { "enabled" } else { "disabled" }.to_owned(),
        ),
        ("UnitFilePreset", "enabled".to_owned()),
        ("StateChangeTimestamp", systemd(unit.since)),
    ]
}
