//! Jobs: pipelines in processes of their own.
//!
//! Models jobs.c of bash.

use std::collections::BTreeMap;
use std::rc::Rc;

use machine::{ExitStatus, Fd, Signal, Sys};
use sim::Pid;

use super::{Frame, Shell, Step, Unwind};

/// What a job is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JobState {
    /// At least one process runs.
    Running,
    /// Stopped by a signal, as by Ctrl-Z.
    Stopped,
    /// All processes have ended; how the last one did.
    Done(ExitStatus),
}

/// A pipeline in processes of its own.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    /// Its number.
    pub id: u32,
    /// Its processes in the order of the pipeline, and how they ended.
    pub processes: Vec<(Pid, Option<ExitStatus>)>,
    /// Its source.
    pub text: Rc<str>,
    /// What it is doing.
    pub state: JobState,
    /// Whether it was started with `&` or continued with `bg`.
    pub background: bool,
    /// Whether the person knows its state.
    pub told: bool,
}

/// The jobs of a shell.
#[derive(Debug, Clone, Default)]
pub(crate) struct Jobs {
    jobs: Vec<Job>,
    /// Statuses of background processes that ended, for `wait`.
    ended: BTreeMap<Pid, i32>,
    /// Job numbers by how recently they were current, the current one last.
    recent: Vec<u32>,
}

impl Jobs {
    /// A new job, still without processes.
    pub(super) fn add(&mut self, text: Rc<str>, background: bool) -> u32 {
        let id = self.jobs.iter().map(|job| job.id).max().unwrap_or(0) + 1;
        let state = JobState::Running;
        let told = !background;
        self.jobs.push(Job {
            id,
            processes: Vec::new(),
            text,
            state,
            background,
            told,
        });
        if background {
            self.make_current(id);
        }
        id
    }

