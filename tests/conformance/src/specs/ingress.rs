//! Models test/e2e/network/{ingress,ingressclass,service_cidrs}.go.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::operations::Operations;
use super::specs;
use crate::cluster::{Cluster, Patch};

specs! {
    "[sig-network] Ingress API should support creating Ingress API operations [Conformance]" => ingress,
    "[sig-network] IngressClass API should support creating IngressClass API operations [Conformance]" => class,
    "[sig-network] ServiceCIDR and IPAddress API should support ServiceCIDR API operations [Conformance]" => ranges,
    "[sig-network] ServiceCIDR and IPAddress API should support IPAddress API operations [Conformance]" => addresses,
}

const GROUP: &str = "networking.k8s.io/v1";

async fn ingress(cluster: Cluster) -> Result<()> {
    let operations = Operations {
        cluster: &cluster,
        group_version: GROUP,
        resource: "ingresses",
        namespaced: true,
        label: "special-label",
    };
    let made = |name: &str| {
        json!({
            "apiVersion": GROUP, "kind": "Ingress",
            "metadata": { "name": name, "creationTimestamp": null },
            "spec": {
                "defaultBackend": { "service": {
                    "name": "default-backend", "port": { "name": "", "number": 80 },
                } },
                "rules": [{
                    "host": "hostname",
                    "http": { "paths": [{
                        "path": "/test",
                        "pathType": "Prefix",
                        "backend": { "service": {
                            "name": "test-backend", "port": { "number": 8080 },
                        } },
                    }] },
                }],
            },
            "status": { "loadBalancer": {} },
        })
    };
    operations.run(&made).await?;
    let status = json!({ "loadBalancer": { "ingress": [{ "ip": "169.1.1.1" }] } });
    operations.status(&made("with-status"), &status).await
}

async fn class(cluster: Cluster) -> Result<()> {
    let operations = Operations {
        cluster: &cluster,
        group_version: GROUP,
        resource: "ingressclasses",
        namespaced: false,
        label: "ingressclass",
    };
    let made = |name: &str| {
        json!({
            "apiVersion": GROUP, "kind": "IngressClass",
            "metadata": {
                "name": name, "creationTimestamp": null,
                "labels": { "special-label": "generic" },
            },
            "spec": { "controller": "e2e.example.com/ingress" },
        })
    };
    operations.run(made).await
}

async fn ranges(cluster: Cluster) -> Result<()> {
    let all = format!("/apis/{GROUP}/servicecidrs");
    let one = cluster.get(&format!("{all}/kubernetes")).await?;
    let status = cluster.get(&format!("{all}/kubernetes/status")).await?;
    ensure!(status["kind"] == "ServiceCIDR" && status["apiVersion"] == GROUP);
    ensure!(status["metadata"]["uid"] == one["metadata"]["uid"]);
    ensure!(!cluster.list(&all).await?.is_empty());
    let (kind, _) = cluster.watch(&all).await?.next().await?;
    ensure!(kind == "ADDED");
    Ok(())
}

fn address(ip: &str, label: &str) -> Value {
    json!({
        "apiVersion": GROUP, "kind": "IPAddress",
        "metadata": { "name": ip, "creationTimestamp": null, "labels": { "type": label } },
        "spec": { "parentRef": {
            "group": "mygroup", "resource": "myresources", "namespace": "foo", "name": "bar",
        } },
    })
}

async fn addresses(cluster: Cluster) -> Result<()> {
    let all = format!("/apis/{GROUP}/ipaddresses");
    let ip = "255.255.255.255";
    let made = cluster.create(&all, &address(ip, "broadcast")).await?;
    let six = address("fe80::42:1dff:fe84:f9e2", "link-local");
    cluster.create(&all, &six).await?;
    let one = format!("{all}/{ip}");
    let patch = json!({ "metadata": { "annotations": { "patched": "true" } } });
    let patched = cluster.patch(&one, Patch::Merge, &patch).await?;
    ensure!(patched["metadata"]["annotations"]["patched"] == "true");
    let version = |object: &Value| -> Option<u64> {
        object["metadata"]["resourceVersion"].as_str()?.parse().ok()
    };
    ensure!(version(&made).is_some() && version(&made) < version(&patched));
    let updated = cluster
        .retry(&one, |object| {
            object["metadata"]["annotations"]["updated"] = json!("true");
        })
        .await?;
    ensure!(updated["metadata"]["annotations"]["updated"] == "true");
    cluster.get(&one).await?;
    let broadcast = format!("{all}?labelSelector=type%3Dbroadcast");
    ensure!(cluster.list(&broadcast).await?.len() == 1);
    cluster.watch(&broadcast).await?;
    cluster.delete(&one).await?;
    let local = format!("{all}?labelSelector=type%3Dlink-local");
    cluster.delete(&local).await?;
    ensure!(cluster.list(&local).await?.is_empty());
    Ok(())
}
