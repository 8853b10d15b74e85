//! RuntimeClass: which container runtime runs a pod.
//!
//! Models pkg/registry/node/runtimeclass, pkg/apis/node/validation and `printRuntimeClass`.

use super::check;
use super::table::{self, Column};
use super::{Kind, resource_name};
use crate::field::Path;
use crate::names;

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "runtimeclasses",
    singular: "runtimeclass",
    namespaced: false,
    schema: "io.k8s.api.node.v1.RuntimeClass",
    storage: "runtimeclasses",
    validate: |class, out| {
        let handler = class.str("handler");
        check::invalid(names::dns1123_label(handler), "handler", handler, out);
        let path = Path::new("overhead.podFixed");
        for (name, amount) in class.map_at("overhead.podFixed") {
            resource_name::of_container(name, path.key(name), out);
            resource_name::amount(name, amount, path.key(name), out);
        }
        let path = Path::new("scheduling.nodeSelector");
        let labels = class.map_at("scheduling.nodeSelector");
        out.extend(names::validate_labels(labels, path));
    },
    validate_update: |new, old, _, out| {
        check::immutable(new.get("handler"), old.get("handler"), "handler", out);
    },
    columns: &[Column::NAME, Column::text("Handler"), Column::AGE],
    row: |class, now| {
        vec![
            table::name(class),
            class.get("handler").clone(),
            table::age(class, now),
        ]
    },
    sample: "
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata:
  name: gvisor
handler: runsc
",
    ..Kind::plain("node.k8s.io", "v1", "RuntimeClass")
};
