//! Models test/e2e/apimachinery/garbage_collector.go.

use anyhow::{Result, ensure};
use http::Method;
use serde_json::{Value, json};
use std::time::Duration;

use super::specs;
use crate::cluster::{Cluster, Patch, text};

specs! {
    "[sig-api-machinery] Garbage collector should delete pods created by rc when not orphaning [Conformance]" => background,
    "[sig-api-machinery] Garbage collector should orphan pods created by rc if delete options say so [Serial] [Conformance]" => orphans,
    "[sig-api-machinery] Garbage collector should delete RS created by deployment when not orphaning [Conformance]" => deployment,
    "[sig-api-machinery] Garbage collector should orphan RS created by deployment when deleteOptions.PropagationPolicy is Orphan [Conformance]" => deployment_orphans,
    "[sig-api-machinery] Garbage collector should keep the rc around until all its pods are deleted if the deleteOptions says so [Serial] [Conformance]" => foreground,
    "[sig-api-machinery] Garbage collector should not delete dependents that have both valid owner and owner that's waiting for dependents to be deleted [Serial] [Conformance]" => two_owners,
    "[sig-api-machinery] Garbage collector should not be blocked by dependency circle [Conformance]" => circle,
}

fn controller(name: &str, replicas: u32) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ReplicationController",
        "metadata": { "name": name, "creationTimestamp": null },
        "spec": {
            "replicas": replicas, "selector": { "gc": name },
            "template": {
                "metadata": { "creationTimestamp": null, "labels": { "gc": name } },
                "spec": { "terminationGracePeriodSeconds": 0, "containers": [{
                    "name": "nginx", "image": "registry.k8s.io/e2e-test-images/nginx:1.14-4",
                }] },
            },
        },
    })
}

async fn delete(cluster: &Cluster, path: &str, policy: &str) -> Result<()> {
    let found = cluster.get(path).await?;
    let options = json!({
        "kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": policy,
        "preconditions": { "uid": found["metadata"]["uid"] },
    });
    let gone = cluster
        .call(Method::DELETE, path, &[], Some(options.to_string()))
        .await?;
    ensure!(gone.status == 200, "{}", gone.text);
    Ok(())
}

fn count(list: Option<&Value>) -> usize {
    let items = list.and_then(|list| list["items"].as_array());
    items.map_or(0, Vec::len)
}

async fn replicated(cluster: &Cluster, name: &str, replicas: u32) -> Result<String> {
    let all = cluster.core("replicationcontrollers");
    cluster.create(&all, &controller(name, replicas)).await?;
    let one = format!("{all}/{name}");
    cluster
        .until(&one, |found| {
            found.is_some_and(|found| found["status"]["replicas"] == replicas)
        })
        .await?;
    Ok(one)
}

async fn background(cluster: Cluster) -> Result<()> {
    let one = replicated(&cluster, "simpletest.rc", 2).await?;
    delete(&cluster, &one, "Background").await?;
    cluster.until_gone(&one).await?;
    let pods = cluster.core("pods");
    cluster.until(&pods, |list| count(list) == 0).await?;
    Ok(())
}

async fn orphans(cluster: Cluster) -> Result<()> {
    let one = replicated(&cluster, "simpletest.rc", 100).await?;
    delete(&cluster, &one, "Orphan").await?;
    cluster.until_gone(&one).await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let pods = cluster.list(&cluster.core("pods")).await?;
    ensure!(pods.len() == 100, "{} are left", pods.len());
    ensure!(
        pods.iter()
            .all(|pod| pod["metadata"]["ownerReferences"].is_null())
    );
    Ok(())
}

async fn deployed(cluster: &Cluster) -> Result<String> {
    let all = cluster.group("apps/v1", "deployments");
    let labels = json!({ "app": "gc-test" });
    let object = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": "simpletest.deployment", "creationTimestamp": null },
        "spec": {
            "replicas": 2, "selector": { "matchLabels": labels },
            "template": {
                "metadata": { "creationTimestamp": null, "labels": labels },
                "spec": { "terminationGracePeriodSeconds": 0, "containers": [{
                    "name": "nginx", "image": "registry.k8s.io/e2e-test-images/nginx:1.14-4",
                }] },
            },
        },
    });
    cluster.create(&all, &object).await?;
    let sets = cluster.group("apps/v1", "replicasets");
    cluster.until(&sets, |list| count(list) == 1).await?;
    Ok(format!("{all}/simpletest.deployment"))
}

