//! CSIStorageCapacity: how much a storage driver can still give, for a class and a part of the
//! cluster.
//!
//! Models pkg/registry/storage/csistoragecapacity and pkg/apis/storage/validation.

use super::Kind;
use super::check::{self, Errors};
use crate::Value;
use crate::field::{FieldError, Path};
use crate::quantity::Quantity;

/// The descriptor. Its table is that of kinds that say nothing of their columns.
pub static KIND: Kind = Kind {
    plural: "csistoragecapacities",
    singular: "csistoragecapacity",
    schema: "io.k8s.api.storage.v1.CSIStorageCapacity",
    storage: "csistoragecapacities",
    create_on_update: false,
    unconditional_update: false,
    validate,
    validate_update: |new, old, _, out| {
        for key in ["nodeTopology", "storageClassName"] {
            check::immutable(new.get(key), old.get(key), key, out);
        }
    },
    sample: "
apiVersion: storage.k8s.io/v1
kind: CSIStorageCapacity
metadata:
  name: disks-zone-a
storageClassName: disks
capacity: 10Gi
nodeTopology:
  matchLabels:
    topology.kubernetes.io/zone: a
",
    ..Kind::plain("storage.k8s.io", "v1", "CSIStorageCapacity")
};

fn validate(capacity: &Value, out: &mut Errors) {
    let path = Path::new("storageClassName");
    match capacity.str("storageClassName") {
        "" => out.push(FieldError::required(path, "")),
        name => check::invalid(crate::names::dns1123_subdomain(name), path, name, out),
    }
    for key in ["capacity", "maximumVolumeSize"] {
        let amount = capacity.get(key);
        let negative = Quantity::parse(amount.as_str()).is_ok_and(|amount| amount.sign() < 0);
        if negative {
            let text = "must be greater than or equal to 0";
            out.push(FieldError::invalid(key, amount, text));
        }
    }
}
