//! The webhook that specs have answer the API server: its Deployment and Service, and configurations
//! that lead to it.
//!
//! Models test/e2e/apimachinery/webhook.go and crd_conversion_webhook.go, where they set things up.

use anyhow::{Result, ensure};
use http::Method;
use serde_json::{Value, json};

use crate::cluster::{Answer, Cluster};

/// The Service.
pub(crate) const SERVICE: &str = "e2e-test-webhook";
/// Its port.
pub(crate) const PORT: u16 = 8443;
const GROUP: &str = "/apis/admissionregistration.k8s.io/v1";

/// What is there once a webhook answers.
#[derive(Clone)]
pub(crate) struct Webhook {
    pub(crate) cluster: Cluster,
}

impl Webhook {
    /// Runs this command of agnhost and waits until it answers behind its Service.
    pub(crate) async fn run(cluster: Cluster, command: &str) -> Result<Webhook> {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
            "metadata": { "name": "sample-webhook-secret" },
            "data": { "tls.crt": "Y2VydA==", "tls.key": "a2V5" },
        });
        cluster.create(&cluster.core("secrets"), &secret).await?;
        let labels = json!({ "app": "sample-webhook", "webhook": "true" });
        let certificates = "/webhook.local.config/certificates";
        let deployment = json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": { "name": "sample-webhook-deployment", "labels": labels },
            "spec": {
                "replicas": 1, "selector": { "matchLabels": labels },
                "strategy": { "type": "RollingUpdate" },
                "template": { "metadata": { "labels": labels }, "spec": {
                    "terminationGracePeriodSeconds": 0,
                    "containers": [{
                        "name": "sample-webhook",
                        "image": "registry.k8s.io/e2e-test-images/agnhost:2.56",
                        "args": [
                            command,
                            format!("--tls-cert-file={certificates}/tls.crt"),
                            format!("--tls-private-key-file={certificates}/tls.key"),
                            "--alsologtostderr", "-v=4", "--port=8444",
                        ],
                        "readinessProbe": {
                            "httpGet": { "scheme": "HTTPS", "port": 8444, "path": "/readyz" },
                            "periodSeconds": 1, "successThreshold": 1, "failureThreshold": 30,
                        },
                        "ports": [{ "containerPort": 8444 }],
                        "volumeMounts": [{
                            "name": "webhook-certs", "readOnly": true, "mountPath": certificates,
                        }],
                    }],
                    "volumes": [{
                        "name": "webhook-certs", "secret": { "secretName": "sample-webhook-secret" },
                    }],
                } },
            },
        });
        let deployments = cluster.group("apps/v1", "deployments");
        cluster.create(&deployments, &deployment).await?;
        let one = format!("{deployments}/sample-webhook-deployment");
        cluster
            .until(&one, |found| {
                found.is_some_and(|found| found["status"]["readyReplicas"] == 1)
            })
            .await?;
        let service = json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": { "name": SERVICE, "labels": { "test": "webhook" } },
            "spec": {
                "selector": { "webhook": "true" },
                "ports": [{ "protocol": "TCP", "port": PORT, "targetPort": 8444 }],
            },
        });
        cluster.create(&cluster.core("services"), &service).await?;
        let endpoints = cluster.core(&format!("endpoints/{SERVICE}"));
        cluster
            .until(&endpoints, |found| {
                found.is_some_and(|found| found["subsets"][0]["addresses"][0].is_object())
            })
            .await?;
        let webhook = Webhook { cluster };
        webhook.label(&webhook.cluster.namespace).await?;
        if command == "webhook" {
            webhook.until_reached().await?;
        }
        Ok(webhook)
    }

    /// Waits until the server reaches the webhook.
    async fn until_reached(&self) -> Result<()> {
        let maps = ["", "v1", "configmaps"];
        let marker = self.hook("marker.k8s.io", "/always-deny", &["CREATE"], &maps);
        let registered = self.register(Kind::Validating, &[marker]).await?;
        let map = Webhook::config_map("marker", &json!({}));
        let maps = self.cluster.core("configmaps");
        for _ in 0..100 {
            let answer = self.post(&maps, &map).await?;
            if answer.text.contains("this webhook denies all requests") {
                return self.withdraw(&registered).await;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        anyhow::bail!("the webhook is not reached")
    }

    /// Puts a namespace under the webhooks of this spec.
    async fn label(&self, namespace: &str) -> Result<()> {
        let own = self.own();
        let path = format!("/api/v1/namespaces/{namespace}");
        self.cluster
            .retry(&path, |namespace| {
                namespace["metadata"]["labels"][&own] = json!("true");
            })
            .await?;
        Ok(())
    }

    /// The label of what this spec's webhooks are for.
    pub(crate) fn own(&self) -> String {
        format!("webhook-{}", self.cluster.namespace)
    }

    /// Where an answer is to be had.
    pub(crate) fn at(&self, path: &str) -> Value {
        json!({
            "service": {
                "namespace": self.cluster.namespace, "name": SERVICE, "path": path, "port": PORT,
            },
            "caBundle": "Y2VydA==",
        })
    }

    /// A webhook of this spec's namespaces.
    pub(crate) fn hook(&self, name: &str, path: &str, operations: &[&str], of: &[&str]) -> Value {
        let [group, version, resource] = of else {
            return Value::Null;
        };
        json!({
            "name": name,
            "rules": [{
                "operations": operations, "apiGroups": [group], "apiVersions": [version],
                "resources": [resource],
            }],
            "clientConfig": self.at(path),
            "sideEffects": "None",
            "admissionReviewVersions": ["v1", "v1beta1"],
            "namespaceSelector": { "matchLabels": { self.own(): "true" } },
        })
    }

    /// Registers webhooks.
    pub(crate) async fn register(&self, kind: Kind, webhooks: &[Value]) -> Result<String> {
        let configuration = self.configuration(kind, webhooks);
        let made = self.cluster.create(&kind.path(), &configuration).await?;
        Ok(format!(
            "{}/{}",
            kind.path(),
            made["metadata"]["name"].as_str().unwrap_or_default()
        ))
    }

    /// A configuration of webhooks.
    pub(crate) fn configuration(&self, kind: Kind, webhooks: &[Value]) -> Value {
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind.name(),
            "metadata": { "name": self.own(), "labels": { "e2e-list-test-webhooks": self.own() } },
            "webhooks": webhooks,
        })
    }

    /// Takes webhooks back.
    pub(crate) async fn withdraw(&self, registered: &str) -> Result<()> {
        self.cluster.delete(registered).await.map(|_| ())
    }

    /// A ConfigMap with these data.
    pub(crate) fn config_map(name: &str, data: &Value) -> Value {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name }, "data": data,
        })
    }

    /// Creates something, answered whatever the status.
    pub(crate) async fn post(&self, path: &str, object: &Value) -> Result<Answer> {
        let body = Some(object.to_string());
        self.cluster.call(Method::POST, path, &[], body).await
    }

    /// Expects that something cannot be created, and words of the refusal.
    pub(crate) async fn refused(&self, path: &str, object: &Value, words: &[&str]) -> Result<()> {
        let answer = self.post(path, object).await?;
        ensure!(!answer.status.is_success(), "{}", answer.text);
        for words in words {
            ensure!(answer.text.contains(words), "no {words:?}: {}", answer.text);
        }
        Ok(())
    }
}

/// What kind of webhook.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Validating,
    Mutating,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Validating => "ValidatingWebhookConfiguration",
            Kind::Mutating => "MutatingWebhookConfiguration",
        }
    }

    /// Where configurations are.
    pub(crate) fn path(self) -> String {
        match self {
            Kind::Validating => format!("{GROUP}/validatingwebhookconfigurations"),
            Kind::Mutating => format!("{GROUP}/mutatingwebhookconfigurations"),
        }
    }
}
