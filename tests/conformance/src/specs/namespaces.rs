//! Models test/e2e/apimachinery/namespace.go.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use http::Method;
use serde_json::{Value, json};

use super::specs;
use crate::cluster::{Cluster, Patch, text};

specs! {
    "[sig-api-machinery] Namespaces [Serial] should apply a finalizer to a Namespace [Conformance]" => finalizer,
    "[sig-api-machinery] Namespaces [Serial] should apply an update to a Namespace [Conformance]" => update,
    "[sig-api-machinery] Namespaces [Serial] should apply changes to a namespace status [Conformance]" => status,
    "[sig-api-machinery] Namespaces [Serial] should ensure that all pods are removed when a namespace is deleted [Conformance]" => removes_pods,
    "[sig-api-machinery] Namespaces [Serial] should ensure that all services are removed when a namespace is deleted [Conformance]" => removes_services,
    "[sig-api-machinery] Namespaces [Serial] should patch a Namespace [Conformance]" => patch,
    "[sig-api-machinery] OrderedNamespaceDeletion namespace deletion should delete pod first [Conformance]" => pods_first,
}

fn path(namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}")
}

fn pod(finalizers: &[&str]) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": "test-pod", "finalizers": finalizers },
        "spec": { "containers": [{ "name": "nginx", "image": "registry.k8s.io/pause:3.10.1" }] },
    })
}

async fn run_pod(cluster: &Cluster, namespace: &str, finalizers: &[&str]) -> Result<String> {
    let pods = format!("{}/pods", path(namespace));
    cluster.create(&pods, &pod(finalizers)).await?;
    let one = format!("{pods}/test-pod");
    cluster
        .until(&one, |pod| {
            pod.is_some_and(|pod| pod["status"]["phase"] == "Running")
        })
        .await?;
    Ok(one)
}

/// Deletes a namespace and makes it again under the same name, with nothing in it.
async fn remade(cluster: &Cluster, namespace: &str, thing: &str) -> Result<()> {
    cluster.delete(&path(namespace)).await?;
    cluster.until_gone(&path(namespace)).await?;
    let again = json!({
        "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace },
    });
    cluster.create("/api/v1/namespaces", &again).await?;
    cluster
        .refused(Method::GET, thing, None, 404, "NotFound")
        .await?;
    cluster.delete(&path(namespace)).await?;
    Ok(())
}

async fn removes_pods(cluster: Cluster) -> Result<()> {
    let name = cluster.make_namespace("nsdeletetest", &json!({})).await?;
    let pod = run_pod(&cluster, &name, &[]).await?;
    remade(&cluster, &name, &pod).await
}

async fn removes_services(cluster: Cluster) -> Result<()> {
    let name = cluster.make_namespace("nsdeletetest", &json!({})).await?;
    let services = format!("{}/services", path(&name));
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": "test-service" },
        "spec": {
            "selector": { "foo": "bar", "baz": "blah" },
            "ports": [{ "port": 80, "targetPort": 80 }],
        },
    });
    cluster.create(&services, &service).await?;
    remade(&cluster, &name, &format!("{services}/test-service")).await
}

async fn patch(cluster: Cluster) -> Result<()> {
    let name = cluster.make_namespace("nspatchtest", &json!({})).await?;
    let made = cluster.get(&path(&name)).await?;
    let before: u64 = text(&made, "/metadata/resourceVersion")?.parse()?;
    let patch = json!({ "metadata": { "labels": { "testLabel": "testValue" } } });
    let patched = cluster
        .patch(&path(&name), Patch::Strategic, &patch)
        .await?;
    let after: u64 = text(&patched, "/metadata/resourceVersion")?.parse()?;
    ensure!(before < after);
    let found = cluster.get(&path(&name)).await?;
    ensure!(found["metadata"]["labels"]["testLabel"] == "testValue");
    cluster.delete(&path(&name)).await?;
    Ok(())
}

