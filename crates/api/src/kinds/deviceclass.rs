//! DeviceClass: which devices claims of a class may have.
//!
//! Models pkg/registry/resource/deviceclass, pkg/apis/resource/validation and `printDeviceClass`.

use super::Kind;
use super::check::Errors;
use super::resourceclaim::devices;
use super::table::{self, Column};
use crate::Value;
use crate::field::Path;

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "deviceclasses",
    singular: "deviceclass",
    namespaced: false,
    schema: "io.k8s.api.resource.v1.DeviceClass",
    storage: "deviceclasses",
    counts_generation: true,
    validate,
    columns: &[Column::NAME, Column::AGE],
    row: |class, now| vec![table::name(class), table::age(class, now)],
    sample: "
apiVersion: resource.k8s.io/v1
kind: DeviceClass
metadata:
  name: gpu
spec:
  selectors:
  - cel:
      expression: device.driver == \"gpu.example.com\"
",
    ..Kind::plain("resource.k8s.io", "v1", "DeviceClass")
};

fn validate(class: &Value, out: &mut Errors) {
    let (spec, path) = (class.get("spec"), Path::new("spec"));
    devices::selectors(spec, &path, out);
    let path = path.child("config");
    for (i, config) in spec.list_at("config").iter().enumerate() {
        devices::configuration(config, &path.index(i), out);
    }
}
