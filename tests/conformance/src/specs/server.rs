//! What the server says of itself and its nodes, and the form it does not answer in.
//!
//! Models test/e2e/apimachinery/{server_version,table_conversion}.go and
//! test/e2e/architecture/conformance.go.

use anyhow::{Context, Result, ensure};
use http::Method;
use serde_json::json;

use super::specs;
use crate::cluster::{Cluster, text};

specs! {
    "[sig-api-machinery] Servers with support for Table transformation should return a 406 for a backend which does not implement metadata [Conformance]" => no_table,
    "[sig-api-machinery] server version should find the server version [Conformance]" => version,
    "[sig-architecture] Conformance Tests should have at least two untainted nodes [Conformance]" => untainted,
}

async fn no_table(cluster: Cluster) -> Result<()> {
    let review = json!({
        "kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1",
        "metadata": {},
        "spec": { "resourceAttributes": {
            "namespace": "default", "verb": "get", "resource": "pods", "version": "v1",
        } },
    });
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let headers = [("accept", "application/json;as=Table;v=v1;g=meta.k8s.io")];
    let body = Some(review.to_string());
    let answer = cluster.call(Method::POST, path, &headers, body).await?;
    ensure!(answer.status.as_u16() == 406, "{}", answer.text);
    let status = answer.json()?;
    ensure!(
        status["code"] == 406 && status["reason"] == "NotAcceptable",
        "{status}"
    );
    Ok(())
}

async fn version(cluster: Cluster) -> Result<()> {
    let version = cluster.get("/version").await?;
    ensure!(text(&version, "/major")? == "1", "{version}");
    let minor = text(&version, "/minor")?;
    ensure!(
        !minor.is_empty() && minor.chars().all(|c| c.is_ascii_digit()),
        "{version}"
    );
    Ok(())
}

async fn untainted(cluster: Cluster) -> Result<()> {
    let nodes = cluster.list("/api/v1/nodes?resourceVersion=0").await?;
    let fit = nodes.iter().filter(|node| {
        let conditions = node["status"]["conditions"].as_array();
        let ready = conditions.into_iter().flatten();
        let mut ready = ready.filter(|one| one["type"] == "Ready" && one["status"] == "True");
        let taints = node["spec"]["taints"].as_array();
        ready.next().is_some()
            && taints.is_none_or(Vec::is_empty)
            && node["spec"]["unschedulable"] != true
    });
    (fit.count() >= 2)
        .then_some(())
        .context("fewer than two nodes are untainted")
}
