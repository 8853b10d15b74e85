//! Models test/e2e/dra/dra.go, as far as it needs no driver: every operation of the kinds of
//! resource.k8s.io, as test/e2e/framework/conformance/conformance.go tests them: by dynamic clients,
//! with informers beside.

use anyhow::{Result, ensure};
use http::Method;
use serde_json::{Value, json};

use super::operations::discovered;
use super::specs;
use crate::cluster::{Cluster, Watch, text};

specs! {
    "[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 DeviceClass [Conformance]" => class,
    "[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 ResourceClaim [Conformance]" => claim,
    "[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 ResourceClaimTemplate [Conformance]" => template,
    "[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 ResourceSlice [Conformance]" => slice,
}

const GROUP: &str = "resource.k8s.io/v1";
const LABEL: &str = "e2e-test.kubernetes.io";

/// A kind, and what its test writes.
struct Case {
    resource: &'static str,
    namespaced: bool,
    object: Value,
    /// What an update changes, as a merge patch.
    change: Value,
    /// What an update of its status sets.
    status: Option<Value>,
}

/// An informer: a watch that begins with what there is.
async fn informer(cluster: &Cluster, path: &str) -> Result<Watch> {
    let query = "allowWatchBookmarks=true&sendInitialEvents=true\
                 &resourceVersionMatch=NotOlderThan&timeoutSeconds=400";
    let path = format!(
        "{path}?labelSelector={LABEL}%3D{}&{query}",
        cluster.namespace
    );
    let mut watch = cluster.watch(&path).await?;
    let (kind, object) = watch.next().await?;
    let sign = &object["metadata"]["annotations"]["k8s.io/initial-events-end"];
    ensure!(kind == "BOOKMARK" && sign == "true", "{kind} {object}");
    Ok(watch)
}

/// The next event but bookmarks is of this kind, and not older than what came before.
async fn heard(watches: &mut [Watch], wanted: &str, uid: &Value) -> Result<()> {
    for watch in watches {
        let (kind, object) = watch.until(|kind, _| kind != "BOOKMARK").await?;
        ensure!(
            kind == wanted && object["metadata"]["uid"] == *uid,
            "{kind}, not {wanted}"
        );
    }
    Ok(())
}

fn merge(into: &mut Value, change: &Value) {
    match (into, change) {
        (Value::Object(into), Value::Object(change)) => {
            for (key, value) in change {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (into, change) => *into = change.clone(),
    }
}

/// Whether an object has at least what another has.
fn includes(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Object(found), Value::Object(wanted)) => wanted
            .iter()
            .all(|(key, value)| found.get(key).is_some_and(|found| includes(found, value))),
        (Value::Array(found), Value::Array(wanted)) => {
            found.len() == wanted.len()
                && found
                    .iter()
                    .zip(wanted)
                    .all(|(found, wanted)| includes(found, wanted))
        }
        (found, wanted) => found == wanted,
    }
}

