//! ServiceAccount.
//!
//! Models pkg/registry/core/serviceaccount.

use super::table::{self, Column};
use super::{Kind, Subresource};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "serviceaccounts",
    singular: "serviceaccount",
    short_names: &["sa"],
    subresources: &[Subresource::new(
        "token",
        &["create"],
        "authentication.k8s.io/v1",
        "TokenRequest",
    )],
    schema: "io.k8s.api.core.v1.ServiceAccount",
    storage: "serviceaccounts",
    columns: &[Column::NAME, Column::AGE],
    row: |object, now| vec![table::name(object), table::age(object, now)],
    sample: SAMPLE,
    ..Kind::plain("", "v1", "ServiceAccount")
};

const SAMPLE: &str = "
apiVersion: v1
kind: ServiceAccount
metadata:
  name: robot
";
