//! Commands and what a real v1.36.2 control plane answered, against our kubectl in our shell, or an
//! unmodified one against a served world.
//!
//! `<scenario>.json` holds steps in order: commands with their standard input, exit code and output,
//! files to write, pauses, and things to wait for. Each scenario has a world of its own, and the
//! steps keep the pace of the recording, since what one sees depends on when one looks.

mod inside;
mod normal;
mod outside;
mod replay;
mod scenario;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

pub use normal::normal;
pub use outside::minor_version;
pub use scenario::{Scenario, Step};

/// What came of one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Its place among the steps, from 0.
    pub step: usize,
    /// The command.
    pub command: String,
    /// Lines only the real system has (`<`) and lines only ours has (`>`); empty if all is the same.
    pub difference: Vec<String>,
}

/// What came of all commands of the scenarios of a folder.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// By the scenario's name, in the order of its commands.
    pub scenarios: BTreeMap<String, Vec<Outcome>>,
}

impl Report {
    /// How many commands are as recorded, of how many.
    #[must_use]
    pub fn identical(&self) -> (usize, usize) {
        let all = self.scenarios.values().map(Vec::len).sum();
        (all - self.failures().len(), all)
    }

    /// The commands that differ: scenario and step.
    #[must_use]
    pub fn failures(&self) -> Vec<(&str, usize)> {
        let all = self.scenarios.iter().flat_map(|(name, outcomes)| {
            let failed = outcomes.iter().filter(|o| !o.difference.is_empty());
            failed.map(move |outcome| (&**name, outcome.step))
        });
        all.collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, outcomes) in &self.scenarios {
            for outcome in outcomes.iter().filter(|o| !o.difference.is_empty()) {
                let command = outcome.command.lines().next().unwrap_or_default();
                writeln!(f, "{name} {}: {command}", outcome.step)?;
                for line in &outcome.difference {
                    writeln!(f, "  {line}")?;
                }
            }
        }
        for (name, outcomes) in &self.scenarios {
            let same = outcomes.iter().filter(|o| o.difference.is_empty()).count();
            writeln!(f, "{name}: {same} of {} steps identical", outcomes.len())?;
        }
        let (identical, all) = self.identical();
        write!(f, "{identical} of {all} steps identical")
    }
}

/// Whose kubectl.
#[derive(Clone, Copy, Debug)]
pub enum Kubectl<'a> {
    /// Ours, in our shell.
    Ours,
    /// An unmodified one at this path, in this machine's bash.
    At(&'a Path),
}

/// Replays every scenario of a folder whose name begins with `prefix`.
///
/// # Errors
/// A file that cannot be read or is no scenario, or a world that does not come up.
pub fn run(folder: &Path, prefix: &str, kubectl: Kubectl<'_>) -> Result<Report, String> {
    let scenarios = scenarios(folder, prefix)?;
    let outcomes: Vec<Result<_, String>> = match kubectl {
        Kubectl::Ours => scenarios
            .iter()
            .map(|scenario| replay::replay(scenario, &mut inside::Inside::new()?))
            .collect(),
        Kubectl::At(path) => at_once(&scenarios, path),
    };
    let mut report = Report::default();
    for (scenario, outcomes) in scenarios.into_iter().zip(outcomes) {
        report.scenarios.insert(scenario.name, outcomes?);
    }
    Ok(report)
}

/// All at once: real time passes, and most of it is waiting.
fn at_once(scenarios: &[Scenario], kubectl: &Path) -> Vec<Result<Vec<Outcome>, String>> {
    std::thread::scope(|scope| {
        let begin = |scenario| {
            scope.spawn(move || replay::replay(scenario, &mut outside::Outside::new(kubectl)?))
        };
        let running: Vec<_> = scenarios.iter().map(begin).collect();
        let end = |replay: std::thread::ScopedJoinHandle<'_, _>| replay.join();
        let ended = running.into_iter().map(end);
        let told = ended.map(|result| result.unwrap_or_else(|_| Err("it panicked".to_owned())));
        told.collect()
    })
}

fn scenarios(folder: &Path, prefix: &str) -> Result<Vec<Scenario>, String> {
    let entries =
        std::fs::read_dir(folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    let mut files: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.ends_with(".json") && name.starts_with(prefix)
        })
        .collect();
    files.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).map_err(|why| why.to_string());
        let scenario = text.and_then(|text| scenario::parse(&text));
        scenario.map_err(|why| format!("{}: {why}", path.display()))
    };
    files.into_iter().map(read).collect()
}
