//! Models test/e2e/apimachinery/resource_quota.go.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use http::Method;
use serde_json::{Value, json};

use super::specs;
use crate::cluster::{Cluster, Patch, text};

specs! {
    "[sig-api-machinery] ResourceQuota should apply changes to a resourcequota status [Conformance]" => status,
    "[sig-api-machinery] ResourceQuota should be able to update and delete ResourceQuota. [Conformance]" => update_and_delete,
    "[sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of a configMap. [Conformance]" => config_map,
    "[sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of a pod. [Conformance]" => pod,
    "[sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of a replica set. [Conformance]" => replica_set,
    "[sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of a replication controller. [Conformance]" => replication_controller,
    "[sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of a secret. [Conformance]" => secret,
    "[sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of a service. [Conformance]" => service,
    "[sig-api-machinery] ResourceQuota should create a ResourceQuota and ensure its status is promptly calculated. [Conformance]" => prompt,
    "[sig-api-machinery] ResourceQuota should manage the lifecycle of a ResourceQuota [Conformance]" => lifecycle,
    "[sig-api-machinery] ResourceQuota should verify ResourceQuota with best effort scope. [Conformance]" => best_effort,
    "[sig-api-machinery] ResourceQuota should verify ResourceQuota with terminating scopes. [Conformance]" => terminating,
}

const EXTENDED: &str = "example.com/dongle";

/// A quota of this name and these limits.
fn quota(name: &str, hard: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ResourceQuota",
        "metadata": { "name": name }, "spec": { "hard": hard },
    })
}

/// The quota most specs make.
fn test_quota() -> Value {
    quota(
        "test-quota",
        &json!({
            "pods": "5", "services": "10", "services.nodeports": "1",
            "services.loadbalancers": "1", "replicationcontrollers": "10",
            "resourcequotas": "1", "cpu": "1", "memory": "500Mi", "configmaps": "10",
            "secrets": "10", "persistentvolumeclaims": "10", "requests.storage": "10Gi",
            "ephemeral-storage": "50Gi",
            "gold.storageclass.storage.k8s.io/persistentvolumeclaims": "10",
            "gold.storageclass.storage.k8s.io/requests.storage": "10Gi",
            "count/replicasets.apps": "5",
            format!("requests.{EXTENDED}"): "3",
        }),
    )
}

fn pods(name: &str, requests: &Value, limits: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name },
        "spec": {
            "nodeSelector": { "x-test.k8s.io/unsatisfiable": "not-schedulable" },
            "containers": [{
                "name": "pause", "image": "registry.k8s.io/pause:3.10.1",
                "resources": { "requests": requests, "limits": limits },
            }],
        },
    })
}

/// Waits until a quota's status has its limits and these things used.
async fn used(cluster: &Cluster, name: &str, used: &Value) -> Result<()> {
    let path = cluster.core(&format!("resourcequotas/{name}"));
    let fits = |found: Option<&Value>| {
        let Some(found) = found else {
            return false;
        };
        let status = &found["status"];
        let mut all = used.as_object().into_iter().flatten();
        status["hard"] == found["spec"]["hard"]
            && all.all(|(resource, wanted)| status["used"][resource] == *wanted)
    };
    cluster.until(&path, fits).await.map(|_| ())
}

/// Makes the quota of most specs, which finds itself alone.
async fn start(cluster: &Cluster, quota: &Value) -> Result<()> {
    let quotas = cluster.core("resourcequotas");
    ensure!(cluster.list(&quotas).await?.is_empty());
    cluster.create(&quotas, quota).await?;
    used(cluster, "test-quota", &json!({ "resourcequotas": "1" })).await
}

async fn delete_now(cluster: &Cluster, path: &str) -> Result<()> {
    let now = json!({ "kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0 });
    let answer = cluster
        .call(Method::DELETE, path, &[], Some(now.to_string()))
        .await?;
    ensure!(answer.status.is_success(), "{}", answer.text);
    Ok(())
}

async fn prompt(cluster: Cluster) -> Result<()> {
    start(&cluster, &test_quota()).await
}

async fn service(cluster: Cluster) -> Result<()> {
    start(&cluster, &test_quota()).await?;
    let services = cluster.core("services");
    let made = |name: &str, kind: &str, node_ports: bool| {
        let mut service = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": { "name": name },
            "spec": { "type": kind, "ports": [{ "port": 80, "targetPort": 80 }] },
        });
        if kind == "LoadBalancer" {
            service["spec"]["allocateLoadBalancerNodePorts"] = json!(node_ports);
        }
        service
    };
    let plain = made("test-service", "ClusterIP", false);
    cluster.create(&services, &plain).await?;
    let with_port = made("test-service-np", "NodePort", false);
    cluster.create(&services, &with_port).await?;
    let balanced = made("test-service-lb", "LoadBalancer", true);
    cluster
        .refused(
            Method::POST,
            &services,
            Some(&balanced),
            403,
            "exceeded quota",
        )
        .await?;
    let now = json!({ "resourcequotas": "1", "services": "2", "services.nodeports": "1" });
    used(&cluster, "test-quota", &now).await?;
    cluster.delete(&format!("{services}/test-service")).await?;
    cluster
        .delete(&format!("{services}/test-service-np"))
        .await?;
    let now = json!({ "services": "0", "services.nodeports": "0" });
    used(&cluster, "test-quota", &now).await
}

