//! What specs named "should support … API operations" do: every verb of a resource, and a watch.
//!
//! Models test/e2e/framework/conformance/conformance.go and what the older specs have in common.

use anyhow::{Result, ensure};
use http::Method;
use serde_json::{Value, json};

use crate::cluster::{Cluster, Patch, text};

/// That discovery tells of a resource, asked at all three levels.
pub(super) async fn discovered(
    cluster: &Cluster,
    group_version: &str,
    resources: &[&str],
) -> Result<()> {
    let (group, version) = group_version.split_once('/').unwrap_or(("", group_version));
    let groups = cluster.get("/apis").await?;
    let groups = groups["groups"].as_array().cloned().unwrap_or_default();
    let found = groups.iter().find(|found| found["name"] == group);
    let has = |found: &Value| {
        let versions = found["versions"].as_array();
        versions.is_some_and(|all| all.iter().any(|one| one["version"] == version))
    };
    ensure!(found.is_some_and(has), "/apis has no {group_version}");
    let found = cluster.get(&format!("/apis/{group}")).await?;
    ensure!(has(&found), "/apis/{group} has no {version}");
    let found = cluster.get(&format!("/apis/{group_version}")).await?;
    let names = found["resources"].as_array().cloned().unwrap_or_default();
    for resource in resources {
        let known = names.iter().any(|found| found["name"] == *resource);
        ensure!(known, "/apis/{group_version} has no {resource}");
    }
    Ok(())
}

/// A resource's operations.
pub(super) struct Operations<'a> {
    pub(super) cluster: &'a Cluster,
    /// `networking.k8s.io/v1`
    pub(super) group_version: &'a str,
    /// `ingresses`
    pub(super) resource: &'a str,
    pub(super) namespaced: bool,
    /// What every object that is made has as a label, with the namespace as its value.
    pub(super) label: &'a str,
}

impl Operations<'_> {
    /// The collection's path.
    pub(super) fn path(&self) -> String {
        match self.namespaced {
            true => self.cluster.group(self.group_version, self.resource),
            false => self.everywhere(),
        }
    }

    /// The path of the collection in all namespaces.
    pub(super) fn everywhere(&self) -> String {
        format!("/apis/{}/{}", self.group_version, self.resource)
    }

    /// `labelSelector=…` of the objects that were made.
    pub(super) fn selector(&self) -> String {
        format!("labelSelector={}%3D{}", self.label, self.cluster.namespace)
    }

    /// Three objects go through every verb; `names` makes one with a name.
    pub(super) async fn run(&self, made: impl Fn(&str) -> Value) -> Result<()> {
        let cluster = self.cluster;
        discovered(cluster, self.group_version, &[self.resource]).await?;
        let path = self.path();
        let names = ["first", "second", "third"].map(|n| format!("{}-{n}", cluster.namespace));
        let label = |mut object: Value| {
            object["metadata"]["labels"][self.label] = json!(cluster.namespace);
            object
        };
        let first = cluster.create(&path, &label(made(&names[0]))).await?;
        let twice = label(made(&names[0]));
        cluster
            .refused(Method::POST, &path, Some(&twice), 409, "AlreadyExists")
            .await?;
        cluster.create(&path, &label(made(&names[1]))).await?;
        let selected = format!("{path}?{}", self.selector());
        let listed = cluster.get(&selected).await?;
        let version = text(&listed, "/metadata/resourceVersion")?;
        let from = format!("{selected}&resourceVersion={version}");
        let mut watch = cluster.watch(&from).await?;
        let mut far = cluster
            .watch(&format!("{}?{}", self.everywhere(), self.selector()))
            .await?;
        cluster.create(&path, &label(made(&names[2]))).await?;

        let one = format!("{path}/{}", names[0]);
        let found = cluster.get(&one).await?;
        ensure!(found["metadata"]["uid"] == first["metadata"]["uid"]);
        ensure!(cluster.list(&selected).await?.len() == 3);
        let all = format!("{}?{}", self.everywhere(), self.selector());
        ensure!(cluster.list(&all).await?.len() == 3);
        let patch = json!({ "metadata": { "annotations": { "patched": "true" } } });
        let mut patched = cluster.patch(&one, Patch::Merge, &patch).await?;
        ensure!(patched["metadata"]["annotations"]["patched"] == "true");
        patched["metadata"]["annotations"]["updated"] = json!("true");
        let updated = cluster.update(&one, &patched).await?;
        ensure!(updated["metadata"]["annotations"]["updated"] == "true");
        // From where the list was, there is but one addition.
        let (kind, _) = watch.next().await?;
        ensure!(kind == "ADDED", "{kind} comes first");
        for wanted in ["patched", "updated"] {
            let (kind, object) = watch.next().await?;
            let annotations = &object["metadata"]["annotations"];
            ensure!(
                kind == "MODIFIED" && annotations[wanted] == "true",
                "{object}"
            );
        }
        far.until(|kind, object| {
            kind == "MODIFIED" && object["metadata"]["annotations"]["updated"] == "true"
        })
        .await?;
        cluster.delete(&one).await?;
        cluster
            .refused(Method::GET, &one, None, 404, "NotFound")
            .await?;
        ensure!(cluster.list(&selected).await?.len() == 2);
        cluster.delete(&selected).await?;
        ensure!(cluster.list(&selected).await?.is_empty());
        Ok(())
    }

    /// Status by itself: patched, updated, and read.
    pub(super) async fn status(&self, object: &Value, status: &Value) -> Result<()> {
        let cluster = self.cluster;
        let made = cluster.create(&self.path(), object).await?;
        let one = format!("{}/{}", self.path(), text(&made, "/metadata/name")?);
        let state = format!("{one}/status");
        let patch = json!({
            "metadata": { "annotations": { "patchedstatus": "true" } },
            "status": status,
        });
        let patched = cluster.patch(&state, Patch::Merge, &patch).await?;
        ensure!(patched["status"] == *status, "{patched}");
        ensure!(patched["metadata"]["annotations"]["patchedstatus"] == "true");
        let updated = cluster
            .retry(&state, |object| {
                object["metadata"]["annotations"]["updatedstatus"] = json!("true");
            })
            .await?;
        ensure!(updated["status"] == *status, "{updated}");
        let found = cluster.get(&state).await?;
        ensure!(found["metadata"]["uid"] == made["metadata"]["uid"]);
        ensure!(found["kind"] == made["kind"]);
        cluster.delete(&one).await?;
        Ok(())
    }
}
