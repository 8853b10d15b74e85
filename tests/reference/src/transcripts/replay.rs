//! Does again what was done in the recording, at its pace.

use std::time::Duration;

use regex_lite::Regex;
use sim::Instant;

use super::normal::normal;
use super::{Outcome, Scenario, Step};

/// The shell's surroundings in the recording.
pub(super) const SURROUNDINGS: &str = "export KUBE_EDITOR=true TZ=UTC LANG=C.UTF-8";
/// How long a command may take, and how long to wait for something at most.
pub(super) const PATIENCE: Duration = Duration::from_secs(180);
/// Time between two looks while waiting for something.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// An ordinary user whose kubeconfig lies where the commands run: group, name and file.
pub(super) const ALICE: ((&str, &str), &str) = (("developers", "alice"), ".kube/alice.conf");
/// Every scenario begins in an empty namespace: what is told of the nodes' start is not in it.
pub(super) const CLEAR: &str = "kubectl delete events --all";

/// What a command ended with and printed.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    /// `None`: it did not end in time.
    pub(super) exit_code: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// Where commands run: a shell, a folder to run them in, a clock.
pub(super) trait Surroundings {
    /// Time passed since some instant.
    fn now(&self) -> Duration;
    /// Lets time pass.
    fn pause(&mut self, span: Duration);
    /// Writes a file; its path is relative to the folder.
    fn put(&mut self, path: &str, text: &str) -> Result<(), String>;
    /// Runs a command; without standard input it reads nothing.
    fn run(&mut self, command: &str, stdin: Option<&str>) -> Result<Answer, String>;
}

/// Replays a scenario.
///
/// # Errors
/// A step has no sense, or cannot be done.
pub(super) fn replay(
    scenario: &Scenario,
    player: &mut dyn Surroundings,
) -> Result<Vec<Outcome>, String> {
    player.run(CLEAR, None)?;
    let mut outcomes = Vec::new();
    // The end of the last command as recorded: what follows begins this long after ours.
    let mut ended: Option<Instant> = None;
    for (number, step) in scenario.steps.iter().enumerate() {
        match step {
            Step::Command {
                command,
                stdin,
                exit_code,
                stdout,
                stderr,
                started,
                seconds,
            } => {
                let started = Instant::parse_rfc3339(&started.replace("+00:00", "Z"))
                    .ok_or_else(|| format!("step {number}: no time: {started}"))?;
                if let Some(ended) = ended {
                    player.pause(started.since(ended.min(started)));
                }
                let begun = player.now();
                let run = player.run(command, stdin.as_deref())?;
                let took = span(*seconds);
                let rest = took.saturating_sub(player.now().saturating_sub(begun));
                player.pause(rest);
                ended = Some(started + took);
                outcomes.push(Outcome {
                    step: number,
                    command: command.clone(),
                    difference: difference((*exit_code, stdout, stderr), &run),
                });
            }
            Step::File { file, text } => {
                player.put(file, text)?;
            }
            Step::Sleep { sleep } => {
                player.pause(span(*sleep));
                ended = None;
            }
            Step::Until {
                until,
                r#match,
                timeout,
            } => {
                let wanted = Regex::new(r#match).map_err(|why| format!("step {number}: {why}"))?;
                let end = player.now() + timeout.map_or(PATIENCE, span);
                loop {
                    let run = player.run(until, None)?;
                    let told = [run.stdout, run.stderr].concat();
                    if wanted.is_match(told.trim_end()) || player.now() >= end {
                        break;
                    }
                    player.pause(LOOK_EVERY);
                }
                ended = None;
            }
        }
    }
    Ok(outcomes)
}

fn span(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds.clamp(0.0, 3600.0))
}

fn difference(expected: (i32, &str, &str), run: &Answer) -> Vec<String> {
    let (code, stdout, stderr) = expected;
    let mut found = Vec::new();
    match run.exit_code {
        Some(ours) if ours == code => {}
        Some(ours) => found.extend([format!("< [exit {code}]"), format!("> [exit {ours}]")]),
        None => found.push("> [does not end]".to_owned()),
    }
    let ours = [&run.stdout, &run.stderr].map(|text| normal(text));
    let [out, err] = ours;
    // The end of the last line is an empty one here, so that its lack shows.
    let split = |text: &str| -> Vec<String> { text.split('\n').map(str::to_owned).collect() };
    for (name, theirs, own) in [("stdout", stdout, out), ("stderr", stderr, err)] {
        let (theirs, own) = (split(&normal(theirs)), split(&own));
        found.extend(crate::lines_difference(name, &theirs, &own));
    }
    found
}
