//! ResourceClaim: devices that somebody asks for, and those that were given.
//!
//! Models pkg/registry/resource/resourceclaim, pkg/apis/resource/{v1/defaults,validation} and
//! `printResourceClaim`.

use super::check;
use super::table::{self, Cell, Column};
use super::{Kind, Subresource};
use crate::field::Path;
use crate::{Value, names};

pub mod devices;

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "resourceclaims",
    singular: "resourceclaim",
    subresources: &[Subresource::status("ResourceClaim")],
    schema: "io.k8s.api.resource.v1.ResourceClaim",
    storage: "resourceclaims",
    name: names::dns1123_subdomain,
    defaults: |claim| {
        if claim.has("spec") {
            devices::defaults(claim.at_mut("spec"));
        }
    },
    prepare_for_create: |claim| claim.set("status", Value::Map(crate::Map::new())),
    validate: |claim, out| devices::spec(claim.get("spec"), &Path::new("spec"), out),
    validate_update: |new, old, subresource, out| {
        if subresource.is_empty() {
            check::immutable(new.get("spec"), old.get("spec"), "spec", out);
        }
    },
    columns: &[Column::NAME, Column::text("State"), Column::AGE],
    row: |claim, now| vec![table::name(claim), state(claim), table::age(claim, now)],
    sample: "
apiVersion: resource.k8s.io/v1
kind: ResourceClaim
metadata:
  name: one-gpu
spec:
  devices:
    requests:
    - name: gpu
      exactly:
        deviceClassName: gpu
",
    ..Kind::plain("resource.k8s.io", "v1", "ResourceClaim")
};

/// `pending`, `allocated,reserved`, ….
fn state(claim: &Value) -> Cell {
    let mut states = Vec::new();
    if claim.is_terminating() {
        states.push("deleted");
    }
    if !claim.has("status.allocation") {
        states.push("pending");
    } else {
        states.push("allocated");
        if !claim.list_at("status.reservedFor").is_empty() {
            states.push("reserved");
        }
    }
    states.join(",").into()
}
