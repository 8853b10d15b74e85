//! Admission policies in CEL: what they do to Deployments, and their API.
//!
//! Models test/e2e/apimachinery/{mutating,validating}admissionpolicy.go.

use std::time::Duration;

use anyhow::{Result, ensure};
use http::Method;
use serde_json::{Value, json};

use super::specs;
use crate::cluster::{Cluster, Patch, text};

specs! {
    "[sig-api-machinery] MutatingAdmissionPolicy [Privileged:ClusterAdmin] should mutate a Deployment [Conformance]" => mutate,
    "[sig-api-machinery] MutatingAdmissionPolicy [Privileged:ClusterAdmin] should mutate a Deployment with annotations [Conformance]" => annotate,
    "[sig-api-machinery] MutatingAdmissionPolicy [Privileged:ClusterAdmin] should support MutatingAdmissionPolicy API operations [Conformance]" => mutating_api,
    "[sig-api-machinery] MutatingAdmissionPolicy [Privileged:ClusterAdmin] should support MutatingAdmissionPolicyBinding API operations [Conformance]" => mutating_binding_api,
    "[sig-api-machinery] ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should allow expressions to refer variables. [Conformance]" => variables,
    "[sig-api-machinery] ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should support ValidatingAdmissionPolicy API operations [Conformance]" => validating_api,
    "[sig-api-machinery] ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should support ValidatingAdmissionPolicyBinding API operations [Conformance]" => validating_binding_api,
    "[sig-api-machinery] ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should validate against a Deployment [Conformance]" => validate,
}

const GROUP_VERSION: &str = "admissionregistration.k8s.io/v1";

fn path(resource: &str) -> String {
    format!("/apis/{GROUP_VERSION}/{resource}")
}

/// The spec's namespace gets its own name as a label, for bindings to choose it by.
async fn label_namespace(cluster: &Cluster) -> Result<()> {
    let name = &cluster.namespace;
    let patch = json!({ "metadata": { "labels": { name: "true" } } });
    let namespace = format!("/api/v1/namespaces/{name}");
    cluster.patch(&namespace, Patch::Strategic, &patch).await?;
    Ok(())
}

/// What every policy here matches: Deployments that are made or changed.
fn constraints() -> Value {
    json!({ "resourceRules": [{
        "operations": ["CREATE", "UPDATE"],
        "apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments"],
    }] })
}

/// Makes a policy and its binding for the spec's namespace; gives back both paths.
async fn make(cluster: &Cluster, kind: &str, mut spec: Value) -> Result<[String; 2]> {
    label_namespace(cluster).await?;
    let unique = &cluster.namespace;
    let selector = json!({ "matchLabels": { unique: "true" } });
    spec["matchConstraints"] = constraints();
    spec["matchConstraints"]["namespaceSelector"] = selector.clone();
    let name = format!("{unique}.policy.example.com");
    let policy = json!({
        "apiVersion": GROUP_VERSION, "kind": kind,
        "metadata": { "name": name }, "spec": spec,
    });
    let policies = path(match kind {
        "MutatingAdmissionPolicy" => "mutatingadmissionpolicies",
        _ => "validatingadmissionpolicies",
    });
    cluster.create(&policies, &policy).await?;
    let mut binding = json!({
        "apiVersion": GROUP_VERSION, "kind": format!("{kind}Binding"),
        "metadata": { "name": format!("{unique}.binding.example.com") },
        "spec": { "policyName": name, "matchResources": { "namespaceSelector": selector } },
    });
    if kind == "ValidatingAdmissionPolicy" {
        binding["spec"]["validationActions"] = json!(["Deny"]);
    }
    let bindings = path(&format!("{}bindings", kind.to_lowercase()));
    cluster.create(&bindings, &binding).await?;
    Ok([
        format!("{policies}/{name}"),
        format!("{bindings}/{unique}.binding.example.com"),
    ])
}

