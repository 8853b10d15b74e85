//! Models test/e2e/apimachinery/{discovery,aggregated_discovery}.go.

use anyhow::{Context, Result, ensure};
use http::Method;
use serde_json::{Value, json};

use super::specs;
use crate::cluster::{Answer, Cluster, text};
use crate::definitions::{allow_all, unique};

specs! {
    "[sig-api-machinery] AggregatedDiscovery should support aggregated discovery interface [Conformance]" => interface,
    "[sig-api-machinery] AggregatedDiscovery should support aggregated discovery interface for CRDs [Conformance]" => interface_custom,
    "[sig-api-machinery] AggregatedDiscovery should support raw aggregated discovery endpoint Accept headers [Conformance]" => raw,
    "[sig-api-machinery] AggregatedDiscovery should support raw aggregated discovery request for CRDs [Conformance]" => raw_custom,
    "[sig-api-machinery] Discovery should locate the groupVersion and a resource within each APIGroup [Conformance]" => locate,
    "[sig-api-machinery] Discovery should validate PreferredVersion for each APIGroup [Conformance]" => preferred,
}

/// Group, version and a resource that has to be there.
const EXPECTED: [(&str, &str, &str); 19] = [
    ("", "v1", "namespaces"),
    (
        "admissionregistration.k8s.io",
        "v1",
        "validatingwebhookconfigurations",
    ),
    ("apiextensions.k8s.io", "v1", "customresourcedefinitions"),
    ("apiregistration.k8s.io", "v1", "apiservices"),
    ("apps", "v1", "deployments"),
    ("authentication.k8s.io", "v1", "tokenreviews"),
    ("authorization.k8s.io", "v1", "selfsubjectaccessreviews"),
    ("autoscaling", "v1", "horizontalpodautoscalers"),
    ("autoscaling", "v2", "horizontalpodautoscalers"),
    ("batch", "v1", "jobs"),
    ("certificates.k8s.io", "v1", "certificatesigningrequests"),
    ("coordination.k8s.io", "v1", "leases"),
    ("discovery.k8s.io", "v1", "endpointslices"),
    ("events.k8s.io", "v1", "events"),
    ("networking.k8s.io", "v1", "ingresses"),
    ("node.k8s.io", "v1", "runtimeclasses"),
    ("policy", "v1", "poddisruptionbudgets"),
    ("scheduling.k8s.io", "v1", "priorityclasses"),
    ("storage.k8s.io", "v1", "csinodes"),
];

/// What a raw request of the suite asks for.
const RAW: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
/// What client-go's discovery client asks for.
const CLIENT: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
    application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

async fn asked(cluster: &Cluster, path: &str, accept: &str) -> Result<Answer> {
    let answer = cluster
        .call(Method::GET, path, &[("accept", accept)], None)
        .await?;
    ensure!(answer.status == 200, "{path}: {}", answer.text);
    Ok(answer)
}

/// Whether a document of groups has a resource.
fn has(document: &Value, (group, version, resource): (&str, &str, &str)) -> bool {
    let within = |value: &Value, list: &str, fits: &dyn Fn(&Value) -> bool| -> Option<Value> {
        let mut items = value[list].as_array()?.iter();
        items.find(|item| fits(item)).cloned()
    };
    let name = |item: &Value| item["metadata"]["name"].as_str().unwrap_or("") == group;
    let found = within(document, "items", &name)
        .and_then(|group| within(&group, "versions", &|v| v["version"] == version))
        .and_then(|version| within(&version, "resources", &|r| r["resource"] == resource));
    found.is_some()
}

async fn raw(cluster: Cluster) -> Result<()> {
    let groups = asked(&cluster, "/apis", RAW).await?.json()?;
    let core = asked(&cluster, "/api", RAW).await?.json()?;
    for expected in EXPECTED {
        let document = if expected.0.is_empty() {
            &core
        } else {
            &groups
        };
        ensure!(has(document, expected), "{expected:?} is missing");
    }
    Ok(())
}

