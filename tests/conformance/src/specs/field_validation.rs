//! Models test/e2e/apimachinery/field_validation.go.

use anyhow::{Result, ensure};
use http::Method;
use serde_json::{Value, json};

use super::specs;
use crate::cluster::{Answer, Cluster, text};
use crate::definitions::{allow_all, objects, random_with_versions};

specs! {
    "[sig-api-machinery] FieldValidation should create/apply a CR with unknown fields for CRD with no validation schema [Conformance]" => no_schema,
    "[sig-api-machinery] FieldValidation should create/apply a valid CR for CRD with validation schema [Conformance]" => valid,
    "[sig-api-machinery] FieldValidation should create/apply an invalid CR with extra properties for CRD with validation schema [Conformance]" => extra,
    "[sig-api-machinery] FieldValidation should detect duplicates in a CR when preserving unknown fields [Conformance]" => duplicates,
    "[sig-api-machinery] FieldValidation should detect unknown and duplicate fields of a typed object [Conformance]" => typed,
    "[sig-api-machinery] FieldValidation should detect unknown metadata fields in both the root and embedded object of a CR [Conformance]" => metadata,
    "[sig-api-machinery] FieldValidation should detect unknown metadata fields of a typed object [Conformance]" => typed_metadata,
}

const QUERY: &str = "fieldManager=field_validation_mgr&fieldValidation=Strict";

/// A deployment as text, with these lines in its metadata and its spec.
fn deployment(metadata: &str, spec: &str) -> String {
    format!(
        r#"{{
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {{ "name": "my-dep", {metadata} "labels": {{"app": "nginx"}} }},
        "spec": {{
            {spec}
            "selector": {{ "matchLabels": {{ "app": "nginx" }} }},
            "template": {{
                "metadata": {{ "labels": {{ "app": "nginx" }} }},
                "spec": {{ "containers": [{{ "name": "nginx", "image": "nginx:latest" }}] }}
            }}
        }}
    }}"#
    )
}

async fn refused(cluster: &Cluster, body: String, message: &str) -> Result<()> {
    let path = format!("{}?{QUERY}", cluster.group("apps/v1", "deployments"));
    let answer = cluster.call(Method::POST, &path, &[], Some(body)).await?;
    let status = answer.json()?;
    let said = status["message"].as_str().unwrap_or("");
    ensure!(answer.status == 400 && said.contains(message), "{status}");
    Ok(())
}

async fn typed(cluster: Cluster) -> Result<()> {
    let body = deployment(
        "",
        r#""unknownField": "foo", "replicas": 2, "replicas": 3,"#,
    );
    let message = r#"strict decoding error: unknown field "spec.unknownField", duplicate field "spec.replicas""#;
    refused(&cluster, body, message).await
}

