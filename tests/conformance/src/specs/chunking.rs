//! Lists in pages.
//!
//! Models test/e2e/apimachinery/chunking.go.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures_util::future::try_join_all;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::specs;
use crate::cluster::{Cluster, text};

specs! {
    "[sig-api-machinery] Servers with support for API chunking should return chunks of results for list calls [Conformance]" => chunks,
    "[sig-api-machinery] Servers with support for API chunking should support continue listing from the last key if the original version has been compacted away, though the list is inconsistent [Slow] [Conformance]" => compacted,
}

const TOTAL: usize = 400;

/// Makes many PodTemplates, some at a time.
async fn fill(cluster: &Cluster) -> Result<String> {
    let path = cluster.core("podtemplates");
    for start in (0..TOTAL).step_by(20) {
        let made = (start..start + 20).map(|i| {
            let (cluster, path) = (cluster.clone(), path.clone());
            async move {
                let template = json!({
                    "apiVersion": "v1", "kind": "PodTemplate",
                    "metadata": { "name": format!("template-{i:04}") },
                    "template": { "spec": { "containers": [{ "name": "test", "image": "test2" }] } },
                });
                cluster.create(&path, &template).await
            }
        });
        try_join_all(made).await?;
    }
    Ok(path)
}

/// One page: its items follow those `found` before. Gives back the token of the next, if there is.
fn page(list: &Value, limit: usize, found: &mut usize) -> Result<Option<String>> {
    let items = list["items"].as_array().context("a list has items")?;
    ensure!(items.len() <= limit);
    let token = list["metadata"]["continue"].as_str().unwrap_or("");
    let left = &list["metadata"]["remainingItemCount"];
    match token {
        "" => ensure!(left.is_null(), "{left}"),
        _ => ensure!(*left == TOTAL - items.len() - *found, "{left} are left"),
    }
    for item in items {
        let wanted = format!("template-{found:04}");
        ensure!(item["metadata"]["name"] == wanted, "{wanted}: {item}");
        *found += 1;
    }
    Ok((!token.is_empty()).then(|| token.to_owned()))
}

fn query(path: &str, limit: usize, token: &str) -> String {
    match token {
        "" => format!("{path}?limit={limit}"),
        token => format!("{path}?limit={limit}&continue={token}"),
    }
}

async fn chunks(cluster: Cluster) -> Result<()> {
    let path = fill(&cluster).await?;
    for limits in [[7, 40, 13], [39, 1, 22], [33, 25, 40]] {
        let (mut found, mut token, mut version) = (0, String::new(), None);
        for limit in limits.into_iter().cycle() {
            let list = cluster.get(&query(&path, limit, &token)).await?;
            let own = text(&list, "/metadata/resourceVersion")?;
            ensure!(*version.get_or_insert_with(|| own.clone()) == own);
            match page(&list, limit, &mut found)? {
                Some(next) => token = next,
                None => break,
            }
        }
        ensure!(found == TOTAL, "{found}");
    }
    let all = cluster.list(&query(&path, TOTAL + 1, "")).await?;
    ensure!(all.len() == TOTAL);
    Ok(())
}

/// Asks for a page until its token has expired; gives back the one to go on with all the same.
async fn until_expired(cluster: &Cluster, path: &str) -> Result<String> {
    for _ in 0..120 {
        let answer = cluster.call(Method::GET, path, &[], None).await?;
        if answer.status == StatusCode::GONE {
            let status = answer.json()?;
            ensure!(status["reason"] == "Expired", "{status}");
            return text(&status, "/metadata/continue");
        }
        ensure!(answer.status.is_success(), "{}", answer.text);
        tokio::time::sleep(Duration::from_millis(333)).await;
    }
    bail!("the token does not expire")
}

async fn compacted(cluster: Cluster) -> Result<()> {
    let path = fill(&cluster).await?;
    let limit = TOTAL / 10;
    let mut found = 0;
    let first = cluster.get(&query(&path, limit, "")).await?;
    let token = page(&first, limit, &mut found)?.context("there is more")?;
    let mut token = until_expired(&cluster, &query(&path, limit, &token)).await?;
    let mut version = None;
    loop {
        let list = cluster.get(&query(&path, limit, &token)).await?;
        let own = text(&list, "/metadata/resourceVersion")?;
        ensure!(first["metadata"]["resourceVersion"] != own);
        ensure!(*version.get_or_insert_with(|| own.clone()) == own);
        match page(&list, limit, &mut found)? {
            Some(next) => token = next,
            None => break,
        }
    }
    ensure!(found == TOTAL, "{found}");
    Ok(())
}
