//! Models test/e2e/instrumentation/{core_events,events}.go.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::specs;
use crate::cluster::{Cluster, Patch};

specs! {
    "[sig-instrumentation] Events should manage the lifecycle of an event [Conformance]" => core_lifecycle,
    "[sig-instrumentation] Events should delete a collection of events [Conformance]" => core_collection,
    "[sig-instrumentation] Events API should ensure that an event can be fetched, patched, deleted, and listed [Conformance]" => lifecycle,
    "[sig-instrumentation] Events API should delete a collection of events [Conformance]" => collection,
}

const TIME: &str = "2017-09-19T13:49:16.000000Z";

fn core_event(cluster: &Cluster, name: &str, label: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Event",
        "metadata": { "name": name, "creationTimestamp": null, "labels": { label: "true" } },
        "involvedObject": { "namespace": cluster.namespace },
        "reason": "Test", "message": "This is a test event", "source": {},
        "firstTimestamp": null, "lastTimestamp": null, "count": 1, "type": "Normal",
        "eventTime": null, "reportingComponent": "", "reportingInstance": "",
    })
}

fn event(cluster: &Cluster, name: &str, label: &str) -> Value {
    json!({
        "apiVersion": "events.k8s.io/v1", "kind": "Event",
        "metadata": { "name": name, "creationTimestamp": null, "labels": { label: "true" } },
        "eventTime": TIME, "reportingController": "test-controller",
        "reportingInstance": "test-node", "action": "Do", "reason": "Test",
        "regarding": { "namespace": cluster.namespace },
        "note": format!("This is {name}"), "type": "Normal", "deprecatedSource": {},
        "deprecatedFirstTimestamp": null, "deprecatedLastTimestamp": null,
    })
}

/// Whether the event is among those of all namespaces.
async fn listed(cluster: &Cluster, path: &str, name: &str) -> Result<bool> {
    let path = format!("{path}?labelSelector=testevent-constant%3Dtrue");
    let items = cluster.list(&path).await?;
    let found = items.iter().any(|item| {
        item["metadata"]["name"] == name
            && item["metadata"]["namespace"] == cluster.namespace.as_str()
    });
    Ok(found)
}

/// The object without what the control plane sets.
fn plain(mut object: Value) -> Value {
    if let Some(meta) = object["metadata"].as_object_mut() {
        meta.remove("resourceVersion");
        meta.remove("managedFields");
    }
    object
}

async fn core_lifecycle(cluster: Cluster) -> Result<()> {
    let path = cluster.core("events");
    let object = core_event(&cluster, "event-test", "testevent-constant");
    cluster.create(&path, &object).await?;
    ensure!(listed(&cluster, "/api/v1/events", "event-test").await?);
    let path = format!("{path}/event-test");
    let message = "This is a test event - patched";
    let patch = json!({ "message": message });
    cluster.patch(&path, Patch::Strategic, &patch).await?;
    let found = cluster.get(&path).await?;
    ensure!(found["message"] == message, "{found}");
    // Updated without a version.
    let mut wanted = plain(found);
    wanted["series"] = json!({ "count": 100, "lastObservedTime": TIME });
    cluster.update(&path, &wanted).await?;
    let found = plain(cluster.get(&path).await?);
    ensure!(found == wanted, "{found}, not {wanted}");
    cluster.delete(&path).await?;
    ensure!(!listed(&cluster, "/api/v1/events", "event-test").await?);
    Ok(())
}

async fn core_collection(cluster: Cluster) -> Result<()> {
    let path = cluster.core("events");
    for n in 1..=3 {
        let object = core_event(&cluster, &format!("test-event-{n}"), "testevent-set");
        cluster.create(&path, &object).await?;
    }
    collected(&cluster, &path).await
}

async fn collected(cluster: &Cluster, path: &str) -> Result<()> {
    let selected = format!("{path}?labelSelector=testevent-set%3Dtrue");
    ensure!(cluster.list(&selected).await?.len() == 3);
    cluster.delete(&selected).await?;
    ensure!(cluster.list(&selected).await?.is_empty());
    Ok(())
}

async fn lifecycle(cluster: Cluster) -> Result<()> {
    let path = cluster.group("events.k8s.io/v1", "events");
    let all = "/apis/events.k8s.io/v1/events";
    let object = event(&cluster, "event-test", "testevent-constant");
    cluster.create(&path, &object).await?;
    ensure!(listed(&cluster, all, "event-test").await?);
    ensure!(listed(&cluster, &path, "event-test").await?);
    let by_source = cluster.core("events?fieldSelector=source%3Dtest-controller");
    let by_source = cluster.list(&by_source).await?;
    ensure!(by_source.len() == 1 && by_source[0]["metadata"]["name"] == "event-test");
    let by_controller = format!("{path}?fieldSelector=reportingController%3Dtest-controller");
    let by_controller = cluster.list(&by_controller).await?;
    ensure!(by_controller.len() == 1 && by_controller[0]["metadata"]["name"] == "event-test");

    let one = format!("{path}/event-test");
    let mut wanted = cluster.get(&one).await?;
    let note = "This is a test event - patched";
    let patch = json!({ "note": note });
    cluster.patch(&one, Patch::Strategic, &patch).await?;
    wanted["note"] = json!(note);
    let mut wanted = plain(wanted);
    let found = plain(cluster.get(&one).await?);
    ensure!(found == wanted, "{found}, not {wanted}");
    wanted["series"] = json!({ "count": 100, "lastObservedTime": TIME });
    cluster.update(&one, &wanted).await?;
    let found = plain(cluster.get(&one).await?);
    ensure!(found == wanted, "{found}, not {wanted}");
    cluster.delete(&one).await?;
    ensure!(!listed(&cluster, all, "event-test").await?);
    ensure!(!listed(&cluster, &path, "event-test").await?);
    Ok(())
}

async fn collection(cluster: Cluster) -> Result<()> {
    let path = cluster.group("events.k8s.io/v1", "events");
    for n in 1..=3 {
        let object = event(&cluster, &format!("test-event-{n}"), "testevent-set");
        cluster.create(&path, &object).await?;
    }
    collected(&cluster, &path).await
}
