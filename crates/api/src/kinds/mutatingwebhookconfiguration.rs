//! MutatingWebhookConfiguration: whom the API server asks to change an object it takes.
//!
//! Models pkg/registry/admissionregistration/mutatingwebhookconfiguration.

use super::Kind;
use super::validatingwebhookconfiguration::{defaults, webhooks};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "mutatingwebhookconfigurations",
    singular: "mutatingwebhookconfiguration",
    schema: "io.k8s.api.admissionregistration.v1.MutatingWebhookConfiguration",
    storage: "mutatingwebhookconfigurations",
    defaults: |configuration| {
        defaults(configuration);
        if configuration.list_at("webhooks").is_empty() {
            return;
        }
        for webhook in configuration.list_mut("webhooks") {
            if webhook.get("reinvocationPolicy").is_null() {
                webhook.set("reinvocationPolicy", "Never");
            }
        }
    },
    sample: "
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata:
  name: sidecars
webhooks:
- name: pods.sidecars.example.com
  sideEffects: None
  admissionReviewVersions: [v1]
  clientConfig:
    url: https://sidecars.example.com/mutate
  rules:
  - apiGroups: ['']
    apiVersions: [v1]
    operations: [CREATE]
    resources: [pods]
",
    ..webhooks("MutatingWebhookConfiguration")
};
