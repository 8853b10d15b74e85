//! What the specs of the kinds in apps have in common: Models test/e2e/apps/{deployment,replica_set,
//! statefulset,daemon_set}.go, where they test the API of a kind on objects whose pods run.

use anyhow::{Result, ensure};
use http::Method;
use serde_json::{Value, json};

use super::specs;
use crate::cluster::{Cluster, Patch, text};

specs! {
    "[sig-apps] Deployment should run the lifecycle of a Deployment [Conformance]" => deployment,
    "[sig-apps] Deployment should validate Deployment Status endpoints [Conformance]" => deployment_status,
    "[sig-apps] Deployment Deployment should have a working scale subresource [Conformance]" => deployment_scale,
    "[sig-apps] ReplicaSet Replace and Patch tests [Conformance]" => replace_and_patch,
    "[sig-apps] ReplicaSet should validate Replicaset Status endpoints [Conformance]" => replica_set_status,
    "[sig-apps] ReplicaSet Replicaset should have a working scale subresource [Conformance]" => replica_set_scale,
    "[sig-apps] ReplicaSet should list and delete a collection of ReplicaSets [Conformance]" => replica_sets,
    "[sig-apps] ReplicaSet should adopt matching pods on creation and release no longer matching pods [Conformance]" => replica_set_adopts,
    "[sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should have a working scale subresource [Conformance]" => stateful_set_scale,
    "[sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should list, patch and delete a collection of StatefulSets [Conformance]" => stateful_sets,
    "[sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should validate Statefulset Status endpoints [Conformance]" => stateful_set_status,
    "[sig-apps] Daemon set [Serial] should list and delete a collection of DaemonSets [Conformance]" => daemon_sets,
    "[sig-apps] Daemon set [Serial] should verify changes to a daemon set status [Conformance]" => daemon_set_status,
}

const GROUP: &str = "apps/v1";
const HTTPD: &str = "registry.k8s.io/e2e-test-images/httpd:2.4.38-4";
const NGINX: &str = "registry.k8s.io/e2e-test-images/nginx:1.14-4";

/// An object whose pods are labelled so.
fn workload(kind: &str, name: &str, labels: &Value, replicas: u32) -> Value {
    let mut object = json!({
        "apiVersion": GROUP, "kind": kind,
        "metadata": { "name": name, "creationTimestamp": null, "labels": labels },
        "spec": {
            "selector": { "matchLabels": labels },
            "template": {
                "metadata": { "creationTimestamp": null, "labels": labels },
                "spec": {
                    "terminationGracePeriodSeconds": 0,
                    "containers": [{
                        "name": "httpd", "image": HTTPD, "resources": {},
                        "securityContext": {},
                    }],
                },
            },
        },
    });
    match kind {
        "DaemonSet" => {}
        "StatefulSet" => {
            object["spec"]["replicas"] = json!(replicas);
            object["spec"]["serviceName"] = json!("test");
        }
        _ => object["spec"]["replicas"] = json!(replicas),
    }
    object
}

/// Waits until so many replicas are ready.
async fn ready(cluster: &Cluster, path: &str, replicas: u64) -> Result<()> {
    cluster
        .until(path, |object| {
            object.is_some_and(|object| {
                let status = &object["status"];
                status["observedGeneration"] == object["metadata"]["generation"]
                    && status["readyReplicas"].as_u64().unwrap_or(0) == replicas
                    && status["replicas"].as_u64().unwrap_or(0) == replicas
            })
        })
        .await?;
    Ok(())
}

