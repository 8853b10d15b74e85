//! Models test/e2e/common/node/configmap.go.

use anyhow::{Result, ensure};
use http::Method;
use serde_json::{Value, json};

use super::specs;
use crate::cluster::{Cluster, Patch};

specs! {
    "[sig-node] ConfigMap should fail to create ConfigMap with empty key [Conformance]" => empty_key,
    "[sig-node] ConfigMap should update ConfigMap successfully [NodeConformance] [Conformance]" => update,
    "[sig-node] ConfigMap should run through a ConfigMap lifecycle [Conformance]" => lifecycle,
}

fn map(name: &str, data: &Value) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name }, "data": data })
}

async fn empty_key(cluster: Cluster) -> Result<()> {
    let object = map("configmap-test-emptyKey", &json!({ "": "value-1" }));
    let path = cluster.core("configmaps");
    cluster
        .refused(Method::POST, &path, Some(&object), 422, "Invalid")
        .await?;
    Ok(())
}

async fn update(cluster: Cluster) -> Result<()> {
    let path = cluster.core("configmaps");
    let object = map("test", &json!({ "data": "value" }));
    let mut made = cluster.create(&path, &object).await?;
    made["data"] = json!({ "data": "value-2" });
    let path = format!("{path}/test");
    cluster.update(&path, &made).await?;
    let found = cluster.get(&path).await?;
    ensure!(found["data"] == json!({ "data": "value-2" }), "{found}");
    Ok(())
}

async fn lifecycle(cluster: Cluster) -> Result<()> {
    let maps = cluster.core("configmaps");
    let mut object = map("test-configmap", &json!({ "valueName": "value" }));
    object["metadata"]["labels"] = json!({ "test-configmap-static": "true" });
    let selected = format!("{maps}?labelSelector=test-configmap-static%3Dtrue");
    let mut watch = cluster.watch(&selected).await?;
    cluster.create(&maps, &object).await?;
    watch.until(|kind, _| kind == "ADDED").await?;
    let patch = json!({
        "metadata": { "labels": { "test-configmap": "patched" } },
        "data": { "valueName": "value1" },
    });
    let path = format!("{maps}/test-configmap");
    cluster.patch(&path, Patch::Strategic, &patch).await?;
    watch.until(|kind, _| kind == "MODIFIED").await?;
    let found = cluster.get(&path).await?;
    ensure!(found["data"]["valueName"] == "value1", "{found}");
    ensure!(
        found["metadata"]["labels"]["test-configmap"] == "patched",
        "{found}"
    );
    let all = "/api/v1/configmaps?labelSelector=test-configmap-static%3Dtrue";
    let listed = cluster.list(all).await?;
    ensure!(listed.len() == 1 && listed[0]["data"]["valueName"] == "value1");
    cluster.delete(&selected).await?;
    watch.until(|kind, _| kind == "DELETED").await?;
    ensure!(cluster.list(&selected).await?.is_empty());
    Ok(())
}
