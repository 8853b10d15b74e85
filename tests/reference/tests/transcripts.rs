//! The scenarios of tests/reference/transcripts, recorded from a v1.36.2 control plane.
//!
//! `known-failures.tsv` lists the steps that differ: scenario, step, reason. `UPDATE_EXPECT=1` takes
//! those off the list that have come to pass; nothing puts any on it.
#![allow(clippy::disallowed_methods, reason = "the list is this test's data")]

use std::path::Path;

use kubarium_reference::transcripts::{self, Kubectl};

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/transcripts"))
}

#[test]
fn steps_are_identical_but_for_the_known_failures() {
    let report = transcripts::run(folder(), "", Kubectl::Ours).expect("the scenarios are there");
    let steps: usize = report.scenarios.values().map(Vec::len).sum();
    assert_eq!((report.scenarios.len(), steps), (15, 983));
    let failures = report.failures();
    let list = folder().join("known-failures.tsv");
    let text = std::fs::read_to_string(&list).expect("the list is there");
    let (mut known, mut kept) = (Vec::new(), String::new());
    for line in text.lines() {
        let mut fields = line.split('\t');
        let mut field = || fields.next().unwrap_or_default();
        let (scenario, step) = (field(), field().parse().expect("the number of a step"));
        assert!(!field().is_empty(), "without a reason: {line}");
        if failures.contains(&(scenario, step)) {
            kept.push_str(line);
            kept.push('\n');
        }
        known.push((scenario, step));
    }
    let new: Vec<_> = failures
        .iter()
        .filter(|step| !known.contains(step))
        .collect();
    assert!(
        new.is_empty(),
        "these differ and did not before: {new:?}\n{report}"
    );
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&list, kept).expect("the list can be written");
        return;
    }
    let passed: Vec<_> = known
        .iter()
        .filter(|step| !failures.contains(step))
        .collect();
    assert!(
        passed.is_empty(),
        "these have come to pass; UPDATE_EXPECT=1 takes them off the list: {passed:?}"
    );
}