/// Status read, updated and patched, with what watchers see of that.
async fn status(cluster: &Cluster, resource: &str, name: &str) -> Result<()> {
    let all = cluster.group(GROUP, resource);
    let one = format!("{all}/{name}");
    let state = format!("{one}/status");
    let version = text(&cluster.get(&all).await?, "/metadata/resourceVersion")?;
    let mut watch = cluster
        .watch(&format!("{all}?resourceVersion={version}"))
        .await?;
    let found = cluster.get(&state).await?;
    ensure!(found["metadata"]["name"] == name);
    let condition = json!({
        "type": "StatusUpdate", "status": "True", "lastUpdateTime": null,
        "lastTransitionTime": null, "reason": "E2E", "message": "Set from e2e test",
    });
    let mut condition = condition;
    if resource != "deployments"
        && let Some(fields) = condition.as_object_mut()
    {
        fields.remove("lastUpdateTime");
    }
    cluster
        .retry(&state, |object| {
            match object["status"]["conditions"].as_array_mut() {
                Some(all) => all.push(condition.clone()),
                None => object["status"]["conditions"] = json!([condition]),
            }
        })
        .await?;
    let has = |object: &Value, kind: &str| {
        let all = object["status"]["conditions"].as_array();
        all.is_some_and(|all| all.iter().any(|one| one["type"] == kind))
    };
    watch
        .until(|_, object| has(object, "StatusUpdate") && object["metadata"]["name"] == name)
        .await?;
    let patch = json!({ "status": { "conditions": [
        { "type": "StatusPatched", "status": "True" },
    ] } });
    let patched = cluster.patch(&state, Patch::Merge, &patch).await?;
    ensure!(has(&patched, "StatusPatched"), "{patched}");
    watch
        .until(|_, object| has(object, "StatusPatched"))
        .await?;
    Ok(())
}

/// The scale read, updated and patched.
async fn scale(cluster: &Cluster, resource: &str, name: &str) -> Result<()> {
    let one = format!("{}/{name}", cluster.group(GROUP, resource));
    let path = format!("{one}/scale");
    let mut scale = cluster.get(&path).await?;
    ensure!(
        scale["kind"] == "Scale" && scale["spec"]["replicas"] == 1,
        "{scale}"
    );
    ensure!(scale["status"]["replicas"] == 1, "{scale}");
    scale["metadata"]["resourceVersion"] = json!("");
    scale["spec"]["replicas"] = json!(2);
    let updated = cluster.update(&path, &scale).await?;
    ensure!(updated["spec"]["replicas"] == 2, "{updated}");
    let found = cluster.get(&one).await?;
    ensure!(found["spec"]["replicas"] == 2, "{found}");
    let patch = json!({
        "apiVersion": "autoscaling/v1", "kind": "Scale",
        "metadata": { "creationTimestamp": null }, "spec": { "replicas": 4 },
        "status": { "replicas": 0 },
    });
    let patched = cluster.patch(&path, Patch::Strategic, &patch).await?;
    ensure!(patched["spec"]["replicas"] == 4, "{patched}");
    let found = cluster.get(&one).await?;
    ensure!(found["spec"]["replicas"] == 4, "{found}");
    Ok(())
}

async fn create(cluster: &Cluster, resource: &str, object: &Value) -> Result<String> {
    let all = cluster.group(GROUP, resource);
    let made = cluster.create(&all, object).await?;
    Ok(format!("{all}/{}", text(&made, "/metadata/name")?))
}