async fn typed_metadata(cluster: Cluster) -> Result<()> {
    let body = deployment(r#""unknownMeta": "foo","#, "");
    let message = r#"strict decoding error: unknown field "metadata.unknownMeta""#;
    refused(&cluster, body, message).await
}

/// The schema that the specs share; `more` is what `spec` has besides.
fn schema(more: &Value) -> Value {
    let port = json!({
        "type": "object",
        "required": ["containerPort", "protocol"],
        "properties": {
            "containerPort": { "format": "int32", "type": "integer" },
            "hostIP": { "type": "string" },
            "hostPort": { "format": "int32", "type": "integer" },
            "name": { "type": "string" },
            "protocol": { "type": "string" },
        },
    });
    let mut spec = json!({
        "type": "object",
        "properties": {
            "foo": { "type": "string" },
            "cronSpec": {
                "type": "string",
                "pattern": r"^(\d+|\*)(/\d+)?(\s+(\d+|\*)(/\d+)?){4}$",
            },
            "ports": {
                "type": "array",
                "x-kubernetes-list-map-keys": ["containerPort", "protocol"],
                "x-kubernetes-list-type": "map",
                "items": port,
            },
        },
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        match name.as_str() {
            "template" => spec["properties"]["template"] = value.clone(),
            name => spec[name] = value.clone(),
        }
    }
    json!({ "openAPIV3Schema": { "type": "object", "properties": { "spec": spec } } })
}

const PORTS: &str = "  cronSpec: \"* * * * */5\"
  ports:
  - name: x
    containerPort: 80
    protocol: TCP";

/// Makes a definition and applies an object whose text ends so.
async fn applied(cluster: &Cluster, schema: &Value, rest: &str) -> Result<Answer> {
    let definition = random_with_versions("Cluster", schema);
    let definition = cluster.define_and_watch(&definition).await?;
    let (group, kind) = (
        text(&definition, "/spec/group")?,
        text(&definition, "/spec/names/kind")?,
    );
    let body =
        format!("\napiVersion: {group}/v1beta1\nkind: {kind}\nmetadata:\n  name: mytest\n{rest}");
    let path = format!("{}/mytest?{QUERY}", objects(&definition, "v1beta1", "")?);
    let headers = [("content-type", "application/apply-patch+yaml")];
    cluster
        .call(Method::PATCH, &path, &headers, Some(body))
        .await
}

async fn valid(cluster: Cluster) -> Result<()> {
    let rest = format!("  finalizers:\n  - test-finalizer\nspec:\n  foo: foo1\n{PORTS}");
    let answer = applied(&cluster, &schema(&json!({})), &rest).await?;
    ensure!(answer.status == 201, "{}", answer.text);
    Ok(())
}

async fn no_schema(cluster: Cluster) -> Result<()> {
    let rest = format!("  finalizers:\n  - test-finalizer\nspec:\n  unknown: uk1\n{PORTS}");
    let answer = applied(&cluster, &allow_all(), &rest).await?;
    ensure!(answer.status == 201, "{}", answer.text);
    Ok(())
}

async fn extra(cluster: Cluster) -> Result<()> {
    let rest = format!(
        "  finalizers:\n  - test-finalizer\nunknownField: unknown\nspec:\n  foo: foo1\n{PORTS}"
    );
    let answer = applied(&cluster, &schema(&json!({})), &rest).await?;
    let message = ".unknownField: field not declared in schema";
    ensure!(answer.text.contains(message), "{}", answer.text);
    Ok(())
}

async fn metadata(cluster: Cluster) -> Result<()> {
    let more = json!({
        "x-kubernetes-preserve-unknown-fields": true,
        "template": {
            "type": "object",
            "x-kubernetes-embedded-resource": true,
            "properties": {
                "metadata": { "type": "object", "properties": { "name": { "type": "string" } } },
                "spec": { "type": "object" },
            },
        },
    });
    let rest = format!(
        "  unknownMeta: unknown
  finalizers:
  - test-finalizer
spec:
  template:
    apiversion: foo/v1
    kind: Sub
    metadata:
        unknownSubMeta: unknown
        name: subobject
        namespace: {}
  foo: foo1
{PORTS}",
        cluster.namespace
    );
    let answer = applied(&cluster, &schema(&more), &rest).await?;
    let messages = [
        ".spec.template.metadata.unknownSubMeta: field not declared in schema",
        ".metadata.unknownMeta: field not declared in schema",
    ];
    ensure!(
        messages.iter().any(|m| answer.text.contains(m)),
        "{}",
        answer.text
    );
    Ok(())
}

async fn duplicates(cluster: Cluster) -> Result<()> {
    let more = json!({ "x-kubernetes-preserve-unknown-fields": true });
    let rest = format!(
        "  finalizers:\n  - test-finalizer\nspec:\n  unknown: uk1\n  foo: foo1\n  foo: foo2\n{PORTS}"
    );
    let answer = applied(&cluster, &schema(&more), &rest).await?;
    let message = r#"line 11: key \"foo\" already set in map"#;
    ensure!(answer.text.contains(message), "{}", answer.text);
    Ok(())
}
