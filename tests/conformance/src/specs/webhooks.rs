//! Models test/e2e/apimachinery/webhook.go.

use anyhow::{Result, ensure};
use http::Method;
use serde_json::{Value, json};

use super::specs;
use crate::cluster::{Cluster, Patch, text};
use crate::definitions::{PATH, allow_all, instance, objects, random, unique};
use crate::webhook::{Kind, PORT, SERVICE, Webhook};

specs! {
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should include webhook resources in discovery documents [Conformance]" => discovered,
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should be able to deny pod and configmap creation [Conformance]" => denied,
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should be able to deny attaching pod [Conformance]" => attached,
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should be able to deny custom resource creation, update and deletion [Conformance]" => custom_denied,
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should unconditionally reject operations on fail closed webhook [Conformance]" => fail_closed,
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should mutate configmap [Conformance]" => mutated,
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should mutate pod and apply defaults after mutation [Conformance]" => pod_mutated,
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should not be able to mutate or prevent deletion of webhook configuration objects [Conformance]" => exempt,
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should mutate custom resource [Conformance]" => custom_mutated,
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should mutate custom resource with different stored version [Conformance]" => other_version,
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should mutate custom resource with pruning [Conformance]" => pruned,
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should deny crd creation [Conformance]" => definition_denied,
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should honor timeout [Conformance]" => timed_out,
}

const MAPS: [&str; 3] = ["", "v1", "configmaps"];
const PODS: [&str; 3] = ["", "v1", "pods"];
const UNWANTED: &str = "the configmap contains unwanted key and value";

async fn discovered(cluster: Cluster) -> Result<()> {
    let hook = Webhook { cluster };
    let groups = hook.cluster.get("/apis").await?;
    let group = "admissionregistration.k8s.io";
    let groups = groups["groups"].as_array().into_iter().flatten();
    ensure!(groups.into_iter().any(|one| {
        one["name"] == group
            && one["versions"]
                .as_array()
                .is_some_and(|all| all.iter().any(|v| v["version"] == "v1"))
    }));
    let found = hook.cluster.get(&format!("/apis/{group}")).await?;
    let versions = found["versions"].as_array().into_iter().flatten();
    ensure!(versions.into_iter().any(|v| v["version"] == "v1"));
    let found = hook.cluster.get(&format!("/apis/{group}/v1")).await?;
    for name in [
        "mutatingwebhookconfigurations",
        "validatingwebhookconfigurations",
    ] {
        let mut resources = found["resources"].as_array().into_iter().flatten();
        ensure!(resources.any(|one| one["name"] == name), "{found}");
    }
    Ok(())
}

async fn run(cluster: Cluster) -> Result<Webhook> {
    Webhook::run(cluster, "webhook").await
}

/// A webhook that the server does not believe.
fn distrusted(hook: &Webhook, name: &str) -> Value {
    let mut webhook = hook.hook(name, "/configmaps", &["CREATE"], &MAPS);
    webhook["clientConfig"] = json!({ "service": {
        "namespace": hook.cluster.namespace, "name": SERVICE, "path": "/configmaps", "port": PORT,
    } });
    webhook
}