async fn deployment(cluster: Cluster) -> Result<()> {
    let all = cluster.group(GROUP, "deployments");
    let everywhere = "/apis/apps/v1/deployments?labelSelector=test-deployment-static%3Dtrue";
    let version = text(&cluster.get(everywhere).await?, "/metadata/resourceVersion")?;
    let selected = format!("{all}?labelSelector=test-deployment-static%3Dtrue");
    let from = format!("{selected}&resourceVersion={version}");
    let mut watch = cluster.watch(&from).await?;
    let mut object = workload(
        "Deployment",
        "test-deployment",
        &json!({ "test-deployment-static": "true" }),
        2,
    );
    object["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = json!(1);
    object["spec"]["template"]["spec"]["containers"][0]["image"] =
        json!("registry.k8s.io/e2e-test-images/agnhost:2.56");
    let one = create(&cluster, "deployments", &object).await?;
    watch.until(|kind, _| kind == "ADDED").await?;
    let running = |object: &Value, replicas: u64| {
        object["status"]["availableReplicas"] == replicas
            && object["status"]["readyReplicas"] == replicas
    };
    watch.until(|_, object| running(object, 2)).await?;

    let patch = json!({
        "metadata": { "labels": { "test-deployment": "patched" } },
        "spec": {
            "replicas": 1,
            "template": { "spec": {
                "terminationGracePeriodSeconds": 1,
                "containers": [{ "name": "httpd", "image": NGINX }],
            } },
        },
    });
    cluster.patch(&one, Patch::Strategic, &patch).await?;
    let patched = |object: &Value| object["metadata"]["labels"]["test-deployment"] == "patched";
    watch
        .until(|_, object| {
            patched(object) && running(object, 1) && object["status"]["replicas"] == 1
        })
        .await?;
    let listed = cluster.list(everywhere).await?;
    ensure!(listed.len() == 1 && patched(&listed[0]));
    let image = &listed[0]["spec"]["template"]["spec"]["containers"][0]["image"];
    ensure!(*image == NGINX, "{image}");

    // The status by an update, which a controller may be faster than.
    let state = format!("{one}/status");
    cluster
        .retry(&state, |object| {
            object["metadata"]["labels"]["test-deployment"] = json!("updated");
            object["spec"]["template"]["spec"]["containers"][0]["image"] = json!(HTTPD);
            object["status"]["readyReplicas"] = json!(2);
        })
        .await?;
    let found = cluster.get(&one).await?;
    let image = &found["spec"]["template"]["spec"]["containers"][0]["image"];
    ensure!(
        *image == NGINX,
        "an update of status leaves what is wished for: {image}"
    );
    cluster
        .retry(&one, |object| {
            object["metadata"]["labels"]["test-deployment"] = json!("updated");
            object["spec"]["template"]["spec"]["containers"][0]["image"] = json!(HTTPD);
            object["spec"]["replicas"] = json!(2);
        })
        .await?;
    watch
        .until(|kind, object| kind == "MODIFIED" && running(object, 2))
        .await?;
    let patch = json!({
        "metadata": { "labels": { "test-deployment": "patched-status" } },
        "status": { "readyReplicas": 0 },
    });
    cluster.patch(&state, Patch::Strategic, &patch).await?;
    watch
        .until(|_, object| object["status"]["readyReplicas"].as_u64().unwrap_or(0) == 0)
        .await?;
    cluster.get(&state).await?;
    watch.until(|_, object| running(object, 2)).await?;
    cluster.delete(&selected).await?;
    watch.until(|kind, _| kind == "DELETED").await?;
    Ok(())
}

async fn deployment_status(cluster: Cluster) -> Result<()> {
    let labels = json!({ "name": "httpd", "e2e": "testing" });
    let object = workload("Deployment", "test-deployment", &labels, 1);
    let one = create(&cluster, "deployments", &object).await?;
    ready(&cluster, &one, 1).await?;
    status(&cluster, "deployments", "test-deployment").await
}

async fn deployment_scale(cluster: Cluster) -> Result<()> {
    let labels = json!({ "name": "httpd" });
    let object = workload("Deployment", "test-new-deployment", &labels, 1);
    let one = create(&cluster, "deployments", &object).await?;
    ready(&cluster, &one, 1).await?;
    scale(&cluster, "deployments", "test-new-deployment").await?;
    ready(&cluster, &one, 4).await
}

async fn replace_and_patch(cluster: Cluster) -> Result<()> {
    let labels = json!({ "app": "sample-pod", "name": "sample-pod" });
    let mut object = workload("ReplicaSet", "test-rs", &labels, 1);
    object["metadata"]["labels"] = json!({ "app": "sample-pod", "name": "sample-pod" });
    let one = create(&cluster, "replicasets", &object).await?;
    ready(&cluster, &one, 1).await?;
    let path = format!("{one}/scale");
    let mut scale = cluster.get(&path).await?;
    scale["metadata"]["resourceVersion"] = json!("");
    scale["spec"]["replicas"] = json!(2);
    cluster.update(&path, &scale).await?;
    ready(&cluster, &one, 2).await?;
    let all = cluster.group(GROUP, "replicasets");
    let mut watch = cluster
        .watch(&format!("{all}?labelSelector=app%3Dsample-pod"))
        .await?;
    let patch = json!({
        "metadata": { "labels": { "test-rs": "patched" } },
        "spec": {
            "replicas": 3,
            "template": { "spec": {
                "terminationGracePeriodSeconds": 0,
                "containers": [{ "name": "httpd", "image": NGINX }],
            } },
        },
    });
    cluster.patch(&one, Patch::Strategic, &patch).await?;
    watch
        .until(|_, object| {
            object["metadata"]["labels"]["test-rs"] == "patched"
                && object["status"]["readyReplicas"] == 3
                && object["status"]["availableReplicas"] == 3
                && object["spec"]["replicas"] == 3
        })
        .await?;
    Ok(())
}

async fn replica_set_status(cluster: Cluster) -> Result<()> {
    let labels = json!({ "app": "httpd" });
    let object = workload("ReplicaSet", "test-rs", &labels, 1);
    let one = create(&cluster, "replicasets", &object).await?;
    ready(&cluster, &one, 1).await?;
    status(&cluster, "replicasets", "test-rs").await
}

async fn replica_set_scale(cluster: Cluster) -> Result<()> {
    let labels = json!({ "name": "httpd" });
    let object = workload("ReplicaSet", "test-rs", &labels, 1);
    let one = create(&cluster, "replicasets", &object).await?;
    ready(&cluster, &one, 1).await?;
    scale(&cluster, "replicasets", "test-rs").await
}

async fn replica_sets(cluster: Cluster) -> Result<()> {
    let labels = json!({ "app": "httpd", "e2e": "e2e-test" });
    let object = workload("ReplicaSet", "test-rs", &labels, 3);
    let one = create(&cluster, "replicasets", &object).await?;
    ready(&cluster, &one, 3).await?;
    let everywhere = "/apis/apps/v1/replicasets?labelSelector=e2e%3De2e-test";
    ensure!(cluster.list(everywhere).await?.len() == 1);
    let selected = cluster.group(GROUP, "replicasets?labelSelector=e2e%3De2e-test");
    cluster.delete(&selected).await?;
    ensure!(cluster.list(everywhere).await?.is_empty());
    Ok(())
}

async fn replica_set_adopts(cluster: Cluster) -> Result<()> {
    let name = "pod-adoption-release";
    let pods = cluster.core("pods");
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": name, "labels": { "name": name } },
        "spec": { "containers": [{ "name": name, "image": HTTPD }] },
    });
    cluster.create(&pods, &pod).await?;
    let one = format!("{pods}/{name}");
    cluster
        .until(&one, |pod| {
            pod.is_some_and(|pod| pod["status"]["phase"] == "Running")
        })
        .await?;
    let object = workload("ReplicaSet", name, &json!({ "name": name }), 1);
    let set = create(&cluster, "replicasets", &object).await?;
    let uid = cluster.get(&set).await?["metadata"]["uid"].clone();
    let owned = |pod: Option<&Value>| {
        let owners = pod.and_then(|pod| pod["metadata"]["ownerReferences"].as_array());
        owners.is_some_and(|all| {
            all.iter()
                .any(|owner| owner["controller"] == true && owner["uid"] == uid)
        })
    };
    cluster.until(&one, owned).await?;
    cluster
        .retry(&one, |pod| {
            pod["metadata"]["labels"] = json!({ "name": "not-matching-name" })
        })
        .await?;
    cluster.until(&one, |pod| !owned(pod)).await?;
    ready(&cluster, &set, 1).await
}

