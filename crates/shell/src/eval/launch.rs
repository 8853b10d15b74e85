//! Processes: copies of the shell, and programs.

use std::rc::Rc;

use machine::{Errno, Exec, Fd, FileKind, Spawn, Sys};
use sim::Pid;

use super::redirect::Saved;
use super::{Entry, Frame, Shell};
use crate::eval::source::Source;
use crate::expand::Outputs;
use crate::state::Flavor;

/// A copy of the shell to be started.
pub(super) struct Fork {
    /// What it does, last first.
    pub(super) frames: Vec<Frame>,
    /// Descriptors that differ from the shell's: number in the child, number here.
    pub(super) fds: Vec<(Fd, Fd)>,
    /// The job it belongs to; without one its end is not waited for.
    pub(super) job: Option<u32>,
    /// It gets no terminal to read from.
    pub(super) background: bool,
    /// Failures are being tested.
    pub(super) quiet: bool,
    /// What it prints before anything else.
    pub(super) prints: Rc<str>,
}

impl Fork {
    pub(super) fn new(frames: Vec<Frame>) -> Fork {
        let (job, background, quiet) = (None, false, false);
        Fork {
            frames,
            fds: Vec::new(),
            job,
            background,
            quiet,
            prints: "".into(),
        }
    }
}

/// A program to be started.
pub(super) struct Launch {
    pub(super) path: Rc<str>,
    pub(super) args: Vec<Rc<str>>,
    pub(super) text: Rc<str>,
}

/// What the first word of a command names on the disk.
pub(super) enum Found {
    Program(Rc<str>),
    Nothing,
    /// It has a slash but cannot be run.
    Refused(Errno),
    Directory,
}

impl Shell {
    /// Starts a copy of the shell in a process of its own.
    pub(super) fn fork(&mut self, sys: &mut Sys<'_>, fork: Fork) -> Option<Pid> {
        let interactive = self.interactive.take();
        let mut child = self.clone();
        self.interactive = interactive;
        let monitor = self.state.options.monitor;
        child.subshell = true;
        child.may_exec = true;
        child.jobs = child.jobs.for_subshell();
        child.output = vec![(Fd::STDOUT, fork.prints.as_bytes().to_vec())];
        child.signals.clear();
        child.state.options.monitor = false;
        // Ignored conditions stay ignored, the rest are as they were at first.
        Rc::make_mut(&mut child.traps).retain(|_, command| command.is_empty());
        let entry = |frame| Entry {
            frame,
            quiet: fork.quiet,
            outputs: Outputs::new(),
        };
        child.stack = fork.frames.into_iter().map(entry).collect();
        let args = sys.args().to_vec();
        let mut spawn = Spawn::new(Exec::Program(Box::new(child)), args);
        spawn.env = Some(self.state.vars.env());
        spawn.fds = self.child_fds(sys, &fork.fds);
        if fork.background && !monitor {
            // Without job control nothing in the background reads the keyboard.
            let own_input = fork.fds.iter().any(|(child, _)| *child == Fd::STDIN);
            if !own_input && let Ok(null) = sys.open("/dev/null", machine::OpenMode::Read) {
                spawn.fds.retain(|(child, _)| *child != Fd::STDIN);
                spawn.fds.push((Fd::STDIN, null));
                let pid = self.spawn(sys, spawn, fork.job);
                sys.close(null);
                return pid;
            }
        }
        self.spawn(sys, spawn, fork.job)
    }

    fn spawn(&mut self, sys: &mut Sys<'_>, mut spawn: Spawn, job: Option<u32>) -> Option<Pid> {
        if self.state.options.monitor
            && let Some(job) = job
        {
            spawn.pgrp = Some(self.jobs.group(job));
        }
        match sys.spawn(spawn) {
            Ok(pid) => {
                if let Some(job) = job {
                    self.jobs.joined(job, pid);
                }
                Some(pid)
            }
            Err(errno) => {
                self.complain(&format!("fork: {}", errno.message()));
                None
            }
        }
    }

    fn child_fds(&self, sys: &Sys<'_>, changed: &[(Fd, Fd)]) -> Vec<(Fd, Fd)> {
        let mut fds: Vec<(Fd, Fd)> = self
            .fds
            .iter()
            .filter(|fd| sys.handle(**fd).is_ok())
            .filter(|fd| !changed.iter().any(|(child, _)| child == *fd))
            .map(|fd| (*fd, *fd))
            .collect();
        fds.extend_from_slice(changed);
        fds
    }

    /// Starts a program and waits for it, or becomes it where nothing is left to do afterwards.
    pub(super) fn launch(
        &mut self,
        sys: &mut Sys<'_>,
        launch: Launch,
        saved: Vec<Saved>,
        quiet: bool,
    ) {
        let Launch { path, args, text } = launch;
        if self.is_last() && self.is_flushed() {
            sys.set_env(self.state.vars.env());
            match sys.exec(&path, args.clone()) {
                Ok(()) => {
                    self.forget(sys, saved);
                    self.close_own(sys);
                    return;
                }
                Err(Errno::ENOEXEC) => {}
                Err(errno) => {
                    self.push_quiet(Frame::Restore(saved), quiet);
                    return self.refused(&path, errno, quiet);
                }
            }
        }
        let mut spawn = Spawn::new(Exec::Path(path.clone()), args.clone());
        spawn.env = Some(self.state.vars.env());
        spawn.fds = self.child_fds(sys, &[]);
        let job = self.jobs.add(text, false);
        if self.state.options.monitor {
            spawn.pgrp = Some(None);
        }
        match sys.spawn(spawn) {
            Ok(pid) => self.jobs.joined(job, pid),
            Err(Errno::ENOEXEC) => match self.script_of(sys, &path) {
                Some(script) => {
                    let mut fork = Fork::new(vec![Frame::Source(script)]);
                    fork.job = Some(job);
                    let own = (self.state.arg0.clone(), self.state.params.clone());
                    let name = (self.state.name.clone(), self.state.names_line);
                    self.state.arg0 = path.clone();
                    self.state.name = path.clone();
                    self.state.names_line = true;
                    self.state.params = args[1..].into();
                    self.fork(sys, fork);
                    (self.state.arg0, self.state.params) = own;
                    (self.state.name, self.state.names_line) = name;
                }
                None => {
                    self.jobs.remove(job);
                    self.push_quiet(Frame::Restore(saved), quiet);
                    let message = format!("{path}: cannot execute binary file: Exec format error");
                    self.complain(&message);
                    return self.ended(126, quiet);
                }
            },
            Err(errno) => {
                self.jobs.remove(job);
                self.push_quiet(Frame::Restore(saved), quiet);
                return self.refused(&path, errno, quiet);
            }
        }
        self.restore(sys, saved);
        self.wait_for_job(sys, job, quiet);
    }

