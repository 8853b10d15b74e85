//! Every spec that needs the API alone is written here and passes.

use std::collections::BTreeSet;

use kubarium_conformance::{run, serve};

/// The specs of the upstream suite and what each needs.
const ALL: &str = include_str!("../specs.tsv");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_spec_that_needs_the_api_alone_passes() {
    let (front, cluster) = serve().await.expect("the cluster comes up");
    let outcomes = run(&cluster, "", |_| ()).await;
    front.stop().await;
    let failed: Vec<String> = outcomes
        .iter()
        .filter_map(|spec| Some(format!("{}: {}", spec.name, spec.failure.as_ref()?)))
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));

    let lines = ALL.lines().filter(|line| !line.starts_with('#'));
    let known: BTreeSet<(&str, &str)> = lines
        .filter_map(|line| Some((line.split('\t').nth(2)?, line.split('\t').next()?)))
        .collect();
    let run: BTreeSet<&str> = outcomes.iter().map(|spec| spec.name).collect();
    let unknown: Vec<&&str> = run
        .iter()
        .filter(|name| !known.iter().any(|(known, _)| known == *name))
        .collect();
    assert!(unknown.is_empty(), "no specs of upstream: {unknown:?}");
    // Those of kubectl run kubectl itself.
    let missing: Vec<&str> = known
        .iter()
        .filter(|(name, needs)| *needs == "api" && !name.starts_with("[sig-cli]"))
        .map(|(name, _)| *name)
        .filter(|name| !run.contains(name))
        .collect();
    assert!(missing.is_empty(), "not written yet: {missing:?}");
}