/// The Service that every spec of StatefulSets begins with.
pub(super) async fn service_of_set(cluster: &Cluster, labels: &Value) -> Result<()> {
    let service = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": { "name": "test", "labels": labels },
        "spec": {
            "clusterIP": "None", "selector": labels,
            "ports": [{ "port": 80, "name": "http", "protocol": "TCP" }],
        },
    });
    cluster.create(&cluster.core("services"), &service).await?;
    Ok(())
}

async fn stateful_set(cluster: &Cluster, labels: &Value) -> Result<String> {
    service_of_set(cluster, labels).await?;
    let object = workload("StatefulSet", "ss", labels, 1);
    let one = create(cluster, "statefulsets", &object).await?;
    ready(cluster, &one, 1).await?;
    Ok(one)
}

async fn stateful_set_scale(cluster: Cluster) -> Result<()> {
    stateful_set(&cluster, &json!({ "foo": "bar", "baz": "blah" })).await?;
    scale(&cluster, "statefulsets", "ss").await
}

async fn stateful_sets(cluster: Cluster) -> Result<()> {
    let one = stateful_set(&cluster, &json!({ "foo": "bar", "e2e": "testing" })).await?;
    let patch = json!({
        "metadata": { "labels": { "test-ss": "patched" } },
        "spec": { "replicas": 2, "template": { "spec": {
            "terminationGracePeriodSeconds": 0,
            "containers": [{ "name": "httpd", "image": NGINX }],
        } } },
    });
    let patched = cluster.patch(&one, Patch::Strategic, &patch).await?;
    ensure!(patched["metadata"]["labels"]["test-ss"] == "patched");
    cluster
        .until(&one, |set| {
            set.is_some_and(|set| {
                let status = &set["status"];
                set["spec"]["replicas"] == 2
                    && status["readyReplicas"] == 2
                    && status["updatedReplicas"] == 2
                    && status["currentRevision"] == status["updateRevision"]
            })
        })
        .await?;
    let everywhere = "/apis/apps/v1/statefulsets?labelSelector=test-ss%3Dpatched";
    ensure!(cluster.list(everywhere).await?.len() == 1);
    let selected = cluster.group(GROUP, "statefulsets?labelSelector=test-ss%3Dpatched");
    let options = json!({
        "kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0,
        "propagationPolicy": "Background",
    });
    let answer = cluster
        .call(Method::DELETE, &selected, &[], Some(options.to_string()))
        .await?;
    ensure!(answer.status == 200, "{}", answer.text);
    cluster.until_gone(&one).await
}

