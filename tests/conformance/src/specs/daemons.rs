//! Models test/e2e/apps/daemon_set.go, where it follows the pods of a DaemonSet.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::specs;
use crate::cluster::{Cluster, Patch, text};

specs! {
    "[sig-apps] Daemon set [Serial] should run and stop simple daemon [Conformance]" => simple,
    "[sig-apps] Daemon set [Serial] should run and stop complex daemon [Conformance]" => complex,
    "[sig-apps] Daemon set [Serial] should retry creating failed daemon pods [Conformance]" => failed,
    "[sig-apps] Daemon set [Serial] should update pod when spec was updated and update strategy is RollingUpdate [Conformance]" => rolling,
    "[sig-apps] Daemon set [Serial] should rollback without unnecessary restarts [Conformance]" => rollback,
}

const NAME: &str = "daemon-set";
const HTTPD: &str = "registry.k8s.io/e2e-test-images/httpd:2.4.38-4";
const AGNHOST: &str = "registry.k8s.io/e2e-test-images/agnhost:2.56";
const COLOR: &str = "daemonset-color";

async fn create(cluster: &Cluster, spec: &Value) -> Result<(String, Value)> {
    let labels = json!({ "daemonset-name": NAME });
    let mut set = json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": { "name": NAME, "creationTimestamp": null },
        "spec": {
            "selector": { "matchLabels": labels },
            "template": {
                "metadata": { "creationTimestamp": null, "labels": labels },
                "spec": { "containers": [{
                    "name": "app", "image": HTTPD, "ports": [{ "containerPort": 9376 }],
                    "resources": {}, "securityContext": {},
                }] },
            },
            "updateStrategy": {},
        },
        "status": {
            "currentNumberScheduled": 0, "numberMisscheduled": 0, "desiredNumberScheduled": 0,
            "numberReady": 0,
        },
    });
    for (key, value) in spec.as_object().into_iter().flatten() {
        match key.as_str() {
            "nodeSelector" => set["spec"]["template"]["spec"][key] = value.clone(),
            _ => set["spec"][key] = value.clone(),
        }
    }
    let all = cluster.group("apps/v1", "daemonsets");
    let made = cluster.create(&all, &set).await?;
    Ok((format!("{all}/{NAME}"), made))
}

fn is_controlled(pod: &Value, uid: &Value) -> bool {
    let owners = pod["metadata"]["ownerReferences"].as_array();
    let mut owners = owners.into_iter().flatten();
    owners.any(|owner| owner["controller"] == true && owner["uid"] == *uid)
}

fn is_available(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    let mut conditions = conditions.into_iter().flatten();
    pod["metadata"]["deletionTimestamp"].is_null()
        && conditions.any(|one| one["type"] == "Ready" && one["status"] == "True")
}

fn items(list: Option<&Value>) -> impl Iterator<Item = &Value> {
    let items = list.and_then(|list| list["items"].as_array());
    items.into_iter().flatten()
}

/// The nodes that the set's pods can be on.
async fn nodes(cluster: &Cluster) -> Result<BTreeSet<String>> {
    let nodes = cluster.list("/api/v1/nodes").await?;
    let free = nodes.iter().filter(|node| node["spec"]["taints"].is_null());
    free.map(|node| text(node, "/metadata/name")).collect()
}

/// Waits until one available pod is on each of the nodes and none elsewhere.
async fn runs_on(cluster: &Cluster, uid: &Value, nodes: &BTreeSet<String>) -> Result<()> {
    cluster
        .until(&cluster.core("pods"), |list| {
            let own = items(list).filter(|pod| is_controlled(pod, uid) && is_available(pod));
            let on: Vec<&str> = own
                .filter_map(|pod| pod["spec"]["nodeName"].as_str())
                .collect();
            on.len() == nodes.len() && nodes.iter().all(|node| on.contains(&node.as_str()))
        })
        .await?;
    Ok(())
}

