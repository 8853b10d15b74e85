//! Models test/e2e/apimachinery/flowcontrol.go.

use anyhow::{Context, Result, ensure};
use http::Method;
use serde_json::{Value, json};

use super::specs;
use crate::cluster::{Cluster, Patch, text};

specs! {
    "[sig-api-machinery] API priority and fairness should support FlowSchema API operations [Conformance]" => flow_schemas,
    "[sig-api-machinery] API priority and fairness should support PriorityLevelConfiguration API operations [Conformance]" => priority_levels,
}

const GROUP: &str = "flowcontrol.apiserver.k8s.io";

/// What a resource of the group is tried with.
struct Case {
    plural: &'static str,
    kind: &'static str,
    label: &'static str,
    spec: Value,
    /// What is patched, what is updated: the field, and its values.
    field: (&'static str, Value, Value),
    patch: Value,
}

async fn flow_schemas(cluster: Cluster) -> Result<()> {
    let case = Case {
        plural: "flowschemas",
        kind: "FlowSchema",
        label: "example-e2e-fs-label",
        spec: json!({
            "matchingPrecedence": 10000,
            "priorityLevelConfiguration": { "name": "global-default" },
            "distinguisherMethod": { "type": "ByUser" },
            "rules": [{
                "subjects": [
                    { "kind": "User", "user": { "name": "example-e2e-non-existent-user" } },
                ],
                "nonResourceRules": [{ "verbs": ["*"], "nonResourceURLs": ["*"] }],
            }],
        }),
        field: ("/spec/matchingPrecedence", json!(9999), json!(9000)),
        patch: json!({ "matchingPrecedence": 9999 }),
    };
    operations(&cluster, &case).await?;
    steady(&cluster).await
}

async fn priority_levels(cluster: Cluster) -> Result<()> {
    let case = Case {
        plural: "prioritylevelconfigurations",
        kind: "PriorityLevelConfiguration",
        label: "example-e2e-pl-label",
        spec: json!({
            "type": "Limited",
            "limited": { "nominalConcurrencyShares": 2, "limitResponse": { "type": "Reject" } },
        }),
        field: ("/spec/limited/nominalConcurrencyShares", json!(4), json!(6)),
        patch: json!({ "limited": { "nominalConcurrencyShares": 4 } }),
    };
    operations(&cluster, &case).await
}

async fn discovery(cluster: &Cluster, case: &Case) -> Result<()> {
    let has_v1 = |versions: &Value| {
        let versions = versions.as_array().into_iter();
        versions.flatten().any(|version| version["version"] == "v1")
    };
    let groups = cluster.get("/apis").await?;
    let groups = groups["groups"].as_array().context("groups")?;
    let mut ours = groups.iter().filter(|group| group["name"] == GROUP);
    ensure!(ours.any(|group| has_v1(&group["versions"])), "{groups:?}");
    let group = cluster.get(&format!("/apis/{GROUP}")).await?;
    ensure!(has_v1(&group["versions"]), "{group}");
    let list = cluster.get(&format!("/apis/{GROUP}/v1")).await?;
    for wanted in [case.plural.to_owned(), format!("{}/status", case.plural)] {
        let mut resources = list["resources"].as_array().into_iter().flatten();
        ensure!(resources.any(|r| r["name"] == wanted), "{list}");
    }
    Ok(())
}

fn has_condition(object: &Value, name: &str) -> bool {
    let conditions = object["status"]["conditions"].as_array().into_iter();
    conditions
        .flatten()
        .any(|condition| condition["type"] == name)
}

fn version_of(object: &Value) -> Result<u64> {
    Ok(text(object, "/metadata/resourceVersion")?.parse()?)
}

async fn operations(cluster: &Cluster, case: &Case) -> Result<()> {
    discovery(cluster, case).await?;
    let path = format!("/apis/{GROUP}/v1/{}", case.plural);
    let value = &cluster.namespace;
    let selected = format!("{path}?labelSelector={}%3D{value}", case.label);
    let template = json!({
        "apiVersion": format!("{GROUP}/v1"),
        "kind": case.kind,
        "metadata": { "generateName": "e2e-example-", "labels": { case.label: value } },
        "spec": case.spec,
    });
    cluster.create(&path, &template).await?;
    cluster.create(&path, &template).await?;
    let made = cluster.create(&path, &template).await?;
    let name = text(&made, "/metadata/name")?;
    let one = format!("{path}/{name}");
    let read = cluster.get(&one).await?;
    ensure!(read["metadata"]["uid"] == made["metadata"]["uid"]);
    ensure!(version_of(&read)? > 0);

    let list = cluster.get(&selected).await?;
    ensure!(list["items"].as_array().map(Vec::len) == Some(3), "{list}");
    let since = text(&list, "/metadata/resourceVersion")?;
    let mut watch = cluster
        .watch(&format!("{selected}&resourceVersion={since}"))
        .await?;

    let patch = json!({ "metadata": { "annotations": { "patched": "true" } }, "spec": case.patch });
    let patched = cluster.patch(&one, Patch::Merge, &patch).await?;
    ensure!(
        patched["metadata"]["annotations"]["patched"] == "true",
        "{patched}"
    );
    let (field, first, second) = &case.field;
    ensure!(patched.pointer(field) == Some(first), "{patched}");
    ensure!(version_of(&made)? < version_of(&patched)?);
    let updated = cluster
        .retry(&one, |object| {
            object["metadata"]["annotations"]["updated"] = json!("true");
            if let Some(place) = object.pointer_mut(field) {
                *place = second.clone();
            }
        })
        .await?;
    ensure!(
        updated["metadata"]["annotations"]["updated"] == "true",
        "{updated}"
    );
    ensure!(updated.pointer(field) == Some(second), "{updated}");
    loop {
        let (kind, object) = watch.next().await?;
        ensure!(kind == "MODIFIED", "{kind} {object}");
        if object["metadata"]["annotations"]["patched"] == "true" {
            break;
        }
    }
    status(cluster, case, &one, &made).await?;

    cluster.delete(&one).await?;
    cluster.refused(Method::GET, &one, None, 404, &name).await?;
    ensure!(cluster.list(&selected).await?.len() == 2);
    cluster.delete(&selected).await?;
    ensure!(cluster.list(&selected).await?.is_empty());
    Ok(())
}

async fn status(cluster: &Cluster, case: &Case, one: &str, made: &Value) -> Result<()> {
    let status = format!("{one}/status");
    let read = cluster.get(&status).await?;
    ensure!(
        read["kind"] == case.kind && read["apiVersion"] == format!("{GROUP}/v1"),
        "{read}"
    );
    ensure!(read["metadata"]["uid"] == made["metadata"]["uid"], "{read}");
    let patch = json!({
        "status": {
            "conditions": [{ "type": "PatchStatusFailed", "status": "False", "reason": "e2e" }],
        },
    });
    let patched = cluster.patch(&status, Patch::Merge, &patch).await?;
    ensure!(has_condition(&patched, "PatchStatusFailed"), "{patched}");
    loop {
        let mut object = cluster.get(one).await?;
        let conditions = object["status"]["conditions"].as_array_mut();
        conditions.context("conditions")?.push(json!({
            "type": "StatusUpdateFailed", "status": "False", "reason": "E2E",
            "lastTransitionTime": null, "message": "Set from an e2e test",
        }));
        let body = Some(object.to_string());
        let answer = cluster.call(Method::PUT, &status, &[], body).await?;
        if answer.status == 409 {
            continue;
        }
        ensure!(answer.status.is_success(), "{}", answer.text);
        ensure!(
            has_condition(&answer.json()?, "StatusUpdateFailed"),
            "{}",
            answer.text
        );
        return Ok(());
    }
}

/// As the suite's specs of the filter wait: the server tells of a schema whether its level exists.
async fn steady(cluster: &Cluster) -> Result<()> {
    let name = format!("e2e-testing-{}", cluster.namespace);
    let (levels, schemas) = (
        format!("/apis/{GROUP}/v1/prioritylevelconfigurations"),
        format!("/apis/{GROUP}/v1/flowschemas"),
    );
    let schema = json!({
        "apiVersion": format!("{GROUP}/v1"), "kind": "FlowSchema", "metadata": { "name": name },
        "spec": { "priorityLevelConfiguration": { "name": name } },
    });
    let level = json!({
        "apiVersion": format!("{GROUP}/v1"), "kind": "PriorityLevelConfiguration",
        "metadata": { "name": name },
        "spec": { "type": "Limited", "limited": { "limitResponse": { "type": "Reject" } } },
    });
    let path = format!("{schemas}/{name}");
    let dangles = |status: &'static str| {
        move |found: Option<&Value>| {
            let conditions = found.map(|object| &object["status"]["conditions"][0]);
            conditions.is_some_and(|c| c["type"] == "Dangling" && c["status"] == status)
        }
    };
    cluster.create(&schemas, &schema).await?;
    cluster.until(&path, dangles("True")).await?;
    cluster.create(&levels, &level).await?;
    cluster.until(&path, dangles("False")).await?;
    cluster.delete(&format!("{levels}/{name}")).await?;
    cluster.until(&path, dangles("True")).await?;
    cluster.delete(&path).await?;
    Ok(())
}
