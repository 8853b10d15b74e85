//! ResourceClaimTemplate: what the claims of pods are made from.
//!
//! Models pkg/registry/resource/resourceclaimtemplate, pkg/apis/resource/{v1/defaults,validation}
//! and `printResourceClaimTemplate`.

use super::resourceclaim::devices;
use super::table::{self, Column};
use super::{Kind, check};
use crate::field::Path;

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "resourceclaimtemplates",
    singular: "resourceclaimtemplate",
    schema: "io.k8s.api.resource.v1.ResourceClaimTemplate",
    storage: "resourceclaimtemplates",
    defaults: |template| {
        if template.has("spec.spec") {
            devices::defaults(template.at_mut("spec.spec"));
        }
    },
    validate: |template, out| {
        let path = Path::new("spec");
        devices::spec(template.at("spec.spec"), &path.child("spec"), out);
    },
    validate_update: |new, old, _, out| {
        check::immutable(new.get("spec"), old.get("spec"), "spec", out);
    },
    columns: &[Column::NAME, Column::AGE],
    row: |template, now| vec![table::name(template), table::age(template, now)],
    sample: "
apiVersion: resource.k8s.io/v1
kind: ResourceClaimTemplate
metadata:
  name: gpus
spec:
  spec:
    devices:
      requests:
      - name: gpu
        exactly:
          deviceClassName: gpu
",
    ..Kind::plain("resource.k8s.io", "v1", "ResourceClaimTemplate")
};
