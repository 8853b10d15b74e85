//! Models test/e2e/storage/{csi_inline,csi_node,csistoragecapacity,storageclass,volume_attachment,
//! volumeattributesclass}.go.

use anyhow::{Result, ensure};
use http::Method;
use serde_json::{Value, json};

use super::operations::Operations;
use super::specs;
use crate::cluster::{Cluster, Patch, text};

specs! {
    "[sig-storage] CSIInlineVolumes should run through the lifecycle of a CSIDriver [Conformance]" => driver,
    "[sig-storage] CSIInlineVolumes should support CSIVolumeSource in Pod API [Conformance]" => inline,
    "[sig-storage] CSINodes CSI Conformance should run through the lifecycle of a csinode [Conformance]" => node,
    "[sig-storage] CSIStorageCapacity should support CSIStorageCapacities API operations [Conformance]" => capacity,
    "[sig-storage] StorageClasses CSI Conformance should run through the lifecycle of a StorageClass [Conformance]" => class,
    "[sig-storage] VolumeAttachment Conformance should run through the lifecycle of a VolumeAttachment [Conformance]" => attachment,
    "[sig-storage] VolumeAttachment Conformance should apply changes to a volumeattachment status [Conformance]" => attachment_status,
    "[sig-storage] VolumeAttributesClass [FeatureGate:VolumeAttributesClass] should run through the lifecycle of a VolumeAttributesClass [Conformance]" => attributes,
}

const GROUP: &str = "storage.k8s.io/v1";

fn path(resource: &str) -> String {
    format!("/apis/{GROUP}/{resource}")
}

/// What the specs of kinds without namespaces have in common: one object is made, read, patched,
/// listed and deleted, another updated and deleted with its collection. The labels bear the names
/// of the objects.
async fn life(
    cluster: &Cluster,
    resource: &str,
    patch: Patch,
    make: impl Fn() -> Value,
) -> Result<()> {
    let all = path(resource);
    let made = cluster.create(&all, &make()).await?;
    let name = text(&made, "/metadata/name")?;
    let one = format!("{all}/{name}");
    let found = cluster.get(&one).await?;
    ensure!(found["metadata"]["uid"] == made["metadata"]["uid"]);
    let label = json!({ "metadata": { "labels": { &name: "patched" } } });
    let patched = cluster.patch(&one, patch, &label).await?;
    ensure!(
        patched["metadata"]["labels"][&name] == "patched",
        "{patched}"
    );
    let selected = format!("{all}?labelSelector={name}%3Dpatched");
    ensure!(cluster.list(&selected).await?.len() == 1);
    cluster.delete(&one).await?;
    ensure!(cluster.list(&selected).await?.is_empty());

    let made = cluster.create(&all, &make()).await?;
    let name = text(&made, "/metadata/name")?;
    let one = format!("{all}/{name}");
    let updated = cluster
        .retry(&one, |object| {
            object["metadata"]["labels"] = json!({ &name: "updated" });
        })
        .await?;
    ensure!(
        updated["metadata"]["labels"][&name] == "updated",
        "{updated}"
    );
    let selected = format!("{all}?labelSelector={name}%3Dupdated");
    ensure!(cluster.list(&selected).await?.len() == 1);
    cluster.delete(&selected).await?;
    ensure!(cluster.list(&selected).await?.is_empty());
    Ok(())
}

fn named(kind: &str, rest: Value) -> Value {
    let mut object = rest;
    object["apiVersion"] = json!(GROUP);
    object["kind"] = json!(kind);
    object["metadata"]["creationTimestamp"] = Value::Null;
    object
}

async fn driver(cluster: Cluster) -> Result<()> {
    let all = path("csidrivers");
    let make = |name: &str, modes: Value| {
        named(
            "CSIDriver",
            json!({
                "metadata": { "name": name, "labels": { "e2e-test": cluster.namespace } },
                "spec": { "volumeLifecycleModes": modes, "fsGroupPolicy": "ReadWriteOnceWithFSType" },
            }),
        )
    };
    let names = ["one", "two"].map(|name| format!("inline-driver-{name}-{}", cluster.namespace));
    let first = make(&names[0], json!(["Ephemeral"]));
    let made = cluster.create(&all, &first).await?;
    let second = make(&names[1], json!(["Persistent", "Ephemeral"]));
    cluster.create(&all, &second).await?;
    cluster
        .refused(Method::POST, &all, Some(&first), 409, "AlreadyExists")
        .await?;
    let one = format!("{all}/{}", names[0]);
    let two = format!("{all}/{}", names[1]);
    ensure!(cluster.get(&one).await?["metadata"]["uid"] == made["metadata"]["uid"]);
    let label = json!({ "metadata": { "labels": { &names[1]: "patched" } } });
    let patched = cluster.patch(&two, Patch::Strategic, &label).await?;
    ensure!(patched["metadata"]["labels"][&names[1]] == "patched");
    let updated = cluster
        .retry(&two, |object| {
            object["metadata"]["labels"][&names[1]] = json!("updated")
        })
        .await?;
    ensure!(updated["metadata"]["labels"][&names[1]] == "updated");
    let selected = format!("{all}?labelSelector=e2e-test%3D{}", cluster.namespace);
    ensure!(cluster.list(&selected).await?.len() == 2);
    cluster.delete(&one).await?;
    cluster
        .refused(Method::GET, &one, None, 404, "NotFound")
        .await?;
    cluster
        .delete(&format!("{all}?labelSelector={}%3Dupdated", names[1]))
        .await?;
    cluster
        .refused(Method::GET, &two, None, 404, "NotFound")
        .await?;
    Ok(())
}

