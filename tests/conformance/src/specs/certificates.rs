//! Models test/e2e/auth/certificates.go.

use anyhow::{Result, ensure};
use http::Method;
use serde_json::{Value, json};

use super::specs;
use crate::cluster::{Cluster, Patch, text};

specs! {
    "[sig-auth] Certificates API [Privileged:ClusterAdmin] should support CSR API operations [Conformance]" => operations,
}

/// `CN=e2e.example.com`, made by OpenSSL, in base64.
const REQUEST: &str = "\
     LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlJQkFqQ0JxUUlCQURBYU1SZ3dGZ1lEVlFRRERB\
     OWxNbVV1WlhoaGJYQnNaUzVqYjIwd1dUQVRCZ2NxaGtqTwpQUUlCQmdncWhrak9QUU1CQndOQ0FBUXArVkZyRmRJ\
     N0hSNlFoNnkvb0lnUEZIMkorZ1ZITUVMWWU3NmZ3WmRrCmpJSWNKR2xGU2Q0aHhSS3VMWWZoK2JncS9pQWhUS2ZY\
     Mk1yUjdhRU81N1JXb0Mwd0t3WUpLb1pJaHZjTkFRa08KTVI0d0hEQWFCZ05WSFJFRUV6QVJnZzlsTW1VdVpYaGhi\
     WEJzWlM1amIyMHdDZ1lJS29aSXpqMEVBd0lEU0FBdwpSUUlnT2ZmMUZhSHNnVFBrSHRLSUg3M3JpOGk0VTRNWjdW\
     YkNlbHFpVngrY29uMENJUUNRZDJzWDRuSEZodjgrCkFmYkdEdjZ3WHZmTzBQSUhuUno4MWpzUm1nQ0FCdz09Ci0t\
     LS0tRU5EIENFUlRJRklDQVRFIFJFUVVFU1QtLS0tLQo=";
const CERTIFICATE: &str = "\
     LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUJwVENDQVV1Z0F3SUJBZ0lVUGZzZ1IwOGRXaS94U3puRTM3\
     eUp4bzBQNzNzd0NnWUlLb1pJemowRUF3SXcKR2pFWU1CWUdBMVVFQXd3UFpUSmxMbVY0WVcxd2JHVXVZMjl0TUI0\
     WERUSTJNVEV5TWpBeU1ERXlNVm9YRFRNMgpNVEV4T1RBeU1ERXlNVm93R2pFWU1CWUdBMVVFQXd3UFpUSmxMbVY0\
     WVcxd2JHVXVZMjl0TUZrd0V3WUhLb1pJCnpqMENBUVlJS29aSXpqMERBUWNEUWdBRUtmbFJheFhTT3gwZWtJZXN2\
     NkNJRHhSOWlmb0ZSekJDMkh1K244R1gKWkl5Q0hDUnBSVW5lSWNVU3JpMkg0Zm00S3Y0Z0lVeW4xOWpLMGUyaER1\
     ZTBWcU52TUcwd0hRWURWUjBPQkJZRQpGTXFhQy9YTW1BN000RFc2M3dFQlVjSjFTWWhsTUI4R0ExVWRJd1FZTUJh\
     QUZNcWFDL1hNbUE3TTREVzYzd0VCClVjSjFTWWhsTUE4R0ExVWRFd0VCL3dRRk1BTUJBZjh3R2dZRFZSMFJCQk13\
     RVlJUFpUSmxMbVY0WVcxd2JHVXUKWTI5dE1Bb0dDQ3FHU000OUJBTUNBMGdBTUVVQ0lRRGpBUFNNVnlrWjdoemRJ\
     aVpuN0xOMmJqcjhjUHBzQzl2RgpzR3ZYa1BaZkJRSWdRRTNuV0pObVhHdC92a2U4dWNVT0dNWnh0SmZHZ2dtZDlQ\
     bFdHeEJka0JrPQotLS0tLUVORCBDRVJUSUZJQ0FURS0tLS0tCg==";

const ALL: &str = "/apis/certificates.k8s.io/v1/certificatesigningrequests";

async fn discovered(cluster: &Cluster) -> Result<()> {
    let has = |list: &Value, key: &str, value: &str| {
        let list = list.as_array().map_or(&[][..], Vec::as_slice);
        list.iter().find(|one| one[key] == value).cloned()
    };
    let groups = cluster.get("/apis").await?;
    let group = has(&groups["groups"], "name", "certificates.k8s.io");
    let version = group.and_then(|group| has(&group["versions"], "version", "v1"));
    ensure!(version.is_some(), "{groups}");
    let group = cluster.get("/apis/certificates.k8s.io").await?;
    ensure!(has(&group["versions"], "version", "v1").is_some());
    let all = cluster.get("/apis/certificates.k8s.io/v1").await?;
    for subresource in ["", "/approval", "/status"] {
        let name = format!("certificatesigningrequests{subresource}");
        ensure!(has(&all["resources"], "name", &name).is_some(), "{name}");
    }
    Ok(())
}

