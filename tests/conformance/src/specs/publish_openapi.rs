//! Models test/e2e/apimachinery/crd_publish_openapi.go. What the suite does with kubectl stands here
//! as the requests that kubectl makes.

use std::sync::Mutex;

use anyhow::{Context, Result, bail, ensure};
use http::Method;
use serde_json::{Value, json};

use super::specs;
use crate::cluster::{Cluster, Patch, text};
use crate::definitions::{PATH, allow_all, objects, served, unique};

specs! {
    "[sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] removes definition from spec when one version gets changed to not be served [Conformance]" => not_served,
    "[sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] updates the published spec when one version gets renamed [Conformance]" => renamed,
    "[sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for CRD preserving unknown fields at the schema root [Conformance]" => at_root,
    "[sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for CRD preserving unknown fields in an embedded object [Conformance]" => nested,
    "[sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for CRD with validation schema [Conformance]" => with_schema,
    "[sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for CRD without validation schema [Conformance]" => without_schema,
    "[sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for multiple CRDs of different groups [Conformance]" => groups,
    "[sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for multiple CRDs of same group and version but different kinds [Conformance]" => kinds,
    "[sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for multiple CRDs of same group but different versions [Conformance]" => versions,
}

fn foo() -> Value {
    let string = |about: &str| json!({ "description": about, "type": "string" });
    let bar = json!({
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": string("Name of Bar."),
            "age": string("Age of Bar."),
            "feeling": {
                "description": "Whether Bar is feeling great.", "type": "string",
                "enum": ["Great", "Down"],
            },
            "bazs": {
                "description": "List of Bazs.", "items": { "type": "string" }, "type": "array",
            },
        },
    });
    let state = json!({
        "type": "object",
        "properties": {
            "name": string("Name of Bar."),
            "available": { "description": "Whether the Bar is installed.", "type": "boolean" },
            "quxType": {
                "description": "Indicates to external qux type.",
                "pattern": "in-tree|out-of-tree", "type": "string",
            },
        },
    });
    let bars = |about: &str, items: &Value| json!({ "bars": { "description": about, "type": "array", "items": items } });
    json!({
        "description": "Foo CRD for Testing",
        "type": "object",
        "properties": {
            "spec": {
                "type": "object", "description": "Specification of Foo",
                "properties": bars("List of Bars and their specs.", &bar),
            },
            "status": {
                "type": "object", "description": "Status of Foo",
                "properties": bars("List of Bars and their statuses.", &state),
            },
        },
    })
}

/// The schema of Waldo; `about` describes it.
fn waldo(about: &str) -> Value {
    json!({
        "description": about,
        "type": "object",
        "properties": {
            "spec": {
                "description": "Specification of Waldo", "type": "object",
                "properties": {
                    "dummy": { "description": "Dummy property.", "type": "object" },
                },
            },
            "status": {
                "description": "Status of Waldo", "type": "object",
                "properties": {
                    "bars": {
                        "description": "List of Bars and their statuses.", "type": "array",
                        "items": { "type": "object" },
                    },
                },
            },
        },
    })
}

const PRESERVES: &str = "x-kubernetes-preserve-unknown-fields";

/// Makes a definition and waits until all its versions are published, as `expected` if it says how.
async fn set_up(
    cluster: &Cluster,
    schema: Option<&Value>,
    expected: Option<&Value>,
    suffix: &str,
    versions: &[&str],
) -> Result<Value> {
    let group = format!("crd-publish-openapi-test-{suffix}.example.com");
    let name = unique("e2e-test-crd-publish-openapi-") + "-crd";
    let schema = match schema {
        Some(schema) => json!({ "openAPIV3Schema": schema }),
        None => allow_all(),
    };
    let version = |(i, name): (usize, &&str)| json!({ "name": name, "served": true, "storage": i == 0, "schema": schema });
    let all: Vec<Value> = versions.iter().enumerate().map(version).collect();
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("{name}s.{group}") },
        "spec": {
            "group": group, "versions": all, "scope": "Namespaced",
            "names": {
                "plural": format!("{name}s"), "singular": name,
                "kind": name, "listKind": format!("{name}List"),
            },
        },
    });
    let definition = cluster.define(&definition).await?;
    for version in versions {
        published(cluster, &definition, version, expected).await?;
    }
    Ok(definition)
}