    /// Jobs by number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Job> {
        self.jobs.iter()
    }

    /// The job with this number.
    pub(crate) fn get(&self, id: u32) -> Option<&Job> {
        self.jobs.iter().find(|job| job.id == id)
    }

    /// The job with this number, to be changed.
    pub(crate) fn get_mut(&mut self, id: u32) -> Option<&mut Job> {
        self.jobs.iter_mut().find(|job| job.id == id)
    }

    /// The job a word names: `%1`, `%+`, `%-`, `%name`, `%?text`.
    pub(crate) fn named(&self, spec: &str) -> Option<u32> {
        let spec = spec.strip_prefix('%').unwrap_or(spec);
        match spec {
            "" | "+" | "%" => self.current(),
            "-" => self.previous(),
            _ => {
                if let Ok(id) = spec.parse() {
                    return self.get(id).map(|job| job.id);
                }
                let found = match spec.strip_prefix('?') {
                    Some(part) => self.jobs.iter().find(|job| job.text.contains(part)),
                    None => self.jobs.iter().find(|job| job.text.starts_with(spec)),
                };
                found.map(|job| job.id)
            }
        }
    }

    /// The job `fg` means.
    pub(crate) fn current(&self) -> Option<u32> {
        let stopped = self.recent.iter().rev().find(|id| {
            self.get(**id)
                .is_some_and(|job| job.state == JobState::Stopped)
        });
        stopped
            .or(self.recent.iter().rev().find(|id| self.get(**id).is_some()))
            .copied()
    }

    /// The one before it.
    pub(crate) fn previous(&self) -> Option<u32> {
        let current = self.current();
        self.recent
            .iter()
            .rev()
            .find(|id| Some(**id) != current && self.get(**id).is_some())
            .copied()
    }

    /// Makes a job the current one.
    pub(crate) fn make_current(&mut self, id: u32) {
        self.recent.retain(|own| *own != id);
        self.recent.push(id);
    }

    pub(super) fn group(&self, id: u32) -> Option<Pid> {
        self.get(id)
            .and_then(|job| job.processes.first())
            .map(|(pid, _)| *pid)
    }

    pub(super) fn joined(&mut self, id: u32, pid: Pid) {
        if let Some(job) = self.get_mut(id) {
            job.processes.push((pid, None));
        }
    }

    /// Forgets a job.
    pub(crate) fn remove(&mut self, id: u32) {
        self.jobs.retain(|job| job.id != id);
        self.recent.retain(|own| *own != id);
    }

    /// What a copy of the shell knows: statuses, but no children of its own.
    pub(super) fn for_subshell(&self) -> Jobs {
        Jobs::default()
    }

    /// Whether a child runs.
    pub(crate) fn any_running(&self) -> bool {
        self.jobs
            .iter()
            .any(|job| !matches!(job.state, JobState::Done(_)))
    }

    /// The status of a process that ran in the background, once it has ended.
    pub(crate) fn status_of(&mut self, pid: Pid) -> Option<i32> {
        self.ended.get(&pid).copied()
    }

    /// The job a process belongs to.
    pub(crate) fn with(&self, pid: Pid) -> Option<&Job> {
        self.jobs
            .iter()
            .find(|job| job.processes.iter().any(|(own, _)| *own == pid))
    }

    /// Asks for the statuses of children.
    pub(super) fn reap(&mut self, sys: &mut Sys<'_>) {
        for job in &mut self.jobs {
            if matches!(job.state, JobState::Done(_)) {
                continue;
            }
            let mut stopped = false;
            for (pid, status) in &mut job.processes {
                if status.is_none() {
                    *status = sys.try_wait(*pid);
                    if let (Some(status), true) = (*status, job.background) {
                        self.ended.insert(*pid, status.shell_code());
                    }
                }
                if status.is_none() {
                    stopped |= sys
                        .host()
                        .process(*pid)
                        .is_some_and(|process| process.stopped);
                }
            }
            let last = job.processes.last().and_then(|(_, status)| *status);
            let all = job.processes.iter().all(|(_, status)| status.is_some());
            let state = match (all, last) {
                (true, last) => JobState::Done(last.unwrap_or(ExitStatus::Code(0))),
                _ if stopped => JobState::Stopped,
                _ => JobState::Running,
            };
            if state != job.state {
                job.state = state;
                job.told = !job.background && state != JobState::Stopped;
            }
        }
    }

    /// A job's line in the listing: `[1]+  Running                 sleep 9 &`.
    pub(crate) fn line(&self, job: &Job) -> String {
        let mark = match job.id {
            id if Some(id) == self.current() => '+',
            id if Some(id) == self.previous() => '-',
            _ => ' ',
        };
        let said = match job.state {
            JobState::Running => "Running".to_owned(),
            JobState::Stopped => "Stopped".to_owned(),
            JobState::Done(ExitStatus::Code(0)) => "Done".to_owned(),
            JobState::Done(ExitStatus::Code(code)) => format!("Exit {code}"),
            JobState::Done(ExitStatus::Signal(signal)) => describe(signal).to_owned(),
        };
        let amp = if job.state == JobState::Running && job.background {
            " &"
        } else {
            ""
        };
        format!("[{}]{mark}  {said:<24}{}{amp}\n", job.id, job.text)
    }
}

/// How a shell names the end by a signal.
pub(crate) fn describe(signal: Signal) -> &'static str {
    match signal {
        Signal::Hup => "Hangup",
        Signal::Int => "Interrupt",
        Signal::Quit => "Quit",
        Signal::Kill => "Killed",
        Signal::Usr1 => "User defined signal 1",
        Signal::Usr2 => "User defined signal 2",
        Signal::Pipe => "Broken pipe",
        Signal::Alrm => "Alarm clock",
        Signal::Term => "Terminated",
        other => other.name(),
    }
}

impl Shell {
    /// Gives a job the terminal and waits for it.
    pub(super) fn wait_for_job(&mut self, sys: &mut Sys<'_>, job: u32, quiet: bool) {
        if self.state.options.monitor
            && let (Some(tty), Some(group)) = (self.tty(sys), self.jobs.group(job))
        {
            let _ = sys.tty_foreground(tty, group);
        }
        self.push_quiet(Frame::Foreground(job), quiet);
    }

    /// Waits for a job that was in the background (`fg`).
    pub(crate) fn bring_to_front(&mut self, sys: &mut Sys<'_>, job: u32) {
        self.wait_for_job(sys, job, false);
    }

