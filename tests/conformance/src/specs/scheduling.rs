//! Models test/e2e/scheduling/{predicates,preemption}.go.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::specs;
use crate::cluster::{Cluster, Patch, text};

specs! {
    "[sig-scheduling] SchedulerPredicates [Serial] validates resource limits of pods that are allowed to run [Conformance]" => limits,
    "[sig-scheduling] SchedulerPredicates [Serial] validates that NodeSelector is respected if not matching [Conformance]" => selector_misses,
    "[sig-scheduling] SchedulerPredicates [Serial] validates that NodeSelector is respected if matching [Conformance]" => selector_hits,
    "[sig-scheduling] SchedulerPredicates [Serial] validates that there exists conflict between pods with same hostPort and protocol but one using 0.0.0.0 hostIP [Conformance]" => host_port,
    "[sig-scheduling] SchedulerPreemption [Serial] validates basic preemption works [Conformance]" => basic,
    "[sig-scheduling] SchedulerPreemption [Serial] validates lower priority pod preemption by critical pod [Conformance]" => critical,
    "[sig-scheduling] SchedulerPreemption [Serial] validates pod disruption condition is added to the preempted pod [Conformance]" => condition,
}

const RESOURCE: &str = "scheduling.k8s.io/foo";

fn pod(name: &str, spec: &Value) -> Value {
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": name, "labels": { "name": name } },
        "spec": {
            "terminationGracePeriodSeconds": 0,
            "containers": [{ "name": name, "image": "registry.k8s.io/pause:3.10.1" }],
        },
    });
    for (key, value) in spec.as_object().into_iter().flatten() {
        match key.as_str() {
            "resources" | "ports" => pod["spec"]["containers"][0][key] = value.clone(),
            _ => pod["spec"][key] = value.clone(),
        }
    }
    pod
}

fn condition_of(pod: Option<&Value>, kind: &str, status: &str) -> bool {
    let all = pod.and_then(|pod| pod["status"]["conditions"].as_array());
    all.is_some_and(|all| {
        all.iter()
            .any(|one| one["type"] == kind && one["status"] == status)
    })
}

async fn create(cluster: &Cluster, pod: &Value) -> Result<String> {
    let pods = cluster.core("pods");
    let made = cluster.create(&pods, pod).await?;
    Ok(format!("{pods}/{}", text(&made, "/metadata/name")?))
}

async fn placed(cluster: &Cluster, one: &str) -> Result<Value> {
    let found = cluster
        .until(one, |pod| condition_of(pod, "PodScheduled", "True"))
        .await?;
    Ok(found.unwrap_or_default())
}

async fn waits(cluster: &Cluster, one: &str) -> Result<()> {
    cluster
        .until(one, |pod| condition_of(pod, "PodScheduled", "False"))
        .await?;
    let events = cluster.list(&cluster.core("events")).await?;
    let name = one.rsplit('/').next();
    ensure!(
        events.iter().any(|event| {
            event["reason"] == "FailedScheduling"
                && event["involvedObject"]["name"].as_str() == name
        }),
        "{events:?}"
    );
    Ok(())
}

async fn workers(cluster: &Cluster) -> Result<Vec<String>> {
    let nodes = cluster
        .list("/api/v1/nodes?fieldSelector=spec.unschedulable%3Dfalse&resourceVersion=0")
        .await?;
    let free = nodes.iter().filter(|node| node["spec"]["taints"].is_null());
    free.map(|node| text(node, "/metadata/name")).collect()
}

/// Gives nodes a resource that nobody else uses, as the specs do.
async fn extend(cluster: &Cluster, node: &str, amount: Option<&str>) -> Result<()> {
    let path = format!("/api/v1/nodes/{node}/status");
    let value = amount.map_or(Value::Null, |amount| json!(amount));
    let patch = json!({ "status": { "capacity": { RESOURCE: value }, "allocatable": { RESOURCE: value } } });
    cluster.patch(&path, Patch::Strategic, &patch).await?;
    let node = format!("/api/v1/nodes/{node}");
    cluster
        .until(&node, |node| {
            node.is_some_and(|node| {
                node["status"]["allocatable"].get(RESOURCE).is_some() == amount.is_some()
            })
        })
        .await?;
    Ok(())
}

fn uses(amount: &str) -> Value {
    json!({ "requests": { RESOURCE: amount }, "limits": { RESOURCE: amount } })
}

async fn limits(cluster: Cluster) -> Result<()> {
    let nodes = workers(&cluster).await?;
    let millis = |node: &Value| -> u64 {
        let cpu = node["status"]["allocatable"]["cpu"].as_str().unwrap_or("0");
        match cpu.strip_suffix('m') {
            Some(millis) => millis.parse().unwrap_or(0),
            None => cpu.parse::<u64>().unwrap_or(0) * 1000,
        }
    };
    for name in &nodes {
        let node = cluster.get(&format!("/api/v1/nodes/{name}")).await?;
        let cpu = format!("{}m", millis(&node) * 7 / 10);
        let spec = json!({
            "nodeName": "", "resources": { "requests": { "cpu": cpu }, "limits": { "cpu": cpu } },
            "nodeSelector": { "kubernetes.io/hostname": name },
        });
        let one = create(&cluster, &pod(&format!("filler-{name}"), &spec)).await?;
        placed(&cluster, &one).await?;
    }
    let node = cluster.get(&format!("/api/v1/nodes/{}", nodes[0])).await?;
    let cpu = format!("{}m", millis(&node) / 2);
    let spec = json!({ "resources": { "requests": { "cpu": cpu }, "limits": { "cpu": cpu } } });
    let one = create(&cluster, &pod("additional-pod", &spec)).await?;
    waits(&cluster, &one).await
}

