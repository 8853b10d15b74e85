//! Binding: what a scheduler posts to tie a pod to a node. Never stored.
//!
//! Models pkg/registry/core/pod/storage/storage.go.

use super::Kind;
use crate::Value;
use crate::field::FieldError;

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "bindings",
    singular: "binding",
    verbs: &["create"],
    schema: "io.k8s.api.core.v1.Binding",
    validate,
    sample: SAMPLE,
    ..Kind::plain("", "v1", "Binding")
};

const SAMPLE: &str = "
apiVersion: v1
kind: Binding
metadata:
  name: web
target:
  apiVersion: v1
  kind: Node
  name: node01
";

fn validate(binding: &Value, out: &mut Vec<FieldError>) {
    let target = binding.get("target");
    let kind = target.kind();
    if !matches!(kind, "" | "Node") {
        out.push(FieldError::not_supported(
            "target.kind",
            kind,
            &["Node", "<empty>"],
        ));
    }
    if target.str("name").is_empty() {
        out.push(FieldError::required("target.name", ""));
    }
}
