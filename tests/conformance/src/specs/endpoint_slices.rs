//! Models test/e2e/network/endpointslice.go, where it follows what controllers write, and
//! test/e2e/network/service_latency.go.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::specs;
use crate::cluster::{Cluster, text};

specs! {
    "[sig-network] EndpointSlice should create and delete EndpointSlices for a Service with a selector that matches no pods [Conformance]" => of_nothing,
    "[sig-network] EndpointSlice should create Endpoints and EndpointSlices for Pods matching a Service [Conformance]" => of_pods,
    "[sig-network] Service endpoints latency should not be very high [Conformance]" => latency,
}

fn slices(cluster: &Cluster, service: &str) -> String {
    let label = format!("kubernetes.io%2Fservice-name%3D{service}");
    let path = format!("endpointslices?labelSelector={label}");
    cluster.group("discovery.k8s.io/v1", &path)
}

fn items(list: Option<&Value>) -> &[Value] {
    let items = list.and_then(|list| list["items"].as_array());
    items.map_or(&[], Vec::as_slice)
}

async fn of_nothing(cluster: Cluster) -> Result<()> {
    let service = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": { "name": "example-empty-selector" },
        "spec": {
            "selector": { "does-not-match-anything": "endpoints-and-endpoint-slices-should-still-be-created" },
            "ports": [{ "name": "example", "port": 80, "protocol": "TCP" }],
        },
    });
    let services = cluster.core("services");
    cluster.create(&services, &service).await?;
    let path = slices(&cluster, "example-empty-selector");
    let found = cluster.until(&path, |list| !items(list).is_empty()).await?;
    let slice = &items(found.as_ref())[0];
    let by = &slice["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"];
    ensure!(*by == "endpointslice-controller.k8s.io", "{slice}");
    let endpoints = slice["endpoints"].as_array();
    ensure!(endpoints.is_none_or(Vec::is_empty), "{slice}");
    cluster
        .delete(&format!("{services}/example-empty-selector"))
        .await?;
    cluster.until(&path, |list| items(list).is_empty()).await?;
    Ok(())
}

/// A Service of the pods so labelled.
fn service(name: &str, label: &str, port: &str, target: Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": name },
        "spec": {
            "selector": { label: "on" }, "publishNotReadyAddresses": true,
            "ports": [{ "name": port, "port": 80, "targetPort": target, "protocol": "TCP" }],
        },
    })
}

/// Waits until Endpoints and slices lead to these pods, each in as many parts as is said.
async fn leads_to(
    cluster: &Cluster,
    service: &str,
    pods: &[Value],
    subsets: usize,
    parts: usize,
) -> Result<()> {
    let refers = |target: &Value, ip: &Value, pod: &Value| {
        *ip == pod["status"]["podIP"]
            && target["name"] == pod["metadata"]["name"]
            && target["namespace"] == pod["metadata"]["namespace"]
            && target["uid"] == pod["metadata"]["uid"]
    };
    cluster
        .until(&cluster.core(&format!("endpoints/{service}")), |found| {
            let Some(found) = found else { return false };
            let all: Vec<&Value> = found["subsets"].as_array().into_iter().flatten().collect();
            let addresses: Vec<&Value> = all
                .iter()
                .filter_map(|subset| subset["addresses"].as_array())
                .flatten()
                .collect();
            all.len() == subsets
                && addresses.len() == pods.len()
                && pods.iter().all(|pod| {
                    addresses
                        .iter()
                        .any(|one| refers(&one["targetRef"], &one["ip"], pod))
                })
        })
        .await?;
    cluster
        .until(&slices(cluster, service), |list| {
            let all = items(list);
            let endpoints: Vec<&Value> = all
                .iter()
                .filter_map(|slice| slice["endpoints"].as_array())
                .flatten()
                .collect();
            all.len() == parts
                && all.iter().all(|slice| slice["addressType"] == "IPv4")
                && endpoints.len() == pods.len()
                && pods.iter().all(|pod| {
                    endpoints.iter().any(|one| {
                        refers(&one["targetRef"], &one["addresses"][0], pod)
                            && one["nodeName"] == pod["spec"]["nodeName"]
                    })
                })
        })
        .await?;
    Ok(())
}