/// What client-go makes of `/api` and `/apis`: it takes them for aggregated by their type.
async fn client(cluster: &Cluster) -> Result<[Value; 2]> {
    let mut both = [Value::Null, Value::Null];
    for (document, path) in both.iter_mut().zip(["/api", "/apis"]) {
        let answer = asked(cluster, path, CLIENT).await?;
        let kind = answer.headers.get("content-type").context("content type")?;
        let kind = kind.to_str()?;
        for part in ["g=apidiscovery.k8s.io", "v=v2", "as=APIGroupDiscoveryList"] {
            ensure!(kind.split(';').any(|p| p.trim() == part), "{kind}");
        }
        *document = answer.json()?;
        for group in document["items"].as_array().context("items")? {
            for version in group["versions"].as_array().context("versions")? {
                ensure!(version["freshness"] == "Current", "{version}");
                for resource in version["resources"].as_array().context("resources")? {
                    text(resource, "/responseKind/kind")?;
                    text(resource, "/scope")?;
                }
            }
        }
    }
    Ok(both)
}

async fn interface(cluster: Cluster) -> Result<()> {
    let [core, groups] = client(&cluster).await?;
    for expected in EXPECTED {
        let document = if expected.0.is_empty() {
            &core
        } else {
            &groups
        };
        ensure!(has(document, expected), "{expected:?} is missing");
    }
    Ok(())
}

fn definition() -> Value {
    let group = format!("{}.example.com", unique("group"));
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("testcrds.{group}") },
        "spec": {
            "group": group,
            "versions": [{ "name": "v1", "served": true, "storage": true, "schema": allow_all() }],
            "names": {
                "plural": "testcrds", "singular": "testcrd",
                "kind": "testcrd", "listKind": "testcrdList",
            },
            "scope": "Namespaced",
        },
    })
}

async fn interface_custom(cluster: Cluster) -> Result<()> {
    let definition = cluster.define_and_watch(&definition()).await?;
    let group = text(&definition, "/spec/group")?;
    let [_, groups] = client(&cluster).await?;
    ensure!(has(&groups, (&group, "v1", "testcrds")), "{groups}");
    cluster.undefine(&definition).await
}

async fn raw_custom(cluster: Cluster) -> Result<()> {
    let definition = cluster.define_and_watch(&definition()).await?;
    let group = text(&definition, "/spec/group")?;
    let groups = asked(&cluster, "/apis", RAW).await?.json()?;
    ensure!(has(&groups, (&group, "v1", "testcrds")), "{groups}");
    cluster.undefine(&definition).await
}

async fn locate(cluster: Cluster) -> Result<()> {
    for (group, version, resource) in EXPECTED {
        let (path, expected) = match group {
            "" => (format!("/api/{version}"), version.to_owned()),
            group => (
                format!("/apis/{group}/{version}"),
                format!("{group}/{version}"),
            ),
        };
        let list = asked(&cluster, &path, "application/vnd.kubernetes.protobuf, */*").await?;
        let list = list.json()?;
        ensure!(list["groupVersion"] == expected, "{list}");
        let mut resources = list["resources"].as_array().into_iter().flatten();
        ensure!(resources.any(|r| r["name"] == resource), "{list}");
    }
    Ok(())
}

async fn preferred(cluster: Cluster) -> Result<()> {
    let list = asked(
        &cluster,
        "/apis/",
        "application/vnd.kubernetes.protobuf, */*",
    )
    .await?;
    let list = list.json()?;
    let groups = list["groups"].as_array().context("groups")?;
    ensure!(!groups.is_empty(), "Missing APIGroups");
    for group in groups {
        let name = text(group, "/name")?;
        // Groups that other specs define may go in between.
        if name.ends_with(".example.com") {
            continue;
        }
        let page = cluster.get(&format!("/apis/{name}/")).await?;
        let versions = page["versions"].as_array().context("versions")?;
        let preferred = text(&page, "/preferredVersion/groupVersion")?;
        ensure!(
            versions.iter().any(|v| v["groupVersion"] == preferred),
            "{page}"
        );
    }
    Ok(())
}
