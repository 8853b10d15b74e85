//! Models test/e2e/apimachinery/watch.go.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::specs;
use crate::cluster::{Cluster, Watch, text};

specs! {
    "[sig-api-machinery] Watchers should be able to restart watching from the last resource version observed by the previous watch [Conformance]" => restart,
    "[sig-api-machinery] Watchers should be able to start watching from a specific resource version [Conformance]" => from_version,
    "[sig-api-machinery] Watchers should observe add, update, and delete watch notifications on configmaps [Conformance]" => observe,
    "[sig-api-machinery] Watchers should observe an object deletion if it stops meeting the requirements of the selector [Conformance]" => selector,
    "[sig-api-machinery] Watchers should receive events on concurrent watches in same order [Conformance]" => concurrent,
}

const LABEL: &str = "watch-this-configmap";

async fn watch(cluster: &Cluster, version: &str, values: &str) -> Result<Watch> {
    let maps = cluster.core("configmaps");
    let mut path = format!("{maps}?labelSelector={LABEL}%20in%20%28{values}%29");
    if !version.is_empty() {
        path = format!("{path}&resourceVersion={version}");
    }
    cluster.watch(&path).await
}

async fn create(cluster: &Cluster, name: &str, value: &str) -> Result<(String, Value)> {
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": name, "labels": { LABEL: value } },
    });
    let maps = cluster.core("configmaps");
    let made = cluster.create(&maps, &map).await?;
    Ok((format!("{maps}/{name}"), made))
}

async fn mutate(cluster: &Cluster, path: &str, value: &str) -> Result<Value> {
    cluster
        .retry(path, |map| map["data"]["mutation"] = json!(value))
        .await
}

/// Waits for this event of this object.
async fn expect(watch: &mut Watch, kind: &str, object: Option<&Value>) -> Result<Value> {
    let fits = |said: &str, found: &Value| said == kind && object.is_none_or(|one| one == found);
    watch.until(fits).await.map(|(_, found)| found)
}

/// Ten seconds of the cluster's time are more than enough for what must not come.
const SILENCE: Duration = Duration::from_millis(500);

async fn observe(cluster: Cluster) -> Result<()> {
    let (a, b) = ("multiple-watchers-A", "multiple-watchers-B");
    let mut of_a = watch(&cluster, "", a).await?;
    let mut of_b = watch(&cluster, "", b).await?;
    let mut of_both = watch(&cluster, "", &format!("{a}%2C{b}")).await?;
    let (path, made) = create(&cluster, "e2e-watch-test-configmap-a", a).await?;
    expect(&mut of_a, "ADDED", Some(&made)).await?;
    expect(&mut of_both, "ADDED", Some(&made)).await?;
    for value in ["1", "2"] {
        let changed = mutate(&cluster, &path, value).await?;
        expect(&mut of_a, "MODIFIED", Some(&changed)).await?;
        expect(&mut of_both, "MODIFIED", Some(&changed)).await?;
    }
    cluster.delete(&path).await?;
    expect(&mut of_a, "DELETED", None).await?;
    expect(&mut of_both, "DELETED", None).await?;
    let (path, made) = create(&cluster, "e2e-watch-test-configmap-b", b).await?;
    expect(&mut of_b, "ADDED", Some(&made)).await?;
    expect(&mut of_both, "ADDED", Some(&made)).await?;
    of_a.silent(SILENCE).await?;
    cluster.delete(&path).await?;
    expect(&mut of_b, "DELETED", None).await?;
    expect(&mut of_both, "DELETED", None).await?;
    of_a.silent(SILENCE).await
}

async fn from_version(cluster: Cluster) -> Result<()> {
    let value = "from-resource-version";
    let (path, _) = create(&cluster, "e2e-watch-test-resource-version", value).await?;
    let first = mutate(&cluster, &path, "1").await?;
    let second = mutate(&cluster, &path, "2").await?;
    cluster.delete(&path).await?;
    let version = text(&first, "/metadata/resourceVersion")?;
    let mut watch = watch(&cluster, &version, value).await?;
    expect(&mut watch, "MODIFIED", Some(&second)).await?;
    expect(&mut watch, "DELETED", None).await?;
    Ok(())
}

