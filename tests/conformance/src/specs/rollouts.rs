//! Models test/e2e/apps/deployment.go, where it follows rollouts, and
//! test/e2e/common/node/init_container.go.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::specs;
use crate::cluster::{Cluster, Patch, text};

specs! {
    "[sig-apps] Deployment RollingUpdateDeployment should delete old pods and create new ones [Conformance]" => rolling,
    "[sig-apps] Deployment RecreateDeployment should delete old pods and create new ones [Conformance]" => recreate,
    "[sig-apps] Deployment deployment should delete old replica sets [Conformance]" => history,
    "[sig-apps] Deployment deployment should support rollover [Conformance]" => rollover,
    "[sig-apps] Deployment deployment should support proportional scaling [Conformance]" => proportional,
    "[sig-node] InitContainer [NodeConformance] should invoke init containers on a RestartNever pod [Conformance]" => init_never,
    "[sig-node] InitContainer [NodeConformance] should invoke init containers on a RestartAlways pod [Conformance]" => init_always,
    "[sig-node] InitContainer [NodeConformance] should not start app containers if init containers fail on a RestartAlways pod [Conformance]" => init_fails_always,
    "[sig-node] InitContainer [NodeConformance] should not start app containers and fail the pod if init containers fail on a RestartNever pod [Conformance]" => init_fails_never,
}

const GROUP: &str = "apps/v1";
const HTTPD: &str = "registry.k8s.io/e2e-test-images/httpd:2.4.38-4";
const AGNHOST: &str = "registry.k8s.io/e2e-test-images/agnhost:2.56";
const BUSYBOX: &str = "registry.k8s.io/e2e-test-images/busybox:1.37.0-1";

fn workload(kind: &str, name: &str, replicas: u32, image: &str) -> Value {
    let labels = json!({ "name": "sample-pod", "pod": "httpd" });
    json!({
        "apiVersion": GROUP, "kind": kind,
        "metadata": { "name": name, "creationTimestamp": null, "labels": labels },
        "spec": {
            "replicas": replicas, "selector": { "matchLabels": labels },
            "template": {
                "metadata": { "creationTimestamp": null, "labels": labels },
                "spec": { "terminationGracePeriodSeconds": 0, "containers": [{
                    "name": "httpd", "image": image, "resources": {}, "securityContext": {},
                }] },
            },
        },
    })
}

async fn create(cluster: &Cluster, resource: &str, object: &Value) -> Result<String> {
    let all = cluster.group(GROUP, resource);
    let made = cluster.create(&all, object).await?;
    Ok(format!("{all}/{}", text(&made, "/metadata/name")?))
}

fn count(object: &Value, field: &str) -> u64 {
    object["status"][field].as_u64().unwrap_or(0)
}

/// Waits until a rollout is complete.
async fn complete(cluster: &Cluster, one: &str) -> Result<Value> {
    let found = cluster
        .until(one, |found| {
            found.is_some_and(|found| {
                let replicas = found["spec"]["replicas"].as_u64().unwrap_or(1);
                found["status"]["observedGeneration"] == found["metadata"]["generation"]
                    && ["replicas", "updatedReplicas", "availableReplicas"]
                        .iter()
                        .all(|field| count(found, field) == replicas)
            })
        })
        .await?;
    Ok(found.unwrap_or_default())
}

async fn sets(cluster: &Cluster) -> Result<Vec<Value>> {
    cluster.list(&cluster.group(GROUP, "replicasets")).await
}

async fn rolling(cluster: Cluster) -> Result<()> {
    let mut set = workload("ReplicaSet", "test-rolling-update-controller", 1, HTTPD);
    let key = "deployment.kubernetes.io/revision";
    set["metadata"]["annotations"] = json!({ key: "3546343826724305832" });
    let old = create(&cluster, "replicasets", &set).await?;
    cluster
        .until(&old, |set| {
            set.is_some_and(|set| count(set, "readyReplicas") == 1)
        })
        .await?;
    let object = workload("Deployment", "test-rolling-update-deployment", 1, AGNHOST);
    let one = create(&cluster, "deployments", &object).await?;
    cluster
        .until(&one, |found| {
            found
                .is_some_and(|found| found["metadata"]["annotations"][key] == "3546343826724305833")
        })
        .await?;
    complete(&cluster, &one).await?;
    let sets = sets(&cluster).await?;
    ensure!(sets.len() == 2, "the old one is adopted");
    let old = cluster.get(&old).await?;
    ensure!(old["spec"]["replicas"] == 0 && old["metadata"]["ownerReferences"].is_array());
    Ok(())
}

