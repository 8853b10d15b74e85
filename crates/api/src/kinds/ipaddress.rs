//! IPAddress: an address that something has taken.
//!
//! Models pkg/registry/networking/ipaddress, pkg/apis/networking/validation and `printIPAddress`.

use super::check::Errors;
use super::table::{self, Cell, Column};
use super::{Kind, check};
use crate::field::{FieldError, Path};
use crate::{Value, names, status};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "ipaddresses",
    singular: "ipaddress",
    short_names: &["ip"],
    namespaced: false,
    schema: "io.k8s.api.networking.v1.IPAddress",
    storage: "ipaddresses",
    name: names::ip,
    validate,
    validate_update: |new, old, _, out| {
        let key = "spec.parentRef";
        check::immutable(new.at(key), old.at(key), key, out);
    },
    columns: &[Column::NAME, Column::text("ParentRef")],
    row: |address, _| vec![table::name(address), parent(address.at("spec.parentRef"))],
    sample: "
apiVersion: networking.k8s.io/v1
kind: IPAddress
metadata:
  name: 10.96.0.10
spec:
  parentRef:
    resource: services
    namespace: kube-system
    name: kube-dns
",
    ..Kind::plain("networking.k8s.io", "v1", "IPAddress")
};

/// `services/kube-system/kube-dns`
fn parent(of: &Value) -> Cell {
    if of.is_null() {
        return "<none>".into();
    }
    let resource = status::qualified(of.str("group"), of.str("resource"));
    let parts = [&*resource, of.str("namespace"), of.str("name")];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("/").into()
}

fn validate(address: &Value, out: &mut Errors) {
    let path = Path::new("spec");
    let (parent, path) = (address.at("spec.parentRef"), path.child("parentRef"));
    if parent.is_null() {
        out.push(FieldError::required(path, ""));
        return;
    }
    for key in ["resource", "name"] {
        if parent.str(key).is_empty() {
            out.push(FieldError::required(path.child(key), ""));
        }
    }
}
