//! ValidatingWebhookConfiguration: whom the API server asks whether it may take an object.
//!
//! Models pkg/registry/admissionregistration/validatingwebhookconfiguration,
//! pkg/apis/admissionregistration/{v1/defaults,validation}.

use std::collections::BTreeSet;

use super::Kind;
use super::check::{self, Errors};
use super::support::policy;
use super::table::{self, Column};
use super::validatingadmissionpolicy::validate_conditions;
use crate::field::{FieldError, Path};
use crate::selector::validate_label_selector;
use crate::{Value, names, value};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "validatingwebhookconfigurations",
    singular: "validatingwebhookconfiguration",
    schema: "io.k8s.api.admissionregistration.v1.ValidatingWebhookConfiguration",
    storage: "validatingwebhookconfigurations",
    sample: "
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata:
  name: checks
webhooks:
- name: pods.checks.example.com
  sideEffects: None
  admissionReviewVersions: [v1]
  clientConfig:
    service:
      name: checks
      namespace: default
  rules:
  - apiGroups: ['']
    apiVersions: [v1]
    operations: [CREATE]
    resources: [pods]
",
    ..webhooks("ValidatingWebhookConfiguration")
};

const COLUMNS: &[Column] = &[Column::NAME, Column::integer("Webhooks"), Column::AGE];

/// What both kinds of configuration share.
pub(super) const fn webhooks(kind: &'static str) -> Kind {
    Kind {
        categories: &["api-extensions"],
        namespaced: false,
        counts_generation: true,
        defaults: |configuration| defaults(configuration),
        validate,
        columns: COLUMNS,
        row: |configuration, now| {
            let count = configuration.list_at("webhooks").len();
            vec![
                table::name(configuration),
                (count as i64).into(),
                table::age(configuration, now),
            ]
        },
        ..Kind::plain("admissionregistration.k8s.io", "v1", kind)
    }
}

/// Fills in what was left out of each webhook.
pub(super) fn defaults(configuration: &mut Value) {
    if configuration.list_at("webhooks").is_empty() {
        return;
    }
    for webhook in configuration.list_mut("webhooks") {
        for (key, value) in [
            ("failurePolicy", Value::from("Fail")),
            ("matchPolicy", "Equivalent".into()),
            ("namespaceSelector", value!({})),
            ("objectSelector", value!({})),
            ("timeoutSeconds", 10.into()),
        ] {
            if webhook.get(key).is_null() {
                webhook.set(key, value);
            }
        }
        if webhook.has("clientConfig.service") && !webhook.has("clientConfig.service.port") {
            webhook.set("clientConfig.service.port", 443);
        }
        if webhook.list_at("rules").is_empty() {
            continue;
        }
        for rule in webhook.list_mut("rules") {
            if rule.get("scope").is_null() {
                rule.set("scope", "*");
            }
        }
    }
}

fn validate(configuration: &Value, out: &mut Errors) {
    let path = Path::new("webhooks");
    let mut seen = BTreeSet::new();
    for (i, webhook) in configuration.list_at("webhooks").iter().enumerate() {
        let path = path.index(i);
        validate_webhook(webhook, &path, out);
        let name = webhook.str("name");
        if !seen.insert(name) {
            out.push(FieldError::duplicate(path.child("name"), name));
        }
    }
}

fn validate_webhook(webhook: &Value, path: &Path<'_>, out: &mut Errors) {
    qualified_name(webhook.str("name"), &path.child("name"), out);
    let rules = path.child("rules");
    for (i, rule) in webhook.list_at("rules").iter().enumerate() {
        validate_rule(rule, &rules.index(i), out);
    }
    check::one_of_if_set(webhook, "failurePolicy", &["Fail", "Ignore"], path, out);
    check::one_of_if_set(webhook, "matchPolicy", &["Equivalent", "Exact"], path, out);
    match webhook.str("sideEffects") {
        "" => {
            let text = "must specify one of None, NoneOnDryRun";
            out.push(FieldError::required(path.child("sideEffects"), text));
        }
        _ => check::one_of(webhook, "sideEffects", &["None", "NoneOnDryRun"], path, out),
    }
    if let Some(seconds) = webhook
        .i64_at("timeoutSeconds")
        .filter(|n| !(1..=30).contains(n))
    {
        let text = "the timeout value must be between 1 and 30 seconds";
        let field = path.child("timeoutSeconds");
        out.push(FieldError::invalid(field, seconds, text));
    }
    for key in ["namespaceSelector", "objectSelector"] {
        if !webhook.get(key).is_null() {
            out.extend(validate_label_selector(webhook.get(key), &path.child(key)));
        }
    }
    validate_conditions(webhook, path, out);
    out.extend(policy::check_conditions(webhook, path));
    let (config, field) = (webhook.get("clientConfig"), path.child("clientConfig"));
    if config.str("url").is_empty() == config.get("service").is_null() {
        let text = "exactly one of url or service is required";
        out.push(FieldError::required(field, text));
    }
    let versions = webhook.list_at("admissionReviewVersions");
    let field = path.child("admissionReviewVersions");
    if versions.is_empty() {
        let text = "must specify one of v1, v1beta1";
        out.push(FieldError::required(field, text));
    } else if !versions
        .iter()
        .any(|v| matches!(v.as_str(), "v1" | "v1beta1"))
    {
        let text = "must include at least one of v1, v1beta1";
        let value = webhook.get("admissionReviewVersions");
        out.push(FieldError::invalid(field, value, text));
    }
}

/// A DNS subdomain of at least three parts.
fn qualified_name(name: &str, path: &Path<'_>, out: &mut Errors) {
    if name.is_empty() {
        out.push(FieldError::required(path, ""));
        return;
    }
    check::invalid(names::dns1123_subdomain(name), path, name, out);
    if name.split('.').count() < 3 {
        let text = "should be a domain with at least three segments separated by dots";
        out.push(FieldError::invalid(path, name, text));
    }
}

pub(super) fn validate_rule(rule: &Value, path: &Path<'_>, out: &mut Errors) {
    let operations = path.child("operations");
    if rule.list_at("operations").is_empty() {
        out.push(FieldError::required(operations, ""));
    }
    for (i, operation) in rule.list_at("operations").iter().enumerate() {
        let known = ["CREATE", "UPDATE", "DELETE", "CONNECT", "*"];
        if !known.contains(&operation.as_str()) {
            let field = operations.index(i);
            out.push(FieldError::not_supported(field, operation, &known));
        }
    }
    for key in ["apiGroups", "apiVersions", "resources"] {
        if rule.list_at(key).is_empty() {
            out.push(FieldError::required(path.child(key), ""));
        }
    }
    check::one_of_if_set(rule, "scope", &["Cluster", "Namespaced", "*"], path, out);
}