async fn selector_misses(cluster: Cluster) -> Result<()> {
    let spec = json!({ "nodeSelector": { "label": "nonempty" } });
    let one = create(&cluster, &pod("restricted-pod", &spec)).await?;
    waits(&cluster, &one).await
}

async fn selector_hits(cluster: Cluster) -> Result<()> {
    let node = workers(&cluster).await?.remove(0);
    let path = format!("/api/v1/nodes/{node}");
    let key = "kubernetes.io/e2e-abc";
    let label = json!({ "metadata": { "labels": { key: "42" } } });
    cluster.patch(&path, Patch::Strategic, &label).await?;
    let spec = json!({ "nodeSelector": { key: "42" } });
    let one = create(&cluster, &pod("with-labels", &spec)).await?;
    let found = placed(&cluster, &one).await?;
    ensure!(found["spec"]["nodeName"] == node.as_str(), "{found}");
    let label = json!({ "metadata": { "labels": { key: null } } });
    cluster.patch(&path, Patch::Strategic, &label).await?;
    Ok(())
}

async fn host_port(cluster: Cluster) -> Result<()> {
    let node = workers(&cluster).await?.remove(0);
    let spec = |ip: &str| {
        json!({
            "nodeSelector": { "kubernetes.io/hostname": node },
            "ports": [{ "hostPort": 54322, "containerPort": 8080, "protocol": "TCP", "hostIP": ip }],
        })
    };
    let one = create(&cluster, &pod("pod4", &spec(""))).await?;
    placed(&cluster, &one).await?;
    let one = create(&cluster, &pod("pod5", &spec("127.0.0.1"))).await?;
    waits(&cluster, &one).await
}

async fn prioritized(cluster: &Cluster) -> Result<[String; 3]> {
    let names = ["low", "medium", "high"].map(|name| format!("sched-{name}-{}", cluster.namespace));
    for (name, value) in names.iter().zip([1, 100, 1000]) {
        let class = json!({
            "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
            "metadata": { "name": name }, "value": value,
        });
        cluster
            .create("/apis/scheduling.k8s.io/v1/priorityclasses", &class)
            .await?;
    }
    Ok(names)
}

async fn clean(cluster: &Cluster, classes: &[String]) -> Result<()> {
    for node in workers(cluster).await? {
        extend(cluster, &node, None).await?;
    }
    for name in classes {
        let path = format!("/apis/scheduling.k8s.io/v1/priorityclasses/{name}");
        cluster.delete(&path).await?;
    }
    Ok(())
}

/// Fills all nodes, a pod of low priority first, and lets another take its place.
async fn preempted(cluster: &Cluster, class: &str, namespace: &str) -> Result<()> {
    let classes = prioritized(cluster).await?;
    let mut victims = Vec::new();
    for node in workers(cluster).await? {
        extend(cluster, &node, Some("5")).await?;
        for half in 0..2 {
            let class = if victims.is_empty() {
                &classes[0]
            } else {
                &classes[1]
            };
            let spec = json!({
                "priorityClassName": class, "resources": uses("2"),
                "nodeSelector": { "kubernetes.io/hostname": node },
            });
            let name = format!("pod{half}-{node}");
            let one = create(cluster, &pod(&name, &spec)).await?;
            placed(cluster, &one).await?;
            victims.push(one);
        }
    }
    let class = if class.is_empty() { &classes[2] } else { class };
    let spec = json!({ "priorityClassName": class, "resources": uses("2") });
    let pods = format!("/api/v1/namespaces/{namespace}/pods");
    let preemptor = pod(&format!("preemptor-{}", cluster.namespace), &spec);
    let made = cluster.create(&pods, &preemptor).await?;
    let one = format!("{pods}/{}", text(&made, "/metadata/name")?);
    placed(cluster, &one).await?;
    cluster
        .until(&victims[0], |pod| {
            pod.is_none_or(|pod| pod["metadata"]["deletionTimestamp"].is_string())
        })
        .await?;
    for other in &victims[1..] {
        let found = cluster.get(other).await?;
        ensure!(found["metadata"]["deletionTimestamp"].is_null(), "{found}");
    }
    cluster.delete(&one).await?;
    clean(cluster, &classes).await
}

async fn basic(cluster: Cluster) -> Result<()> {
    let namespace = cluster.namespace.clone();
    preempted(&cluster, "", &namespace).await
}

async fn critical(cluster: Cluster) -> Result<()> {
    preempted(&cluster, "system-cluster-critical", "kube-system").await
}

async fn condition(cluster: Cluster) -> Result<()> {
    let classes = prioritized(&cluster).await?;
    let node = workers(&cluster).await?.remove(0);
    extend(&cluster, &node, Some("1")).await?;
    let mut victim = pod(
        "victim-pod",
        &json!({
            "priorityClassName": classes[0], "resources": uses("1"),
            "nodeSelector": { "kubernetes.io/hostname": node },
        }),
    );
    victim["metadata"]["finalizers"] = json!(["example.com/test-finalizer"]);
    let one = create(&cluster, &victim).await?;
    placed(&cluster, &one).await?;
    let preemptor = pod(
        "preemptor-pod",
        &json!({
            "priorityClassName": classes[2], "resources": uses("1"),
            "nodeSelector": { "kubernetes.io/hostname": node },
        }),
    );
    create(&cluster, &preemptor).await?;
    let found = cluster
        .until(&one, |pod| {
            pod.is_some_and(|pod| pod["metadata"]["deletionTimestamp"].is_string())
        })
        .await?;
    ensure!(
        condition_of(found.as_ref(), "DisruptionTarget", "True"),
        "{found:?}"
    );
    let patch = json!({ "metadata": { "finalizers": null } });
    cluster.patch(&one, Patch::Merge, &patch).await?;
    clean(&cluster, &classes).await
}
