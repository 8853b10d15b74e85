//! Models test/e2e/scheduling/limit_range.go.

use anyhow::{Result, ensure};
use http::Method;
use serde_json::{Value, json};

use super::specs;
use crate::cluster::{Cluster, Patch};

specs! {
    "[sig-scheduling] LimitRange should create a LimitRange with defaults and ensure pod has those defaults applied. [Conformance]" => defaults,
    "[sig-scheduling] LimitRange should list, patch and delete a LimitRange by collection [Conformance]" => collection,
}

fn amounts(cpu: &str, memory: &str, storage: &str) -> Value {
    let all = [
        ("cpu", cpu),
        ("memory", memory),
        ("ephemeral-storage", storage),
    ];
    let told = all.iter().filter(|(_, amount)| !amount.is_empty());
    told.map(|(name, amount)| ((*name).to_owned(), json!(amount)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn range(name: &str, labels: Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "LimitRange",
        "metadata": { "name": name, "creationTimestamp": null, "labels": labels },
        "spec": { "limits": [{
            "type": "Container",
            "min": amounts("50m", "100Mi", "100Gi"),
            "max": amounts("500m", "500Mi", "500Gi"),
            "default": amounts("500m", "500Mi", "500Gi"),
            "defaultRequest": amounts("100m", "200Mi", "200Gi"),
        }] },
    })
}

fn pod(name: &str, requests: &Value, limits: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name },
        "spec": { "containers": [{
            "name": "pause", "image": "registry.k8s.io/pause:3.10.1",
            "resources": { "requests": requests, "limits": limits },
        }] },
    })
}

async fn defaults(cluster: Cluster) -> Result<()> {
    let ranges = cluster.core("limitranges");
    let selected = format!("{ranges}?labelSelector=time%3Dnow");
    let before = cluster.get(&selected).await?;
    ensure!(before["items"] == json!([]));
    let version = crate::cluster::text(&before, "/metadata/resourceVersion")?;
    let from = format!("{selected}&resourceVersion={version}&allowWatchBookmarks=true");
    let mut watch = cluster.watch(&from).await?;
    let object = range("limit-range", json!({ "time": "now" }));
    cluster.create(&ranges, &object).await?;
    let (kind, _) = watch.next().await?;
    ensure!(kind == "ADDED");
    let one = format!("{ranges}/limit-range");
    let mut found = cluster.get(&one).await?;
    ensure!(found["spec"] == object["spec"], "{found}");

    let pods = cluster.core("pods");
    let none = json!({});
    let resources = async |name: &str| -> Result<Value> {
        let pod = cluster.get(&format!("{pods}/{name}")).await?;
        Ok(pod["spec"]["containers"][0]["resources"].clone())
    };
    cluster
        .create(&pods, &pod("pod-no-resources", &none, &none))
        .await?;
    let applied = resources("pod-no-resources").await?;
    let (limits, requests) = (
        amounts("500m", "500Mi", "500Gi"),
        amounts("100m", "200Mi", "200Gi"),
    );
    ensure!(
        applied == json!({ "limits": limits, "requests": requests }),
        "{applied}"
    );
    let partial = pod(
        "pod-partial-resources",
        &amounts("", "150Mi", "150Gi"),
        &amounts("300m", "", ""),
    );
    cluster.create(&pods, &partial).await?;
    let applied = resources("pod-partial-resources").await?;
    let (limits, requests) = (
        amounts("300m", "500Mi", "500Gi"),
        amounts("300m", "150Mi", "150Gi"),
    );
    ensure!(
        applied == json!({ "limits": limits, "requests": requests }),
        "{applied}"
    );
    let little = pod("pfpod", &amounts("10m", "50Mi", "50Gi"), &none);
    let much = pod("pfpod", &amounts("600m", "600Mi", "600Gi"), &none);
    cluster
        .refused(Method::POST, &pods, Some(&little), 403, "minimum cpu usage")
        .await?;
    cluster
        .refused(
            Method::POST,
            &pods,
            Some(&much),
            422,
            "must be less than or equal to cpu limit",
        )
        .await?;
    found["spec"]["limits"][0]["min"] = amounts("9m", "49Mi", "49Gi");
    cluster.update(&one, &found).await?;
    cluster.create(&pods, &little).await?;
    let much = pod("pfpod2", &amounts("600m", "600Mi", "600Gi"), &none);
    cluster
        .refused(Method::POST, &pods, Some(&much), 422, "Invalid")
        .await?;
    let body = json!({ "kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 30 });
    let gone = cluster
        .call(Method::DELETE, &one, &[], Some(body.to_string()))
        .await?;
    ensure!(gone.status == 200, "{}", gone.text);
    ensure!(cluster.list(&ranges).await?.is_empty());
    cluster.create(&pods, &much).await?;
    Ok(())
}

async fn collection(cluster: Cluster) -> Result<()> {
    let ranges = cluster.core("limitranges");
    let name = "e2e-limitrange-abcde";
    let object = range(name, json!({ "e2e-test": name, name: "created" }));
    let mut made = cluster.create(&ranges, &object).await?;
    let other = cluster.make_namespace(name, &json!({})).await?;
    let elsewhere = format!("/api/v1/namespaces/{other}/limitranges");
    cluster.create(&elsewhere, &object).await?;
    let all = format!("/api/v1/limitranges?labelSelector=e2e-test%3D{name}");
    ensure!(cluster.list(&all).await?.len() == 2);
    let min = amounts("9m", "49Mi", "49Gi");
    made["spec"]["limits"][0]["min"] = min.clone();
    let patch = json!({
        "metadata": {
            "creationTimestamp": made["metadata"]["creationTimestamp"],
            "labels": { name: "patched" },
        },
        "spec": { "limits": made["spec"]["limits"] },
    });
    let one = format!("{ranges}/{name}");
    let patched = cluster.patch(&one, Patch::Strategic, &patch).await?;
    ensure!(patched["metadata"]["labels"][name] == "patched");
    ensure!(patched["spec"]["limits"][0]["min"] == min, "{patched}");
    cluster
        .delete(&format!("{ranges}?labelSelector={name}%3Dpatched"))
        .await?;
    cluster
        .refused(Method::GET, &one, None, 404, "NotFound")
        .await?;
    ensure!(cluster.list(&all).await?.len() == 1);
    cluster
        .delete(&format!("/api/v1/namespaces/{other}"))
        .await?;
    Ok(())
}