fn workload(kind: &str, name: &str, replicas: i64) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": kind,
        "metadata": { "name": name, "labels": { "app": "nginx" } },
        "spec": {
            "replicas": replicas,
            "selector": { "matchLabels": { "app": "nginx" } },
            "template": {
                "metadata": { "labels": { "app": "nginx" } },
                "spec": { "containers": [{ "name": "nginx", "image": "nginx:latest" }] },
            },
        },
    })
}

/// Makes a marker again and again until the policy has done to it what it is for.
async fn until_mutated(
    cluster: &Cluster,
    mutation: &str,
    done: impl Fn(&Value) -> bool,
) -> Result<()> {
    let mutation = json!({
        "patchType": "ApplyConfiguration",
        "applyConfiguration": { "expression": mutation },
    });
    let spec = json!({ "mutations": [mutation], "reinvocationPolicy": "Never" });
    let made = make(cluster, "MutatingAdmissionPolicy", spec).await?;
    let deployments = cluster.group("apps/v1", "deployments");
    let marker = workload("Deployment", "marker-deployment", 1);
    loop {
        let created = cluster.create(&deployments, &marker).await?;
        let path = format!("{deployments}/marker-deployment");
        cluster.delete(&path).await?;
        if done(&created) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for path in made {
        cluster.delete(&path).await?;
    }
    Ok(())
}

async fn mutate(cluster: Cluster) -> Result<()> {
    let expression = "Object{spec: Object.spec{replicas: 1337}}";
    until_mutated(&cluster, expression, |created| {
        created["spec"]["replicas"] == 1337
    })
    .await
}

async fn annotate(cluster: Cluster) -> Result<()> {
    let expression = "
							Object{
								metadata: Object.metadata{
									annotations: {
										\"mutated-by\": \"admission-policy\"
									}
								}
							}";
    until_mutated(&cluster, expression, |created| {
        created["metadata"]["annotations"]["mutated-by"] == "admission-policy"
    })
    .await
}

/// Waits until one replica is refused, and expects `allowed` of them to be accepted.
async fn validated(cluster: &Cluster, spec: Value, allowed: i64) -> Result<()> {
    let made = make(cluster, "ValidatingAdmissionPolicy", spec).await?;
    let deployments = cluster.group("apps/v1", "deployments");
    let marker = workload("Deployment", "marker-deployment", 1).to_string();
    loop {
        let body = Some(marker.clone());
        let answer = cluster.call(Method::POST, &deployments, &[], body).await?;
        let path = format!("{deployments}/marker-deployment");
        cluster.call(Method::DELETE, &path, &[], None).await?;
        if answer.json()?["reason"] == "Invalid" {
            break;
        }
        ensure!(answer.status.is_success(), "{}", answer.text);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let replicated = workload("Deployment", "replicated", allowed);
    cluster.create(&deployments, &replicated).await?;
    cluster.delete(&format!("{deployments}/replicated")).await?;
    let sets = cluster.group("apps/v1", "replicasets");
    let set = workload("ReplicaSet", "non-replicated", 1);
    cluster.create(&sets, &set).await?;
    cluster.delete(&format!("{sets}/non-replicated")).await?;
    for path in made {
        cluster.delete(&path).await?;
    }
    Ok(())
}

async fn validate(cluster: Cluster) -> Result<()> {
    let own = format!("namespaceObject.metadata.name == '{}'", cluster.namespace);
    let spec = json!({ "validations": [
        {
            "expression": "object.spec.replicas > 1",
            "messageExpression": "'wants replicas > 1, got ' + object.spec.replicas",
        },
        { "expression": own, "message": "Internal error! Other namespace should not be allowed." },
    ] });
    validated(&cluster, spec, 2).await
}

async fn variables(cluster: Cluster) -> Result<()> {
    let spec = json!({
        "variables": [
            { "name": "replicas", "expression": "object.spec.replicas" },
            { "name": "oddReplicas", "expression": "variables.replicas % 2 == 1" },
        ],
        "validations": [
            { "expression": "variables.replicas > 1" },
            { "expression": "variables.oddReplicas" },
        ],
    });
    validated(&cluster, spec, 3).await
}

/// One resource's verbs, and a field of its spec that is patched and changed back.
struct Operations<'a> {
    kind: &'a str,
    resource: &'a str,
    spec: Value,
    field: &'a str,
    patched: Value,
    updated: Value,
}

impl Operations<'_> {
    fn label(&self, cluster: &Cluster) -> String {
        format!("labelSelector=example-e2e-label%3D{}", cluster.namespace)
    }

    async fn discovered(&self, cluster: &Cluster) -> Result<()> {
        let has = |list: &Value, key: &str, value: &str| {
            let list = list.as_array().map_or(&[][..], Vec::as_slice);
            list.iter().find(|one| one[key] == value).cloned()
        };
        let groups = cluster.get("/apis").await?;
        let group = has(&groups["groups"], "name", "admissionregistration.k8s.io");
        let version = group.and_then(|group| has(&group["versions"], "version", "v1"));
        ensure!(version.is_some(), "{groups}");
        let group = cluster.get("/apis/admissionregistration.k8s.io").await?;
        ensure!(has(&group["versions"], "version", "v1").is_some());
        let all = cluster.get(&format!("/apis/{GROUP_VERSION}")).await?;
        ensure!(has(&all["resources"], "name", self.resource).is_some());
        Ok(())
    }

    /// Everything up to the deletions; gives back the path of the object that was changed.
    async fn changed(&self, cluster: &Cluster) -> Result<String> {
        self.discovered(cluster).await?;
        let all = path(self.resource);
        let object = json!({
            "apiVersion": GROUP_VERSION, "kind": self.kind,
            "metadata": {
                "generateName": "e2e-example-",
                "labels": { "example-e2e-label": cluster.namespace },
            },
            "spec": self.spec,
        });
        cluster.create(&all, &object).await?;
        cluster.create(&all, &object).await?;
        let created = cluster.create(&all, &object).await?;
        let one = format!("{all}/{}", text(&created, "/metadata/name")?);
        let read = cluster.get(&one).await?;
        ensure!(read["metadata"]["uid"] == created["metadata"]["uid"]);
        let before: u64 = text(&read, "/metadata/resourceVersion")?.parse()?;
        let selected = format!("{all}?{}", self.label(cluster));
        let list = cluster.get(&selected).await?;
        let from = text(&list, "/metadata/resourceVersion")?;
        let from = format!("{selected}&resourceVersion={from}");
        let mut watch = cluster.watch(&from).await?;
        let patch = json!({
            "metadata": { "annotations": { "patched": "true" } },
            "spec": { self.field: self.patched },
        });
        let patched = cluster.patch(&one, Patch::Merge, &patch).await?;
        ensure!(patched["metadata"]["annotations"]["patched"] == "true");
        ensure!(patched["spec"][self.field] == self.patched, "{patched}");
        let after: u64 = text(&patched, "/metadata/resourceVersion")?.parse()?;
        ensure!(before < after);
        let updated = cluster.retry(&one, |object| {
            object["metadata"]["annotations"]["updated"] = json!("true");
            object["spec"][self.field] = self.updated.clone();
        });
        let updated = updated.await?;
        ensure!(updated["metadata"]["annotations"]["updated"] == "true");
        ensure!(updated["spec"][self.field] == self.updated, "{updated}");
        loop {
            let (kind, object) = watch.next().await?;
            ensure!(kind == "MODIFIED", "{kind} {object}");
            if object["metadata"]["annotations"]["patched"] == "true" {
                return Ok(one);
            }
        }
    }

    async fn deleted(&self, cluster: &Cluster, one: &str) -> Result<()> {
        cluster.delete(one).await?;
        cluster
            .refused(Method::GET, one, None, 404, "NotFound")
            .await?;
        let selected = format!("{}?{}", path(self.resource), self.label(cluster));
        let left = cluster.list(&selected).await?;
        ensure!(left.len() == 2, "{left:?}");
        cluster.delete(&selected).await?;
        ensure!(cluster.list(&selected).await?.is_empty());
        Ok(())
    }

    async fn run(&self, cluster: &Cluster) -> Result<()> {
        let one = self.changed(cluster).await?;
        self.deleted(cluster, &one).await
    }
}

