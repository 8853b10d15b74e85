//! Models test/e2e/storage/{persistent_volumes,empty_dir_wrapper}.go.

use anyhow::{Result, ensure};
use http::Method;
use serde_json::{Value, json};

use super::specs;
use crate::cluster::{Cluster, Patch, text};

specs! {
    "[sig-storage] PersistentVolumes CSI Conformance should run through the lifecycle of a PV and a PVC [Conformance]" => lifecycle,
    "[sig-storage] PersistentVolumes CSI Conformance should apply changes to a pv/pvc status [Conformance]" => status,
    "[sig-storage] EmptyDir wrapper volumes should not conflict [Conformance]" => both_kinds,
    "[sig-storage] EmptyDir wrapper volumes should not cause race condition when used for configmaps [Serial] [Conformance]" => many_volumes,
}

const VOLUMES: &str = "/api/v1/persistentvolumes";

/// A volume and a claim of a class that is the namespace's alone.
async fn made(cluster: &Cluster) -> Result<(Value, Value)> {
    let namespace = &cluster.namespace;
    let volume = json!({
        "apiVersion": "v1", "kind": "PersistentVolume",
        "metadata": {
            "generateName": format!("{namespace}-"), "creationTimestamp": null,
            "labels": { "e2e-pv-pool": namespace },
            "annotations": { "volume.beta.kubernetes.io/gid": "777" },
        },
        "spec": {
            "capacity": { "storage": "2Gi" },
            "csi": { "driver": format!("e2e-driver-{namespace}"), "volumeHandle": "e2e-conformance" },
            "accessModes": ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": namespace,
        },
        "status": {},
    });
    let claim = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": { "generateName": "pvc-", "namespace": namespace, "creationTimestamp": null },
        "spec": {
            "accessModes": ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany"],
            "resources": { "requests": { "storage": "2Gi" } },
            "storageClassName": namespace,
        },
        "status": {},
    });
    let volume = cluster.create(VOLUMES, &volume).await?;
    let claim = cluster
        .create(&cluster.core("persistentvolumeclaims"), &claim)
        .await?;
    Ok((volume, claim))
}

async fn lifecycle(cluster: Cluster) -> Result<()> {
    let claims = cluster.core("persistentvolumeclaims");
    let pool = format!(
        "{VOLUMES}?labelSelector=e2e-pv-pool%3D{}",
        cluster.namespace
    );
    let (volume, claim) = made(&cluster).await?;
    ensure!(cluster.list(&pool).await?.len() == 1);
    ensure!(cluster.list(&claims).await?.len() == 1);
    let name = text(&volume, "/metadata/name")?;
    let its = text(&claim, "/metadata/name")?;
    let (one, its_claim) = (format!("{VOLUMES}/{name}"), format!("{claims}/{its}"));
    let empty = |list: Option<&Value>| list.is_some_and(|list| list["items"] == json!([]));
    for (path, name) in [(&one, &name), (&its_claim, &its)] {
        let label = json!({ "metadata": { "labels": { name: "patched" } } });
        let patched = cluster.patch(path, Patch::Strategic, &label).await?;
        ensure!(patched["metadata"]["labels"][name] == "patched");
        ensure!(cluster.get(path).await?["metadata"]["uid"] == patched["metadata"]["uid"]);
    }
    cluster.delete(&its_claim).await?;
    cluster.until(&claims, empty).await?;
    cluster.delete(&one).await?;
    cluster.until(&pool, empty).await?;

    let (volume, claim) = made(&cluster).await?;
    let name = text(&volume, "/metadata/name")?;
    let its = text(&claim, "/metadata/name")?;
    let (one, its_claim) = (format!("{VOLUMES}/{name}"), format!("{claims}/{its}"));
    let updated = cluster
        .retry(&one, |object| {
            object["metadata"]["labels"][&name] = json!("updated")
        })
        .await?;
    ensure!(updated["metadata"]["labels"][&name] == "updated");
    let updated = cluster
        .retry(&its_claim, |object| {
            object["metadata"]["labels"] = json!({ &its: "updated" })
        })
        .await?;
    ensure!(updated["metadata"]["labels"][&its] == "updated");
    let all = format!("/api/v1/persistentvolumeclaims?labelSelector={its}%3Dupdated");
    ensure!(cluster.list(&all).await?.len() == 1);
    let selected = format!("{claims}?labelSelector={its}%3Dupdated");
    cluster.delete(&selected).await?;
    cluster.until(&selected, empty).await?;
    let selected = format!("{VOLUMES}?labelSelector={name}%3Dupdated");
    cluster.delete(&selected).await?;
    cluster.until(&selected, empty).await?;
    Ok(())
}

