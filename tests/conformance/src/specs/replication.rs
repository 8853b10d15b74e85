//! Models test/e2e/apps/rc.go.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::specs;
use crate::cluster::{Cluster, Patch, text};

specs! {
    "[sig-apps] ReplicationController should adopt matching pods on creation [Conformance]" => adopts,
    "[sig-apps] ReplicationController should release no longer matching pods [Conformance]" => releases,
    "[sig-apps] ReplicationController should get and update a ReplicationController scale [Conformance]" => scale,
    "[sig-apps] ReplicationController should surface a failure condition on a common issue like exceeded quota [Conformance]" => quota,
    "[sig-apps] ReplicationController should test the lifecycle of a ReplicationController [Conformance]" => lifecycle,
}

const HTTPD: &str = "registry.k8s.io/e2e-test-images/httpd:2.4.38-4";

fn controller(name: &str, replicas: u32, labels: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ReplicationController",
        "metadata": { "name": name, "creationTimestamp": null, "labels": labels },
        "spec": {
            "replicas": replicas, "selector": labels,
            "template": {
                "metadata": { "creationTimestamp": null, "labels": labels },
                "spec": { "terminationGracePeriodSeconds": 0, "containers": [{
                    "name": name, "image": HTTPD, "resources": {}, "securityContext": {},
                }] },
            },
        },
    })
}

fn is_owned(pod: Option<&Value>, uid: &Value) -> bool {
    let owners = pod.and_then(|pod| pod["metadata"]["ownerReferences"].as_array());
    owners.is_some_and(|all| {
        all.iter()
            .any(|owner| owner["controller"] == true && owner["uid"] == *uid)
    })
}

async fn create(cluster: &Cluster, object: &Value) -> Result<(String, Value)> {
    let all = cluster.core("replicationcontrollers");
    let made = cluster.create(&all, object).await?;
    let one = format!("{all}/{}", text(&made, "/metadata/name")?);
    Ok((one, made["metadata"]["uid"].clone()))
}

async fn adopts(cluster: Cluster) -> Result<()> {
    let name = "pod-adoption";
    let pods = cluster.core("pods");
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": name, "labels": { "name": name } },
        "spec": { "containers": [{ "name": name, "image": HTTPD }] },
    });
    cluster.create(&pods, &pod).await?;
    let (_, uid) = create(&cluster, &controller(name, 1, &json!({ "name": name }))).await?;
    cluster
        .until(&format!("{pods}/{name}"), |pod| is_owned(pod, &uid))
        .await?;
    Ok(())
}

async fn releases(cluster: Cluster) -> Result<()> {
    let name = "pod-release";
    let (one, uid) = create(&cluster, &controller(name, 1, &json!({ "name": name }))).await?;
    cluster
        .until(&one, |found| {
            found.is_some_and(|found| found["status"]["replicas"] == 1)
        })
        .await?;
    let pods = cluster
        .list(&cluster.core(&format!("pods?labelSelector=name%3D{name}")))
        .await?;
    ensure!(pods.len() == 1);
    let pod = cluster.core(&format!("pods/{}", text(&pods[0], "/metadata/name")?));
    cluster
        .retry(&pod, |pod| {
            pod["metadata"]["labels"] = json!({ "name": "not-matching-name" })
        })
        .await?;
    cluster
        .until(&pod, |pod| pod.is_some() && !is_owned(pod, &uid))
        .await?;
    Ok(())
}

async fn scale(cluster: Cluster) -> Result<()> {
    let name = "e2e-rc";
    let (one, _) = create(&cluster, &controller(name, 1, &json!({ "name": name }))).await?;
    let ready = |count: u64| {
        move |found: Option<&Value>| {
            found.is_some_and(|found| found["status"]["readyReplicas"] == count)
        }
    };
    cluster.until(&one, ready(1)).await?;
    let path = format!("{one}/scale");
    let mut scale = cluster.get(&path).await?;
    ensure!(scale["status"]["replicas"] == 1, "{scale}");
    scale["spec"]["replicas"] = json!(2);
    let updated = cluster.update(&path, &scale).await?;
    ensure!(updated["spec"]["replicas"] == 2, "{updated}");
    cluster.until(&one, ready(2)).await?;
    Ok(())
}

