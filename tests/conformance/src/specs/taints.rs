//! Models test/e2e/node/taints.go.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::specs;
use crate::cluster::{Cluster, text};

specs! {
    "[sig-node] NoExecuteTaintManager Single Pod [Serial] removing taint cancels eviction [Disruptive] [Conformance]" => cancelled,
    "[sig-node] NoExecuteTaintManager Multiple Pods [Serial] evicts pods with minTolerationSeconds [Disruptive] [Conformance]" => evicted,
}

const KEY: &str = "kubernetes.io/e2e-evict-taint-key";
const VALUE: &str = "evictTaintVal";

/// Runs a pod that bears the taint for so long, and says on which node.
async fn run(cluster: &Cluster, name: &str, secs: u64, node: Option<&str>) -> Result<String> {
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": name, "labels": { "group": "taint-eviction" }, "deletionGracePeriodSeconds": 1,
        },
        "spec": {
            "containers": [{ "name": "pause", "image": "registry.k8s.io/pause:3.10.1" }],
            "tolerations": [{
                "key": KEY, "value": VALUE, "effect": "NoExecute", "tolerationSeconds": secs,
            }],
        },
    });
    if let Some(node) = node {
        pod["spec"]["nodeSelector"] = json!({ "kubernetes.io/hostname": node });
    }
    let pods = cluster.core("pods");
    cluster.create(&pods, &pod).await?;
    let found = cluster
        .until(&format!("{pods}/{name}"), |pod| {
            pod.is_some_and(|pod| pod["status"]["phase"] == "Running")
        })
        .await?;
    text(&found.unwrap_or_default(), "/spec/nodeName")
}

/// Taints a node, or takes the taint off.
async fn taint(cluster: &Cluster, node: &str, on: bool) -> Result<()> {
    let path = format!("/api/v1/nodes/{node}");
    let found = cluster
        .retry(&path, |node| {
            let taints = node["spec"]["taints"].as_array().cloned();
            let mut taints = taints.unwrap_or_default();
            taints.retain(|taint| taint["key"] != KEY);
            if on {
                taints.push(json!({ "key": KEY, "value": VALUE, "effect": "NoExecute" }));
            }
            node["spec"]["taints"] = json!(taints);
        })
        .await?;
    let taints = found["spec"]["taints"].as_array().into_iter().flatten();
    ensure!(taints.into_iter().any(|taint| taint["key"] == KEY) == on);
    Ok(())
}

/// Waits until the clock of the cluster has gone on by so many renewals of a node's lease, ten
/// seconds each.
async fn pass(cluster: &Cluster, node: &str, renewals: usize) -> Result<()> {
    let path = format!("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{node}");
    for _ in 0..renewals {
        let before = cluster.get(&path).await?["spec"]["renewTime"].clone();
        cluster
            .until(&path, |lease| {
                lease.is_some_and(|lease| lease["spec"]["renewTime"] != before)
            })
            .await?;
    }
    Ok(())
}

async fn cancelled(cluster: Cluster) -> Result<()> {
    let node = run(&cluster, "taint-eviction-4", 10, None).await?;
    let one = cluster.core("pods/taint-eviction-4");
    taint(&cluster, &node, true).await?;
    let found = cluster.find(&one).await?.context("evicted at once")?;
    ensure!(found["metadata"]["deletionTimestamp"].is_null(), "{found}");
    taint(&cluster, &node, false).await?;
    pass(&cluster, &node, 8).await?;
    let found = cluster.find(&one).await?.context("evicted all the same")?;
    ensure!(found["metadata"]["deletionTimestamp"].is_null(), "{found}");
    Ok(())
}

async fn evicted(cluster: Cluster) -> Result<()> {
    let node = run(&cluster, "taint-eviction-b1", 5, None).await?;
    run(&cluster, "taint-eviction-b2", 25, Some(&node)).await?;
    let pods = cluster.core("pods?labelSelector=group%3Dtaint-eviction");
    let version = text(&cluster.get(&pods).await?, "/metadata/resourceVersion")?;
    let from = format!("{pods}&resourceVersion={version}");
    let mut watch = cluster.watch(&from).await?;
    taint(&cluster, &node, true).await?;
    let mut gone = Vec::new();
    while gone.len() < 2 {
        let (_, pod): (_, Value) = watch.until(|kind, _| kind == "DELETED").await?;
        gone.push(text(&pod, "/metadata/name")?);
    }
    taint(&cluster, &node, false).await?;
    ensure!(
        gone == ["taint-eviction-b1", "taint-eviction-b2"],
        "{gone:?}"
    );
    Ok(())
}