async fn clean_up(cluster: &Cluster, definition: &Value) -> Result<()> {
    cluster.undefine(definition).await?;
    for version in served(definition) {
        withdrawn(cluster, definition, &version).await?;
    }
    Ok(())
}

/// `com.example.v1.Widget`
fn name_of(definition: &Value, version: &str) -> Result<String> {
    let group = text(definition, "/spec/group")?;
    let mut labels: Vec<&str> = group.split('.').collect();
    labels.reverse();
    let kind = text(definition, "/spec/names/kind")?;
    Ok(format!("{}.{version}.{kind}", labels.join(".")))
}

/// Waits until the old document fits ten times in a row; it is fetched anew only when it changes.
async fn until_document(cluster: &Cluster, fits: impl Fn(&Value) -> bool) -> Result<()> {
    let (mut tag, mut document) = (String::new(), Value::Null);
    let mut well = 0;
    for _ in 0..120 {
        let mut headers = vec![("accept", "*/*"), ("connection", "close")];
        if !tag.is_empty() {
            headers.push(("if-none-match", tag.as_str()));
        }
        let answer = cluster
            .call(Method::GET, "/openapi/v2", &headers, None)
            .await?;
        match answer.status.as_u16() {
            304 => {}
            200 => {
                document = answer.json()?;
                let found = answer.headers.get("etag").context("etag")?.to_str()?;
                tag = format!("\"{}\"", found.trim_matches('"'));
            }
            other => bail!("unexpected response: {other}"),
        }
        well = if fits(&document) { well + 1 } else { 0 };
        if well == 10 {
            return Ok(());
        }
    }
    bail!("the published document did not come to be as awaited")
}

async fn published(
    cluster: &Cluster,
    definition: &Value,
    version: &str,
    expected: Option<&Value>,
) -> Result<()> {
    let name = name_of(definition, version)?;
    let last = Mutex::new(Value::Null);
    let found = until_document(cluster, |document| {
        let mut found = document["definitions"][&name].clone();
        if let Ok(mut last) = last.lock() {
            *last = found.clone();
        }
        let Some(schema) = found.as_object_mut() else {
            return false;
        };
        schema.remove("x-kubernetes-group-version-kind");
        if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            for field in ["metadata", "apiVersion", "kind"] {
                properties.remove(field);
            }
        }
        expected.is_none_or(|expected| found == *expected)
    });
    found.await.with_context(|| format!("{name}: {last:?}"))
}

async fn withdrawn(cluster: &Cluster, definition: &Value, version: &str) -> Result<()> {
    let name = name_of(definition, version)?;
    until_document(cluster, |document| {
        document["definitions"].get(&name).is_none()
    })
    .await
    .with_context(|| format!("{name} is still there"))
}

/// `kubectl create`, `apply` and `delete` of an object.
async fn written(cluster: &Cluster, definition: &Value, object: &Value) -> Result<()> {
    let version = served(definition).remove(0);
    let path = objects(definition, &version, &cluster.namespace)?;
    let one = format!("{path}/{}", text(object, "/metadata/name")?);
    let mut object = object.clone();
    for manager in ["kubectl-create", "kubectl-client-side-apply"] {
        let create = format!("{path}?fieldManager={manager}&fieldValidation=Strict");
        cluster.create(&create, &object).await?;
        let options = json!({ "propagationPolicy": "Background" }).to_string();
        let gone = cluster
            .call(Method::DELETE, &one, &[], Some(options))
            .await?;
        ensure!(gone.status == 200, "{}", gone.text);
        cluster.until_gone(&one).await?;
        let applied = json!(object.to_string() + "\n");
        object["metadata"]["annotations"] =
            json!({ "kubectl.kubernetes.io/last-applied-configuration": applied });
    }
    Ok(())
}

