//! Models test/e2e/common/node/runtimeclass.go, and the parts of test/e2e/scheduling/preemption.go
//! and test/e2e/network/endpointslice.go that test the operations of a kind.

use anyhow::{Result, ensure};
use http::Method;
use serde_json::{Value, json};

use super::operations::Operations;
use super::specs;
use crate::cluster::{Cluster, Patch};

specs! {
    "[sig-node] RuntimeClass should support RuntimeClasses API operations [Conformance]" => runtime_class,
    "[sig-node] RuntimeClass should reject a Pod requesting a non-existent RuntimeClass [NodeConformance] [Conformance]" => no_class,
    "[sig-node] RuntimeClass should reject a Pod requesting a deleted RuntimeClass [NodeConformance] [Conformance]" => deleted_class,
    "[sig-node] RuntimeClass should schedule a Pod requesting a RuntimeClass without PodOverhead [NodeConformance] [Conformance]" => no_overhead,
    "[sig-node] RuntimeClass should schedule a Pod requesting a RuntimeClass and initialize its Overhead [NodeConformance] [Conformance]" => overhead,
    "[sig-scheduling] SchedulerPreemption [Serial] PriorityClass endpoints verify PriorityClass endpoints can be operated with different HTTP methods [Conformance]" => priority_class,
    "[sig-network] EndpointSlice should support creating EndpointSlice API operations [Conformance]" => slice,
    "[sig-node] Node Lifecycle should run through the lifecycle of a node [Conformance]" => node,
    "[sig-node] Sysctls [LinuxOnly] [NodeConformance] should reject invalid sysctls [Conformance]" => sysctls,
}

const CLASSES: &str = "/apis/node.k8s.io/v1/runtimeclasses";

fn class(name: &str, handler: &str) -> Value {
    json!({
        "apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass",
        "metadata": { "name": name, "creationTimestamp": null }, "handler": handler,
    })
}

async fn runtime_class(cluster: Cluster) -> Result<()> {
    let operations = Operations {
        cluster: &cluster,
        group_version: "node.k8s.io/v1",
        resource: "runtimeclasses",
        namespaced: false,
        label: "test",
    };
    operations.run(|name| class(name, name)).await
}

fn pod(class: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "generateName": "test-runtimeclass-", "creationTimestamp": null },
        "spec": {
            "runtimeClassName": class, "restartPolicy": "Never",
            "containers": [{
                "name": "test", "image": "registry.k8s.io/e2e-test-images/busybox:1.37.0-1",
                "command": ["true"],
            }],
        },
    })
}

async fn no_class(cluster: Cluster) -> Result<()> {
    let pods = cluster.core("pods");
    let refused = pod("nonexistent");
    cluster
        .refused(
            Method::POST,
            &pods,
            Some(&refused),
            403,
            "RuntimeClass \\\"nonexistent\\\" not found",
        )
        .await?;
    Ok(())
}

async fn deleted_class(cluster: Cluster) -> Result<()> {
    let name = format!("{}-delete-me", cluster.namespace);
    cluster.create(CLASSES, &class(&name, "runc")).await?;
    let one = format!("{CLASSES}/{name}");
    cluster.delete(&one).await?;
    cluster.until_gone(&one).await?;
    let pods = cluster.core("pods");
    cluster
        .refused(Method::POST, &pods, Some(&pod(&name)), 403, "not found")
        .await?;
    Ok(())
}

async fn scheduled(cluster: &Cluster, class: &str) -> Result<Value> {
    let pods = cluster.core("pods");
    let made = cluster.create(&pods, &pod(class)).await?;
    let one = format!("{pods}/{}", crate::cluster::text(&made, "/metadata/name")?);
    let placed = |pod: Option<&Value>| {
        let all = pod.and_then(|pod| pod["status"]["conditions"].as_array());
        all.is_some_and(|all| {
            all.iter()
                .any(|one| one["type"] == "PodScheduled" && one["status"] == "True")
        })
    };
    let found = cluster.until(&one, placed).await?;
    Ok(found.unwrap_or_default())
}

async fn no_overhead(cluster: Cluster) -> Result<()> {
    let name = format!("{}-preconfigured-handler", cluster.namespace);
    cluster.create(CLASSES, &class(&name, "runc")).await?;
    let found = scheduled(&cluster, &name).await?;
    ensure!(found["spec"]["overhead"].is_null(), "{found}");
    cluster.delete(&format!("{CLASSES}/{name}")).await?;
    Ok(())
}

async fn overhead(cluster: Cluster) -> Result<()> {
    let name = format!("{}-overhead", cluster.namespace);
    let mut object = class(&name, "runc");
    let fixed = json!({ "cpu": "10m", "memory": "1Mi" });
    object["overhead"] = json!({ "podFixed": fixed });
    cluster.create(CLASSES, &object).await?;
    let found = scheduled(&cluster, &name).await?;
    ensure!(found["spec"]["overhead"] == fixed, "{found}");
    cluster.delete(&format!("{CLASSES}/{name}")).await?;
    Ok(())
}