async fn stateful_set_status(cluster: Cluster) -> Result<()> {
    stateful_set(&cluster, &json!({ "foo": "bar", "e2e": "testing" })).await?;
    status(&cluster, "statefulsets", "ss").await
}

async fn daemon_set(cluster: &Cluster) -> Result<String> {
    let labels = json!({ "daemonset-name": "daemon-set" });
    let object = workload("DaemonSet", "daemon-set", &labels, 0);
    let one = create(cluster, "daemonsets", &object).await?;
    cluster
        .until(&one, |set| {
            set.is_some_and(|set| {
                let status = &set["status"];
                status["desiredNumberScheduled"] == 2
                    && status["currentNumberScheduled"] == 2
                    && status["numberReady"] == 2
            })
        })
        .await?;
    Ok(one)
}

async fn daemon_sets(cluster: Cluster) -> Result<()> {
    let one = daemon_set(&cluster).await?;
    let everywhere = "/apis/apps/v1/daemonsets?labelSelector=daemonset-name%3Ddaemon-set";
    ensure!(cluster.list(everywhere).await?.len() == 1);
    cluster
        .delete(&cluster.group(
            GROUP,
            "daemonsets?labelSelector=daemonset-name%3Ddaemon-set",
        ))
        .await?;
    cluster.until_gone(&one).await
}

async fn daemon_set_status(cluster: Cluster) -> Result<()> {
    daemon_set(&cluster).await?;
    status(&cluster, "daemonsets", "daemon-set").await
}