async fn run(cluster: &Cluster, case: Case) -> Result<()> {
    discovered(cluster, GROUP, &[case.resource]).await?;
    let everywhere = format!("/apis/{GROUP}/{}", case.resource);
    let all = match case.namespaced {
        true => cluster.group(GROUP, case.resource),
        false => everywhere.clone(),
    };
    let mut object = case.object.clone();
    object["apiVersion"] = json!(GROUP);
    object["metadata"]["labels"][LABEL] = json!(cluster.namespace);
    object["metadata"]["name"] = json!(format!("test-{}", cluster.namespace));
    let one = format!("{all}/{}", text(&object, "/metadata/name")?);
    let mut watches = vec![informer(cluster, &everywhere).await?];
    if case.namespaced {
        watches.push(informer(cluster, &all).await?);
    }
    let strict = format!("{all}?fieldValidation=Strict");
    let made = cluster.create(&strict, &object).await?;
    ensure!(includes(&made, &object), "{made}");
    heard(&mut watches, "ADDED", &made["metadata"]["uid"]).await?;
    let mut wanted = cluster.get(&one).await?;
    merge(&mut wanted, &case.change);
    let updated = cluster.update(&one, &wanted).await?;
    ensure!(includes(&updated, &case.change), "{updated}");
    heard(&mut watches, "MODIFIED", &made["metadata"]["uid"]).await?;
    if let Some(status) = &case.status {
        let mut wanted = updated;
        wanted["status"] = status.clone();
        let state = format!("{one}/status");
        let updated = cluster.update(&state, &wanted).await?;
        ensure!(includes(&updated["status"], status), "{updated}");
        ensure!(cluster.get(&state).await?["status"] == updated["status"]);
        heard(&mut watches, "MODIFIED", &made["metadata"]["uid"]).await?;
    }
    let mut uid = made["metadata"]["uid"].clone();
    for (path, change) in [
        (one.clone(), Some(case.change.clone())),
        (
            format!("{one}/status"),
            case.status.map(|status| json!({ "status": status })),
        ),
    ] {
        let Some(change) = change else { continue };
        for form in [
            "strategic-merge-patch+json",
            "apply-patch+yaml",
            "merge-patch+json",
        ] {
            cluster.delete(&one).await?;
            cluster.until_gone(&one).await?;
            heard(&mut watches, "DELETED", &uid).await?;
            let made = cluster.create(&all, &object).await?;
            uid = made["metadata"]["uid"].clone();
            heard(&mut watches, "ADDED", &uid).await?;
            let mut patch = change.clone();
            patch["apiVersion"] = json!(GROUP);
            patch["kind"] = made["kind"].clone();
            patch["metadata"]["name"] = made["metadata"]["name"].clone();
            patch["metadata"]["uid"] = uid.clone();
            if case.namespaced {
                patch["metadata"]["namespace"] = made["metadata"]["namespace"].clone();
            }
            let force = match form.starts_with("apply") {
                true => "&fieldManager=test-apply&force=true",
                false => "",
            };
            let path = format!("{path}?fieldValidation=Strict{force}");
            let headers = [("content-type", &*format!("application/{form}"))];
            let body = Some(patch.to_string());
            let patched = cluster.call(Method::PATCH, &path, &headers, body).await?;
            ensure!(patched.status == 200, "{form}: {}", patched.text);
            ensure!(
                includes(&patched.json()?, &change),
                "{form}: {}",
                patched.text
            );
            heard(&mut watches, "MODIFIED", &uid).await?;
        }
    }
    let selected = format!("{all}?labelSelector={LABEL}%3D{}", cluster.namespace);
    ensure!(cluster.list(&selected).await?.len() == 1);
    let far = format!("{everywhere}?labelSelector={LABEL}%3D{}", cluster.namespace);
    ensure!(cluster.list(&far).await?.len() == 1);
    cluster.delete(&selected).await?;
    cluster.until_gone(&one).await?;
    heard(&mut watches, "DELETED", &uid).await
}

fn selector(name: &str) -> Value {
    json!([{ "cel": { "expression": format!("device.driver == \"{name}.example.com\"") } }])
}

async fn class(cluster: Cluster) -> Result<()> {
    let case = Case {
        resource: "deviceclasses",
        namespaced: false,
        object: json!({ "kind": "DeviceClass", "spec": { "selectors": selector("one") } }),
        change: json!({ "spec": { "selectors": selector("two") } }),
        status: None,
    };
    run(&cluster, case).await
}

fn requests() -> Value {
    json!({ "devices": { "requests": [{
        "name": "req-0", "exactly": { "deviceClassName": "example-class" },
    }] } })
}

async fn claim(cluster: Cluster) -> Result<()> {
    let case = Case {
        resource: "resourceclaims",
        namespaced: true,
        object: json!({ "kind": "ResourceClaim", "spec": requests() }),
        change: json!({ "metadata": { "labels": { "test.dra.example.com": "test" } } }),
        status: Some(json!({ "allocation": { "devices": { "results": [{
            "request": "req-0", "driver": "dra.example.com", "pool": "some-pool", "device": "some-device",
        }] } } })),
    };
    run(&cluster, case).await
}

async fn template(cluster: Cluster) -> Result<()> {
    let case = Case {
        resource: "resourceclaimtemplates",
        namespaced: true,
        object: json!({ "kind": "ResourceClaimTemplate", "spec": { "spec": requests() } }),
        change: json!({ "metadata": { "labels": { "test.dra.example.com": "test" } } }),
        status: None,
    };
    run(&cluster, case).await
}

async fn slice(cluster: Cluster) -> Result<()> {
    let devices = |name: &str| json!([{ "name": name }]);
    let case = Case {
        resource: "resourceslices",
        namespaced: false,
        object: json!({ "kind": "ResourceSlice", "spec": {
            "nodeName": "no-such-node",
            "driver": "dra.example.com",
            "pool": { "name": "cluster", "resourceSliceCount": 1 },
            "devices": devices("device-0"),
        } }),
        change: json!({ "spec": { "devices": devices("device-1") } }),
        status: None,
    };
    run(&cluster, case).await
}
