//! Models test/e2e/network/{apiserver,service}.go as far as no traffic is needed.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use std::collections::BTreeSet;

use super::specs;
use crate::cluster::{Cluster, Patch};

specs! {
    "[sig-network] API Server should provide secure master service [Conformance]" => kubernetes,
    "[sig-network] API Server should have Endpoints and EndpointSlices pointing to API Server [Conformance]" => backends,
    "[sig-network] Services should find a service from listing all namespaces [Conformance]" => found,
    "[sig-network] Services should complete a service status lifecycle [Conformance]" => status,
    "[sig-network] Services should delete a collection of services [Conformance]" => collection,
}

const KUBERNETES: &str = "/api/v1/namespaces/default/services/kubernetes";

async fn kubernetes(cluster: Cluster) -> Result<()> {
    cluster.get(KUBERNETES).await.map(|_| ())
}

async fn backends(cluster: Cluster) -> Result<()> {
    cluster.get(KUBERNETES).await?;
    let endpoints = cluster
        .get("/api/v1/namespaces/default/endpoints/kubernetes")
        .await?;
    let slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices\
                  ?labelSelector=kubernetes.io%2Fservice-name%3Dkubernetes";
    let slices = cluster.list(slices).await?;
    let subsets = endpoints["subsets"].as_array().cloned().unwrap_or_default();
    ensure!(!subsets.is_empty() && !slices.is_empty());
    let texts = |lists: Vec<&Value>| -> BTreeSet<String> {
        let items = lists.into_iter().filter_map(Value::as_array).flatten();
        items.map(Value::to_string).collect()
    };
    let mut addresses = BTreeSet::new();
    let mut ports = BTreeSet::new();
    for subset in &subsets {
        for key in ["addresses", "notReadyAddresses"] {
            let all = subset[key].as_array().into_iter().flatten();
            addresses.extend(all.map(|address| address["ip"].to_string()));
        }
        let all = subset["ports"].as_array().into_iter().flatten();
        ports.extend(all.map(|port| port["port"].to_string()));
    }
    let mut sliced = BTreeSet::new();
    let mut sliced_ports = BTreeSet::new();
    for slice in slices.iter().filter(|slice| slice["addressType"] == "IPv4") {
        let all = slice["endpoints"].as_array().into_iter().flatten();
        sliced.extend(texts(all.map(|one| &one["addresses"]).collect()));
        let all = slice["ports"].as_array().into_iter().flatten();
        sliced_ports.extend(all.map(|port| port["port"].to_string()));
    }
    ensure!(addresses == sliced && ports == sliced_ports);
    Ok(())
}

async fn found(cluster: Cluster) -> Result<()> {
    let all = cluster.list("/api/v1/services").await?;
    let known = all.iter().any(|service| {
        service["metadata"]["name"] == "kubernetes" && service["metadata"]["namespace"] == "default"
    });
    ensure!(known, "{all:?}");
    Ok(())
}

async fn status(cluster: Cluster) -> Result<()> {
    let all = "/api/v1/services?labelSelector=test-service-static%3Dtrue";
    let before = cluster.get(all).await?;
    let version = crate::cluster::text(&before, "/metadata/resourceVersion")?;
    let mut watch = cluster
        .watch(&cluster.core(&format!(
            "services?labelSelector=test-service-static%3Dtrue&resourceVersion={version}"
        )))
        .await?;
    let services = cluster.core("services");
    let one = format!("{services}/test-service");
    let service = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": { "name": "test-service", "labels": { "test-service-static": "true" } },
        "spec": {
            "type": "LoadBalancer",
            "ports": [{ "name": "http", "protocol": "TCP", "port": 80, "targetPort": 80 }],
            "loadBalancerClass": "example.com/internal-vip",
        },
        "status": { "loadBalancer": {} },
    });
    cluster.create(&services, &service).await?;
    watch.until(|kind, _| kind == "ADDED").await?;
    let state = format!("{one}/status");
    let found = cluster.get(&state).await?;
    ensure!(found["status"]["loadBalancer"] == json!({}), "{found}");

    let ingress = json!({ "ingress": [{ "ip": "203.0.113.1", "ipMode": "VIP" }] });
    let patch = json!({
        "metadata": { "annotations": { "patchedstatus": "true" } },
        "status": { "loadBalancer": { "ingress": [{ "ip": "203.0.113.1" }] } },
    });
    let patched = cluster.patch(&state, Patch::Merge, &patch).await?;
    ensure!(patched["status"]["loadBalancer"] == ingress, "{patched}");
    let balanced = |_: &str, object: &Value| object["status"]["loadBalancer"] == ingress;
    watch.until(balanced).await?;
    let condition = json!({
        "type": "StatusUpdate", "status": "True", "lastTransitionTime": null,
        "reason": "E2E", "message": "Set from e2e test",
    });
    let updated = cluster
        .retry(&state, |object| {
            object["status"]["conditions"] = json!([condition]);
        })
        .await?;
    ensure!(updated["status"]["conditions"][0]["reason"] == "E2E");
    let told = |_: &str, object: &Value| {
        let first = &object["status"]["conditions"][0];
        first["type"] == "StatusUpdate" && first["message"] == "Set from e2e test"
    };
    watch.until(told).await?;
    let patch = json!({ "metadata": { "labels": { "test-service": "patched" } } });
    cluster.patch(&one, Patch::Strategic, &patch).await?;
    let labelled =
        |_: &str, object: &Value| object["metadata"]["labels"]["test-service"] == "patched";
    watch.until(labelled).await?;
    cluster.delete(&one).await?;
    watch.until(|kind, _| kind == "DELETED").await?;
    Ok(())
}

async fn collection(cluster: Cluster) -> Result<()> {
    let services = cluster.core("services");
    let make = |name: &str, kind: &str, label: &str, port: u16| {
        json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": { "name": name, "labels": { label: "true" } },
            "spec": {
                "type": kind,
                "ports": [{
                    "name": "http", "protocol": "TCP", "port": port, "targetPort": 80,
                }],
            },
        })
    };
    let label = "e2e-test-collection";
    for (name, kind, label, port) in [
        ("e2e-svc-a", "LoadBalancer", label, 8001),
        ("e2e-svc-b", "ClusterIP", label, 8002),
        ("e2e-svc-c", "ClusterIP", "e2e-test-other", 8003),
    ] {
        cluster
            .create(&services, &make(name, kind, label, port))
            .await?;
    }
    let selected = format!("{services}?labelSelector={label}%3Dtrue");
    ensure!(cluster.list(&selected).await?.len() == 2);
    cluster.delete(&selected).await?;
    ensure!(cluster.list(&selected).await?.is_empty());
    let left = cluster.list(&services).await?;
    ensure!(left.len() == 1 && left[0]["metadata"]["name"] == "e2e-svc-c");
    Ok(())
}
