//! Admission webhooks: which of them a request is for, and what becomes of it where nobody answers.
//! What a webhook that is there would say is not modelled.
//!
//! Models apiserver/pkg/admission/plugin/webhook and apiserver/pkg/util/webhook.

use api::cel::Val;
use api::{Status, Value, status};

use super::Plugin;
use super::policy::{Subject, conditions, matches};
use crate::cache;
use crate::server::ApiServer;
use crate::write::{Deed, Write};

/// The webhooks that may change objects.
pub(super) const MUTATING: Plugin = Plugin {
    name: "MutatingAdmissionWebhook",
    mutate: |server, write, object, old| {
        call(
            server,
            write,
            Some(object),
            old,
            "mutatingwebhookconfigurations",
        )
    },
    validate_delete: |server, write, old| {
        call(
            server,
            write,
            None,
            Some(old),
            "mutatingwebhookconfigurations",
        )
    },
    ..Plugin::PLAIN
};

/// The webhooks that may refuse objects.
pub(super) const VALIDATING: Plugin = Plugin {
    name: "ValidatingAdmissionWebhook",
    validate: |server, write, object, old| {
        call(
            server,
            write,
            Some(object),
            old,
            "validatingwebhookconfigurations",
        )
    },
    validate_delete: |server, write, old| {
        call(
            server,
            write,
            None,
            Some(old),
            "validatingwebhookconfigurations",
        )
    },
    ..Plugin::PLAIN
};

fn call(
    server: &ApiServer,
    write: &Write,
    object: Option<&Value>,
    old: Option<&Value>,
    plural: &str,
) -> Result<(), Status> {
    // Webhooks have seen the Eviction; the deletion is the server's own.
    if matches!(write.deed, Deed::Evict(_)) {
        return Ok(());
    }
    let group = "admissionregistration.k8s.io";
    let Some(all) = server.resources.named(group, plural) else {
        return Ok(());
    };
    if all.cache.objects().is_empty() || write.kind.group == group {
        return Ok(());
    }
    let subject = Subject::new(server, write, object, old);
    for configuration in all.cache.objects().values() {
        for webhook in configuration.value.list_at("webhooks") {
            let mut constraints = webhook.clone();
            constraints.set("resourceRules", webhook.get("rules"));
            let rules = !webhook.list_at("rules").is_empty();
            if !rules || !matches(&subject, &constraints) {
                continue;
            }
            let why = match wanted(server, &subject, webhook) {
                Ok(false) => continue,
                Ok(true) => failure(server, webhook),
                Err(why) => why,
            };
            if webhook.str("failurePolicy") != "Ignore" {
                let name = webhook.str("name");
                return Err(status::internal(format!(
                    "failed calling webhook {name:?}: {why}"
                )));
            }
        }
    }
    Ok(())
}

/// Whether all conditions of a webhook hold.
fn wanted(server: &ApiServer, subject: &Subject<'_>, webhook: &Value) -> Result<bool, String> {
    if webhook.list_at("matchConditions").is_empty() {
        return Ok(true);
    }
    for value in conditions(server, subject, webhook) {
        if let Val::Bool(false) = value? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Why a webhook gives no answer.
fn failure(server: &ApiServer, webhook: &Value) -> String {
    let config = webhook.get("clientConfig");
    let secs = webhook.i64_at("timeoutSeconds").unwrap_or(10);
    let to = config.get("service");
    let unmodelled = sim::unmodelled!("what an admission webhook answers");
    if !to.is_map() {
        let url = config.str("url");
        return format!("failed to call webhook: Post \"{url}?timeout={secs}s\": {unmodelled}");
    }
    let (namespace, name) = (to.str("namespace"), to.str("name"));
    let port = to.i64_at("port").unwrap_or(443);
    let path = to.str("path").trim_start_matches('/');
    let url = format!("https://{name}.{namespace}.svc:{port}/{path}?timeout={secs}s");
    let service = server
        .resources
        .lookup("", "services", &format!("{namespace}/{name}"));
    let why = match service {
        None => format!("service {name:?} not found"),
        Some(service) if !has_endpoints(server, namespace, name) => {
            let ip = service.value.str_at("spec.clusterIP");
            format!("dial tcp {ip}:{port}: connect: connection refused")
        }
        Some(_) => unmodelled.to_string(),
    };
    format!("failed to call webhook: Post \"{url}\": {why}")
}

/// Whether a Service leads to anything.
fn has_endpoints(server: &ApiServer, namespace: &str, name: &str) -> bool {
    let Some(slices) = server.resources.named("discovery.k8s.io", "endpointslices") else {
        return false;
    };
    cache::in_namespace(slices.cache.objects(), namespace, "")
        .map(|entry| &entry.value)
        .filter(|slice| slice.labels().str("kubernetes.io/service-name") == name)
        .flat_map(|slice| slice.list_at("endpoints"))
        .any(|endpoint| endpoint.at("conditions.ready").as_bool() != Some(false))
}