async fn operations(cluster: Cluster) -> Result<()> {
    discovered(&cluster).await?;
    let signer = format!("example.com/e2e-{}", cluster.namespace);
    let object = json!({
        "apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
        "metadata": { "generateName": "e2e-example-csr-" },
        "spec": {
            "request": REQUEST, "signerName": signer, "expirationSeconds": 3600,
            "usages": ["digital signature", "key encipherment", "server auth"],
        },
    });
    cluster.create(ALL, &object).await?;
    cluster.create(ALL, &object).await?;
    let made = cluster.create(ALL, &object).await?;
    let name = text(&made, "/metadata/name")?;
    let one = format!("{ALL}/{name}");
    let found = cluster.get(&one).await?;
    ensure!(found["metadata"]["uid"] == made["metadata"]["uid"]);
    ensure!(found["spec"]["expirationSeconds"] == 3600, "{found}");
    let selected = format!("{ALL}?fieldSelector=spec.signerName%3D{signer}");
    let list = cluster.get(&selected).await?;
    ensure!(list["items"].as_array().map_or(0, Vec::len) == 3, "{list}");
    let version = text(&list, "/metadata/resourceVersion")?;
    let path = format!("{ALL}?fieldSelector=metadata.name%3D{name}&resourceVersion={version}");
    let mut watch = cluster.watch(&path).await?;
    let patch = json!({ "metadata": { "annotations": { "patched": "true" } } });
    let mut patched = cluster.patch(&one, Patch::Merge, &patch).await?;
    ensure!(patched["metadata"]["annotations"]["patched"] == "true");
    patched["metadata"]["annotations"]["updated"] = json!("true");
    let updated = cluster.update(&one, &patched).await?;
    ensure!(updated["metadata"]["annotations"]["updated"] == "true");
    let (kind, object) = watch.next().await?;
    ensure!(kind == "MODIFIED" && object["metadata"]["annotations"]["patched"] == "true");
    approve(&cluster, &made, &one).await?;
    certify(&cluster, &made, &one).await?;
    cluster.delete(&one).await?;
    cluster
        .refused(Method::GET, &one, None, 404, "NotFound")
        .await?;
    ensure!(cluster.list(&selected).await?.len() == 2);
    cluster.delete(&selected).await?;
    ensure!(cluster.list(&selected).await?.is_empty());
    Ok(())
}

fn condition(kind: &str) -> Value {
    json!({
        "type": kind, "status": "True", "reason": "E2E", "message": "Set from an e2e test",
        "lastUpdateTime": null, "lastTransitionTime": null,
    })
}

fn conditions(object: &mut Value) -> &mut Vec<Value> {
    if !object["status"]["conditions"].is_array() {
        object["status"]["conditions"] = json!([]);
    }
    object["status"]["conditions"]
        .as_array_mut()
        .expect("it is one")
}

async fn approve(cluster: &Cluster, made: &Value, one: &str) -> Result<()> {
    let path = format!("{one}/approval");
    let found = cluster.get(&path).await?;
    ensure!(found["kind"] == "CertificateSigningRequest");
    ensure!(found["metadata"]["uid"] == made["metadata"]["uid"]);
    let patch = json!({
        "metadata": { "annotations": { "patchedapproval": "true" } },
        "status": { "conditions": [{ "type": "ApprovalPatch", "status": "True", "reason": "e2e" }] },
    });
    let mut patched = cluster.patch(&path, Patch::Merge, &patch).await?;
    ensure!(patched["metadata"]["annotations"]["patchedapproval"] == "true");
    ensure!(conditions(&mut patched).len() == 1, "{patched}");
    ensure!(patched["status"]["conditions"][0]["type"] == "ApprovalPatch");
    conditions(&mut patched).push(condition("Approved"));
    let mut updated = cluster.update(&path, &patched).await?;
    ensure!(conditions(&mut updated).len() == 2, "{updated}");
    ensure!(updated["status"]["conditions"][1]["type"] == "Approved");
    Ok(())
}

async fn certify(cluster: &Cluster, made: &Value, one: &str) -> Result<()> {
    let path = format!("{one}/status");
    let found = cluster.get(&path).await?;
    ensure!(found["kind"] == "CertificateSigningRequest");
    ensure!(found["metadata"]["uid"] == made["metadata"]["uid"]);
    let patch = json!({
        "metadata": { "annotations": { "patchedstatus": "true" } },
        "status": { "certificate": CERTIFICATE },
    });
    let mut patched = cluster.patch(&path, Patch::Merge, &patch).await?;
    ensure!(patched["status"]["certificate"] == CERTIFICATE, "{patched}");
    ensure!(patched["metadata"]["annotations"]["patchedstatus"] == "true");
    conditions(&mut patched).push(condition("StatusUpdate"));
    let mut updated = cluster.update(&path, &patched).await?;
    ensure!(conditions(&mut updated).len() == conditions(&mut patched).len());
    let last = conditions(&mut updated).last().cloned().unwrap_or_default();
    ensure!(last["type"] == "StatusUpdate", "{updated}");
    Ok(())
}
