//! Commands and what a real v1.36.2 control plane answered, against our kubectl in our shell.
//!
//! `<scenario>.json` holds steps in order: commands with their standard input, exit code and output,
//! files to write, pauses, and things to wait for. Each scenario has a world of its own, and the
//! steps keep the pace of the recording, since what one sees depends on when one looks.

mod normal;
mod replay;
mod scenario;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

pub use normal::normal;
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
        let (mut identical, mut all) = (0, 0);
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
            identical += same;
            all += outcomes.len();
        }
        write!(f, "{identical} of {all} steps identical")
    }
}

/// Replays every scenario of a folder whose name begins with `prefix`.
///
/// # Errors
/// A file that cannot be read or is no scenario, or a world that does not come up.
pub fn run(folder: &Path, prefix: &str) -> Result<Report, String> {
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
    let mut report = Report::default();
    for path in files {
        let text =
            std::fs::read_to_string(&path).map_err(|why| format!("{}: {why}", path.display()))?;
        let scenario =
            scenario::parse(&text).map_err(|why| format!("{}: {why}", path.display()))?;
        let outcomes = replay::replay(&scenario)?;
        report.scenarios.insert(scenario.name, outcomes);
    }
    Ok(report)
}
