//! What a lesson needs of the world it happens in: time, commands, and the objects of the cluster.
//! A lab is one; tests of this crate have a smaller one.

use std::rc::Rc;

use api::Value;
use lab::{Input, Lab, TerminalId};
use sim::{Duration, Instant};

use crate::duration;
use crate::lesson::Action;

/// A world in which lessons happen. A clone is a branch that knows nothing of the other.
pub trait Stage: Clone {
    /// The time it is.
    fn now(&self) -> Instant;

    /// Lets time pass until `until`, or until `budget` events have happened; returns how many did.
    fn advance(&mut self, until: Instant, budget: u64) -> u64;

    /// What is missing before the world can be used.
    fn missing(&self) -> Option<String>;

    /// Starts a command on a machine; it goes on as time passes.
    ///
    /// # Errors
    /// Why it cannot start.
    fn run(&mut self, machine: &Rc<str>, command: &Rc<str>) -> Result<RunId, String>;

    /// Starts a command in the network of a pod, with the files of the pod's machine.
    ///
    /// # Errors
    /// Why it cannot start.
    fn run_in_pod(
        &mut self,
        namespace: &str,
        pod: &str,
        command: &Rc<str>,
    ) -> Result<RunId, String>;

    /// What a command has printed so far, and its exit code once it has ended.
    fn outcome(&self, run: RunId) -> Outcome;

    /// Stops a command.
    fn stop(&mut self, run: RunId);

    /// Inputs that went in so far, where they are logged.
    fn inputs(&self) -> usize {
        0
    }

    /// A number that grows whenever an object of the cluster changes.
    fn revision(&self) -> i64;

    /// The objects of a resource (`pods`), by namespace and name.
    fn list(&self, resource: &str) -> Vec<Value>;

    /// One object; the namespace is empty for kinds without.
    fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<Value>;
}

/// A command that was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunId(pub u32);

/// What became of a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What it printed to standard output.
    pub stdout: String,
    /// What it printed to standard error.
    pub stderr: String,
    /// Its exit code, once it has ended.
    pub exit_code: Option<i32>,
}

/// Events of one branch at most, so that a command that never rests ends nevertheless.
const MAX_EVENTS: u64 = 5_000_000;
/// Events between two looks at whether a command has ended.
const SLICE: u64 = 256;

/// Lets time pass until a command has ended; stops it if it has not after `limit`.
pub(crate) fn finish(stage: &mut impl Stage, run: RunId, limit: Duration) -> Outcome {
    let end = stage.now() + limit;
    let mut events = 0;
    while stage.outcome(run).exit_code.is_none() {
        let ran = stage.advance(end, SLICE);
        events += ran;
        if (ran < SLICE && stage.now() >= end) || events > MAX_EVENTS {
            break;
        }
    }
    let outcome = stage.outcome(run);
    if outcome.exit_code.is_none() {
        stage.stop(run);
    }
    outcome
}

/// Does something to a world, and waits until it is done.
///
/// # Errors
/// Why it could not be done, or that it could although it was meant to fail.
pub(crate) fn perform(stage: &mut impl Stage, action: &Action) -> Result<(), String> {
    let run = stage.run(&action.machine, &action.command)?;
    let outcome = finish(stage, run, action.timeout);
    judge(action, &outcome)
}

/// Whether a command went as its action wants it.
pub(crate) fn judge(action: &Action, outcome: &Outcome) -> Result<(), String> {
    match outcome.exit_code {
        None => Err(format!(
            "it did not end within {}",
            duration::show(action.timeout)
        )),
        Some(0) if action.fails => Err("it was meant to fail, and did not".to_owned()),
        Some(code) if code != 0 && !action.fails => {
            let said = [outcome.stderr.trim(), outcome.stdout.trim()];
            let said = said
                .into_iter()
                .find(|text| !text.is_empty())
                .unwrap_or("it said nothing");
            let short: String = said.chars().take(400).collect();
            Err(format!("it ended with {code}: {short}"))
        }
        Some(_) => Ok(()),
    }
}

impl Stage for Lab {
    fn now(&self) -> Instant {
        Lab::now(self)
    }

    fn advance(&mut self, until: Instant, budget: u64) -> u64 {
        Lab::advance(self, until, budget)
    }

    fn missing(&self) -> Option<String> {
        Lab::missing(self)
    }

    fn run(&mut self, machine: &Rc<str>, command: &Rc<str>) -> Result<RunId, String> {
        let input = Input::Run {
            machine: machine.clone(),
            command: command.clone(),
        };
        let number = self.apply(input)?;
        Ok(number.map_or(RunId(0), |id| RunId(id.0)))
    }

    fn run_in_pod(
        &mut self,
        namespace: &str,
        pod: &str,
        command: &Rc<str>,
    ) -> Result<RunId, String> {
        self.run_in_pod(namespace, pod, command)
            .map(|id| RunId(id.0))
    }

    fn outcome(&self, run: RunId) -> Outcome {
        let Some(run) = self.run_result(TerminalId(run.0)) else {
            return Outcome::default();
        };
        Outcome {
            stdout: String::from_utf8_lossy(&run.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&run.stderr).into_owned(),
            exit_code: run.exit_code,
        }
    }

    fn stop(&mut self, run: RunId) {
        self.stop_run(TerminalId(run.0));
    }

    fn inputs(&self) -> usize {
        self.log().len()
    }

    fn revision(&self) -> i64 {
        self.objects().revision()
    }

    fn list(&self, resource: &str) -> Vec<Value> {
        self.objects().list(resource)
    }

    fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<Value> {
        self.objects().get(resource, namespace, name)
    }
}
