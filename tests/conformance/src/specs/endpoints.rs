//! Models test/e2e/network/{endpoints,endpointslicemirroring}.go.

use anyhow::{Result, ensure};
use http::Method;
use serde_json::{Value, json};

use super::specs;
use crate::cluster::{Cluster, Patch};

specs! {
    "[sig-network] EndpointSliceMirroring should mirror a custom Endpoints resource through create update and delete [Conformance]" => mirrored,
    "[sig-network] Endpoints should test the lifecycle of an Endpoint [Conformance]" => lifecycle,
    "[sig-network] EndpointsController should create and delete Endpoints for a Service with a selector that matches no pods [Conformance]" => of_nothing,
    "[sig-network] EndpointsController should create Endpoints for Pods matching a Service [Conformance]" => of_pods,
}

fn service(name: &str, spec: Value) -> Value {
    json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": name }, "spec": spec })
}

fn slices(cluster: &Cluster, service: &str) -> String {
    let label = format!("kubernetes.io%2Fservice-name%3D{service}");
    let path = format!("endpointslices?labelSelector={label}");
    cluster.group("discovery.k8s.io/v1", &path)
}

async fn mirrored(cluster: Cluster) -> Result<()> {
    let name = "example-custom-endpoints";
    let ports = json!({ "ports": [{ "name": "example", "port": 80, "protocol": "TCP" }] });
    let services = cluster.core("services");
    cluster.create(&services, &service(name, ports)).await?;
    let endpoints = |ip: &str| {
        json!({
            "apiVersion": "v1", "kind": "Endpoints", "metadata": { "name": name },
            "subsets": [{ "addresses": [{ "ip": ip }], "ports": [{ "port": 80 }] }],
        })
    };
    let path = cluster.core("endpoints");
    let slices = slices(&cluster, name);
    let shows = |list: Option<&Value>, ip: &str| {
        let slices = list.and_then(|list| list["items"].as_array());
        slices.is_some_and(|slices| {
            slices.len() == 1
                && slices[0]["ports"]
                    .as_array()
                    .is_some_and(|all| all.len() == 1)
                && slices[0]["ports"][0]["port"] == 80
                && slices[0]["endpoints"]
                    .as_array()
                    .is_some_and(|all| all.len() == 1)
                && slices[0]["endpoints"][0]["addresses"] == json!([ip])
        })
    };
    cluster.create(&path, &endpoints("10.1.2.3")).await?;
    cluster
        .until(&slices, |list| shows(list, "10.1.2.3"))
        .await?;
    let one = format!("{path}/{name}");
    cluster.update(&one, &endpoints("10.2.3.4")).await?;
    cluster
        .until(&slices, |list| shows(list, "10.2.3.4"))
        .await?;
    cluster.delete(&one).await?;
    cluster
        .until(&slices, |list| {
            list.is_some_and(|list| list["items"] == json!([]))
        })
        .await?;
    Ok(())
}

async fn lifecycle(cluster: Cluster) -> Result<()> {
    let path = cluster.core("endpoints");
    let one = format!("{path}/testservice");
    let selected = format!("{path}?labelSelector=test-endpoint-static%3Dtrue");
    let mut watch = cluster.watch(&selected).await?;
    let endpoints = json!({
        "apiVersion": "v1", "kind": "Endpoints",
        "metadata": { "name": "testservice", "labels": { "test-endpoint-static": "true" } },
        "subsets": [{
            "addresses": [{ "ip": "10.0.0.24" }],
            "ports": [{ "name": "http", "port": 80, "protocol": "TCP" }],
        }],
    });
    let mut made = cluster.create(&path, &endpoints).await?;
    watch.until(|kind, _| kind == "ADDED").await?;
    let all = cluster
        .list("/api/v1/endpoints?labelSelector=test-endpoint-static%3Dtrue")
        .await?;
    ensure!(all.len() == 1);
    made["metadata"]["labels"]["test-service"] = json!("updated");
    cluster.update(&one, &made).await?;
    watch.until(|kind, _| kind == "MODIFIED").await?;
    let found = cluster.get(&one).await?;
    ensure!(found["metadata"]["labels"]["test-service"] == "updated");
    let patch = json!({
        "metadata": { "labels": { "test-service": "patched" } },
        "subsets": [{
            "addresses": [{ "ip": "10.0.0.25" }],
            "ports": [{ "name": "http-test", "port": 8080 }],
        }],
    });
    cluster.patch(&one, Patch::Strategic, &patch).await?;
    watch.until(|kind, _| kind == "MODIFIED").await?;
    let found = cluster.get(&one).await?;
    let subset = &found["subsets"][0];
    ensure!(found["metadata"]["labels"]["test-service"] == "patched");
    ensure!(
        subset["addresses"] == json!([{ "ip": "10.0.0.25" }]),
        "{found}"
    );
    ensure!(subset["ports"][0]["name"] == "http-test" && subset["ports"][0]["port"] == 8080);
    cluster.delete(&selected).await?;
    watch.until(|kind, _| kind == "DELETED").await?;
    cluster
        .refused(Method::GET, &one, None, 404, "NotFound")
        .await?;
    Ok(())
}