async fn denied(cluster: Cluster) -> Result<()> {
    let hook = run(cluster).await?;
    let mut maps = hook.hook(
        "deny-unwanted-configmap-data.k8s.io",
        "/configmaps",
        &["CREATE", "UPDATE", "DELETE"],
        &MAPS,
    );
    maps["namespaceSelector"]["matchExpressions"] = json!([{
        "key": "skip-webhook-admission", "operator": "NotIn", "values": ["yes"],
    }]);
    let name = "deny-unwanted-pod-container-name-and-label.k8s.io";
    let pods = hook.hook(name, "/pods", &["CREATE"], &PODS);
    let mut open = distrusted(&hook, "fail-open.k8s.io");
    open["failurePolicy"] = json!("Ignore");
    let registered = hook.register(Kind::Validating, &[pods, maps, open]).await?;
    let pod = |name: &str, container: &str, label: &str| {
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": { "name": name, "labels": { "webhook-e2e-test": label } },
            "spec": { "containers": [{
                "name": container, "image": "registry.k8s.io/pause:3.10.1",
            }] },
        })
    };
    let (path, maps) = (hook.cluster.core("pods"), hook.cluster.core("configmaps"));
    let unwanted = pod("disallowed-pod", "webhook-disallow", "webhook-disallow");
    hook.refused(
        &path,
        &unwanted,
        &[
            "the pod contains unwanted container name",
            "the pod contains unwanted label",
            "denied the request: the pod contains unwanted label; the pod contains",
        ],
    )
    .await?;
    let hanging = pod("hanging-pod", "wait-forever", "wait-forever");
    hook.refused(&path, &hanging, &["webhook", "deadline"])
        .await?;
    ensure!(
        hook.cluster
            .find(&format!("{path}/hanging-pod"))
            .await?
            .is_none()
    );
    let bad = json!({ "webhook-e2e-test": "webhook-disallow" });
    let map = Webhook::config_map("disallowed-configmap", &bad);
    hook.refused(&maps, &map, &[UNWANTED]).await?;
    let good = json!({ "admit": "this" });
    let map = Webhook::config_map("allowed-configmap", &good);
    hook.cluster.create(&maps, &map).await?;
    let one = format!("{maps}/allowed-configmap");
    let mut found = hook.cluster.get(&one).await?;
    found["data"] = bad.clone();
    hook.cluster
        .refused(Method::PUT, &one, Some(&found), 400, UNWANTED)
        .await?;
    let patched = hook
        .cluster
        .patch(&one, Patch::Strategic, &json!({ "data": bad }))
        .await;
    ensure!(patched.is_err_and(|why| why.to_string().contains(UNWANTED)));
    let skipped = hook
        .cluster
        .make_namespace(
            "exempted",
            &json!({ "skip-webhook-admission": "yes", hook.own(): "true" }),
        )
        .await?;
    let map = Webhook::config_map("disallowed-configmap", &bad);
    let elsewhere = format!("/api/v1/namespaces/{skipped}/configmaps");
    hook.cluster.create(&elsewhere, &map).await?;
    hook.withdraw(&registered).await?;
    hook.cluster
        .delete(&format!("/api/v1/namespaces/{skipped}"))
        .await?;
    Ok(())
}

async fn attached(cluster: Cluster) -> Result<()> {
    let hook = run(cluster).await?;
    let attach = hook.hook(
        "deny-attaching-pod.k8s.io",
        "/pods/attach",
        &["CONNECT"],
        &["", "v1", "pods/attach"],
    );
    let registered = hook.register(Kind::Validating, &[attach]).await?;
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "to-be-attached-pod" },
        "spec": { "containers": [{
            "name": "container1", "image": "registry.k8s.io/pause:3.10.1",
        }] },
    });
    let pods = hook.cluster.core("pods");
    hook.cluster.create(&pods, &pod).await?;
    let one = format!("{pods}/to-be-attached-pod");
    hook.cluster
        .until(&one, |pod| {
            pod.is_some_and(|pod| pod["status"]["phase"] == "Running")
        })
        .await?;
    let attach = format!("{one}/attach?container=container1&stdin=true&stdout=true&stderr=true");
    let words = "admission webhook \\\"deny-attaching-pod.k8s.io\\\" denied the request: \
                 attaching to pod 'to-be-attached-pod' is not allowed";
    hook.cluster
        .refused(Method::POST, &attach, None, 400, words)
        .await?;
    hook.withdraw(&registered).await
}

