//! Running specs, one after the other on one cluster as the upstream suite does.

use anyhow::{Context, Result};
use http::Method;

use crate::cluster::Cluster;
use crate::specs;

/// How a spec went.
pub struct Outcome {
    /// As upstream names it.
    pub name: &'static str,
    /// Why it failed, where it did.
    pub failure: Option<String>,
}

/// Runs every spec whose name holds `only`, each in a namespace of its own.
pub async fn run(cluster: &Cluster, only: &str) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for spec in specs::all().filter(|spec| spec.name.contains(only)) {
        let cluster = cluster.clone();
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
        outcomes.push(Outcome {
            name: spec.name,
            failure: result.err().map(|why| format!("{why:#}")),
        });
    }
    outcomes
}