/// The number of objects that are there by themselves, once it stays the same.
async fn settled(cluster: &Cluster, path: &str) -> Result<usize> {
    let (mut found, mut unchanged) = (0, 0);
    while unchanged < 5 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let now = cluster.list(path).await?.len();
        unchanged = if now == found { unchanged + 1 } else { 0 };
        found = now;
    }
    Ok(found)
}

/// One object more than there are: it is counted, and counted no longer.
async fn counted(cluster: &Cluster, resource: &str, object: &Value) -> Result<()> {
    let path = cluster.core(resource);
    let found = settled(cluster, &path).await?;
    let (before, after) = (found.to_string(), (found + 1).to_string());
    let mut quota = test_quota();
    quota["spec"]["hard"][resource] = json!(after);
    start(cluster, &quota).await?;
    used(cluster, "test-quota", &json!({ resource: before })).await?;
    cluster.create(&path, object).await?;
    used(cluster, "test-quota", &json!({ resource: after })).await?;
    let name = text(object, "/metadata/name")?;
    cluster.delete(&format!("{path}/{name}")).await?;
    used(cluster, "test-quota", &json!({ resource: before })).await
}

async fn secret(cluster: Cluster) -> Result<()> {
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "test-secret" },
        "data": { "data-1": "dmFsdWUtMQo=", "data-2": "dmFsdWUtMgo=", "data-3": "dmFsdWUtMwo=" },
    });
    counted(&cluster, "secrets", &secret).await
}

async fn config_map(cluster: Cluster) -> Result<()> {
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "test-configmap" },
        "data": { "a": "b" },
    });
    counted(&cluster, "configmaps", &map).await
}

async fn pod(cluster: Cluster) -> Result<()> {
    start(&cluster, &test_quota()).await?;
    let all = cluster.core("pods");
    let requests = json!({
        "cpu": "500m", "memory": "252Mi", "ephemeral-storage": "30Gi", EXTENDED: "2",
    });
    let fits = pods("test-pod", &requests, &json!({ EXTENDED: "2" }));
    let mut made = cluster.create(&all, &fits).await?;
    let now = json!({
        "resourcequotas": "1", "pods": "1", "cpu": "500m", "memory": "252Mi",
        "ephemeral-storage": "30Gi", format!("requests.{EXTENDED}"): "2",
    });
    used(&cluster, "test-quota", &now).await?;
    let requests = json!({ "cpu": "600m", "memory": "100Mi" });
    let too_much = pods("fail-pod", &requests, &json!({}));
    cluster
        .refused(Method::POST, &all, Some(&too_much), 403, "exceeded quota")
        .await?;
    let requests = json!({
        "cpu": "500m", "memory": "100Mi", "ephemeral-storage": "30Gi", EXTENDED: "2",
    });
    let name = "fail-pod-for-extended-resource";
    let too_much = pods(name, &requests, &json!({ EXTENDED: "2" }));
    cluster
        .refused(Method::POST, &all, Some(&too_much), 403, "exceeded quota")
        .await?;
    made["spec"]["containers"][0]["resources"]["requests"] =
        json!({ "cpu": "100m", "memory": "100Mi", "ephemeral-storage": "10Gi" });
    let one = format!("{all}/test-pod");
    let body = Some(made.to_string());
    let answer = cluster.call(Method::PUT, &one, &[], body).await?;
    ensure!(answer.status.is_client_error(), "{}", answer.text);
    used(&cluster, "test-quota", &now).await?;
    delete_now(&cluster, &one).await?;
    let now = json!({
        "resourcequotas": "1", "pods": "0", "cpu": "0", "memory": "0", "ephemeral-storage": "0",
        format!("requests.{EXTENDED}"): "0",
    });
    used(&cluster, "test-quota", &now).await
}

fn replicated(api_version: &str, kind: &str, name: &str) -> Value {
    let labels = json!({ "name": name });
    let selector = match kind {
        "ReplicaSet" => json!({ "matchLabels": labels }),
        _ => labels.clone(),
    };
    json!({
        "apiVersion": api_version, "kind": kind, "metadata": { "name": name },
        "spec": {
            "replicas": 0, "selector": selector,
            "template": {
                "metadata": { "labels": labels },
                "spec": { "containers": [{ "name": name, "image": "nginx" }] },
            },
        },
    })
}

