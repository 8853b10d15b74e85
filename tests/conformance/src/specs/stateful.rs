//! Models test/e2e/apps/statefulset.go, where it follows the pods of a StatefulSet.

use anyhow::{Result, ensure};
use http::Method;
use serde_json::{Value, json};

use super::specs;
use super::workloads::service_of_set;
use crate::cluster::{Cluster, text};

specs! {
    "[sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should perform rolling updates and roll backs of template modifications [Conformance]" => rollback,
    "[sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should perform canary updates and phased rolling updates of template modifications [Conformance]" => canary,
    "[sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] Scaling should happen in predictable order and halt if any stateful pod is unhealthy [Slow] [Conformance]" => scaling,
    "[sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] Burst scaling should run to completion even with unhealthy pods [Slow] [Conformance]" => burst,
    "[sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] Should recreate evicted statefulset [Conformance]" => evicted,
}

const HTTPD: &str = "registry.k8s.io/e2e-test-images/httpd:2.4.38-4";
const NEWER: &str = "registry.k8s.io/e2e-test-images/httpd:2.4.39-4";
const PORT: u16 = 21017;

/// A StatefulSet with its Service, as every spec of it begins.
async fn create(cluster: &Cluster, name: &str, replicas: u64, spec: &Value) -> Result<String> {
    let labels = json!({ "foo": "bar", "baz": "blah" });
    service_of_set(cluster, &labels).await?;
    let mut set = json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": { "name": name, "creationTimestamp": null },
        "spec": {
            "selector": { "matchLabels": labels }, "replicas": replicas, "serviceName": "test",
            "template": {
                "metadata": { "labels": labels, "annotations": {}, "creationTimestamp": null },
                "spec": {
                    "containers": [{
                        "name": "webserver", "image": HTTPD, "resources": {},
                        "readinessProbe": {
                            "httpGet": { "path": "/index.html", "port": 80 },
                            "periodSeconds": 1, "successThreshold": 1, "failureThreshold": 1,
                        },
                    }],
                    "volumes": null,
                },
            },
            "updateStrategy": { "type": "RollingUpdate" },
        },
        "status": { "replicas": 0, "availableReplicas": 0 },
    });
    for (key, value) in spec.as_object().into_iter().flatten() {
        set["spec"][key] = value.clone();
    }
    let all = cluster.group("apps/v1", "statefulsets");
    cluster.create(&all, &set).await?;
    Ok(format!("{all}/{name}"))
}

async fn pods(cluster: &Cluster) -> Result<Vec<Value>> {
    let selected = cluster.core("pods?labelSelector=foo%3Dbar%2Cbaz%3Dblah");
    let mut pods = cluster.list(&selected).await?;
    pods.sort_by_key(|pod| pod["metadata"]["name"].to_string());
    Ok(pods)
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    let mut conditions = conditions.into_iter().flatten();
    conditions.any(|one| one["type"] == "Ready" && one["status"] == "True")
}

/// Waits until so many pods run, all of them ready, or none.
async fn running(cluster: &Cluster, count: usize, ready: bool) -> Result<()> {
    let selected = cluster.core("pods?labelSelector=foo%3Dbar%2Cbaz%3Dblah");
    cluster
        .until(&selected, |list| {
            let pods = list.and_then(|list| list["items"].as_array());
            pods.is_some_and(|pods| {
                pods.len() == count
                    && pods.iter().all(|pod| {
                        pod["status"]["phase"] == "Running"
                            && pod["metadata"]["deletionTimestamp"].is_null()
                            && is_ready(pod) == ready
                    })
            })
        })
        .await?;
    Ok(())
}

/// The set once its controller has seen its last change.
async fn observed(cluster: &Cluster, one: &str) -> Result<Value> {
    let seen = |set: Option<&Value>| {
        set.is_some_and(|set| set["status"]["observedGeneration"] == set["metadata"]["generation"])
    };
    Ok(cluster.until(one, seen).await?.unwrap_or_default())
}

