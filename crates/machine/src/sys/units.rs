//! What `systemctl` asks for: units read, started, stopped, enabled.

use std::collections::BTreeMap;
use std::rc::Rc;

use net::Errno;
use sim::{Duration, Kind, Pid};

use crate::host::LogLine;
use crate::mount::MountNs;
use crate::process::{ExitStatus, Signal};
use crate::sys::{Exec, Spawn, Sys};
use crate::unit::{Restart, UNIT_DIRS, Unit, UnitState, WANTS, parse};

static STARTED: Kind = Kind {
    name: "unit.start",
    says: "{0} is started",
};
static STOPPED: Kind = Kind {
    name: "unit.stop",
    says: "{0} is stopped",
};

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

impl Sys<'_> {
    /// Reads all unit files again; what runs goes on as it is.
    pub fn daemon_reload(&mut self) {
        let mut names: Vec<Rc<str>> = UNIT_DIRS
            .iter()
            .filter_map(|dir| self.read_dir(dir).ok())
            .flatten()
            .filter(|entry| entry.name.ends_with(".service") && !entry.stat.is_dir())
            .map(|entry| entry.name)
            .collect();
        names.sort();
        names.dedup();
        let mut units = BTreeMap::new();
        for name in names {
            let Some(mut unit) = self.read_unit(&name) else {
                continue;
            };
            unit.loaded = self.now();
            if let Some(old) = self.host().units.get(&name) {
                unit.state = old.state;
                unit.since = old.since;
                unit.main_pid = old.main_pid;
                unit.last_pid = old.last_pid;
                unit.result = old.result;
                unit.restarts = old.restarts;
            }
            units.insert(name, unit);
        }
        self.host_mut().units = units;
    }

    /// Starts a unit; one that runs is left alone.
    ///
    /// # Errors
    /// `ENOENT` for an unknown unit; what `execve(2)` says if its program cannot be started.
    pub fn unit_start(&mut self, name: &str) -> Result<(), Errno> {
        let unit = self.host().units.get(name).cloned().ok_or(Errno::ENOENT)?;
        if unit.main_pid.is_some() {
            return Ok(());
        }
        let started = self.run_unit(&unit);
        let (now, pid) = (self.now(), started.as_ref().ok().copied());
        let text = match started {
            Ok(_) => format!("Started {} - {}.", unit.name, unit.description),
            Err(_) => format!("Failed to start {} - {}.", unit.name, unit.description),
        };
        self.unit_log(&unit.name, &text);
        if let Some(unit) = self.host_mut().units.get_mut(name) {
            unit.state = if pid.is_some() {
                UnitState::Active
            } else {
                UnitState::Failed
            };
            unit.since = now;
            unit.main_pid = pid;
        }
        started.map(|_| ())
    }

    /// Stops a unit: its main process is asked to end.
    ///
    /// # Errors
    /// `ENOENT` for an unknown unit.
    pub fn unit_stop(&mut self, name: &str) -> Result<(), Errno> {
        let now = self.now();
        let unit = self.host_mut().units.get_mut(name).ok_or(Errno::ENOENT)?;
        let pid = unit.main_pid.take();
        if pid.is_some() {
            unit.last_pid = pid;
            unit.result = None;
        }
        unit.state = UnitState::Inactive;
        unit.since = now;
        let (name, description) = (unit.name.clone(), unit.description.clone());
        if let Some(pid) = pid {
            self.note(&STOPPED, &[(&name).into()]);
            self.signal(pid, Signal::Term);
            self.unit_log(&name, &format!("Stopped {name} - {description}."));
        }
        Ok(())
    }

    /// Stops a unit and starts it anew.
    ///
    /// # Errors
    /// As [`Sys::unit_start`].
    pub fn unit_restart(&mut self, name: &str) -> Result<(), Errno> {
        self.unit_stop(name)?;
        self.unit_start(name)
    }

    /// Makes a unit start at boot, or not.
    ///
    /// # Errors
    /// `ENOENT` for an unknown unit, and those of the link that is made or removed.
    pub fn unit_enable(&mut self, name: &str, enable: bool) -> Result<(), Errno> {
        let path = self
            .host()
            .units
            .get(name)
            .map(|unit| unit.path.clone())
            .ok_or(Errno::ENOENT)?;
        let link = format!("{WANTS}/{name}");
        if enable {
            self.mkdir_all(WANTS)?;
            match self.symlink(&path, &link) {
                Ok(()) | Err(Errno::EEXIST) => {}
                Err(errno) => return Err(errno),
            }
        } else if self.lstat(&link).is_ok() {
            self.remove(&link)?;
        }
        if let Some(unit) = self.host_mut().units.get_mut(name) {
            unit.enabled = enable;
        }
        Ok(())
    }

    /// Takes note of the end of a unit's process; tells which unit is to be started again, and
    /// after how long.
    pub(crate) fn unit_ended(
        &mut self,
        pid: Pid,
        status: ExitStatus,
    ) -> Option<(Rc<str>, Duration)> {
        let now = self.now();
        let host = self.host_mut();
        let unit = host
            .units
            .values_mut()
            .find(|unit| unit.main_pid == Some(pid))?;
        unit.last_pid = unit.main_pid.take();
        unit.result = Some(status);
        unit.since = now;
        let again = match unit.restart {
            Restart::Always => true,
            Restart::OnFailure => !status.success(),
            Restart::No => false,
        };
        unit.state = match (again, status.success()) {
            (true, _) => UnitState::AutoRestart,
            (false, true) => UnitState::Inactive,
            (false, false) => UnitState::Failed,
        };
        let (name, delay) = (unit.name.clone(), unit.restart_sec);
        let text = match status {
            ExitStatus::Code(0) => format!("{name}: Deactivated successfully."),
            ExitStatus::Code(code) => {
                format!("{name}: Main process exited, code=exited, status={code}/FAILURE")
            }
            ExitStatus::Signal(signal) => format!(
                "{name}: Main process exited, code=killed, status={}/{}",
                signal as u8,
                signal.name()
            ),
        };
        self.unit_log(&name, &text);
        again.then_some((name, delay))
    }

    pub(crate) fn unit_restart_by_policy(&mut self, name: &str) {
        if self.host().halting {
            return;
        }
        let Some(unit) = self.host_mut().units.get_mut(name) else {
            return;
        };
        if unit.state != UnitState::AutoRestart {
            return;
        }
        unit.restarts += 1;
        let text = format!(
            "{name}: Scheduled restart job, restart counter is at {}.",
            unit.restarts
        );
        self.unit_log(name, &text);
        // The failure is in the unit's state and in its log.
        let _ = self.unit_start(name);
    }

    fn run_unit(&mut self, unit: &Unit) -> Result<Pid, Errno> {
        let path = unit.exec.first().cloned().ok_or(Errno::ENOEXEC)?;
        let mut env = unit.env.clone();
        env.entry("PATH".into()).or_insert_with(|| PATH.into());
        let mut spawn = Spawn::new(Exec::Path(path), unit.exec.clone());
        spawn.env = Some(Rc::new(env));
        spawn.cwd = Some("/".into());
        spawn.pgrp = Some(None);
        spawn.cgroup = Some(format!("/system.slice/{}", unit.name).into());
        spawn.log = Some(unit.name.clone());
        let (machine, cause) = (self.machine, self.cause);
        // Whoever asked, the first process is the parent: it keeps the unit running.
        let note = self
            .world
            .note(machine, cause, &STARTED, &[(&unit.name).into()]);
        let mut init = Sys {
            world: self.world,
            machine,
            pid: Pid(1),
            cause: note,
        };
        init.spawn(spawn)
    }

    fn read_unit(&mut self, name: &Rc<str>) -> Option<Unit> {
        let path = UNIT_DIRS
            .iter()
            .map(|dir| format!("{dir}/{name}"))
            .find(|path| self.stat(path).is_ok())?;
        let mut texts = vec![(Rc::from(path.as_str()), self.read_to_string(&path).ok()?)];
        for dir in UNIT_DIRS {
            let dir = format!("{dir}/{name}.d");
            for entry in self.read_dir(&dir).unwrap_or_default() {
                let path = format!("{dir}/{}", entry.name);
                if let Some(text) = self
                    .read_to_string(&path)
                    .ok()
                    .filter(|_| path.ends_with(".conf"))
                {
                    texts.push((path.as_str().into(), text));
                }
            }
        }
        let mut unit = parse(name, &path, &texts, |file| self.peek(file));
        unit.enabled = self.lstat(&format!("{WANTS}/{name}")).is_ok();
        Some(unit)
    }

    fn peek(&self, path: &str) -> Option<String> {
        let place = self.resolve(&MountNs::normalise("/", path), true).ok()?;
        let bytes = super::files::content_bytes(&*self.node(&place).ok()?).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn unit_log(&mut self, unit: &str, text: &str) {
        let at = self.now();
        let line = LogLine {
            at,
            unit: unit.into(),
            name: "systemd".into(),
            pid: Pid(1),
            text: text.into(),
        };
        self.host_mut().push_log(line);
    }
}
