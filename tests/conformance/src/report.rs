//! Running specs on one cluster, as the upstream suite does.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures_util::{StreamExt, stream};
use http::Method;

use crate::cluster::Cluster;
use crate::specs::{self, Spec};

/// How a spec went.
pub struct Outcome {
    /// As upstream names it.
    pub name: &'static str,
    /// How long it took, on the clock on the wall.
    pub took: Duration,
    /// Why it failed, where it did.
    pub failure: Option<String>,
}

/// So many specs run at once, as upstream's do; those it calls serial run alone, after the others.
const AT_ONCE: usize = 8;

/// Runs every spec whose name holds `only`, each in a namespace of its own, and tells of each when it
/// has ended.
pub async fn run(cluster: &Cluster, only: &str, mut told: impl FnMut(&Outcome)) -> Vec<Outcome> {
    let chosen = specs::all().filter(|spec| spec.name.contains(only));
    let (serial, free): (Vec<_>, Vec<_>) = chosen.partition(|spec| spec.name.contains("[Serial]"));
    let mut outcomes = Vec::new();
    for (specs, at_once) in [(free, AT_ONCE), (serial, 1)] {
        let mut running = stream::iter(specs)
            .map(|spec| one(cluster.clone(), spec))
            .buffer_unordered(at_once);
        while let Some(outcome) = running.next().await {
            told(&outcome);
            outcomes.push(outcome);
        }
    }
    outcomes
}

async fn one(cluster: Cluster, spec: &'static Spec) -> Outcome {
    let begun = Instant::now();
    // A spec that panics fails alone.
    let running = tokio::spawn(async move {
        let own = cluster.in_namespace("spec").await?;
        let result = (spec.run)(own.clone()).await;
        let path = format!("/api/v1/namespaces/{}", own.namespace);
        let gone = own.call(Method::DELETE, &path, &[], None).await;
        gone.context("its namespace is deleted")?;
        result
    });
    let result: Result<()> = running.await.map_err(Into::into).and_then(|result| result);
    Outcome {
        name: spec.name,
        took: begun.elapsed(),
        failure: result.err().map(|why| format!("{why:#}")),
    }
}
