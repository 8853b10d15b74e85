//! Models test/e2e/common/node/{lease,podtemplates,secrets}.go.

use anyhow::{Result, ensure};
use http::Method;
use serde_json::{Value, json};

use super::specs;
use crate::cluster::{Cluster, Patch};

specs! {
    "[sig-node] Lease lease API should be available [Conformance]" => lease,
    "[sig-node] PodTemplates should run the lifecycle of PodTemplates [Conformance]" => template,
    "[sig-node] PodTemplates should delete a collection of pod templates [Conformance]" => templates,
    "[sig-node] PodTemplates should replace a pod template [Conformance]" => replaced,
    "[sig-node] Secrets should fail to create secret due to empty secret key [Conformance]" => empty_key,
    "[sig-node] Secrets should patch a secret [Conformance]" => secret,
}

async fn lease(cluster: Cluster) -> Result<()> {
    let leases = cluster.group("coordination.k8s.io/v1", "leases");
    // Go's first year, as the zero of its times.
    let spec = |holder: &str, seconds: u32, acquired: &str, renewed: &str, transitions: u32| {
        json!({
            "holderIdentity": holder,
            "leaseDurationSeconds": seconds,
            "acquireTime": format!("0001-01-01T00:{acquired}.000000Z"),
            "renewTime": format!("0001-01-01T00:{renewed}.000000Z"),
            "leaseTransitions": transitions,
        })
    };
    let made = |name: &str, labels: Value| {
        json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": { "name": name, "creationTimestamp": null, "labels": labels },
            "spec": spec("holder", 30, "00:02", "00:05", 0),
        })
    };
    let one = format!("{leases}/lease");
    let mut object = cluster.create(&leases, &made("lease", Value::Null)).await?;
    let found = cluster.get(&one).await?;
    ensure!(
        found["spec"] == spec("holder", 30, "00:02", "00:05", 0),
        "{found}"
    );
    object["spec"] = spec("holder2", 30, "00:20", "00:50", 1);
    cluster.update(&one, &object).await?;
    let found = cluster.get(&one).await?;
    ensure!(found["spec"] == object["spec"], "{found}");
    let wanted = spec("holder3", 60, "00:50", "01:10", 2);
    let patch = json!({ "spec": wanted });
    cluster.patch(&one, Patch::Strategic, &patch).await?;
    let found = cluster.get(&one).await?;
    ensure!(found["spec"] == wanted, "{found}");
    let labelled = made("lease2", json!({ "deletecollection": "true" }));
    cluster.create(&leases, &labelled).await?;
    ensure!(cluster.list(&leases).await?.len() == 2);
    let selected = format!("{leases}?labelSelector=deletecollection%3Dtrue");
    cluster.delete(&selected).await?;
    ensure!(cluster.list(&leases).await?.len() == 1);
    cluster.delete(&one).await?;
    cluster
        .refused(Method::GET, &one, None, 404, "NotFound")
        .await?;
    let all = cluster.list("/apis/coordination.k8s.io/v1/leases").await?;
    ensure!(!all.is_empty());
    Ok(())
}

fn pod_template(name: &str, label: &str, image: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "PodTemplate",
        "metadata": { "name": name, "creationTimestamp": null, "labels": { label: "true" } },
        "template": {
            "metadata": { "creationTimestamp": null },
            "spec": { "containers": [{ "name": "nginx", "image": image, "resources": {} }] },
        },
    })
}

async fn template(cluster: Cluster) -> Result<()> {
    let all = "/api/v1/podtemplates?labelSelector=podtemplate-static%3Dtrue";
    ensure!(cluster.list(all).await?.is_empty());
    let templates = cluster.core("podtemplates");
    let name = "nginx-pod-template";
    let object = pod_template(name, "podtemplate-static", "nginx");
    cluster.create(&templates, &object).await?;
    let one = format!("{templates}/{name}");
    cluster.get(&one).await?;
    let patch = json!({ "metadata": { "labels": { "podtemplate": "patched" } } });
    cluster.patch(&one, Patch::Strategic, &patch).await?;
    let found = cluster.get(&one).await?;
    ensure!(found["metadata"]["labels"]["podtemplate"] == "patched");
    cluster.delete(&one).await?;
    ensure!(cluster.list(all).await?.is_empty());
    Ok(())
}

async fn templates(cluster: Cluster) -> Result<()> {
    let templates = cluster.core("podtemplates");
    for n in 1..=3 {
        let name = format!("test-podtemplate-{n}");
        let object = pod_template(&name, "podtemplate-set", "nginx");
        cluster.create(&templates, &object).await?;
    }
    let selected = format!("{templates}?labelSelector=podtemplate-set%3Dtrue");
    ensure!(cluster.list(&selected).await?.len() == 3);
    cluster.delete(&selected).await?;
    ensure!(cluster.list(&selected).await?.is_empty());
    Ok(())
}

async fn replaced(cluster: Cluster) -> Result<()> {
    let templates = cluster.core("podtemplates");
    let object = pod_template(
        "pt",
        "e2e-test",
        "registry.k8s.io/e2e-test-images/httpd:2.4.38-4",
    );
    cluster.create(&templates, &object).await?;
    let one = format!("{templates}/pt");
    let updated = cluster
        .retry(&one, |object| {
            object["metadata"]["annotations"]["updated"] = json!("true");
        })
        .await?;
    ensure!(updated["metadata"]["annotations"]["updated"] == "true");
    Ok(())
}

async fn empty_key(cluster: Cluster) -> Result<()> {
    let object = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": { "name": "secret-emptykey-test" }, "data": { "": "dmFsdWUtMQo=" },
    });
    let path = cluster.core("secrets");
    cluster
        .refused(Method::POST, &path, Some(&object), 422, "Invalid")
        .await?;
    Ok(())
}

async fn secret(cluster: Cluster) -> Result<()> {
    let secrets = cluster.core("secrets");
    let object = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": { "name": "test-secret", "labels": { "testsecret-constant": "true" } },
        "data": { "key": "dmFsdWU=" }, "type": "Opaque",
    });
    cluster.create(&secrets, &object).await?;
    let all = "/api/v1/secrets?labelSelector=testsecret-constant%3Dtrue";
    ensure!(cluster.list(all).await?.len() == 1);
    let patch = json!({
        "metadata": { "labels": { "testsecret": "true" } },
        "data": { "key": "dmFsdWUx" },
    });
    let one = format!("{secrets}/test-secret");
    cluster.patch(&one, Patch::Strategic, &patch).await?;
    let found = cluster.get(&one).await?;
    ensure!(found["metadata"]["labels"]["testsecret"] == "true");
    ensure!(found["data"]["key"] == "dmFsdWUx", "{found}");
    let both = "labelSelector=testsecret-constant%3Dtrue%2Ctestsecret%3Dtrue";
    cluster.delete(&format!("{secrets}?{both}")).await?;
    ensure!(cluster.list(all).await?.is_empty());
    Ok(())
}