async fn quota(cluster: Cluster) -> Result<()> {
    let name = "condition-test";
    let quotas = cluster.core("resourcequotas");
    let quota = json!({
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": { "name": name },
        "spec": { "hard": { "pods": "2" } },
    });
    cluster.create(&quotas, &quota).await?;
    cluster
        .until(&format!("{quotas}/{name}"), |found| {
            found.is_some_and(|found| found["status"]["hard"]["pods"] == "2")
        })
        .await?;
    let (one, _) = create(&cluster, &controller(name, 3, &json!({ "name": name }))).await?;
    let failing = |found: Option<&Value>| {
        let all = found.and_then(|found| found["status"]["conditions"].as_array());
        all.is_some_and(|all| all.iter().any(|one| one["type"] == "ReplicaFailure"))
    };
    let settled =
        |found: &Value| found["status"]["observedGeneration"] == found["metadata"]["generation"];
    cluster
        .until(&one, |found| found.is_some_and(settled) && failing(found))
        .await?;
    cluster
        .retry(&one, |found| found["spec"]["replicas"] = json!(2))
        .await?;
    cluster
        .until(&one, |found| found.is_some_and(settled) && !failing(found))
        .await?;
    Ok(())
}

async fn lifecycle(cluster: Cluster) -> Result<()> {
    let labels = json!({ "test-rc-static": "true" });
    let all = cluster.core("replicationcontrollers");
    let selected = format!("{all}?labelSelector=test-rc-static%3Dtrue");
    let version = text(&cluster.get(&selected).await?, "/metadata/resourceVersion")?;
    let mut watch = cluster
        .watch(&format!("{selected}&resourceVersion={version}"))
        .await?;
    let (one, _) = create(&cluster, &controller("rc-test", 1, &labels)).await?;
    watch.until(|kind, _| kind == "ADDED").await?;
    watch
        .until(|_, found| found["status"]["readyReplicas"] == 1)
        .await?;
    let patch = json!({ "metadata": { "labels": { "test-rc": "patched" } } });
    cluster.patch(&one, Patch::Strategic, &patch).await?;
    watch
        .until(|_, found| found["metadata"]["labels"]["test-rc"] == "patched")
        .await?;
    let state = format!("{one}/status");
    let patch = json!({ "status": { "readyReplicas": 0, "availableReplicas": 0 } });
    let patched = cluster.patch(&state, Patch::Strategic, &patch).await?;
    ensure!(
        patched["status"]["readyReplicas"].as_u64().unwrap_or(0) == 0,
        "{patched}"
    );
    watch
        .until(|_, found| found["status"]["readyReplicas"].as_u64().unwrap_or(0) == 0)
        .await?;
    let found = cluster.get(&state).await?;
    ensure!(found["kind"] == "ReplicationController");
    watch
        .until(|_, found| found["status"]["readyReplicas"] == 1)
        .await?;
    let patch = json!({ "spec": { "replicas": 2 } });
    let scaled = cluster
        .patch(&format!("{one}/scale"), Patch::Strategic, &patch)
        .await?;
    ensure!(scaled["spec"]["replicas"] == 2, "{scaled}");
    watch
        .until(|_, found| found["spec"]["replicas"] == 2 && found["status"]["readyReplicas"] == 2)
        .await?;
    let mut found = cluster.get(&one).await?;
    // Status has its own door: what is wished for is left alone there.
    found["spec"]["replicas"] = json!(1);
    cluster
        .retry(&state, |object| object["spec"]["replicas"] = json!(1))
        .await?;
    ensure!(cluster.get(&one).await?["spec"]["replicas"] == 2);
    let everywhere = "/api/v1/replicationcontrollers?labelSelector=test-rc-static%3Dtrue";
    ensure!(cluster.list(everywhere).await?.len() == 1);
    cluster.delete(&selected).await?;
    watch.until(|kind, _| kind == "DELETED").await?;
    Ok(())
}
