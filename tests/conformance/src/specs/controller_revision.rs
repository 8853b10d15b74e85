//! Models test/e2e/apps/controller_revision.go.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::specs;
use crate::cluster::{Cluster, Patch, text};

specs! {
    "[sig-apps] ControllerRevision [Serial] should manage the lifecycle of a ControllerRevision [Conformance]" => lifecycle,
}

const NAME: &str = "e2e-revisions-daemon-set";
const SELECTED: &str = "labelSelector=daemonset-name%3De2e-revisions-daemon-set";

/// Waits until there are so many revisions.
async fn quantity(cluster: &Cluster, wanted: usize) -> Result<Vec<Value>> {
    let path = format!(
        "{}?{SELECTED}",
        cluster.group("apps/v1", "controllerrevisions")
    );
    let found = cluster.until(&path, |found| {
        let items = found.and_then(|found| found["items"].as_array());
        items.is_some_and(|items| items.len() == wanted)
    });
    let found = found.await?.context("a list is there")?;
    Ok(found["items"].as_array().cloned().unwrap_or_default())
}

async fn start(cluster: &Cluster) -> Result<Value> {
    let labels = json!({ "daemonset-name": NAME });
    let set = json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": { "name": NAME, "labels": labels },
        "spec": {
            "selector": { "matchLabels": labels },
            "template": {
                "metadata": { "labels": labels },
                "spec": { "containers": [{
                    "name": "app", "image": "registry.k8s.io/e2e-test-images/agnhost:2.59",
                    "args": ["serve-hostname"], "ports": [{ "containerPort": 9376 }],
                }] },
            },
        },
    });
    let sets = cluster.group("apps/v1", "daemonsets");
    cluster.create(&sets, &set).await?;
    let one = format!("{sets}/{NAME}");
    cluster
        .until(&one, |found| {
            let status = found.map(|found| &found["status"]);
            status.is_some_and(|status| {
                status["desiredNumberScheduled"].as_i64() >= Some(1)
                    && status["numberReady"] == status["desiredNumberScheduled"]
            })
        })
        .await?;
    let found = cluster.get(&one).await?;
    let all = cluster
        .list(&format!("/apis/apps/v1/daemonsets?{SELECTED}"))
        .await?;
    ensure!(all.len() == 1, "{all:?}");
    Ok(found)
}

async fn lifecycle(cluster: Cluster) -> Result<()> {
    let set = start(&cluster).await?;
    let revisions = cluster.group("apps/v1", "controllerrevisions");
    let all = cluster
        .list(&format!("/apis/apps/v1/controllerrevisions?{SELECTED}"))
        .await?;
    ensure!(all.len() == 1, "{all:?}");
    let owner = &all[0]["metadata"]["ownerReferences"][0];
    ensure!(owner["kind"] == "DaemonSet" && owner["uid"] == set["metadata"]["uid"]);
    let first = text(&all[0], "/metadata/name")?;
    let patch = json!({ "metadata": { "labels": { &first: "patched" } } });
    let path = format!("{revisions}/{first}");
    let patched = cluster.patch(&path, Patch::Strategic, &patch).await?;
    ensure!(
        patched["metadata"]["labels"][&first] == "patched",
        "{patched}"
    );

    let second = format!("{NAME}-6f8d7c9b5");
    let revision = patched["revision"].as_i64().context("it has a number")?;
    let made = json!({
        "apiVersion": "apps/v1", "kind": "ControllerRevision",
        "metadata": {
            "name": second, "namespace": cluster.namespace,
            "labels": { "daemonset-name": NAME, "controller-revision-hash": "6f8d7c9b5" },
            "annotations": set["metadata"]["annotations"],
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": "DaemonSet", "name": NAME,
                "uid": set["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "data": patched["data"],
        "revision": revision + 1,
    });
    cluster.create(&revisions, &made).await?;
    quantity(&cluster, 2).await?;
    cluster.delete(&path).await?;
    quantity(&cluster, 1).await?;

    let path = format!("{revisions}/{second}");
    let updated = cluster
        .retry(&path, |object| {
            object["metadata"]["labels"][&second] = json!("updated");
        })
        .await?;
    ensure!(
        updated["metadata"]["labels"][&second] == "updated",
        "{updated}"
    );
    let patch = json!({
        "spec": { "template": { "spec": { "terminationGracePeriodSeconds": 1 } } },
        "updateStrategy": { "type": "RollingUpdate" },
    });
    let path = cluster.group("apps/v1", &format!("daemonsets/{NAME}"));
    cluster.patch(&path, Patch::Strategic, &patch).await?;
    quantity(&cluster, 2).await?;
    cluster
        .delete(&format!("{revisions}?labelSelector={second}%3Dupdated"))
        .await?;
    let left = quantity(&cluster, 1).await?;
    ensure!(left[0]["revision"] == 3, "{left:?}");
    Ok(())
}