async fn of_pods(cluster: Cluster) -> Result<()> {
    let path = cluster.core("pods");
    let mut pods = Vec::new();
    for (name, ports) in [
        (
            "pod1",
            json!([{ "name": "example-name", "containerPort": 3000 }]),
        ),
        (
            "pod2",
            json!([
                { "name": "example-name", "containerPort": 3001 },
                { "name": "other-port", "containerPort": 3002 },
            ]),
        ),
    ] {
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": { "name": name, "labels": { name: "on", "shared12": "on" } },
            "spec": { "containers": [{
                "name": "container1",
                "image": "registry.k8s.io/e2e-test-images/nginx:1.14-4", "ports": ports,
            }] },
        });
        cluster.create(&path, &pod).await?;
    }
    let services = cluster.core("services");
    for one in [
        service("example-int-port", "pod1", "example", json!(3000)),
        service(
            "example-named-port",
            "shared12",
            "http",
            json!("example-name"),
        ),
        service("example-no-match", "pod3", "example-no-match", json!(8080)),
    ] {
        cluster.create(&services, &one).await?;
    }
    for name in ["pod1", "pod2"] {
        let has_ips =
            |pod: Option<&Value>| pod.is_some_and(|pod| pod["status"]["podIPs"].is_array());
        let found = cluster.until(&format!("{path}/{name}"), has_ips).await?;
        pods.extend(found);
    }
    leads_to(&cluster, "example-int-port", &pods[..1], 1, 1).await?;
    leads_to(&cluster, "example-named-port", &pods, 2, 2).await?;
    leads_to(&cluster, "example-no-match", &[], 0, 1).await?;
    let own = slices(&cluster, "example-named-port");
    for slice in cluster.list(&own).await? {
        let name = text(&slice, "/metadata/name")?;
        let path = cluster.group("discovery.k8s.io/v1", &format!("endpointslices/{name}"));
        cluster.delete(&path).await?;
    }
    leads_to(&cluster, "example-named-port", &pods, 2, 2).await
}

/// Each of many Services, fifteen at once, has its Endpoints soon.
async fn latency(cluster: Cluster) -> Result<()> {
    let labels = json!({ "name": "svc-latency-rc" });
    let controller = json!({
        "apiVersion": "v1", "kind": "ReplicationController",
        "metadata": { "name": "svc-latency-rc" },
        "spec": {
            "replicas": 1, "selector": labels,
            "template": {
                "metadata": { "labels": labels },
                "spec": { "containers": [{
                    "name": "svc-latency-rc", "image": "registry.k8s.io/pause:3.10.1",
                }] },
            },
        },
    });
    let controllers = cluster.core("replicationcontrollers");
    cluster.create(&controllers, &controller).await?;
    cluster
        .until(&format!("{controllers}/svc-latency-rc"), |found| {
            found.is_some_and(|found| found["status"]["readyReplicas"] == 1)
        })
        .await?;
    let path = cluster.core("endpoints");
    let version = text(&cluster.get(&path).await?, "/metadata/resourceVersion")?;
    let mut watch = cluster
        .watch(&format!("{path}?resourceVersion={version}"))
        .await?;
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "generateName": "latency-svc-" },
        "spec": {
            "ports": [{ "protocol": "TCP", "port": 80 }], "selector": labels,
            "type": "ClusterIP", "sessionAffinity": "None",
        },
    });
    let services = cluster.core("services");
    for _ in 0..14 {
        let mut waiting = Vec::new();
        for _ in 0..15 {
            let made = cluster.create(&services, &service).await?;
            waiting.push(text(&made, "/metadata/name")?);
        }
        while !waiting.is_empty() {
            let (_, found) = watch
                .until(|_, found| found["subsets"][0]["addresses"][0].is_object())
                .await?;
            waiting.retain(|name| found["metadata"]["name"] != name.as_str());
        }
    }
    Ok(())
}
