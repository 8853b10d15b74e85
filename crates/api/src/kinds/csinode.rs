//! CSINode: the storage drivers of a node.
//!
//! Models pkg/registry/storage/csinode, pkg/apis/storage/validation and `printCSINode`.

use std::collections::BTreeSet;

use super::Kind;
use super::check::{self, Errors};
use super::table::{self, Column};
use crate::field::{FieldError, Path};
use crate::{Value, names};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "csinodes",
    singular: "csinode",
    namespaced: false,
    schema: "io.k8s.api.storage.v1.CSINode",
    storage: "csinodes",
    validate,
    columns: &[Column::NAME, Column::integer("Drivers"), Column::AGE],
    row: |node, now| {
        let drivers = node.list_at("spec.drivers").len();
        vec![
            table::name(node),
            (drivers as i64).into(),
            table::age(node, now),
        ]
    },
    sample: "
apiVersion: storage.k8s.io/v1
kind: CSINode
metadata:
  name: node01
spec:
  drivers: []
",
    ..Kind::plain("storage.k8s.io", "v1", "CSINode")
};

fn validate(node: &Value, out: &mut Errors) {
    let path = Path::new("spec");
    let path = path.child("drivers");
    let mut seen = BTreeSet::new();
    for (i, driver) in node.list_at("spec.drivers").iter().enumerate() {
        let path = path.index(i);
        check::named(driver, "name", names::dns1123_subdomain, &path, out);
        if driver.str("nodeID").is_empty() {
            out.push(FieldError::required(path.child("nodeID"), ""));
        }
        let name = driver.str("name");
        if !seen.insert(name) {
            out.push(FieldError::duplicate(path.child("name"), name));
        }
    }
}
