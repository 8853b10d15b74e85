//! Models test/e2e/apps/disruption.go.

use anyhow::{Result, ensure};
use http::Method;
use serde_json::{Value, json};

use super::specs;
use crate::cluster::{Cluster, Patch};

specs! {
    "[sig-apps] DisruptionController should create a PodDisruptionBudget [Conformance]" => made,
    "[sig-apps] DisruptionController should observe PodDisruptionBudget status updated [Conformance]" => observed,
    "[sig-apps] DisruptionController should update/patch PodDisruptionBudget status [Conformance]" => status,
    "[sig-apps] DisruptionController should block an eviction until the PDB is updated to allow it [Conformance]" => blocks,
    "[sig-apps] DisruptionController Listing PodDisruptionBudgets for all namespaces should list and delete a collection of PodDisruptionBudgets [Conformance]" => collection,
}

fn budgets(cluster: &Cluster) -> String {
    cluster.group("policy/v1", "poddisruptionbudgets")
}

fn budget(name: &str, spec: &Value) -> Value {
    let mut spec = spec.clone();
    spec["selector"] = json!({ "matchLabels": { "foo": "bar" } });
    json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": { "name": name, "creationTimestamp": null, "labels": { "foo": "bar" } },
        "spec": spec,
        "status": {
            "disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0,
        },
    })
}

/// Makes a budget and waits until the controller has seen it.
async fn create(cluster: &Cluster, name: &str, spec: Value) -> Result<String> {
    let all = budgets(cluster);
    cluster.create(&all, &budget(name, &spec)).await?;
    let one = format!("{all}/{name}");
    processed(cluster, &one).await?;
    Ok(one)
}

async fn processed(cluster: &Cluster, one: &str) -> Result<()> {
    cluster
        .until(one, |found| {
            found.is_some_and(|found| {
                found["status"]["observedGeneration"] == found["metadata"]["generation"]
            })
        })
        .await?;
    Ok(())
}

async fn pods(cluster: &Cluster, count: usize) -> Result<()> {
    let pods = cluster.core("pods");
    for n in 0..count {
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": { "name": format!("pod-{n}"), "labels": { "foo": "bar" } },
            "spec": {
                "containers": [{
                    "name": "donothing", "image": "registry.k8s.io/pause:3.10.1",
                    "securityContext": {},
                }],
                "restartPolicy": "Always",
            },
        });
        cluster.create(&pods, &pod).await?;
    }
    for n in 0..count {
        cluster
            .until(&format!("{pods}/pod-{n}"), |pod| {
                pod.is_some_and(|pod| pod["status"]["phase"] == "Running")
            })
            .await?;
    }
    Ok(())
}

async fn made(cluster: Cluster) -> Result<()> {
    let one = create(&cluster, "foo", json!({ "minAvailable": "1%" })).await?;
    let found = cluster.get(&one).await?;
    ensure!(found["spec"]["minAvailable"] == "1%", "{found}");
    let updated = cluster
        .retry(&one, |found| found["spec"]["minAvailable"] = json!("2%"))
        .await?;
    ensure!(updated["spec"]["minAvailable"] == "2%");
    processed(&cluster, &one).await?;
    let patch = json!({ "spec": { "minAvailable": "3%" } });
    let patched = cluster.patch(&one, Patch::Strategic, &patch).await?;
    ensure!(patched["spec"]["minAvailable"] == "3%", "{patched}");
    processed(&cluster, &one).await?;
    cluster.delete(&one).await?;
    cluster.until_gone(&one).await
}

async fn observed(cluster: Cluster) -> Result<()> {
    let one = create(&cluster, "foo", json!({ "minAvailable": 1 })).await?;
    pods(&cluster, 3).await?;
    cluster
        .until(&one, |found| {
            found.is_some_and(|found| {
                let all = found["status"]["conditions"].as_array();
                found["status"]["disruptionsAllowed"] == 2
                    && all.is_some_and(|all| {
                        all.iter().any(|one| {
                            one["type"] == "DisruptionAllowed"
                                && one["status"] == "True"
                                && one["reason"] == "SufficientPods"
                        })
                    })
            })
        })
        .await?;
    Ok(())
}

