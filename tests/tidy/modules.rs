//! The shape of files: a head that says what a module is, and not too many lines.

use crate::holds;
use crate::sources::{self, has_extension};

/// Lines a file of code may have.
const MOST: usize = 700;

/// Files that are longer, and how long they are. The list only shrinks: a file that got shorter
/// has its figure lowered, a file below [`MOST`] leaves.
const LONGER: [(&str, usize); 7] = [
    ("crates/commands/src/awk/compile.rs", 831),
    ("crates/commands/src/awk/vm.rs", 957),
    ("crates/commands/src/curl/transfer.rs", 850),
    ("crates/commands/src/jq/builtins.rs", 1033),
    ("crates/commands/src/jq/eval.rs", 745),
    ("crates/commands/src/jq/parse.rs", 804),
    ("crates/node/src/kubelet/worker/tests.rs", 738),
];

#[test]
fn files_are_short() {
    let mut offences = Vec::new();
    for source in sources::all() {
        let is_code = ["rs", "mjs", "js", "css"]
            .iter()
            .any(|ext| has_extension(&source.path, ext));
        let lines = source.text.lines().count();
        let known = LONGER.iter().find(|(path, _)| *path == source.path);
        match known {
            Some((path, _)) if lines <= MOST => {
                offences.push(format!(
                    "{path}: {lines} lines: take it out of the exceptions"
                ));
            }
            Some((path, figure)) if lines < *figure => {
                offences.push(format!(
                    "{path}: {lines} lines: lower its exception from {figure}"
                ));
            }
            Some((_, figure)) if lines == *figure => {}
            _ if is_code && lines > MOST => {
                offences.push(format!("{}: {lines} lines, more than {MOST}", source.path));
            }
            _ => {}
        }
    }
    let known: Vec<String> = sources::all()
        .into_iter()
        .map(|source| source.path)
        .collect();
    for (path, _) in LONGER
        .iter()
        .filter(|(path, _)| !known.iter().any(|known| known == path))
    {
        offences.push(format!(
            "{path}: is not there: take it out of the exceptions"
        ));
    }
    holds(
        "file length (tests/tidy/modules.rs has the exceptions)",
        &offences,
    );
}

#[test]
fn every_module_says_what_it_is() {
    let mut offences = Vec::new();
    for source in sources::rust() {
        // A module of tests belongs to the file it tests.
        let is_tests = source.stem() == "tests" || source.stem().ends_with("_tests");
        let first = source.text.lines().find(|line| !line.trim().is_empty());
        if !is_tests && !first.is_some_and(|line| line.starts_with("//! ")) {
            offences.push(source.at(0, "does not begin with //! and what the module is"));
        }
    }
    holds("module heads", &offences);
}