async fn mutating_api(cluster: Cluster) -> Result<()> {
    let mutation = json!({
        "patchType": "ApplyConfiguration",
        "applyConfiguration": { "expression": "Object{spec: Object.spec{replicas: 100}}" },
    });
    let mut matched = constraints();
    matched["resourceRules"][0]["operations"] = json!(["CREATE"]);
    let operations = Operations {
        kind: "MutatingAdmissionPolicy",
        resource: "mutatingadmissionpolicies",
        spec: json!({
            "reinvocationPolicy": "Never", "mutations": [mutation], "matchConstraints": matched,
        }),
        field: "reinvocationPolicy",
        patched: json!("IfNeeded"),
        updated: json!("Never"),
    };
    operations.run(&cluster).await
}

async fn mutating_binding_api(cluster: Cluster) -> Result<()> {
    let operations = Operations {
        kind: "MutatingAdmissionPolicyBinding",
        resource: "mutatingadmissionpolicybindings",
        spec: json!({ "policyName": "replicalimit-policy.example.com" }),
        field: "policyName",
        patched: json!("new-policy.example.com"),
        updated: json!("replicalimit-policy.example.com"),
    };
    operations.run(&cluster).await
}

async fn validating_api(cluster: Cluster) -> Result<()> {
    let operations = Operations {
        kind: "ValidatingAdmissionPolicy",
        resource: "validatingadmissionpolicies",
        spec: json!({
            "validations": [{ "expression": "object.spec.replicas <= 100" }],
            "matchConstraints": constraints(),
        }),
        field: "failurePolicy",
        patched: json!("Ignore"),
        updated: json!("Fail"),
    };
    let one = operations.changed(&cluster).await?;
    let status = format!("{one}/status");
    let read = cluster.get(&status).await?;
    ensure!(read["kind"] == "ValidatingAdmissionPolicy" && read["apiVersion"] == GROUP_VERSION);
    let condition = |kind: &str, reason: &str| {
        json!({
            "type": kind, "status": "False", "reason": reason,
            "message": "Set from an e2e test", "lastTransitionTime": "2024-01-01T00:00:00Z",
        })
    };
    let has = |object: &Value, kind: &str| {
        let conditions = object["status"]["conditions"].as_array();
        conditions.is_some_and(|all| all.iter().any(|one| one["type"] == kind))
    };
    let patch = json!({ "status": { "conditions": [condition("PatchStatusFailed", "e2e")] } });
    let patched = cluster.patch(&status, Patch::Merge, &patch).await?;
    ensure!(has(&patched, "PatchStatusFailed"), "{patched}");
    let updated = cluster.retry(&status, |object| {
        if let Some(conditions) = object["status"]["conditions"].as_array_mut() {
            conditions.push(condition("StatusUpdateFailed", "E2E"));
        }
    });
    let updated = updated.await?;
    ensure!(has(&updated, "StatusUpdateFailed"), "{updated}");
    operations.deleted(&cluster, &one).await
}

async fn validating_binding_api(cluster: Cluster) -> Result<()> {
    let operations = Operations {
        kind: "ValidatingAdmissionPolicyBinding",
        resource: "validatingadmissionpolicybindings",
        spec: json!({
            "policyName": "replicalimit-policy.example.com", "validationActions": ["Deny"],
        }),
        field: "validationActions",
        patched: json!(["Warn"]),
        updated: json!(["Deny"]),
    };
    operations.run(&cluster).await
}