async fn custom_denied(cluster: Cluster) -> Result<()> {
    let hook = run(cluster).await?;
    let definition = hook.cluster.define(&random("Namespaced")).await?;
    let plural = text(&definition, "/spec/names/plural")?;
    let group = text(&definition, "/spec/group")?;
    let of = [group.as_str(), "v1beta1", plural.as_str()];
    let custom = hook.hook(
        "deny-unwanted-custom-resource-data.k8s.io",
        "/custom-resource",
        &["CREATE", "UPDATE", "DELETE"],
        &of,
    );
    let registered = hook.register(Kind::Validating, &[custom]).await?;
    let path = objects(&definition, "v1beta1", &hook.cluster.namespace)?;
    let of = |name: &str, value: &str| -> Result<Value> {
        let mut object = instance(&definition, "v1beta1", name)?;
        object["data"] = json!({ "webhook-e2e-test": value });
        Ok(object)
    };
    let unwanted = "the custom resource contains unwanted data";
    hook.refused(&path, &of("bad", "webhook-disallow")?, &[unwanted])
        .await?;
    let made = hook
        .cluster
        .create(&path, &of("kept", "webhook-nondeletable")?)
        .await?;
    let one = format!("{path}/kept");
    let mut changed = made.clone();
    changed["data"]["webhook-e2e-test"] = json!("webhook-disallow");
    hook.cluster
        .refused(Method::PUT, &one, Some(&changed), 400, unwanted)
        .await?;
    let kept = "the custom resource cannot be deleted because it contains unwanted key and value";
    hook.cluster
        .refused(Method::DELETE, &one, None, 400, kept)
        .await?;
    hook.cluster
        .retry(&one, |object| object["data"] = Value::Null)
        .await?;
    hook.cluster.delete(&one).await?;
    hook.withdraw(&registered).await?;
    hook.cluster.undefine(&definition).await
}

async fn fail_closed(cluster: Cluster) -> Result<()> {
    let hook = run(cluster).await?;
    let closed = distrusted(&hook, "fail-closed.k8s.io");
    let registered = hook.register(Kind::Validating, &[closed]).await?;
    let map = Webhook::config_map("foo", &json!({}));
    let answer = hook
        .post(&hook.cluster.core("configmaps"), &map)
        .await?
        .json()?;
    ensure!(answer["reason"] == "InternalError", "{answer}");
    let message = text(&answer, "/message")?;
    let namespace = &hook.cluster.namespace;
    let expected = format!(
        "Internal error occurred: failed calling webhook \"fail-closed.k8s.io\": failed to call \
         webhook: Post \"https://{SERVICE}.{namespace}.svc:{PORT}/configmaps?timeout=10s\": tls: \
         failed to verify certificate: x509: certificate signed by unknown authority"
    );
    ensure!(message == expected, "{message}");
    hook.withdraw(&registered).await
}

async fn mutated(cluster: Cluster) -> Result<()> {
    let hook = run(cluster).await?;
    let stage = |n: u8| {
        let name = format!("adding-configmap-data-stage-{n}.k8s.io");
        hook.hook(&name, "/mutating-configmaps", &["CREATE"], &MAPS)
    };
    let registered = hook.register(Kind::Mutating, &[stage(1), stage(2)]).await?;
    let map = Webhook::config_map("to-be-mutated", &json!({ "mutation-start": "yes" }));
    let made = hook
        .cluster
        .create(&hook.cluster.core("configmaps"), &map)
        .await?;
    let all = json!({
        "mutation-start": "yes", "mutation-stage-1": "yes", "mutation-stage-2": "yes",
    });
    ensure!(made["data"] == all, "{made}");
    hook.withdraw(&registered).await
}

async fn pod_mutated(cluster: Cluster) -> Result<()> {
    let hook = run(cluster).await?;
    let adding = hook.hook(
        "adding-init-container.k8s.io",
        "/mutating-pods",
        &["CREATE"],
        &PODS,
    );
    let registered = hook.register(Kind::Mutating, &[adding]).await?;
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "webhook-to-be-mutated" },
        "spec": { "containers": [{ "name": "example", "image": "registry.k8s.io/pause:3.10.1" }] },
    });
    let made = hook
        .cluster
        .create(&hook.cluster.core("pods"), &pod)
        .await?;
    let added = &made["spec"]["initContainers"];
    ensure!(added.as_array().is_some_and(|all| all.len() == 1), "{made}");
    ensure!(added[0]["name"] == "webhook-added-init-container", "{made}");
    ensure!(added[0]["terminationMessagePolicy"] == "File", "{made}");
    hook.withdraw(&registered).await
}

