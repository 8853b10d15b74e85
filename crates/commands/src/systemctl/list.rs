//! `systemctl list-units`, `list-unit-files` and `is-system-running`. Models
//! src/systemctl/systemctl-list-units.c and systemctl-list-unit-files.c.

use machine::{Io, Unit, UnitState};

use super::show::states;
use crate::args::Args;

async fn all(io: &Io) -> Vec<Unit> {
    io.sys(|sys| sys.host().units.values().cloned().collect())
        .await
}

pub(super) async fn units(io: &Io, args: &Args) -> i32 {
    let patterns = args.operands.get(1..).unwrap_or_default();
    let services = args
        .value('t')
        .is_none_or(|kinds| kinds.split(',').any(|kind| kind == "service"));
    let every = args.has('a') || args.value('\u{6}').is_some();
    let shown: Vec<Unit> = all(io)
        .await
        .into_iter()
        .filter(
            |unit| match args.value('\u{6}').map(|states| states.to_string()) {
                _ if args.has('\u{7}') => unit.state == UnitState::Failed,
                Some(wanted) => {
                    let (active, sub) = states(unit);
                    wanted
                        .split(',')
                        .any(|state| state == active || state == sub || state == "loaded")
                }
                None => every || unit.state != UnitState::Inactive,
            },
        )
        .filter(|_| services)
        .filter(|unit| {
            patterns.is_empty() || patterns.iter().any(|pattern| fits(pattern, &unit.name))
        })
        .collect();
    let legend = !args.has('\u{3}') && args.value('\u{f}').is_none_or(|text| &**text != "false");
    let name = shown
        .iter()
        .map(|unit| unit.name.len())
        .max()
        .unwrap_or(0)
        .max(4);
    let active = shown
        .iter()
        .map(|unit| states(unit).0.len())
        .max()
        .unwrap_or(0)
        .max(6);
    let sub = shown
        .iter()
        .map(|unit| states(unit).1.len())
        .max()
        .unwrap_or(0)
        .max(3);
    let mut text = String::new();
    if legend && !shown.is_empty() {
        let (unit, state, low) = ("UNIT", "ACTIVE", "SUB");
        text.push_str(&format!(
            "  {unit:name$} LOAD   {state:active$} {low:sub$} DESCRIPTION\n"
        ));
    }
    for unit in &shown {
        let dot = if unit.state == UnitState::Failed {
            "●"
        } else {
            " "
        };
        let (state, low) = states(unit);
        text.push_str(&format!(
            "{dot} {:name$} loaded {state:active$} {low:sub$} {}\n",
            unit.name, unit.description
        ));
    }
    if legend {
        text.push_str(&footer(shown.len(), every));
    }
    io.print(&text).await;
    0
}

fn footer(count: usize, every: bool) -> String {
    let mut text = String::new();
    if count > 0 {
        text.push_str(
            "\nLegend: LOAD   → Reflects whether the unit definition was properly loaded.\n        \
             ACTIVE → The high-level unit activation state, i.e. generalization of SUB.\n        \
             SUB    → The low-level unit activation state, values depend on unit type.\n\n",
        );
    }
    let hint = if every || count == 0 {
        ""
    } else {
        " Pass --all to see loaded but inactive units, too."
    };
    text.push_str(&format!("{count} loaded units listed.{hint}\n"));
    if count > 0 {
        text.push_str("To show all installed unit files use 'systemctl list-unit-files'.\n");
    }
    text
}

/// A pattern with `*`, or a name with or without its type.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        Some((before, after)) => {
            name.starts_with(before) && name[before.len()..].ends_with(after.trim_matches('*'))
        }
        None => crate::journalctl::unit_name(pattern) == name,
    }
}

pub(super) async fn files(io: &Io, args: &Args) -> i32 {
    let patterns = args.operands.get(1..).unwrap_or_default();
    let units: Vec<Unit> = all(io)
        .await
        .into_iter()
        .filter(|unit| {
            patterns.is_empty() || patterns.iter().any(|pattern| fits(pattern, &unit.name))
        })
        .collect();
    let name = units
        .iter()
        .map(|unit| unit.name.len())
        .max()
        .unwrap_or(0)
        .max(9);
    let mut text = String::new();
    if !args.has('\u{3}') {
        text.push_str(&format!("{:name$} {:8} PRESET\n", "UNIT FILE", "STATE"));
    }
    for unit in &units {
        let state = if unit.enabled { "enabled" } else { "disabled" };
        text.push_str(&format!("{:name$} {state:8} enabled\n", unit.name));
    }
    if !args.has('\u{3}') {
        text.push_str(&format!("\n{} unit files listed.\n", units.len()));
    }
    io.print(&text).await;
    0
}

pub(super) async fn is_system_running(io: &Io, args: &Args) -> i32 {
    let failed = all(io)
        .await
        .iter()
        .any(|unit| unit.state == UnitState::Failed);
    if !args.has('q') {
        io.print(if failed { "degraded\n" } else { "running\n" })
            .await;
    }
    i32::from(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        assert!(fits("kube*", "kubelet.service"));
        assert!(fits("kubelet", "kubelet.service"));
        assert!(fits("*", "a.service"));
        assert!(!fits("ssh*.socket", "ssh.service"));
    }
}