/// What `kubectl explain` reads: the schema at a path of fields, looked up as the index says.
async fn explained(cluster: &Cluster, definition: &Value, fields: &[&str]) -> Result<Value> {
    let version = served(definition).remove(0);
    let group = text(definition, "/spec/group")?;
    let kind = text(definition, "/spec/names/kind")?;
    let index = cluster.get("/openapi/v3").await?;
    let entry = &index["paths"][format!("apis/{group}/{version}")];
    let document = cluster.get(&text(entry, "/serverRelativeURL")?).await?;
    let schemas = &document["components"]["schemas"];
    let gvk = json!([{ "group": group, "kind": kind, "version": version }]);
    let mut all = schemas.as_object().context("schemas")?.values();
    let mut schema = all.find(|schema| schema["x-kubernetes-group-version-kind"] == gvk);
    for field in fields {
        let mut of = schema.context("a schema")?;
        if let Some(reference) = of["allOf"][0]["$ref"].as_str() {
            let name = reference.rsplit('/').next().unwrap_or_default();
            of = &schemas[name];
        }
        schema = of["properties"]
            .get(field)
            .or_else(|| of["items"]["properties"].get(field));
    }
    schema
        .cloned()
        .with_context(|| format!("field {fields:?} does not exist"))
}

fn object(definition: &Value, name: &str, rest: &Value) -> Result<Value> {
    let version = served(definition).remove(0);
    let mut object = crate::definitions::instance(definition, &version, name)?;
    for (key, value) in rest.as_object().into_iter().flatten() {
        object[key] = value.clone();
    }
    Ok(object)
}

async fn with_schema(cluster: Cluster) -> Result<()> {
    let definition = set_up(&cluster, Some(&foo()), Some(&foo()), "foo", &["v1"]).await?;
    let rest = json!({ "spec": { "bars": [{ "name": "test-bar" }] } });
    written(
        &cluster,
        &definition,
        &object(&definition, "test-foo", &rest)?,
    )
    .await?;
    let about = |schema: &Value| schema["description"].as_str().unwrap_or("").to_owned();
    let root = explained(&cluster, &definition, &[]).await?;
    ensure!(about(&root).contains("Foo CRD for Testing"), "{root}");
    let version = &root["properties"]["apiVersion"];
    ensure!(
        version["type"] == "string" && about(version).contains("APIVersion defines"),
        "{root}"
    );
    ensure!(
        about(&root["properties"]["spec"]).contains("Specification of Foo"),
        "{root}"
    );
    let metadata = explained(&cluster, &definition, &["metadata"]).await?;
    ensure!(
        about(&metadata).contains("Standard object's metadata"),
        "{metadata}"
    );
    let created = explained(&cluster, &definition, &["metadata", "creationTimestamp"]).await?;
    ensure!(
        about(&created).contains("CreationTimestamp is a timestamp"),
        "{created}"
    );
    let bars = explained(&cluster, &definition, &["spec", "bars"]).await?;
    ensure!(bars["type"] == "array" && about(&bars).contains("List of Bars and their specs"));
    let bazs = explained(&cluster, &definition, &["spec", "bars", "bazs"]).await?;
    ensure!(about(&bazs).contains("List of Bazs"), "{bazs}");
    ensure!(
        explained(&cluster, &definition, &["spec", "bars2"])
            .await
            .is_err()
    );
    clean_up(&cluster, &definition).await
}

async fn without_schema(cluster: Cluster) -> Result<()> {
    let expected = json!({ "type": "object" });
    let definition = set_up(&cluster, None, Some(&expected), "empty", &["v1"]).await?;
    let rest = json!({ "a": { "b": [{ "c": "d" }] } });
    written(
        &cluster,
        &definition,
        &object(&definition, "test-cr", &rest)?,
    )
    .await?;
    let root = explained(&cluster, &definition, &[]).await?;
    ensure!(root.get("description").is_none(), "{root}");
    clean_up(&cluster, &definition).await
}

async fn at_root(cluster: Cluster) -> Result<()> {
    let mut schema = waldo("preserve-unknown-properties at root for Testing");
    schema[PRESERVES] = json!(true);
    let definition = set_up(&cluster, Some(&schema), None, "unknown-at-root", &["v1"]).await?;
    let rest = json!({ "a": { "b": [{ "c": "d" }] } });
    written(
        &cluster,
        &definition,
        &object(&definition, "test-cr", &rest)?,
    )
    .await?;
    explained(&cluster, &definition, &[]).await?;
    clean_up(&cluster, &definition).await
}

