//! Models test/e2e/apimachinery/webhook.go, where it changes configurations and sets conditions.

use anyhow::{Result, ensure};
use http::Method;
use serde_json::{Value, json};

use super::specs;
use crate::cluster::{Cluster, Patch};
use crate::webhook::{Kind, Webhook};

specs! {
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] patching/updating a validating webhook should work [Conformance]" => validating_changed,
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] patching/updating a mutating webhook should work [Conformance]" => mutating_changed,
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] listing validating webhooks should work [Conformance]" => validating_listed,
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] listing mutating webhooks should work [Conformance]" => mutating_listed,
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should be able to create and update validating webhook configurations with match conditions [Conformance]" => validating_conditions,
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should be able to create and update mutating webhook configurations with match conditions [Conformance]" => mutating_conditions,
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should reject validating webhook configurations with invalid match conditions [Conformance]" => validating_invalid,
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should reject mutating webhook configurations with invalid match conditions [Conformance]" => mutating_invalid,
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should mutate everything except 'skip-me' configmaps [Conformance]" => all_but_one,
}

const MAPS: [&str; 3] = ["", "v1", "configmaps"];

async fn run(cluster: Cluster) -> Result<Webhook> {
    Webhook::run(cluster, "webhook").await
}

fn judging(hook: &Webhook, kind: Kind) -> Value {
    let (name, path) = match kind {
        Kind::Validating => ("deny-unwanted-configmap-data.k8s.io", "/configmaps"),
        Kind::Mutating => (
            "adding-configmap-data-stage-1.k8s.io",
            "/mutating-configmaps",
        ),
    };
    hook.hook(name, path, &["CREATE"], &MAPS)
}

/// Whether the webhook has a say in what is created now.
async fn acts(hook: &Webhook, kind: Kind, name: &str) -> Result<bool> {
    let data = match kind {
        Kind::Validating => json!({ "webhook-e2e-test": "webhook-disallow" }),
        Kind::Mutating => json!({ "mutation-start": "yes" }),
    };
    let maps = hook.cluster.core("configmaps");
    let answer = hook.post(&maps, &Webhook::config_map(name, &data)).await?;
    let made = answer.json()?;
    Ok(match kind {
        Kind::Validating => {
            let why = "denied the request: the configmap contains unwanted key and value";
            ensure!(
                answer.status.is_success() || answer.text.contains(why),
                "{made}"
            );
            !answer.status.is_success()
        }
        Kind::Mutating => {
            ensure!(answer.status.is_success(), "{made}");
            made["data"]["mutation-stage-1"] == "yes"
        }
    })
}

/// A webhook that is told not to look at creations does not; told again, it does.
async fn changed(cluster: Cluster, kind: Kind) -> Result<()> {
    let hook = run(cluster).await?;
    let webhook = judging(&hook, kind);
    let registered = hook.register(kind, &[webhook]).await?;
    ensure!(acts(&hook, kind, "first").await?);
    hook.cluster
        .retry(&registered, |configuration| {
            configuration["webhooks"][0]["rules"][0]["operations"] = json!(["UPDATE"]);
        })
        .await?;
    ensure!(!acts(&hook, kind, "second").await?);
    let patch = json!([{
        "op": "replace", "path": "/webhooks/0/rules/0/operations/0", "value": "CREATE",
    }]);
    hook.cluster.patch(&registered, Patch::Json, &patch).await?;
    ensure!(acts(&hook, kind, "third").await?);
    hook.withdraw(&registered).await
}

async fn validating_changed(cluster: Cluster) -> Result<()> {
    changed(cluster, Kind::Validating).await
}

async fn mutating_changed(cluster: Cluster) -> Result<()> {
    changed(cluster, Kind::Mutating).await
}

/// Ten of them act together, and none when the collection is deleted.
async fn listed(cluster: Cluster, kind: Kind) -> Result<()> {
    let hook = run(cluster).await?;
    for n in 0..10 {
        let mut configuration = hook.configuration(kind, &[judging(&hook, kind)]);
        configuration["metadata"]["name"] = json!(format!("{}-{n}", hook.own()));
        hook.cluster.create(&kind.path(), &configuration).await?;
    }
    let selected = format!(
        "{}?labelSelector=e2e-list-test-webhooks%3D{}",
        kind.path(),
        hook.own()
    );
    ensure!(hook.cluster.list(&selected).await?.len() == 10);
    ensure!(acts(&hook, kind, "first").await?);
    hook.cluster.delete(&selected).await?;
    ensure!(!acts(&hook, kind, "second").await?);
    Ok(())
}

async fn validating_listed(cluster: Cluster) -> Result<()> {
    listed(cluster, Kind::Validating).await
}

async fn mutating_listed(cluster: Cluster) -> Result<()> {
    listed(cluster, Kind::Mutating).await
}

fn conditions() -> Value {
    json!([
        { "name": "expression-1", "expression": "object.metadata.namespace == 'production'" },
    ])
}

/// Conditions are kept as they are given, created and updated.
async fn with_conditions(cluster: Cluster, kind: Kind) -> Result<()> {
    let hook = run(cluster).await?;
    let mut webhook = judging(&hook, kind);
    webhook["matchConditions"] = conditions();
    let registered = hook.register(kind, &[webhook]).await?;
    let found = hook.cluster.get(&registered).await?;
    ensure!(
        found["webhooks"][0]["matchConditions"] == conditions(),
        "{found}"
    );
    let two = json!([
        { "name": "expression-1", "expression": "object.metadata.namespace == 'production'" },
        { "name": "expression-2", "expression": "object.metadata.namespace == 'staging'" },
    ]);
    hook.cluster
        .retry(&registered, |configuration| {
            configuration["webhooks"][0]["matchConditions"] = two.clone();
        })
        .await?;
    let found = hook.cluster.get(&registered).await?;
    ensure!(found["webhooks"][0]["matchConditions"] == two, "{found}");
    ensure!(!acts(&hook, kind, "elsewhere").await?);
    hook.withdraw(&registered).await
}

async fn validating_conditions(cluster: Cluster) -> Result<()> {
    with_conditions(cluster, Kind::Validating).await
}

async fn mutating_conditions(cluster: Cluster) -> Result<()> {
    with_conditions(cluster, Kind::Mutating).await
}

async fn invalid(cluster: Cluster, kind: Kind) -> Result<()> {
    let hook = Webhook { cluster };
    let mut webhook = judging(&hook, kind);
    webhook["matchConditions"] = json!([
        { "name": "invalid-expression-1", "expression": "... [] bad expression" },
    ]);
    let configuration = hook.configuration(kind, &[webhook]);
    hook.cluster
        .refused(
            Method::POST,
            &kind.path(),
            Some(&configuration),
            422,
            "compilation failed",
        )
        .await?;
    Ok(())
}

async fn validating_invalid(cluster: Cluster) -> Result<()> {
    invalid(cluster, Kind::Validating).await
}

async fn mutating_invalid(cluster: Cluster) -> Result<()> {
    invalid(cluster, Kind::Mutating).await
}

async fn all_but_one(cluster: Cluster) -> Result<()> {
    let hook = run(cluster).await?;
    let kind = Kind::Mutating;
    let mut webhook = judging(&hook, kind);
    webhook["matchConditions"] =
        json!([{ "name": "skip-me", "expression": "object.metadata.name != 'skip-me'" }]);
    let registered = hook.register(kind, &[webhook]).await?;
    ensure!(acts(&hook, kind, "to-be-mutated").await?);
    ensure!(!acts(&hook, kind, "skip-me").await?);
    hook.withdraw(&registered).await
}