async fn of_nothing(cluster: Cluster) -> Result<()> {
    let name = "example-empty-selector";
    let spec = json!({
        "selector": { "does-not-match-anything": "endpoints-and-endpoint-slices-should-still-be-created" },
        "ports": [{ "name": "example", "port": 80, "protocol": "TCP" }],
    });
    let services = cluster.core("services");
    cluster.create(&services, &service(name, spec)).await?;
    let endpoints = cluster.core(&format!("endpoints/{name}"));
    let found = cluster.until(&endpoints, |found| found.is_some()).await?;
    let found = found.unwrap_or_default();
    ensure!(found["subsets"].is_null(), "{found}");
    cluster.delete(&format!("{services}/{name}")).await?;
    cluster.until_gone(&endpoints).await?;
    let slices = slices(&cluster, name);
    cluster
        .until(&slices, |list| {
            list.is_some_and(|list| list["items"] == json!([]))
        })
        .await?;
    Ok(())
}

async fn of_pods(cluster: Cluster) -> Result<()> {
    let pod = |name: &str, labels: Value, port: u16| {
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": { "name": name, "labels": labels },
            "spec": { "containers": [{
                "name": "container1",
                "image": "registry.k8s.io/e2e-test-images/nginx:1.14-4",
                "ports": [{ "name": "example-name", "containerPort": port }],
            }] },
        })
    };
    let pods = cluster.core("pods");
    let both = json!({ "foo": "bar", "special": "one" });
    cluster.create(&pods, &pod("pod1", both, 3000)).await?;
    cluster
        .create(&pods, &pod("pod2", json!({ "foo": "bar" }), 3001))
        .await?;
    let spec = |selector: Value, name: &str, target: Value| {
        json!({
            "selector": selector, "publishNotReadyAddresses": true,
            "ports": [{ "name": name, "port": 80, "targetPort": target, "protocol": "TCP" }],
        })
    };
    let services = cluster.core("services");
    let first = spec(
        json!({ "foo": "bar", "special": "one" }),
        "port80",
        json!(3000),
    );
    cluster.create(&services, &service("first", first)).await?;
    let second = spec(json!({ "foo": "bar" }), "http", json!("example-name"));
    cluster
        .create(&services, &service("second", second))
        .await?;
    let mut ips = Vec::new();
    for name in ["pod1", "pod2"] {
        let has_ip =
            |pod: Option<&Value>| pod.is_some_and(|pod| pod["status"]["podIP"].is_string());
        let found = cluster.until(&format!("{pods}/{name}"), has_ip).await?;
        ips.push(found.unwrap_or_default()["status"]["podIP"].clone());
    }
    let first = cluster.core("endpoints/first");
    cluster
        .until(&first, |found| {
            let Some(found) = found else { return false };
            let subset = &found["subsets"][0];
            let address = &subset["addresses"][0];
            found["subsets"]
                .as_array()
                .is_some_and(|all| all.len() == 1)
                && address["ip"] == ips[0]
                && address["targetRef"]["kind"] == "Pod"
                && address["targetRef"]["name"] == "pod1"
                && address["targetRef"]["uid"].is_string()
                && subset["ports"] == json!([{ "name": "port80", "port": 3000, "protocol": "TCP" }])
        })
        .await?;
    // A name that means another port in each pod makes a subset of each.
    let second = cluster.core("endpoints/second");
    cluster
        .until(&second, |found| {
            let subsets = found.and_then(|found| found["subsets"].as_array());
            subsets.is_some_and(|subsets| {
                subsets.len() == 2
                    && subsets.iter().all(|subset| {
                        let port = match subset["addresses"][0]["ip"] == ips[0] {
                            true => 3000,
                            false => 3001,
                        };
                        subset["ports"][0]["port"] == port
                    })
            })
        })
        .await?;
    Ok(())
}