async fn deployment(cluster: Cluster) -> Result<()> {
    let one = deployed(&cluster).await?;
    delete(&cluster, &one, "Background").await?;
    let sets = cluster.group("apps/v1", "replicasets");
    cluster.until(&sets, |list| count(list) == 0).await?;
    Ok(())
}

async fn deployment_orphans(cluster: Cluster) -> Result<()> {
    let one = deployed(&cluster).await?;
    delete(&cluster, &one, "Orphan").await?;
    cluster.until_gone(&one).await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let sets = cluster
        .list(&cluster.group("apps/v1", "replicasets"))
        .await?;
    ensure!(
        sets.len() == 1 && sets[0]["metadata"]["ownerReferences"].is_null(),
        "{sets:?}"
    );
    Ok(())
}

async fn foreground(cluster: Cluster) -> Result<()> {
    let one = replicated(&cluster, "simpletest.rc", 20).await?;
    delete(&cluster, &one, "Foreground").await?;
    // As long as it is there, some of its pods may be, and afterwards none.
    cluster.until_gone(&one).await?;
    ensure!(cluster.list(&cluster.core("pods")).await?.is_empty());
    Ok(())
}

async fn two_owners(cluster: Cluster) -> Result<()> {
    let dying = replicated(&cluster, "simpletest-rc-to-be-deleted", 10).await?;
    let staying = replicated(&cluster, "simpletest-rc-to-stay", 0).await?;
    let owner = cluster.get(&staying).await?["metadata"].clone();
    let pods = cluster.list(&cluster.core("pods")).await?;
    ensure!(pods.len() == 10);
    for pod in &pods[..5] {
        let path = cluster.core(&format!("pods/{}", text(pod, "/metadata/name")?));
        let patch = json!({ "metadata": { "ownerReferences": [{
            "apiVersion": "v1", "kind": "ReplicationController",
            "name": owner["name"], "uid": owner["uid"],
        }] } });
        cluster.patch(&path, Patch::Strategic, &patch).await?;
    }
    delete(&cluster, &dying, "Foreground").await?;
    cluster.until_gone(&dying).await?;
    let left = cluster.list(&cluster.core("pods")).await?;
    ensure!(left.len() == 5, "{} are left", left.len());
    for pod in left {
        let owners = pod["metadata"]["ownerReferences"].as_array().cloned();
        let owners = owners.unwrap_or_default();
        ensure!(
            owners.len() == 1 && owners[0]["uid"] == owner["uid"],
            "{pod}"
        );
        ensure!(pod["metadata"]["deletionTimestamp"].is_null(), "{pod}");
    }
    Ok(())
}

async fn circle(cluster: Cluster) -> Result<()> {
    let pods = cluster.core("pods");
    let mut uids = Vec::new();
    for n in 1..=3 {
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": { "name": format!("pod{n}") },
            "spec": { "terminationGracePeriodSeconds": 0, "containers": [{
                "name": "nginx", "image": "registry.k8s.io/pause:3.10.1",
            }] },
        });
        let made = cluster.create(&pods, &pod).await?;
        uids.push(text(&made, "/metadata/uid")?);
    }
    for n in 1..=3_usize {
        let of = (n + 1) % 3;
        let patch = json!({ "metadata": { "ownerReferences": [{
            "apiVersion": "v1", "kind": "Pod", "name": format!("pod{}", of + 1),
            "uid": uids[of], "controller": true, "blockOwnerDeletion": true,
        }] } });
        cluster
            .patch(&format!("{pods}/pod{n}"), Patch::Strategic, &patch)
            .await?;
    }
    delete(&cluster, &format!("{pods}/pod1"), "Foreground").await?;
    cluster.until(&pods, |list| count(list) == 0).await?;
    Ok(())
}
