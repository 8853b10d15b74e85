//! Models test/e2e/auth/{service_accounts,subjectreviews}.go.

use anyhow::{Result, ensure};
use http::Method;
use serde_json::{Value, json};

use super::specs;
use crate::cluster::{Cluster, Patch, text};

specs! {
    "[sig-auth] ServiceAccounts should allow opting out of API token automount [Conformance]" => automount,
    "[sig-auth] ServiceAccounts should create a serviceAccountToken and ensure a successful TokenReview [Conformance]" => token,
    "[sig-auth] ServiceAccounts should guarantee kube-root-ca.crt exist in any namespace [Conformance]" => root_ca,
    "[sig-auth] ServiceAccounts should run through the lifecycle of a ServiceAccount [Conformance]" => lifecycle,
    "[sig-auth] ServiceAccounts should update a ServiceAccount [Conformance]" => update,
    "[sig-auth] SubjectReview should support SubjectReview API operations [Conformance]" => subject_review,
}

fn account(name: &str, automount: Option<bool>) -> Value {
    let mut account = json!({
        "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": name },
    });
    if let Some(automount) = automount {
        account["automountServiceAccountToken"] = json!(automount);
    }
    account
}

async fn automount(cluster: Cluster) -> Result<()> {
    let accounts = cluster.core("serviceaccounts");
    cluster
        .create(&accounts, &account("mount", Some(true)))
        .await?;
    cluster
        .create(&accounts, &account("nomount", Some(false)))
        .await?;
    let cases = [
        ("default", None, true),
        ("mount", None, true),
        ("nomount", None, false),
        ("default", Some(true), true),
        ("mount", Some(true), true),
        ("nomount", Some(true), true),
        ("default", Some(false), false),
        ("mount", Some(false), false),
        ("nomount", Some(false), false),
    ];
    for (i, (account, automount, expected)) in cases.into_iter().enumerate() {
        let mut pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": { "name": format!("pod-{i}") },
            "spec": {
                "containers": [{ "name": "token-test", "image": "registry.k8s.io/e2e-test-images/agnhost:2.59" }],
                "restartPolicy": "Never", "serviceAccountName": account,
            },
        });
        if let Some(automount) = automount {
            pod["spec"]["automountServiceAccountToken"] = json!(automount);
        }
        let made = cluster.create(&cluster.core("pods"), &pod).await?;
        let mounts = made["spec"]["containers"][0]["volumeMounts"].as_array();
        let place = "/var/run/secrets/kubernetes.io/serviceaccount";
        let has = mounts.is_some_and(|all| all.iter().any(|one| one["mountPath"] == place));
        ensure!(has == expected, "{account} {automount:?}: {made}");
    }
    Ok(())
}

async fn token(cluster: Cluster) -> Result<()> {
    let accounts = cluster.core("serviceaccounts");
    cluster.create(&accounts, &account("e2e-sa", None)).await?;
    // What the typed client makes of an empty request.
    let request = json!({
        "kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "metadata": {},
        "spec": { "audiences": null, "expirationSeconds": null, "boundObjectRef": null },
        "status": { "token": "", "expirationTimestamp": null },
    });
    let path = format!("{accounts}/e2e-sa/token");
    let given = cluster.create(&path, &request).await?;
    let token = text(&given, "/status/token")?;
    ensure!(!token.is_empty());
    let review = json!({
        "kind": "TokenReview", "apiVersion": "authentication.k8s.io/v1",
        "metadata": {}, "spec": { "token": token },
    });
    let path = "/apis/authentication.k8s.io/v1/tokenreviews";
    let reviewed = cluster.create(path, &review).await?;
    let status = &reviewed["status"];
    ensure!(status["authenticated"] == true, "{reviewed}");
    ensure!(
        status["error"].as_str().unwrap_or("").is_empty(),
        "{reviewed}"
    );
    let name = format!("system:serviceaccount:{}:e2e-sa", cluster.namespace);
    ensure!(status["user"]["username"] == name, "{reviewed}");
    Ok(())
}