async fn recreate(cluster: Cluster) -> Result<()> {
    let mut object = workload("Deployment", "test-recreate-deployment", 1, AGNHOST);
    object["spec"]["strategy"] = json!({ "type": "Recreate" });
    let one = create(&cluster, "deployments", &object).await?;
    complete(&cluster, &one).await?;
    let pods = cluster.core("pods?labelSelector=name%3Dsample-pod");
    let version = text(&cluster.get(&pods).await?, "/metadata/resourceVersion")?;
    let mut watch = cluster
        .watch(&format!("{pods}&resourceVersion={version}"))
        .await?;
    cluster
        .retry(&one, |found| {
            found["spec"]["template"]["spec"]["containers"][0]["image"] = json!(HTTPD);
        })
        .await?;
    // No pod of the new kind is made before the old one is gone.
    let (kind, _) = watch.until(|kind, _| kind != "MODIFIED").await?;
    ensure!(kind == "DELETED", "{kind} comes first");
    complete(&cluster, &one).await?;
    Ok(())
}

async fn history(cluster: Cluster) -> Result<()> {
    let set = workload("ReplicaSet", "test-cleanup-controller", 1, HTTPD);
    let old = create(&cluster, "replicasets", &set).await?;
    cluster
        .until(&old, |set| {
            set.is_some_and(|set| count(set, "readyReplicas") == 1)
        })
        .await?;
    let mut object = workload("Deployment", "test-cleanup-deployment", 1, AGNHOST);
    object["spec"]["revisionHistoryLimit"] = json!(0);
    let one = create(&cluster, "deployments", &object).await?;
    cluster.until_gone(&old).await?;
    complete(&cluster, &one).await?;
    ensure!(sets(&cluster).await?.len() == 1);
    Ok(())
}

async fn rollover(cluster: Cluster) -> Result<()> {
    let set = workload("ReplicaSet", "test-rollover-controller", 1, HTTPD);
    let old = create(&cluster, "replicasets", &set).await?;
    cluster
        .until(&old, |set| {
            set.is_some_and(|set| count(set, "readyReplicas") == 1)
        })
        .await?;
    let image = "registry.k8s.io/e2e-test-images/redis-slave:does-not-exist";
    let mut object = workload("Deployment", "test-rollover-deployment", 1, image);
    object["spec"]["minReadySeconds"] = json!(10);
    object["spec"]["strategy"] = json!({
        "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": 0, "maxSurge": 1 },
    });
    let one = create(&cluster, "deployments", &object).await?;
    cluster
        .until(&one, |found| {
            found.is_some_and(|found| count(found, "updatedReplicas") == 1)
        })
        .await?;
    cluster
        .retry(&one, |found| {
            found["spec"]["template"]["spec"]["containers"][0]["image"] = json!(AGNHOST);
        })
        .await?;
    complete(&cluster, &one).await?;
    let all = sets(&cluster).await?;
    ensure!(all.len() == 3);
    let alive: Vec<&Value> = all
        .iter()
        .filter(|set| set["spec"]["replicas"] != 0)
        .collect();
    ensure!(alive.len() == 1, "{alive:?}");
    let image = &alive[0]["spec"]["template"]["spec"]["containers"][0]["image"];
    ensure!(*image == AGNHOST);
    Ok(())
}

async fn proportional(cluster: Cluster) -> Result<()> {
    let mut object = workload("Deployment", "webserver-deployment", 10, HTTPD);
    object["spec"]["strategy"] = json!({
        "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": 2, "maxSurge": 3 },
    });
    let one = create(&cluster, "deployments", &object).await?;
    complete(&cluster, &one).await?;
    let first = text(&sets(&cluster).await?[0], "/metadata/name")?;
    cluster
        .retry(&one, |found| {
            found["spec"]["template"]["spec"]["containers"][0]["image"] = json!("webserver:404");
        })
        .await?;
    let replicas = |all: &[Value], of_first: bool| -> Vec<u64> {
        let all = all
            .iter()
            .filter(|set| (set["metadata"]["name"] == first.as_str()) == of_first);
        all.map(|set| set["spec"]["replicas"].as_u64().unwrap_or(0))
            .collect()
    };
    let path = cluster.group(GROUP, "replicasets");
    let split = |old: u64, new: u64| {
        move |list: Option<&Value>| {
            let all = list.and_then(|list| list["items"].as_array());
            all.is_some_and(|all| replicas(all, true) == [old] && replicas(all, false) == [new])
        }
    };
    // Two of ten may be missing, three too many be there.
    cluster.until(&path, split(8, 5)).await?;
    cluster
        .until(&one, |found| {
            found.is_some_and(|found| count(found, "availableReplicas") == 8)
        })
        .await?;
    let patch = json!({ "spec": { "replicas": 30 } });
    cluster.patch(&one, Patch::Strategic, &patch).await?;
    cluster.until(&path, split(20, 13)).await?;
    Ok(())
}

