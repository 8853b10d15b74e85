//! Where a custom kind counts its replicas.
//!
//! Models apiextensions-apiserver/pkg/registry/customresource/etcd.go (`ScaleREST`).

use crate::Value;
use crate::field::FieldError;

/// Paths into an object, `spec.replicas`.
#[derive(Clone, Debug)]
pub struct ScalePaths {
    /// How many shall be.
    pub spec: String,
    /// How many there are.
    pub status: String,
    /// Which pods they are, as text; empty if it is not said.
    pub selector: String,
}

impl ScalePaths {
    /// Reads `subresources.scale`.
    pub(super) fn of(scale: &Value) -> Option<ScalePaths> {
        let path = |key: &str| scale.str(key).trim_start_matches('.').to_owned();
        scale.is_map().then(|| ScalePaths {
            spec: path("specReplicasPath"),
            status: path("statusReplicasPath"),
            selector: path("labelSelectorPath"),
        })
    }

    /// What is wrong with an object's counts.
    pub(super) fn validate(&self, object: &Value, out: &mut Vec<FieldError>) {
        for path in [&self.spec, &self.status] {
            if let Some(count) = object.i64_at(path) {
                let text = if count < 0 {
                    "should be a non-negative integer".to_owned()
                } else if count > i64::from(i32::MAX) {
                    format!("should be less than or equal to {}", i32::MAX)
                } else {
                    continue;
                };
                out.push(FieldError::invalid(path, count, text));
            }
        }
    }
}