async fn status_agrees(cluster: &Cluster, one: &str) -> Result<()> {
    let status = cluster.get(one).await?["status"].clone();
    let desired = &status["desiredNumberScheduled"];
    ensure!(
        *desired == status["currentNumberScheduled"] || *desired == status["numberReady"],
        "{status}"
    );
    Ok(())
}

/// Gives a node this color, or none.
async fn color(cluster: &Cluster, node: &str, color: Option<&str>) -> Result<()> {
    let path = format!("/api/v1/nodes/{node}");
    let found = cluster
        .retry(&path, |node| {
            let labels = node["metadata"]["labels"].as_object_mut();
            if let Some(labels) = labels {
                labels.retain(|key, _| !key.starts_with("daemonset-"));
                labels.extend(color.map(|color| (COLOR.to_owned(), json!(color))));
            }
        })
        .await?;
    ensure!(found["metadata"]["labels"].get(COLOR) == color.map(|color| json!(color)).as_ref());
    Ok(())
}

async fn own_pods(cluster: &Cluster) -> Result<Vec<Value>> {
    let selected = cluster.core(&format!("pods?labelSelector=daemonset-name%3D{NAME}"));
    cluster.list(&selected).await
}

/// The hash of the revision of this number, the newest, which every living pod has.
async fn revision(cluster: &Cluster, number: u64) -> Result<String> {
    let path = format!("controllerrevisions?labelSelector=daemonset-name%3D{NAME}");
    let path = cluster.group("apps/v1", &path);
    let found = cluster
        .until(&path, |list| items(list).count() as u64 == number)
        .await?;
    let newest = items(found.as_ref()).max_by_key(|one| one["revision"].as_u64());
    let newest = newest.cloned().unwrap_or_default();
    ensure!(newest["revision"] == number, "{newest}");
    let hash = text(&newest, "/metadata/labels/controller-revision-hash")?;
    for pod in own_pods(cluster).await? {
        let label = &pod["metadata"]["labels"]["controller-revision-hash"];
        let is_going = !pod["metadata"]["deletionTimestamp"].is_null();
        ensure!(is_going || *label == hash.as_str(), "{pod}");
    }
    Ok(hash)
}

/// Waits until every node has an available pod of this image, never missing more than one.
async fn updated(cluster: &Cluster, uid: &Value, image: &str) -> Result<()> {
    let nodes = nodes(cluster).await?;
    cluster
        .until(&cluster.core("pods"), |list| {
            let own: Vec<&Value> = items(list).filter(|pod| is_controlled(pod, uid)).collect();
            nodes.iter().all(|node| {
                own.iter().any(|pod| {
                    pod["spec"]["nodeName"] == node.as_str()
                        && pod["spec"]["containers"][0]["image"] == image
                        && is_available(pod)
                })
            })
        })
        .await?;
    Ok(())
}

async fn simple(cluster: Cluster) -> Result<()> {
    let (one, set) = create(&cluster, &json!({})).await?;
    let (uid, nodes) = (&set["metadata"]["uid"], nodes(&cluster).await?);
    runs_on(&cluster, uid, &nodes).await?;
    status_agrees(&cluster, &one).await?;
    let pod = text(&own_pods(&cluster).await?[0], "/metadata/name")?;
    cluster
        .delete(&cluster.core(&format!("pods/{pod}")))
        .await?;
    runs_on(&cluster, uid, &nodes).await
}