async fn exempt(cluster: Cluster) -> Result<()> {
    let hook = run(cluster).await?;
    let of = ["admissionregistration.k8s.io", "*", "*"];
    let mut deny = hook.hook(
        "deny-webhook-configurations.k8s.io",
        "/always-deny",
        &["DELETE"],
        &of,
    );
    let mut add = hook.hook(
        "add-label-to-configurations.k8s.io",
        "/add-label",
        &["*"],
        &of,
    );
    for one in [&mut deny, &mut add] {
        if let Some(fields) = one.as_object_mut() {
            fields.remove("namespaceSelector");
        }
    }
    let denying = hook.register(Kind::Validating, &[deny]).await?;
    let adding = hook.register(Kind::Mutating, &[add]).await?;
    for kind in [Kind::Validating, Kind::Mutating] {
        let mut dummy = distrusted(&hook, "dummy-webhook.k8s.io");
        dummy["rules"][0]["operations"] = json!(["CREATE"]);
        dummy["rules"][0]["resources"] = json!(["invalid"]);
        dummy["failurePolicy"] = json!("Ignore");
        let mut configuration = hook.configuration(kind, &[dummy]);
        configuration["metadata"]["name"] = json!(format!("{}-dummy", hook.own()));
        let made = hook.cluster.create(&kind.path(), &configuration).await?;
        ensure!(
            made["metadata"]["labels"]["added-label"].is_null(),
            "{made}"
        );
        let one = format!("{}/{}-dummy", kind.path(), hook.own());
        hook.cluster.delete(&one).await?;
    }
    hook.withdraw(&adding).await?;
    hook.withdraw(&denying).await
}

/// Mutates objects of a definition in two stages.
async fn stages(hook: &Webhook, definition: &Value, version: &str) -> Result<String> {
    let plural = text(definition, "/spec/names/plural")?;
    let group = text(definition, "/spec/group")?;
    let of = [group.as_str(), version, plural.as_str()];
    let stage = |n: u8| {
        let name = format!("mutate-custom-resource-data-stage-{n}.k8s.io");
        hook.hook(
            &name,
            "/mutating-custom-resource",
            &["CREATE", "UPDATE"],
            &of,
        )
    };
    hook.register(Kind::Mutating, &[stage(1), stage(2)]).await
}

fn starting(definition: &Value, version: &str) -> Result<Value> {
    let mut object = instance(definition, version, "cr-instance-1")?;
    object["data"] = json!({ "mutation-start": "yes" });
    Ok(object)
}

async fn custom_mutated(cluster: Cluster) -> Result<()> {
    let hook = run(cluster).await?;
    let definition = hook.cluster.define(&random("Namespaced")).await?;
    let registered = stages(&hook, &definition, "v1beta1").await?;
    let path = objects(&definition, "v1beta1", &hook.cluster.namespace)?;
    let object = starting(&definition, "v1beta1")?;
    let made = hook.cluster.create(&path, &object).await?;
    let all = json!({
        "mutation-start": "yes", "mutation-stage-1": "yes", "mutation-stage-2": "yes",
    });
    ensure!(made["data"] == all, "{made}");
    hook.withdraw(&registered).await?;
    hook.cluster.undefine(&definition).await
}