fn initialized(name: &str, restart: &str, first: &str, second: &str, main: Value) -> Value {
    let init =
        |name: &str, command: &str| json!({ "name": name, "image": BUSYBOX, "command": [command] });
    let mut main = main;
    main["name"] = json!("run1");
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": name, "labels": { "name": "foo" } },
        "spec": {
            "restartPolicy": restart,
            "initContainers": [init("init1", first), init("init2", second)],
            "containers": [main],
        },
    })
}

fn is_initialized(pod: &Value, status: &str) -> bool {
    let all = pod["status"]["conditions"].as_array();
    all.is_some_and(|all| {
        all.iter()
            .any(|one| one["type"] == "Initialized" && one["status"] == status)
    })
}

async fn init(cluster: &Cluster, pod: &Value, enough: impl Fn(&Value) -> bool) -> Result<Value> {
    let pods = cluster.core("pods");
    let made = cluster.create(&pods, pod).await?;
    let one = format!("{pods}/{}", text(&made, "/metadata/name")?);
    let found = cluster.until(&one, |pod| pod.is_some_and(&enough)).await?;
    Ok(found.unwrap_or_default())
}

fn ended_well(pod: &Value) -> bool {
    let all = pod["status"]["initContainerStatuses"].as_array();
    all.is_some_and(|all| {
        all.len() == 2
            && all
                .iter()
                .all(|one| one["ready"] == true && one["state"]["terminated"]["exitCode"] == 0)
    })
}

async fn init_never(cluster: Cluster) -> Result<()> {
    let main = json!({ "image": BUSYBOX, "command": ["/bin/true"] });
    let pod = initialized("pod-init-never", "Never", "/bin/true", "/bin/true", main);
    let found = init(&cluster, &pod, |pod| pod["status"]["phase"] == "Succeeded").await?;
    ensure!(
        is_initialized(&found, "True") && ended_well(&found),
        "{found}"
    );
    Ok(())
}

async fn init_always(cluster: Cluster) -> Result<()> {
    let main = json!({ "image": "registry.k8s.io/pause:3.10.1" });
    let pod = initialized("pod-init-always", "Always", "/bin/true", "/bin/true", main);
    let found = init(&cluster, &pod, |pod| pod["status"]["phase"] == "Running").await?;
    ensure!(
        is_initialized(&found, "True") && ended_well(&found),
        "{found}"
    );
    Ok(())
}

async fn init_fails_always(cluster: Cluster) -> Result<()> {
    let main = json!({ "image": "registry.k8s.io/pause:3.10.1" });
    let pod = initialized(
        "pod-init-fails-always",
        "Always",
        "/bin/false",
        "/bin/true",
        main,
    );
    let found = init(&cluster, &pod, |pod| {
        pod["status"]["initContainerStatuses"][0]["restartCount"].as_u64() >= Some(3)
    })
    .await?;
    let status = &found["status"];
    ensure!(
        status["phase"] == "Pending" && is_initialized(&found, "False"),
        "{found}"
    );
    ensure!(
        status["initContainerStatuses"][1]["state"]["waiting"].is_object(),
        "{found}"
    );
    ensure!(
        status["containerStatuses"][0]["state"]["waiting"].is_object(),
        "{found}"
    );
    Ok(())
}

async fn init_fails_never(cluster: Cluster) -> Result<()> {
    let main = json!({ "image": BUSYBOX, "command": ["/bin/true"] });
    let pod = initialized(
        "pod-init-fails-never",
        "Never",
        "/bin/true",
        "/bin/false",
        main,
    );
    let found = init(&cluster, &pod, |pod| pod["status"]["phase"] == "Failed").await?;
    let status = &found["status"];
    ensure!(is_initialized(&found, "False"), "{found}");
    let second = &status["initContainerStatuses"][1]["state"]["terminated"];
    ensure!(second["exitCode"].as_u64() > Some(0), "{found}");
    ensure!(
        status["containerStatuses"][0]["state"]["waiting"].is_object(),
        "{found}"
    );
    Ok(())
}
