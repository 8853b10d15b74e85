//! Models test/e2e/apimachinery/{custom_resource_definition,crd_watch}.go.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use http::Method;
use serde_json::{Value, json};

use super::specs;
use crate::cluster::{Cluster, Patch, text};
use crate::definitions::{PATH, allow_all, instance, objects, random, unique};

specs! {
    "[sig-api-machinery] CustomResourceDefinition Watch [Privileged:ClusterAdmin] CustomResourceDefinition Watch watch on custom resource definition objects [Conformance]" => watched,
    "[sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin] Simple CustomResourceDefinition creating/deleting custom resource definition objects works [Conformance]" => simple,
    "[sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin] Simple CustomResourceDefinition getting/updating/patching custom resource definition status sub-resource works [Conformance]" => status,
    "[sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin] Simple CustomResourceDefinition listing custom resource definition objects works [Conformance]" => listing,
    "[sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin] custom resource defaulting for requests and from storage works [Conformance]" => defaulting,
    "[sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin] should include custom resource definition resources in discovery documents [Conformance]" => told,
}

/// How long a watch has to be silent.
const SILENCE: Duration = Duration::from_millis(500);

async fn watched(cluster: Cluster) -> Result<()> {
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": "noxus.mygroup.example.com" },
        "spec": {
            "group": "mygroup.example.com",
            "versions": [
                { "name": "v1beta1", "served": true, "storage": true, "schema": allow_all() },
            ],
            "names": {
                "plural": "noxus", "singular": "nonenglishnoxu", "kind": "WishIHadChosenNoxu",
                "shortNames": ["foo", "bar", "abc", "def"], "listKind": "NoxuItemList",
                "categories": ["all"],
            },
            "scope": "Cluster",
        },
    });
    let definition = cluster.define_and_watch(&definition).await?;
    let path = objects(&definition, "v1beta1", "")?;
    let selected =
        |name: &str| format!("{path}?fieldSelector=metadata.name%3D{name}&timeoutSeconds=600");
    let mut a = cluster.watch(&selected("name1")).await?;
    let mut b = cluster.watch(&selected("name2")).await?;
    let noxu = |name: &str| -> Result<Value> {
        let mut object = instance(&definition, "v1beta1", name)?;
        object["metadata"]["namespace"] = json!("");
        object["content"] = json!({ "key": "value" });
        object["num"] = json!({ "num1": i64::MAX, "num2": 1_000_000 });
        Ok(object)
    };
    for (name, first) in [("name1", true), ("name2", false)] {
        let made = cluster.create(&path, &noxu(name)?).await?;
        text(&made, "/metadata/uid")?;
        ensure!(
            made["apiVersion"] == "mygroup.example.com/v1beta1",
            "{made}"
        );
        ensure!(made["kind"] == "WishIHadChosenNoxu", "{made}");
        ensure!(made["num"]["num1"] == i64::MAX, "{made}");
        let (own, other) = if first {
            (&mut a, &mut b)
        } else {
            (&mut b, &mut a)
        };
        let (kind, seen) = own.next().await?;
        ensure!(
            kind == "ADDED" && seen == made,
            "{kind} {seen} is not {made}"
        );
        other.silent(SILENCE).await?;
    }
    for (name, first) in [("name1", true), ("name2", false)] {
        let patch = json!([{ "op": "add", "path": "/dummy", "value": "test" }]);
        cluster
            .patch(&format!("{path}/{name}"), Patch::Json, &patch)
            .await?;
        let (own, other) = if first {
            (&mut a, &mut b)
        } else {
            (&mut b, &mut a)
        };
        ensure!(own.next().await?.0 == "MODIFIED");
        other.silent(SILENCE).await?;
    }
    for (name, first) in [("name1", true), ("name2", false)] {
        let options = json!({ "kind": "DeleteOptions", "apiVersion": "v1" }).to_string();
        let path = format!("{path}/{name}");
        let gone = cluster
            .call(Method::DELETE, &path, &[], Some(options))
            .await?;
        ensure!(gone.status.is_success(), "{}", gone.text);
        let (own, other) = if first {
            (&mut a, &mut b)
        } else {
            (&mut b, &mut a)
        };
        ensure!(own.next().await?.0 == "DELETED");
        other.silent(SILENCE).await?;
    }
    cluster.undefine(&definition).await
}

async fn simple(cluster: Cluster) -> Result<()> {
    let definition = cluster.define(&random("Cluster")).await?;
    cluster.undefine(&definition).await
}