    /// Becomes a program (`exec name`). Comes back only if that fails.
    pub(crate) fn replace(
        &mut self,
        sys: &mut Sys<'_>,
        args: &[Rc<str>],
        called: Vec<Rc<str>>,
    ) -> Result<(), i32> {
        let name = &args[0];
        let found = self.find_program(sys, name);
        let Found::Program(path) = found else {
            let (message, status) = self.not_found(name, &found);
            let message = match (self.state.flavor, &found) {
                (Flavor::Bash, Found::Nothing) => format!("exec: {name}: not found"),
                _ => message,
            };
            self.complain(&message);
            return Err(status);
        };
        sys.set_env(self.state.vars.env());
        match sys.exec(&path, called) {
            Ok(()) => {
                self.close_own(sys);
                Ok(())
            }
            Err(Errno::ENOEXEC) if let Some(script) = self.script_of(sys, &path) => {
                self.stack.clear();
                self.interactive = None;
                self.state.name = path.clone();
                self.state.arg0 = path;
                self.state.names_line = true;
                self.state.params = args[1..].into();
                self.push(Frame::Source(script));
                Ok(())
            }
            Err(errno) => {
                self.complain(&format!("{path}: {}", errno.message()));
                Err(126)
            }
        }
    }

    /// Copies of descriptors that only this shell knows of.
    fn close_own(&mut self, sys: &mut Sys<'_>) {
        self.replaced = true;
        let saved = std::mem::take(&mut self.stack);
        for entry in saved {
            if let Frame::Restore(saved) = entry.frame {
                self.forget(sys, saved);
            }
        }
    }

    fn refused(&mut self, path: &str, errno: Errno, quiet: bool) {
        self.complain(&format!("{path}: {}", errno.message()));
        self.ended(126, quiet);
    }

    /// Whether nothing remains to be done after the command about to run.
    fn is_last(&self) -> bool {
        self.may_exec
            && self.interactive.is_none()
            && self.traps.is_empty()
            && !self.jobs.any_running()
            && self.stack.iter().all(|entry| match &entry.frame {
                Frame::Source(source) => source.is_at_end(),
                Frame::Scope => true,
                _ => false,
            })
    }

    /// The commands of a text file that says nothing about its interpreter.
    fn script_of(&mut self, sys: &mut Sys<'_>, path: &str) -> Option<Source> {
        let bytes = sys.read_file(path).ok()?;
        if bytes.iter().take(200).any(|byte| *byte == 0) || bytes.starts_with(b"\x7fELF") {
            return None;
        }
        Some(Source::text(&String::from_utf8_lossy(&bytes), 1))
    }

    pub(super) fn find_program(&mut self, sys: &mut Sys<'_>, name: &str) -> Found {
        if name.contains('/') {
            return match sys.stat(name) {
                Err(errno) => Found::Refused(errno),
                Ok(stat) if stat.is_dir() => Found::Directory,
                Ok(stat) if stat.mode & 0o111 == 0 => Found::Refused(Errno::EACCES),
                Ok(_) => Found::Program(name.into()),
            };
        }
        match find_executable(sys, &self.state.text_or("PATH", ""), name) {
            Some(path) => Found::Program(path.into()),
            None => Found::Nothing,
        }
    }

    /// What is said of a command that cannot be run, and its status.
    pub(super) fn not_found(&self, name: &str, found: &Found) -> (String, i32) {
        let bash = self.state.flavor == Flavor::Bash;
        match found {
            Found::Nothing if bash => (format!("{name}: command not found"), 127),
            Found::Nothing | Found::Refused(Errno::ENOENT) if !bash => {
                (format!("{name}: not found"), 127)
            }
            Found::Refused(Errno::ENOENT) => (format!("{name}: No such file or directory"), 127),
            Found::Refused(errno) => (format!("{name}: {}", errno.message()), 126),
            Found::Directory if bash => (format!("{name}: Is a directory"), 126),
            _ => (format!("{name}: Permission denied"), 126),
        }
    }
}

/// The executable called `name` in the directories of a `PATH`.
pub(crate) fn find_executable(sys: &mut Sys<'_>, path: &str, name: &str) -> Option<String> {
    if name.is_empty() {
        return None;
    }
    path.split(':').find_map(|dir| {
        let candidate = match dir {
            "" => format!("./{name}"),
            _ => format!("{dir}/{name}"),
        };
        let stat = sys.stat(&candidate).ok()?;
        (stat.kind == FileKind::File && stat.mode & 0o111 != 0).then_some(candidate)
    })
}