async fn nested(cluster: Cluster) -> Result<()> {
    let about = "preserve-unknown-properties in nested field for Testing";
    let mut schema = waldo(about);
    schema["properties"]["spec"][PRESERVES] = json!(true);
    let definition = set_up(&cluster, Some(&schema), None, "unknown-in-nested", &["v1"]).await?;
    // Clients of the old document take what has neither type nor fields for anything.
    let spec = json!({ "description": "Specification of Waldo", PRESERVES: true });
    let mut expected = waldo(about);
    expected["properties"]["spec"] = spec;
    published(&cluster, &definition, "v1", Some(&expected)).await?;
    let rest = json!({ "spec": { "a": null, "b": [{ "c": "d" }] } });
    written(
        &cluster,
        &definition,
        &object(&definition, "test-cr", &rest)?,
    )
    .await?;
    let root = explained(&cluster, &definition, &[]).await?;
    ensure!(root["description"] == about, "{root}");
    clean_up(&cluster, &definition).await
}

/// Two definitions, which share their group or do not.
async fn two(
    cluster: &Cluster,
    (foo_suffix, foo_version): (&str, &str),
    (waldo_suffix, waldo_version): (&str, &str),
) -> Result<()> {
    let (schema, waldo) = (foo(), waldo("Waldo CRD for Testing"));
    let first = set_up(
        cluster,
        Some(&schema),
        Some(&schema),
        foo_suffix,
        &[foo_version],
    )
    .await?;
    let second = set_up(
        cluster,
        Some(&waldo),
        Some(&waldo),
        waldo_suffix,
        &[waldo_version],
    )
    .await?;
    published(cluster, &second, waldo_version, Some(&waldo)).await?;
    published(cluster, &first, foo_version, Some(&schema)).await?;
    clean_up(cluster, &first).await?;
    clean_up(cluster, &second).await
}

async fn groups(cluster: Cluster) -> Result<()> {
    two(&cluster, ("foo", "v1"), ("waldo", "v1beta1")).await
}

async fn versions(cluster: Cluster) -> Result<()> {
    let schema = foo();
    let many = set_up(
        &cluster,
        Some(&schema),
        Some(&schema),
        "multi-ver",
        &["v2", "v3"],
    )
    .await?;
    published(&cluster, &many, "v3", Some(&schema)).await?;
    published(&cluster, &many, "v2", Some(&schema)).await?;
    clean_up(&cluster, &many).await?;
    two(&cluster, ("common-group", "v4"), ("common-group", "v5")).await
}

async fn kinds(cluster: Cluster) -> Result<()> {
    two(&cluster, ("common-group", "v6"), ("common-group", "v6")).await
}

async fn renamed(cluster: Cluster) -> Result<()> {
    let schema = foo();
    let many = set_up(
        &cluster,
        Some(&schema),
        Some(&schema),
        "multi-ver",
        &["v2", "v3"],
    )
    .await?;
    let patch = json!([
        { "op": "test", "path": "/spec/versions/1/name", "value": "v3" },
        { "op": "replace", "path": "/spec/versions/1/name", "value": "v4" },
    ]);
    let own = format!("{PATH}/{}", text(&many, "/metadata/name")?);
    let after = cluster.patch(&own, Patch::Json, &patch).await?;
    published(&cluster, &after, "v4", Some(&schema)).await?;
    withdrawn(&cluster, &many, "v3").await?;
    published(&cluster, &after, "v2", Some(&schema)).await?;
    clean_up(&cluster, &after).await
}

async fn not_served(cluster: Cluster) -> Result<()> {
    let schema = foo();
    let versions = ["v5", "v6alpha1"];
    let many = set_up(
        &cluster,
        Some(&schema),
        Some(&schema),
        "multi-to-single-ver",
        &versions,
    )
    .await?;
    let own = format!("{PATH}/{}", text(&many, "/metadata/name")?);
    let mut after = cluster.get(&own).await?;
    after["spec"]["versions"][1]["served"] = json!(false);
    let after = cluster.update(&own, &after).await?;
    withdrawn(&cluster, &many, "v6alpha1").await?;
    published(&cluster, &after, "v5", Some(&schema)).await?;
    clean_up(&cluster, &after).await
}