async fn replication_controller(cluster: Cluster) -> Result<()> {
    start(&cluster, &test_quota()).await?;
    let all = cluster.core("replicationcontrollers");
    let made = replicated("v1", "ReplicationController", "test-rc");
    cluster.create(&all, &made).await?;
    let count = |n: &str| json!({ "replicationcontrollers": n });
    used(&cluster, "test-quota", &count("1")).await?;
    let options = json!({
        "kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background",
    });
    let body = Some(options.to_string());
    let path = format!("{all}/test-rc");
    let answer = cluster.call(Method::DELETE, &path, &[], body).await?;
    ensure!(answer.status.is_success(), "{}", answer.text);
    used(&cluster, "test-quota", &count("0")).await
}

async fn replica_set(cluster: Cluster) -> Result<()> {
    start(&cluster, &test_quota()).await?;
    let count = |n: &str| json!({ "count/replicasets.apps": n });
    used(&cluster, "test-quota", &count("0")).await?;
    let all = cluster.group("apps/v1", "replicasets");
    let made = replicated("apps/v1", "ReplicaSet", "test-rs");
    cluster.create(&all, &made).await?;
    used(&cluster, "test-quota", &count("1")).await?;
    cluster.delete(&format!("{all}/test-rs")).await?;
    used(&cluster, "test-quota", &count("0")).await
}

/// A pod that is in the scope of one of two quotas.
async fn scoped(
    cluster: &Cluster,
    pod: &Value,
    [charged, free]: [&str; 2],
    now: &Value,
) -> Result<()> {
    let all = cluster.core("pods");
    cluster.create(&all, pod).await?;
    used(cluster, charged, now).await?;
    let mut nothing = now.clone();
    for value in nothing.as_object_mut().into_iter().flatten() {
        *value.1 = json!("0");
    }
    used(cluster, free, &nothing).await?;
    let name = text(pod, "/metadata/name")?;
    delete_now(cluster, &format!("{all}/{name}")).await?;
    used(cluster, charged, &nothing).await
}

async fn make_scoped(cluster: &Cluster, name: &str, scope: &str, mut hard: Value) -> Result<()> {
    hard["pods"] = json!("5");
    let mut quota = quota(name, &hard);
    quota["spec"]["scopes"] = json!([scope]);
    let quotas = cluster.core("resourcequotas");
    cluster.create(&quotas, &quota).await?;
    used(cluster, name, &json!({ "pods": "0" })).await
}

async fn terminating(cluster: Cluster) -> Result<()> {
    let hard = json!({
        "requests.cpu": "1", "requests.memory": "500Mi",
        "limits.cpu": "2", "limits.memory": "1Gi",
    });
    let (short, long) = ("quota-terminating", "quota-not-terminating");
    make_scoped(&cluster, short, "Terminating", hard.clone()).await?;
    make_scoped(&cluster, long, "NotTerminating", hard).await?;
    let requests = json!({ "cpu": "500m", "memory": "200Mi" });
    let limits = json!({ "cpu": "1", "memory": "400Mi" });
    let now = json!({
        "pods": "1", "requests.cpu": "500m", "requests.memory": "200Mi",
        "limits.cpu": "1", "limits.memory": "400Mi",
    });
    let pod = pods("test-pod", &requests, &limits);
    scoped(&cluster, &pod, [long, short], &now).await?;
    let mut pod = pods("terminating-pod", &requests, &limits);
    pod["spec"]["activeDeadlineSeconds"] = json!(3600);
    scoped(&cluster, &pod, [short, long], &now).await
}

async fn best_effort(cluster: Cluster) -> Result<()> {
    let (least, more) = ("quota-besteffort", "quota-not-besteffort");
    make_scoped(&cluster, least, "BestEffort", json!({})).await?;
    make_scoped(&cluster, more, "NotBestEffort", json!({})).await?;
    let now = json!({ "pods": "1" });
    let pod = pods("pfpod", &json!({}), &json!({}));
    scoped(&cluster, &pod, [least, more], &now).await?;
    let requests = json!({ "cpu": "500m", "memory": "200Mi" });
    let limits = json!({ "cpu": "1", "memory": "400Mi" });
    let pod = pods("burstable-pod", &requests, &limits);
    scoped(&cluster, &pod, [more, least], &now).await
}