async fn inline(cluster: Cluster) -> Result<()> {
    let pods = cluster.core("pods");
    let name = "pod-csi-inline-volumes";
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name },
        "spec": {
            "volumes": [
                { "name": "csi-inline-vol1", "csi": { "driver": "e2e.example.com" } },
                { "name": "csi-inline-vol2", "csi": {
                    "driver": "e2e.example.com", "readOnly": true, "fsType": "ext4",
                } },
            ],
            "containers": [{
                "name": name, "image": "registry.k8s.io/e2e-test-images/busybox:1.37.0-1",
                "command": ["sh", "-c", "ls /mnt/*"],
                "volumeMounts": [
                    { "name": "csi-inline-vol1", "mountPath": "/mnt/vol1" },
                    { "name": "csi-inline-vol2", "mountPath": "/mnt/vol2" },
                ],
            }],
        },
    });
    let made = cluster.create(&pods, &pod).await?;
    cluster
        .refused(Method::POST, &pods, Some(&pod), 409, "AlreadyExists")
        .await?;
    let one = format!("{pods}/{name}");
    ensure!(cluster.get(&one).await?["metadata"]["uid"] == made["metadata"]["uid"]);
    ensure!(cluster.list(&pods).await?.len() == 1);
    let patch = json!({ "metadata": { "annotations": { "patched": "true" } } });
    let patched = cluster.patch(&one, Patch::Merge, &patch).await?;
    ensure!(patched["metadata"]["annotations"]["patched"] == "true");
    cluster.delete(&one).await?;
    let found = cluster.find(&one).await?;
    ensure!(found.is_none_or(|pod| pod["metadata"]["deletionTimestamp"].is_string()));
    Ok(())
}

/// Names that nobody else gives, as `generateName` makes them.
fn numbered(prefix: String) -> impl Fn() -> String {
    let count = std::cell::Cell::new(0);
    move || {
        count.set(count.get() + 1);
        format!("{prefix}-{}", count.get())
    }
}

async fn node(cluster: Cluster) -> Result<()> {
    let name = numbered(format!("e2e-csinode-{}", cluster.namespace));
    let make = move || {
        named(
            "CSINode",
            json!({ "metadata": { "name": name() }, "spec": { "drivers": null } }),
        )
    };
    life(&cluster, "csinodes", Patch::Strategic, make).await
}

async fn capacity(cluster: Cluster) -> Result<()> {
    let operations = Operations {
        cluster: &cluster,
        group_version: GROUP,
        resource: "csistoragecapacities",
        namespaced: true,
        label: "test",
    };
    let made = |name: &str| {
        named(
            "CSIStorageCapacity",
            json!({
                "metadata": { "name": name }, "storageClassName": "e2e.example.com",
            }),
        )
    };
    operations.run(made).await
}

async fn class(cluster: Cluster) -> Result<()> {
    let make = || {
        named(
            "StorageClass",
            json!({
                "metadata": { "generateName": "e2e-" },
                "provisioner": "e2e-fake-provisioner",
                "reclaimPolicy": "Delete", "volumeBindingMode": "Immediate",
            }),
        )
    };
    life(&cluster, "storageclasses", Patch::Strategic, make).await
}

async fn attributes(cluster: Cluster) -> Result<()> {
    let make = || {
        named(
            "VolumeAttributesClass",
            json!({
                "metadata": { "generateName": "e2e-" },
                "driverName": "e2e-fake-csi-driver", "parameters": { "foo": "bar" },
            }),
        )
    };
    life(&cluster, "volumeattributesclasses", Patch::Strategic, make).await
}

async fn volume_attachment(cluster: &Cluster) -> Result<impl Fn() -> Value + use<>> {
    let nodes = cluster.list("/api/v1/nodes").await?;
    let node = nodes[0]["metadata"]["name"].clone();
    let name = numbered(format!("va-e2e-{}", cluster.namespace));
    Ok(move || {
        let name = name();
        named(
            "VolumeAttachment",
            json!({
                "metadata": { "name": name, "uid": name },
                "spec": {
                    "attacher": "e2e-test.storage.k8s.io", "nodeName": node,
                    "source": { "persistentVolumeName": format!("pv-{name}") },
                },
                "status": { "attached": false },
            }),
        )
    })
}

async fn attachment(cluster: Cluster) -> Result<()> {
    let make = volume_attachment(&cluster).await?;
    life(&cluster, "volumeattachments", Patch::Merge, make).await
}

async fn attachment_status(cluster: Cluster) -> Result<()> {
    let all = path("volumeattachments");
    let make = volume_attachment(&cluster).await?;
    let made = cluster.create(&all, &make()).await?;
    let name = text(&made, "/metadata/name")?;
    let one = format!("{all}/{name}");
    let label = json!({ "metadata": { "labels": { &name: "patched" } } });
    let patched = cluster.patch(&one, Patch::Merge, &label).await?;
    ensure!(patched["metadata"]["labels"][&name] == "patched");
    let state = format!("{one}/status");
    let found = cluster.get(&state).await?;
    ensure!(found["status"]["attached"] == false, "{found}");
    let patch = json!({ "status": { "attached": true } });
    let patched = cluster.patch(&state, Patch::Merge, &patch).await?;
    ensure!(patched["status"]["attached"] == true, "{patched}");
    let found = cluster.get(&one).await?;
    let mut wanted = found;
    wanted["status"]["attached"] = json!(false);
    let updated = cluster.update(&state, &wanted).await?;
    ensure!(updated["status"]["attached"] == false, "{updated}");
    cluster.delete(&one).await?;
    cluster.until_gone(&one).await
}