async fn status(cluster: Cluster) -> Result<()> {
    let name = &cluster.namespace;
    let status = format!("{}/status", path(name));
    let read = cluster.get(&status).await?;
    ensure!(read["status"]["phase"] == "Active", "{read}");
    let condition = |kind: &str, message: &str| {
        json!({
            "type": kind, "status": "True", "lastTransitionTime": null,
            "reason": "E2E", "message": message,
        })
    };
    let last = |object: &Value| {
        let conditions = object["status"]["conditions"].as_array();
        conditions
            .and_then(|all| all.last().cloned())
            .unwrap_or_default()
    };
    let patch = json!({
        "metadata": { "annotations": { "e2e-patched-ns-status": name } },
        "status": { "conditions": [condition("StatusPatch", "Patched by an e2e test")] },
    });
    let patched = cluster.patch(&status, Patch::Merge, &patch).await?;
    ensure!(patched["metadata"]["annotations"]["e2e-patched-ns-status"] == *name);
    ensure!(last(&patched)["reason"] == "E2E", "{patched}");
    ensure!(last(&patched)["message"] == "Patched by an e2e test");
    let updated = cluster.retry(&status, |object| {
        if let Some(conditions) = object["status"]["conditions"].as_array_mut() {
            conditions.push(condition("StatusUpdate", "Updated by an e2e test"));
        }
    });
    let updated = updated.await?;
    ensure!(last(&updated)["type"] == "StatusUpdate", "{updated}");
    ensure!(last(&updated)["message"] == "Updated by an e2e test");
    Ok(())
}

async fn update(cluster: Cluster) -> Result<()> {
    let name = &cluster.namespace;
    let updated = cluster
        .retry(&path(name), |object| {
            object["metadata"]["labels"][name] = json!("updated");
        })
        .await?;
    ensure!(
        updated["metadata"]["labels"][name] == "updated",
        "{updated}"
    );
    Ok(())
}

async fn finalizer(cluster: Cluster) -> Result<()> {
    let name = cluster.make_namespace("e2e-ns", &json!({})).await?;
    let fake = "e2e.example.com/fakeFinalizer";
    let finalize = |finalizers: Vec<Value>| {
        let cluster = cluster.clone();
        let name = name.clone();
        async move {
            let mut object = cluster.get(&path(&name)).await?;
            object["spec"]["finalizers"] = json!(finalizers);
            let finalize = format!("{}/finalize", path(&name));
            cluster.update(&finalize, &object).await
        }
    };
    let updated = finalize(vec![json!("kubernetes"), json!(fake)]).await?;
    ensure!(updated["spec"]["finalizers"] == json!(["kubernetes", fake]));
    let updated = finalize(vec![json!("kubernetes")]).await?;
    ensure!(updated["spec"]["finalizers"] == json!(["kubernetes"]));
    cluster.delete(&path(&name)).await?;
    cluster.until_gone(&path(&name)).await
}

async fn pods_first(cluster: Cluster) -> Result<()> {
    let name = cluster.make_namespace("nsdeletetest", &json!({})).await?;
    let pod = run_pod(&cluster, &name, &["e2e.example.com/finalizer"]).await?;
    let maps = format!("{}/configmaps", path(&name));
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": "test-configmap", "namespace": name },
        "data": { "key": "value" },
    });
    cluster.create(&maps, &map).await?;
    cluster.delete(&path(&name)).await?;
    cluster
        .until(&path(&name), |found| {
            let status = found.map(|found| &found["status"]);
            status.is_some_and(|status| {
                let conditions = status["conditions"].as_array();
                status["phase"] == "Terminating"
                    && conditions.is_some_and(|all| {
                        let mut kinds = all.iter().map(|one| &one["type"]);
                        kinds.any(|kind| kind == "NamespaceDeletionContentFailure")
                    })
            })
        })
        .await?;
    loop {
        cluster.get(&format!("{maps}/test-configmap")).await?;
        let found = cluster.get(&pod).await?;
        if found["metadata"]["deletionTimestamp"].is_string() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    cluster
        .retry(&pod, |pod| {
            if let Some(metadata) = pod["metadata"].as_object_mut() {
                metadata.remove("finalizers");
            }
        })
        .await?;
    cluster.until_gone(&pod).await?;
    cluster.until_gone(&path(&name)).await?;
    match cluster.find(&format!("{maps}/test-configmap")).await? {
        None => Ok(()),
        Some(map) => bail!("it outlived its namespace: {map}"),
    }
}