async fn complex(cluster: Cluster) -> Result<()> {
    let selector = json!({ "nodeSelector": { COLOR: "blue" } });
    let (one, set) = create(&cluster, &selector).await?;
    let (uid, none) = (&set["metadata"]["uid"], BTreeSet::new());
    runs_on(&cluster, uid, &none).await?;
    let node = nodes(&cluster).await?.pop_first().unwrap_or_default();
    let only = BTreeSet::from([node.clone()]);
    color(&cluster, &node, Some("blue")).await?;
    runs_on(&cluster, uid, &only).await?;
    status_agrees(&cluster, &one).await?;
    color(&cluster, &node, Some("green")).await?;
    runs_on(&cluster, uid, &none).await?;
    let patch = json!({ "spec": {
        "template": { "spec": { "nodeSelector": { COLOR: "green" } } },
        "updateStrategy": { "type": "RollingUpdate" },
    } });
    cluster.patch(&one, Patch::Strategic, &patch).await?;
    runs_on(&cluster, uid, &only).await?;
    status_agrees(&cluster, &one).await?;
    color(&cluster, &node, None).await
}

async fn failed(cluster: Cluster) -> Result<()> {
    let (one, set) = create(&cluster, &json!({})).await?;
    let (uid, nodes) = (&set["metadata"]["uid"], nodes(&cluster).await?);
    runs_on(&cluster, uid, &nodes).await?;
    status_agrees(&cluster, &one).await?;
    let mut pod = own_pods(&cluster).await?.remove(0);
    let path = cluster.core(&format!("pods/{}", text(&pod, "/metadata/name")?));
    pod["metadata"]["resourceVersion"] = json!("");
    pod["status"]["phase"] = json!("Failed");
    cluster.update(&format!("{path}/status"), &pod).await?;
    runs_on(&cluster, uid, &nodes).await?;
    let old = pod["metadata"]["uid"].clone();
    cluster
        .until(&path, |pod| {
            pod.is_none_or(|pod| pod["metadata"]["uid"] != old)
        })
        .await?;
    Ok(())
}

async fn rolling(cluster: Cluster) -> Result<()> {
    let strategy = json!({ "updateStrategy": { "type": "RollingUpdate" } });
    let (one, set) = create(&cluster, &strategy).await?;
    let (uid, nodes) = (&set["metadata"]["uid"], nodes(&cluster).await?);
    runs_on(&cluster, uid, &nodes).await?;
    let first = revision(&cluster, 1).await?;
    let patch = json!({ "spec": { "template": { "spec": {
        "containers": [{ "name": "app", "image": AGNHOST }],
    } } } });
    cluster.patch(&one, Patch::Strategic, &patch).await?;
    updated(&cluster, uid, AGNHOST).await?;
    runs_on(&cluster, uid, &nodes).await?;
    ensure!(revision(&cluster, 2).await? != first);
    Ok(())
}

async fn rollback(cluster: Cluster) -> Result<()> {
    let strategy = json!({ "updateStrategy": { "type": "RollingUpdate" } });
    let (one, set) = create(&cluster, &strategy).await?;
    let (uid, nodes) = (&set["metadata"]["uid"], nodes(&cluster).await?);
    runs_on(&cluster, uid, &nodes).await?;
    let set_image = |image: &'static str| {
        move |set: &mut Value| {
            set["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image);
        }
    };
    let image_of = |pod: &Value| pod["spec"]["containers"][0]["image"].clone();
    cluster.retry(&one, set_image("foo:non-existent")).await?;
    cluster
        .until(&cluster.core("pods"), |list| {
            items(list).any(|pod| image_of(pod) == "foo:non-existent")
        })
        .await?;
    let pods = own_pods(&cluster).await?;
    let (new, old): (Vec<_>, Vec<_>) = pods
        .iter()
        .partition(|pod| image_of(pod) == "foo:non-existent");
    ensure!(!old.is_empty() && !new.is_empty(), "{pods:?}");
    cluster.retry(&one, set_image(HTTPD)).await?;
    updated(&cluster, uid, HTTPD).await?;
    let after = own_pods(&cluster).await?;
    for pod in old {
        let name = &pod["metadata"]["name"];
        ensure!(
            after.iter().any(|now| now["metadata"]["name"] == *name),
            "{name} was restarted"
        );
    }
    Ok(())
}
