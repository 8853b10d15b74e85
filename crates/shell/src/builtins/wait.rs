//! `wait`

use std::rc::Rc;

use machine::Sys;
use sim::Pid;

use super::{Builtin, Outcome};
use crate::eval::{Frame, JobState, Shell, Step};

pub(super) const WAIT: Builtin = Builtin {
    name: "wait",
    usage: "wait [-fn] [-p var] [id ...]",
    posix: true,
    run: wait,
};

/// A `wait` under way.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    /// For these, or for all.
    targets: Option<Vec<Pid>>,
    /// For the first of them to end.
    any: bool,
    /// Those that were running when it began, for `-n`.
    running: Vec<Pid>,
}

fn wait(shell: &mut Shell, _: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    let (letters, operands) = match super::options(args, "fn") {
        Ok(parsed) => parsed,
        Err(letter) => return shell.bad_option(&WAIT, letter),
    };
    let mut targets = Vec::new();
    for operand in operands {
        if operand.starts_with('%') {
            let pid = shell
                .jobs
                .named(operand)
                .and_then(|id| shell.jobs.get(id))
                .and_then(|job| job.processes.last().map(|(pid, _)| *pid));
            match pid {
                Some(pid) => targets.push(pid),
                None => {
                    shell.complain(&format!("wait: {operand}: no such job"));
                    return Outcome::Status(127);
                }
            }
            continue;
        }
        let Ok(number) = operand.parse::<u32>() else {
            shell.complain(&format!("wait: `{operand}': not a pid or valid job spec"));
            return Outcome::Status(1);
        };
        let pid = Pid(number);
        if shell.jobs.with(pid).is_none() && shell.jobs.status_of(pid).is_none() {
            shell.complain(&format!("wait: pid {number} is not a child of this shell"));
            return Outcome::Status(127);
        }
        targets.push(pid);
    }
    let running = running(shell);
    let targets = (!operands.is_empty()).then_some(targets);
    let any = letters.contains(&'n');
    if any && running.is_empty() {
        return Outcome::Status(127);
    }
    shell.push(Frame::Wait(Waiting {
        targets,
        any,
        running,
    }));
    Outcome::Frames
}

fn running(shell: &Shell) -> Vec<Pid> {
    let jobs = shell
        .jobs
        .iter()
        .filter(|job| job.background && job.state == JobState::Running);
    jobs.filter_map(|job| job.processes.last().map(|(pid, _)| *pid))
        .collect()
}

impl Shell {
    pub(crate) fn step_wait(&mut self, _: &mut Sys<'_>, waiting: Waiting) -> Step {
        let now = running(self);
        if waiting.any {
            let ended = waiting
                .running
                .iter()
                .find(|pid| !now.contains(pid))
                .copied();
            return match ended {
                Some(pid) => {
                    self.state.status = self.jobs.status_of(pid).unwrap_or(127);
                    Step::Go
                }
                None => self.wait_more(waiting),
            };
        }
        match &waiting.targets {
            None if now.is_empty() => {
                self.state.status = 0;
                if self.interactive.is_none() {
                    self.forget_done(true);
                }
                Step::Go
            }
            Some(targets) if !targets.iter().any(|pid| now.contains(pid)) => {
                let last = targets.last().and_then(|pid| self.jobs.status_of(*pid));
                self.state.status = last.unwrap_or(127);
                Step::Go
            }
            _ => self.wait_more(waiting),
        }
    }

    fn wait_more(&mut self, waiting: Waiting) -> Step {
        self.push(Frame::Wait(waiting));
        Step::Wait
    }
}
