//! A recorded scenario, read from its JSON.

use serde::Deserialize;

/// Steps in a world of their own.
#[derive(Clone, Debug, Deserialize)]
pub struct Scenario {
    /// `03_imperative`
    pub name: String,
    /// In order.
    pub steps: Vec<Step>,
}

/// A step: what it is shows by the field it has.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Step {
    /// A command and what came of it.
    Command {
        /// For bash.
        command: String,
        /// Standard input; nothing if not given.
        #[serde(default)]
        stdin: Option<String>,
        /// What it ended with.
        exit_code: i32,
        /// What it printed.
        stdout: String,
        /// What it printed to standard error.
        stderr: String,
        /// When it began, RFC 3339.
        started: String,
        /// How long it took.
        seconds: f64,
    },
    /// A file that is written.
    File {
        /// Its path, in the working directory.
        file: String,
        /// What it holds.
        text: String,
    },
    /// A pause.
    Sleep {
        /// Seconds.
        sleep: f64,
    },
    /// A command that is run until it prints what it should.
    Until {
        /// For bash.
        until: String,
        /// An expression that its output matches in the end.
        r#match: String,
        /// Seconds, 60 if not given.
        #[serde(default)]
        timeout: Option<f64>,
    },
}

/// Reads a scenario.
///
/// # Errors
/// What is wrong with the JSON.
pub(super) fn parse(text: &str) -> Result<Scenario, String> {
    serde_json::from_str(text).map_err(|why| why.to_string())
}
