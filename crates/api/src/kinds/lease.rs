//! Lease.
//!
//! Models pkg/registry/coordination/lease and pkg/apis/coordination/validation.

use super::table::{self, Column};
use super::{Kind, check};
use crate::Value;
use crate::field::{FieldError, Path};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "leases",
    singular: "lease",
    schema: "io.k8s.api.coordination.v1.Lease",
    storage: "leases",
    create_on_update: true,
    unconditional_update: false,
    validate,
    columns: &[Column::NAME, Column::text("Holder"), Column::AGE],
    row: |object, now| {
        let holder = object.str_at("spec.holderIdentity");
        vec![table::name(object), holder.into(), table::age(object, now)]
    },
    sample: SAMPLE,
    ..Kind::plain("coordination.k8s.io", "v1", "Lease")
};

const SAMPLE: &str = "
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata:
  name: leader
spec:
  holderIdentity: me
  leaseDurationSeconds: 15
";

fn validate(lease: &Value, out: &mut Vec<FieldError>) {
    let duration = lease.i64_at("spec.leaseDurationSeconds");
    if let Some(secs) = duration.filter(|secs| *secs <= 0) {
        let path = "spec.leaseDurationSeconds";
        out.push(FieldError::invalid(path, secs, "must be greater than 0"));
    }
    check::non_negative(
        lease.get("spec"),
        "leaseTransitions",
        &Path::new("spec"),
        out,
    );
}