async fn root_ca(cluster: Cluster) -> Result<()> {
    let path = cluster.core("configmaps/kube-root-ca.crt");
    cluster.until(&path, |found| found.is_some()).await?;
    let now = json!({ "kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0 });
    let answer = cluster
        .call(Method::DELETE, &path, &[], Some(now.to_string()))
        .await?;
    ensure!(answer.status.is_success(), "{}", answer.text);
    cluster.until(&path, |found| found.is_some()).await?;
    let empty = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": "kube-root-ca.crt" }, "data": { "ca.crt": "" },
    });
    cluster.update(&path, &empty).await?;
    cluster
        .until(&path, |found| {
            let text = found.and_then(|found| found["data"]["ca.crt"].as_str());
            text.is_some_and(|text| !text.is_empty())
        })
        .await?;
    Ok(())
}

async fn lifecycle(cluster: Cluster) -> Result<()> {
    let accounts = cluster.core("serviceaccounts");
    let mut object = account("testserviceaccount", None);
    object["metadata"]["labels"] = json!({ "test-serviceaccount-static": "true" });
    let made = cluster.create(&accounts, &object).await?;
    let one = format!("{accounts}/testserviceaccount");
    ensure!(cluster.get(&one).await?["metadata"]["uid"] == made["metadata"]["uid"]);
    let selected = "labelSelector=test-serviceaccount-static%3Dtrue";
    let path = format!("{accounts}?{selected}&timeoutSeconds=180");
    let mut watch = cluster.watch(&path).await?;
    watch.until(|kind, _| kind == "ADDED").await?;
    let patch = json!({
        "metadata": { "creationTimestamp": null }, "automountServiceAccountToken": false,
    });
    cluster.patch(&one, Patch::Strategic, &patch).await?;
    watch.until(|kind, _| kind == "MODIFIED").await?;
    let all = cluster
        .list(&format!("/api/v1/serviceaccounts?{selected}"))
        .await?;
    ensure!(all.iter().any(|one| {
        one["metadata"]["name"] == "testserviceaccount"
            && one["metadata"]["namespace"] == cluster.namespace
            && one["automountServiceAccountToken"] == false
    }));
    cluster.delete(&accounts).await?;
    watch.until(|kind, _| kind == "DELETED").await?;
    Ok(())
}

async fn update(cluster: Cluster) -> Result<()> {
    let accounts = cluster.core("serviceaccounts");
    let made = cluster
        .create(&accounts, &account("e2e-sa", Some(false)))
        .await?;
    ensure!(made["automountServiceAccountToken"] == false);
    let updated = cluster
        .retry(&format!("{accounts}/e2e-sa"), |object| {
            object["automountServiceAccountToken"] = json!(true);
        })
        .await?;
    ensure!(updated["automountServiceAccountToken"] == true, "{updated}");
    Ok(())
}

async fn subject_review(cluster: Cluster) -> Result<()> {
    let namespace = &cluster.namespace;
    let accounts = cluster.core("serviceaccounts");
    let made = cluster.create(&accounts, &account("e2e", None)).await?;
    let uid = text(&made, "/metadata/uid")?;
    let user = format!("system:serviceaccount:{namespace}:e2e");
    let own = format!("system:serviceaccounts:{namespace}");
    let groups = [
        "system:authenticated",
        "system:serviceaccounts",
        own.as_str(),
    ];
    let review = |kind: &str, user: &str, metadata: Value| {
        json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": kind, "metadata": metadata,
            "spec": {
                "resourceAttributes": {
                    "verb": "list", "resource": "configmaps", "namespace": namespace,
                    "version": "v1",
                },
                "user": user, "groups": groups, "uid": uid,
            },
        })
    };
    let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
    let made = review("SubjectAccessReview", &user, json!({}));
    let expected = cluster.create(path, &made).await?["status"]["allowed"].clone();
    let headers = [
        ("Impersonate-User", user.as_str()),
        ("Impersonate-Uid", uid.as_str()),
        ("Impersonate-Group", groups[0]),
        ("Impersonate-Group", groups[1]),
        ("Impersonate-Group", groups[2]),
    ];
    let maps = cluster.core("configmaps");
    let answer = cluster.call(Method::GET, &maps, &headers, None).await?;
    let allowed = match answer.status.as_u16() {
        200 => true,
        403 => false,
        _ => anyhow::bail!("{}", answer.text),
    };
    ensure!(expected == allowed, "{expected} {}", answer.text);
    let path = cluster.group("authorization.k8s.io/v1", "localsubjectaccessreviews");
    let metadata = json!({ "namespace": namespace });
    let made = review("LocalSubjectAccessReview", "e2e", metadata);
    let local = cluster.create(&path, &made).await?;
    ensure!(local["status"]["allowed"] == allowed, "{local}");
    Ok(())
}