async fn priority_class(cluster: Cluster) -> Result<()> {
    let all = "/apis/scheduling.k8s.io/v1/priorityclasses";
    let mut made = Vec::new();
    for (name, value) in [("p1", 1000), ("p2", 2000)] {
        let name = format!("{name}-{}", cluster.namespace);
        let object = json!({
            "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
            "metadata": { "name": name, "creationTimestamp": null }, "value": value,
        });
        let mut created = cluster.create(all, &object).await?;
        let one = format!("{all}/{name}");
        let mut other = created.clone();
        other["value"] = json!(value * 10);
        for (method, body) in [
            (Method::PUT, other),
            (Method::PATCH, json!({ "value": value * 10 })),
        ] {
            let form = match method {
                Method::PATCH => "application/json-patch+json",
                _ => "application/json",
            };
            let body = match method {
                Method::PATCH => {
                    json!([{ "op": "replace", "path": "/value", "value": value * 10 }])
                }
                _ => body,
            };
            let headers = [("content-type", form)];
            let answer = cluster
                .call(method, &one, &headers, Some(body.to_string()))
                .await?;
            ensure!(answer.status == 422, "{}", answer.text);
            ensure!(
                answer.text.contains("may not be changed in an update."),
                "{}",
                answer.text
            );
        }
        let patch = json!({ "metadata": { "labels": { "e2e": cluster.namespace } } });
        created = cluster.patch(&one, Patch::Merge, &patch).await?;
        ensure!(created["value"] == value);
        let description = json!({ "description": "new" });
        let patched = cluster.patch(&one, Patch::Strategic, &description).await?;
        ensure!(patched["description"] == "new", "{patched}");
        made.push(one);
    }
    let listed = cluster.list(all).await?;
    ensure!(listed.len() >= 4, "the system's own are there, too");
    cluster.delete(&made[0]).await?;
    let selected = format!("{all}?labelSelector=e2e%3D{}", cluster.namespace);
    cluster.delete(&selected).await?;
    ensure!(cluster.list(&selected).await?.is_empty());
    Ok(())
}

async fn slice(cluster: Cluster) -> Result<()> {
    let operations = Operations {
        cluster: &cluster,
        group_version: "discovery.k8s.io/v1",
        resource: "endpointslices",
        namespaced: true,
        label: "special-label",
    };
    let made = |name: &str| {
        json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": { "name": name, "creationTimestamp": null },
            "addressType": "IPv4",
            "endpoints": [{ "addresses": ["1.2.3.4", "5.6.7.8"], "conditions": {} }],
            "ports": null,
        })
    };
    operations.run(made).await
}

async fn node(cluster: Cluster) -> Result<()> {
    let nodes = "/api/v1/nodes";
    let name = format!("e2e-fake-node-{}", cluster.namespace);
    let fake = json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": { "name": name, "creationTimestamp": null },
        "spec": {},
        "status": {
            "phase": "Running",
            "conditions": [{
                "type": "Ready", "status": "True", "message": "Set from e2e test",
                "lastHeartbeatTime": null, "lastTransitionTime": null,
            }],
        },
    });
    let made = cluster.create(nodes, &fake).await?;
    let one = format!("{nodes}/{name}");
    ensure!(cluster.get(&one).await?["metadata"]["uid"] == made["metadata"]["uid"]);
    let label = json!({ "metadata": { "labels": { &name: "patched" } } });
    let patched = cluster.patch(&one, Patch::Strategic, &label).await?;
    ensure!(patched["metadata"]["labels"][&name] == "patched");
    let selected = format!("{nodes}?labelSelector={name}%3Dpatched");
    ensure!(cluster.list(&selected).await?.len() == 1);
    cluster
        .retry(&one, |node| {
            node["metadata"]["labels"][&name] = json!("updated")
        })
        .await?;
    let state = format!("{one}/status");
    let patch = json!({ "status": { "conditions": [
        { "type": "Ready", "status": "Unknown", "reason": "E2E", "message": "Set from e2e test" },
    ] } });
    let patched = cluster.patch(&state, Patch::Strategic, &patch).await?;
    let ready = patched["status"]["conditions"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    ensure!(
        ready
            .iter()
            .any(|one| one["type"] == "Ready" && one["reason"] == "E2E"),
        "{patched}"
    );
    let updated = cluster
        .retry(&state, |node| {
            node["status"]["daemonEndpoints"] = json!({ "kubeletEndpoint": { "Port": 10250 } });
        })
        .await?;
    ensure!(
        updated["status"]["daemonEndpoints"]["kubeletEndpoint"]["Port"] == 10250,
        "{updated}"
    );
    cluster
        .delete(&format!("{nodes}?labelSelector={name}%3Dupdated"))
        .await?;
    cluster.until_gone(&one).await
}

async fn sysctls(cluster: Cluster) -> Result<()> {
    let pods = cluster.core("pods");
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "sysctl" },
        "spec": {
            "restartPolicy": "Never",
            "securityContext": { "sysctls": [
                { "name": "foo-", "value": "bar" },
                { "name": "kernel.shmmax", "value": "100000000" },
                { "name": "safe-and-unsafe", "value": "100000000" },
                { "name": "bar..", "value": "42" },
            ] },
            "containers": [{ "name": "test", "image": "registry.k8s.io/pause:3.10.1" }],
        },
    });
    let refusal = cluster
        .refused(Method::POST, &pods, Some(&pod), 422, "Invalid")
        .await?;
    let said = refusal["message"].as_str().unwrap_or("");
    ensure!(
        said.contains("Invalid value: \"foo-\"") && said.contains("Invalid value: \"bar..\""),
        "{said}"
    );
    ensure!(
        !said.contains("safe-and-unsafe") && !said.contains("kernel.shmmax"),
        "{said}"
    );
    Ok(())
}