async fn status(cluster: Cluster) -> Result<()> {
    let claims = cluster.core("persistentvolumeclaims");
    let (volume, claim) = made(&cluster).await?;
    let volume = format!("{VOLUMES}/{}/status", text(&volume, "/metadata/name")?);
    let claim = format!("{claims}/{}/status", text(&claim, "/metadata/name")?);
    let phase = text(&cluster.get(&claim).await?, "/status/phase")?;
    ensure!(["Pending", "Bound"].contains(&phase.as_str()), "{phase}");
    let phase = text(&cluster.get(&volume).await?, "/status/phase")?;
    ensure!(
        ["Available", "Bound", "Pending"].contains(&phase.as_str()),
        "{phase}"
    );
    let has = |object: &Value, kind: &str, reason: &str| {
        let all = object["status"]["conditions"].as_array();
        all.is_some_and(|all| {
            all.iter().any(|one| {
                one["type"] == kind
                    && one["reason"] == reason
                    && one["message"] == "Set from e2e test"
            })
        })
    };
    let condition = |kind: &str, reason: &str| {
        json!({
            "type": kind, "status": "True", "reason": reason, "message": "Set from e2e test",
            "lastProbeTime": null, "lastTransitionTime": null,
        })
    };
    let patch = json!({ "status": { "conditions": [{
        "type": "StatusPatched", "status": "True", "reason": "E2E patchedStatus",
        "message": "Set from e2e test",
    }] } });
    let patched = cluster.patch(&claim, Patch::Merge, &patch).await?;
    ensure!(
        has(&patched, "StatusPatched", "E2E patchedStatus"),
        "{patched}"
    );
    let patch = json!({ "status": { "message": "StatusPatched", "reason": "E2E patchStatus" } });
    let patched = cluster.patch(&volume, Patch::Merge, &patch).await?;
    ensure!(
        patched["status"]["reason"] == "E2E patchStatus",
        "{patched}"
    );
    ensure!(patched["status"]["message"] == "StatusPatched", "{patched}");
    let updated = cluster
        .retry(&claim, |object| {
            if let Some(all) = object["status"]["conditions"].as_array_mut() {
                all.push(condition("StatusUpdated", "E2E updateStatus"));
            }
        })
        .await?;
    ensure!(
        has(&updated, "StatusUpdated", "E2E updateStatus"),
        "{updated}"
    );
    let updated = cluster
        .retry(&volume, |object| {
            object["status"]["reason"] = json!("E2E updateStatus");
            object["status"]["message"] = json!("StatusUpdated");
        })
        .await?;
    ensure!(
        updated["status"]["reason"] == "E2E updateStatus",
        "{updated}"
    );
    ensure!(updated["status"]["message"] == "StatusUpdated", "{updated}");
    Ok(())
}

async fn both_kinds(cluster: Cluster) -> Result<()> {
    let name = "emptydir-wrapper-test";
    let encoded = json!({ "data-1": "dmFsdWUtMQo=" });
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name }, "data": encoded,
    });
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name },
        "binaryData": encoded,
    });
    cluster.create(&cluster.core("secrets"), &secret).await?;
    cluster.create(&cluster.core("configmaps"), &map).await?;
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "pod-secrets" },
        "spec": {
            "volumes": [
                { "name": "secret-volume", "secret": { "secretName": name } },
                { "name": "configmap-volume", "configMap": { "name": name } },
            ],
            "containers": [{
                "name": "secret-test",
                "image": "registry.k8s.io/e2e-test-images/agnhost:2.56",
                "args": ["test-webserver"],
                "volumeMounts": [
                    { "name": "secret-volume", "mountPath": "/etc/secret-volume", "readOnly": true },
                    { "name": "configmap-volume", "mountPath": "/etc/configmap-volume" },
                ],
            }],
        },
    });
    cluster.create(&cluster.core("pods"), &pod).await?;
    cluster
        .until(&cluster.core("pods/pod-secrets"), is_running)
        .await?;
    Ok(())
}

fn is_running(pod: Option<&Value>) -> bool {
    pod.is_some_and(|pod| pod["status"]["phase"] == "Running")
}

async fn many_volumes(cluster: Cluster) -> Result<()> {
    let (mut volumes, mut mounts) = (Vec::new(), Vec::new());
    for n in 0..50 {
        let name = format!("racey-configmap-{n}");
        let map = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name },
            "data": { "data-1": "value-1" },
        });
        cluster.create(&cluster.core("configmaps"), &map).await?;
        volumes.push(json!({
            "name": name,
            "configMap": { "name": name, "items": [{ "key": "data-1", "path": "data-1" }] },
        }));
        mounts.push(json!({ "name": name, "mountPath": format!("/etc/config-{n}") }));
    }
    let nodes = cluster.list("/api/v1/nodes").await?;
    let node = nodes.iter().find(|node| node["spec"]["taints"].is_null());
    let host = node.map(|node| node["metadata"]["labels"]["kubernetes.io/hostname"].clone());
    let controllers = cluster.core("replicationcontrollers");
    for n in 0..3 {
        let labels = json!({ "name": format!("wrapped-volume-race-{n}") });
        let controller = json!({
            "apiVersion": "v1", "kind": "ReplicationController",
            "metadata": { "name": labels["name"] },
            "spec": {
                "replicas": 5, "selector": labels,
                "template": { "metadata": { "labels": labels }, "spec": {
                    "containers": [{
                        "name": "test-container", "image": "registry.k8s.io/pause:3.10.1",
                        "volumeMounts": mounts,
                    }],
                    "affinity": { "nodeAffinity": {
                        "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": [{
                            "matchExpressions": [{
                                "key": "kubernetes.io/hostname", "operator": "In", "values": [host],
                            }],
                        }] },
                    } },
                    "dnsPolicy": "Default",
                    "volumes": volumes,
                } },
            },
        });
        cluster.create(&controllers, &controller).await?;
        let one = format!("{controllers}/wrapped-volume-race-{n}");
        cluster
            .until(&one, |found| {
                found.is_some_and(|found| found["status"]["readyReplicas"] == 5)
            })
            .await?;
        // What a controller of this kind made is left alone unless somebody says otherwise.
        let options = json!({
            "kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background",
        });
        let body = Some(options.to_string());
        let gone = cluster.call(Method::DELETE, &one, &[], body).await?;
        ensure!(gone.status.is_success(), "{}", gone.text);
        let pods = cluster.core(&format!(
            "pods?labelSelector=name%3Dwrapped-volume-race-{n}"
        ));
        cluster
            .until(&pods, |list| {
                list.is_some_and(|list| list["items"] == json!([]))
            })
            .await?;
    }
    Ok(())
}