async fn other_version(cluster: Cluster) -> Result<()> {
    let hook = run(cluster).await?;
    let name = unique("e2e-test-webhook-crd");
    let kind = name.replace('-', "");
    let version = |name: &str, stored: bool| json!({ "name": name, "served": true, "storage": stored, "schema": allow_all() });
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("{name}s.webhook.example.com") },
        "spec": {
            "group": "webhook.example.com", "scope": "Namespaced",
            "versions": [version("v1", true), version("v2", false)],
            "names": {
                "plural": format!("{name}s"), "singular": name, "kind": kind,
                "listKind": format!("{kind}List"),
            },
        },
    });
    let definition = hook.cluster.define(&definition).await?;
    let registered = stages(&hook, &definition, "*").await?;
    let path = objects(&definition, "v1", &hook.cluster.namespace)?;
    let object = starting(&definition, "v1")?;
    hook.cluster.create(&path, &object).await?;
    let one = format!("{PATH}/{name}s.webhook.example.com");
    hook.cluster
        .retry(&one, |definition| {
            definition["spec"]["versions"] = json!([version("v1", false), version("v2", true)]);
        })
        .await?;
    let patch = json!({ "data": { "mutation-start": "yes" } });
    let second = objects(&definition, "v2", &hook.cluster.namespace)?;
    hook.cluster
        .until(&format!("{second}/cr-instance-1"), |found| found.is_some())
        .await?;
    let patched = hook
        .cluster
        .patch(&format!("{path}/cr-instance-1"), Patch::Merge, &patch)
        .await?;
    let all = json!({
        "mutation-start": "yes", "mutation-stage-1": "yes", "mutation-stage-2": "yes",
    });
    ensure!(patched["data"] == all, "{patched}");
    hook.withdraw(&registered).await?;
    hook.cluster.undefine(&definition).await
}

async fn pruned(cluster: Cluster) -> Result<()> {
    let hook = run(cluster).await?;
    let mut definition = random("Namespaced");
    let text = json!({ "type": "string" });
    definition["spec"]["versions"][0]["schema"] = json!({ "openAPIV3Schema": {
        "type": "object",
        "properties": { "data": {
            "type": "object",
            // mutation-stage-2 is intentionally missing: it is pruned.
            "properties": { "mutation-start": text, "mutation-stage-1": text },
        } },
    } });
    let definition = hook.cluster.define(&definition).await?;
    let registered = stages(&hook, &definition, "v1beta1").await?;
    let path = objects(&definition, "v1beta1", &hook.cluster.namespace)?;
    let object = starting(&definition, "v1beta1")?;
    let made = hook.cluster.create(&path, &object).await?;
    let expected = json!({ "mutation-start": "yes", "mutation-stage-1": "yes" });
    ensure!(made["data"] == expected, "{made}");
    hook.withdraw(&registered).await?;
    hook.cluster.undefine(&definition).await
}

async fn definition_denied(cluster: Cluster) -> Result<()> {
    let hook = run(cluster).await?;
    let of = ["apiextensions.k8s.io", "*", "customresourcedefinitions"];
    let mut deny = hook.hook(
        "deny-crd-with-unwanted-label.k8s.io",
        "/crd",
        &["CREATE"],
        &of,
    );
    if let Some(fields) = deny.as_object_mut() {
        fields.remove("namespaceSelector");
    }
    deny["objectSelector"] = json!({ "matchLabels": { hook.own(): "true" } });
    let registered = hook.register(Kind::Validating, &[deny]).await?;
    let mut definition = random("Cluster");
    definition["metadata"]["labels"] =
        json!({ hook.own(): "true", "webhook-e2e-test": "webhook-disallow" });
    hook.refused(PATH, &definition, &["the crd contains unwanted label"])
        .await?;
    hook.withdraw(&registered).await
}

async fn timed_out(cluster: Cluster) -> Result<()> {
    let hook = run(cluster).await?;
    let maps = hook.cluster.core("configmaps");
    for (n, secs, policy, refused) in [
        (1, Some(1), "Fail", true),
        (2, Some(1), "Ignore", false),
        (3, Some(10), "Fail", false),
        (4, None, "Fail", false),
    ] {
        let name = "allow-configmap-with-delay-webhook.k8s.io";
        let mut slow = hook.hook(name, "/always-allow-delay-5s", &["CREATE"], &MAPS);
        slow["failurePolicy"] = json!(policy);
        if let Some(secs) = secs {
            slow["timeoutSeconds"] = json!(secs);
        }
        let registered = hook.register(Kind::Validating, &[slow]).await?;
        let map = Webhook::config_map(&format!("slow-{n}"), &json!({}));
        match refused {
            true => {
                let words = ["context deadline exceeded", "timeout=1s"];
                hook.refused(&maps, &map, &words).await?;
            }
            false => drop(hook.cluster.create(&maps, &map).await?),
        }
        hook.withdraw(&registered).await?;
    }
    Ok(())
}
