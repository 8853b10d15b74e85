//! Units: the services a machine keeps running, and the first process that keeps them.
//!
//! Models what a person meets of systemd: unit files with drop-ins, enabled units at boot, restart
//! policies, states, and the log lines. Dependencies between units, sockets and timers are not
//! modelled.

use std::collections::BTreeMap;
use std::rc::Rc;

use sim::{Duration, Instant, Pid};

use crate::process::{ExitStatus, TimerId};
use crate::program::{Poll, Program, Wake};
use crate::sys::Sys;

/// When a service is started again after it ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Restart {
    /// Never.
    #[default]
    No,
    /// If it failed.
    OnFailure,
    /// Always, unless it was stopped.
    Always,
}

/// What a unit is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitState {
    /// Not running.
    Inactive,
    /// Running.
    Active,
    /// Ended, to be started again.
    AutoRestart,
    /// Ended badly, left alone.
    Failed,
}

/// A service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// `kubelet.service`.
    pub name: Rc<str>,
    /// The file it was read from.
    pub path: Rc<str>,
    /// Drop-in files read after it.
    pub drop_ins: Vec<Rc<str>>,
    /// `Description=`.
    pub description: Rc<str>,
    /// `ExecStart=`, split into words, variables expanded.
    pub exec: Vec<Rc<str>>,
    /// `Environment=` and `EnvironmentFile=`.
    pub env: BTreeMap<Rc<str>, Rc<str>>,
    /// `Restart=`.
    pub restart: Restart,
    /// `RestartSec=`, 100 ms unless given.
    pub restart_sec: Duration,
    /// Whether it is started at boot.
    pub enabled: bool,
    /// What it is doing.
    pub state: UnitState,
    /// Since when.
    pub since: Instant,
    /// Its process.
    pub main_pid: Option<Pid>,
    /// The process it ran before.
    pub last_pid: Option<Pid>,
    /// How its process ended last.
    pub result: Option<ExitStatus>,
    /// When its files were read.
    pub loaded: Instant,
    /// Times it was started again by policy.
    pub restarts: u32,
}

/// Where unit files are looked for; the first directory that has one wins.
pub(crate) const UNIT_DIRS: [&str; 2] = ["/etc/systemd/system", "/usr/lib/systemd/system"];
/// Links in here name the units started at boot.
pub(crate) const WANTS: &str = "/etc/systemd/system/multi-user.target.wants";

/// The first process of a machine: starts what is enabled, and starts again what ends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Init {
    pending: BTreeMap<TimerId, Rc<str>>,
}

impl Program for Init {
    fn poll(&mut self, sys: &mut Sys<'_>, why: Wake) -> Poll {
        match why {
            Wake::Start => {
                sys.daemon_reload();
                let names: Vec<Rc<str>> = sys.host().units.keys().cloned().collect();
                for name in names {
                    if sys.host().units[&name].enabled {
                        // A unit that cannot start says so in the log and in its state.
                        let _ = sys.unit_start(&name);
                    }
                }
            }
            Wake::Child { pid, status } => {
                if let Some(delay) = sys.unit_ended(pid, status) {
                    let timer = sys.timer(delay.1);
                    self.pending.insert(timer, delay.0);
                }
                sys.try_wait(pid);
            }
            Wake::Timer(timer) => {
                if let Some(name) = self.pending.remove(&timer) {
                    sys.unit_restart_by_policy(&name);
                }
            }
            _ => {}
        }
        Poll::Pending
    }