async fn restart(cluster: Cluster) -> Result<()> {
    let value = "watch-closed-and-restarted";
    let mut broken = watch(&cluster, "", value).await?;
    let (path, made) = create(&cluster, "e2e-watch-test-watch-closed", value).await?;
    mutate(&cluster, &path, "1").await?;
    expect(&mut broken, "ADDED", Some(&made)).await?;
    let last = expect(&mut broken, "MODIFIED", None).await?;
    drop(broken);
    let second = mutate(&cluster, &path, "2").await?;
    let version = text(&last, "/metadata/resourceVersion")?;
    let mut restarted = watch(&cluster, &version, value).await?;
    cluster.delete(&path).await?;
    expect(&mut restarted, "MODIFIED", Some(&second)).await?;
    expect(&mut restarted, "DELETED", None).await?;
    Ok(())
}

async fn selector(cluster: Cluster) -> Result<()> {
    let value = "label-changed-and-restored";
    let mut watch = watch(&cluster, "", value).await?;
    let (path, made) = create(&cluster, "e2e-watch-test-label-changed", value).await?;
    let first = mutate(&cluster, &path, "1").await?;
    let relabel = |value: &'static str| {
        let (cluster, path) = (cluster.clone(), path.clone());
        async move {
            let change = |map: &mut Value| map["metadata"]["labels"][LABEL] = json!(value);
            cluster.retry(&path, change).await
        }
    };
    relabel("wrong-value").await?;
    expect(&mut watch, "ADDED", Some(&made)).await?;
    expect(&mut watch, "MODIFIED", Some(&first)).await?;
    expect(&mut watch, "DELETED", None).await?;
    mutate(&cluster, &path, "2").await?;
    watch.silent(SILENCE).await?;
    let restored = relabel(value).await?;
    let third = mutate(&cluster, &path, "3").await?;
    cluster.delete(&path).await?;
    expect(&mut watch, "ADDED", Some(&restored)).await?;
    expect(&mut watch, "MODIFIED", Some(&third)).await?;
    expect(&mut watch, "DELETED", None).await?;
    Ok(())
}

/// Creates, updates and deletes until it is stopped.
async fn produce(cluster: Cluster) -> Result<()> {
    let maps = cluster.core("configmaps");
    let (mut existing, mut made): (Vec<usize>, usize) = (Vec::new(), 0);
    for step in 0_usize.. {
        let choice = step.wrapping_mul(7919) % 31;
        if existing.is_empty() || choice % 3 == 0 {
            let map = json!({
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": { "name": format!("cm-{made}") },
            });
            cluster.create(&maps, &map).await?;
            existing.push(made);
            made += 1;
        } else {
            let at = choice % existing.len();
            let name = format!("cm-{}", existing[at]);
            let path = format!("{maps}/{name}");
            if choice % 3 == 1 {
                let map = json!({
                    "apiVersion": "v1", "kind": "ConfigMap",
                    "metadata": { "name": name, "labels": { "mutated": step.to_string() } },
                });
                cluster.update(&path, &map).await?;
            } else {
                cluster.delete(&path).await?;
                existing.remove(at);
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

async fn concurrent(cluster: Cluster) -> Result<()> {
    let maps = cluster.core("configmaps");
    let list = cluster.get(&maps).await?;
    let mut version = text(&list, "/metadata/resourceVersion")?;
    let producer = tokio::spawn(produce(cluster.clone()));
    let mut watches: Vec<Watch> = Vec::new();
    for _ in 0..100 {
        let path = format!("{maps}?allowWatchBookmarks=true&resourceVersion={version}");
        watches.push(cluster.watch(&path).await?);
        let mut seen = None;
        for watch in &mut watches {
            let (kind, object) = watch.until(|kind, _| kind != "BOOKMARK").await?;
            ensure!(object["kind"] == "ConfigMap", "{kind} {object}");
            let own = text(&object, "/metadata/resourceVersion")?;
            ensure!(*seen.get_or_insert_with(|| own.clone()) == own);
        }
        version = seen.unwrap_or_default();
    }
    ensure!(!producer.is_finished(), "{:?}", producer.await);
    producer.abort();
    Ok(())
}