async fn status(cluster: Cluster) -> Result<()> {
    let one = create(&cluster, "foo", json!({ "minAvailable": 1 })).await?;
    let state = format!("{one}/status");
    pods(&cluster, 1).await?;
    cluster
        .until(&one, |found| {
            found.is_some_and(|found| found["status"]["currentHealthy"] == 1)
        })
        .await?;
    // Not what the controller would write: it leaves disrupted pods for a while.
    let disrupted = json!({ "pod-0": "2026-01-05T09:00:00Z" });
    cluster
        .retry(&state, |found| {
            found["status"]["disruptedPods"] = json!({});
            found["status"]["disruptionsAllowed"] = json!(0);
        })
        .await?;
    let patch = json!({ "status": { "disruptedPods": disrupted } });
    let patched = cluster.patch(&state, Patch::Merge, &patch).await?;
    ensure!(patched["status"]["disruptedPods"] == disrupted, "{patched}");
    let found = cluster.get(&state).await?;
    ensure!(found["kind"] == "PodDisruptionBudget", "{found}");
    Ok(())
}

fn eviction(name: &str) -> Value {
    json!({
        "apiVersion": "policy/v1", "kind": "Eviction",
        "metadata": { "name": name, "creationTimestamp": null },
    })
}

async fn blocks(cluster: Cluster) -> Result<()> {
    let one = create(&cluster, "foo", json!({ "minAvailable": 3 })).await?;
    pods(&cluster, 3).await?;
    cluster
        .until(&one, |found| {
            found.is_some_and(|found| found["status"]["currentHealthy"] == 3)
        })
        .await?;
    let path = cluster.core("pods/pod-0/eviction");
    let refusal = cluster
        .refused(
            Method::POST,
            &path,
            Some(&eviction("pod-0")),
            429,
            "TooManyRequests",
        )
        .await?;
    ensure!(
        refusal["details"]["causes"][0]["reason"] == "DisruptionBudget",
        "{refusal}"
    );
    let updated = cluster
        .retry(&one, |found| found["spec"]["minAvailable"] = json!(2))
        .await?;
    ensure!(updated["spec"]["minAvailable"] == 2);
    cluster
        .until(&one, |found| {
            found.is_some_and(|found| found["status"]["disruptionsAllowed"] == 1)
        })
        .await?;
    let evicted = cluster.create(&path, &eviction("pod-0")).await?;
    ensure!(
        evicted["kind"] == "Status" && evicted["status"] == "Success",
        "{evicted}"
    );
    cluster.until_gone(&cluster.core("pods/pod-0")).await?;
    let patch = json!({ "spec": { "minAvailable": 3 } });
    cluster.patch(&one, Patch::Strategic, &patch).await?;
    processed(&cluster, &one).await?;
    let path = cluster.core("pods/pod-1/eviction");
    cluster
        .refused(
            Method::POST,
            &path,
            Some(&eviction("pod-1")),
            429,
            "TooManyRequests",
        )
        .await?;
    cluster.delete(&one).await?;
    cluster.until_gone(&one).await?;
    cluster.create(&path, &eviction("pod-1")).await?;
    cluster.until_gone(&cluster.core("pods/pod-1")).await
}

async fn collection(cluster: Cluster) -> Result<()> {
    for n in 1..=3 {
        create(&cluster, &format!("foo{n}"), json!({ "minAvailable": 1 })).await?;
    }
    let all = cluster.list("/apis/policy/v1/poddisruptionbudgets").await?;
    ensure!(all.len() >= 3);
    let all = budgets(&cluster);
    ensure!(cluster.list(&all).await?.len() == 3);
    cluster.delete(&all).await?;
    ensure!(cluster.list(&all).await?.is_empty());
    Ok(())
}