    fn boxed_clone(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

/// Reads a unit from its file and drop-ins (later lines win, an empty `ExecStart=` forgets the
/// earlier ones). `files` reads an `EnvironmentFile=`.
pub(crate) fn parse(
    name: &Rc<str>,
    path: &str,
    texts: &[(Rc<str>, String)],
    files: impl Fn(&str) -> Option<String>,
) -> Unit {
    let mut unit = Unit {
        name: name.clone(),
        path: path.into(),
        drop_ins: texts.iter().skip(1).map(|(path, _)| path.clone()).collect(),
        description: name.clone(),
        exec: Vec::new(),
        env: BTreeMap::new(),
        restart: Restart::No,
        restart_sec: Duration::from_millis(100),
        enabled: false,
        state: UnitState::Inactive,
        since: Instant::ZERO,
        main_pid: None,
        last_pid: None,
        result: None,
        loaded: Instant::ZERO,
        restarts: 0,
    };
    let mut exec = String::new();
    for (key, value) in texts.iter().flat_map(|(_, text)| settings(text)) {
        match key {
            "Description" => unit.description = value.into(),
            "ExecStart" => exec = value.to_owned(),
            "Restart" => {
                unit.restart = match value {
                    "always" => Restart::Always,
                    "on-failure" | "on-abnormal" | "on-abort" => Restart::OnFailure,
                    _ => Restart::No,
                };
            }
            "RestartSec" => {
                let millis = match value.strip_suffix("ms") {
                    Some(millis) => millis.parse().ok(),
                    None => value
                        .trim_end_matches('s')
                        .parse()
                        .ok()
                        .map(|s: u64| s * 1000),
                };
                unit.restart_sec = Duration::from_millis(millis.unwrap_or(100));
            }
            "Environment" => add_env(&mut unit.env, value),
            "EnvironmentFile" => {
                if let Some(text) = files(value.trim_start_matches('-')) {
                    text.lines().for_each(|line| add_env(&mut unit.env, line));
                }
            }
            _ => {}
        }
    }
    unit.exec = words(&exec)
        .iter()
        .flat_map(|word| expand(word, &unit.env))
        .collect();
    unit
}

/// `Key=value` lines of all sections, continuation lines joined.
fn settings(text: &str) -> Vec<(&str, &str)> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.starts_with(['#', ';', '[']))
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.trim(), value.trim()))
        .collect()
}

fn add_env(env: &mut BTreeMap<Rc<str>, Rc<str>>, line: &str) {
    let line = line.trim().trim_matches('"');
    if let Some((key, value)) = line.split_once('=').filter(|_| !line.starts_with('#')) {
        env.insert(key.into(), value.trim_matches('"').into());
    }
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// `$NAME` alone becomes its words, none if it is not set; everything else stays.
fn expand(word: &str, env: &BTreeMap<Rc<str>, Rc<str>>) -> Vec<Rc<str>> {
    match word.strip_prefix('$') {
        Some(name) => {
            let value = env
                .get(name.trim_matches(['{', '}']))
                .map_or("", |value| value);
            value.split_whitespace().map(Rc::from).collect()
        }
        None => vec![word.into()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_read_with_its_drop_in() {
        let base = "[Unit]\nDescription=kubelet: The Kubernetes Node Agent\n[Service]\n\
                    ExecStart=/usr/bin/kubelet\nRestart=always\nRestartSec=10\n";
        let drop_in = "[Service]\nEnvironment=\"ARGS=--a=1 --b\"\nEnvironmentFile=-/etc/default/k\n\
                       ExecStart=\nExecStart=/usr/bin/kubelet $ARGS $MORE $NONE\n";
        let texts = [
            ("a".into(), base.to_owned()),
            ("b".into(), drop_in.to_owned()),
        ];
        let unit = parse(&"kubelet.service".into(), "a", &texts, |path| {
            (path == "/etc/default/k").then(|| "MORE=\"--c\"\n".to_owned())
        });
        let exec: Vec<&str> = unit.exec.iter().map(|word| &**word).collect();
        assert_eq!(exec, ["/usr/bin/kubelet", "--a=1", "--b", "--c"]);
        assert_eq!(unit.restart, Restart::Always);
        assert_eq!(unit.restart_sec, Duration::from_secs(10));
        assert_eq!(&*unit.description, "kubelet: The Kubernetes Node Agent");
    }
}