    /// The terminal of the shell, if it has one.
    pub(crate) fn tty(&self, sys: &Sys<'_>) -> Option<Fd> {
        [Fd::STDIN, Fd::STDERR, Fd::STDOUT]
            .into_iter()
            .find(|fd| sys.is_tty(*fd))
    }

    /// Takes the terminal back.
    pub(super) fn take_terminal(&mut self, sys: &mut Sys<'_>) {
        if self.state.options.monitor
            && let Some(tty) = self.tty(sys)
        {
            let own = sys
                .host()
                .process(sys.pid())
                .map_or(sys.pid(), |process| process.pgrp);
            let _ = sys.tty_foreground(tty, own);
            let _ = sys.tty_raw(tty, false);
        }
    }

    pub(super) fn step_foreground(&mut self, sys: &mut Sys<'_>, id: u32, quiet: bool) -> Step {
        let Some(job) = self.jobs.get(id) else {
            return Step::Go;
        };
        match job.state {
            JobState::Running => {
                self.push_quiet(Frame::Foreground(id), quiet);
                Step::Wait
            }
            JobState::Stopped => {
                self.jobs.make_current(id);
                if let Some(job) = self.jobs.get_mut(id) {
                    job.background = true;
                    job.told = true;
                }
                self.take_terminal(sys);
                let line = self
                    .jobs
                    .get(id)
                    .map(|job| self.jobs.line(job))
                    .unwrap_or_default();
                self.print_error(&format!("\n{line}"));
                // The rest of the line is given up, as bash does for a stopped loop.
                self.unwind = Some(Unwind::Abort(128 + Signal::Tstp as i32));
                Step::Go
            }
            JobState::Done(status) => {
                let statuses: Vec<i32> = job
                    .processes
                    .iter()
                    .map(|(_, status)| status.map_or(0, ExitStatus::shell_code))
                    .collect();
                let pid = job.processes.last().map_or(0, |(pid, _)| pid.0);
                let text = job.text.clone();
                self.jobs.remove(id);
                self.take_terminal(sys);
                let failed = statuses.iter().rev().find(|status| **status != 0).copied();
                let code = match (self.state.options.pipefail, failed) {
                    (true, Some(failed)) => failed,
                    _ => status.shell_code(),
                };
                self.state.status = code;
                self.state.pipe_status = statuses;
                if let ExitStatus::Signal(signal) = status {
                    self.tell_signal(signal, pid, &text);
                }
                self.check_errexit(quiet);
                Step::Go
            }
        }
    }

    /// A job in the foreground was ended by a signal.
    fn tell_signal(&mut self, signal: Signal, pid: u32, text: &str) {
        match signal {
            Signal::Int => {
                // The person wants out of the loop around it as well.
                if self.interactive.is_some() {
                    self.print_error("\n");
                    self.unwind = Some(Unwind::Abort(130));
                }
            }
            Signal::Pipe => {}
            _ if self.interactive.is_some() => {
                self.print_error(&format!("{}\n", describe(signal)));
            }
            _ if self.subshell => {}
            _ => self.complain(&format!("{pid:5} {:<24}{text}", describe(signal))),
        }
    }

    /// Tells of jobs in the background that ended or stopped, as before a prompt.
    pub(crate) fn tell_jobs(&mut self) {
        let mut text = String::new();
        for job in self.jobs.iter().filter(|job| job.background && !job.told) {
            if job.state != JobState::Running {
                text.push_str(&self.jobs.line(job));
            }
        }
        self.forget_done(true);
        self.print_error(&text);
    }

    /// Forgets jobs that have ended; only those in the background if asked to.
    pub(crate) fn forget_done(&mut self, mark_told: bool) {
        let done: Vec<u32> = self
            .jobs
            .iter()
            .filter(|job| job.background && matches!(job.state, JobState::Done(_)))
            .map(|job| job.id)
            .collect();
        for id in done {
            self.jobs.remove(id);
        }
        if mark_told {
            for job in &mut self.jobs.jobs {
                job.told |= job.state != JobState::Running;
            }
        }
    }
}