async fn listing(cluster: Cluster) -> Result<()> {
    let label = &cluster.namespace;
    let mut made = Vec::new();
    for _ in 0..10 {
        let mut definition = random("Cluster");
        definition["metadata"]["labels"] = json!({ "e2e-list-test-uuid": label });
        made.push(cluster.define(&definition).await?);
    }
    let other = cluster.define(&random("Cluster")).await?;
    let selected = format!("{PATH}?labelSelector=e2e-list-test-uuid%3D{label}");
    let listed = cluster.list(&selected).await?;
    ensure!(listed.len() == 10, "{listed:?}");
    for found in &listed {
        let name = &found["metadata"]["name"];
        let mut made = made.iter();
        let expected = made.find(|definition| definition["metadata"]["name"] == *name);
        let expected = expected.context("a definition that was made")?;
        ensure!(found["spec"] == expected["spec"], "{found}");
    }
    cluster.delete(&selected).await?;
    for definition in &made {
        cluster.until_told(definition, "v1beta1", false).await?;
    }
    let name = text(&other, "/metadata/name")?;
    cluster.get(&format!("{PATH}/{name}")).await?;
    cluster.undefine(&other).await
}

async fn status(cluster: Cluster) -> Result<()> {
    let definition = cluster.define(&random("Cluster")).await?;
    let name = text(&definition, "/metadata/name")?;
    let path = format!("{PATH}/{name}/status");
    // As Go writes a condition of which the message alone is set.
    let updated = json!({
        "type": "", "status": "", "lastTransitionTime": null, "message": "updated",
    });
    let has = |object: &Value, message: &str| {
        let conditions = object["status"]["conditions"].as_array().into_iter();
        let mut conditions = conditions.flatten();
        conditions.any(|c| {
            c["message"] == message
                && ["type", "status", "reason"]
                    .iter()
                    .all(|k| c[*k].as_str().unwrap_or("").is_empty())
        })
    };
    loop {
        let mut object = cluster.get(&path).await?;
        ensure!(object["spec"] == definition["spec"], "{object}");
        let conditions = object["status"]["conditions"].as_array_mut();
        conditions.context("conditions")?.push(updated.clone());
        let body = Some(object.to_string());
        let answer = cluster.call(Method::PUT, &path, &[], body).await?;
        if answer.status == 409 {
            continue;
        }
        ensure!(answer.status.is_success(), "{}", answer.text);
        ensure!(has(&answer.json()?, "updated"), "{}", answer.text);
        break;
    }
    let patch = json!([{
        "op": "add", "path": "/status/conditions", "value": [{ "message": "patched" }],
    }]);
    let patched = cluster.patch(&path, Patch::Json, &patch).await?;
    ensure!(has(&patched, "patched"), "{patched}");
    cluster.undefine(&definition).await
}

async fn told(cluster: Cluster) -> Result<()> {
    let has = |list: &Value, key: &str, value: &str| {
        list.as_array()
            .into_iter()
            .flatten()
            .any(|item| item[key] == value)
    };
    let groups = cluster.get("/apis").await?;
    let found = groups["groups"].as_array().into_iter().flatten();
    let mut found = found.filter(|group| group["name"] == "apiextensions.k8s.io");
    ensure!(
        found.any(|group| has(&group["versions"], "version", "v1")),
        "{groups}"
    );
    let group = cluster.get("/apis/apiextensions.k8s.io").await?;
    ensure!(group["name"] == "apiextensions.k8s.io", "{group}");
    ensure!(has(&group["versions"], "version", "v1"), "{group}");
    let list = cluster.get("/apis/apiextensions.k8s.io/v1").await?;
    ensure!(list["groupVersion"] == "apiextensions.k8s.io/v1", "{list}");
    ensure!(
        has(&list["resources"], "name", "customresourcedefinitions"),
        "{list}"
    );
    Ok(())
}

async fn defaulting(cluster: Cluster) -> Result<()> {
    let mut definition = random("Cluster");
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"] =
        json!({ "a": { "type": "string" }, "b": { "type": "string" } });
    let definition = cluster.define(&definition).await?;
    let path = objects(&definition, "v1beta1", "")?;
    let own = format!("{PATH}/{}", text(&definition, "/metadata/name")?);
    let (first, second) = (unique("cr-1"), unique("cr-2"));
    cluster
        .create(&path, &instance(&definition, "v1beta1", &first)?)
        .await?;
    let schema = "/spec/versions/0/schema/openAPIV3Schema/properties";
    let patch = json!([{ "op": "add", "path": format!("{schema}/a/default"), "value": "A" }]);
    cluster.patch(&own, Patch::Json, &patch).await?;
    let is = |field: &'static str, value: &'static str| {
        move |found: Option<&Value>| found.is_some_and(|object| object[field] == value)
    };
    cluster
        .until(&format!("{path}/{first}"), is("a", "A"))
        .await?;
    let made = cluster
        .create(&path, &instance(&definition, "v1beta1", &second)?)
        .await?;
    ensure!(made["a"] == "A", "{made}");
    let patch = json!([
        { "op": "remove", "path": format!("{schema}/a/default") },
        { "op": "add", "path": format!("{schema}/b/default"), "value": "B" },
    ]);
    cluster.patch(&own, Patch::Json, &patch).await?;
    let found = cluster
        .until(&format!("{path}/{second}"), is("b", "B"))
        .await?;
    ensure!(found.is_some_and(|object| object["a"] == "A"));
    cluster.undefine(&definition).await
}
