//! ServiceCIDR: where the addresses of Services come from.
//!
//! Models pkg/registry/networking/servicecidr, pkg/apis/networking/validation and
//! `printServiceCIDR`.

use super::check;
use super::check::Errors;
use super::table::{self, Column};
use super::{Kind, Subresource, cidr};
use crate::Value;
use crate::field::{FieldError, Path};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "servicecidrs",
    singular: "servicecidr",
    namespaced: false,
    subresources: &[Subresource::status("ServiceCIDR")],
    schema: "io.k8s.api.networking.v1.ServiceCIDR",
    storage: "servicecidrs",
    prepare_for_create: |range| drop(range.remove("status")),
    validate,
    validate_update: |new, old, subresource, out| {
        if subresource.is_empty() {
            check::immutable(
                new.at("spec.cidrs"),
                old.at("spec.cidrs"),
                "spec.cidrs",
                out,
            );
        }
    },
    columns: &[Column::NAME, Column::text("CIDRs"), Column::AGE],
    row: |range, now| {
        let cidrs: Vec<&str> = range
            .list_at("spec.cidrs")
            .iter()
            .map(Value::as_str)
            .collect();
        vec![
            table::name(range),
            cidrs.join(",").into(),
            table::age(range, now),
        ]
    },
    sample: "
apiVersion: networking.k8s.io/v1
kind: ServiceCIDR
metadata:
  name: more
spec:
  cidrs: [10.200.0.0/16]
",
    ..Kind::plain("networking.k8s.io", "v1", "ServiceCIDR")
};

fn validate(range: &Value, out: &mut Errors) {
    let path = Path::new("spec");
    let path = path.child("cidrs");
    let cidrs = range.list_at("spec.cidrs");
    if cidrs.is_empty() {
        out.push(FieldError::required(path, "at least one CIDR required"));
    }
    if cidrs.len() > 2 {
        let text = "may only hold up to 2 values";
        out.push(FieldError::invalid(path, range.at("spec.cidrs"), text));
    }
    for (i, text) in cidrs.iter().map(Value::as_str).enumerate() {
        cidr::checked(text, path.index(i), out);
    }
}