fn revisions(set: &Value) -> Result<(String, String)> {
    let of = |field: &str| text(set, &format!("/status/{field}"));
    Ok((of("currentRevision")?, of("updateRevision")?))
}

async fn set_image(cluster: &Cluster, one: &str, image: &str) -> Result<Value> {
    cluster
        .retry(one, |set| {
            set["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image);
        })
        .await?;
    observed(cluster, one).await
}

/// That each pod has this image and is of this revision.
fn are(pods: &[Value], image: &str, revision: &str) -> Result<()> {
    for pod in pods {
        let label = &pod["metadata"]["labels"]["controller-revision-hash"];
        ensure!(
            pod["spec"]["containers"][0]["image"] == image && *label == revision,
            "{pod} should have {image} of {revision}"
        );
    }
    Ok(())
}

/// Waits until the pods from the partition on are updated and ready, and the status says so.
async fn updated(cluster: &Cluster, one: &str, partition: usize) -> Result<Value> {
    let found = cluster
        .until(one, |set| {
            set.is_some_and(|set| {
                let status = &set["status"];
                let replicas = set["spec"]["replicas"].as_u64().unwrap_or(0);
                let new = status["updatedReplicas"].as_u64().unwrap_or(0);
                status["observedGeneration"] == set["metadata"]["generation"]
                    && status["readyReplicas"] == replicas
                    && match partition {
                        0 => status["currentRevision"] == status["updateRevision"],
                        partition => new == replicas - partition as u64,
                    }
            })
        })
        .await?;
    running(cluster, 3, true).await?;
    Ok(found.unwrap_or_default())
}

async fn delete_pod(cluster: &Cluster, name: &str) -> Result<()> {
    let options = json!({ "kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0 });
    let path = cluster.core(&format!("pods/{name}"));
    let body = Some(options.to_string());
    let gone = cluster.call(Method::DELETE, &path, &[], body).await?;
    ensure!(gone.status.is_success(), "{}", gone.text);
    Ok(())
}

async fn move_page(cluster: &Cluster, pod: &str, back: bool) -> Result<()> {
    let (page, away) = ("/usr/local/apache2/htdocs/index.html", "/tmp/index.html");
    let command = match back {
        false => format!("mv -v {page} /tmp/ || true"),
        true => format!("mv -v {away} /usr/local/apache2/htdocs/ || true"),
    };
    cluster.exec(pod, &command).await?;
    Ok(())
}

async fn move_pages(cluster: &Cluster, back: bool) -> Result<()> {
    for pod in pods(cluster).await? {
        move_page(cluster, &text(&pod, "/metadata/name")?, back).await?;
    }
    Ok(())
}

/// Updates the set, rolls it back, both with a pod that is ill meanwhile.
async fn rollback(cluster: Cluster) -> Result<()> {
    let one = create(&cluster, "ss2", 3, &json!({})).await?;
    running(&cluster, 3, true).await?;
    let set = observed(&cluster, &one).await?;
    let (first, same) = revisions(&set)?;
    ensure!(first == same, "{set}");
    are(&pods(&cluster).await?, HTTPD, &first)?;
    move_page(&cluster, "ss2-1", false).await?;
    let selected = cluster.core("pods/ss2-1");
    cluster
        .until(&selected, |pod| pod.is_some_and(|pod| !is_ready(pod)))
        .await?;
    let set = set_image(&cluster, &one, NEWER).await?;
    let (current, second) = revisions(&set)?;
    ensure!(current == first && second != first, "{set}");
    move_page(&cluster, "ss2-1", true).await?;
    updated(&cluster, &one, 0).await?;
    are(&pods(&cluster).await?, NEWER, &second)?;

    move_page(&cluster, "ss2-1", false).await?;
    cluster
        .until(&selected, |pod| pod.is_some_and(|pod| !is_ready(pod)))
        .await?;
    let set = set_image(&cluster, &one, HTTPD).await?;
    let (current, update) = revisions(&set)?;
    ensure!(current == second && update == first, "{set}");
    move_page(&cluster, "ss2-1", true).await?;
    updated(&cluster, &one, 0).await?;
    are(&pods(&cluster).await?, HTTPD, &first)
}

async fn set_partition(cluster: &Cluster, one: &str, partition: usize) -> Result<()> {
    cluster
        .retry(one, |set| {
            set["spec"]["updateStrategy"] = json!({
                "type": "RollingUpdate", "rollingUpdate": { "partition": partition },
            });
        })
        .await?;
    Ok(())
}

async fn canary(cluster: Cluster) -> Result<()> {
    let partition = json!({ "updateStrategy": {
        "type": "RollingUpdate", "rollingUpdate": { "partition": 3 },
    } });
    let one = create(&cluster, "ss2", 3, &partition).await?;
    running(&cluster, 3, true).await?;
    let (old, same) = revisions(&observed(&cluster, &one).await?)?;
    ensure!(old == same);
    are(&pods(&cluster).await?, HTTPD, &old)?;
    let (current, new) = revisions(&set_image(&cluster, &one, NEWER).await?)?;
    ensure!(current == old && new != old);
    are(&pods(&cluster).await?, HTTPD, &old)?;

    set_partition(&cluster, &one, 2).await?;
    updated(&cluster, &one, 2).await?;
    let split = |all: Vec<Value>, at: usize| -> Result<()> {
        are(&all[..at], HTTPD, &old)?;
        are(&all[at..], NEWER, &new)
    };
    split(pods(&cluster).await?, 2)?;
    delete_pod(&cluster, "ss2-0").await?;
    delete_pod(&cluster, "ss2-2").await?;
    running(&cluster, 3, true).await?;
    split(pods(&cluster).await?, 2)?;
    for at in [1, 0] {
        set_partition(&cluster, &one, at).await?;
        updated(&cluster, &one, at).await?;
        split(pods(&cluster).await?, at)?;
    }
    let (current, update) = revisions(&cluster.get(&one).await?)?;
    ensure!(current == new && update == new);
    Ok(())
}

async fn set_replicas(cluster: &Cluster, one: &str, replicas: u64) -> Result<()> {
    cluster
        .retry(one, |set| set["spec"]["replicas"] = json!(replicas))
        .await?;
    Ok(())
}

/// That as many pods are there for a while.
async fn stays(cluster: &Cluster, count: usize) -> Result<()> {
    for _ in 0..10 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        let found = pods(cluster).await?.len();
        ensure!(found == count, "{found} pods instead of {count}");
    }
    Ok(())
}

async fn none_ready(cluster: &Cluster, one: &str) -> Result<()> {
    cluster
        .until(one, |set| {
            set.is_some_and(|set| set["status"]["readyReplicas"].as_u64().unwrap_or(0) == 0)
        })
        .await?;
    Ok(())
}

async fn scaling(cluster: Cluster) -> Result<()> {
    let selected = cluster.core("pods?labelSelector=foo%3Dbar%2Cbaz%3Dblah");
    let version = text(&cluster.get(&selected).await?, "/metadata/resourceVersion")?;
    let from = format!("{selected}&resourceVersion={version}");
    let mut watch = cluster.watch(&from).await?;
    let one = create(&cluster, "ss", 1, &json!({})).await?;
    running(&cluster, 1, true).await?;
    move_pages(&cluster, false).await?;
    running(&cluster, 1, false).await?;
    none_ready(&cluster, &one).await?;
    set_replicas(&cluster, &one, 3).await?;
    stays(&cluster, 1).await?;
    move_pages(&cluster, true).await?;
    running(&cluster, 3, true).await?;
    for name in ["ss-0", "ss-1", "ss-2"] {
        let (_, pod) = watch.until(|kind, _| kind == "ADDED").await?;
        ensure!(pod["metadata"]["name"] == name, "{pod}");
    }
    move_pages(&cluster, false).await?;
    none_ready(&cluster, &one).await?;
    running(&cluster, 3, false).await?;
    set_replicas(&cluster, &one, 0).await?;
    stays(&cluster, 3).await?;
    for pod in pods(&cluster).await? {
        // The last may be gone by now: it is the only one that is ill.
        let _ = move_page(&cluster, &text(&pod, "/metadata/name")?, true).await;
    }
    for name in ["ss-2", "ss-1", "ss-0"] {
        let (_, pod) = watch.until(|kind, _| kind == "DELETED").await?;
        ensure!(pod["metadata"]["name"] == name, "{pod}");
    }
    running(&cluster, 0, true).await
}

async fn burst(cluster: Cluster) -> Result<()> {
    let one = create(
        &cluster,
        "ss",
        1,
        &json!({ "podManagementPolicy": "Parallel" }),
    )
    .await?;
    running(&cluster, 1, true).await?;
    move_pages(&cluster, false).await?;
    running(&cluster, 1, false).await?;
    none_ready(&cluster, &one).await?;
    set_replicas(&cluster, &one, 3).await?;
    let selected = cluster.core("pods?labelSelector=foo%3Dbar%2Cbaz%3Dblah");
    let counts = |count: usize| {
        move |list: Option<&Value>| {
            let pods = list.and_then(|list| list["items"].as_array());
            pods.is_some_and(|pods| pods.len() == count)
        }
    };
    cluster.until(&selected, counts(3)).await?;
    move_pages(&cluster, true).await?;
    running(&cluster, 3, true).await?;
    move_pages(&cluster, false).await?;
    none_ready(&cluster, &one).await?;
    running(&cluster, 3, false).await?;
    set_replicas(&cluster, &one, 0).await?;
    cluster.until(&selected, counts(0)).await?;
    cluster
        .until(&one, |set| {
            set.is_some_and(|set| set["status"]["replicas"].as_u64().unwrap_or(0) == 0)
        })
        .await?;
    Ok(())
}

async fn evicted(cluster: Cluster) -> Result<()> {
    let nodes = cluster.list("/api/v1/nodes").await?;
    let node = nodes.iter().find(|node| node["spec"]["taints"].is_null());
    let node = node.map_or(Ok(String::new()), |node| text(node, "/metadata/name"))?;
    let ports = json!([{ "hostPort": PORT, "containerPort": PORT, "name": "conflict" }]);
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "test-pod" },
        "spec": {
            "nodeName": node,
            "containers": [{ "name": "webserver", "image": HTTPD, "ports": ports }],
        },
    });
    cluster.create(&cluster.core("pods"), &pod).await?;
    cluster
        .until(&cluster.core("pods/test-pod"), |pod| {
            pod.is_some_and(|pod| pod["status"]["phase"] == "Running")
        })
        .await?;
    let labels = json!({ "foo": "bar", "baz": "blah" });
    let template = json!({ "template": {
        "metadata": { "labels": labels },
        "spec": {
            "nodeName": node,
            "containers": [{ "name": "webserver", "image": HTTPD, "ports": ports }],
        },
    } });
    create(&cluster, "ss", 1, &template).await?;
    let selected = cluster.core("pods?fieldSelector=metadata.name%3Dss-0");
    let list = cluster.get(&selected).await?;
    let version = text(&list, "/metadata/resourceVersion")?;
    let from = format!("{selected}&resourceVersion={version}");
    let mut watch = cluster.watch(&from).await?;
    let (_, gone) = watch.until(|kind, _| kind == "DELETED").await?;
    delete_pod(&cluster, "test-pod").await?;
    cluster
        .until(&cluster.core("pods/ss-0"), |pod| {
            pod.is_some_and(|pod| {
                pod["status"]["phase"] == "Running"
                    && pod["metadata"]["uid"] != gone["metadata"]["uid"]
            })
        })
        .await?;
    Ok(())
}