async fn update_and_delete(cluster: Cluster) -> Result<()> {
    let quotas = cluster.core("resourcequotas");
    let mut object = quota("test-quota", &json!({ "cpu": "1", "memory": "500Mi" }));
    cluster.create(&quotas, &object).await?;
    let one = format!("{quotas}/test-quota");
    let hard = |found: &Value| found["spec"]["hard"].clone();
    ensure!(hard(&cluster.get(&one).await?) == json!({ "cpu": "1", "memory": "500Mi" }));
    let more = json!({ "cpu": "2", "memory": "1Gi" });
    object["spec"]["hard"] = more.clone();
    ensure!(hard(&cluster.update(&one, &object).await?) == more);
    ensure!(hard(&cluster.get(&one).await?) == more);
    cluster.delete(&one).await?;
    cluster
        .refused(Method::GET, &one, None, 404, "NotFound")
        .await?;
    Ok(())
}

async fn lifecycle(cluster: Cluster) -> Result<()> {
    let name = "e2e-quota-life";
    let quotas = cluster.core("resourcequotas");
    let mut object = quota(name, &json!({ "cpu": "1", "memory": "500Mi" }));
    object["metadata"]["labels"] = json!({ "e2e-rq-label": name });
    cluster.create(&quotas, &object).await?;
    let selected = format!("labelSelector=e2e-rq-label%3D{name}");
    let all = cluster
        .list(&format!("/api/v1/resourcequotas?{selected}"))
        .await?;
    ensure!(all.len() == 1, "{all:?}");
    let patch = json!({
        "metadata": { "labels": { name: "patched" } },
        "spec": { "hard": { "memory": "750Mi" } },
    });
    let one = format!("{quotas}/{name}");
    let patched = cluster.patch(&one, Patch::Strategic, &patch).await?;
    ensure!(patched["metadata"]["labels"][name] == "patched");
    ensure!(patched["spec"]["hard"]["memory"] == "750Mi");
    cluster.delete(&format!("{quotas}?{selected}")).await?;
    cluster
        .refused(Method::GET, &one, None, 404, "NotFound")
        .await?;
    Ok(())
}

async fn status(cluster: Cluster) -> Result<()> {
    let name = "e2e-rq-status";
    let quotas = cluster.core("resourcequotas");
    let selected = format!("labelSelector=e2e-rq-label%3D{name}");
    let everywhere = format!("/api/v1/resourcequotas?{selected}");
    let watch_from = |list: Value| {
        let (cluster, path) = (cluster.clone(), format!("{quotas}?{selected}"));
        async move {
            let from = text(&list, "/metadata/resourceVersion")?;
            cluster
                .watch(&format!("{path}&resourceVersion={from}"))
                .await
        }
    };
    let has = |object: &Value, hard: &Value| object["status"]["hard"] == *hard;
    let mut watch = watch_from(cluster.get(&everywhere).await?).await?;
    let hard = json!({ "cpu": "500m", "memory": "500Mi" });
    let mut object = quota(name, &hard);
    object["metadata"]["labels"] = json!({ "e2e-rq-label": name });
    cluster.create(&quotas, &object).await?;
    let (one, state) = (
        format!("{quotas}/{name}"),
        format!("{quotas}/{name}/status"),
    );
    ensure!(cluster.get(&one).await?["spec"]["hard"] == hard);
    cluster
        .retry(&one, |object| {
            object["metadata"]["annotations"] = json!(null)
        })
        .await?;
    loop {
        let mut object = cluster.get(&one).await?;
        object["status"] = json!({ "hard": hard });
        let body = Some(object.to_string());
        let answer = cluster.call(Method::PUT, &state, &[], body).await?;
        if answer.status.as_u16() != 409 {
            ensure!(answer.status.is_success(), "{}", answer.text);
            break;
        }
    }
    watch.until(|_, object| has(object, &hard)).await?;

    let mut watch = watch_from(cluster.get(&everywhere).await?).await?;
    let more = json!({ "cpu": "1", "memory": "1Gi" });
    let patch = json!({ "spec": { "hard": more } });
    cluster.patch(&one, Patch::Strategic, &patch).await?;
    let patch = json!({ "status": { "hard": more } });
    cluster.patch(&state, Patch::Strategic, &patch).await?;
    watch.until(|_, object| has(object, &more)).await?;
    ensure!(has(&cluster.get(&state).await?, &more));

    let mut watch = watch_from(cluster.get(&everywhere).await?).await?;
    let most = json!({ "cpu": "2", "memory": "2Gi" });
    let patch = json!({ "status": { "hard": most } });
    let patched = cluster.patch(&state, Patch::Strategic, &patch).await?;
    ensure!(has(&patched, &most), "{patched}");
    watch.until(|_, object| has(object, &most)).await?;
    // The controller looks again at everything every five minutes, and minds changes of specs alone.
    for _ in 0..100 {
        let found = cluster.get(&one).await?;
        if has(&found, &more) && found["spec"]["hard"] == more {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    bail!("the status was not put right")
}
